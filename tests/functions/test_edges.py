"""Special values, memory layouts and the floating-point environment."""

import ctypes
import platform
import sys
from typing import Any

import numpy as np
import pytest
from support.cases import (
    DTYPES,
    FUNCTIONS,
    LEVELS,
    ROWS,
    Array,
    Function,
    assert_same_bits,
    name_of,
    samples,
    unsigned,
)
from support.processes import run
from support.reference import EXACT, FAST, REFERENCE

import numact
from numact import Activation

every_function = pytest.mark.parametrize("function", FUNCTIONS, ids=name_of)
every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=name_of)
every_row = pytest.mark.parametrize("row", ROWS, ids=name_of)


def elementwise(function: Function, *operands: Any) -> Array:
    """Compute what the function gives for copies: the reference of every layout."""
    with np.errstate(over="ignore"):
        return np.asarray(function.ufunc()(*(np.array(operand, order="C") for operand in operands)))


# Values


@every_function
@every_dtype
def test_nan(function: Function, dtype: Any) -> None:
    """NaN in gives NaN out; a gradient that does not depend on x but by its pieces multiplies dy by that of a piece."""
    x = np.array([np.nan, -np.nan] * 20, dtype)
    got = function.ufunc()(*function.operands(x))
    parameters = function.parameters()[0]
    points = [EXACT.mpf(z) / 8 for z in range(-37, 38)]
    if function.suffix == "_grad_y":
        points = [REFERENCE[function.row.name].forward(EXACT, point, *parameters) for point in points]
    pieces = {float(function.reference(EXACT, point, *parameters)) for point in points}
    if function.suffix and len(pieces) <= 3:
        assert np.isin(got, np.array([*pieces], dtype)).all()
    else:
        assert np.isnan(got).all()
    if function.suffix:
        point = next(p for p in (0.6, 1.5) if function.reference(EXACT, EXACT.mpf(p), *parameters) != 0)
        got = function.ufunc()(*function.operands(np.full_like(x, point), dy=x))
        assert np.isnan(got).all(), "a NaN dy vanishes"


@every_function
@every_dtype
def test_no_nan_from_numbers(function: Function, dtype: Any) -> None:
    """Only NaN gives NaN."""
    for parameters in function.parameters(dtype):
        x = function.inputs(samples(dtype))
        x = x[~np.isnan(x)]
        with np.errstate(over="ignore"):
            got = function.ufunc()(*function.operands(x, parameters))
        assert not np.isnan(got).any(), x[np.isnan(got)]


def limit(function: Function, sign: int) -> float:
    """Find the limit at infinity: infinite where the values still grow, else the value far out."""
    near, far = (
        EXACT.mpf(function.reference(EXACT, EXACT.mpf(sign * x), *map(EXACT.mpf, map(float, function.parameters()[0]))))
        for x in (10**397, 10**400)
    )
    size = np.inf if abs(far) > 2 * abs(near) else float(abs(far))
    return -size if far < 0 else size


@every_dtype
@pytest.mark.parametrize("function", [f for f in FUNCTIONS if f.suffix != "_grad_y"], ids=name_of)
@pytest.mark.parametrize("sign", [1, -1])
def test_limits(function: Function, dtype: Any, sign: int) -> None:
    """f(inf) and f'(inf) are the limits, with their signs (silu(-inf) is -0.0)."""
    got = function.ufunc()(*function.operands(np.full(40, sign * np.inf, dtype)))
    want = limit(function, sign)
    np.testing.assert_array_equal(got, dtype(want))
    parameters = map(EXACT.mpf, map(float, function.parameters()[0]))
    if function.suffix == "" and function.reference(EXACT, EXACT.mpf(sign * 10**400), *parameters) != 0:
        np.testing.assert_array_equal(np.signbit(got), np.signbit(want))


@every_row
@every_dtype
def test_zeros(row: Activation, dtype: Any) -> None:
    """f(+0) and f(-0) have the sign of f beside them."""
    function = Function(row, "")
    parameters = [EXACT.mpf(value) for value in function.parameters(float)[0]]
    for zero in (0.0, -0.0):
        beside = REFERENCE[row.name].forward(EXACT, EXACT.mpf(np.copysign(1e-300, zero)), *parameters)
        got = function.ufunc()(*function.operands(np.full(40, zero, dtype)))
        if (got == 0).all():
            np.testing.assert_array_equal(np.signbit(got), bool(beside < 0))
        np.testing.assert_allclose(got, float(beside), rtol=2 * np.finfo(dtype).eps, atol=1e-290)


