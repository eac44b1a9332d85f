"""Batch, layer and RMS normalisation: forward, in training, and backward, with an activation fused behind.

Every function computes in float64, in an order of its own: the bits of a result depend neither on strides, on the axis
along which something lies, nor on the instruction set.  `activation=` applies an elementwise function of numact to the
result while it is in the cache: the bits are those of the two calls, the array passes through memory once.  Its
gradient is the caller's: ``numact.gelu_grad(dy, z)`` of the normalised z, or ``numact.relu_grad_y(dy, y)`` of the
output, gives the dy for the gradient functions of this module.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from numbers import Real
from operator import index
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np

from numact._functions import names, ufuncs
from numact._functions.axis import _is_half
from numact._functions.parametric import ParametricUfunc
from numact._kernels import core

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "BatchStatistics",
    "batch_norm",
    "batch_norm_grad",
    "batch_norm_train",
    "layer_norm",
    "layer_norm_grad",
    "rms_norm",
    "rms_norm_grad",
]

Array: TypeAlias = "NDArray[Any]"
Doubles: TypeAlias = "NDArray[np.float64]"
Axis: TypeAlias = "int | tuple[int, ...]"
Activation: TypeAlias = "str | Callable[..., Any] | tuple[Any, dict[str, float]] | None"

# Vectors in C may be read this far beyond their end; sums over rows are taken in blocks of this many.
BEYOND, BLOCK_ROWS = 16, 64
ELEMENTWISE = frozenset(row.name for row in core.catalogue() if row.family == "elementwise")
BFLOAT16_EPS = 2.0**-7


class BatchStatistics(NamedTuple):
    """Statistics of a batch, which `batch_norm_train` saves for `batch_norm_grad`.

    Attributes
    ----------
    mean : ndarray of float64
        Mean of each channel, rounded to float32 where the input has no more digits.
    mean_lo : ndarray of float64
        What `mean` lacks: the mean is ``mean + mean_lo``.
    inverse_std : ndarray of float64
        1 / sqrt(variance + eps) of each channel, by the biased variance.

    """

    mean: Doubles
    mean_lo: Doubles
    inverse_std: Doubles


class Layout(NamedTuple):
    """How to see an array as samples x channels x places."""

    order: tuple[int, ...]
    split: tuple[int, int, int]
    across: bool

    def view(self, array: Array) -> Array:
        """The array in three dimensions; a copy where strides do not allow that."""
        return array.transpose(self.order).reshape(self.split)

    def fits(self, view: Array) -> bool:
        """Whether the elements that are computed together lie side by side."""
        axis = 1 if self.across else 2
        return view.shape[axis] <= 1 or view.strides[axis] == view.itemsize

    def empty(self, dtype: Any) -> Array:
        """A new array in three dimensions that fits."""
        samples, channels, places = self.split
        if self.across:
            return np.empty((samples, places, channels), dtype).transpose(0, 2, 1)
        return np.empty(self.split, dtype)

    def read(self, array: Array) -> Array:
        """The array in three dimensions, copied where it does not fit."""
        view = self.view(array)
        if self.fits(view):
            return view
        copy = self.empty(array.dtype)
        copy[...] = view
        return copy


def _float_array(function: str, name: str, value: Any, *others: np.dtype[Any]) -> Array:
    """The value as an aligned array of native byte order, in the float dtype that the ufuncs would compute in."""
    array = np.asarray(value)
    ufunc = ufuncs.RAW["identity_grad"]
    try:
        dtype = ufunc.resolve_dtypes((array.dtype, *(others or (array.dtype,)), None))[-1]
    except TypeError:
        raise TypeError(f"{function}: {name} must be an array of real numbers, got dtype {array.dtype}") from None
    return np.require(array.astype(dtype, copy=False), requirements="A")


def _axes(function: str, axis: Any, ndim: int) -> tuple[int, ...]:
    """The axes, counted from the first and in ascending order."""
    given = axis if isinstance(axis, tuple) else (axis,)
    try:
        axes = [index(one) for one in given]
    except TypeError:
        raise TypeError(f"{function}: axis must be an integer or a tuple of integers, got {axis!r}") from None
    if not axes or any(not -ndim <= one < ndim for one in axes):
        raise ValueError(f"{function}: axis must name axes from {-ndim} to {ndim - 1} of x, got {axis!r}")
    found = sorted(one % ndim for one in axes)
    if len({*found}) < len(found):
        raise ValueError(f"{function}: axis must not name an axis twice, got {axis!r}")
    return tuple(found)


def _vector(function: str, name: str, value: Any, shape: tuple[int, ...], default: float = 0.0) -> Doubles:
    """Numbers of float64 as the kernels read them: flat, and longer than they are."""
    count = math.prod(shape)
    vector = np.full(count + BEYOND, default)
    if value is None:
        return vector
    array = np.asarray(value)
    if array.dtype.kind not in "fiub" and not _is_half(array.dtype):
        raise TypeError(f"{function}: {name} must be an array of real numbers, got dtype {array.dtype}")
    if array.shape != shape:
        raise ValueError(f"{function}: {name} must be of shape {shape}, got {array.shape}")
    vector[:count] = array.ravel()
    return vector


def _variance(function: str, name: str, value: Any, shape: tuple[int, ...]) -> Doubles:
    """A vector of variances."""
    vector = _vector(function, name, value, shape)
    if (vector < 0).any():
        raise ValueError(f"{function}: {name} must be >= 0, got {vector[vector < 0][0]}")
    return vector


def _number(function: str, name: str, value: Any, most: float = math.inf) -> float:
    """A finite number from 0 to the most that is allowed."""
    allowed = ">= 0 and finite" if most == math.inf else f"in [0, {most:g}]"
    if not isinstance(value, Real) and not (isinstance(value, np.ndarray | np.generic) and np.ndim(value) == 0):
        raise TypeError(f"{function}: {name} must be a number, got {value!r}")
    number = float(value)
    if not 0 <= number <= most or number == math.inf:
        raise ValueError(f"{function}: {name} must be {allowed}, got {value}")
    return number


def _activation(function: str, activation: Activation, dtype: Any) -> tuple[str, Array] | None:
    """The name of an elementwise activation and its parameters in the dtype."""
    if activation is None:
        return None
    given: Any = activation
    parameters: dict[str, Any] = {}
    if isinstance(activation, tuple) and len(activation) == 2 and isinstance(activation[1], dict):
        given, parameters = activation
    elif isinstance(activation, functools.partial) and not activation.args:
        given, parameters = activation.func, activation.keywords
    try:
        found = names.get(given)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{function}: activation: {error}") from None
    name = found.__name__
    if name not in ELEMENTWISE or ufuncs.PUBLIC[name] is not found:
        raise ValueError(f"{function}: activation must be an elementwise function of numact, got {name}")
    if not isinstance(found, ParametricUfunc):
        if parameters:
            raise TypeError(f"{function}: activation {name} has no parameters, got {', '.join(parameters)}")
        return name, np.empty(0, dtype)
    values = found.values(**parameters)
    if any(np.ndim(value) for value in values):
        raise ValueError(f"{function}: activation must have numbers for parameters, got {parameters!r}")
    return name, np.array(values, dtype)


class _Result:
    """Where a result goes: into `out` or a new array, by way of a copy where the kernels cannot write there."""

    def __init__(self, function: str, out: Any, like: Array, layout: Layout) -> None:
        if out is None:
            out = np.empty_like(like, subok=False)
        elif not isinstance(out, np.ndarray):
            raise TypeError(f"{function}: out must be an array, got {out!r}")
        elif out.shape != like.shape:
            raise ValueError(f"{function}: out must be of shape {like.shape}, got {out.shape}")
        elif not out.flags.writeable:
            raise ValueError(f"{function}: out must be writeable")
        elif not np.can_cast(like.dtype, out.dtype, "same_kind"):
            raise TypeError(f"{function}: out must hold {like.dtype}, got dtype {out.dtype}")
        self.out: Array = out
        self.layout = layout
        direct = out.dtype == like.dtype and out.dtype.isnative and out.flags.aligned
        view = layout.view(out) if direct else layout.empty(like.dtype)
        self.copied = not direct or not layout.fits(view) or not np.may_share_memory(view, out)
        self.target: Array = layout.empty(like.dtype) if self.copied and direct else view

    def input(self, x: Array) -> Array:
        """The operand in three dimensions; a copy where the result would overwrite what is still to be read."""
        view = self.layout.read(x)
        same = view.ctypes.data == self.target.ctypes.data and view.strides == self.target.strides
        if same or not np.may_share_memory(view, self.target):
            return view
        copy = self.layout.empty(view.dtype)
        copy[...] = view
        return copy

    def finish(self) -> Array:
        """The result, where it belongs."""
        if self.copied:
            shape = tuple(self.out.shape[axis] for axis in self.layout.order)
            with np.errstate(all="ignore"):
                self.out.transpose(self.layout.order)[...] = self.target.reshape(shape)
        return self.out


def _run(
    task: str,
    layout: Layout,
    arrays: dict[str, Array],
    vectors: dict[str, Doubles],
    eps: float = 0.0,
    activation: tuple[str, Array] | None = None,
) -> None:
    """Run a task of csrc/norm.h."""
    core.run_norm_task(ufuncs.LEVEL, task, layout.across, arrays, vectors, eps, activation)


# Layer and RMS normalisation


def _row_layout(function: str, x: Array, axis: Any) -> tuple[Layout, tuple[int, ...]]:
    """Rows of everything along the axes, and the shape of a row."""
    axes = _axes(function, axis, x.ndim)
    kept = tuple(one for one in range(x.ndim) if one not in axes)
    shape = tuple(x.shape[one] for one in axes)
    if 0 in shape:
        raise ValueError(f"{function}: x must not be empty along axis {axis}, got shape {x.shape}")
    rows = math.prod(x.shape[one] for one in kept)
    return Layout(kept + axes, (rows, 1, math.prod(shape)), False), shape


def _normalise_rows(
    task: Literal["layer", "rms"], x: Any, weight: Any, bias: Any, eps: Any, axis: Any, activation: Any, out: Any
) -> Array:
    function = f"{task}_norm"
    array = _float_array(function, "x", x)
    layout, shape = _row_layout(function, array, axis)
    # -0 changes no sum.
    vectors = {
        "weight": _vector(function, "weight", weight, shape, 1.0),
        "bias": _vector(function, "bias", bias, shape, -0.0),
    }
    eps = _eps(function, eps, array.dtype)
    fused = _activation(function, activation, array.dtype)
    result = _Result(function, out, array, layout)
    _run(task, layout, {"x": result.input(array), "out": result.target}, vectors, eps, fused)
    return result.finish()


def _eps(function: str, eps: Any, dtype: np.dtype[Any]) -> float:
    """What is added to a variance: None stands for the dtype's epsilon."""
    if eps is not None:
        return _number(function, "eps", eps)
    return BFLOAT16_EPS if dtype.kind == "V" else float(np.finfo(dtype).eps)


