"""What kernels read and write: not a byte beside their arrays, the same at every place, and all of 2^31 elements."""

import ctypes
import mmap
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from support.cases import BUILT, DTYPES, FUNCTIONS, LEVELS, Array, assert_same_bits, name_of, samples
from support.gated_cases import FUNCTIONS as GATED

from numact._kernels import core

ALL_DTYPES = (*DTYPES, ml_dtypes.bfloat16)
AXIS = {level: core.build_axis(level) for level in LEVELS}
ELEMENTWISE = {function.name: function for function in FUNCTIONS}

every_dtype = pytest.mark.parametrize("dtype", ALL_DTYPES, ids=name_of)
every_level = pytest.mark.parametrize("level", LEVELS)
every_name = pytest.mark.parametrize("name", [*ELEMENTWISE, *(function.name for function in GATED)])

# Up to two vectors and more, and where the part before an aligned address begins to be computed apart.
LENGTHS = [*range(67), *range(126, 146), 255, 256, 257, 300]


def operands_of(name: str, dtype: Any, count: int) -> tuple[list[Array], list[Array]]:
    """Moderate numbers as operands, and the parameters."""
    numbers = np.linspace(-5, 5, count).astype(dtype)
    if name in ELEMENTWISE:
        function = ELEMENTWISE[name]
        arrays = [numbers, numbers[::-1].copy()] if function.suffix else [numbers]
        return arrays, [np.array([value]) for value in function.parameters(dtype)[0]]
    return [np.roll(numbers, k) for k in range(3 if name.endswith("_grad") else 2)], []


@contextmanager
def guarded(arrays: int) -> Iterator[list[Array]]:
    """Pages of bytes, each between two that must not be touched (a violation kills the process)."""
    library = ctypes.CDLL(None, use_errno=True)
    page, maps = mmap.PAGESIZE, [mmap.mmap(-1, 3 * mmap.PAGESIZE) for _ in range(arrays)]
    addresses = [ctypes.addressof(ctypes.c_char.from_buffer(memory)) for memory in maps]

    def protect(flags: int) -> None:
        for address in addresses:
            for offset in (0, 2 * page):
                assert library.mprotect(ctypes.c_void_p(address + offset), ctypes.c_size_t(page), flags) == 0

    protect(0)
    try:
        yield [np.frombuffer(memory, np.uint8)[page : 2 * page] for memory in maps]
    finally:
        protect(mmap.PROT_READ | mmap.PROT_WRITE)


def placed(pages: Sequence[Array], sizes: Sequence[int], dtypes: Sequence[Any], at_end: bool) -> list[Array]:
    """Arrays of these sizes and dtypes at the beginnings of the pages, or at their ends."""
    counts = [size * np.dtype(dtype).itemsize for size, dtype in zip(sizes, dtypes, strict=True)]
    return [
        (page[page.size - count :] if at_end else page[:count]).view(dtype)
        for page, count, dtype in zip(pages, counts, dtypes, strict=True)
    ]


@pytest.mark.skipif(not hasattr(mmap, "PROT_READ"), reason="needs mprotect")
@every_name
@every_dtype
def test_guard_pages(name: str, dtype: Any) -> None:
    """No byte before or after an array is touched, forwards and backwards."""
    arrays, parameters = operands_of(name, dtype, max(LENGTHS))
    results = BUILT["baseline"][name].nout
    with guarded(len(arrays) + len(parameters) + results) as pages:
        for n in LENGTHS:
            source = [*(array[:n] for array in arrays), *parameters]
            want = np.array(BUILT["baseline"][name](*source)).reshape(results, n)
            for at_end in (False, True):
                sizes = [n] * len(arrays) + [1] * len(parameters) + [n] * results
                kinds = [operand.dtype for operand in source] + [dtype] * results
                views = placed(pages, sizes, kinds, at_end)
                for view, operand in zip(views, source, strict=False):
                    view[:] = operand
                inputs, outputs = views[:-results], views[-results:]
                for level in LEVELS:
                    for step in (1, -1):
                        for output in outputs:
                            output[:] = 7
                        BUILT[level][name](*(x[::step] for x in inputs), out=tuple(y[::step] for y in outputs))
                        for output, wanted in zip(outputs, want, strict=True):
                            assert_same_bits(output, wanted, message=f"{name}, {level}, {n} elements:")


