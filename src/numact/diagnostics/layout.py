"""The arguments of the diagnostics, checked: an array, the axes of its samples, bounds of saturation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from numact._functions.axes import as_axes
from numact._kernels import core

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


Array: TypeAlias = "NDArray[Any]"
Axis: TypeAlias = int | Sequence[int]
NUMBERS = (float, int, np.floating, np.integer)


class Layout:
    """The dimensions of an array, neighbours of the same kind joined: each one of units or one of samples.

    The order of the sums, and so their bits, follows from this alone.
    """

    __slots__ = ("kinds", "lengths", "samples", "unit_shape", "units")

    def __init__(self, shape: tuple[int, ...], sample_axes: tuple[int, ...]) -> None:
        self.unit_shape = tuple(length for axis, length in enumerate(shape) if axis not in sample_axes)
        self.units = math.prod(self.unit_shape)
        self.samples = math.prod(shape) // self.units if self.units else 0
        lengths: list[int] = []
        kinds: list[bool] = []  # True: units
        for axis, length in enumerate(shape):
            kind = axis not in sample_axes
            if length == 1:
                continue
            if kinds and kinds[-1] == kind:
                lengths[-1] *= length
            else:
                lengths.append(length)
                kinds.append(kind)
        self.lengths, self.kinds = tuple(lengths) or (1,), tuple(kinds) or (False,)


def as_floats(function: str, y: ArrayLike) -> Array:
    """Check an array, and give it as the kernels take it: native and aligned, integers as float64."""
    if core.is_observable(y):
        return cast("Array", y)
    array = np.asarray(y)
    if array.dtype.kind in "biu":
        array = array.astype(np.float64)
    # What has a loop is a dtype that the kernels know; longdouble is not.
    elif array.dtype.name not in core.dtypes():
        raise TypeError(f"{function}: y must be of {', '.join(core.dtypes())}, integers or booleans, got {array.dtype}")
    if array.size == 0:
        raise ValueError(f"{function}: y must have at least one element, got the shape {array.shape}")
    if not array.dtype.isnative or not array.flags.aligned:
        array = array.astype(array.dtype.newbyteorder("="))
    return array


def as_layout(function: str, shape: tuple[int, ...], axis: Any, operand: str = "y") -> Layout:
    """Check the axes of the samples: an integer or a sequence of them."""
    if type(axis) is int and -len(shape) <= axis < len(shape):
        return _layout(shape, axis)
    try:
        axes = tuple(axis)
    except TypeError:  # not a sequence
        axes = axis
    return Layout(shape, as_axes(function, axes, len(shape), operand))


@lru_cache(64)
def _layout(shape: tuple[int, ...], axis: int) -> Layout:
    """The usual layout, which the next call is likely to ask for again."""
    return Layout(shape, (axis % len(shape),))


def as_bounds(function: str, low: float, high: float) -> tuple[float, float]:
    """Check the bounds of saturation."""
    for name, bound in (("low", low), ("high", high)):
        if not isinstance(bound, NUMBERS):
            raise TypeError(f"{function}: {name} must be a number, got {bound!r}")
    low, high = float(low), float(high)
    if not low <= high:
        raise ValueError(f"{function}: low must be <= high, got low={low} and high={high}")
    return low, high


def as_joined(y: Array, layout: Layout) -> Array:
    """The array with its dimensions joined: the same memory, where its strides allow that."""
    return y if y.shape == layout.lengths else y.reshape(layout.lengths)
