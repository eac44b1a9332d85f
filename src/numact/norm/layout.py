"""Arrays seen as samples x channels x positions, which is what the kernels compute on, and where a result goes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from numact._functions.arguments import single_out
from numact._functions.axes import as_axes
from numact._functions.ufuncs import copy

if TYPE_CHECKING:
    from numpy.typing import NDArray

Array: TypeAlias = "NDArray[Any]"
Doubles: TypeAlias = "NDArray[np.float64]"
Axis: TypeAlias = "int | tuple[int, ...]"


class Layout(NamedTuple):
    """A view of an array as samples x channels x positions.

    Attributes
    ----------
    order : tuple of int
        The axes of the array, those of samples first, those of positions last.
    split : tuple of int
        Numbers of samples, channels and positions.
    across : bool
        Whether the inner loop of the kernels runs over channels; otherwise over positions.
    kept_axes : tuple of bool
        Which axes of the array are those of rows or channels.
    kept : tuple of int
        The shape of the array with 1 for every axis but those of rows or channels, as ``keepdims=True`` gives it.

    """

    order: tuple[int, ...]
    split: tuple[int, int, int]
    across: bool
    kept_axes: tuple[bool, ...]
    kept: tuple[int, ...]

    def view(self, array: Array) -> Array:
        """The array in three dimensions; a copy where its strides do not allow a view."""
        return array.transpose(self.order).reshape(self.split)

    def fits(self, view: Array) -> bool:
        """Whether the elements of the inner loop are contiguous, as the kernels need them."""
        axis = 1 if self.across else 2
        return view.shape[axis] <= 1 or view.strides[axis] == view.itemsize

    def empty(self, dtype: Any) -> Array:
        """A new array in three dimensions, contiguous for the inner loop."""
        samples, channels, positions = self.split
        if self.across:
            return np.empty((samples, positions, channels), dtype).transpose(0, 2, 1)
        return np.empty(self.split, dtype)

    def read(self, array: Array) -> Array:
        """The array in three dimensions, copied where the kernels cannot read it in place."""
        view = self.view(array)
        if self.fits(view):
            return view
        found = self.empty(array.dtype)
        copy(view, found)
        return found


class Result:
    """The result of a function: `out` or a new array, and the buffer for the kernels if they cannot write to it.

    `target` is what the kernels write: a view of `out`, or the buffer, which `finish` copies.
    """

    def __init__(self, function: str, out: Any, like: Array, layout: Layout) -> None:
        out, _ = single_out(function, out)
        if out is None:
            out = np.empty_like(like, subok=False)
        elif out.shape != like.shape:
            raise ValueError(f"{function}: out must be of shape {like.shape}, got {out.shape}")
        elif not out.flags.writeable:
            raise ValueError(f"{function}: out must be writeable")
        elif not np.can_cast(like.dtype, out.dtype, "same_kind"):
            raise TypeError(f"{function}: out must hold {like.dtype}, got dtype {out.dtype}")
        self.out: Array = out
        self.layout = layout
        out = out.view(np.ndarray)
        direct = out.dtype == like.dtype and out.dtype.isnative and out.flags.aligned
        view = layout.view(out) if direct else layout.empty(like.dtype)
        self.copied = not direct or not layout.fits(view) or not np.may_share_memory(view, out)
        self.target: Array = layout.empty(like.dtype) if self.copied and direct else view

    def input(self, x: Array) -> Array:
        """The operand in three dimensions; a copy if it overlaps the target other than element for element."""
        view = self.layout.read(x)
        same = view.ctypes.data == self.target.ctypes.data and view.strides == self.target.strides
        if same or not np.may_share_memory(view, self.target):
            return view
        found = self.layout.empty(view.dtype)
        copy(view, found)
        return found

    def finish(self) -> Array:
        """Copy the buffer, if there is one, and return `out`."""
        if self.copied:
            out = self.out.view(np.ndarray)
            shape = tuple(out.shape[axis] for axis in self.layout.order)
            with np.errstate(all="ignore"):
                copy(self.target.reshape(shape), out.transpose(self.layout.order))
        return self.out


def kept_shape(x: Array, axes: tuple[int, ...]) -> tuple[tuple[bool, ...], tuple[int, ...]]:
    """Which axes of x are of these, and the shape of x with 1 for every other one."""
    kept = tuple(k in axes for k in range(x.ndim))
    return kept, tuple(length if one else 1 for one, length in zip(kept, x.shape, strict=True))


def row_layout(function: str, x: Array, axis: Any) -> tuple[Layout, tuple[int, ...]]:
    """The layout of rows, each of all elements along the axes, and the shape of a row."""
    axes = as_axes(function, axis, x.ndim)
    kept = tuple(one for one in range(x.ndim) if one not in axes)
    shape = tuple(x.shape[one] for one in axes)
    if 0 in shape:
        raise ValueError(f"{function}: x must not be empty along axis {axis}, got shape {x.shape}")
    rows = math.prod(x.shape[one] for one in kept)
    return Layout(kept + axes, (rows, 1, math.prod(shape)), False, *kept_shape(x, axes)), shape


def channel_layout(function: str, x: Array, axis: Any) -> tuple[Layout, tuple[int, ...]]:
    """The layout of channels along the axes, and the shape of the channels.

    Of the other axes the first one is that of samples and the rest are positions; a single one is of positions, and
    axes of length 1 do not count.  Sums are taken sample by sample, so this depends on the shape alone, not on strides.
    """
    axes = as_axes(function, axis, x.ndim)
    rest = tuple(one for one in range(x.ndim) if one not in axes)
    single = tuple(one for one in rest if x.shape[one] == 1)
    rest = tuple(one for one in rest if x.shape[one] != 1)
    first = rest[:1] if len(rest) > 1 else ()
    shape = tuple(x.shape[one] for one in axes)
    positions = rest[len(first) :]
    split = (math.prod(x.shape[one] for one in first), math.prod(shape), math.prod(x.shape[one] for one in positions))
    layout = Layout(single + first + axes + positions, split, False, *kept_shape(x, axes))
    view = layout.view(x)
    across = view.strides[1] == x.itemsize and split[1] > 1 and (split[2] == 1 or view.strides[2] != x.itemsize)
    return layout._replace(across=across), shape
