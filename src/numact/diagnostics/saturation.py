"""Beyond which outputs an activation is saturated."""

from __future__ import annotations

import math
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from numact._functions.catalogue import catalogue

if TYPE_CHECKING:
    pass


# Within this part of its range of a bound, an output of a bounded activation is saturated.
MARGIN = 0.01
ELEMENTWISE = {row.name: row for row in catalogue() if row.family == "elementwise"}
UNBOUNDED = (-math.inf, math.inf)
CLIPPED = ("hard_tanh", "clipped_linear")  # whose range is that of their parameters
FINITE_RANGE = re.compile(r"[\[(](-?[\d.]+), (-?[\d.]+)[\])]")


def saturated_beyond(activation: str | None, parameters: dict[str, Any]) -> tuple[float, float]:
    """Bounds of saturation: near both ends of the range, where it has two."""
    if activation not in CLIPPED:
        return bounds_of(activation)
    given = {**dict(ELEMENTWISE[activation].parameters), **parameters}
    return bounds_within(given["min_val"], given["max_val"])


@cache
def bounds_of(activation: str | None) -> tuple[float, float]:
    """The same for a range that no parameters change."""
    if activation not in ELEMENTWISE or activation == "relu6":  # which is 0 as often as relu
        return UNBOUNDED
    match = FINITE_RANGE.fullmatch(ELEMENTWISE[activation].range)
    return bounds_within(float(match[1]), float(match[2])) if match else UNBOUNDED


def bounds_within(low: Any, high: Any) -> tuple[float, float]:
    """The same for a range with these ends."""
    if not all(isinstance(end, float | int) and math.isfinite(end) for end in (low, high)):
        return UNBOUNDED
    margin = MARGIN * (high - low)
    return float(low + margin), float(high - margin)
