"""The argument `axis`, checked: an integer or a tuple of them becomes a sorted tuple of axes counted from the first."""

from operator import index
from typing import Any

from numpy.exceptions import AxisError

from numact._kernels.messages import shown


def as_integers(function: str, axis: Any, name: str = "axis") -> tuple[int, ...]:
    """The integers that an axis or a tuple of them are.

    They may be objects whose code changes arrays, which are read after that.
    """
    given = axis if isinstance(axis, tuple) else (axis,)
    try:
        return tuple(index(one) for one in given)
    except TypeError:
        raise TypeError(f"{function}: {name} must be an integer or a tuple of integers, got {shown(axis)}") from None


def as_axes(function: str, axis: Any, ndim: int, operand: str = "x", name: str = "axis") -> tuple[int, ...]:
    """The axes of an operand of ndim dimensions, sorted, each from 0 to ndim - 1.

    AxisError is a ValueError and an IndexError, as for the functions of NumPy.
    """
    axes = as_integers(function, axis, name)
    if not axes or any(not -ndim <= one < ndim for one in axes):
        allowed = f"from {-ndim} to {ndim - 1} of {operand}" if ndim else f"of {operand}, which has none"
        raise AxisError(f"{function}: {name} must name axes {allowed}, got {shown(axis)}")
    found = sorted(one % ndim for one in axes)
    if len({*found}) < len(found):
        raise ValueError(f"{function}: {name} must not name an axis twice, got {shown(axis)}")
    return tuple(found)


def as_axis(function: str, axis: Any, ndim: int, operand: str = "x", name: str = "axis") -> int:
    """One axis of an operand, from 0 to ndim - 1."""
    axes = as_axes(function, axis, ndim, operand, name)
    if len(axes) > 1:
        raise TypeError(f"{function}: {name} must be an integer, got {shown(axis)}")
    return axes[0]
