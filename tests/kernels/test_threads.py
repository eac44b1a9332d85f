"""Threads change nothing but the time: bits, overlap, floating-point state; and how their number is set."""

import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import gated_cases
from support.cases import (
    BUILT,
    DTYPES,
    FUNCTIONS,
    LEVELS,
    Array,
    Function,
    assert_same_bits,
    name_of,
    samples,
    stratified,
)

import numact
from numact._kernels import core, threads

LEVEL = core.level()
AXIS = core.build_axis(LEVEL)
N = 40_000  # more than NumPy's chunks, and several parts
COUNTS = (2, 3, 7)
every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=name_of)


@pytest.fixture(autouse=True)
def shared() -> Iterator[None]:
    """Whatever can be split is split, and threads other than the caller's compute all parts but the first."""
    before = numact.get_num_threads()
    core.force_workers(True)
    yield
    core.force_workers(False)
    numact.set_num_threads(before)


def numbers(dtype: Any, count: int = N, seed: int = 0) -> Array:
    """Numbers of all kinds in random order."""
    x = np.concatenate([samples(dtype), stratified(dtype, count + 3000)])
    return np.random.default_rng(seed).permutation(x)[:count]


def with_threads(count: int, ufunc: np.ufunc, *operands: Any, **keywords: Any) -> tuple[Array, ...]:
    """Call a ufunc with that many threads; anything but an overflow raises."""
    with numact.num_threads(count), np.errstate(all="raise", over="ignore"):
        results = ufunc(*operands, **keywords)
    return results if isinstance(results, tuple) else (results,)


def assert_threads_agree(ufunc: np.ufunc, *operands: Any, **keywords: Any) -> None:
    """Fail unless results are the same for every number of threads."""
    want = with_threads(1, ufunc, *operands, **keywords)
    for count in COUNTS:
        for got, expected in zip(with_threads(count, ufunc, *operands, **keywords), want, strict=True):
            assert_same_bits(got, expected, message=f"{ufunc.__name__}, {count} threads:")


def test_threads_compute() -> None:
    """What the tests below rely on: nearly all of the work is done by another thread."""
    x = np.linspace(-5, 5, 2_000_000)
    numact.set_num_threads(2)
    numact.mish(x, out=x)  # starts the thread
    own, start = time.thread_time(), time.perf_counter()
    numact.mish(x, out=x)
    assert time.thread_time() - own < (time.perf_counter() - start) / 4


# Same bits


@every_dtype
@pytest.mark.parametrize("function", FUNCTIONS, ids=name_of)
def test_elementwise(function: Function, dtype: Any) -> None:
    """Every function, for arrays and parameters that are arrays."""
    x = function.inputs(numbers(dtype))
    dy = numbers(dtype, seed=1)
    parameters = function.parameters(dtype)[-1]
    assert_threads_agree(function.ufunc(), *function.operands(x, parameters, dy))
    if parameters:
        arrays = tuple(np.full(N, value) for value in parameters)
        assert_threads_agree(function.ufunc(), *function.operands(x, arrays, dy))


@every_dtype
@pytest.mark.parametrize("function", gated_cases.FUNCTIONS, ids=name_of)
def test_gated(function: gated_cases.Gated, dtype: Any) -> None:
    """Every gated function."""
    assert_threads_agree(function.ufunc(), *(numbers(dtype, seed=seed) for seed in range(function.operands)))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("strides", [(1, 1), (2, 1), (1, 2), (-1, 1), (1, -1), (-3, 2), (300, 300)])
@every_dtype
def test_strides(dtype: Any, strides: tuple[int, int], level: str) -> None:
    """Strided arrays on every level, also out of the alignment of cache lines."""
    x_stride, out_stride = strides
    x = np.zeros(N * abs(x_stride) + 5, dtype)[5:][::x_stride]
    x[:] = numbers(dtype)
    buffer = np.full(N * abs(out_stride) + 3, 7, dtype)
    out = buffer[3:][::out_stride]
    for name in ("relu", "tanh_grad"):
        ufunc = BUILT[level][name]
        operands = (x,) * ufunc.nin
        want = with_threads(1, ufunc, *operands)[0]
        for count in COUNTS:
            with_threads(count, ufunc, *operands, out=out)
            assert_same_bits(out, want)
            buffer[3:][::out_stride] = 7
            assert (buffer == 7).all()


