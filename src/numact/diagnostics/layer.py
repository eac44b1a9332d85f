"""What a monitor knows of one layer, in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from numact.diagnostics.layout import Array
from numact.diagnostics.summary import Summary

if TYPE_CHECKING:
    pass


@dataclass
class Layer:
    """What is known of a layer: `history` has a record for every `stride` updates."""

    activation: str | None
    shape: tuple[int, ...]
    updates: int = 0
    stride: int = 1
    history: list[Summary] = field(default_factory=list)
    silent: Array = field(default_factory=lambda: np.zeros(0, np.int64))  # updates since a unit was last not zero
    sample: Array = field(default_factory=lambda: np.zeros(0))

    def add(self, summary: Summary, longest: int) -> None:
        """Add the statistics of an update; where the history becomes too long, join neighbours."""
        if self.updates % self.stride:
            self.history[-1] = joined(self.history[-1], summary)
        else:
            self.history.append(summary)
        self.updates += 1
        while len(self.history) > longest:
            self.coarsen()

    def coarsen(self) -> None:
        """Join the records in pairs."""
        pairs = [self.history[i : i + 2] for i in range(0, len(self.history), 2)]
        self.history = [joined(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
        self.stride *= 2


def joined(first: Summary, second: Summary) -> Summary:
    """Statistics of both; the dead fraction is that of the second, which looks back."""
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
