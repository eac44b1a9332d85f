"""A dense layer's activation with its bias, in one pass over memory: `bias_activation` and its gradient."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from numact._functions import ufuncs
from numact._functions.arguments import (
    check_integer,
    check_out,
    float_dtype,
    integer,
    is_half,
    overrides_ufuncs,
    single_out,
    two_outs,
)
from numact._functions.axes import as_axis
from numact._functions.gated import broadcasts, halves
from numact._functions.names import FUNCTIONS, find, find_argument
from numact._functions.parameters import FLOAT32, FLOAT64, PYTHON_NUMBERS, common_dtype, fits
from numact._functions.parametric import ParametricUfunc, values_of
from numact._functions.public import set_module
from numact._kernels import core, targets
from numact._kernels.messages import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from numact._functions.arguments import Array, Out


@dataclass(frozen=True)
class Layer:
    """The arguments of a call, checked: arrays of one dtype, native and aligned."""

    name: str  # of the activation
    gated: bool  # it takes the halves of x along the axis
    values: list[Any]  # its parameters
    x: Array
    bias: Array  # broadcasts to x
    bias_shape: tuple[int, ...]  # as it was given
    residual: Array | None
    axis: int

    def parts(self, array: Array) -> tuple[Array, ...]:
        """What the activation takes of an array: all of it, or its halves."""
        return halves(self.name, array, self.axis) if self.gated else (array,)

    @property
    def parameters(self) -> Array | None:
        """The parameters for a kernel; None if its dtype does not hold one of them."""
        dtype = FLOAT64 if self.x.dtype == FLOAT64 else FLOAT32
        usable = all(np.ndim(value) == 0 and fits(value, dtype) for value in self.values)
        return np.array(self.values, dtype) if usable else None

    def sums(self) -> tuple[Array, ...]:
        """What the activation is computed of, by NumPy."""
        total = self.x + self.bias
        return self.parts(total if self.residual is None else total + self.residual)


@set_module("numact")
def bias_activation(
    x: ArrayLike,
    bias: ArrayLike,
    activation: str | Callable[..., Any],
    *,
    axis: int = -1,
    residual: ArrayLike | None = None,
    out: Out = None,
    **parameters: Any,
) -> Array:
    """activation(x + bias), in one pass over memory.

    Parameters
    ----------
    x : array_like
        The product of a layer's input and its weights.
    bias : array_like
        One number for each entry of x along `axis`, as a vector or with axes of length 1 for the others, or one number.
    activation : str or function of numact
        An elementwise or a gated activation, by any name that `get` knows or itself.  A gated one, such as "swiglu",
        takes the halves of x + bias along `axis`.
    axis : int, default -1
        The axis of the bias: 1 for channels of (N, C, H, W).
    residual : array_like, optional
        Added to x + bias before the activation: of the shape of x.
    out : ndarray, tuple of one ndarray or `...`, optional
        Array to write into; ``out=x`` computes in place.
    **parameters
        Parameters of the activation by name, such as ``negative_slope=0.2``.

    Returns
    -------
    y : ndarray
        `out`, or a new array, of the shape of x; with a gated activation half as long along `axis`.

    Raises
    ------
    ValueError
        If no activation has the name, or it is neither elementwise nor gated; if x does not have the axis; if bias or
        residual does not broadcast to x; if `out` has another shape, or the activation does not allow a parameter.
    TypeError
        If an argument is not of such a type, or for a parameter that the activation does not have.

    See Also
    --------
    bias_activation_grad : Its gradient.

    Notes
    -----
    The result has the bits of ``activation(x + bias + residual)`` in the common dtype of the arrays, sums of 16-bit
    types rounded as NumPy rounds them, but the sum is never written to memory.

    Examples
    --------
    >>> x, bias = np.array([[1.0, -2.0], [0.0, 3.0]]), np.array([0.5, 1.0])
    >>> numact.bias_activation(x, bias, "gelu")
    array([[ 1.3997892 , -0.15865525],
           [ 0.34573123,  3.99987332]])
    >>> numact.bias_activation(x, bias, "leaky_relu", negative_slope=0.1, out=x)
    array([[ 1.5, -0.1],
           [ 0.5,  4. ]])

    """
    if residual is None and not parameters:
        found = _quick(x, bias, activation, axis, out)
        if found is not None:
            return found
    layer = _layer("bias_activation", x, bias, activation, axis, residual, parameters)
    given, _ = single_out("bias_activation", out)
    arrays = layer.parts(layer.x)
    if given is not None:
        check_out("bias_activation", given, arrays[0].shape, layer.x.dtype)
    ufunc, values = ufuncs.RAW[layer.name], layer.parameters
    fitting = given is None or (given.dtype is layer.x.dtype and given.flags.aligned and type(given) is np.ndarray)
    if values is not None and fitting:
        terms = [layer.parts(term) for term in (layer.bias, layer.residual) if term is not None]
        found = core.of_sums(
            targets.LEVEL, ufunc, arrays, sum(terms, ()), tuple(range(len(arrays))) * len(terms), values, given
        )
        if found is not None:
            return found
    result: Array = np.asarray(FUNCTIONS[layer.name](*layer.sums(), *layer.values))
    if given is None:
        return result
    written: Array = given
    np.copyto(written, result, casting="same_kind")
    return written


@set_module("numact")
def bias_activation_grad(
    dy: ArrayLike,
    x: ArrayLike,
    bias: ArrayLike,
    activation: str | Callable[..., Any],
    *,
    axis: int = -1,
    residual: ArrayLike | None = None,
    out: Out | tuple[Array | None, Array | None] = None,
    **parameters: Any,
) -> tuple[Array, Array]:
    """Gradient of `bias_activation`, by x and by bias in one pass over memory.

    Parameters
    ----------
    dy : array_like
        Gradient by the output, or broadcast to it.
    x, bias, activation, axis, residual
        As in the forward pass.
    out : ndarray, tuple of ndarrays or `...`, optional
        Array for dx, or a tuple of two, the other one for dbias; ``out=x`` computes in place, and so does ``out=dy``
        unless the activation is gated.
    **parameters
        As in the forward pass.

    Returns
    -------
    dx : ndarray
        Gradient by x, and by `residual`.
    dbias : ndarray
        Gradient by the bias, of its shape: the sums of dx.

    Raises
    ------
    ValueError
        As `bias_activation`; if dy does not broadcast to the output.  Nothing is written then.
    TypeError
        As `bias_activation`.

    See Also
    --------
    bias_activation : The function.

    Notes
    -----
    dx has the bits of the activation's gradient at x + bias + residual.  The sums are accumulated in float64, in an
    order that the shape decides and not the number of threads, and rounded once.

    Examples
    --------
    >>> x, bias = np.array([[1.0, -2.0], [0.0, 3.0]]), np.array([0.5, 1.0])
    >>> dx, dbias = numact.bias_activation_grad(np.ones_like(x), x, bias, "gelu")
    >>> dx
    array([[ 1.12746919, -0.08331547],
           [ 0.86749512,  1.00050365]])
    >>> dbias
    array([1.99496432, 0.91718818])

    """
    function = "bias_activation_grad"
    if residual is None and not parameters:
        both = _quick_gradient(dy, x, bias, activation, axis, out)
        if both is not None:
            return both
    slope = np.asanyarray(dy)  # before there are views: a conversion may be code that changes the other arrays
    layer = _layer(function, x, bias, activation, axis, residual, parameters)
    dx_out, dbias_out, _ = two_outs(function, out)
    shape = layer.parts(layer.x)[0].shape
    if dx_out is not None:
        check_out(function, dx_out, layer.x.shape, layer.x.dtype)
    if dbias_out is not None:
        check_out(function, dbias_out, layer.bias_shape, layer.x.dtype)
    if not broadcasts(slope.shape, shape):
        raise ValueError(f"{function}: dy must broadcast to the output, {shape}, got shape {slope.shape}")
    if slope.dtype.kind not in "fiub" and not is_half(slope.dtype):
        raise TypeError(f"{function}: dy must be an array of real numbers, got dtype {slope.dtype}")
    slope = _usable(slope, layer.x.dtype)
    fitting = dx_out is not None and dx_out.dtype is layer.x.dtype and dx_out.flags.carray
    dx = dx_out if fitting and type(dx_out) is np.ndarray else np.empty(layer.x.shape, layer.x.dtype)
    sums = _gradient(layer, slope, dx)
    if dx_out is not None and dx is not dx_out:
        np.copyto(dx_out, dx, casting="same_kind")
        dx = dx_out
    if int(np.prod(layer.bias_shape)) == 1:
        sums = sums.sum(keepdims=True)
    dbias = sums.reshape(layer.bias_shape).astype(layer.x.dtype)
    if dbias_out is not None:
        np.copyto(dbias_out, dbias, casting="same_kind")
        dbias = dbias_out
    return dx, dbias


def _is_plain(x: Any, bias: Any, axis: int, out: Any) -> bool:
    """Whether arrays are such as most calls have: contiguous, of one dtype, the bias a vector along the last axis."""
    return (
        type(x) is type(bias) is np.ndarray
        and x.dtype == bias.dtype
        and (x.dtype == FLOAT32 or x.dtype == FLOAT64)
        and x.flags.carray
        and bias.flags.carray
        and type(axis) is int
        and axis == -1
        and x.ndim > 0
        and x.size > 0
        and bias.shape == x.shape[-1:]
        and (out is None or (type(out) is np.ndarray and out.dtype == x.dtype and out.shape == x.shape))
        and (out is None or out.flags.carray)
    )


@lru_cache(maxsize=256)
def _plain_activation(name: str, dtype: np.dtype[Any]) -> tuple[str, Array] | None:
    """The public name of an elementwise activation, and its parameters for a kernel; None for others."""
    try:
        public, given = find(name)
        if public not in ufuncs.ROWS or public in ufuncs.GATED:
            return None
        function = FUNCTIONS[public]
        values = function.values(**given) if isinstance(function, ParametricUfunc) else []
    except (TypeError, ValueError):  # explained where all is checked
        return None
    return (public, np.array(values, dtype)) if all(fits(value, dtype) for value in values) else None


def _quick(x: Any, bias: Any, activation: Any, axis: int, out: Any) -> Array | None:
    """The result of a plain call, without the checks that it does not need; None for other calls."""
    if not (type(activation) is str and _is_plain(x, bias, axis, out)):
        return None
    if (found := _plain_activation(activation, x.dtype)) is None:
        return None
    return core.of_sums(targets.LEVEL, ufuncs.RAW[found[0]], (x,), (bias,), (0,), found[1], out)


def _quick_gradient(dy: Any, x: Any, bias: Any, activation: Any, axis: int, out: Any) -> tuple[Array, Array] | None:
    """The same of the gradient."""
    if not (type(activation) is str and _is_plain(x, bias, axis, out) and _is_plain(dy, bias, axis, None)):
        return None
    if dy.shape != x.shape or not (out is None or out is x or out is dy):
        return None
    if (found := _plain_activation(activation, x.dtype)) is None:
        return None
    dx: Array = np.empty_like(x) if out is None else out
    lines = (-1, bias.shape[0], 1)
    arrays, results = (dy.reshape(lines), x.reshape(lines)), (dx.reshape(lines),)
    ufunc = ufuncs.RAW[f"{found[0]}_grad"]
    (sums,) = core.gradient_of_sums(targets.LEVEL, ufunc, arrays, (bias,), (None,), found[1], results)
    return dx, sums.astype(x.dtype, copy=False)


def _gradient(layer: Layer, dy: Array, dx: Array) -> Array:
    """Write the gradient by x to dx, which is contiguous, and return its sums over all axes but one, in float64."""
    ufunc, values = ufuncs.RAW[f"{layer.name}_grad"], layer.parameters
    shape = layer.x.shape
    if values is None or dx.size == 0:
        found = FUNCTIONS[f"{layer.name}_grad"](dy, *layer.sums(), *layer.values)
        for part, result in zip(layer.parts(dx), found if layer.gated else (found,), strict=True):
            part[...] = result
        others = tuple(k for k in range(len(shape)) if k != layer.axis)
        total: Array = dx.astype(np.float64).sum(others)
        return total
    inner = int(np.prod(shape[layer.axis + 1 :]))

    def slices(array: Array, to: tuple[int, ...]) -> Array:
        """An array as (outer, channels, inner), contiguous: a view where it is already, never of what dx overwrites."""
        whole = np.ascontiguousarray(np.broadcast_to(array, to))
        if whole is not dx and np.may_share_memory(whole, dx) and not _same_memory(whole, dx):
            whole = whole.copy()
        return whole.reshape(-1, to[layer.axis], inner)

    half = layer.parts(dx)[0].shape
    given = slices(dy, half)
    if layer.gated and np.may_share_memory(given, dx):
        given = given.copy()
    count = layer.x.shape[layer.axis]
    bias = np.ascontiguousarray(np.broadcast_to(layer.bias.ravel(), count)).reshape(1, count, 1)
    lines = dx.reshape(-1, count, inner)
    inner_layer = Layer(layer.name, layer.gated, [], lines, bias, (), None, 1)
    residuals: tuple[Array | None, ...] = (None,) * 2
    if layer.residual is not None:
        residuals = inner_layer.parts(slices(layer.residual, shape))
    sums = core.gradient_of_sums(
        targets.LEVEL,
        ufunc,
        (given, *inner_layer.parts(slices(layer.x, shape))),
        tuple(np.ascontiguousarray(part.ravel()) for part in inner_layer.parts(bias)),
        residuals,
        values,
        inner_layer.parts(lines),
    )
    return np.concatenate(sums)


def _same_memory(a: Array, b: Array) -> bool:
    """Whether two contiguous arrays are the same memory."""
    return bool(a.ctypes.data == b.ctypes.data and a.nbytes == b.nbytes)


def _layer(
    function: str, x: Any, bias: Any, activation: Any, axis: Any, residual: Any, parameters: dict[str, Any]
) -> Layer:
    """Check the arguments of a call, and bring the arrays to their common dtype."""
    for argument, value in (("x", x), ("bias", bias), ("residual", residual)):
        if overrides_ufuncs(value):
            raise TypeError(f"{function}: {argument} must be an array of NumPy's, got {type(value).__name__}")
    name, given = find_argument(function, "activation", activation)
    forward = FUNCTIONS[name]
    if name not in ufuncs.ROWS:
        raise ValueError(f"{function}: activation must be an elementwise or a gated activation, got {shown(name)}")
    gated = name in ufuncs.GATED
    values: list[Any] = []
    if isinstance(forward, ParametricUfunc):
        values = values_of(function, "activation", forward, {**given, **parameters})
    elif parameters:
        raise TypeError(f"{function}: {name} has no parameter {next(iter(parameters))!r}")
    if type(axis) is not int:
        axis = integer(function, "axis", axis)  # before the shapes are read, for it may be code that changes them
    arrays = {"x": np.asarray(x)}
    check_integer(function, "bias", bias)
    if type(bias) not in PYTHON_NUMBERS:
        arrays["bias"] = np.asarray(bias)
    if residual is not None:
        arrays["residual"] = np.asarray(residual)
    for argument, array in arrays.items():
        if (array.dtype.kind not in "fiub" and not is_half(array.dtype)) or array.dtype.itemsize > FLOAT64.itemsize:
            raise TypeError(f"{function}: {argument} must be an array of real numbers, got dtype {array.dtype}")
    dtype = float_dtype(common_dtype([array.dtype for array in arrays.values()]))
    shape = arrays["x"].shape
    position = as_axis(function, axis, len(shape))
    addend = _as_bias(function, arrays.get("bias", bias), shape, position, dtype)
    if residual is not None and arrays["residual"].shape != shape:
        raise ValueError(f"{function}: residual must have the shape of x, {shape}, got {arrays['residual'].shape}")
    if gated and shape[position] % 2:
        raise ValueError(f"{function}: x must have an even length along axis {axis} for {name}, got {shape[position]}")
    return Layer(
        name=name,
        gated=gated,
        values=values,
        x=_usable(arrays["x"], dtype),
        bias=addend,
        bias_shape=np.shape(bias),
        residual=None if residual is None else _usable(arrays["residual"], dtype),
        axis=position,
    )


def _usable(array: Array, dtype: Any) -> Array:
    """The array in a dtype, aligned."""
    return np.require(array.astype(dtype, copy=False), requirements="A")


def _as_bias(function: str, bias: Any, shape: tuple[int, ...], axis: int, dtype: Any) -> Array:
    """The bias so that it broadcasts along the other axes; along its own it has the length of x."""
    array = np.asarray(bias, dtype)
    along = [1] * len(shape)
    along[axis] = shape[axis]
    if array.size == 1:
        return np.ascontiguousarray(np.broadcast_to(array.reshape(()), shape[axis])).reshape(along)
    if array.shape not in (tuple(along), (shape[axis],)):
        raise ValueError(
            f"{function}: bias must be a vector of {shape[axis]}, the length of x along axis {axis}, or broadcast "
            f"along the other axes of {shape}, got shape {array.shape}"
        )
    return _usable(array, dtype).reshape(along)
