"""Eight threads at once: what each computes has the bits of one thread alone, and what all of them change is exact."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import processes

import numact
from numact._kernels import locks
from numact.memory import reuse, set_reuse, stats

PROGRAM = Path(__file__).with_name("concurrent_use.py")
FIRST_USE = ("functions", "lookups", "modules", "foreign", "bfloat16")
USE = ("threads", "setting", "memory", "masks", "dropout", "generator", "monitor", "statistics", "norms")
SECONDS = 900  # a child that hangs, on a machine however busy


def hashes(scenario: str, how: str) -> list[str]:
    """Those of the results of the eight tasks, in a process of its own."""
    process = subprocess.run(
        [sys.executable, str(PROGRAM), scenario, how], capture_output=True, text=True, timeout=SECONDS
    )
    assert process.returncode == 0, process.stderr
    assert not process.stderr
    return process.stdout.split()


alone = cache(lambda scenario: hashes(scenario, "alone"))


@pytest.mark.parametrize("attempt", range(2))
@pytest.mark.parametrize("scenario", FIRST_USE)
def test_first_use(scenario: str, attempt: int) -> None:
    """Eight threads use a thing for the first time in a process: all get what one alone gets."""
    together = hashes(scenario, "together")
    assert together == alone(scenario)
    assert len(together) == 8
    assert len(set(together)) == 1


@pytest.mark.parametrize("scenario", USE)
def test_use(scenario: str) -> None:
    """Eight threads, each with numbers of its own, compute the bits of one after the other; shared counts are exact."""
    assert hashes(scenario, "together") == alone(scenario)


# What happens in an order that is given


def in_thread(function: Callable[[], Any]) -> None:
    """Run a function in a thread of its own, to its end."""
    failures: list[BaseException] = []

    def work() -> None:
        try:
            function()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]


def large() -> int:
    """How many arrays have their memory from the cache: one more, if a large array is made here."""
    array = np.ones(1 << 16)
    count = stats()["blocks_in_use"]
    del array
    return count


def test_blocks_of_threads_that_overlap() -> None:
    """Whichever of two blocks ends first, the number of threads is then that of before both."""
    before = numact.get_num_threads()
    for first_ends_first in (True, False):
        first, second, third = numact.num_threads(3), numact.num_threads(4), numact.num_threads(5)
        first.__enter__()
        in_thread(second.__enter__)
        third.__enter__()
        assert numact.get_num_threads() == 5
        for block in (first, second) if first_ends_first else (second, first):
            block.__exit__(None, None, None)
            assert numact.get_num_threads() == 5
        third.__exit__(None, None, None)
        assert numact.get_num_threads() == before


def test_a_block_of_reuse_that_threads_share() -> None:
    """Each thread that leaves it gets the allocator back that it had itself."""
    block = reuse("1MiB")
    entered, leave = threading.Event(), threading.Event()

    def other() -> None:
        with block:
            entered.set()
            leave.wait(SECONDS)
        assert large() == 0

    thread = threading.Thread(target=other)
    with reuse("1MiB"):
        with block:
            thread.start()
            entered.wait(SECONDS)
        assert large() == 1
        leave.set()
        thread.join()
        assert large() == 1
    assert large() == 0
    assert stats()["limit"] == 0


def test_permanent_reuse_is_of_one_thread() -> None:
    """What another thread sets or ends does not change what this one has set, as long as its limit is larger."""
    set_reuse("2MiB")
    try:

        def other() -> None:
            assert large() == (1 if getattr(sys.flags, "thread_inherit_context", 0) else 0)
            set_reuse("1MiB")
            assert large() == 1
            set_reuse(None)
            assert large() == 0

        in_thread(other)
        assert stats()["limit"] == 2 << 20
        assert large() == 1
    finally:
        set_reuse(None)
    assert (large(), stats()["limit"], stats()["held"]) == (0, 0, 0)


FORK = """
import os, signal, threading
import numact
from numact import diagnostics, memory
from numact._kernels import threads
from numact.diagnostics import monitor
import numpy as np

taken, forking = threading.Event(), threading.Event()

def hold():
    with LOCK:
        taken.set()
        forking.wait(0.2)  # the fork cannot be before the lock is free

def use():
    with memory.reuse("1MiB"), numact.num_threads(1):
        found = diagnostics.ActivationMonitor()
        found.update("a", np.ones((3, 4)))
        assert found.layers == ["a"]

thread = threading.Thread(target=hold)
thread.start()
taken.wait()
if (child := os.fork()) == 0:
    signal.alarm(300)
    use()
    os._exit(0)
thread.join()
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
use()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("lock", ["memory._lock", "threads._lock", "monitor._lock"])
def test_a_fork_while_another_thread_has_a_lock(lock: str) -> None:
    """The child finds the lock free, and so does the parent afterwards."""
    processes.run(FORK.replace("LOCK", lock), timeout=SECONDS, PYTHONWARNINGS="ignore::DeprecationWarning")


def test_a_lock_is_free_again_and_its_owner_may_take_it_twice() -> None:
    """As for a signal handler that comes in between."""
    lock = locks.lock_across_forks()
    with lock, lock:
        pass
    in_thread(lambda: lock.__enter__() and lock.__exit__(None, None, None))
