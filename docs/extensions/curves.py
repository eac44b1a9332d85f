"""The curves of the gallery as SVG, readable on light and dark pages."""

import io
from functools import cache

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import numact

# Parameters to draw with, where there is no default or it shows little.
CHOSEN: dict[str, dict[str, float]] = {
    "leaky_relu": {"negative_slope": 0.1},
    "threshold": {"threshold": 1.0, "value": -1.0},
}
# Those that are drawn as the function of one array, the other operand being fixed.
GATED = ("glu", "swiglu", "geglu", "geglu_tanh", "reglu")
LIKE = {"prelu": ("leaky_relu", {"negative_slope": 0.25}), "rrelu": ("leaky_relu", {"negative_slope": 11 / 48})}
INK, CURVE, DERIVATIVE = "#808890", "#2f7fd0", "#e08a2e"


@cache
def elementwise() -> dict[str, dict[str, float]]:
    """Names of the elementwise functions, with the parameters that have a default."""
    rows = (row for row in numact.catalogue() if row.family == "elementwise")
    return {row.name: {name: default for name, default in row.parameters if default is not None} for row in rows}


def has_curve(name: str) -> bool:
    """Whether a function has a curve."""
    return name in elementwise() or name in GATED or name in LIKE


def jumps_cut(y: npt.NDArray[np.float64], at: float = 0.2) -> npt.NDArray[np.float64]:
    """Return y with a gap where it jumps, so that no line joins the two sides."""
    cut = y.copy()
    cut[1:][np.abs(np.diff(y)) > at] = np.nan
    return cut


def sampled(name: str, x: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Values and derivative; of gates those by the gate, the other operand being 1."""
    one = np.ones_like(x)
    if name == "glu":
        return numact.glu(one, x), numact.glu_grad(one, one, x)[1]
    if name in GATED:
        return getattr(numact, name)(x, one), getattr(numact, f"{name}_grad")(one, x, one)[0]
    function, parameters = LIKE.get(name, (name, {**elementwise().get(name, {}), **CHOSEN.get(name, {})}))
    return getattr(numact, function)(x, **parameters), getattr(numact, f"{function}_grad")(one, x, **parameters)


def draw(axis: Axes, name: str, x: npt.NDArray[np.float64]) -> None:
    """Both curves into a panel."""
    y, slope = sampled(name, x)
    axis.axhline(0, color=INK, linewidth=0.7, alpha=0.6, zorder=0)
    axis.axvline(0, color=INK, linewidth=0.7, alpha=0.6, zorder=0)
    axis.plot(x, jumps_cut(slope), color=DERIVATIVE, linewidth=1.6, label="f'(x)")
    axis.plot(x, jumps_cut(y), color=CURVE, linewidth=2.2, label="f(x)")


def svg(name: str) -> str:
    """The picture of a function; the same bytes each time."""
    with mpl.rc_context({"svg.hashsalt": name, "svg.fonttype": "path", "font.size": 9}):
        figure = Figure(figsize=(4.2, 3.0), layout="constrained")
        axis = figure.subplots()
        x = np.linspace(-5, 5, 1001)
        draw(axis, name, x)
        low, high = axis.get_ylim()
        axis.set(xlim=(-5, 5), ylim=(max(low, -3), min(max(high, 1.2), 5)), xlabel="x")
        axis.xaxis.label.set_color(INK)
        axis.tick_params(colors=INK, length=0)
        axis.spines[:].set_visible(False)
        axis.legend(frameon=False, labelcolor=INK, loc="best")
        stream = io.StringIO()
        figure.savefig(
            stream, format="svg", transparent=True, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type"))
        )
        return stream.getvalue()
