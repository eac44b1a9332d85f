"""The functions along an axis, one row after another."""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
from support.cases import Array


def in_order(axis: Any, dimensions: int) -> tuple[int, ...]:
    """The axes, in order, from the first."""
    axes = range(dimensions) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return tuple(sorted(each % dimensions for each in axes))


def without(shape: tuple[int, ...], axis: Any) -> tuple[int, ...]:
    """The shape without the axes."""
    axes = in_order(axis, len(shape))
    return tuple(length for k, length in enumerate(shape) if k not in axes)


def rows_of(x: Any, axis: Any, shape: tuple[int, ...]) -> Array:
    """What the axes hold as rows of a contiguous matrix, after broadcasting to the shape."""
    axes = in_order(axis, len(shape))
    moved = np.moveaxis(np.broadcast_to(x, shape), axes, range(-len(axes), 0))
    return np.array(moved.reshape(-1, prod(shape[axis] for axis in axes)), order="C")


def of_rows(value: Any, axis: Any, shape: tuple[int, ...]) -> Array:
    """One number for each row, after broadcasting to the shape without the axes."""
    return np.broadcast_to(value, without(shape, axis)).ravel()


def row_by_row(
    function: Callable[..., Any], operands: list[Any], axis: Any, reduces: bool, keepdims: bool = False, **rowwise: Any
) -> Any:
    """Call a function of rows once for each row; `rowwise` are keywords with a row, or a number, for each row."""
    shape = operands[0].shape
    axes = in_order(axis, len(shape))
    matrices = [rows_of(operand, axis, shape) for operand in operands]
    keywords = {
        name: of_rows(value, axis, shape) if name == "temperature" else rows_of(value, axis, shape)
        for name, value in rowwise.items()
    }
    found = []
    for k in range(len(matrices[0])):
        given = {name: rows[k] for name, rows in keywords.items()}
        found.append(function(*(matrix[k] for matrix in matrices), **given))
    others = without(shape, axis)
    if not reduces:
        whole = np.array(found).reshape(*others, *(shape[axis] for axis in axes))
        return np.moveaxis(whole, range(-len(axes), 0), axes)
    kept = [1 if k in axes else length for k, length in enumerate(shape)]
    results = [
        np.array(part).reshape(kept if keepdims else others)[()]
        for part in zip(*map(np.atleast_1d, found), strict=True)
    ]
    return tuple(results) if len(results) > 1 else results[0]
