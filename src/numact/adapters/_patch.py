"""Functions of other libraries replaced for a while, or for good."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any

from numact._kernels.locks import lock_across_forks

ABSENT = object()

# A place, and what is put there: an item of a dict, or an attribute of anything else.
Replacement = tuple[Any, str, Any]


def _get(holder: Any, name: str) -> Any:
    return holder.get(name, ABSENT) if isinstance(holder, dict) else vars(holder).get(name, ABSENT)


def _put(holder: Any, name: str, value: Any) -> None:
    if isinstance(holder, dict):
        if value is ABSENT:
            holder.pop(name, None)
        else:
            holder[name] = value
    elif value is ABSENT:
        delattr(holder, name)
    else:
        setattr(holder, name, value)


class Patch:
    """Replacements that are in place while somebody needs them.

    Uses may be nested, and overlap in several threads: the first one replaces, the last one restores.  What is replaced
    is seen by all threads of the process.

    Parameters
    ----------
    replacements : callable
        Returns what is to be replaced; called at the first use.

    """

    def __init__(self, replacements: Callable[[], Iterable[Replacement]]) -> None:
        self._replacements = replacements
        self._lock = lock_across_forks()
        self._uses = 0
        self._permanent = False
        self._saved: list[Replacement] = []

    def begin(self) -> None:
        """Begin a use; if a replacement fails, none stays."""
        with self._lock:
            if self._uses == 0:
                try:
                    for holder, name, value in self._replacements():
                        self._saved.append((holder, name, _get(holder, name)))
                        _put(holder, name, value)
                except BaseException:
                    self._restore()
                    raise
            self._uses += 1

    def end(self) -> None:
        """End a use."""
        with self._lock:
            self._uses -= 1
            if self._uses == 0:
                self._restore()

    def _restore(self) -> None:
        while self._saved:
            _put(*self._saved.pop())

    def enable(self) -> None:
        """Put numact behind the library until `disable` is called; a second call changes nothing.

        All threads of the process see it.

        See Also
        --------
        disable : Ends it.

        """
        with self._lock:
            if not self._permanent:
                self.begin()
                self._permanent = True

    def disable(self) -> None:
        """End what `enable` began, if it did; blocks of ``accelerate()`` that are running go on.

        See Also
        --------
        enable : Begins it.

        """
        with self._lock:
            if self._permanent:
                self._permanent = False
                self.end()


class Accelerated:
    """A block in which a patch is in place."""

    def __init__(self, patch: Patch) -> None:
        self._patch = patch

    def __enter__(self) -> None:
        self._patch.begin()

    def __exit__(
        self, cls: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._patch.end()
