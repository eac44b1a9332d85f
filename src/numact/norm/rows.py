"""Normalisation of rows, which layer and RMS normalisation share: checks, layout and tasks."""

from __future__ import annotations

from typing import Any, Literal

from numact.norm.arguments import (
    as_activation,
    as_eps,
    as_operands,
    as_vector,
    as_weight_gradient,
    float_array,
)
from numact.norm.layout import Array, Result, row_layout
from numact.norm.task import run, zero_sums

# Sums over rows are taken in blocks of this many, whatever the number of threads, as csrc/loops/norm does.
BLOCK_ROWS = 64


def normalise_rows(
    task: Literal["layer", "rms"], x: Any, weight: Any, bias: Any, eps: Any, axis: Any, activation: Any, out: Any
) -> Array:
    """Normalise, scale and shift each row, and apply the activation."""
    function = f"{task}_norm"
    array = float_array(function, "x", x)
    layout, shape = row_layout(function, array, axis)
    vectors = {
        "weight": as_vector(function, "weight", weight, shape, 1.0),
        "bias": as_vector(function, "bias", bias, shape, -0.0),  # z + -0 is z, also if z is -0
    }
    eps = as_eps(function, eps, array.dtype)
    fused = as_activation(function, activation, array.dtype)
    result = Result(function, out, array, layout)
    run(task, layout, {"x": result.input(array), "out": result.target}, vectors, eps, fused)
    return result.finish()


def rows_gradient(
    task: Literal["layer", "rms"], dy: Any, x: Any, weight: Any, eps: Any, axis: Any
) -> tuple[Array, Array, Array]:
    """Gradients by x, weight and bias."""
    function = f"{task}_norm_grad"
    array, gradient = as_operands(function, dy, x)
    layout, shape = row_layout(function, array, axis)
    rows, _, length = layout.split
    blocks = -(-rows // BLOCK_ROWS)
    vectors = {"weight": as_vector(function, "weight", weight, shape, 1.0)} | zero_sums(blocks, length)
    eps = as_eps(function, eps, array.dtype)
    result = Result(function, None, array, layout)
    arrays = {"x": layout.read(array), "dy": layout.read(gradient), "out": result.target}
    run(f"{task}_grad", layout, arrays, vectors, eps)
    run("join_sums", layout, arrays, vectors)
    dbias, dweight = (as_weight_gradient(row, weight, shape, array.dtype) for row in vectors["total"][:2])
    return result.finish(), dweight, dbias
