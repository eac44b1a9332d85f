"""Draw docs/curves.png: every activation of the catalogue and its derivative.

Run: pip install ".[docs]" && python docs/plot_curves.py
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from extensions.curves import CHOSEN, jumps_cut, sampled
from matplotlib.layout_engine import ConstrainedLayoutEngine

import numact

COLUMNS = 6
INK, CURVE, DERIVATIVE = "#333333", "#1f5fa8", "#d9822b"


def main() -> None:
    """Write the picture beside this script."""
    rows = [row for row in numact.catalogue() if row.family == "elementwise"]
    x = np.linspace(-5, 7.5, 2501)
    lines = -(-(len(rows) + 1) // COLUMNS)  # the last panel holds the legend
    figure, axes = plt.subplots(
        lines,
        COLUMNS,
        figsize=(13, 2.1 * lines),
        sharex=True,
        sharey=True,
        layout=ConstrainedLayoutEngine(wspace=0.04, hspace=0.06),
    )
    for axis in axes.flat[len(rows) :]:
        axis.set_axis_off()
    for axis, row in zip(axes.flat, rows, strict=False):
        parameters = {**dict(row.parameters), **CHOSEN.get(row.name, {})}
        label = "\n".join(f"{name} {value:g}" for name, value in parameters.items())
        forward, gradient = sampled(row.name, x)
        axis.axhline(0, color="#bbbbbb", linewidth=0.8, zorder=0)
        axis.axvline(0, color="#bbbbbb", linewidth=0.8, zorder=0)
        axis.plot(x, forward, color=CURVE, linewidth=2, label="f(x)")
        axis.plot(x, jumps_cut(gradient), color=DERIVATIVE, linewidth=1.6, label="f '(x)")
        axis.set(xlim=(-5, 7.5), ylim=(-1.4, 6.6), xticks=[-4, 0, 4], yticks=[0, 2, 4, 6])
        axis.set_title(row.name, loc="left", fontsize=11, color=INK, fontweight="bold", pad=4)
        axis.text(0.02, 0.98, label, transform=axis.transAxes, va="top", fontsize=8, color="#777777")
        axis.tick_params(colors="#777777", labelsize=8.5, length=0)
        axis.tick_params(labelbottom=True)
        axis.spines[:].set_visible(False)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    axes.flat[-1].legend(handles, labels, loc="center", frameon=False, fontsize=13, labelcolor=INK)
    figure.savefig(Path(__file__).with_name("curves.png"), dpi=130)


if __name__ == "__main__":
    main()
