"""The sections that the docstrings of the functions along an axis share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numact._functions.docstrings import fill, parameter_names

F = TypeVar("F", bound=Callable[..., Any])

FORWARD = {
    "x": "array_like\n    Input.  Masked entries of a masked array take no part, and stay masked.",
    "axis": "int, tuple of int or None, default -1\n    The axis or axes along which the function is taken; None: all.",
    "where": "array_like of bool, optional\n    The entries that take part; broadcasts to `x`.  The values of the "
    "others do not count.",
    "temperature": "array_like, default 1.0\n    T > 0; an array broadcasts to the shape of `x` without `axis`.",
    "out": "ndarray, tuple of one ndarray or `...`, optional\n    Where the result goes; ``out=x`` computes in place.",
}

GRADIENT = {
    "dy": "array_like\n    Gradient by the output.",
    "y": "array_like\n    Output of the forward pass.",
    "axis": "int, tuple of int or None, default -1\n    The axis or axes of the forward pass.",
    "temperature": "array_like, default 1.0\n    T of the forward pass.",
    "out": "ndarray, tuple of one ndarray or `...`, optional\n    Where the result goes; ``out=dy`` computes in place.",
}


def documented(function: F) -> F:
    """Fill in {parameters} and {raises} of a docstring, for the parameters of the function."""
    names = parameter_names(function)
    texts = GRADIENT if names[0] == "dy" else FORWARD
    parameters = "\n".join(f"{name} : {texts[name]}" for name in names if name in texts)
    fill(function, parameters=parameters, raises=_raises(names))
    return function


def _raises(names: tuple[str, ...]) -> str:
    """The section Raises for parameters of these names."""
    values, types = ["axis is out of range"], ["an operand is neither floating-point numbers, integers nor booleans"]
    if "where" in names:
        values.append("where does not broadcast to x")
        types.append("where is not boolean")
    if "temperature" in names:
        values.append("temperature is not above 0, or does not broadcast")
    errors = {"ValueError": values, "TypeError": types}
    if "out" in names:
        errors["MemoryError"] = ["there is none for rows that are not contiguous; out may then be written in part"]
    return "\n".join(f"{error}\n    If {_either(cases)}." for error, cases in errors.items())


def _either(cases: list[str]) -> str:
    """The cases as "a", "a, or b" or "a, b, or c"."""
    return ", ".join([*cases[:-1], f"or {cases[-1]}"]) if len(cases) > 1 else cases[0]