@pytest.mark.skipif(not hasattr(mmap, "PROT_READ"), reason="needs mprotect")
@pytest.mark.parametrize("name", ["softmax", "softmin", "log_softmax", "sparsemax", "hardmax"])
@every_level
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=name_of)
def test_guard_pages_of_rows(name: str, level: str, dtype: Any) -> None:
    """The same for functions along an axis: rows, and columns."""
    ufunc = AXIS[level][name]
    temperature = [np.array(1, dtype)][: ufunc.nin - 1]
    with guarded(2) as pages:
        for n in LENGTHS[1:]:
            for shape, axis in (((1, n), -1), ((2, n), -1), ((n, 3), 0)):
                size = shape[0] * shape[1]
                if size * np.dtype(dtype).itemsize > mmap.PAGESIZE:
                    continue
                numbers = np.linspace(-5, 5, size).astype(dtype).reshape(shape)
                axes = [axis, *[()] * len(temperature), axis]
                want = AXIS["baseline"][name](numbers, *temperature, axes=axes)
                for at_end in (False, True):
                    x, y = (view.reshape(shape) for view in placed(pages, [size, size], [dtype] * 2, at_end))
                    x[...] = numbers
                    ufunc(x, *temperature, out=y, axes=axes)
                    assert_same_bits(y, want, message=f"{name}, {level}, {shape}:")


@every_name
@every_level
@every_dtype
def test_long_slices(name: str, level: str, dtype: Any) -> None:
    """Lengths and places at which a loop begins with the part before an aligned address, and many blocks."""
    ufunc = BUILT[level][name]
    varying = len(operands_of(name, dtype, 1)[0])
    _, parameters = operands_of(name, dtype, 1)
    float_type = np.float32 if dtype is ml_dtypes.bfloat16 else dtype
    x = np.resize(np.random.default_rng(2).permutation(samples(float_type, 600)), 4200)
    with np.errstate(all="ignore"):
        numbers = x.astype(dtype)
        operands = [np.roll(numbers, 7 * k) for k in range(varying)]
        wholes = np.array(ufunc(*operands, *parameters)).reshape(ufunc.nout, -1)
        out = np.empty((ufunc.nout, 4200), dtype)
        for n in (97, *range(126, 146), 257, 4095, 4096, 4097):
            for start in (0, 1, 15, 33):
                # The results at another place of a cache line than the operands.
                place = (5 * start + n) % 64
                results = tuple(row[place : place + n] for row in out)
                ufunc(*(operand[start : start + n] for operand in operands), *parameters, out=results)
                for result, whole in zip(results, wholes, strict=True):
                    assert_same_bits(result, whole[start : start + n], message=f"{name}, {level}, {n} from {start}:")


# Directly behind its head a ufunc object has: int nin, nout, nargs, identity; the loops; what is passed to each.
class UfuncObject(ctypes.Structure):
    """The beginning of PyUFuncObject."""

    _fields_ = (
        ("head", ctypes.c_ssize_t * 2),
        ("numbers", ctypes.c_int * 4),
        ("loops", ctypes.POINTER(ctypes.c_void_p)),
        ("data", ctypes.POINTER(ctypes.c_void_p)),
    )


NORESERVE = 0x4000


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="asks the system for memory in the way of Linux")
@pytest.mark.parametrize(("name", "dtype"), [("relu", np.float16), ("reglu", np.float32)], ids=name_of)
def test_more_than_2_31(name: str, dtype: Any) -> None:
    """A loop over 2^31 + 3 elements comes to the last one; the pages are never written, so that they need no memory."""
    n, itemsize = 2**31 + 3, np.dtype(dtype).itemsize
    ufunc = BUILT[core.level()][name]
    memory = mmap.mmap(-1, n * itemsize, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | NORESERVE)
    try:
        numbers = np.frombuffer(memory, dtype)
        numbers[-1] = 3
        result = np.zeros(ufunc.nin, dtype)
        loops = UfuncObject.from_address(id(ufunc))
        index = ufunc.types.index(np.dtype(dtype).char * ufunc.nin + "->" + np.dtype(dtype).char)
        loop = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4)(loops.loops[index])
        arrays = (ctypes.c_void_p * 3)(*[numbers.ctypes.data] * ufunc.nin, result.ctypes.data)
        steps = (ctypes.c_ssize_t * 3)(*[itemsize] * ufunc.nin, 0)
        loop(arrays, ctypes.byref(ctypes.c_ssize_t(n)), steps, loops.data[index])
        assert result[0] == {"relu": 3, "reglu": 9}[name]
        del numbers
    finally:
        memory.close()


@pytest.mark.parametrize("threshold", [0, 1 << 31, 1 << 32])
def test_random_bits_stay_in_their_bytes(threshold: int) -> None:
    """Any number of bits fills as many bytes as it needs, with 0 behind the last bit, and no more."""
    for count in (1, 7, 8, 9, 63, 64, 65, 127, 128, 200):
        bytes_of_bits = (count + 7) // 8
        memory = np.full(bytes_of_bits + 16, 0xA5, np.uint8)
        core.random_bits(memory[:bytes_of_bits], count, threshold, np.random.default_rng(count).bit_generator)
        assert (memory[bytes_of_bits:] == 0xA5).all()
        assert not np.unpackbits(memory[:bytes_of_bits], bitorder="little")[count:].any()
