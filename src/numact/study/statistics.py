"""Effects of paired seeds, their intervals, and the rule by which an interval becomes a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Verdict = Literal["supported", "not supported", "open", "depends"]
CONFIDENCE = 0.95
RESAMPLES = 4999
RULE = (
    "Each effect is a mean over paired seeds with a 95 % bootstrap interval. "
    "Supported: the whole interval is above the threshold, which is the least effect that would matter. "
    "Not supported: the whole interval is below it. Open: the interval holds the threshold, or there are fewer than "
    "five seeds. For a claim that something makes no difference, the interval must lie within the threshold on both "
    "sides. A question is decided if all its effects are; it depends if some are supported and some are not."
)
LEAST_SEEDS = 5


@dataclass(frozen=True)
class Interval:
    """A mean with its bootstrap interval, and the standardised effect (mean over deviation)."""

    mean: float
    low: float
    high: float
    standardised: float
    count: int


def interval(effects: Sequence[float]) -> Interval:
    """The interval of the mean of effects, by the percentile bootstrap; the same each time."""
    from scipy.stats import bootstrap

    values = np.asarray(effects, np.float64)
    mean, deviation = float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else 0.0
    if len(values) < 2 or not np.isfinite(values).all() or deviation == 0:
        return Interval(mean, mean, mean, 0.0 if mean == 0 or not deviation else mean / deviation, len(values))
    found = bootstrap(
        (values,), np.mean, confidence_level=CONFIDENCE, n_resamples=RESAMPLES, method="percentile", rng=0
    ).confidence_interval
    return Interval(mean, float(found.low), float(found.high), mean / deviation, len(values))


def judge(found: Interval, threshold: float, kind: Literal["above", "within"] = "above") -> Verdict:
    """The verdict of an interval, by `RULE`."""
    if found.count < LEAST_SEEDS or not np.isfinite([found.low, found.high]).all():
        return "open"
    if kind == "within":
        if -threshold <= found.low and found.high <= threshold:
            return "supported"
        return "not supported" if found.high < -threshold or found.low > threshold else "open"
    if found.low > threshold:
        return "supported"
    return "not supported" if found.high < threshold else "open"


def joined(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict of a question from those of its effects, by `RULE`."""
    if {"supported", "not supported"} <= set(verdicts):
        return "depends"
    return verdicts[0] if len(set(verdicts)) == 1 else "open"


@dataclass(frozen=True)
class Effect:
    """A quantity of which the verdict of a question is made.

    Attributes
    ----------
    name : str
        What is compared, in words.
    data : str
        The data set.
    unit : str
        Of the values.
    values : tuple of float
        One for each seed; positive where the claim is right.
    threshold : float
        The least effect that would matter.
    kind : {"above", "within"}
        Whether the claim is that the effect is above the threshold, or that there is none.

    """

    name: str
    data: str
    unit: str
    values: tuple[float, ...]
    threshold: float
    kind: Literal["above", "within"] = "above"

    def judged(self) -> dict[str, Any]:
        """The effect with its interval and its verdict."""
        found = interval(self.values)
        return {
            "name": self.name,
            "data": self.data,
            "unit": self.unit,
            "threshold": self.threshold,
            "kind": self.kind,
            "mean": found.mean,
            "low": found.low,
            "high": found.high,
            "standardised": found.standardised,
            "seeds": found.count,
            "verdict": judge(found, self.threshold, self.kind),
        }
