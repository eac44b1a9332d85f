"""Functions made of others: the leaky ReLUs whose slope is learned (`prelu`) or drawn (`rrelu`)."""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Real
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from numact._functions import ufuncs
from numact._functions.parametric import PYTHON_NUMBERS

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def prelu(x: ArrayLike, weight: ArrayLike, channel_axis: int | None = None, out: Any = None) -> Any:
    """Leaky ReLU with a learned slope: x if x > 0 else weight x, element by element.

    Parameters
    ----------
    x : array_like
        Input, of any shape.
    weight : array_like
        Slopes: a number, or an array that broadcasts with x.
    channel_axis : int, optional
        Axis of x along which a one-dimensional weight is laid, one slope for each channel: 1 for images of shape
        (samples, channels, height, width).
    out : ndarray, optional
        Array to write into, of the shape of the result; it may be x, which computes in place.

    Returns
    -------
    y : ndarray or scalar
        The activation, of the shape that x and weight broadcast to.

    Raises
    ------
    ValueError
        If channel_axis is no axis of x, or weight not one-dimensional of the length of that axis; if the shapes do
        not broadcast.
    TypeError
        For operands that are neither floating-point numbers, integers nor booleans.

    See Also
    --------
    prelu_grad : Its gradients, by the input and by the weight.
    leaky_relu : The same, with the slope as a parameter.

    Notes
    -----
    The result is correctly rounded: the error is at most 0.5 ULP.

    He et al., Delving Deep into Rectifiers, 2015, start with the slope 0.25.

    Examples
    --------
    >>> y = numact.prelu(np.ones((2, 3, 4)), [0.25, 0.1, 0.5], channel_axis=1)

    """
    return ufuncs.PUBLIC["leaky_relu"](x, _laid_out("prelu", x, weight, channel_axis), out=out)


def prelu_grad(
    dy: ArrayLike, x: ArrayLike, weight: ArrayLike, channel_axis: int | None = None, out: Any = None
) -> tuple[Any, Any]:
    """Gradients of `prelu`, by the input and by the weight.

    Parameters
    ----------
    dy : array_like
        Gradient by the output.
    x : array_like
        Input of the forward pass.
    weight : array_like
        Slopes, as in the forward pass.
    channel_axis : int, optional
        Axis of x along which a one-dimensional weight is laid.
    out : ndarray, optional
        Array to write dx into; it may be dy or x, which computes in place.

    Returns
    -------
    dx : ndarray or scalar
        dy if x > 0 else weight dy.
    dweight : ndarray or scalar
        The sum of dy x over all elements that are not positive and share a slope; of the shape of weight.

    Raises
    ------
    ValueError, TypeError
        As `prelu`.

    See Also
    --------
    prelu : The activation.

    Notes
    -----
    The derivative jumps at x = 0, where dx is weight dy.

    The sums are taken in the C order of the elements, float32 in float64 and float64 compensated, and rounded once to
    the dtype of dx: their bits depend neither on strides nor on threads.

    Examples
    --------
    >>> dx, dweight = numact.prelu_grad(dy, x, 0.25, out=dy)

    """
    laid_out = _laid_out("prelu_grad", x, weight, channel_axis)
    # The weight's gradient first: out may be dy or x.
    sums = _weight_sums(dy, x, laid_out)
    dx = ufuncs.PUBLIC["leaky_relu_grad"](dy, x, laid_out, out=out)
    return dx, sums.reshape(np.shape(weight)).astype(dx.dtype, copy=False)[()]


def _laid_out(function: str, x: ArrayLike, weight: ArrayLike, channel_axis: int | None) -> ArrayLike:
    """The weight in a shape that broadcasts with x."""
    if channel_axis is None:
        return weight
    shape, weight = np.shape(x), np.asanyarray(weight)
    axis = normalize_axis_index(channel_axis, len(shape), f"{function}: channel_axis")
    if weight.shape != (shape[axis],):
        raise ValueError(
            f"{function}: weight must have the shape {(shape[axis],)}, the length of x along the channel_axis "
            f"{channel_axis}, got {weight.shape}"
        )
    return weight.reshape(-1, *(1,) * (len(shape) - axis - 1))


def _weight_sums(dy: ArrayLike, x: ArrayLike, weight: ArrayLike) -> Any:
    """The sums of dy x where not x > 0, over the axes along which the weight is repeated."""
    shape = np.broadcast_shapes(np.shape(dy), np.shape(x), np.shape(weight))
    lengths = (1,) * (len(shape) - np.ndim(weight)) + np.shape(weight)
    kept = [axis for axis, length in enumerate(lengths) if length != 1]
    summed = [axis for axis, length in enumerate(lengths) if length == 1]
    flat = [shape[axis] for axis in kept] + [math.prod(shape[axis] for axis in summed)]
    dtype = np.result_type(*(a if type(a) in PYTHON_NUMBERS else np.asanyarray(a) for a in (dy, x, weight)))
    rows = (np.broadcast_to(np.asarray(a, dtype), shape).transpose(kept + summed).reshape(flat) for a in (dy, x))
    return ufuncs.AXIS["prelu_weight_grad"](*rows)


