"""Arrays of other libraries, and masked arrays, as arguments of the public functions that are written in Python.

A result of the shape of the argument becomes what the argument was: labels, index, mask and laziness are kept.  Where
that cannot be done, a TypeError says what to do instead; no argument is converted in silence.  No library is imported
here: a type is known by the module that defines it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from numact._functions.foreign.arguments import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["call", "kind_of"]

# The modules for each kind, in the order in which they are asked: an xarray may hold an array of dask.
MODULES = {"xarray": "labels", "pandas": "labels", "dask": "dask", "masked": "masked"}


def call(function: Callable[..., Any], given: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    """Call a function of which some arguments are of these kinds."""
    kinds = {kind_of(type(value)) for value in (*given, *keywords.values())} - {None}
    for kind, module in MODULES.items():
        if kind in kinds:
            return getattr(import_module(f"{__name__}.{module}"), f"call_{kind}")(function, given, keywords)
    return function(*given, **keywords)
