"""Checks of arguments; each returns the argument in the form in which the kernels take it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from numact._functions import names, ufuncs
from numact._functions.arguments import is_half, number
from numact._functions.catalogue import catalogue
from numact._functions.parametric import ParametricUfunc, values_of
from numact._kernels.messages import shown
from numact.norm.layout import Array, Doubles
from numact.norm.task import PADDING

Activation: TypeAlias = "str | Callable[..., Any] | tuple[Any, dict[str, float]] | None"

ELEMENTWISE = frozenset(row.name for row in catalogue() if row.family == "elementwise")


def float_array(function: str, name: str, value: Any, *others: np.dtype[Any]) -> Array:
    """An aligned array of native byte order, in the dtype that a ufunc would compute in (of it and others)."""
    array = np.asarray(value)
    ufunc = ufuncs.RAW["identity_grad"]
    try:
        dtype = ufunc.resolve_dtypes((array.dtype, *(others or (array.dtype,)), None))[-1]
    except TypeError:
        raise TypeError(f"{function}: {name} must be an array of real numbers, got dtype {array.dtype}") from None
    return np.require(array.astype(dtype, copy=False), requirements="A")


def as_vector(
    function: str, name: str, value: Any, shape: tuple[int, ...], kept: tuple[int, ...], default: float = 0.0
) -> Doubles:
    """Numbers of this shape as a flat float64 vector with `PADDING`; the default where value is None.

    What broadcasts to the shape that is kept by ``keepdims=True`` will do, numbers included.
    """
    count = math.prod(shape)
    vector = np.full(count + PADDING, default)
    if value is None:
        return vector
    array = np.asarray(value)
    if array.dtype.kind not in "fiub" and not is_half(array.dtype):
        raise TypeError(f"{function}: {name} must be an array of real numbers, got dtype {array.dtype}")
    if array.shape != shape:
        array = _broadcast(function, name, array, shape, kept)
    vector[:count] = array.ravel()
    return vector


def _broadcast(function: str, name: str, array: Array, shape: tuple[int, ...], kept: tuple[int, ...]) -> Array:
    """The array broadcast to the shape that is kept, if it has no other lengths."""
    padded = (1,) * (len(kept) - array.ndim) + array.shape
    if len(padded) != len(kept) or any(a not in (1, b) for a, b in zip(padded, kept, strict=True)):
        raise ValueError(f"{function}: {name} must be of shape {shape}, or broadcast to {kept}, got {array.shape}")
    return np.broadcast_to(array.reshape(padded), kept)


def as_variance(function: str, name: str, value: Any, shape: tuple[int, ...], kept: tuple[int, ...]) -> Doubles:
    """Variances, which are >= 0, as a vector."""
    vector = as_vector(function, name, value, shape, kept)
    if (vector < 0).any():
        raise ValueError(f"{function}: {name} must be >= 0, got {vector[vector < 0][0]}")
    return vector


def as_number(function: str, name: str, value: Any, most: float = math.inf) -> float:
    """A finite number >= 0, and at most `most`."""
    allowed = ">= 0 and finite" if most == math.inf else f"in [0, {most:g}]"
    if isinstance(value, np.ndarray | np.generic) and np.ndim(value) == 0 and value.dtype.kind in "fiub":
        value = float(value)
    found = number(function, name, value)
    if not 0 <= found <= most or found == math.inf:
        raise ValueError(f"{function}: {name} must be {allowed}, got {shown(value)}")
    return found


def as_activation(function: str, activation: Activation, dtype: Any) -> tuple[str, Array] | None:
    """Name of an elementwise activation, and its parameters as an array for kernels of this dtype."""
    if activation is None:
        return None
    given: Any = activation
    parameters: dict[str, Any] = {}
    if isinstance(activation, tuple) and len(activation) == 2 and isinstance(activation[1], dict):
        given, parameters = activation
    name, named = names.find_argument(function, "activation", given)
    found, parameters = names.FUNCTIONS[name], {**named, **parameters}
    if name not in ELEMENTWISE:
        raise ValueError(f"{function}: activation must be an elementwise function of numact, got {name}")
    if not isinstance(found, ParametricUfunc):
        if parameters:
            raise TypeError(f"{function}: activation {name} has no parameters, got {', '.join(parameters)}")
        return name, np.empty(0, dtype)
    values = values_of(function, "activation", found, parameters)
    if any(np.ndim(value) for value in values):
        raise ValueError(f"{function}: activation must have numbers for parameters, got {shown(parameters)}")
    return name, _parameters(values, np.dtype(np.float32 if is_half(dtype) else dtype))


def _parameters(values: list[float], dtype: np.dtype[Any]) -> Array:
    """Parameters in a dtype: what it does not hold becomes infinite, or the least number, but not 0."""
    with np.errstate(all="ignore"):
        found = np.array(values, dtype)
    least = np.copysign(np.finfo(dtype).smallest_subnormal, values)
    return np.where((found == 0) & (np.array(values) != 0), least, found).astype(dtype)


def as_eps(function: str, eps: Any, dtype: np.dtype[Any]) -> float:
    """The number that is added to a mean square; None stands for the epsilon of the dtype, of float32 for halves."""
    if eps is not None:
        return as_number(function, "eps", eps)
    return float(np.finfo(np.float32 if is_half(dtype) else dtype).eps)


def as_operands(function: str, dy: Any, x: Any) -> tuple[Array, Array]:
    """The operands x and dy of a gradient, in that order, in one dtype."""
    given = np.asarray(dy)
    array = float_array(function, "x", x)
    gradient = float_array(function, "dy", given, array.dtype)
    array = array.astype(gradient.dtype, copy=False)
    if gradient.shape != array.shape:
        raise ValueError(f"{function}: dy must have the shape of x, {array.shape}, got {gradient.shape}")
    return array, gradient


def as_weight_gradient(sums: Doubles, weight: Any, shape: tuple[int, ...], dtype: Any) -> Array:
    """The gradient by a weight from its sums, in the dtype of the weight if that is floating-point, else in `dtype`."""
    own = getattr(weight, "dtype", None)
    if own is not None and (own.kind == "f" or is_half(own)):
        dtype = own if own.isnative else own.newbyteorder("=")
    with np.errstate(all="ignore"):
        return sums[: math.prod(shape)].reshape(shape).astype(dtype)


def as_running(function: str, name: str, value: Any, shape: tuple[int, ...], kept: tuple[int, ...]) -> Doubles:
    """A float64 copy, of a shape, of a running statistic: an array that can be updated in place."""
    if not isinstance(value, np.ndarray) or not (value.dtype.kind == "f" or is_half(value.dtype)):
        raise TypeError(f"{function}: {name} must be an array of floats, got {shown(value)}")
    padded = (1,) * (len(kept) - value.ndim) + value.shape
    if value.shape != shape and padded != kept:
        raise ValueError(f"{function}: {name} must be of shape {shape} or {kept}, got {value.shape}")
    if not value.flags.writeable:
        raise ValueError(f"{function}: {name} must be writeable")
    return value.astype(np.float64).reshape(shape)