@pytest.mark.parametrize("shape", [(3000, 33), (60, 700), (9000, 2), (5, 9000)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=name_of)
@pytest.mark.parametrize("name", [name for name in AXIS if not name.startswith("maxout_grad")])
def test_axis(name: str, dtype: Any, shape: tuple[int, int]) -> None:
    """Every function along an axis, along either axis of an array."""
    ufunc = AXIS[name]
    rows, n = shape
    rng = np.random.default_rng(0)
    single = [part == "()" for part in str(ufunc.signature).split("->")[0].replace("),", ") ").split(" ")]
    letters = next(types for types in ufunc.types if types[0] == np.dtype(dtype).char).split("->")[0]
    operands: list[Array] = []
    for alone, letter in zip(single, letters, strict=True):
        size = rows if alone else (rows, n)
        if letter == "?":
            operands.append(rng.random(size) < 0.8)
        elif letter in "lq":
            operands.append(rng.integers(0, n + 1, size))
        else:
            operands.append(np.exp(rng.standard_normal(size)).astype(dtype))
    assert_threads_agree(ufunc, *operands)
    across = [operand if operand.ndim == 1 else np.asfortranarray(operand) for operand in operands]
    assert_threads_agree(ufunc, *across)


@pytest.mark.parametrize("shape", [(60, 40, 20), (3, 900, 40), (2, 70, 3, 40)])
@pytest.mark.parametrize("axis", [1, -1])
def test_blocks_of_rows(shape: tuple[int, ...], axis: int) -> None:
    """Calls that are divided into blocks of rows: an axis in the middle, a mask that broadcasts over the first axis."""
    x = np.random.default_rng(0).standard_normal(shape)
    mask = np.random.default_rng(1).random(shape[1:]) < 0.7
    calls: list[Callable[[], Any]] = [
        lambda: numact.softmax(x, axis=axis),
        lambda: numact.softmax(x, axis=axis, where=mask),
        lambda: numact.attention_softmax(x, axis=axis, mask=np.where(mask, 0.5, -np.inf), causal=True),
    ]
    for function in calls:
        with numact.num_threads(1):
            want = function()
        np.testing.assert_allclose(want.sum(axis), (want != 0).any(axis), rtol=1e-12)
        for count in COUNTS:
            with numact.num_threads(count):
                assert_same_bits(function(), want)


def test_maxout_grad() -> None:
    """The one function whose output is longer than its input."""
    dy = np.random.default_rng(0).standard_normal(9000)
    which = np.random.default_rng(1).integers(0, 5, 9000)
    with numact.num_threads(1):
        want = numact.maxout_grad(dy, which, 5)
    for count in COUNTS:
        with numact.num_threads(count):
            assert_same_bits(numact.maxout_grad(dy, which, 5), want)


def test_axis_in_place() -> None:
    """The softmax over its own input, and rows that overlap."""
    x = np.random.default_rng(0).standard_normal((4000, 65))
    want = numact.softmax(x)
    for count in COUNTS:
        got = x.copy()
        with numact.num_threads(count):
            numact.softmax(got, out=got)
        assert_same_bits(got, want)
        overlapping = x.copy()
        with numact.num_threads(count):
            numact.softmax(overlapping[1:], out=overlapping[:-1])
        assert_same_bits(overlapping[:-1], want[1:])


# Overlap


@pytest.mark.parametrize("strides", [(1, 1), (2, 1), (1, 2), (2, 2), (-1, -1), (-1, 1), (3, 2)])
@pytest.mark.parametrize("count", [1, 3])
def test_overlap(strides: tuple[int, int], count: int) -> None:
    """An output that overlaps an input, at any distance, has what a copy would have given."""
    x_stride, out_stride = strides
    shifts = [*range(-70, 71, 7), -3, -2, -1, 1, 2, 3, 4096, -4096, 5000, -5000, 20_000, -20_000, N, -N]
    length = 3 * N + 2 * N
    for dtype, name in ((np.float32, "leaky_relu"), (np.float64, "sigmoid"), (np.float16, "relu"), (np.float32, "elu")):
        ufunc = BUILT[LEVEL][name]
        parameters = (dtype(0.25),) * (ufunc.nin - 1)
        original = np.random.default_rng(0).standard_normal(length).astype(dtype)
        for shift in shifts:
            buffer = original.copy()
            x = buffer[N : N + N * abs(x_stride)][::x_stride][:N]
            out = buffer[N + shift : N + shift + N * abs(out_stride)][::out_stride][:N]
            want = with_threads(1, ufunc, x.copy(), *parameters)[0]
            with_threads(count, ufunc, x, *parameters, out=out)
            assert_same_bits(out, want, message=f"{name}, shift {shift}:")


def test_overlap_with_a_parameter() -> None:
    """A single value within the output is read before it is written over, as from a copy."""
    x = np.random.default_rng(0).standard_normal(N)
    for place in (0, 5000, N - 1):
        buffer = x.copy()
        want = with_threads(1, BUILT[LEVEL]["elu"], x, x[place])[0]
        with_threads(3, BUILT[LEVEL]["elu"], buffer, buffer[place : place + 1], out=buffer)
        assert_same_bits(buffer, want)


def test_methods() -> None:
    """Whether an element depends on the one before, in reduce and accumulate, threads or not."""
    numact.set_num_threads(3)
    for dtype in DTYPES:
        for name, sign in (("elu", -1), ("leaky_relu", -1), ("tanh_grad", 1), ("celu", -1)):
            if dtype is np.float16 and name != "tanh_grad":
                continue  # a parameter of float16 is float32, and so no result that is passed on
            ufunc = BUILT[LEVEL][name]
            x = (sign * np.random.default_rng(0).uniform(0.5, 2, N // 4)).astype(dtype)
            want = [x[0]]
            for value in x[1:]:
                want.append(ufunc(want[-1], value))
            assert_same_bits(ufunc.accumulate(x), np.array(want), message=name)
            assert_same_bits(ufunc.reduce(x), want[-1], message=name)
            assert_same_bits(ufunc.reduce(np.stack([x, x])), ufunc(x, x), message=name)


# The floating-point environment


@pytest.mark.parametrize("dtype", DTYPES, ids=name_of)
@pytest.mark.parametrize("place", [0, N // 2, N - 1])
def test_overflow_in_any_part(dtype: Any, place: int) -> None:
    """An overflow is reported whichever thread computes the element."""
    x = np.zeros(N, dtype)
    x[place] = np.finfo(dtype).max
    for count in (1, *COUNTS):
        with numact.num_threads(count):
            with np.errstate(all="raise"), pytest.raises(FloatingPointError, match="overflow"):
                numact.relu_squared(x)
            with np.errstate(all="raise"):
                numact.relu(x)


# Several callers


def test_concurrent_callers() -> None:
    """Eight threads compute while the number of threads changes."""
    core.force_workers(False)
    x = np.random.default_rng(0).standard_normal(300_000)
    want = numact.mish(x)
    wrong: list[int] = []
    stop = threading.Event()

    def compute() -> None:
        y = np.empty_like(x)
        for _ in range(20):
            y[:] = 0
            numact.mish(x, out=y)
            wrong.extend(np.flatnonzero(y != want))

    def change() -> None:
        for count in range(10_000):
            numact.set_num_threads(1 + count % 9)
            if stop.wait(0.0005):
                return

    changing = threading.Thread(target=change)
    callers = [threading.Thread(target=compute) for _ in range(8)]
    for thread in (changing, *callers):
        thread.start()
    for thread in callers:
        thread.join()
    stop.set()
    changing.join()
    assert not wrong


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="threads change their processor on Linux only")
def test_beside_a_busy_process() -> None:
    """A call waits for a thread that another program interrupts in the middle of its part, wherever that goes on."""
    core.force_workers(False)
    calls = 300  # one after the other, so that the thread is awake; each changes every element
    allowed = os.sched_getaffinity(0)
    got = np.random.default_rng(0).standard_normal(300_000)
    want = got.copy()
    numact.set_num_threads(1)
    for _ in range(calls):
        numact.softplus(want, out=want)
    numact.set_num_threads(2)
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        os.sched_setaffinity(0, set(sorted(allowed)[:2]))
        os.sched_setaffinity(busy.pid, {sorted(allowed)[:2][-1]})
        for _ in range(calls):
            numact.softplus(got, out=got)
        assert_same_bits(got, want)
    finally:
        os.sched_setaffinity(0, allowed)
        busy.kill()
        busy.wait()


# Their number


def test_setting() -> None:
    """The number is what was set; blocks restore it, after errors too, and may be nested."""
    numact.set_num_threads(np.int64(3))  # type: ignore[arg-type]
    assert numact.get_num_threads() == 3
    with numact.num_threads(5):
        with numact.num_threads(1):
            assert numact.get_num_threads() == 1
        assert numact.get_num_threads() == 5
    assert numact.get_num_threads() == 3
    with pytest.raises(KeyError), numact.num_threads(2):
        raise KeyError
    assert numact.get_num_threads() == 3
    config = numact.show_config("dicts")
    assert config["threads"] == 3

    @numact.num_threads(4)
    def decorated() -> int:
        return numact.get_num_threads()

    assert decorated() == decorated() == 4


@pytest.mark.parametrize("n", [0, -1, 1025, 2**70])
def test_numbers_out_of_range(n: int) -> None:
    """ValueError names argument, value and what is allowed; nothing changes."""
    numact.set_num_threads(2)
    with pytest.raises(ValueError, match=rf"set_num_threads: n must be from 1 to 1024, got {n}"):
        numact.set_num_threads(n)
    with pytest.raises(ValueError, match=rf"num_threads: n must be from 1 to 1024, got {n}"), numact.num_threads(n):
        pass
    assert numact.get_num_threads() == 2


@pytest.mark.parametrize("n", [1.0, "2", None, [1], math.nan])
def test_no_integers(n: Any) -> None:
    """TypeError names argument and value."""
    with pytest.raises(TypeError, match="set_num_threads: n must be an integer, got "):
        numact.set_num_threads(n)
    with pytest.raises(TypeError, match=r"num_threads: n must be an integer, got "), numact.num_threads(n):
        pass


# The quota of control groups, from files as the system has them

V2_MOUNT = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate"
V1_MOUNT = "33 32 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid - cgroup cgroup rw,cpu,cpuacct"
V1_CONTAINER = "33 32 0:29 /docker/abc /sys/fs/cgroup/cpu rw,nosuid - cgroup cgroup rw,cpu,cpuacct"
QUOTAS: dict[str, tuple[dict[str, str], float]] = {
    "nothing": ({}, math.inf),
    "v2": ({"cgroup": "0::/a/b", "mounts": V2_MOUNT, "sys/fs/cgroup/a/b/cpu.max": "150000 100000"}, 1.5),
    "v2 without limit": ({"cgroup": "0::/a", "mounts": V2_MOUNT, "sys/fs/cgroup/a/cpu.max": "max 100000"}, math.inf),
    "v2, limited above": (
        {
            "cgroup": "0::/a/b",
            "mounts": V2_MOUNT,
            "sys/fs/cgroup/a/cpu.max": "50000 100000",
            "sys/fs/cgroup/a/b/cpu.max": "max 100000",
        },
        0.5,
    ),
    "v2 in a container": ({"cgroup": "0::/", "mounts": V2_MOUNT, "sys/fs/cgroup/cpu.max": "400000 100000"}, 4),
    "v2, another group": ({"cgroup": "0::/a", "mounts": V2_MOUNT, "sys/fs/cgroup/b/cpu.max": "1 1"}, math.inf),
    "v2, garbage": ({"cgroup": "0::/a\nx", "mounts": f"x\n{V2_MOUNT}", "sys/fs/cgroup/a/cpu.max": "a b"}, math.inf),
    "v2, zero": ({"cgroup": "0::/a", "mounts": V2_MOUNT, "sys/fs/cgroup/a/cpu.max": "0 0"}, math.inf),
    "v1": (
        {
            "cgroup": "7:memory:/m\n3:cpu,cpuacct:/a",
            "mounts": V1_MOUNT,
            "sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us": "250000",
            "sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us": "100000",
        },
        2.5,
    ),
    "v1 without limit": (
        {
            "cgroup": "3:cpu,cpuacct:/a",
            "mounts": V1_MOUNT,
            "sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us": "-1",
            "sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us": "100000",
        },
        math.inf,
    ),
    "v1 in a container": (
        {
            "cgroup": "3:cpu,cpuacct:/docker/abc",
            "mounts": V1_CONTAINER,
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "100000",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
        },
        1,
    ),
}


@pytest.mark.parametrize("case", QUOTAS)
def test_quota(case: str, tmp_path: Path) -> None:
    """Quotas of version 1 and 2, of groups around the own one, in containers; files that are not there or odd."""
    files, want = QUOTAS[case]
    for name, text in files.items():
        place = {"cgroup": "proc/self/cgroup", "mounts": "proc/self/mountinfo"}.get(name, name)
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text(text + "\n")
    assert threads.quota(str(tmp_path)) == want


def test_quota_of_this_process() -> None:
    """The files of this system are read."""
    assert threads.quota() > 0