def _rows_gradient(
    task: Literal["layer", "rms"], dy: Any, x: Any, weight: Any, eps: Any, axis: Any
) -> tuple[Array, Array, Array]:
    """Gradients by x, by weight and by bias."""
    function = f"{task}_norm_grad"
    array, gradient = _operands(function, dy, x)
    layout, shape = _row_layout(function, array, axis)
    blocks, length = -(-layout.split[0] // BLOCK_ROWS), layout.split[2] + BEYOND
    vectors = {
        "weight": _vector(function, "weight", weight, shape, 1.0),
        "partial": np.zeros((blocks, 4, length)),
        "total": np.zeros((4, length)),
    }
    eps = _eps(function, eps, array.dtype)
    result = _Result(function, None, array, layout)
    arrays = {"x": layout.read(array), "dy": layout.read(gradient), "out": result.target}
    _run(f"{task}_grad", layout, arrays, vectors, eps)
    _run("join_sums", layout, arrays, vectors)
    dbias, dweight = (_as_weight(row, weight, shape, array.dtype) for row in vectors["total"][:2])
    return result.finish(), dweight, dbias


def _operands(function: str, dy: Any, x: Any) -> tuple[Array, Array]:
    """The operands x and dy of a gradient, in one dtype."""
    given = np.asarray(dy)
    array = _float_array(function, "x", x)
    gradient = _float_array(function, "dy", given, array.dtype)
    array = array.astype(gradient.dtype, copy=False)
    if gradient.shape != array.shape:
        raise ValueError(f"{function}: dy must have the shape of x, {array.shape}, got {gradient.shape}")
    return array, gradient


def _as_weight(sums: Doubles, weight: Any, shape: tuple[int, ...], dtype: Any) -> Array:
    """The gradient by a weight, in the dtype of the weight if that is one of floats, else of x."""
    own = getattr(weight, "dtype", None)
    if own is not None and (own.kind == "f" or _is_half(own)):
        dtype = own.newbyteorder("=")
    with np.errstate(all="ignore"):
        return sums[: math.prod(shape)].reshape(shape).astype(dtype)


def layer_norm(
    x: ArrayLike,
    weight: ArrayLike | None = None,
    bias: ArrayLike | None = None,
    eps: float = 1e-5,
    axis: Axis = -1,
    activation: Activation = None,
    out: Array | None = None,
) -> Array:
    """(x - mean) / sqrt(variance + eps) * weight + bias, with the mean and variance of each sample.

    Parameters
    ----------
    x : array_like
        Input, of any shape; integers and booleans are taken as `numpy.exp` takes them.
    weight, bias : array_like, optional
        Scale and shift of each place along `axis`: of the shape that x has there.  Without, 1 and 0.
    eps : float, default 1e-5
        Added to the variance, at least 0.
    axis : int or tuple of int, default -1
        The axes over which mean and variance are taken.
    activation : str, function, functools.partial or (function, dict), optional
        An elementwise function of numact that is applied to the result, such as ``"gelu"``, `numact.relu` or
        ``("leaky_relu", {"negative_slope": 0.2})``.
    out : ndarray, optional
        Where the result goes; ``out=x`` computes in place.

    Returns
    -------
    y : ndarray
        `out`, or a new array of the shape and dtype of `x`.

    Raises
    ------
    ValueError
        For shapes that do not fit, an axis that x has not or that is named twice, an empty x along `axis`, an eps that
        is negative, infinite or NaN, and an unknown activation.
    TypeError
        For operands that are not real numbers, and an `out` of a dtype that cannot hold the result.

    See Also
    --------
    layer_norm_grad : Its gradients.
    rms_norm : The same without the mean.

    Notes
    -----
    The variance is the mean of the squared deviations, taken from the mean in a second pass.  float16, bfloat16 and
    float32 are computed in float64 and rounded once; float64 sums are compensated.  Weights of any dtype are used as
    they are: the result has the dtype of `x`.  A NaN makes its own sample NaN.  Squares of float64 overflow beyond
    1e154.

    Ba, Kiros and Hinton, Layer Normalization, 2016.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(4, 16)).astype(np.float32)
    >>> y = numact.norm.layer_norm(x, np.ones(16), np.zeros(16), activation="gelu")

    """
    return _normalise_rows("layer", x, weight, bias, eps, axis, activation, out)


def layer_norm_grad(
    dy: ArrayLike, x: ArrayLike, weight: ArrayLike | None = None, eps: float = 1e-5, axis: Axis = -1
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
    Mean and variance are computed again, which takes less time than to keep and read them.  With
    xhat = (x - mean) / s, s = sqrt(variance + eps) and g = dy weight:
    dx = (g - mean(g) - xhat mean(g xhat)) / s, dweight = sum dy xhat and dbias = sum dy over all samples.

    Behind an activation dy is the gradient by its input: ``numact.gelu_grad(dy, z)`` for ``z = layer_norm(x, ...)``.

    Ba, Kiros and Hinton, Layer Normalization, 2016.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(4, 16))
    >>> dx, dweight, dbias = numact.norm.layer_norm_grad(np.ones((4, 16)), x, np.ones(16))

    """
    return _rows_gradient("layer", dy, x, weight, eps, axis)


def rms_norm(
    x: ArrayLike,
    weight: ArrayLike | None = None,
    eps: float | None = None,
    axis: Axis = -1,
    activation: Activation = None,
    out: Array | None = None,
) -> Array:
    """Root mean square normalisation: x / sqrt(mean(x^2) + eps) * weight, with the mean over each sample.

    Parameters
    ----------
    x : array_like
        Input, of any shape; integers and booleans are taken as `numpy.exp` takes them.
    weight : array_like, optional
        Scale of each place along `axis`: of the shape that x has there.  Without, 1.
    eps : float, optional
        Added to the mean square, at least 0; by default the epsilon of the dtype of `x`, ``np.finfo(dtype).eps``.
    axis : int or tuple of int, default -1
        The axes over which the mean is taken.
    activation : str, function, functools.partial or (function, dict), optional
        As in `layer_norm`.
    out : ndarray, optional
        Where the result goes; ``out=x`` computes in place.

    Returns
    -------
    y : ndarray
        `out`, or a new array of the shape and dtype of `x`.

    Raises
    ------
    ValueError, TypeError
        As `layer_norm`.

    See Also
    --------
    rms_norm_grad : Its gradients.
    layer_norm : The same after the mean is subtracted.

    Notes
    -----
    Computed as `layer_norm` is.

    Zhang and Sennrich, Root Mean Square Layer Normalization, 2019.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(4, 16)).astype(np.float32)
    >>> y = numact.norm.rms_norm(x, np.ones(16), out=x)

    """
    return _normalise_rows("rms", x, weight, None, eps, axis, activation, out)


def rms_norm_grad(
    dy: ArrayLike, x: ArrayLike, weight: ArrayLike | None = None, eps: float | None = None, axis: Axis = -1
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
        As in the forward pass; by default the epsilon of the dtype of dx.
    axis : int or tuple of int, default -1
        As in the forward pass.

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
    >>> x = np.random.default_rng(0).normal(size=(4, 16))
    >>> dx, dweight = numact.norm.rms_norm_grad(np.ones((4, 16)), x, np.ones(16))

    """
    return _rows_gradient("rms", dy, x, weight, eps, axis)[:2]


