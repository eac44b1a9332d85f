"""`set_module`, which says under which public path a function is found."""

from collections.abc import Callable
from functools import update_wrapper
from types import FunctionType, MethodType
from typing import Any, TypeVar, cast

from numact._kernels import core

T = TypeVar("T", bound=Callable[..., Any])


@core.called_by_vector
class PublicFunction(core.FunctionCall):
    """A Python function of the package; its call says what numact calls a keyword that other libraries have."""

    __wrapped__: Any

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        update_wrapper(self, function)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """As a function: a class that has it as an attribute has it as a method, and inspect.isroutine is true."""
        return self if instance is None else MethodType(self, instance)

    def __getattr__(self, name: str) -> Any:
        if name == "__wrapped__":  # not yet set
            raise AttributeError(name)
        return getattr(self.__wrapped__, name)

    def __reduce__(self) -> str:
        return str(self.__qualname__)

    def __repr__(self) -> str:
        return f"<function {self.__module__}.{self.__qualname__}>"


def set_module(name: str) -> Callable[[T], T]:
    """Decorate a function or class with the public module as its ``__module__``.

    help() shows it, and a pickle names it, so that the private modules may change.  A function becomes a
    `PublicFunction`.
    """

    def decorate(function: T) -> T:
        function.__module__ = name
        return cast("T", PublicFunction(function)) if isinstance(function, FunctionType) else function

    return decorate
