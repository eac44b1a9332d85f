"""Which axes of an array are those of samples and which those of units."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

from numact._functions.axes import as_axes

if TYPE_CHECKING:
    from numpy.typing import NDArray

Array: TypeAlias = "NDArray[Any]"
Axis: TypeAlias = int | Sequence[int]


class Layout:
    """The dimensions of an array, each of units or of samples; adjacent ones of the same kind are joined.

    The order of summation, and so the bits of the sums, depends on this alone.

    Attributes
    ----------
    lengths : tuple of int
        The joined dimensions.
    kinds : tuple of bool
        Which of them are of units.
    units : int
        Number of units.
    unit_shape : tuple of int
        Shape of the units in the array.

    """

    __slots__ = ("kinds", "lengths", "unit_shape", "units")

    def __init__(self, shape: tuple[int, ...], sample_axes: tuple[int, ...]) -> None:
        self.unit_shape = tuple(length for axis, length in enumerate(shape) if axis not in sample_axes)
        self.units = math.prod(self.unit_shape)
        lengths: list[int] = []
        kinds: list[bool] = []
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


def as_layout(function: str, shape: tuple[int, ...], axis: Any, operand: str = "y") -> Layout:
    """Check the axes of the samples: an integer or a sequence of them."""
    if type(axis) is int and -len(shape) <= axis < len(shape):
        return _layout(shape, axis)
    try:
        axes = tuple(islice(axis, len(shape) + 1))
    except TypeError:  # not a sequence
        axes = axis
    return Layout(shape, as_axes(function, axes, len(shape), operand))


@lru_cache(64)
def _layout(shape: tuple[int, ...], axis: int) -> Layout:
    """The layout for a single axis, cached because most calls repeat the shape."""
    return Layout(shape, (axis % len(shape),))


def as_joined(y: Array, layout: Layout) -> Array:
    """The array with its dimensions joined: a view where its strides allow one."""
    return y if y.shape == layout.lengths else y.reshape(layout.lengths)
