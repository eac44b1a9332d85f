"""RMS normalisation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numact._functions.arguments import boolean
from numact._functions.public import set_module
from numact.norm.arguments import Activation
from numact.norm.layout import Array, Axis
from numact.norm.rows import normalise_rows, row_statistics, rows_gradient

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from numact._functions.arguments import Out


@set_module("numact.norm")
def rms_norm(
    x: ArrayLike,
    weight: ArrayLike | None = None,
    eps: float | None = None,
    axis: Axis = -1,
    activation: Activation = None,
    out: Out = None,
    *,
    return_stats: bool = False,
) -> Any:
    """Root mean square normalisation: x / sqrt(mean(x^2) + eps) * weight, with the mean over each sample.

    Parameters
    ----------
    x : array_like
        Input, of any shape; integers and booleans are taken as `numpy.exp` takes them.
    weight : array_like, optional
        Scale of each position along `axis`, of the shape that x has there, or what broadcasts to it; by default 1.
    eps : float, optional
        Added to the mean square, at least 0; by default the epsilon of the dtype of `x`, ``np.finfo(dtype).eps``, and
        that of float32 for float16 and bfloat16, as in PyTorch since 2025.
    axis : int or tuple of int, default -1
        The axes over which the mean is taken.
    activation : str, function, functools.partial or (function, dict), optional
        As in `layer_norm`.
    out : ndarray, tuple of one ndarray or `...`, optional
        Array for the result; ``out=x`` computes in place.

    return_stats : bool, default False
        Whether to return the inverse root mean square as well.

    Returns
    -------
    y : ndarray
        `out`, or a new array of the shape and dtype of `x`.
    inv_std : ndarray
        If `return_stats`: 1 / sqrt(mean(x^2) + eps), of the shape of x with 1 along `axis`; float64 for float64, else
        float32.

    Raises
    ------
    ValueError, TypeError
        As `layer_norm`.

    See Also
    --------
    rms_norm_grad : Its gradients.
    layer_norm : With the mean subtracted first.

    Notes
    -----
    Computed as `layer_norm` is.

    Zhang and Sennrich, Root Mean Square Layer Normalization, 2019.

    Examples
    --------
    >>> x = np.array([[1.0, 2.0, 3.0], [0.5, -1.0, 0.0]])
    >>> numact.norm.rms_norm(x, np.ones(3)).round(4)
    array([[ 0.4629,  0.9258,  1.3887],
           [ 0.7746, -1.5492,  0.    ]])

    """
    stats: tuple[Array, ...] = ()
    if return_stats is not False and boolean("rms_norm", "return_stats", return_stats):
        stats = row_statistics("rms", x, eps, axis)[1:]  # before x may be overwritten
    y = normalise_rows("rms", x, weight, None, eps, axis, activation, out)
    return (y, *stats) if stats else y


@set_module("numact.norm")
def rms_norm_grad(
    dy: ArrayLike,
    x: ArrayLike,
    weight: ArrayLike | None = None,
    eps: float | None = None,
    axis: Axis = -1,
    *,
    inv_std: ArrayLike | None = None,
) -> tuple[Array, Array]:
    """Gradients of `rms_norm` without activation, by the input and the weight.

    Parameters
    ----------
    dy : array_like
        Gradient by the output, of the shape of x.
    x : array_like
        Input of the forward pass.
    weight : array_like, optional
        As in the forward pass.
    eps : float, optional
        As in the forward pass; by default the epsilon of the dtype of dx, of float32 for half types.
    axis : int or tuple of int, default -1
        As in the forward pass.
    inv_std : array_like, optional
        What the forward pass returned for `return_stats`; eps is not used then.

    Returns
    -------
    dx : ndarray
        Gradient by x.
    dweight : ndarray
        Gradient by weight, of the shape that x has along `axis`; its dtype is that of weight if that is an array of
        floats, else that of dx.

    Raises
    ------
    ValueError, TypeError
        As `layer_norm_grad`.

    See Also
    --------
    rms_norm : The function.

    Notes
    -----
    With xhat = x / s, s = sqrt(mean(x^2) + eps) and g = dy weight: dx = (g - xhat mean(g xhat)) / s, and
    dweight = sum dy xhat over all samples.

    Zhang and Sennrich, Root Mean Square Layer Normalization, 2019.

    Examples
    --------
    >>> x = np.array([[1.0, 2.0, 3.0]])
    >>> dx, dweight = numact.norm.rms_norm_grad(np.array([[1.0, 0.0, 0.0]]), x, np.ones(3))
    >>> dx.round(4)
    array([[ 0.4298, -0.0661, -0.0992]])
    >>> dweight.round(4)
    array([0.4629, 0.    , 0.    ])

    """
    return rows_gradient("rms", dy, x, weight, eps, axis, None, inv_std)[:2]
