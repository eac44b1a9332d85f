"""How an array is seen as samples x channels x positions, and where a result goes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from numact._functions.axes import as_axes

if TYPE_CHECKING:
    from numpy.typing import NDArray


Array: TypeAlias = "NDArray[Any]"
Axis: TypeAlias = "int | tuple[int, ...]"


class Layout(NamedTuple):
    """How to see an array as samples x channels x positions."""

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
        samples, channels, positions = self.split
        if self.across:
            return np.empty((samples, positions, channels), dtype).transpose(0, 2, 1)
        return np.empty(self.split, dtype)

    def read(self, array: Array) -> Array:
        """The array in three dimensions, copied where it does not fit."""
        view = self.view(array)
        if self.fits(view):
            return view
        copy = self.empty(array.dtype)
        copy[...] = view
        return copy


class Result:
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


def row_layout(function: str, x: Array, axis: Any) -> tuple[Layout, tuple[int, ...]]:
    """Rows of everything along the axes, and the shape of a row."""
    axes = as_axes(function, axis, x.ndim)
    kept = tuple(one for one in range(x.ndim) if one not in axes)
    shape = tuple(x.shape[one] for one in axes)
    if 0 in shape:
        raise ValueError(f"{function}: x must not be empty along axis {axis}, got shape {x.shape}")
    rows = math.prod(x.shape[one] for one in kept)
    return Layout(kept + axes, (rows, 1, math.prod(shape)), False), shape


def channel_layout(function: str, x: Array, axis: Any) -> tuple[Layout, tuple[int, ...]]:
    """Samples, channels and positions, and the shape of the channels.

    What is a sample follows from the shape alone, because sums are taken by samples: the first axis that is not a
    channel's, unless it is the only one (axes of length 1 do not count).
    """
    axes = as_axes(function, axis, x.ndim)
    rest = tuple(one for one in range(x.ndim) if one not in axes)
    single = tuple(one for one in rest if x.shape[one] == 1)
    rest = tuple(one for one in rest if x.shape[one] != 1)
    first = rest[:1] if len(rest) > 1 else ()
    shape = tuple(x.shape[one] for one in axes)
    positions = rest[len(first) :]
    split = (math.prod(x.shape[one] for one in first), math.prod(shape), math.prod(x.shape[one] for one in positions))
    layout = Layout(single + first + axes + positions, split, False)
    view = layout.view(x)
    across = view.strides[1] == x.itemsize and split[1] > 1 and (split[2] == 1 or view.strides[2] != x.itemsize)
    return layout._replace(across=across), shape
