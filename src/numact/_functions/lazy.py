"""Functions that are made when they are asked for: an import makes none of them, and a program needs few."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Lazy(Mapping[str, Value], Generic[Value]):
    """A mapping that knows its keys, and makes each value once, when it is read.

    Parameters
    ----------
    names : iterable of str
        The keys.
    make : callable
        Makes the value of a key.

    """

    def __init__(self, names: Iterable[str], make: Callable[[str], Value]) -> None:
        self._names = dict.fromkeys(names)
        self._make = make
        self._made: dict[str, Value] = {}

    def __getitem__(self, name: str) -> Value:
        try:
            return self._made[name]
        except KeyError:
            if name not in self._names:
                raise
        # Of two threads that make it, both get the first.
        return self._made.setdefault(name, self._make(name))

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
