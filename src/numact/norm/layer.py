"""Layer normalisation."""

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
def layer_norm(
    x: ArrayLike,
    weight: ArrayLike | None = None,
    bias: ArrayLike | None = None,
    eps: float = 1e-5,
    axis: Axis = -1,
    activation: Activation = None,
    out: Out = None,
    *,
    return_stats: bool = False,
) -> Any:
    """(x - mean) / sqrt(variance + eps) * weight + bias, with the mean and variance of each sample.

    Parameters
    ----------
    x : array_like
        Input, of any shape; integers and booleans are taken as `numpy.exp` takes them.
    weight, bias : array_like, optional
        Scale and shift of each position along `axis`, of the shape that x has there, or what broadcasts to it;
        by default 1 and 0.
    eps : float, default 1e-5
        Added to the variance, at least 0.
    axis : int or tuple of int, default -1
        The axes over which mean and variance are taken.
    activation : str, function, functools.partial or (function, dict), optional
        An elementwise function of numact that is applied to the result, such as ``"gelu"``, `numact.relu` or
        ``("leaky_relu", {"negative_slope": 0.2})``.
    out : ndarray, tuple of one ndarray or `...`, optional
        Array for the result; ``out=x`` computes in place.

    return_stats : bool, default False
        Whether to return mean and inverse deviation as well, as ONNX's LayerNormalization does.

    Returns
    -------
    y : ndarray
        `out`, or a new array of the shape and dtype of `x`.
    mean, inv_std : ndarray
        If `return_stats`: mean and 1 / sqrt(variance + eps), of the shape of x with 1 along `axis`; float64 for
        float64, else float32.

    Raises
    ------
    ValueError
        For shapes that do not fit, an axis that is out of range or named twice, an empty x along `axis`, an eps that
        is negative, infinite or NaN, and an unknown activation.
    TypeError
        For operands that are not real numbers, and an `out` of a dtype that cannot hold the result.

    See Also
    --------
    layer_norm_grad : Its gradients.
    rms_norm : The same without the mean.

    Notes
    -----
    The variance is the mean of the squared deviations from the mean, in a second pass.  float16, bfloat16 and
    float32 are computed in float64 and rounded once; float64 sums are compensated.  Weights of any dtype are used as
    they are; the result has the dtype of `x`.  A NaN makes its own sample NaN.  Squares of float64 overflow beyond
    1e154.

    Ba, Kiros and Hinton, Layer Normalization, 2016.

    Examples
    --------
    >>> x = np.array([[1.0, 2.0, 3.0], [0.5, -1.0, 0.0]])
    >>> numact.norm.layer_norm(x).round(4)
    array([[-1.2247,  0.    ,  1.2247],
           [ 1.069 , -1.3363,  0.2673]])
    >>> numact.norm.layer_norm(x, np.ones(3), np.zeros(3), activation="relu").round(4)
    array([[0.    , 0.    , 1.2247],
           [1.069 , 0.    , 0.2673]])

    """
    stats: tuple[Array, ...] = ()
    if return_stats is not False and boolean("layer_norm", "return_stats", return_stats):
        stats = row_statistics("layer", x, eps, axis)  # before x may be overwritten
    y = normalise_rows("layer", x, weight, bias, eps, axis, activation, out)
    return (y, *stats) if stats else y


@set_module("numact.norm")
def layer_norm_grad(
    dy: ArrayLike,
    x: ArrayLike,
    weight: ArrayLike | None = None,
    eps: float = 1e-5,
    axis: Axis = -1,
    *,
    mean: ArrayLike | None = None,
    inv_std: ArrayLike | None = None,
) -> tuple[Array, Array, Array]:
    """Gradients of `layer_norm` without activation, by the input, the weight and the bias.

    Parameters
    ----------
    dy : array_like
        Gradient by the output, of the shape of x.
    x : array_like
        Input of the forward pass.
    weight : array_like, optional
        As in the forward pass.
    eps : float, default 1e-5
        As in the forward pass.
    axis : int or tuple of int, default -1
        As in the forward pass.
    mean, inv_std : array_like, optional
        What the forward pass returned for `return_stats`; eps is not used then.

    Returns
    -------
    dx : ndarray
        Gradient by x.
    dweight, dbias : ndarray
        Gradients by weight and bias, of the shape that x has along `axis`; their dtype is that of weight if that is an
        array of floats, else that of dx.

    Raises
    ------
    ValueError, TypeError
        As `layer_norm`; and for a dy of another shape than x.

    See Also
    --------
    layer_norm : The function.

    Notes
    -----
    Without `mean` and `inv_std` both are computed again, which is faster than saving and reading them.  With
    xhat = (x - mean) / s, s = sqrt(variance + eps) and g = dy weight:
    dx = (g - mean(g) - xhat mean(g xhat)) / s, dweight = sum dy xhat and dbias = sum dy over all samples.

    With an activation, dy is the gradient by the input of the activation: ``numact.gelu_grad(dy, z)`` for
    ``z = layer_norm(x, ...)``.

    Ba, Kiros and Hinton, Layer Normalization, 2016.

    Examples
    --------
    >>> x = np.array([[1.0, 2.0, 4.0], [0.5, -1.0, 0.0]])
    >>> dy = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    >>> dx, dweight, dbias = numact.norm.layer_norm_grad(dy, x, np.ones(3))
    >>> dx.round(4)
    array([[ 0.2291, -0.3436,  0.1145],
           [ 0.2291,  0.1146, -0.3436]])
    >>> dbias
    array([1., 1., 0.])

    """
    return rows_gradient("layer", dy, x, weight, eps, axis, mean, inv_std)
