"""`set_module`, which says under which public path a function is found."""

from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T", bound=Callable[..., Any])


def set_module(name: str) -> Callable[[T], T]:
    """Decorate a function with the public module as its ``__module__``.

    help() shows it, and a pickle names it, so that the private modules may change.
    """

    def decorate(function: T) -> T:
        function.__module__ = name
        return function

    return decorate
