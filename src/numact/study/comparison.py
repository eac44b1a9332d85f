"""Comparing activations on one's own data: `compare`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from numact._functions.public import set_module
from numact.study.checks import activation, count, items
from numact.study.data import Data, prepare
from numact.study.networks import Design
from numact.study.runner import one_thread
from numact.study.statistics import interval
from numact.study.training import run

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

DEFAULT = ("relu", "leaky_relu", "elu", "silu", "gelu", "tanh")


@dataclass(frozen=True)
class Row:
    """An activation at a depth, over all seeds.

    Attributes
    ----------
    activation : str
    depth : int
    scores : tuple of float
        Accuracy or R^2 on the test samples, a value for each seed.
    losses : tuple of float
        The last training loss.
    seconds : float
        Time of a training run, mean over the seeds.

    """

    activation: str
    depth: int
    scores: tuple[float, ...]
    losses: tuple[float, ...]
    seconds: float


@dataclass(frozen=True)
class Comparison:
    """What `compare` returns; it prints as a table, the best score first.

    Attributes
    ----------
    rows : tuple of Row
        For each activation and depth.
    score : str
        "accuracy" or "R^2".

    """

    rows: tuple[Row, ...]
    score: str

    def to_json(self) -> str:
        """All values as JSON."""
        return json.dumps(asdict(self), indent=2)

    def __str__(self) -> str:
        lines = [("activation", "depth", self.score, "95 % interval", "last loss", "seconds")]
        for row in sorted(self.rows, key=lambda row: -interval(row.scores).mean):
            found, loss = interval(row.scores), interval(row.losses)
            figures = (f"{found.mean:.4f}", f"{found.low:.4f} to {found.high:.4f}", f"{loss.mean:.3g}")
            lines.append((row.activation, str(row.depth), *figures, f"{row.seconds:.2f}"))
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        padded = ([cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines)
        return "\n".join("  ".join(cells).rstrip() for cells in padded)


@set_module("numact.study")
def compare(
    X: ArrayLike | Data,
    y: ArrayLike | None = None,
    *,
    activations: Sequence[str] = DEFAULT,
    depths: Sequence[int] = (2,),
    seeds: int = 5,
    width: int = 64,
    epochs: int = 20,
    rate: float = 0.05,
    adam: bool = False,
    **design: Any,
) -> Comparison:
    """Train networks that differ in their activation on the same data, with the same seeds.

    Parameters
    ----------
    X : array_like or Data
        Samples of shape (samples, features), or data that `read` or `load` returned.
    y : array_like, optional
        Classes (integers, booleans, strings) or numbers, of shape (samples,).
    activations : sequence of str, default relu, leaky_relu, elu, silu, gelu, tanh
        Names that `numact.get` knows, such as "leaky_relu(0.2)"; gated ones, "prelu" and "maxout", too.
    depths : sequence of int, default (2,)
        Numbers of hidden layers.
    seeds : int, default 5
        Runs of each; all activations share the seeds.
    width, epochs, rate, adam
        Units of a layer, passes over the data, learning rate, and whether Adam replaces momentum.
    **design
        Further fields of `Design`, such as ``norm="batch"`` or ``dropout=0.2``.

    Returns
    -------
    Comparison
        Prints as a table.

    Raises
    ------
    DataError
        For data that are missing, not finite, text, or of one class; it says where.
    ValueError
        For an activation that is unknown or none of a network's, and for other values that are not allowed; before
        anything is trained.

    See Also
    --------
    read : Data from a file.

    Notes
    -----
    Each seed has its own weights and order of samples; the samples to test on are the same.  A run has the same bits
    each time and for any number of threads.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(200, 4))
    >>> found = numact.study.compare(X, X[:, 0] > 0, activations=["relu", "tanh"], seeds=2, epochs=3)
    >>> sorted(row.activation for row in found.rows)
    ['relu', 'tanh']

    """
    names = [activation("compare", "activations", one) for one in items("compare", "activations", activations)]
    layers = [count("compare", "depths", depth, 1) for depth in items("compare", "depths", depths)]
    seeds, epochs = count("compare", "seeds", seeds, 1), count("compare", "epochs", epochs, 1)
    designs = [Design(name, depth=depth, width=width, **design) for name in names for depth in layers]
    data = X if isinstance(X, Data) else prepare(X, y)
    rows = []
    with one_thread():
        for wanted in designs:
            runs = [run(wanted, data, seed, epochs=epochs, rate=rate, adam=adam)[1] for seed in range(seeds)]
            scores, losses = tuple(r.score[-1] for r in runs), tuple(r.loss[-1] for r in runs)
            rows.append(Row(wanted.activation, wanted.depth, scores, losses, sum(r.seconds for r in runs) / seeds))
    return Comparison(tuple(rows), "accuracy" if data.classes else "R^2")
