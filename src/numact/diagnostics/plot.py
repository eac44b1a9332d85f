"""The figure of an `ActivationMonitor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from numact.diagnostics.layer import Layer

HEIGHT, WIDTH = 2.1, 10.5


def draw(layers: dict[str, Layer]) -> Figure:
    """A row for each layer: fractions over time, mean and deviation over time, outputs of the last batch."""
    figure = Figure(figsize=(WIDTH, HEIGHT * len(layers) + 0.6), layout="constrained")
    axes = figure.subplots(len(layers), 3, squeeze=False, width_ratios=(1.2, 1.2, 1))
    zeros, dead, saturated, mean = mpl.color_sequences["tab10"][:4]
    for row, (name, layer) in zip(axes, layers.items(), strict=True):
        fractions, moments, histogram = row
        updates = np.arange(len(layer.history)) * layer.stride + (layer.stride + 1) / 2
        marker = "o" if len(updates) == 1 else ""

        def series(field: str, layer: Layer = layer) -> NDArray[np.float64]:
            return np.array([getattr(record, field) for record in layer.history])

        for field, label, colour in (
            ("zero_fraction", "zeros", zeros),
            ("dead_fraction", "dead units", dead),
            ("saturated_fraction", "saturated", saturated),
        ):
            fractions.plot(updates, 100 * series(field), color=colour, label=label, marker=marker, linewidth=1.5)
        fractions.set_ylim(-4, 104)
        fractions.set_ylabel("%")
        centre, deviation = series("mean"), series("std")
        moments.fill_between(updates, centre - deviation, centre + deviation, color=mean, alpha=0.2, linewidth=0)
        moments.plot(updates, centre, color=mean, marker=marker, linewidth=1.5)
        moments.axhline(0, color="0.6", linewidth=0.8, zorder=0)
        sample = layer.sample.astype(np.float64)
        values = sample[np.isfinite(sample)]
        rest = values[values != 0]
        if rest.size:
            histogram.hist(rest, bins=40, weights=np.full(rest.size, 100 / values.size), color=mean, alpha=0.6)
        share = 100 * (1 - rest.size / values.size) if values.size else 0.0
        histogram.axvline(0, color="0.6", linewidth=0.8, zorder=0)
        histogram.text(0.97, 0.92, f"{share:.0f} % zeros", transform=histogram.transAxes, ha="right", va="top")
        histogram.set_ylabel("% of outputs")
        title = name if layer.activation is None else f"{name} ({layer.activation})"
        fractions.set_title(title, loc="left", fontweight="bold")
        for axis in row:
            axis.spines[["top", "right"]].set_visible(False)
            axis.margins(x=0.01)
        moments.set_title("mean ± standard deviation", fontsize="medium")
        histogram.set_title("outputs but 0, last batch", fontsize="medium")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=3, frameon=False)
    for axis in axes[-1, :2]:
        axis.set_xlabel("update")
    axes[-1, 2].set_xlabel("output")
    return figure
