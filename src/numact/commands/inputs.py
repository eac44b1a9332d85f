"""Inputs and parameters with which the tests, ``verify`` and ``bench`` call the functions."""

import math
from functools import cache
from typing import Any

import numpy as np

from numact._functions.catalogue import Activation

Array = np.ndarray[Any, np.dtype[Any]]

# Points where a formula changes branch, a result becomes zero, subnormal, one or infinite, or a gradient has a root.
POINTS = [
    *(0.7511542554412889, 0.7524614220710163, 0.7861513777574233, 1.1924312145154952, 1.40625),
    *(0.25, 0.5, 0.5625, 0.7517915246935645, 1.0, 1.278464542761074, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 20.0, 128.0, 1e18),
    *(13.0, 13.2, 13.4, 14.0, 14.2, 14.5, 16.6355, 17.3287, 43.66, 44.36, 51.98, 87.3365, 88.3763, 88.7228, 103.2789),
    *(103.972, 104.67, 106.0, 108.6, 110.0, 33.27, 36.04, 36.74, 37.5, 37.68, 38.48, 38.57, 372.6, 354.2, 708.396),
    *(87.5681, 709.7827, 744.44, 745.1332, 752.0, 760.0),
]

# Arguments published as the hardest to round of exp and expm1 in float64 (Lefèvre and Muller, "Worst cases for correct
# rounding of the elementary functions in double precision", 2001, and later lists).
HARD = [
    *("0x1.79289c6e6a5cp-2", "0x1.05de80a173eap-2", "0x1.a7b764e2cf47ap-2", "0x1.83d4bcdebb3f4p+2"),
    *("0x1.eb7a4cb841fccp-14", "0x1.9a61fb925970dp-14", "0x1.757852a4b93aap+5", "0x1.4c19e5712e377p+5"),
    *("0x1.9a74cdab36c28p+4", "0x1.5b3e4e2e3bba9p+9", "0x1.6960d591aec34p+9", "0x1.6232c09d58d91p+9"),
    *("0x1.74910d52d3051p+9", "0x1.67a172ceb099p+9", "0x1.465655f122ff6p-49", "0x1.bc8ee6b28659ap-46"),
]

# Values of the parameters that have no default.
CHOSEN = {"threshold": 0.5, "value": -2.0}


def parameter_sets(row: Activation) -> list[list[float]]:
    """Two sets of parameters to check with, the defaults and others; both obey the rules of the row."""
    first = [CHOSEN[name] if default is None else default for name, default in row.parameters]
    return [first, [4.5 if value == math.inf else 0.7 * value or 0.3 for value in first]] if first else [[]]


def of_parameters(dtype: Any) -> Any:
    """The type of parameters beside arrays of a dtype."""
    return np.float32 if np.dtype(dtype).itemsize == 2 else dtype


def unsigned(dtype: Any) -> Any:
    """The unsigned integer type as wide as dtype."""
    return {2: np.uint16, 4: np.uint32, 8: np.uint64}[np.dtype(dtype).itemsize]


@cache
def critical(dtype: Any, radius: int, multiples: int) -> Array:
    """The numbers of both signs within `radius` ULP of a critical point or of a multiple of log(2) / 2."""
    info = np.finfo(dtype)
    points = [0.0, info.smallest_subnormal, info.tiny, info.eps, info.max, math.sqrt(info.max), math.sqrt(info.tiny)]
    points += [*POINTS, *(k * math.log(2) / 2 for k in range(1, multiples))]
    finite = [point for point in points if point <= float(info.max)]
    patterns = np.array(finite, dtype).view(unsigned(dtype)).astype(np.int64)[:, None] + np.arange(-radius, radius + 1)
    limit = int(np.array(info.max, dtype).view(unsigned(dtype)))
    positive = np.unique(patterns[(patterns >= 0) & (patterns <= limit)]).astype(unsigned(dtype)).view(dtype)
    return np.concatenate([positive, -positive])


@cache
def stratified(dtype: Any, count: int, seed: int = 0) -> Array:
    """Random finite numbers: of any exponent, of exponents around 1, and uniform in [-40, 40]."""
    rng = np.random.default_rng(seed)
    third = count // 3
    width = np.dtype(dtype).itemsize * 8
    any_exponent = rng.integers(0, 2**width, 2 * third, unsigned(dtype)).view(dtype)
    any_exponent = any_exponent[np.isfinite(any_exponent)][:third]
    moderate = np.exp2(rng.uniform(-12, 11, third)) * rng.choice([-1, 1], third)
    return np.concatenate([any_exponent, moderate.astype(dtype), rng.uniform(-40, 40, third).astype(dtype)])


@cache
def ends_of_exponents(dtype: Any) -> Array:
    """The first two and the last number of every exponent, including zeros, subnormals, infinities and NaN."""
    mantissa = int(np.finfo(dtype).nmant)
    exponents = np.arange(2 ** (np.dtype(dtype).itemsize * 8 - mantissa), dtype=np.uint64) << np.uint64(mantissa)
    ends = np.array([0, 1, 2**mantissa - 1], np.uint64)
    patterns: Array = (exponents[:, None] | ends).ravel().astype(unsigned(dtype)).view(dtype)
    return patterns
