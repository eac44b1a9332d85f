"""How many threads compute: the default, and the functions that change it."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from operator import index
from typing import Any

from numact._kernels import core
from numact._kernels.config import version
from numact._kernels.locks import lock_across_forks
from numact._kernels.messages import shown
from numact._kernels.on_import import when_imported

VARIABLES = ("NUMACT_NUM_THREADS", "OMP_NUM_THREADS")


class Block:
    """A block of `num_threads` that is open, and the number to set at its end."""

    def __init__(self, before: int) -> None:
        self.before = before


# The blocks that are open, in any thread, in the order in which they began.
_blocks: list[Block] = []
_lock = lock_across_forks()


def _checked(function: str, n: Any) -> int:
    """The count of threads that n is, or an error."""
    try:
        count = index(n)
    except TypeError:
        raise TypeError(f"{function}: n must be an integer, got {shown(n)}") from None
    if not 1 <= count <= core.MAX_THREADS:
        raise ValueError(f"{function}: n must be from 1 to {core.MAX_THREADS}, got {shown(n)}")
    return count


def set_num_threads(n: int) -> None:
    """Set how many threads a function may use, from the next call on.

    Parameters
    ----------
    n : int
        From 1 to 1024; 1 computes on the calling thread alone.  There may be more threads than processors.

    Returns
    -------
    None
        The next call uses the number.

    Raises
    ------
    ValueError
        For an n out of range.
    TypeError
        For an n that is no integer.

    See Also
    --------
    get_num_threads : The number in use.
    num_threads : The same for a block of code.

    Notes
    -----
    The number holds for the whole process, and may be changed while other threads compute.  Results do not depend on
    it, not in a single bit.  Threads are used where an array is so large that it pays, and by one call at a time: one
    that finds them at work computes alone.

    At first it is that of the environment variable NUMACT_NUM_THREADS, else of OMP_NUM_THREADS, else the number of
    processors that this process may use: as many as its affinity allows, and no more than the quota of its control
    group.

    Examples
    --------
    >>> before = numact.get_num_threads()
    >>> numact.set_num_threads(1)
    >>> numact.get_num_threads()
    1
    >>> numact.set_num_threads(before)

    """
    core.set_num_threads(_checked("set_num_threads", n))


def get_num_threads() -> int:
    """How many threads a function may use.

    Returns
    -------
    int
        The number that `set_num_threads` explains.

    See Also
    --------
    set_num_threads : Change it.
    num_threads : Change it for a block of code.

    Examples
    --------
    >>> with numact.num_threads(2):
    ...     numact.get_num_threads()
    2

    """
    return core.get_num_threads()


@contextmanager
def num_threads(n: int) -> Iterator[None]:
    """Set how many threads a function may use within a ``with`` block or a decorated function.

    Parameters
    ----------
    n : int
        As in `set_num_threads`.

    Returns
    -------
    context manager
        At its end, the number is what it was before.

    Raises
    ------
    ValueError, TypeError
        As `set_num_threads`, when the block is entered.

    See Also
    --------
    set_num_threads : The same for good.

    Notes
    -----
    The number holds for the whole process, other threads of the program included.  Where blocks of several threads
    overlap, the number is that of the one that began last, and at the end of all what it was before the first.

    Examples
    --------
    >>> x = np.linspace(-1, 1, 5)
    >>> with numact.num_threads(1):
    ...     y = numact.relu(x)
    >>> y
    array([0. , 0. , 0. , 0.5, 1. ])

    """
    count = _checked("num_threads", n)
    with _lock:
        block = Block(core.get_num_threads())
        _blocks.append(block)
        core.set_num_threads(count)
    try:
        yield
    finally:
        with _lock:
            place = _blocks.index(block)
            if block is _blocks[-1]:
                core.set_num_threads(block.before)
            else:  # another thread's block goes on, and restores in its place
                _blocks[place + 1].before = block.before
            del _blocks[place]


def _lines(path: str) -> list[str]:
    """The lines of a file; none if it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()
    except OSError:
        return []


