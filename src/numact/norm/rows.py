"""What layer and RMS normalisation share: rows of everything along the axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from numact._kernels import core, targets
from numact.norm.arguments import (
    BEYOND,
    BLOCK_ROWS,
    Doubles,
    as_activation,
    as_eps,
    as_operands,
    as_vector,
    as_weight_gradient,
    float_array,
)
from numact.norm.layout import Array, Layout, Result, row_layout

if TYPE_CHECKING:
    pass


def run(
    task: str,
    layout: Layout,
    arrays: dict[str, Array],
    vectors: dict[str, Doubles],
    eps: float = 0.0,
    activation: tuple[str, Array] | None = None,
) -> None:
    """Run a task of csrc/loops/norm/tasks.h."""
    core.run_norm_task(targets.LEVEL, task, layout.across, arrays, vectors, eps, activation)


def normalise_rows(
    task: Literal["layer", "rms"], x: Any, weight: Any, bias: Any, eps: Any, axis: Any, activation: Any, out: Any
) -> Array:
    function = f"{task}_norm"
    array = float_array(function, "x", x)
    layout, shape = row_layout(function, array, axis)
    # -0 changes no sum.
    vectors = {
        "weight": as_vector(function, "weight", weight, shape, 1.0),
        "bias": as_vector(function, "bias", bias, shape, -0.0),
    }
    eps = as_eps(function, eps, array.dtype)
    fused = as_activation(function, activation, array.dtype)
    result = Result(function, out, array, layout)
    run(task, layout, {"x": result.input(array), "out": result.target}, vectors, eps, fused)
    return result.finish()


def rows_gradient(
    task: Literal["layer", "rms"], dy: Any, x: Any, weight: Any, eps: Any, axis: Any
) -> tuple[Array, Array, Array]:
    """Gradients by x, by weight and by bias."""
    function = f"{task}_norm_grad"
    array, gradient = as_operands(function, dy, x)
    layout, shape = row_layout(function, array, axis)
    blocks, length = -(-layout.split[0] // BLOCK_ROWS), layout.split[2] + BEYOND
    vectors = {
        "weight": as_vector(function, "weight", weight, shape, 1.0),
        "partial": np.zeros((blocks, 4, length)),
        "total": np.zeros((4, length)),
    }
    eps = as_eps(function, eps, array.dtype)
    result = Result(function, None, array, layout)
    arrays = {"x": layout.read(array), "dy": layout.read(gradient), "out": result.target}
    run(f"{task}_grad", layout, arrays, vectors, eps)
    run("join_sums", layout, arrays, vectors)
    dbias, dweight = (as_weight_gradient(row, weight, shape, array.dtype) for row in vectors["total"][:2])
    return result.finish(), dweight, dbias
