"""numact.memory: what is reused, held and given back; arrays that outlive the block, forks, threads, failures."""

import gc
import os
import resource
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import numact
from numact.memory import reuse, set_reuse, stats

SIZE = 1 << 20
BYTES = 8 * SIZE


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Every test ends with an empty cache."""
    yield
    gc.collect()
    found = stats()
    assert (found["limit"], found["held"], found["held_blocks"], found["in_use"]) == (0, 0, 0, 0)


def reused(before: dict[str, int]) -> int:
    """How many blocks have been reused since."""
    return stats()["reused"] - before["reused"]


def test_memory_is_reused_by_every_operation() -> None:
    x = np.ones(SIZE)
    with reuse("1GiB"):
        before = stats()
        for _ in range(5):
            y = np.add(x, 1)
            z = numact.gelu(y)
            del y, z
        assert reused(before) == 8
        assert stats()["allocated"] - before["allocated"] == 2
        assert stats()["held"] == 2 * BYTES
        address = (np.empty(SIZE) + 0).ctypes.data
        assert np.empty(SIZE).ctypes.data == address
    assert stats()["held"] == 0


def test_the_limit_bounds_what_is_held() -> None:
    with reuse(3 * BYTES):
        arrays = [np.ones(SIZE) for _ in range(5)]
        assert stats()["in_use"] == 5 * BYTES
        del arrays
        assert stats()["held"] == 3 * BYTES
        with reuse("1GiB"):
            assert stats()["limit"] == 1 << 30
        assert stats()["limit"] == 3 * BYTES
        large = np.ones(4 * SIZE)
        del large
        assert stats()["held"] == 3 * BYTES
    with reuse(0):
        array = np.ones(SIZE)
        del array
        assert stats()["held"] == 0


def test_a_block_fits_or_is_not_used() -> None:
    with reuse("1GiB"):
        array = np.ones(SIZE)
        del array
        before = stats()
        small = np.empty(SIZE // 2)
        assert reused(before) == 0
        near = np.empty(SIZE - 1000)
        assert reused(before) == 1
        del small, near


def test_zeros_are_zeros() -> None:
    with reuse("1GiB"):
        array = np.ones(SIZE)
        del array
        assert not np.zeros(SIZE).any()


def test_arrays_outlive_the_block() -> None:
    with reuse("1GiB"):
        array = np.arange(SIZE)
    assert stats()["in_use"] == BYTES
    assert array.sum() == SIZE * (SIZE - 1) // 2
    array.resize(2 * SIZE, refcheck=False)
    assert array[: SIZE : SIZE - 1].tolist() == [0, SIZE - 1]
    del array


def test_arrays_from_before_the_block() -> None:
    array = np.arange(SIZE)
    with reuse("1GiB"):
        array.resize(2 * SIZE, refcheck=False)
        assert array[SIZE - 1] == SIZE - 1
        del array
        assert stats()["held"] == 0


def test_resize() -> None:
    with reuse("1GiB"):
        for first, last in ((10, SIZE), (SIZE, 10), (SIZE, 3 * SIZE), (3 * SIZE, SIZE)):
            array = np.arange(first)
            array.resize(last, refcheck=False)
            kept = min(first, last)
            assert np.array_equal(array[:kept], np.arange(kept))
            del array


def test_threads() -> None:
    wrong = []

    def work(seed: int) -> None:
        rng = np.random.default_rng(seed)
        with reuse("64MiB"):
            for _ in range(100):
                n = int(rng.integers(SIZE // 8, SIZE // 2))
                array = np.full(n, seed)
                if not (array == seed).all():
                    wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_an_array_freed_by_another_thread() -> None:
    with reuse("1GiB"):
        arrays = [np.ones(SIZE)]
        thread = threading.Thread(target=arrays.clear)
        thread.start()
        thread.join()
        assert stats()["held"] == BYTES


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child() -> None:
    with reuse("1GiB"):
        mine, freed = np.ones(SIZE), np.ones(SIZE)
        del freed
        if (child := os.fork()) == 0:
            array = np.full(SIZE, 2.0)
            right = bool((array == 2).all() and (mine == 1).all())
            os._exit(0 if right else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert (mine == 1).all()
        del mine


def test_tracemalloc_counts_the_arrays() -> None:
    tracemalloc.start()
    try:
        with reuse("1GiB"):
            array = np.ones(SIZE)
            assert tracemalloc.get_traced_memory()[0] >= BYTES
            del array
            assert tracemalloc.get_traced_memory()[0] < BYTES
    finally:
        tracemalloc.stop()


def test_the_permanent_form() -> None:
    set_reuse("1GiB")
    set_reuse(10 * BYTES)
    before = stats()
    assert before["limit"] == 10 * BYTES
    for _ in range(3):
        array = np.ones(SIZE)
        del array
    assert reused(before) == 2
    set_reuse(None)
    set_reuse(None)
    kept = [np.ones(SIZE)]
    assert kept[0].size == SIZE
    assert stats()["in_use"] == 0


def test_the_block_ends_with_an_exception_and_can_be_entered_again() -> None:
    block = reuse("1GiB")
    with pytest.raises(KeyError), block, block:
        raise KeyError
    assert stats()["limit"] == 0


@pytest.mark.parametrize(
    ("text", "size"), [("1GiB", 1 << 30), ("500 MB", 500_000_000), ("1.5kib", 1536), ("7", 7), (9, 9)]
)
def test_limits(text: Any, size: int) -> None:
    with reuse(text):
        assert stats()["limit"] == size


@pytest.mark.parametrize("limit", ["much", "-1", -1, 1.5, None, True, "1 QB", b"1GiB", ""])
def test_a_limit_that_is_no_size(limit: Any) -> None:
    allowed = f"a number of bytes from 0 to {sys.maxsize} or a text such as '1GiB'"
    with pytest.raises(ValueError, match=f"reuse: limit must be {allowed}, got "):
        reuse(limit)
    if limit is not None:
        with pytest.raises(ValueError, match="set_reuse: limit must be"):
            set_reuse(limit)


def test_no_memory() -> None:
    """MemoryError as NumPy's; what the cache holds is given back first."""
    code = """
import resource
import numpy as np
import numact
with numact.memory.reuse("1TiB"):
    now = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + (1 << 29), resource.RLIM_INFINITY))
    held = np.ones(40 << 20)
    del held
    assert numact.memory.stats()["held"] > 0
    assert np.ones(20 << 20).sum() == 20 << 20
    assert np.ones(45 << 20).sum() == 45 << 20
    try:
        np.ones(1 << 30)
    except MemoryError as error:
        assert "Unable to allocate" in str(error)
    else:
        raise AssertionError
"""
    if not hasattr(resource, "RLIMIT_AS") or not os.path.exists("/proc/self/statm"):
        pytest.skip("NOT TESTED HERE: needs Linux")
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert process.returncode == 0, process.stderr
