"""Checks of arguments; each returns the argument in the form in which the kernels take it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from numact._kernels import core
from numact.diagnostics.layout import Array

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

NUMBERS = (float, int, np.floating, np.integer)


def as_floats(function: str, y: ArrayLike) -> Array:
    """An aligned array of native byte order and not empty; integers and booleans become float64."""
    if core.is_observable(y):
        return cast("Array", y)
    array = np.asarray(y)
    if array.dtype.kind in "biu":
        array = array.astype(np.float64)
    # dtypes() are those that have a kernel, which longdouble has not.
    elif array.dtype.name not in core.dtypes():
        raise TypeError(f"{function}: y must be of {', '.join(core.dtypes())}, integers or booleans, got {array.dtype}")
    if array.size == 0:
        raise ValueError(f"{function}: y must have at least one element, got the shape {array.shape}")
    if not array.dtype.isnative or not array.flags.aligned:
        array = array.astype(array.dtype.newbyteorder("="))
    return array


def as_bounds(function: str, low: float, high: float) -> tuple[float, float]:
    """Bounds of saturation, low <= high."""
    for name, bound in (("low", low), ("high", high)):
        if not isinstance(bound, NUMBERS):
            raise TypeError(f"{function}: {name} must be a number, got {bound!r}")
    low, high = float(low), float(high)
    if not low <= high:
        raise ValueError(f"{function}: low must be <= high, got low={low} and high={high}")
    return low, high
