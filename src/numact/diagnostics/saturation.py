"""The bounds beyond which the output of an activation is saturated."""

from __future__ import annotations

import math
import re
from functools import cache
from typing import Any

from numact._functions.catalogue import catalogue

# An output is saturated within this fraction of the range from either end of it.
MARGIN = 0.01
ELEMENTWISE = {row.name: row for row in catalogue() if row.family == "elementwise"}
UNBOUNDED = (-math.inf, math.inf)
CLIPPED = ("hard_tanh", "clipped_linear")  # their parameters are their range
FINITE_RANGE = re.compile(r"[\[(](-?[\d.]+), (-?[\d.]+)[\])]")


def saturated_beyond(activation: str | None, parameters: dict[str, Any]) -> tuple[float, float]:
    """Bounds of saturation, near the ends of the range; infinite where the range is not bounded at both ends."""
    if activation not in CLIPPED:
        return bounds_of(activation)
    given = {**dict(ELEMENTWISE[activation].parameters), **parameters}
    return bounds_within(given["min_val"], given["max_val"])


@cache
def bounds_of(activation: str | None) -> tuple[float, float]:
    """The same for an activation whose range does not depend on parameters."""
    if activation not in ELEMENTWISE or activation == "relu6":  # whose lower end is 0, as that of relu
        return UNBOUNDED
    match = FINITE_RANGE.fullmatch(ELEMENTWISE[activation].range)
    return bounds_within(float(match[1]), float(match[2])) if match else UNBOUNDED


def bounds_within(low: Any, high: Any) -> tuple[float, float]:
    """The same for a range from low to high."""
    if not all(isinstance(end, float | int) and math.isfinite(end) for end in (low, high)):
        return UNBOUNDED
    margin = MARGIN * (high - low)
    return float(low + margin), float(high - margin)
