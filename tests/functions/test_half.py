"""float16 and bfloat16: every function at all 65,536 inputs, the conversions, and when bfloat16 is registered."""

import importlib
import sys
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np
import pytest
from functions.test_accuracy import true_values
from support.cases import BUILT, CHOSEN, FUNCTIONS, LEVELS, ROWS, Array, Function, assert_same_bits, name_of
from support.processes import run

import numact
from numact import ParametricUfunc
from numact._kernels import core

BF16 = ml_dtypes.bfloat16
ULP = 0.51


class Half(NamedTuple):
    """A type of 16 bits: exponents of the least and of the largest normal number, digits behind the binary point."""

    dtype: Any
    least: int
    largest: int
    digits: int

    @property
    def name(self) -> str:
        """Name of the dtype."""
        return str(np.dtype(self.dtype).name)


HALVES = [Half(np.float16, -14, 15, 10), Half(BF16, -126, 127, 7)]

every_function = pytest.mark.parametrize("function", FUNCTIONS, ids=name_of)
every_half = pytest.mark.parametrize("half", HALVES, ids=name_of)
every_level = pytest.mark.parametrize("level", LEVELS)


def everything(dtype: Any) -> Array:
    """All 65,536 numbers."""
    return np.arange(2**16, dtype=np.uint16).view(dtype)


def errors(half: Half, got: Array, want: Array) -> Array:
    """Errors in ULP of the true values; infinity stands for the power of two above the largest number."""
    top = 2.0 ** (half.largest + 1)
    got, want = np.clip(got.astype(np.float64), -top, top), np.clip(want, -top, top)
    exponent = np.where(want == 0, half.least, np.clip(np.frexp(want)[1] - 1, half.least, half.largest))
    return np.asarray(abs(got - want) / np.ldexp(1.0, exponent - half.digits))


# Values


@every_function
@every_half
def test_accuracy(function: Function, half: Half) -> None:
    """Within 0.51 ULP of the true value at every finite input."""
    with np.errstate(invalid="ignore"):  # ml_dtypes, of signalling NaN
        x = function.inputs(everything(half.dtype)).astype(np.float64)
    x = np.unique(x[np.isfinite(x)]).astype(half.dtype)
    for parameters in function.parameters(half.dtype):
        with np.errstate(over="ignore"):
            got = function.ufunc()(*function.operands(x, parameters))
        assert got.dtype == half.dtype
        error = errors(half, got, true_values(function, x, parameters))
        i = int(error.argmax())  # a NaN is the largest
        assert error[i] <= ULP, f"{function.name}({x[i]}, {parameters}) is {got[i]}: {error[i]} ULP"


@every_half
def test_errors_are_found(half: Half) -> None:
    """The measure tells a number from its neighbours, and from infinity."""
    for bits in (0x0000, 0x0007, 0x0080, 0x3F80, 0x3FFF):
        number, above = np.array([bits, bits + 1], np.uint16).view(half.dtype)
        assert errors(half, np.array([above]), np.array([float(number)])) == 1
    largest = (2 - 2.0**-half.digits) * 2.0**half.largest
    assert errors(half, np.array([np.inf], half.dtype), np.array([largest])) == 1


# Long arrays, whose results are looked up in a table

LONG = 17 * 2**16
PART = 2**16  # is computed


@every_function
@every_half
def test_long_array(function: Function, half: Half) -> None:
    """The bits of a long array, side by side, backwards and in place, are those of its parts."""
    for level in {LEVELS[0], LEVELS[-1]}:  # the slowest, where a table is always faster
        ufunc, dy = function.ufunc(level), half.dtype(-0.75)
        with np.errstate(all="ignore"):
            x = np.resize(function.inputs(everything(half.dtype)), LONG)
            for parameters in function.parameters(half.dtype):
                part = ufunc(*function.operands(x[:PART], parameters, dy))
                want = np.resize(part, LONG)
                assert_same_bits(ufunc(*function.operands(x, parameters, dy)), want)
                assert_same_bits(ufunc(*function.operands(x[::-1], parameters, dy)), want[::-1])
            y = x.copy()
            ufunc(*function.operands(y, parameters, dy), out=y)
            assert_same_bits(y, want)


