"""Random samples of a category by softmax of noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from numact._functions.arguments import check_generator, float_dtype
from numact._functions.axis.operands import as_temperature, call
from numact._functions.public import set_module

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@set_module("numact")
def gumbel_softmax(
    x: ArrayLike,
    tau: ArrayLike = 1.0,
    hard: bool = False,
    axis: int = -1,
    rng: np.random.Generator | None = None,
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
    axis : int, default -1
        The axis of the categories.
    rng : numpy.random.Generator, optional
        The source of the noise; by default, one with fresh entropy.

    Returns
    -------
    y : ndarray
        The sample, of the shape and dtype of `x`.

    Raises
    ------
    ValueError
        For an axis out of range, or a `tau` that is not above 0.
    TypeError
        For an `rng` that is not a Generator.

    See Also
    --------
    softmax : Without noise.
    softmax_grad : The gradient by x, from a soft sample, with tau as temperature.

    Notes
    -----
    The noise is ``rng.gumbel(size=x.shape)``.

    Jang et al., and Maddison et al., 2017.

    Examples
    --------
    >>> y = numact.gumbel_softmax(x, 0.5, rng=np.random.default_rng(0))

    """
    if rng is None:
        rng = np.random.default_rng()
    check_generator("gumbel_softmax", rng, " or None")
    array = np.asanyarray(x)
    temperature = as_temperature("gumbel_softmax", tau, array, "tau")
    noisy = (array + rng.gumbel(size=array.shape)).astype(float_dtype(array.dtype))
    if hard:
        return call("hardmax", (noisy,), axis, noisy)
    return call("softmax", (noisy, temperature), axis, noisy)
