"""The functions along an axis, one row after another, and their true values in long double, for arrays of rows."""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
from support.cases import Array

__all__ = ["TRUE", "errors", "of_rows", "row_by_row", "rows_of"]


def normalised(axis: Any, dimensions: int) -> tuple[int, ...]:
    """The axes, in order, from the first."""
    axes = range(dimensions) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return tuple(sorted(each % dimensions for each in axes))


def rows_of(x: Any, axis: Any, shape: tuple[int, ...]) -> Array:
    """What the axes hold as rows of a contiguous matrix, after broadcasting to the shape."""
    axes = normalised(axis, len(shape))
    moved = np.moveaxis(np.broadcast_to(x, shape), axes, range(-len(axes), 0))
    return np.array(moved.reshape(-1, prod(shape[axis] for axis in axes)), order="C")


def of_rows(value: Any, axis: Any, shape: tuple[int, ...]) -> Array:
    """One number for each row, after broadcasting to the shape without the axes."""
    axes = normalised(axis, len(shape))
    return np.broadcast_to(value, [length for k, length in enumerate(shape) if k not in axes]).ravel()


def row_by_row(
    function: Callable[..., Any], operands: list[Any], axis: Any, reduces: bool, keepdims: bool = False, **rowwise: Any
) -> Any:
    """Call a function of rows once for each row; `rowwise` are keywords with a row, or a number, for each row."""
    shape = operands[0].shape
    axes = normalised(axis, len(shape))
    matrices = [rows_of(operand, axis, shape) for operand in operands]
    keywords = {
        name: of_rows(value, axis, shape) if name == "temperature" else rows_of(value, axis, shape)
        for name, value in rowwise.items()
    }
    found = []
    for k in range(len(matrices[0])):
        given = {name: rows[k] for name, rows in keywords.items()}
        found.append(function(*(matrix[k] for matrix in matrices), **given))
    others = [length for k, length in enumerate(shape) if k not in axes]
    if not reduces:
        whole = np.array(found).reshape(*others, *(shape[axis] for axis in axes))
        return np.moveaxis(whole, range(-len(axes), 0), axes)
    kept = [1 if k in axes else length for k, length in enumerate(shape)]
    results = [
        np.array(part).reshape(kept if keepdims else others)[()]
        for part in zip(*map(np.atleast_1d, found), strict=True)
    ]
    return tuple(results) if len(results) > 1 else results[0]


def _shifted(rows: Array, temperature: Array) -> Array:
    """Distances from the largest entries, over the temperatures."""
    shifted: Array = (rows - rows.max(-1, keepdims=True)) / temperature
    return shifted


def softmax(rows: Array, temperature: Array) -> Array:
    """e^(x/T) over its sum."""
    powers = np.exp(_shifted(rows, temperature))
    return np.asarray(powers / powers.sum(-1, keepdims=True))


def softmin(rows: Array, temperature: Array) -> Array:
    """Softmax of -x."""
    return softmax(-rows, temperature)


def log_softmax(rows: Array, temperature: Array) -> Array:
    """(x - max)/T - log(sum), the sum's 1 left to log1p."""
    shifted = _shifted(rows, temperature)
    powers = np.exp(shifted)
    np.put_along_axis(powers, rows.argmax(-1)[:, None], 0, -1)
    return np.asarray(shifted - np.log1p(powers.sum(-1, keepdims=True)))


def logsumexp(rows: Array, temperature: Array) -> Array:
    """Max + log(sum)."""
    return np.asarray(rows.max(-1) + np.log(np.exp(_shifted(rows, temperature)).sum(-1)))


def sparsemax(rows: Array, temperature: Array) -> Array:
    """Projection on the simplex by sorting (Held et al., 1974); what is 1 below the largest entry has no share."""
    rows = np.maximum(rows - rows.max(-1, keepdims=True), -2)
    ordered = -np.sort(-rows, -1)
    taus = (np.cumsum(ordered, -1) - 1) / np.arange(1, rows.shape[-1] + 1)
    count = (ordered > taus).sum(-1, keepdims=True)
    return np.maximum(rows - np.take_along_axis(taus, count - 1, -1), 0)


def hardmax(rows: Array, temperature: Array) -> Array:
    """1 at the first maximum."""
    return np.asarray(np.arange(rows.shape[-1]) == rows.argmax(-1)[:, None], rows.dtype)


TRUE: dict[str, Callable[[Array, Array], Array]] = {
    function.__name__: function for function in (softmax, softmin, log_softmax, logsumexp, sparsemax, hardmax)
}


def errors(got: Array, want: Array, scale: float = 0.0, info: Any = None) -> Array:
    """Errors in units in the last place of the true value, or of `scale` if that is larger."""
    info = np.finfo(got.dtype) if info is None else info
    size = np.maximum(np.maximum(abs(want), scale), float(info.tiny))
    unit = np.ldexp(np.longdouble(1), np.frexp(size)[1] - 1 - info.nmant)
    with np.errstate(invalid="ignore", over="ignore"):
        wrong = abs(got.astype(np.float64).astype(np.longdouble) - want) / unit
    largest = np.longdouble(float(info.max)) * (1 + np.longdouble(2) ** -(info.nmant + 2))
    return np.where((abs(want) > largest) & np.isinf(got.astype(np.float64)), 0, wrong)