# Batch normalisation


def _channel_layout(function: str, x: Array, axis: Any) -> tuple[Layout, tuple[int, ...]]:
    """Samples, channels and places, and the shape of the channels.

    What is a sample follows from the shape alone, because sums are taken by samples: the first axis that is not a
    channel's, unless it is the only one (axes of length 1 do not count).
    """
    axes = _axes(function, axis, x.ndim)
    rest = tuple(one for one in range(x.ndim) if one not in axes)
    single = tuple(one for one in rest if x.shape[one] == 1)
    rest = tuple(one for one in rest if x.shape[one] != 1)
    first = rest[:1] if len(rest) > 1 else ()
    shape = tuple(x.shape[one] for one in axes)
    places = rest[len(first) :]
    split = (math.prod(x.shape[one] for one in first), math.prod(shape), math.prod(x.shape[one] for one in places))
    layout = Layout(single + first + axes + places, split, False)
    view = layout.view(x)
    across = view.strides[1] == x.itemsize and split[1] > 1 and (split[2] == 1 or view.strides[2] != x.itemsize)
    return layout._replace(across=across), shape


def _apply_batch(x: Array, result: _Result, vectors: dict[str, Doubles], fused: tuple[str, Array] | None) -> Array:
    """Normalise with known statistics."""
    _run("batch", result.layout, {"x": x, "out": result.target}, vectors, activation=fused)
    return result.finish()


