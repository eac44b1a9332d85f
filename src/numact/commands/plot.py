"""The command ``python -m numact plot``: curves of activations, and of their derivatives."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from numact._functions import names
from numact._functions.catalogue import catalogue
from numact._functions.derivative import derivative
from numact._functions.names import FUNCTIONS
from numact.commands.selection import UsageError, output_path

POINTS = 4001
STEEPEST = 20.0  # what rises faster between two points is a jump, and is not joined by a line
SUFFIXES = (".png", ".svg", ".pdf")


def run(given: Sequence[str], with_derivative: bool, between: Sequence[float], output: str) -> int:
    """Draw the curves to a file; the exit code is 0, or 2 for a wrong argument."""
    try:
        curves = [_curve(name) for name in given]
        path = output_path("plot: --output", output, SUFFIXES)
        low, high = _interval(between)
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        import matplotlib
    except ModuleNotFoundError:
        print('The plot needs matplotlib, which is not installed: pip install "numact[plot]"', file=sys.stderr)
        return 2
    matplotlib.use("Agg")
    _draw(curves, with_derivative, np.linspace(low, high, POINTS), path)
    print(path)
    return 0


def _curve(name: str) -> tuple[str, str, dict[str, Any]]:
    """The label, the name and the parameters of an elementwise activation."""
    try:
        public, parameters = names.find(name)
    except (TypeError, ValueError) as error:
        raise UsageError(f"plot: {error}") from None
    row = next((row for row in catalogue() if row.name == public and row.family == "elementwise"), None)
    if row is None:
        raise UsageError(f"plot: {name!r} is no elementwise activation")
    if missing := [key for key, value in row.parameters if value is None and key not in parameters]:
        raise UsageError(
            f"plot: {public} needs {' and '.join(missing)}, as in {public}({', '.join(['0.5'] * len(missing))})"
        )
    label = ", ".join(f"{key}={value:g}" for key, value in parameters.items())
    return f"{public}({label})" if label else public, public, parameters


def _interval(between: Sequence[float]) -> tuple[float, float]:
    low, high = between
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise UsageError(f"plot: --range must be two finite numbers, the lower one first, got {low:g} {high:g}")
    return low, high


def _cut(y: Any, step: float) -> Any:
    """The values with a gap where they jump."""
    y = np.array(y, np.float64)
    y[1:][np.abs(np.diff(y)) > STEEPEST * step] = np.nan
    return y


def _draw(curves: Sequence[tuple[str, str, dict[str, Any]]], with_derivative: bool, x: Any, path: Path) -> None:
    from matplotlib import pyplot

    step = float(x[1] - x[0])
    figure, axes = pyplot.subplots(figsize=(7, 4.5), layout="constrained")
    axes.axhline(0, color="#cccccc", linewidth=0.8, zorder=0)
    axes.axvline(0, color="#cccccc", linewidth=0.8, zorder=0)
    for label, name, parameters in curves:
        with np.errstate(all="ignore"):
            (line,) = axes.plot(x, _cut(FUNCTIONS[name](x, **parameters), step), linewidth=2, label=label)
            if with_derivative:
                slope = derivative(name, **parameters)(x)
                axes.plot(
                    x, _cut(slope, step), "--", color=line.get_color(), linewidth=1.4, label=f"{label}, derivative"
                )
    axes.set(xlabel="x", ylabel="f(x), f '(x)" if with_derivative else "f(x)", xlim=(x[0], x[-1]))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=150)
    pyplot.close(figure)
