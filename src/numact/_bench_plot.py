"""The picture of ``python -m numact bench``."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from numact.bench import Speed

NAMES = {"numpy": "NumPy", "torch": "PyTorch", "jax": "JAX", "onnxruntime": "ONNX Runtime"}
WIDTH, ROW, MARGIN = 11.0, 0.15, 1.3  # inches: of the picture, of a bar, and above and below the panels


def formats() -> list[str]:
    """What files may end in."""
    return sorted(Figure().canvas.get_supported_filetypes())


def draw(results: list[Speed], size: int, threads: int) -> Figure:
    """A row of panels for each dtype, activations on the left, gradients on the right: a bar for each library."""
    libraries = list(dict.fromkeys(library for r in results for library in r.elements_per_second))
    colours = dict(zip(libraries, mpl.color_sequences["tab10"], strict=False))
    kinds = list(dict.fromkeys(r.dtype for r in results))
    panels = {
        kind: [[r for r in results if r.dtype == kind and ("_grad" in r.function) == side] for side in (False, True)]
        for kind in kinds
    }
    heights = [max(sum(len(r.elements_per_second) + 1 for r in panel) for panel in panels[kind]) for kind in kinds]
    figure = Figure(figsize=(WIDTH, ROW * sum(heights) + MARGIN * len(kinds)), layout="constrained")
    axes = figure.subplots(len(kinds), 2, squeeze=False, height_ratios=heights)
    for (kind, both), row, height in zip(panels.items(), axes, heights, strict=True):
        for panel, axis, title in zip(both, row, ("forward", "gradient"), strict=True):
            axis.set_visible(bool(panel))
            axis.set_title(f"{title}, {kind}", loc="left", fontweight="bold")
            place, ticks = 0.0, []
            for r in panel:
                rates = r.elements_per_second
                places = place + np.arange(len(rates))
                values = [rate / 1e9 for rate in rates.values()]
                axis.barh(places, values, height=1, color=[colours[library] for library in rates])
                ticks.append(float(places.mean()))
                place += len(rates) + 1
            axis.set_yticks(ticks, [r.function for r in panel])
            axis.tick_params(axis="y", length=0)
            axis.set_ylim(height - 0.5, -1)
            axis.grid(axis="x", color="0.9", linewidth=0.8)
            axis.set_axisbelow(True)
            axis.spines[["top", "right", "left"]].set_visible(False)
            axis.set_xlabel("G elements/s")
            if panel:
                copy = median(r.copy for r in panel) / 1e9
                axis.axvline(copy, color="0.25", linewidth=1.2, linestyle="--")
    names = [NAMES.get(library, library) for library in libraries]
    handles: list[mpl.artist.Artist] = [mpl.patches.Patch(color=colours[library]) for library in libraries]
    handles.append(mpl.lines.Line2D([], [], color="0.25", linewidth=1.2, linestyle="--"))
    title = f"{size:,} elements, {threads} thread{'s' if threads > 1 else ''}"
    figure.legend(
        handles,
        [*names, "np.copyto"],
        title=title,
        loc="outside upper left",
        ncols=len(handles),
        frameon=False,
        alignment="left",
    )
    return figure