@every_function
@every_dtype
def test_silent(function: Function, dtype: Any) -> None:
    """No floating-point error for any input, except the overflow of finite numbers where the row says so."""
    math_library = ctypes.CDLL(None)
    for level in LEVELS:
        for parameters in function.parameters(dtype):
            x = function.inputs(samples(dtype))
            operands = function.operands(x, parameters)
            if function.row.overflows:
                with np.errstate(all="ignore"):
                    true = function.reference(FAST, x.astype(np.float64), *(float(p) for p in parameters))
                    moderate = (abs(true) <= np.finfo(dtype).max) | ~np.isfinite(x)
                operands = function.operands(x[moderate], parameters)
            with np.errstate(all="raise"):
                function.ufunc(level)(*operands)
                for i in range(0, operands[-1].size if not parameters else 20):
                    function.ufunc(level)(*(o[i : i + 1] if np.ndim(o) else o for o in operands))
            flags = math_library.fetestexcept(0x1D)  # invalid 1, division 4, overflow 8, underflow 16
            assert flags == 0


@pytest.mark.parametrize("row", [row for row in ROWS if row.overflows], ids=name_of)
@every_dtype
def test_overflow_is_reported(row: Activation, dtype: Any) -> None:
    """A finite input that overflows warns, as in NumPy; an infinite one does not."""
    function = Function(row, "")
    for level in LEVELS:
        with pytest.warns(RuntimeWarning, match="overflow"):
            got = function.ufunc(level)(*function.operands(np.full(20, np.finfo(dtype).max)))
        assert np.isinf(got).all()
        function.ufunc(level)(*function.operands(np.full(20, np.inf, dtype)))


@pytest.mark.skipif(
    platform.machine() != "x86_64" or not sys.platform.startswith("linux"), reason="reads the MXCSR through glibc"
)
@pytest.mark.parametrize("mode", [0x2000, 0x4000, 0x6000, 0x8040, 0xE040], ids=hex)
@every_function
def test_environment(function: Function, mode: int) -> None:
    """Another rounding mode or flush-to-zero changes no bit and is left as it was found."""
    math_library = ctypes.CDLL(None)
    environment, found = (ctypes.c_uint32 * 8)(), (ctypes.c_uint32 * 8)()
    for dtype in DTYPES:
        x = function.inputs(samples(dtype, 300))
        operands = function.operands(x)
        with np.errstate(over="ignore"):
            for level in LEVELS:
                ufunc, out = function.ufunc(level), np.empty_like(x)
                want = ufunc(*operands)
                math_library.fegetenv(environment)
                default = environment[7]
                environment[7] = (default & ~0xE07F) | mode
                math_library.fesetenv(environment)
                try:
                    ufunc(*operands, out=out)
                    math_library.fegetenv(found)
                finally:
                    environment[7] = default
                    math_library.fesetenv(environment)
                assert_same_bits(out, want, x, f"{function.name}, {level}:")
                assert found[7] & ~0x3F == (default & ~0xE07F) | mode & ~0x3F


@pytest.mark.skipif(
    platform.machine() != "x86_64" or not sys.platform.startswith("linux"), reason="sets the MXCSR through glibc"
)
@pytest.mark.parametrize("bits", [0x8000, 0x0040, 0x8040], ids=["FTZ", "DAZ", "both"])
def test_flushed_subnormals_are_found(bits: int) -> None:
    """show_config says whether another library has switched subnormal numbers off in this thread."""
    math_library, environment = ctypes.CDLL(None), (ctypes.c_uint32 * 8)()
    assert numact.show_config("dicts")["subnormals"] == "kept"
    math_library.fegetenv(environment)
    default = environment[7]
    environment[7] = default | bits
    math_library.fesetenv(environment)
    try:
        found = numact.show_config("dicts")["subnormals"]
    finally:
        environment[7] = default
        math_library.fesetenv(environment)
    assert found == "flushed to 0 by another library (FTZ or DAZ)"


def test_import_keeps_subnormals() -> None:
    """Importing and computing leaves subnormal arithmetic on, in this thread and in those started later."""
    code = """
import threading
import numpy as np
import numact
numact.gelu(np.linspace(-20, 20, 1000, dtype=np.float32))
results = []
def halve():
    results.append(bool(np.float32(3e-45) * np.float32(0.5) > 0 and np.float64(1e-323) * 0.5 > 0))
halve()
thread = threading.Thread(target=halve)
thread.start()
thread.join()
print(results)
"""
    assert run(code).stdout.strip() == "[True, True]"


# Memory


@every_function
@every_dtype
def test_layouts(function: Function, dtype: Any) -> None:
    """Any layout gives what a contiguous copy gives."""
    ufunc = function.ufunc()
    x = samples(dtype)[:600]
    packed = np.zeros(600, [("pad", "u1"), ("x", dtype)])
    packed["x"] = x
    matrix = x.reshape(20, 30)
    cube = x.reshape(10, 10, 6)
    layouts = [
        *(packed["x"], x[::-1], x[::7], x.astype(x.dtype.newbyteorder()), matrix.T, np.asfortranarray(matrix)),
        *(matrix[:, 3], matrix[::2, ::-3], cube.transpose(1, 2, 0), cube[:, ::2], np.broadcast_to(x[:30], (5, 30))),
        *(x[:0], matrix[:, :0]),
        *(np.broadcast_to(x[3], (4, 5)), matrix[:, None, :], x[5:6], x[:1].reshape(())),
    ]
    with np.errstate(over="ignore"):
        for layout in layouts:
            native = layout.astype(dtype)
            want = elementwise(function, *function.operands(native))
            got = np.asarray(ufunc(*function.operands(layout, function.parameters(dtype)[0])))
            assert got.shape == layout.shape
            assert_same_bits(got, want, native, function.name)
        packed_out = np.zeros(600, packed.dtype)
        ufunc(*function.operands(x), out=packed_out["x"])
        assert_same_bits(packed_out["x"], elementwise(function, *function.operands(x)), x)
        assert not packed_out["pad"].any()


