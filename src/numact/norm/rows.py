"""Normalisation of rows, which layer and RMS normalisation share: checks, layout and tasks."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from numact._functions.axes import as_integers
from numact._kernels import core, targets
from numact.norm.arguments import (
    as_activation,
    as_eps,
    as_operands,
    as_vector,
    as_weight_gradient,
    float_array,
)
from numact.norm.layout import Array, Doubles, Result, row_layout
from numact.norm.task import run, zero_sums

# Sums over rows are taken in blocks of this many, whatever the number of threads, as csrc/loops/norm does.
BLOCK_ROWS = 64
DEFAULT_EPS: dict[Any, float] = {np.dtype(kind): float(np.finfo(kind).eps) for kind in (np.float32, np.float64)}


def normalise_rows(
    task: Literal["layer", "rms"], x: Any, weight: Any, bias: Any, eps: Any, axis: Any, activation: Any, out: Any
) -> Array:
    """Normalise, scale and shift each row, and apply the activation."""
    if activation is None and type(axis) is int and axis == -1 and (value := _plain_eps(x, eps)) is not None:
        found = core.normalise_plain_rows(targets.LEVEL, task, x, weight, bias, value, out)
        if found is not None:
            return found
    function = f"{task}_norm"
    axis = as_integers(function, axis)
    array = float_array(function, "x", x)
    layout, shape = row_layout(function, array, axis)
    vectors = {
        "weight": as_vector(function, "weight", weight, shape, layout.kept, 1.0),
        "bias": as_vector(function, "bias", bias, shape, layout.kept, -0.0),  # z + -0 is z, also if z is -0
    }
    eps = as_eps(function, eps, array.dtype)
    fused = as_activation(function, activation, array.dtype)
    result = Result(function, out, array, layout)
    run(task, layout, {"x": result.input(array), "out": result.target}, vectors, eps, fused)
    return result.finish()


def _plain_eps(x: Any, eps: Any) -> float | None:
    """The value of eps where it needs no check: a finite number >= 0, or the default of rms_norm for the dtype of x."""
    if eps is None:
        return DEFAULT_EPS.get(getattr(x, "dtype", None))
    return eps if type(eps) is float and 0 <= eps < np.inf else None


def row_statistics(task: Literal["layer", "rms"], x: Any, eps: Any, axis: Any) -> tuple[Array, Array]:
    """Mean and inverse deviation of each row, of the shape of x with 1 along the axes; of rms, about 0.

    They are computed in float64 and rounded once, to float32 for types that are not wider.
    """
    function = f"{task}_norm"
    axis = as_integers(function, axis)
    array = float_array(function, "x", x)
    length, centre, squares = row_moments(function, array, axis)
    with np.errstate(all="ignore"):
        square = squares / length + (centre * centre if task == "rms" else 0)
        deviation = 1 / np.sqrt(square + as_eps(function, eps, array.dtype))
    dtype = np.float64 if array.dtype == np.float64 else np.float32
    return centre.astype(dtype), deviation.astype(dtype)


def row_moments(function: str, x: Array, axis: Any) -> tuple[int, Doubles, Doubles]:
    """Length of the rows, mean of each, and sum of squared deviations from it, of the shape of x with 1 along axes."""
    layout, _ = row_layout(function, x, axis)
    rows, _, length = layout.split
    channels = layout._replace(split=(1, rows, length))
    source, sums = {"x": channels.read(x)}, zero_sums(1, rows)
    run("moments", channels, source, sums)
    run("join_moments", channels, source, sums)
    mean, mean_lo, squares, _ = (row[:rows] for row in sums["total"])
    shape = tuple(1 if one else n for one, n in zip(layout.kept_axes, x.shape, strict=True))
    return length, (mean + mean_lo).reshape(shape), squares.reshape(shape)


def gradient_from_statistics(
    task: Literal["layer", "rms"], dy: Any, x: Any, weight: Any, axis: Any, mean: Any, inv_std: Any
) -> tuple[Array, Array, Array]:
    """Gradients by x, weight and bias, with the mean and inverse deviation of the forward pass."""
    function = f"{task}_norm_grad"
    axis = as_integers(function, axis)
    array, gradient = as_operands(function, dy, x)
    layout, shape = row_layout(function, array, axis)
    rows, _, length = layout.split
    per_row = tuple(1 if one else n for one, n in zip(layout.kept_axes, array.shape, strict=True))
    centre = as_vector(function, "mean", mean, per_row, per_row)[:rows, None]
    deviation = as_vector(function, "inv_std", inv_std, per_row, per_row)[:rows, None]
    weights = as_vector(function, "weight", weight, shape, layout.kept, 1.0)[:length]
    wide_dy, wide_x = (layout.read(a).reshape(rows, length).astype(np.float64) for a in (gradient, array))
    with np.errstate(all="ignore"):
        xhat = (wide_x - centre) * deviation
        g = wide_dy * weights
        wide = g - xhat * (g * xhat).mean(1, keepdims=True)
        if task == "layer":
            wide -= g.mean(1, keepdims=True)
        result = Result(function, None, array, layout)
        result.target[...] = (wide * deviation).reshape(result.target.shape)
        sums = (wide_dy * xhat).sum(0), wide_dy.sum(0)
    dweight, dbias = (as_weight_gradient(total, weight, shape, array.dtype) for total in sums)
    return result.finish(), dweight, dbias


def rows_gradient(
    task: Literal["layer", "rms"],
    dy: Any,
    x: Any,
    weight: Any,
    eps: Any,
    axis: Any,
    mean: Any = None,
    inv_std: Any = None,
) -> tuple[Array, Array, Array]:
    """Gradients by x, weight and bias."""
    function = f"{task}_norm_grad"
    if inv_std is not None and (mean is not None or task == "rms"):
        return gradient_from_statistics(task, dy, x, weight, axis, mean, inv_std)
    if mean is not None or inv_std is not None:
        raise TypeError(f"{function}: mean and inv_std must be given together")
    axis = as_integers(function, axis)
    array, gradient = as_operands(function, dy, x)
    layout, shape = row_layout(function, array, axis)
    rows, _, length = layout.split
    blocks = -(-rows // BLOCK_ROWS)
    vectors = {"weight": as_vector(function, "weight", weight, shape, layout.kept, 1.0)} | zero_sums(blocks, length)
    eps = as_eps(function, eps, array.dtype)
    result = Result(function, None, array, layout)
    arrays = {"x": layout.read(array), "dy": layout.read(gradient), "out": result.target}
    run(f"{task}_grad", layout, arrays, vectors, eps)
    run("join_sums", layout, arrays, vectors)
    dbias, dweight = (as_weight_gradient(row, weight, shape, array.dtype) for row in vectors["total"][:2])
    return result.finish(), dweight, dbias
