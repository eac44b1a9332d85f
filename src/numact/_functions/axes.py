"""The `axis` of a call: an integer or a tuple of them, checked and counted from the first axis."""

from operator import index
from typing import Any


def as_axes(function: str, axis: Any, ndim: int) -> tuple[int, ...]:
    """The axes, counted from the first and in ascending order."""
    given = axis if isinstance(axis, tuple) else (axis,)
    try:
        axes = [index(one) for one in given]
    except TypeError:
        raise TypeError(f"{function}: axis must be an integer or a tuple of integers, got {axis!r}") from None
    if not axes or any(not -ndim <= one < ndim for one in axes):
        raise ValueError(f"{function}: axis must name axes from {-ndim} to {ndim - 1} of x, got {axis!r}")
    found = sorted(one % ndim for one in axes)
    if len({*found}) < len(found):
        raise ValueError(f"{function}: axis must not name an axis twice, got {axis!r}")
    return tuple(found)
