"""Random samples of a category by softmax of noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from numact._functions.arguments import as_generator, boolean, check_real, float_dtype
from numact._functions.axes import as_axes
from numact._functions.axis.operands import as_temperature, call, call_where, check_temperature, reduced
from numact._functions.public import set_module

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@set_module("numact")
def gumbel_softmax(
    x: ArrayLike,
    tau: ArrayLike = 1.0,
    hard: bool = False,
    axis: int | tuple[int, ...] | None = -1,
    rng: Any = None,
) -> Any:
    """`softmax` of (x + g) / tau along an axis, where g is Gumbel noise: a differentiable sample of a category.

    Parameters
    ----------
    x : array_like
        Unnormalised logarithms of the probabilities.
    tau : array_like, default 1.0
        The temperature, above 0: the lower it is, the closer are the results to one-hot.
    hard : bool, default False
        Whether to return one-hot rows, 1 where the sample is largest; for the gradient, use the soft sample of the same
        `rng` state.
    axis : int, tuple of int or None, default -1
        The axis or axes of the categories; None: all.
    rng : None, int, sequence of int, SeedSequence, BitGenerator, Generator or RandomState, optional
        The source of the noise, as `numpy.random.default_rng` takes it; by default, one with fresh entropy.

    Returns
    -------
    y : ndarray
        The sample, of the shape and dtype of `x`; 0 for a row of -inf.

    Raises
    ------
    ValueError
        For an axis out of range, or a `tau` that is not above 0.
    TypeError
        For an `rng` that is none of these.

    See Also
    --------
    softmax : Without noise.
    softmax_grad : The gradient by x, from a soft sample, with tau as temperature.

    Notes
    -----
    The noise is ``rng.gumbel(size=x.shape)``.  Masked entries of a masked array take no part.

    Jang et al., and Maddison et al., 2017.

    Examples
    --------
    >>> x = np.array([[1.0, 2.0, 3.0], [0.5, -1.0, 0.0]])
    >>> numact.gumbel_softmax(x, 0.5, rng=np.random.default_rng(0))
    array([[3.11495151e-05, 2.39031054e-03, 9.97578540e-01],
           [9.99977914e-01, 4.91048328e-06, 1.71753951e-05]])

    """
    name = "gumbel_softmax"
    array, hard = np.asanyarray(x), boolean(name, "hard", hard)
    check_real(name, "x", array.dtype)
    axes = tuple(range(array.ndim)) if axis is None else as_axes(name, axis, array.ndim)
    temperature = as_temperature(name, tau, (array,), "tau")
    check_temperature(name, temperature, reduced(array.shape, axes), "tau")
    generator = as_generator(name, rng)
    with np.errstate(over="ignore"):
        noisy = (array + generator.gumbel(size=array.shape)).astype(float_dtype(array.dtype))
    if not hard:
        return call_where("softmax", noisy, None, (temperature,), axes, None)
    one_hot = call("hardmax", (noisy,), axes, None)
    # A row of -inf has no entry that may be chosen.
    return one_hot * ~np.isneginf(noisy).all(axes, keepdims=True)