def _scale(inverse_std: Doubles, weight: Doubles) -> Doubles:
    with np.errstate(all="ignore"):
        return inverse_std * weight


def _inverse_std(variance: Doubles, eps: float) -> Doubles:
    with np.errstate(all="ignore"):
        return np.asarray(1 / np.sqrt(variance + eps))


def batch_norm(
    x: ArrayLike,
    mean: ArrayLike,
    var: ArrayLike,
    weight: ArrayLike | None = None,
    bias: ArrayLike | None = None,
    eps: float = 1e-5,
    axis: Axis = 1,
    activation: Activation = None,
    out: Array | None = None,
) -> Array:
    """(x - mean) / sqrt(var + eps) * weight + bias, with the given mean and variance of each channel.

    Parameters
    ----------
    x : array_like
        Input, of any shape; integers and booleans are taken as `numpy.exp` takes them.
    mean, var : array_like
        Mean and variance of each channel: of the shape that x has along `axis`.
    weight, bias : array_like, optional
        Scale and shift of each channel, of the same shape.  Without, 1 and 0.
    eps : float, default 1e-5
        Added to the variance, at least 0.
    axis : int or tuple of int, default 1
        The axes of the channels.
    activation : str, function, functools.partial or (function, dict), optional
        An elementwise function of numact that is applied to the result, such as ``"relu"``, `numact.silu` or
        ``("leaky_relu", {"negative_slope": 0.2})``.
    out : ndarray, optional
        Where the result goes; ``out=x`` computes in place.

    Returns
    -------
    y : ndarray
        `out`, or a new array of the shape and dtype of `x`.

    Raises
    ------
    ValueError
        For shapes that do not fit, an axis that x has not or that is named twice, a negative variance, an eps that is
        negative, infinite or NaN, and an unknown activation.
    TypeError
        For operands that are not real numbers, and an `out` of a dtype that cannot hold the result.

    See Also
    --------
    batch_norm_train : With the statistics of x itself.

    Notes
    -----
    Computed in float64 and rounded once.  Statistics and weights of any dtype are used as they are: the result has the
    dtype of `x`.

    Ioffe and Szegedy, Batch Normalization, 2015.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(8, 3, 4, 4)).astype(np.float32)
    >>> y = numact.norm.batch_norm(x, np.zeros(3), np.ones(3), activation="relu")

    """
    function = "batch_norm"
    array = _float_array(function, "x", x)
    layout, shape = _channel_layout(function, array, axis)
    means, variance = _vector(function, "mean", mean, shape), _variance(function, "var", var, shape)
    weights = _vector(function, "weight", weight, shape, 1.0)
    shift = _vector(function, "bias", bias, shape, -0.0)
    scale = _scale(_inverse_std(variance, _number(function, "eps", eps)), weights)
    fused = _activation(function, activation, array.dtype)
    result = _Result(function, out, array, layout)
    vectors = {"mean": means, "mean_lo": np.zeros_like(means), "scale": scale, "shift": shift}
    return _apply_batch(result.input(array), result, vectors, fused)


