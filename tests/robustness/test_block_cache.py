"""The cache of large blocks where memory is lacking, over many arrays, and in many threads: its figures stay right."""

import gc
import json
import subprocess
import sys
import threading

import numpy as np
import pytest
from support.failing import failing_malloc, needs_glibc, under_failing_malloc

from numact.memory import reuse, stats

SWEEP = """
import gc, json, sys
import numpy as np
from support.failing_calls import Control
from numact.memory import reuse, stats

control = Control(sys.argv[1], arrays=False)
control.own_only.value = 1
counts = {"failures": 0, "raised": 0}

def use(shapes):
    total = 0.0
    arrays = []
    for k, n in enumerate(shapes):
        arrays.append(np.full(n, k + 1.0))
        if k % 3 == 2:
            del arrays[0]
    arrays[-1].resize(2 * shapes[-1], refcheck=False)
    return sum(float(array.sum()) for array in arrays)

shapes = [20_000, 50_000, 20_000, 300_000, 50_000, 600_000, 20_000]
with reuse("64MiB"):
    want = use(shapes)
for limit, in_a_row in (("64MiB", 1), ("64MiB", 4), ("300kB", 4), (0, 1), (0, 4)):
    control.in_a_row.value = in_a_row
    for at in range(1, 1000):
        before, own = stats(), control.own_blocks.value
        with reuse(limit):
            result, error, seen = control.run(lambda: use(shapes), at)
            assert error is None or isinstance(error, MemoryError), (at, error)
            assert error is not None or result == want, (at, result)
            raised, result, error = error is not None, None, None
            gc.collect()
            now = stats()
            assert now["in_use"] == now["blocks_in_use"] == 0, (at, now)
            assert now["held"] <= now["limit"], (at, now)
            assert (now["held"] == 0) == (now["held_blocks"] == 0), (at, now)
            assert use(shapes) == want, at
        gc.collect()
        now = stats()
        assert (now["limit"], now["held"], now["held_blocks"], now["in_use"]) == (0, 0, 0, 0), (at, now)
        assert control.own_blocks.value == own, (at, control.own_blocks.value - own)
        if seen < at:
            break
        counts["failures"] += 1
        counts["raised"] += raised
print(json.dumps(counts))
"""


@needs_glibc
@pytest.mark.memory
def test_failures_in_the_cache() -> None:
    """Every record and mapping of a block fails, also when it is tried again: all blocks are accounted for."""
    process = under_failing_malloc("-c", SWEEP, str(failing_malloc()))
    assert process.returncode == 0, process.stderr
    counts = json.loads(process.stdout)
    print(counts)
    assert counts["failures"] >= 30
    assert counts["raised"] >= 10


GROWTH = """
import numpy as np
from pathlib import Path
from numact.memory import reuse, stats

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

rng = np.random.default_rng(0)
sizes = rng.integers(16_384, 200_000, 4000)
with reuse("8MiB"):
    for n in sizes[:1000]:
        np.empty(n)[::512] = 1
    before = resident()
    for n in np.tile(sizes, 10):
        np.empty(n)[::512] = 1
        assert stats()["held"] <= 8 << 20
    assert stats()["blocks_in_use"] <= 1  # that of the numbers of elements
    grown = resident() - before
print(grown, stats()["reused"], stats()["allocated"])
assert grown < 9 << 20, grown
assert stats()["held"] == 0
"""


@pytest.mark.memory
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="NOT TESTED HERE: reads /proc")
def test_growth_with_the_cache() -> None:
    """Forty thousand arrays of all sizes: the process grows by no more than the limit."""
    process = subprocess.run([sys.executable, "-c", GROWTH], capture_output=True, text=True)
    print(process.stdout)
    assert process.returncode == 0, process.stderr


def test_figures_in_many_threads() -> None:
    """Threads that make, hand over, resize and free arrays under limits of their own leave no block behind."""
    shared: list[list[np.ndarray[tuple[int], np.dtype[np.float64]]]] = [[] for _ in range(8)]
    wrong: list[str] = []
    start = threading.Barrier(8)

    def work(seed: int) -> None:
        rng = np.random.default_rng(seed)
        start.wait()
        for _ in range(60):
            with reuse(int(rng.integers(0, 32 << 20))):
                n = int(rng.integers(1000, 200_000))
                array = np.full(n, float(seed))
                array.resize(n + int(rng.integers(0, n)), refcheck=False)
                if array[n - 1] != seed or array[n:].any():
                    wrong.append(f"thread {seed}, {n} elements")
                shared[(seed + 1) % 8].append(array)
                del shared[seed][:1]
                found = stats()
                if min(found.values()) < 0:
                    wrong.append(str(found))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shared.clear()
    gc.collect()
    found = stats()
    assert not wrong
    assert (found["limit"], found["held"], found["held_blocks"]) == (0, 0, 0)
    assert (found["in_use"], found["blocks_in_use"]) == (0, 0)