@every_function
@every_dtype
def test_scalars(function: Function, dtype: Any) -> None:
    """0-d gives a scalar of the dtype."""
    for x in (np.array(0.5, dtype), dtype(0.5)):
        assert type(function.ufunc()(*function.operands(x))) is dtype
    out = np.empty((), dtype)
    assert function.ufunc()(*function.operands(dtype(0.5)), out=out) is out


@every_function
@every_dtype
@pytest.mark.parametrize("size", [1, 40, 300, 1000])
def test_overlap(function: Function, dtype: Any, size: int) -> None:
    """`out` that overlaps an operand gives what copies give."""
    ufunc = function.ufunc()
    start = np.resize(samples(dtype), size + 140)
    for shift in range(-70, 71):
        for reverse in (1, -1):
            for overlapped in range(2 if function.suffix else 1):
                memory = start.copy()
                moved = memory[70 : 70 + size]
                other = start[:size].copy()
                out = memory[70 + shift : 70 + shift + size][::reverse]
                operands = list(function.operands(moved))
                if function.suffix:
                    operands[:2] = [moved, other] if overlapped == 0 else [other, moved]
                want = elementwise(function, *operands)
                with np.errstate(over="ignore"):
                    assert ufunc(*operands, out=out) is out
                assert_same_bits(out, want, message=f"{function.name}, shift {shift}, {reverse}:")
                untouched = np.ones(memory.size, bool)
                untouched[70 + shift : 70 + shift + size] = False
                assert_same_bits(memory[untouched], start[untouched])


@every_function
@every_dtype
def test_in_place(function: Function, dtype: Any) -> None:
    """out=x, out=dy, and the same array as every operand."""
    x = samples(dtype)
    operands = function.operands(x, dy=x[::-1].copy())
    want = elementwise(function, *operands)
    with np.errstate(over="ignore"):
        for k in range(2 if function.suffix else 1):
            copies = [np.array(operand) for operand in operands]
            function.ufunc()(*copies, out=copies[k])
            assert_same_bits(copies[k], want, x, function.name)
        if function.suffix:
            want = elementwise(function, *function.operands(x, dy=x))
            same = x.copy()
            function.ufunc()(*function.operands(same, dy=same), out=same)
            assert_same_bits(same, want, x, function.name)


@every_function
@every_dtype
def test_where(function: Function, dtype: Any) -> None:
    """where= leaves the rest of out alone."""
    x = samples(dtype)
    chosen = np.random.default_rng(3).random(x.size) < 0.6
    out = np.full(x.size, 7, dtype)
    operands = function.operands(x)
    with np.errstate(over="ignore"):
        function.ufunc()(*operands, out=out, where=chosen)
    assert_same_bits(out, np.where(chosen, elementwise(function, *operands), dtype(7)), x)


@every_function
def test_broadcasting(function: Function) -> None:
    """Operands broadcast against one another."""
    x = np.linspace(-8, 8, 60, dtype=np.float32)
    if function.suffix:
        dy = x[:7, None]
        got = function.ufunc()(*function.operands(x, dy=dy))
        assert_same_bits(got, elementwise(function, *function.operands(np.tile(x, (7, 1)), dy=np.repeat(dy, 60, 1))))
    elif function.row.parameters:
        column = np.linspace(0.5, 2, 7, dtype=np.float32)[:, None]
        got = function.ufunc()(x, *[column] * len(function.row.parameters))
        for i, value in enumerate(column[:, 0]):
            assert_same_bits(got[i], function.ufunc()(x, *[value] * len(function.row.parameters)))


@every_function
def test_read_only(function: Function) -> None:
    """Read-only input is fine, read-only output an error."""
    x = np.linspace(-8, 8, 50, dtype=np.float32)
    x.flags.writeable = False
    want = elementwise(function, *function.operands(x))
    assert_same_bits(function.ufunc()(*function.operands(x)), want)
    with pytest.raises(ValueError, match="read-only"):
        function.ufunc()(*function.operands(x), out=x)


def test_bits_of_nan() -> None:
    """The comparison of the tests tells zeros apart."""
    with pytest.raises(AssertionError):
        assert_same_bits(np.zeros(1), -np.zeros(1))
    assert unsigned(np.float32) is np.uint32
