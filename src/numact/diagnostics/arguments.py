"""Checks of arguments; each returns the argument in the form in which the kernels take it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from numact._functions.arguments import number
from numact._kernels import core
from numact.diagnostics.layout import Array

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def as_floats(function: str, y: ArrayLike, name: str = "y") -> Array:
    """An aligned array of native byte order and not empty; integers and booleans become float64."""
    if core.is_observable(y):
        return cast("Array", y)
    array = np.asarray(y)
    if array.dtype.kind in "biu":
        array = array.astype(np.float64)
    # dtypes() are those that have a kernel, which longdouble has not.
    elif array.dtype.name not in core.dtypes():
        allowed = ", ".join(core.dtypes())
        raise TypeError(f"{function}: {name} must be of {allowed}, integers or booleans, got {array.dtype}")
    if array.size == 0:
        raise ValueError(f"{function}: {name} must have at least one element, got the shape {array.shape}")
    if not array.dtype.isnative or not array.flags.aligned:
        array = array.astype(array.dtype.newbyteorder("="))
    return array


def as_bounds(function: str, low: float, high: float) -> tuple[float, float]:
    """Bounds of saturation, low <= high."""
    low, high = number(function, "low", low), number(function, "high", high)
    if not low <= high:
        raise ValueError(f"{function}: low must be <= high, got low={low} and high={high}")
    return low, high