def _numbers(path: str) -> list[float]:
    """The numbers of a file, "max" as infinity; none if it cannot be read or holds something else."""
    try:
        return [float("inf") if word == "max" else float(word) for line in _lines(path) for word in line.split()]
    except ValueError:
        return []


def _quota_of(folder: str) -> float:
    """The processors that a control group may use: version 2, then 1."""
    numbers = _numbers(f"{folder}/cpu.max")
    if len(numbers) != 2:
        numbers = _numbers(f"{folder}/cpu.cfs_quota_us") + _numbers(f"{folder}/cpu.cfs_period_us")
    if len(numbers) != 2 or numbers[0] <= 0 or numbers[1] <= 0:
        return float("inf")
    return numbers[0] / numbers[1]


def quota(root: str = "") -> float:
    """How many processors the control groups of this process may use, infinity if they do not say.

    Parameters
    ----------
    root : str
        The folder in which the files of the system are, "" for their own places.

    Returns
    -------
    float
        The least quota of its groups and of those around them; a part of a processor counts as such.

    """
    groups = {}
    for line in _lines(f"{root}/proc/self/cgroup"):
        number, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if number == "0" or "cpu" in controllers.split(","):
            groups["cgroup2" if number == "0" else "cgroup"] = group
    least = float("inf")
    for line in _lines(f"{root}/proc/self/mountinfo"):
        left, _, right = line.partition(" - ")
        kind, _, options = right.partition(" ")
        if kind not in groups or (kind == "cgroup" and "cpu" not in options.split(" ")[-1].split(",")):
            continue
        mounted, place = left.split(" ")[3:5]
        # In a container the group may be named as the host sees it, while the mount shows only what is inside.
        group = groups[kind]
        inside = group.removeprefix(mounted.rstrip("/")) if group.startswith(mounted) else group
        folders = ["", *(part for part in inside.split("/") if part)]
        for depth in range(len(folders)):
            least = min(least, _quota_of(root + place + "/".join(folders[: depth + 1])))
    return least


def _processors() -> int:
    """How many processors this process may use."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = quota() if sys.platform == "linux" else float("inf")
    return min(affinity, ceil(limit)) if limit < affinity else affinity


def _default() -> int:
    """The number of threads at first; a variable that makes no sense is warned of, and does not count."""
    for variable in VARIABLES:
        if text := os.environ.get(variable, "").strip():
            # OpenMP allows a list: the numbers for parallel regions inside one another.
            first = text.partition(",")[0].strip() if variable == "OMP_NUM_THREADS" else text
            digits = first.isascii() and first.isdecimal() and len(first) <= 10
            if digits and 1 <= int(first) <= core.MAX_THREADS:
                return int(first)
            count = min(_processors(), core.MAX_THREADS)
            warnings.warn(
                f"{variable} must be an integer from 1 to {core.MAX_THREADS}; got {shown(text)}, using {count}",
                RuntimeWarning,
                stacklevel=2,
            )
            return count
    return min(_processors(), core.MAX_THREADS)


def _register_controller(threadpoolctl: Any) -> None:
    """Let threadpoolctl, from version 3.2 on, find the extension and limit its threads."""
    if not hasattr(threadpoolctl, "register"):
        return

    class NumactController(threadpoolctl.LibController):  # type: ignore[misc]
        """Controls the threads of numact."""

        user_api = internal_api = "numact"
        filename_prefixes = ("core",)
        check_symbols = ("numact_get_num_threads", "numact_set_num_threads")

        def get_num_threads(self) -> int:
            """Get how many threads a function may use."""
            return core.get_num_threads()

        def set_num_threads(self, num_threads: int) -> None:
            """Set how many threads a function may use."""
            core.set_num_threads(max(1, min(num_threads, core.MAX_THREADS)))

        def get_version(self) -> str:
            """Get the version of numact."""
            return version()

    threadpoolctl.register(NumactController)


def begin() -> None:
    """Set the default, and wait for threadpoolctl."""
    core.set_num_threads(_default())
    when_imported("threadpoolctl", _register_controller)