@overload
def rrelu(x: ArrayLike, lower: float = ..., upper: float = ..., rng: None = None, out: Any = None) -> Any: ...
@overload
def rrelu(
    x: ArrayLike, lower: float = ..., upper: float = ..., *, rng: np.random.Generator, out: Any = None
) -> tuple[Any, Any]: ...
@overload
def rrelu(x: ArrayLike, lower: float, upper: float, rng: np.random.Generator, out: Any = None) -> tuple[Any, Any]: ...
def rrelu(
    x: ArrayLike,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    rng: np.random.Generator | None = None,
    out: Any = None,
) -> Any:
    """Leaky ReLU with random slopes in training, and their mean elsewhere: x if x > 0 else slope x.

    Parameters
    ----------
    x : array_like
        Input, of any shape.
    lower, upper : float, default 1/8 and 1/3
        Bounds of the slopes, which are uniformly distributed.
    rng : numpy.random.Generator, optional
        Draws the slopes, one for every element of x in C order, the positive ones too, so that what it gives next does
        not depend on the data.  Without it, every slope is (lower + upper) / 2.
    out : ndarray, optional
        Array to write y into; it may be x, which computes in place.

    Returns
    -------
    y : ndarray or scalar
        The activation, of the shape of x.
    slopes : ndarray or scalar
        With rng only: the slopes, of the shape of x, for `rrelu_grad`.

    Raises
    ------
    ValueError
        Unless lower <= upper and both are finite.
    TypeError
        If rng is no `numpy.random.Generator`, or lower or upper no number; for an x of neither floating-point numbers,
        integers nor booleans.

    See Also
    --------
    rrelu_grad : Its gradient.
    leaky_relu : With a slope that is chosen.

    Notes
    -----
    The defaults are PyTorch's.  float32 slopes are drawn as float32, those of smaller types as float32 and rounded.

    Xu et al., Empirical Evaluation of Rectified Activations in Convolutional Network, 2015.

    Examples
    --------
    >>> y, slopes = numact.rrelu(x, rng=np.random.default_rng(0))

    """
    mean = _mean_slope("rrelu", lower, upper)
    if rng is None:
        return ufuncs.PUBLIC["leaky_relu"](x, mean, out=out)
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rrelu: rng must be a numpy.random.Generator, got {rng!r}")
    slopes = _draw(rng, lower, upper, x)
    return ufuncs.PUBLIC["leaky_relu"](x, slopes, out=out), slopes


def rrelu_grad(
    dy: ArrayLike,
    x: ArrayLike,
    slopes: ArrayLike | None = None,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    out: Any = None,
) -> Any:
    """Gradient of `rrelu`: dy if x > 0 else slope dy.

    Parameters
    ----------
    dy : array_like
        Gradient by the output.
    x : array_like
        Input of the forward pass.
    slopes : array_like, optional
        The slopes that `rrelu` returned.  Without them, every slope is (lower + upper) / 2.
    lower, upper : float, default 1/8 and 1/3
        Bounds of the slopes, as in the forward pass; they count only where slopes is not given.
    out : ndarray, optional
        Array to write into; it may be dy, which computes in place.

    Returns
    -------
    dx : ndarray or scalar
        Gradient by the input, of the shape that the operands broadcast to.

    Raises
    ------
    ValueError
        Unless lower <= upper and both are finite.
    TypeError
        If lower or upper is no number; for operands that are neither floating-point numbers, integers nor booleans.

    See Also
    --------
    rrelu : The activation.

    Notes
    -----
    The derivative jumps at x = 0, where it is the slope.

    Examples
    --------
    >>> dx = numact.rrelu_grad(dy, x, out=dy)

    """
    mean = _mean_slope("rrelu_grad", lower, upper)
    return ufuncs.PUBLIC["leaky_relu_grad"](dy, x, mean if slopes is None else slopes, out=out)


def _mean_slope(function: str, lower: float, upper: float) -> float:
    """The mean of two bounds, if they are bounds."""
    for name, value in (("lower", lower), ("upper", upper)):
        if not isinstance(value, Real):
            raise TypeError(f"{function}: {name} must be a number, got {value!r}")
        if not math.isfinite(value):
            raise ValueError(f"{function}: {name} must be finite, got {value}")
    if lower > upper:
        raise ValueError(f"{function}: lower must be <= upper, got {lower} and {upper}")
    return 0.5 * float(lower) + 0.5 * float(upper)


def _draw(rng: np.random.Generator, lower: float, upper: float, x: ArrayLike) -> Any:
    """Slopes for x, of the dtype that leaky_relu computes in."""
    dtype = ufuncs.RAW["leaky_relu"].resolve_dtypes((np.asanyarray(x).dtype,) * 2 + (None,))[0]
    drawn_as = np.float64 if dtype == np.float64 else np.float32
    low, high = drawn_as(lower), drawn_as(upper)
    slopes: Any = np.asarray(rng.random(np.shape(x), dtype=drawn_as))
    rest = 1 - slopes
    rest *= low
    slopes *= high
    slopes += rest
    np.clip(slopes, low, high, out=slopes)  # rounding may lead beyond the bounds
    return slopes.astype(dtype, copy=False)[()]


PUBLIC: dict[str, Callable[..., Any]] = {
    function.__name__: function for function in (prelu, prelu_grad, rrelu, rrelu_grad)
}