def batch_norm_train(
    x: ArrayLike,
    running_mean: Array | None,
    running_var: Array | None,
    weight: ArrayLike | None = None,
    bias: ArrayLike | None = None,
    momentum: float = 0.1,
    eps: float = 1e-5,
    axis: Axis = 1,
    activation: Activation = None,
    out: Array | None = None,
) -> tuple[Array, BatchStatistics]:
    """`batch_norm` with the mean and variance of x itself, which also update running statistics.

    Parameters
    ----------
    x : array_like
        Input, of any shape; integers and booleans are taken as `numpy.exp` takes them.
    running_mean, running_var : ndarray of float, or None
        Running statistics of each channel, of the shape that x has along `axis`: updated in place, each to
        ``(1 - momentum) * running + momentum * new``, with the unbiased variance of x.
    weight, bias : array_like, optional
        Scale and shift of each channel, of the same shape.  Without, 1 and 0.
    momentum : float, default 0.1
        Share of the new statistics, in [0, 1].
    eps : float, default 1e-5
        Added to the variance, at least 0.
    axis : int or tuple of int, default 1
        The axes of the channels.
    activation : str, function, functools.partial or (function, dict), optional
        As in `batch_norm`.
    out : ndarray, optional
        Where the result goes; ``out=x`` computes in place, but the gradient then lacks its x.

    Returns
    -------
    y : ndarray
        `out`, or a new array of the shape and dtype of `x`.
    saved : BatchStatistics
        What `batch_norm_grad` needs.

    Raises
    ------
    ValueError
        As `batch_norm`; for a momentum outside [0, 1], and if a channel has fewer than two values.
    TypeError
        As `batch_norm`; for running statistics that are not arrays of floats.

    See Also
    --------
    batch_norm : With given statistics.
    batch_norm_grad : The gradients.

    Notes
    -----
    y is normalised by the biased variance, as in the paper and in PyTorch.  The statistics of each sample are taken
    from its own mean in the cache, and joined by sums without cancellation.

    Ioffe and Szegedy, Batch Normalization, 2015.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(8, 3, 4, 4)).astype(np.float32)
    >>> running_mean, running_var = np.zeros(3), np.ones(3)
    >>> y, saved = numact.norm.batch_norm_train(x, running_mean, running_var)
    >>> dx, dweight, dbias = numact.norm.batch_norm_grad(np.ones_like(y), x, saved)

    """
    function = "batch_norm_train"
    array = _float_array(function, "x", x)
    layout, shape = _channel_layout(function, array, axis)
    momentum, eps = _number(function, "momentum", momentum, 1.0), _number(function, "eps", eps)
    running = [
        (array_of, _running(function, name, array_of, shape))
        for name, array_of in (("running_mean", running_mean), ("running_var", running_var))
        if array_of is not None
    ]
    if running_var is not None:
        _variance(function, "running_var", running_var, shape)
    weights = _vector(function, "weight", weight, shape, 1.0)
    shift = _vector(function, "bias", bias, shape, -0.0)
    fused = _activation(function, activation, array.dtype)
    count = layout.split[0] * layout.split[2]
    if count < 2:
        raise ValueError(f"{function}: x must have more than 1 value per channel, got {count} in shape {array.shape}")
    result = _Result(function, out, array, layout)
    source = result.input(array)
    length = layout.split[1] + BEYOND
    sums = {"partial": np.zeros((layout.split[0], 4, length)), "total": np.zeros((4, length))}
    _run("moments", layout, {"x": source}, sums)
    _run("join_moments", layout, {"x": source}, sums)
    means, rests, squares, _ = sums["total"]
    inverse_std = _inverse_std(squares / count, eps)
    vectors = {"mean": means, "mean_lo": rests, "scale": _scale(inverse_std, weights), "shift": shift}
    y = _apply_batch(source, result, vectors, fused)
    saved = BatchStatistics(*(vector[: layout.split[1]].reshape(shape) for vector in (means, rests, inverse_std)))
    new = {id(running_mean): saved.mean + saved.mean_lo}
    new[id(running_var)] = (squares / (count - 1))[: layout.split[1]].reshape(shape)
    with np.errstate(all="ignore"):
        for target, old in running:
            target[...] = (1 - momentum) * old + momentum * new[id(target)]
    return y, saved


