"""Checks of arguments; each returns the argument in the form in which networks and training need it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from numact._functions import catalogue
from numact._functions.arguments import integer, number
from numact._functions.names import find_argument
from numact._kernels.messages import shown

Kind = TypeVar("Kind")


def count(function: str, name: str, value: Any, least: int) -> int:
    """An integer that is not less than another."""
    found = integer(function, name, value)
    if found < least:
        raise ValueError(f"{function}: {name} must be at least {least}, got {shown(found)}")
    return found


def portion(function: str, name: str, value: Any) -> float:
    """A number from 0 to 1, without 1."""
    found = number(function, name, value)
    if not 0 <= found < 1:
        raise ValueError(f"{function}: {name} must be at least 0 and below 1, got {found}")
    return found


def instance(function: str, name: str, value: Any, kind: type[Kind] | tuple[type[Kind], ...]) -> Kind:
    """An object of a class, or of one of some."""
    if not isinstance(value, kind):
        kinds = kind if isinstance(kind, tuple) else (kind,)
        raise TypeError(f"{function}: {name} must be a {' or '.join(k.__name__ for k in kinds)}, got {shown(value)}")
    return value


def items(function: str, name: str, value: Any) -> Iterator[Any]:
    """What is in a sequence; text and bytes are single values here."""
    try:
        found: Iterator[Any] | None = None if isinstance(value, str | bytes | bytearray | memoryview) else iter(value)
    except TypeError:
        found = None
    if found is None:
        raise TypeError(f"{function}: {name} must be a sequence, got {shown(value)}")
    return found


def activation(function: str, name: str, value: Any) -> str:
    """The name of an activation that a network may have."""
    public, _ = find_argument(function, name, instance(function, name, value, str))
    allowed = {
        "prelu",
        "maxout",
        *(row.name for row in catalogue.catalogue() if row.family in ("elementwise", "gated")),
    }
    if public not in allowed:
        raise ValueError(
            f"{function}: {name} must be an elementwise or gated activation, prelu or maxout, got {shown(value)}"
        )
    return str(value)
