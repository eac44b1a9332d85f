"""prelu, the leaky ReLU whose slope is learned, and its gradients."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from numact._functions import ufuncs
from numact._functions.arguments import (
    broadcast_shapes,
    call_with_out,
    check_integer,
    check_out,
    check_real,
    two_outs,
    wanted_form,
)
from numact._functions.axes import as_axis
from numact._functions.parameters import PYTHON_NUMBERS, as_factors
from numact._functions.public import set_module

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@set_module("numact")
def prelu(x: ArrayLike, weight: ArrayLike, channel_axis: int | None = None, out: Any = None) -> Any:
    """Leaky ReLU with a learned slope: x if x > 0 else weight x, element by element.

    Parameters
    ----------
    x : array_like
        Input, of any shape.
    weight : array_like
        Slopes: a number, or an array that broadcasts with x.
    channel_axis : int, optional
        Axis of x along which a one-dimensional weight has one slope for each channel: 1 for images of shape
        (samples, channels, height, width).
    out : ndarray, tuple of one ndarray or `...`, optional
        Array to write into, of the shape of the result; it may be x, which computes in place.

    Returns
    -------
    y : ndarray or scalar
        The activation, of the shape that x and weight broadcast to.

    Raises
    ------
    ValueError
        If channel_axis is not an axis of x, if weight is not one-dimensional of the length of that axis, or if the
        shapes do not broadcast.
    TypeError
        If an operand is neither floating-point numbers, integers nor booleans.

    See Also
    --------
    prelu_grad : Its gradients, by the input and by the weight.
    leaky_relu : The same, with the slope as a parameter.

    Notes
    -----
    The result is correctly rounded: the error is at most 0.5 ULP.

    He et al., Delving Deep into Rectifiers, 2015, initialise the slopes to 0.25.

    Examples
    --------
    >>> x = np.array([[-1.0, -1.0, 2.0], [3.0, -4.0, -2.0]])
    >>> numact.prelu(x, [0.25, 0.1, 0.5], channel_axis=1)
    array([[-0.25, -0.1 ,  2.  ],
           [ 3.  , -0.4 , -1.  ]])

    """
    operands = x, _as_weight("prelu", x, as_factors("prelu", "weight", weight), channel_axis)
    leaky_relu = ufuncs.PUBLIC["leaky_relu"]
    return leaky_relu(*operands) if out is None else call_with_out("prelu", leaky_relu, operands, out)


@set_module("numact")
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
        Axis of x along which a one-dimensional weight has one slope for each channel.
    out : ndarray, tuple of one or two of ndarray and None, or `...`, optional
        Array to write dx into; it may be dy or x, which computes in place.  A second array is for dweight.

    Returns
    -------
    dx : ndarray or scalar
        dy if x > 0 else weight dy.
    dweight : ndarray or scalar
        For each slope, the sum of dy x over the elements that it multiplies, all but those with x > 0; of the shape of
        weight.

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

    The sums are accumulated in the C order of the elements, in float64 for float32 and compensated for float64, and
    rounded once to the dtype of dx: their bits depend neither on strides nor on threads.  Masked entries of dy and x do
    not count, and masked slopes have a masked sum.

    Examples
    --------
    >>> x = np.array([[-1.0, -1.0, 2.0], [3.0, -4.0, -2.0]])
    >>> dx, dweight = numact.prelu_grad(np.ones_like(x), x, [0.25, 0.1, 0.5], channel_axis=1)
    >>> dx
    array([[0.25, 0.1 , 1.  ],
           [1.  , 0.1 , 0.5 ]])
    >>> dweight
    array([-1., -5., -2.])

    """
    weight = as_factors("prelu_grad", "weight", weight)
    slopes = _as_weight("prelu_grad", x, weight, channel_axis)
    first, second, array_wanted = two_outs("prelu_grad", out)
    for name, value in (("dy", dy), ("x", x)):
        check_real("prelu_grad", name, np.asanyarray(value).dtype)
    # The sums come first, because out may be dy or x.
    sums = _weight_sums(np.ma.filled(dy, 0), np.ma.filled(x, 0), slopes)
    if second is not None:
        check_out("prelu_grad", second, np.shape(weight), sums.dtype)
    dx = call_with_out("prelu_grad", ufuncs.PUBLIC["leaky_relu_grad"], (dy, x, slopes), first)
    dweight = sums.reshape(np.shape(weight)).astype(dx.dtype, copy=False)[()]
    if isinstance(weight, np.ma.MaskedArray):
        dweight = np.ma.array(dweight, mask=weight.mask)
    if second is not None:
        np.copyto(second, dweight, casting="same_kind")
        dweight = second
    return wanted_form(dx, array_wanted), wanted_form(dweight, array_wanted)


def _as_weight(function: str, x: ArrayLike, weight: ArrayLike, channel_axis: int | None) -> ArrayLike:
    """Factors in a shape that broadcasts with x."""
    check_integer(function, "x", x)
    if channel_axis is None:
        return weight
    shape, weight = np.shape(x), np.asanyarray(weight)
    axis = as_axis(function, channel_axis, len(shape), name="channel_axis")
    if weight.shape != (shape[axis],):
        raise ValueError(
            f"{function}: weight must have the shape {(shape[axis],)}, the length of x along the channel_axis "
            f"{channel_axis}, got {weight.shape}"
        )
    return weight.reshape(-1, *(1,) * (len(shape) - axis - 1))


def _weight_sums(dy: ArrayLike, x: ArrayLike, weight: ArrayLike) -> Any:
    """The sums of dy x where not x > 0, over the axes along which the weight is broadcast."""
    shape = broadcast_shapes(np.shape(dy), np.shape(x), np.shape(weight))
    lengths = (1,) * (len(shape) - np.ndim(weight)) + np.shape(weight)
    kept = [axis for axis, length in enumerate(lengths) if length != 1]
    summed = [axis for axis, length in enumerate(lengths) if length == 1]
    flat = [shape[axis] for axis in kept] + [math.prod(shape[axis] for axis in summed)]
    dtype = np.result_type(*(a if type(a) in PYTHON_NUMBERS else np.asanyarray(a) for a in (dy, x, weight)))
    rows = (np.broadcast_to(np.asarray(a, dtype), shape).transpose(kept + summed).reshape(flat) for a in (dy, x))
    return ufuncs.AXIS["prelu_weight_grad"](*rows)
