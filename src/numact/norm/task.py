"""The call of the kernels: every function of `numact.norm` is one or more tasks of csrc/loops/norm/tasks.h."""

from __future__ import annotations

import numpy as np

from numact._kernels import core, targets
from numact.norm.layout import Array, Doubles, Layout

# Elements beyond the end of a float64 vector that kernels may load, because they load whole SIMD vectors.
PADDING = core.PADDING


def run(
    task: str,
    layout: Layout,
    arrays: dict[str, Array],
    vectors: dict[str, Doubles],
    eps: float = 0.0,
    activation: tuple[str, Array] | None = None,
) -> None:
    """Run a task by its name.

    Parameters
    ----------
    task : str
        Name in csrc/loops/norm/tasks.h.
    layout : Layout
        That of the arrays.
    arrays : dict of str to ndarray
        "x", "dy" and "out", as far as the task needs them, as samples x channels x positions.
    vectors : dict of str to ndarray
        float64 vectors with `PADDING`, under their names in ``struct numact_norm``.
    eps : float, default 0.0
        Added to variances.
    activation : tuple of str and ndarray, optional
        Name and parameters of the activation that the task applies to its result.

    """
    core.run_norm_task(targets.LEVEL, task, layout.across, arrays, vectors, eps, activation)


def zero_sums(parts: int, length: int) -> dict[str, Doubles]:
    """Vectors for a task that sums over each part (a sample, or a block of rows) and one that joins the parts.

    Both are set to 0.  Each of the four rows of a part and of the total has a number for each element; what they stand
    for is written beside the tasks.
    """
    return {"partial": np.zeros((parts, 4, length + PADDING)), "total": np.zeros((4, length + PADDING))}
