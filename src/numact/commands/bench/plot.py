"""The picture of ``python -m numact bench``."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from numact.commands.bench.measure import Speed

# The libraries in the order of their bars: name and colour.
LIBRARIES = {
    "numact": ("numact", "#1f5fa8"),
    "numpy": ("NumPy", "#9c9c9c"),
    "torch": ("PyTorch", "#e07b39"),
    "jax": ("JAX", "#6aa84f"),
    "onnxruntime": ("ONNX Runtime", "#a07cc5"),
}
WIDTH, BAR, MARGIN = 11.0, 0.13, 1.3  # inches: of the picture, of a bar, and above and below the panels


def formats() -> list[str]:
    """The file name extensions that matplotlib can write."""
    return sorted(Figure().canvas.get_supported_filetypes())


def draw(results: list[Speed], size: int, threads: int) -> Figure:
    """A row of two panels for each dtype, activations and gradients, with a bar for each library."""
    libraries = [library for library in LIBRARIES if any(library in r.elements_per_second for r in results)]
    kinds = list(dict.fromkeys(r.dtype for r in results))
    panels = {
        kind: [[r for r in results if r.dtype == kind and ("_grad" in r.function) == side] for side in (False, True)]
        for kind in kinds
    }
    spacing = len(libraries) + 1  # from one function to the next, in bars
    heights = [max(map(len, panels[kind])) * spacing for kind in kinds]
    figure = Figure(figsize=(WIDTH, BAR * sum(heights) + MARGIN * len(kinds)), layout="constrained")
    axes = figure.subplots(len(kinds), 2, squeeze=False, height_ratios=heights)
    for (kind, both), row, height in zip(panels.items(), axes, heights, strict=True):
        for panel, axis, title in zip(both, row, ("forward", "gradient"), strict=True):
            axis.set_visible(bool(panel))
            axis.set_title(f"{title}, {kind}", loc="left", fontweight="bold")
            for number, r in enumerate(panel):
                for position, library in enumerate(libraries, number * spacing):
                    rate = r.elements_per_second.get(library, 0.0)
                    axis.barh(position, rate / 1e9, height=1, color=LIBRARIES[library][1])
            middle = (len(libraries) - 1) / 2
            axis.set_yticks([number * spacing + middle for number in range(len(panel))], [r.function for r in panel])
            axis.tick_params(axis="y", length=0)
            axis.set_ylim(height - 1, -1)
            axis.grid(axis="x", color="0.9", linewidth=0.8)
            axis.set_axisbelow(True)
            axis.spines[["top", "right", "left"]].set_visible(False)
            axis.set_xlabel("G elements/s")
            if panel:
                copy = median(r.copy for r in panel) / 1e9
                axis.axvline(copy, color="0.25", linewidth=1.2, linestyle="--")
    names, colours = zip(*(LIBRARIES[library] for library in libraries), strict=True)
    handles: list[mpl.artist.Artist] = [mpl.patches.Patch(color=colour) for colour in colours]
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