@every_half
def test_long_overflow(half: Half) -> None:
    """An overflow anywhere in a long array is reported, and none where there is none."""
    x = np.zeros(LONG, half.dtype)
    with np.errstate(all="raise"):
        numact.exponential(x)
        x[LONG // 2] = np.inf
        numact.exponential(x)
        x[LONG // 2] = 100
        with pytest.raises(FloatingPointError, match="overflow"):
            numact.exponential(x)


@every_function
@every_half
@pytest.mark.parametrize("level", LEVELS[1:])
def test_levels(function: Function, half: Half, level: str) -> None:
    """Every level gives the bits of the baseline at every input, with any dy."""
    x = everything(half.dtype)
    dy = np.random.default_rng(6).permutation(x)
    for parameters in function.parameters(half.dtype):
        operands = function.operands(x, parameters, dy)
        with np.errstate(over="ignore"):
            got, want = (BUILT[name][function.name](*operands) for name in (level, "baseline"))
        assert_same_bits(got, want, x, f"{function.name} {parameters}, {level}:")


@every_half
@every_level
def test_conversions(half: Half, level: str) -> None:
    """Both conversions are those of NumPy and ml_dtypes: every number, and products rounded once."""
    product = BUILT[level]["leaky_relu"]
    x = everything(half.dtype)
    kept = product(x, half.dtype(1))
    assert_same_bits(kept, x)
    np.testing.assert_array_equal(np.signbit(kept), np.signbit(x))
    rng = np.random.default_rng(7)
    with np.errstate(all="ignore"):
        negative = x[np.signbit(x) & ~np.isnan(x)]
        for _ in range(20):
            slopes = rng.permutation(x)[: negative.size]
            want = (negative.astype(np.float32) * slopes.astype(np.float32)).astype(half.dtype)
            assert_same_bits(product(negative, slopes), want, negative)


@every_half
@every_level
def test_overflow(half: Half, level: str) -> None:
    """A finite float32 that the type does not hold is infinite, and reported where the row says so."""
    # 181 * 181 is half an ULP below 2^15: it rounds up, though float32 holds it.
    just, beyond = (np.full(300, y, half.dtype) for y in (181, 2.0 ** (half.largest - 15) * 181))
    if half.dtype is np.float16:
        just = np.full(300, 181.125, half.dtype)  # float16 has more digits: 181.125 * 181 * 2 is 65567
    gradient = BUILT[level]["relu_squared_grad"]
    with pytest.warns(RuntimeWarning, match="overflow"):
        got = gradient(beyond, just)
    assert np.isinf(got.astype(np.float32)).all()
    silent = BUILT[level]["leaky_relu_grad"](beyond, -just, just * half.dtype(2))
    assert np.isinf(silent.astype(np.float32)).all()
    below = gradient(beyond, just - half.dtype(1))
    assert np.isfinite(below.astype(np.float32)).all()
    infinite = np.full(300, np.inf, half.dtype)
    assert np.isinf(gradient(np.ones_like(infinite), infinite).astype(np.float32)).all()


# Types


def test_promotion() -> None:
    """Mixed operands give the dtype that np.add gives, whatever is beside bfloat16."""
    x = np.array([-1, 0, 2], BF16)
    for other in ("?", "b", "B", "h", "H", "i", "I", "l", "L", "e", "f", "d", BF16):
        y = np.array([1, 0, 1], other)
        dtype = np.add(x, y).dtype
        for name in ("sigmoid_grad", "relu_grad", "leaky_relu_grad"):
            function = getattr(numact, name)
            for operands in ((x, y), (y, x)):
                got = function(*operands)
                assert got.dtype == dtype, (name, other)
                assert_same_bits(got, function(*(operand.astype(dtype) for operand in operands)))


@every_half
@pytest.mark.parametrize(
    "name", [name for name in numact.__all__ if isinstance(getattr(numact, name), ParametricUfunc)]
)
def test_parameters(name: str, half: Half) -> None:
    """A number of any kind as parameter is float32 and leaves the dtype alone; an array takes part in it."""
    function = getattr(numact, name)
    x = np.linspace(0, 2, 9).astype(half.dtype)
    arrays = (x,) * function.nin
    required = {name: CHOSEN[name] for name, default in function.defaults.items() if default is None}
    values = {**function.defaults, **required}
    want = function(*arrays, **required)
    assert want.dtype == half.dtype
    for kind in (np.float32, np.float64, np.array):
        assert_same_bits(function(*arrays, *[kind(value) for value in values.values()]), want)
    assert_same_bits(function(*arrays, *values.values()), want)
    assert_same_bits(function(*arrays, **values), want)
    assert_same_bits(function(*arrays, **required, dtype=half.dtype), want)
    scalar = function(*(array[2] for array in arrays), **required)
    assert type(scalar) is half.dtype
    assert_same_bits(scalar, want[2])
    for parameter, value in values.items():
        assert function(*arrays, **{**required, parameter: np.full(9, value, half.dtype)}).dtype == half.dtype
        for wider in (np.float32, np.float64):
            assert function(*arrays, **{**required, parameter: np.full(9, value, wider)}).dtype == wider


@every_half
def test_parameters_are_not_rounded(half: Half) -> None:
    """A parameter that the half type does not hold is used as it is: one rounding for all values."""
    x = everything(half.dtype)
    with np.errstate(all="ignore"):
        want = np.where(x > 0, x, (np.float32(0.01) * x.astype(np.float32)).astype(half.dtype))
        assert_same_bits(np.asarray(numact.leaky_relu(x)), want)
        assert_same_bits(np.asarray(numact.leaky_relu_masked(x)[0]), want)
        layer = numact.norm.layer_norm(x[:64].reshape(4, 16), activation=("elu", {"alpha": 0.3}))
        assert_same_bits(layer, numact.elu(numact.norm.layer_norm(x[:64].reshape(4, 16)), 0.3))


def test_parameters_near_zero() -> None:
    """What must be above 0 is so when it is used: the limits, not NaN."""
    with np.errstate(over="ignore"):
        assert numact.softplus(np.float16(1.0), 1e-8) == np.inf
        assert numact.softplus(np.float32(1.0), 1e-50) == np.inf
    assert np.isfinite(numact.celu_grad(np.float16(1), np.float16(-1), alpha=1e-9))
    assert np.isfinite(numact.celu_grad(np.float32(1), np.float32(-1), alpha=1e-50))
    got = numact.soft_shrink(np.array([0.302734375], ml_dtypes.bfloat16), 0.3)
    assert float(got[0]) == pytest.approx(0.00273, rel=4e-3)


@every_half
def test_at_zero(half: Half) -> None:
    """at_zero= as a Python number leaves the dtype alone."""
    for row in ROWS:
        if row.kink:
            dy = np.array([1, 2, 3], half.dtype)
            got = getattr(numact, f"{row.name}_grad")(dy, np.zeros_like(dy), at_zero=0.5)
            assert got.dtype == half.dtype
            np.testing.assert_array_equal(got, dy * half.dtype(0.5))


# Memory, of bfloat16: what other files test for NumPy's own dtypes


@every_function
def test_layouts(function: Function) -> None:
    """Any layout gives what a contiguous copy gives."""
    ufunc = function.ufunc()
    x = np.random.default_rng(8).permutation(everything(BF16))[:1200]
    matrix = x.reshape(30, 40)
    swapped = x.astype(x.dtype.newbyteorder())
    layouts = [x[::-1], x[::7], matrix.T, matrix[:, 3], matrix[::2, ::-3], swapped, x[:0], x[5:6], x[0:1].reshape(())]
    with np.errstate(over="ignore"):
        for layout in layouts:
            want = ufunc(*function.operands(np.array(layout.astype(BF16), order="C")))
            parameters = function.parameters(BF16)[0]
            dy = np.ones(layout.shape, BF16)
            got = ufunc(*function.operands(layout, parameters, dy))
            assert_same_bits(got, want, layout.astype(BF16))
        whole = ufunc(*function.operands(x))
        out = np.full(3 * x.size, 7, BF16)
        ufunc(*function.operands(x), out=out[::-3])
        assert_same_bits(out[::-3], whole)
        assert (out[1::3] == 7).all()
        chosen = np.arange(x.size) % 3 == 0
        masked = np.full(x.size, 7, BF16)
        ufunc(*function.operands(x), out=masked, where=chosen)
        assert_same_bits(masked, np.where(chosen, whole, np.full_like(x, 7)))
        mixed = np.empty(x.size, np.float32)
        ufunc(*function.operands(x), out=mixed)
        assert_same_bits(mixed, whole.astype(np.float32))


@pytest.mark.parametrize("name", ["gelu", "gelu_grad"])
def test_overlap(name: str) -> None:
    """`out` that overlaps an operand, or is one, gives what copies give."""
    function = next(function for function in FUNCTIONS if function.name == name)
    start = np.random.default_rng(9).normal(size=1400).astype(BF16)
    for shift in range(-300, 301, 7):
        memory = start.copy()
        moved, out = memory[300:1100], memory[300 + shift : 1100 + shift]
        want = function.ufunc()(*function.operands(moved.copy(), dy=start[:800]))
        assert function.ufunc()(*function.operands(moved, dy=start[:800]), out=out) is out
        assert_same_bits(out, want, message=f"shift {shift}:")


# Registration


def test_ufuncs_built_later() -> None:
    """Levels that are built once bfloat16 is known have its loops too, and it can be registered again."""
    x = np.array([-1, 2], BF16)
    for level in LEVELS:
        for name, ufunc in core.build(level).items():
            assert ufunc.resolve_dtypes((x.dtype,) * ufunc.nin + (None,) * ufunc.nout)[-1] == x.dtype, name
    core.register_bfloat16(np.dtype(BF16))
    assert_same_bits(numact.relu(x), np.array([0, 2], BF16))


@pytest.mark.parametrize("dtype", [np.dtype(np.float64), np.dtype("V4")])
def test_other_types_are_refused(dtype: Any) -> None:
    """What ml_dtypes did not add to NumPy cannot become bfloat16, and changes nothing."""
    with pytest.raises(TypeError):
        core.register_bfloat16(dtype)
    assert numact.relu(np.ones(2)).dtype == np.float64
    assert numact.relu(np.ones(2, BF16)).dtype == BF16


WORKS = """
x = numpy.array([-1, 0, 2], ml_dtypes.bfloat16)
assert numact.relu(x).dtype == numact.leaky_relu(x, 0.5).dtype == x.dtype
assert numact.show_config("dicts")["dtypes"][-1] == "bfloat16"
assert type(ml_dtypes.__loader__).__name__ == type(ml_dtypes.__spec__.loader).__name__ == "SourceFileLoader"
"""
# Each is run in a process of its own, warnings being errors.
ORDERS = {
    "ml_dtypes first": "import numpy, ml_dtypes, numact" + WORKS,
    "numact first": "import numpy, numact, ml_dtypes" + WORKS,
    "not imported": """
import sys, numpy, numact
assert "ml_dtypes" not in sys.modules
assert numact.show_config("dicts")["dtypes"] == ["float16", "float32", "float64"]
assert numact.relu(numpy.array([-1, 2], "e")).tolist() == [0, 2]
""",
    "not installed": """
import sys
class Blocked:
    def find_spec(self, fullname, path, target=None):
        if fullname == "ml_dtypes":
            raise ModuleNotFoundError("no ml_dtypes here")
sys.meta_path.insert(0, Blocked())
import numpy, numact
for attempt in range(2):
    try:
        import ml_dtypes
        raise SystemExit("imported")
    except ModuleNotFoundError:
        pass
assert numact.relu(numpy.array([-1, 2], "e")).tolist() == [0, 2]
""",
    "disabled": """
import sys
sys.modules["ml_dtypes"] = None
import numpy, numact
assert numact.relu(numpy.array([-1, 2], "e")).tolist() == [0, 2]
""",
    "looked for, then imported": """
import sys, importlib.util, numpy, numact
spec = importlib.util.find_spec("ml_dtypes")
assert spec.name == "ml_dtypes" and spec.origin.endswith("__init__.py") and spec.loader.get_source("ml_dtypes")
assert "ml_dtypes" not in sys.modules and importlib.util.find_spec("nonsense") is None
import ml_dtypes
""" + WORKS,
    "failing, then imported": """
import sys, pathlib, tempfile, numpy, numact
with tempfile.TemporaryDirectory() as folder:
    pathlib.Path(folder, "ml_dtypes.py").write_text("raise RuntimeError('broken')")
    sys.path.insert(0, folder)
    try:
        import ml_dtypes
        raise SystemExit("imported")
    except RuntimeError as error:
        assert str(error) == "broken"
    sys.path.remove(folder)
import ml_dtypes
""" + WORKS,
    "reloaded": "import importlib, numpy, numact, ml_dtypes; importlib.reload(ml_dtypes)" + WORKS,
    "in threads": """
import importlib, threading, numpy
barrier = threading.Barrier(8)
def work(name):
    barrier.wait()
    importlib.import_module(name)
threads = [threading.Thread(target=work, args=(name,)) for name in ["numact", "ml_dtypes"] * 4]
for thread in threads: thread.start()
for thread in threads: thread.join()
import numact, ml_dtypes
""" + WORKS,
}  # fmt: skip


@pytest.mark.parametrize("order", ORDERS)
def test_order_of_imports(order: str) -> None:
    """Whichever is imported first, or fails, numact works, and with bfloat16 once it is there."""
    process = run("import warnings; warnings.simplefilter('error')\n" + ORDERS[order])
    assert not process.stderr


def test_strange_package() -> None:
    """A package of that name without a bfloat16 can be imported, with a warning."""
    code = """
import sys, pathlib, tempfile, numact
with tempfile.TemporaryDirectory() as folder:
    pathlib.Path(folder, "ml_dtypes.py").write_text("value = 3")
    sys.path.insert(0, folder)
    import ml_dtypes
print(ml_dtypes.value)
"""
    process = run(code)
    assert process.stdout.split() == ["3"]
    assert "RuntimeWarning: numact: no bfloat16" in process.stderr


def test_finder_minds_its_own() -> None:
    """The finder knows one name only, and leaves the loader that others found in place."""
    finder = next(finder for finder in sys.meta_path if getattr(finder, "_package", None) == "ml_dtypes")
    assert finder.find_spec("json", None) is None
    assert type(importlib.import_module("ml_dtypes").__loader__).__name__ == "SourceFileLoader"


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_conversions_are_those_of_numpy(dtype: Any) -> None:
    """All numbers of 16 bits, and float32 numbers between, beside and beyond them."""
    numbers = np.arange(1 << 16, dtype=np.uint16).view(dtype)
    finite = np.isfinite(numbers.astype(np.float32))
    wide = core.widened(core.level(), numbers)
    np.testing.assert_array_equal(wide[finite], numbers[finite].astype(np.float32))
    assert np.isnan(wide[np.isnan(numbers.astype(np.float32))]).all()
    between = np.random.default_rng(0).integers(0, 1 << 32, 1 << 18, dtype=np.uint64).astype(np.uint32).view(np.float32)
    with np.errstate(all="ignore"):
        between = np.concatenate([between, wide, np.nextafter(wide, np.inf), wide * np.float32(1 + 2.0**-9)])
        want = between.astype(dtype)
    found = core.narrowed(core.level(), between, np.dtype(dtype))
    known = ~np.isnan(between)
    assert_same_bits(found[known], want[known])
    assert np.isnan(found[~known].astype(np.float32)).all()
