"""Normalisation by its definition, in long double, and errors of results beside it."""

from typing import Any

import ml_dtypes
import numpy as np
from support.cases import Array

__all__ = ["assert_within", "bound_of", "data", "exact", "info_of", "normalised"]


def data(shape: tuple[int, ...], dtype: Any = np.float64, seed: int = 0, mean: float = 0, std: float = 1) -> Array:
    """Normal numbers."""
    return np.asarray(np.random.default_rng(seed).normal(mean, std, shape)).astype(dtype)


def info_of(dtype: Any) -> Any:
    """Limits and precision, also of bfloat16."""
    return ml_dtypes.finfo(dtype)  # type: ignore[no-untyped-call]


def exact(value: Any) -> Array:
    """The numbers with more digits than float64 has."""
    return np.asarray(value).astype(np.float64).astype(np.longdouble)


def normalised(x: Any, axes: tuple[int, ...], eps: float, centred: bool = True) -> Array:
    """The definition."""
    wide = exact(x)
    centre = wide - wide.mean(axes, keepdims=True) if centred else wide
    if centred:
        centre -= centre.mean(axes, keepdims=True)  # what the rounded mean lacks
    result: Array = centre / np.sqrt((centre**2).mean(axes, keepdims=True) + np.longdouble(eps))
    return result


def assert_within(got: Array, want: Array, bound: float, floor: Any = 2.0**-16) -> None:
    """Errors in ULP of the larger of the true value and the floor; a value that rounds to infinity may be infinite."""
    info = info_of(got.dtype)
    size = np.maximum(np.maximum(abs(want), floor), float(info.tiny)).astype(np.float64)
    unit = np.ldexp(np.longdouble(1), np.frexp(size)[1] - 1 - info.nmant)
    errors = abs(exact(got) - want) / unit
    assert errors.max(initial=0) <= bound, f"{errors.max()} ULP"


def bound_of(dtype: Any) -> float:
    """Rounded once from float64; float64 itself has a few roundings."""
    return 4.0 if dtype == np.float64 else 0.51
