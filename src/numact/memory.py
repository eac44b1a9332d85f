"""Reuse of the memory of large arrays: what one array has freed, the next one gets, with its pages."""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from contextvars import ContextVar
from operator import index
from threading import get_ident
from typing import TYPE_CHECKING, Any

from numact._functions.public import set_module
from numact._kernels import core
from numact._kernels.locks import lock_across_forks
from numact._kernels.messages import shown

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["reuse", "set_reuse", "stats"]


def __dir__() -> list[str]:
    return sorted(__all__)


UNITS = {"": 1, "b": 1}
UNITS |= {f"{prefix}b": 1000**k for k, prefix in enumerate("kmgt", 1)}
UNITS |= {f"{prefix}ib": 1024**k for k, prefix in enumerate("kmgt", 1)}

# The limits of all blocks that are open, in any thread, and those of `set_reuse`, by thread; the largest holds for the
# cache.
_open: dict[object, int] = {}
_lock = lock_across_forks()
# The blocks that are open in this context, each with the allocator that it found; the one that `set_reuse` found.
_found: ContextVar[tuple[tuple[reuse, Any], ...]] = ContextVar("the allocators that reuse found", default=())
_before: ContextVar[Any] = ContextVar("the allocator that set_reuse found", default=None)


def _bytes(function: str, limit: Any) -> int:
    """The number of bytes that a limit stands for."""
    found = -1
    if not isinstance(limit, bool):
        with suppress(TypeError):
            found = index(limit)
    if isinstance(limit, str) and (parts := re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", limit.casefold())):
        number, unit = parts.groups()
        if unit in UNITS:
            found = int(min(float(number) * UNITS[unit], 2.0 * sys.maxsize))
    if 0 <= found <= sys.maxsize:
        return found
    raise ValueError(
        f"{function}: limit must be a number of bytes from 0 to {sys.maxsize} or a text such as '1GiB', "
        f"got {shown(limit)}"
    )


def _set(key: object, limit: int | None) -> None:
    """Set or remove one of the limits.  Only setting one can lack memory."""
    with _lock:
        if limit is None:
            _open.pop(key, None)
        else:
            _open[key] = limit
        try:
            core.set_block_limit(max(list(_open.values()), default=0))
        except MemoryError:  # give back what is held
            core.set_block_limit(0)


@set_module("numact.memory")
class reuse:
    """Reuse the memory of large arrays, in a with block.

    Parameters
    ----------
    limit : int or str
        The most bytes that are held while no array has them: a number, or a text such as "500 MB" or "1GiB".

    Raises
    ------
    ValueError
        If limit is no such number or text.

    See Also
    --------
    set_reuse : The same without a with block.
    stats : What is held, and how often it was reused.

    Notes
    -----
    A new large array costs more than the computation that fills it: the operating system gives zeroed pages one by one,
    and takes them back when the array is freed.  In the block, arrays of at least 128 KiB that NumPy makes, in any of
    its functions, have their memory from a cache, and return it there; the smaller ones come from NumPy's own
    allocator.  The cache holds at most `limit` bytes, gives back what has been held longest, and is empty when the
    block ends; arrays that outlive it are freed as usual.

    The allocator belongs to the context (see `contextvars`): another thread uses the cache in a block of its own, and
    the largest of the limits holds for all.  tracemalloc counts the arrays as it counts others.

    Examples
    --------
    >>> x = np.ones((1000, 1000))
    >>> with numact.memory.reuse(limit="1GiB"):
    ...     for _ in range(3):
    ...         y = numact.gelu(x)
    >>> y.shape
    (1000, 1000)

    """

    def __init__(self, limit: int | str) -> None:
        self.limit = _bytes("reuse", limit)
        self._keys: list[object] = []  # of all threads that are in the block; they are all alike

    def __enter__(self) -> reuse:
        key, allocator, before = object(), core.use_block_cache(), _found.get()
        try:
            _set(key, self.limit)  # before another thread can take the key
            _found.set((*before, (self, allocator)))
            self._keys.append(key)
        except MemoryError:
            _set(key, None)
            _found.set(before)
            core.use_allocator(allocator)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _set(self._keys.pop(), None)  # first, as it gives memory back
        found = _found.get()
        for k in reversed(range(len(found))):
            if found[k][0] is self:
                core.use_allocator(found[k][1])
                _found.set(found[:k] + found[k + 1 :])
                break


@set_module("numact.memory")
def set_reuse(limit: int | str | None) -> None:
    """Reuse the memory of large arrays from now on, in this thread.

    Parameters
    ----------
    limit : int, str or None
        As for `reuse`; None ends the reuse.

    Raises
    ------
    ValueError
        If limit is no such number or text.

    See Also
    --------
    reuse : The same in a with block, and what it does.

    Examples
    --------
    >>> numact.memory.set_reuse("1GiB")
    >>> numact.memory.stats()["limit"]
    1073741824
    >>> numact.memory.set_reuse(None)

    """
    if limit is None:
        _set(get_ident(), None)
        if (before := _before.get()) is not None:
            core.use_allocator(before)
            _before.set(None)
        return
    most = _bytes("set_reuse", limit)
    found = core.use_block_cache()
    if _before.get() is None:
        _before.set(found)
    _set(get_ident(), most)


@set_module("numact.memory")
def stats() -> dict[str, int]:
    """Count the blocks of the cache, of all threads together.

    Returns
    -------
    counts : dict of str to int
        ``limit``, ``held`` and ``in_use`` in bytes: the most that is held, what is held now, and what arrays have.
        ``held_blocks`` and ``blocks_in_use`` are the numbers of these blocks; ``reused`` and ``allocated`` those of the
        arrays, since the start, that got a held block and one from the operating system.

    See Also
    --------
    reuse : Turns the cache on.

    Examples
    --------
    >>> with numact.memory.reuse(limit="64MiB"):
    ...     y = numact.gelu(np.ones((1000, 1000)))
    ...     numact.memory.stats()["blocks_in_use"]
    1

    """
    return core.block_statistics()
