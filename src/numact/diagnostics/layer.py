"""The record of one layer in bounded memory: a history of summaries and a sample of the outputs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from numact.diagnostics.layout import Array
from numact.diagnostics.summary import Summary

# Number of elements of the last batch that are kept for the histogram, in contiguous runs of RUN: beyond the cache,
# reading a single element takes nearly as long as a run.
SAMPLE, RUN = 2048, 64


@dataclass
class Layer:
    """The record of a layer.

    Attributes
    ----------
    activation : str or None
        Name of the activation.
    shape : tuple of int
        Shape of the units.
    updates : int
        Number of updates.
    stride : int
        Number of updates that a summary in `history` stands for.
    history : list of Summary
        Joined statistics of each `stride` updates, the last one possibly of fewer.
    silent : ndarray of int64
        Number of updates since each unit was last not zero.
    sample : ndarray
        Elements of the last batch.

    """

    activation: str | None
    shape: tuple[int, ...]
    updates: int = 0
    stride: int = 1
    history: list[Summary] = field(default_factory=list)
    silent: Array = field(default_factory=lambda: np.zeros(0, np.int64))
    sample: Array = field(default_factory=lambda: np.zeros(0))

    def copy(self) -> Layer:
        """A record whose changes leave this one as it is."""
        return replace(self, history=list(self.history), silent=self.silent.copy())

    def add(self, summary: Summary, longest: int) -> None:
        """Add the statistics of an update; a history of more than `longest` records is joined in pairs."""
        if self.updates % self.stride:
            self.history[-1] = joined(self.history[-1], summary)
        else:
            self.history.append(summary)
        self.updates += 1
        while len(self.history) > longest:
            self.coarsen()

    def coarsen(self) -> None:
        """Join the records of the history in pairs."""
        pairs = [self.history[i : i + 2] for i in range(0, len(self.history), 2)]
        self.history = [joined(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
        self.stride *= 2


def joined(first: Summary, second: Summary) -> Summary:
    """Statistics of both together; the dead fraction is that of the second, which already covers the window."""
    size = first.size + second.size
    finite = [s.size * max(1 - s.nan_fraction - s.infinite_fraction, 0.0) for s in (first, second)]
    mean, variance = first.mean, first.variance
    if not finite[0]:
        mean, variance = second.mean, second.variance
    elif finite[1]:
        share = finite[1] / (finite[0] + finite[1])
        difference = second.mean - first.mean
        mean += share * difference
        variance += share * (second.variance - first.variance) + share * (1 - share) * difference * difference

    def mixed(name: str) -> float:
        values = (s.size * float(getattr(s, name)) for s in (first, second))
        return sum(values) / size

    return Summary(
        size,
        mean,
        variance,
        mixed("zero_fraction"),
        second.dead_fraction,
        mixed("saturated_fraction"),
        mixed("nan_fraction"),
        mixed("infinite_fraction"),
    )


def sample_of(y: Array) -> Array:
    """A copy of at most SAMPLE elements, spread evenly over an array."""
    if not y.flags.forc:
        return np.asarray(y[np.unravel_index(np.linspace(0, y.size - 1, min(y.size, SAMPLE)).astype(np.intp), y.shape)])
    flat = y.ravel(order="K")
    if y.size <= SAMPLE:
        return flat.copy()
    runs = flat[: y.size // RUN * RUN].reshape(-1, RUN)
    return runs[:: -(-len(runs) // (SAMPLE // RUN))].flatten()