def _running(function: str, name: str, value: Any, shape: tuple[int, ...]) -> Doubles:
    """A running statistic, as it is before the update."""
    if not isinstance(value, np.ndarray) or not (value.dtype.kind == "f" or _is_half(value.dtype)):
        raise TypeError(f"{function}: {name} must be an array of floats, got {value!r}")
    if value.shape != shape:
        raise ValueError(f"{function}: {name} must be of shape {shape}, got {value.shape}")
    if not value.flags.writeable:
        raise ValueError(f"{function}: {name} must be writeable")
    return value.astype(np.float64)


def batch_norm_grad(
    dy: ArrayLike, x: ArrayLike, saved: BatchStatistics, weight: ArrayLike | None = None, axis: Axis = 1
) -> tuple[Array, Array, Array]:
    """Gradients of `batch_norm_train` without activation, by the input, the weight and the bias.

    Parameters
    ----------
    dy : array_like
        Gradient by the output, of the shape of x.
    x : array_like
        Input of the forward pass.
    saved : BatchStatistics
        The second result of the forward pass.
    weight : array_like, optional
        As in the forward pass.
    axis : int or tuple of int, default 1
        As in the forward pass.

    Returns
    -------
    dx : ndarray
        Gradient by x.
    dweight, dbias : ndarray
        Gradients by weight and bias, of the shape of the channels; their dtype is that of weight if that is an array of
        floats, else that of dx.

    Raises
    ------
    ValueError, TypeError
        As `batch_norm`; and for a dy of another shape than x.

    See Also
    --------
    batch_norm_train : The function.

    Notes
    -----
    With xhat = (x - mean) inverse_std, and sums and means over each channel: dweight = sum dy xhat, dbias = sum dy,
    dx = weight inverse_std (dy - mean(dy) - xhat mean(dy xhat)).

    Behind an activation dy is the gradient by its input: ``numact.relu_grad_y(dy, y)`` from the output y of the forward
    pass.

    Ioffe and Szegedy, Batch Normalization, 2015.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(8, 3))
    >>> y, saved = numact.norm.batch_norm_train(x, None, None)
    >>> dx, dweight, dbias = numact.norm.batch_norm_grad(np.ones((8, 3)), x, saved)

    """
    function = "batch_norm_grad"
    array, gradient = _operands(function, dy, x)
    layout, shape = _channel_layout(function, array, axis)
    if not isinstance(saved, tuple) or len(saved) != 3:
        raise TypeError(f"{function}: saved must be the BatchStatistics of batch_norm_train, got {saved!r}")
    named = zip(BatchStatistics._fields, saved, strict=True)
    means, rests, inverse_std = (_vector(function, f"saved.{name}", value, shape) for name, value in named)
    weights = _vector(function, "weight", weight, shape, 1.0)
    count = layout.split[0] * layout.split[2]
    if count == 0:
        raise ValueError(f"{function}: x must not be empty, got shape {array.shape}")
    result = _Result(function, None, array, layout)
    arrays = {"x": layout.read(array), "dy": layout.read(gradient), "out": result.target}
    length = layout.split[1] + BEYOND
    vectors = {"mean": means, "mean_lo": rests}
    sums = {"partial": np.zeros((layout.split[0], 4, length)), "total": np.zeros((4, length))}
    _run("gradient_sums", layout, arrays, vectors | sums)
    _run("join_sums", layout, arrays, sums)
    sum_dy, sum_product = sums["total"][:2]
    with np.errstate(all="ignore"):
        vectors |= {
            "scale": inverse_std * weights,
            "dy_mean": sum_dy / count,
            "slope": sum_product * inverse_std * inverse_std / count,
        }
        dweight = _as_weight(sum_product * inverse_std, weight, shape, array.dtype)
    _run("batch_grad", layout, arrays, vectors)
    return result.finish(), dweight, _as_weight(sum_dy, weight, shape, array.dtype)
