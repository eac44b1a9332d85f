"""rrelu, the leaky ReLU whose slopes are random, and its gradient."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from numact._functions import ufuncs
from numact._functions.arguments import (
    as_generator,
    call_with_out,
    check_integer,
    check_out,
    number,
    two_outs,
    wanted_form,
)
from numact._functions.parameters import as_factors
from numact._functions.public import set_module

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@overload
def rrelu(x: ArrayLike, lower: float = ..., upper: float = ..., rng: None = None, out: Any = None) -> Any: ...
@overload
def rrelu(x: ArrayLike, lower: float = ..., upper: float = ..., *, rng: Any, out: Any = None) -> tuple[Any, Any]: ...
@overload
def rrelu(x: ArrayLike, lower: float, upper: float, rng: Any, out: Any = None) -> tuple[Any, Any]: ...
@set_module("numact")
def rrelu(
    x: ArrayLike,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    rng: Any = None,
    out: Any = None,
) -> Any:
    """Leaky ReLU with random slopes in training, and their mean in evaluation: x if x > 0 else slope x.

    Parameters
    ----------
    x : array_like
        Input, of any shape.
    lower, upper : float, default 1/8 and 1/3
        Bounds of the slopes, which are uniformly distributed.
    rng : int, sequence of int, SeedSequence, BitGenerator, Generator or RandomState, optional
        Draws the slopes, one for every element of x in C order, positive or not, so that its state afterwards does not
        depend on the data.  Without it, every slope is (lower + upper) / 2.
    out : ndarray, tuple of one ndarray or `...`, optional
        Array to write y into; it may be x, which computes in place.  With rng also a tuple of two, each an array or
        None, for y and the slopes.

    Returns
    -------
    y : ndarray or scalar
        The activation, of the shape of x.
    slopes : ndarray or scalar
        With rng only: the slopes, of the shape of x, for `rrelu_grad`.

    Raises
    ------
    ValueError
        Unless lower <= upper and both are finite, or if out has another shape.  Nothing is written or drawn then.
    TypeError
        If rng is none of these, if lower or upper is not a number, or if x is neither floating-point
        numbers, integers nor booleans.

    See Also
    --------
    rrelu_grad : Its gradient.
    leaky_relu : With a fixed slope.

    Notes
    -----
    The defaults are PyTorch's.  The slopes are drawn in float64 for a float64 result, else in float32 and rounded
    to the dtype of the result.

    Xu et al., Empirical Evaluation of Rectified Activations in Convolutional Network, 2015.

    Examples
    --------
    >>> x = np.array([-2.0, -1.0, 0.0, 1.0])
    >>> y, slopes = numact.rrelu(x, rng=np.random.default_rng(0))
    >>> y
    array([-0.5154007 , -0.18120557,  0.        ,  1.        ])
    >>> slopes
    array([0.25770035, 0.18120557, 0.13353615, 0.12844326])

    """
    mean = _mean_slope("rrelu", lower, upper)
    check_integer("rrelu", "x", x)
    if rng is None:
        leaky_relu = ufuncs.PUBLIC["leaky_relu"]
        return leaky_relu(x, mean) if out is None else call_with_out("rrelu", leaky_relu, (x, mean), out)
    generator = as_generator("rrelu", rng)
    first, second, array_wanted = two_outs("rrelu", out)
    shape, dtype = np.shape(x), ufuncs.RAW["leaky_relu"].resolve_dtypes((np.asanyarray(x).dtype,) * 2 + (None,))[0]
    for one in (first, second):
        if one is not None:
            check_out("rrelu", one, shape, dtype)
    slopes = _draw(generator, lower, upper, shape, dtype)
    y = ufuncs.PUBLIC["leaky_relu"](x, slopes, out=first)
    if second is not None:
        np.copyto(second, slopes, casting="same_kind")
        slopes = second
    return wanted_form(y, array_wanted), wanted_form(slopes, array_wanted)


@set_module("numact")
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
        Bounds of the slopes, as in the forward pass; used only without slopes.
    out : ndarray, tuple of one ndarray or `...`, optional
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
        If lower or upper is not a number, or an operand is neither floating-point numbers, integers nor booleans.

    See Also
    --------
    rrelu : The activation.

    Notes
    -----
    The derivative jumps at x = 0, where it is the slope.

    Examples
    --------
    >>> x = np.array([-2.0, -1.0, 0.0, 1.0])
    >>> numact.rrelu_grad(np.ones_like(x), x, slopes=[0.2, 0.3, 0.2, 0.3])
    array([0.2, 0.3, 0.2, 1. ])

    """
    mean = _mean_slope("rrelu_grad", lower, upper)
    for argument, value in (("dy", dy), ("x", x)):
        check_integer("rrelu_grad", argument, value)
    factors = mean if slopes is None else as_factors("rrelu_grad", "slopes", slopes)
    operands, gradient = (dy, x, factors), ufuncs.PUBLIC["leaky_relu_grad"]
    return gradient(*operands) if out is None else call_with_out("rrelu_grad", gradient, operands, out)


def _mean_slope(function: str, lower: float, upper: float) -> float:
    """The mean of two bounds, checked."""
    for name, value in (("lower", lower), ("upper", upper)):
        if not math.isfinite(number(function, name, value)):
            raise ValueError(f"{function}: {name} must be finite, got {value}")
    if lower > upper:
        raise ValueError(f"{function}: lower must be <= upper, got {lower} and {upper}")
    return 0.5 * float(lower) + 0.5 * float(upper)


def _draw(rng: np.random.Generator, lower: float, upper: float, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    """Slopes of a shape and a dtype, that in which leaky_relu computes."""
    drawn_as = np.float64 if dtype == np.float64 else np.float32
    low, high = drawn_as(lower), drawn_as(upper)
    slopes: Any = np.asarray(rng.random(shape, dtype=drawn_as))
    # lower (1 - u) + upper u, in place; rounding errors may exceed the bounds.
    share_of_low = 1 - slopes
    share_of_low *= low
    slopes *= high
    slopes += share_of_low
    np.clip(slopes, low, high, out=slopes)
    return slopes.astype(dtype, copy=False)[()]
