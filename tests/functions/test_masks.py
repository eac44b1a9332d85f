"""Bit masks and dropout: values, gradients, the layout of the bytes, how random bits are drawn."""

import copy
import math
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from support.cases import DTYPES, LEVELS, Array, assert_same_bits, name_of, samples, unaligned, unsigned

import numact
from numact import BitMask
from numact._functions.masks.loops import LOOPS
from numact._kernels import core

ROWS = [row for row in numact.catalogue() if row.masked]
ALL_DTYPES = (*DTYPES, ml_dtypes.bfloat16)
LENGTHS = range(131)
every_row = pytest.mark.parametrize("row", ROWS, ids=name_of)
every_dtype = pytest.mark.parametrize("dtype", ALL_DTYPES, ids=name_of)


@pytest.fixture(params=LEVELS)
def level(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each level in turn, for the functions of numact."""
    for name, loops in core.build_masked(request.param).items():
        monkeypatch.setitem(LOOPS, name, loops)
    return str(request.param)


def parameter_sets(row: numact.Activation) -> Iterator[tuple[float, ...]]:
    """The defaults, others, and infinite ones."""
    first = tuple(float(default) for _, default in row.parameters if default is not None)
    yield first
    if first:
        yield tuple(0.7 * value for value in first)
        yield (-math.inf, math.inf)[: len(first)]


def factors(row: numact.Activation, parameters: tuple[float, ...]) -> dict[str, float]:
    """What masked_grad takes for the activation."""
    return {"off": parameters[0]} if row.name == "leaky_relu" else {}


def masked(row: numact.Activation) -> Callable[..., tuple[Any, BitMask]]:
    """Get NAME_masked."""
    function: Callable[..., tuple[Any, BitMask]] = getattr(numact, f"{row.name}_masked")
    return function


def values(dtype: Any, count: int = 600, seed: int = 0) -> Array:
    """A bit of everything, in random order."""
    rng = np.random.default_rng(seed)
    if dtype is not ml_dtypes.bfloat16:
        return rng.permutation(samples(dtype, 600))[:count]
    return rng.integers(0, 2**16, count, np.uint16).view(dtype)


def dys(x: Array) -> Array:
    """As many values for dy."""
    return values(x.dtype.type, x.size, seed=1).reshape(x.shape)


def times(x: Array, factor: float) -> Array:
    """The product with a number, which is float32 beside halves."""
    wide = np.dtype(np.float64 if x.dtype == np.float64 else np.float32)
    product: Array = x.astype(wide) * wide.type(factor)
    return product.astype(x.dtype)


def packed(array: Array) -> Array:
    """What the bytes must be."""
    return np.packbits(array.ravel(), bitorder="little")


def assert_right(row: numact.Activation, x: Any, y: Any, mask: BitMask, parameters: tuple[float, ...] = ()) -> None:
    """Value, bytes and gradient are those of the plain functions."""
    dtype = np.asarray(y).dtype.type
    given = parameters or next(parameter_sets(row))
    plain = np.array(x, dtype, order="C")
    dy = dys(plain)
    assert_same_bits(y, getattr(numact, row.name)(plain, *given), plain, row.name)
    gradient = getattr(numact, f"{row.name}_grad")
    # 3 is not among the other factors: where the gradient is 3 dy's own value comes through.
    passes = np.asarray(gradient(np.full_like(plain, 3), plain, *given)) == 3
    assert mask.shape == plain.shape
    assert mask.bits.dtype == np.uint8
    assert mask.bits.tolist() == packed(passes).tolist()
    got = numact.masked_grad(dy, mask, **factors(row, given))
    assert_same_bits(got, gradient(dy, plain, *given), plain, f"{row.name}: masked_grad")


# Activations with a mask, and the gradient


def test_catalogue() -> None:
    """The rows that say so have a masked form, and no others."""
    assert {row.name for row in ROWS} == {"relu", "relu6", "leaky_relu", "hard_tanh"}
    names = {name for name in numact.__all__ if name.endswith("_masked")}
    assert names == {f"{row.name}_masked" for row in ROWS}


@every_row
@every_dtype
def test_values(row: numact.Activation, dtype: Any, level: str) -> None:
    """Bit for bit: NAME(x), set bits where its derivative is 1, masked_grad as NAME_grad; NaN included."""
    x = values(dtype)
    for parameters in parameter_sets(row):
        y, mask = masked(row)(x, *parameters)
        assert_right(row, x, y, mask, parameters)


@every_row
@every_dtype
def test_lengths(row: numact.Activation, dtype: Any, level: str) -> None:
    """Every length and place in memory; nothing behind the end is written."""
    x = values(dtype)
    for n in LENGTHS:
        start = n % 17
        part = x[start : start + n]
        out = np.full(n + 40, 7, dtype)
        y, mask = masked(row)(part, out=out[n % 19 : n % 19 + n])
        assert_right(row, part, y, mask)
        assert (out[: n % 19] == 7).all()
        assert (out[n % 19 + n :] == 7).all()


@every_row
def test_position(row: numact.Activation, level: str) -> None:
    """Long arrays, wherever they are: the same bits."""
    x = np.tile(values(np.float32), 40)
    whole, whole_mask = masked(row)(x)
    booleans = whole_mask.unpack()
    for start in range(0, 70, 3):
        y, mask = masked(row)(x[start:])
        assert_same_bits(y, whole[start:])
        assert np.array_equal(mask.unpack(), booleans[start:])


def layouts() -> dict[str, Callable[[Array], Array]]:
    """Arrays of the same values in other places in memory, or parts of them."""
    return {
        "zero-dimensional": lambda x: x[0, 0, 0],
        "array of zero dimensions": lambda x: x[0, 0, :1].reshape(()),
        "empty": lambda x: x[:, :0],
        "Fortran order": np.asfortranarray,
        "transposed": lambda x: x.transpose(1, 2, 0),
        "reversed": lambda x: x[::-1, :, ::-1],
        "every other": lambda x: x[:, ::2, ::3],
        "broadcast": lambda x: np.broadcast_to(x[:, :1], (2, *x.shape)),
        "byte-swapped": lambda x: x.astype(x.dtype.newbyteorder()),
        "unaligned": unaligned,
        "read-only": lambda x: np.frombuffer(x.tobytes(), x.dtype),
    }


@every_row
@pytest.mark.parametrize("layout", layouts())
@pytest.mark.parametrize("dtype", DTYPES, ids=name_of)
def test_layouts(row: numact.Activation, layout: str, dtype: Any) -> None:
    """Any order, stride and alignment: results of the shape of x, bits in C order."""
    x = layouts()[layout](values(dtype, 5 * 7 * 11).reshape(5, 7, 11))
    y, mask = masked(row)(x)
    assert type(y) is (np.ndarray if x.ndim else dtype)
    assert_right(row, x, y, mask)
    dy = dys(np.array(x, dtype))
    given = (
        layouts()[layout](np.broadcast_to(dy, np.shape(x)).copy()) if layout in ("byte-swapped", "unaligned") else dy
    )
    assert_same_bits(numact.masked_grad(given, mask), numact.masked_grad(dy, mask))


@every_row
@pytest.mark.parametrize("dtype", ["?", "b", "H", "i", "L", "e", "f", "d", ">f4"])
def test_promotion(row: numact.Activation, dtype: str) -> None:
    """Integers and booleans become floats as in the plain functions; parameters do not influence the dtype."""
    x = np.array([0, 1, 1], dtype)
    for given in (x, x.tolist()):
        y, mask = masked(row)(given, *(np.float64(value) for value in next(parameter_sets(row))))
        assert y.dtype == np.exp(given).dtype
        assert_right(row, given, y, mask)
    assert numact.masked_grad(x, mask).dtype == getattr(numact, row.name)(x).dtype


@every_row
@every_dtype
def test_in_place(row: numact.Activation, dtype: Any, level: str) -> None:
    """out=x and out=dy; views of the same memory, overlapping, strided and of other dtypes: as if on a copy."""
    x, dy = values(dtype, 500), values(dtype, 500, seed=1)
    y, mask = masked(row)(x)
    dx = numact.masked_grad(dy, mask)
    both: tuple[tuple[Array, Array, Callable[[Array, Array], Any]], ...] = (
        (x, y, lambda a, out: masked(row)(a, out=out)[0]),
        (dy, dx, lambda a, out: numact.masked_grad(a, mask, out=out)),
    )
    for given, want, call in both:
        memory = given.copy()
        assert call(memory, memory) is memory
        assert_same_bits(memory, want)
        memory = given.copy()
        assert_same_bits(call(memory, memory[:]), want)
        memory = np.concatenate([given[:3], given])
        assert_same_bits(call(memory[3:], memory[:-3]), want)
        memory = np.concatenate([given, given[:3]])
        assert_same_bits(call(memory[:-3], memory[3:]), want)
        memory = given.copy()
        assert_same_bits(call(memory, memory[::-1]), want)
        strided = np.zeros((500, 2), dtype)
        assert call(given, strided[:, 1]) is not None
        assert_same_bits(strided[:, 1].copy(), want)
        assert not strided[:, 0].any()
        swapped = np.zeros(500, np.float64)
        with np.errstate(invalid="ignore"):  # of signalling NaN, in ml_dtypes
            call(given, swapped)
            assert_same_bits(swapped, want.astype(np.float64))


def test_out_is_returned() -> None:
    """An out of a subclass is filled and returned as it is; inputs of subclasses give plain arrays."""

    class Sub(np.ndarray[Any, Any]):
        pass

    x = np.array([-1.0, 2.0]).view(Sub)
    assert type(numact.relu_masked(x)[0]) is np.ndarray
    out = np.zeros(2).view(Sub)
    assert numact.relu_masked(x, out=out)[0] is out
    assert out.tolist() == [0, 2]
    assert numact.dropout(x, 0, out=out)[0] is out


@every_dtype
def test_factors(dtype: Any, level: str) -> None:
    """0 selects, 1 gives dy itself, others multiply; float32 beside halves: one rounding."""
    dy = values(dtype, 300)
    mask = BitMask.pack(np.random.default_rng(2).random(300) < 0.5)
    bits = mask.unpack()
    nothing = dtype(0)
    assert_same_bits(numact.masked_grad(dy, mask), np.where(bits, dy, nothing))
    assert_same_bits(numact.masked_grad(dy, mask, -0.0, 1), np.where(bits, nothing, dy))
    with np.errstate(all="ignore"):
        got = numact.masked_grad(dy, mask, on=0.7, off=-3)
        assert_same_bits(got, np.where(bits, times(dy, 0.7), times(dy, -3)))
    assert_same_bits(got, numact.masked_grad(dy, ~mask, on=-3, off=0.7))


@every_dtype
def test_silent_and_parts_of_threads(dtype: Any) -> None:
    """However many threads there are: the same bits, and no warning."""
    x = np.tile(values(dtype), 300)
    with numact.num_threads(1):
        want = [masked(row)(x) for row in ROWS]
        dropped = numact.dropout(x, 0.3, 5)
    core.force_workers(True)
    try:
        for threads in (2, 3, 7):
            with numact.num_threads(threads):
                for row, (y, mask) in zip(ROWS, want, strict=True):
                    got, got_mask = masked(row)(x)
                    assert_same_bits(got, y)
                    assert got_mask == mask
                    assert_same_bits(numact.masked_grad(x, got_mask), numact.masked_grad(x, mask))
                got, got_mask = numact.dropout(x, 0.3, 5)
                assert_same_bits(got, dropped[0])
                assert got_mask == dropped[1]
    finally:
        core.force_workers(False)


BAD_CALLS: list[tuple[type[Exception], str, Callable[[Array, BitMask], Any]]] = [
    (TypeError, "relu_masked: missing a required argument: 'x'", lambda x, m: numact.relu_masked()),  # type: ignore[call-arg]
    (TypeError, "relu_masked: too many", lambda x, m: numact.relu_masked(x, x, 1)),  # type: ignore[call-arg]
    (TypeError, "hard_tanh_masked.*'low': numact calls it min_val", lambda x, m: numact.hard_tanh_masked(x, low=1)),  # type: ignore[call-arg]
    (ValueError, "min_val must be <= max_val, got 2.0 and 1.0", lambda x, m: numact.hard_tanh_masked(x, 2, out=x)),
    (TypeError, "negative_slope must be a number, got \\[0.1\\]", lambda x, m: numact.leaky_relu_masked(x, [0.1], x)),  # type: ignore[arg-type]
    (TypeError, "relu_masked: x must .*complex128", lambda x, m: numact.relu_masked(x.astype(complex), out=x)),
    (TypeError, "relu_masked: x must .*longdouble|float128", lambda x, m: numact.relu_masked(x.astype(np.longdouble))),
    (TypeError, "relu_masked: x must .*<U1", lambda x, m: numact.relu_masked("x", out=x)),
    (ValueError, r"out must have the shape \(2, 3\), got \(3,\)", lambda x, m: numact.relu_masked(x, out=x[0])),
    (TypeError, "out must be an array, .* got 3", lambda x, m: numact.relu_masked(x, out=3)),
    (TypeError, "out .* float32 casts to, got int64", lambda x, m: numact.relu_masked(x, out=x.astype(np.int64))),
    (ValueError, r"mask .* shape of dy, \(2, 3\), got \(6,\)", lambda x, m: numact.masked_grad(x, m, out=x)),
    (TypeError, "mask must be a BitMask", lambda x, m: numact.masked_grad(x, x > 0, out=x)),  # type: ignore[arg-type]
    (TypeError, "on must be a number", lambda x, m: numact.masked_grad(x[0], m, on=None)),  # type: ignore[arg-type]
    (TypeError, "off must be a number", lambda x, m: numact.masked_grad(x[0], m, off=x)),  # type: ignore[arg-type]
    (ValueError, "p must be from 0 to 1, got 1.5", lambda x, m: numact.dropout(x, 1.5, out=x)),
    (ValueError, "p must be from 0 to 1, got -0.1", lambda x, m: numact.dropout(x, -0.1, out=x)),
    (ValueError, "p must be from 0 to 1, got nan", lambda x, m: numact.dropout(x, math.nan, out=x)),
    (TypeError, "p must be a number", lambda x, m: numact.dropout(x, "0.5", out=x)),  # type: ignore[arg-type]
    (ValueError, r"dropout: out must have the shape \(2, 3\)", lambda x, m: numact.dropout(x, out=x[0])),
]


def test_functions_are_pickled() -> None:
    """A function with a mask has a name, a signature and a place, as functions have."""
    for row in ROWS:
        function = getattr(numact, f"{row.name}_masked")
        assert pickle.loads(pickle.dumps(function)) is function
        assert function.__name__ == function.__qualname__ == f"{row.name}_masked"
        assert repr(function).startswith(f"<numact.MaskedActivation {row.name}_masked(x")


@pytest.mark.parametrize(("error", "message", "call"), BAD_CALLS, ids=[message for _, message, _ in BAD_CALLS])
def test_errors(error: type[Exception], message: str, call: Callable[[Array, BitMask], Any]) -> None:
    """Bad input is refused by name and value, before anything is written."""
    x = np.arange(-3, 3, dtype=np.float32).reshape(2, 3)
    before = x.copy()
    with pytest.raises(error, match=message):
        call(x, BitMask.pack(np.ones(6, bool)))
    assert np.array_equal(x, before)


def test_read_only_out() -> None:
    """Nothing is written to a read-only array, and nothing drawn."""
    x = np.ones(3)
    x.flags.writeable = False
    rng = np.random.default_rng(0)
    before = rng.bit_generator.state
    calls: list[Callable[[], Any]] = [
        lambda: numact.relu_masked(x, out=x),
        lambda: numact.dropout(x, rng=rng, out=x),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="read-only"):
            call()
    assert rng.bit_generator.state == before


# BitMask


@pytest.mark.parametrize("shape", [(), (0,), (1,), (7,), (8,), (3, 5), (2, 0, 3), (4, 4, 4), (131,)])
def test_bit_mask(shape: tuple[int, ...]) -> None:
    """Packing, unpacking, counting, logic; the bits behind the end stay 0."""
    rng = np.random.default_rng(3)
    a, b = (np.asarray(rng.random(shape) < 0.5) for _ in range(2))
    mask, other = BitMask.pack(a), BitMask.pack(b)
    assert mask.shape == shape
    assert mask.size == a.size
    assert mask.nbytes == mask.bits.nbytes == math.ceil(a.size / 8)
    assert mask.bits.tolist() == packed(a).tolist()
    assert np.array_equal(mask.unpack(), a)
    assert mask.unpack().dtype == np.bool_
    assert mask.count() == a.sum()
    for got, want in ((mask & other, a & b), (mask | other, a | b), (~mask, ~a)):
        assert got.bits.tolist() == packed(want).tolist()
        assert np.array_equal(got.unpack(), want)
    assert mask == BitMask(mask.bits, shape) == BitMask(mask.bits.tobytes(), shape)
    assert hash(mask) == hash(BitMask(mask.bits, shape))
    assert (mask == other) == np.array_equal(a, b)
    assert (mask != ~mask) == bool(a.size)
    assert mask != BitMask.pack(a[np.newaxis])
    assert mask != a.tolist()
    assert repr(mask) == f"<numact.BitMask of shape {shape}, {a.sum()} of {a.size} bits set>"
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(mask, protocol)) == mask
    assert copy.deepcopy(mask) == copy.copy(mask) == mask


def test_bit_mask_does_not_change() -> None:
    """The bytes are read-only, wherever the mask comes from, and not those that were given."""
    given = np.array([5], np.uint8)
    mask = BitMask(given, 3)
    given[0] = 0
    assert mask.unpack().tolist() == [True, False, True]
    for each in (
        mask,
        ~mask,
        mask & mask,
        BitMask.pack([True]),
        numact.relu_masked([1.0])[1],
        numact.dropout([1.0])[1],
    ):
        for found in (each, pickle.loads(pickle.dumps(each))):
            with pytest.raises(ValueError, match="read-only"):
                found.bits[0] = 1


def test_bit_mask_errors() -> None:
    """What is no mask is refused."""
    with pytest.raises(ValueError, match=r"bits must have the shape \(2,\) for \(3, 4\), got \(1,\)"):
        BitMask(b"\0", (3, 4))
    with pytest.raises(ValueError, match="bits behind the 3"):
        BitMask(b"\x08", 3)
    with pytest.raises(ValueError, match="shape must not be negative"):
        BitMask(b"", -1)
    with pytest.raises(TypeError, match="uint8"):
        BitMask([1.0], 3)
    with pytest.raises(TypeError, match="must be boolean, got the dtype int64"):
        BitMask.pack(np.ones(3, np.int64))
    with pytest.raises(ValueError, match=r"one shape, got \(3,\) and \(4,\)"):
        BitMask(b"\0", 3) & BitMask(b"\0", 4)
    with pytest.raises(TypeError, match="unsupported operand"):
        BitMask(b"\0", 3) | 3  # type: ignore[operator]


# Dropout


def keep(bit_generator: np.random.BitGenerator, n: int, p: float) -> list[bool]:
    """The rule: random numbers of 32 bits below the threshold, their bits from words for 64 elements each."""
    threshold = round((1 - p) * 2**32)
    kept: list[bool] = []
    while len(kept) < n:
        count = min(64, n - len(kept))
        numbers, compared = [0] * count, 0
        undecided = threshold not in (0, 2**32)
        while undecided:
            word = int(bit_generator.random_raw())
            numbers = [2 * number + (word >> k & 1) for k, number in enumerate(numbers)]
            compared += 1
            first, rest = threshold >> 32 - compared, threshold % 2 ** (32 - compared)
            undecided = first in numbers and rest > 0
        first = threshold >> 32 - compared
        kept += [number < first for number in numbers]
    return kept


@pytest.mark.parametrize("p", [0.0, 1.0, 0.5, 0.25, 0.75, 0.1, 0.9, 2.0**-32, 1 - 2.0**-32, 1e-12, 1 / 3])
@pytest.mark.parametrize("n", [0, 1, 63, 64, 65, 1000])
def test_rule(p: float, n: int) -> None:
    """The mask is the documented function of the generator's words, and takes no more of them."""
    for kind in (np.random.PCG64, np.random.Philox, np.random.SFC64):
        rng, ours = np.random.Generator(kind(7)), kind(7)
        mask = numact.dropout(np.ones(n), p, rng)[1]
        assert mask.unpack().tolist() == keep(ours, n, p)
        assert rng.bit_generator.random_raw() == ours.random_raw()


@pytest.mark.parametrize("p", [0.5, 0.1, 0.9, 0.001, 1 / 3])
def test_statistics(p: float) -> None:
    """The number that is kept is binomial, in total and at each of the 64 places; neighbours are independent."""
    n = 64 * 10_000
    kept = numact.dropout(np.ones(n, np.float32), p, 11)[1].unpack()
    deviation = math.sqrt(p * (1 - p))
    assert abs(kept.mean() - (1 - p)) < 4 * deviation / math.sqrt(n)
    places = kept.reshape(-1, 64).mean(axis=0)
    assert np.abs(places - (1 - p)).max() < 5 * deviation / 100
    for lag in (1, 2, 63, 64, 65):
        products = (kept[lag:] - (1 - p)) * (kept[:-lag] - (1 - p))
        assert abs(products.mean()) < 5 * deviation**2 / math.sqrt(n)


@every_dtype
def test_dropout_values(dtype: Any, level: str) -> None:
    """Kept elements are multiplied, the others 0 whatever they are; the gradient by masked_grad is the same map."""
    x = values(dtype, 500)
    for p in (0.0, 0.5, 0.25, 0.9, 1.0):
        y, mask = numact.dropout(x, p, 3)
        factor = 1 / (1 - p) if p < 1 else 0.0
        with np.errstate(all="ignore"):
            assert_same_bits(y, np.where(mask.unpack(), times(x, factor), dtype(0)))
        if p < 1:
            assert_same_bits(numact.masked_grad(x, mask, on=1 / (1 - p)), y)
        memory = x.copy()
        assert numact.dropout(memory, p, 3, out=memory)[0] is memory
        assert_same_bits(memory, y)
    assert_same_bits(numact.dropout(x, 0)[0], x)
    assert not np.asarray(numact.dropout(x, 1)[0]).view(unsigned(dtype)).any()


def test_dropout_is_reproducible() -> None:
    """The bits depend on the seed and the number of elements only; a generator goes on, None is random."""
    x = np.ones((30, 40))
    y, mask = numact.dropout(x, 0.3, 9)
    for other in (x.astype(np.float16), np.asfortranarray(x), x.astype(ml_dtypes.bfloat16), x.ravel()):
        assert np.array_equal(numact.dropout(other, 0.3, np.random.default_rng(9))[1].bits, mask.bits)
    assert numact.dropout(np.asfortranarray(x), 0.3, 9)[0].tolist() == y.tolist()
    rng = np.random.default_rng(9)
    assert numact.dropout(x, 0.3, rng)[1] == mask
    assert numact.dropout(x, 0.3, rng)[1] != mask
    assert numact.dropout(x)[1] != numact.dropout(x)[1]
    assert numact.dropout(x, 0.3, np.random.MT19937(9))[1] == numact.dropout(x, 0.3, np.random.MT19937(9))[1]


def test_dropout_limits() -> None:
    """A factor beyond float16 makes no NaN of a zero; scalars stay scalars; integers become floats."""
    y, _ = numact.dropout(np.zeros(1000, np.float16), 1 - 2.0**-20, 0)
    assert not y.any()
    assert isinstance(numact.dropout(1.0, 0)[0], np.float64)
    assert numact.dropout(np.arange(3))[0].dtype == np.float64


# Masks beside arrays


def test_beside_arrays() -> None:
    """A mask is its booleans wherever NumPy meets it."""
    booleans = np.random.default_rng(0).random((3, 7)) < 0.5
    mask = BitMask.pack(booleans)
    x = np.arange(21.0).reshape(3, 7)
    anything: Any = mask
    assert mask.ndim == 2
    assert np.asarray(mask).dtype == np.bool_
    for got in (np.asarray(mask), np.array(mask), mask.__array__()):
        np.testing.assert_array_equal(got, booleans)
    np.testing.assert_array_equal(booleans == anything, np.ones((3, 7), bool))
    np.testing.assert_array_equal(anything == ~booleans, np.zeros((3, 7), bool))
    np.testing.assert_array_equal(np.where(anything, 1.0, 0.0), booleans)
    np.testing.assert_array_equal(booleans & anything, booleans)
    np.testing.assert_array_equal(anything & booleans, booleans)
    np.testing.assert_array_equal(x[anything], x[booleans])
    np.testing.assert_array_equal(x * anything, x * booleans)
    np.testing.assert_array_equal(np.asarray(mask, np.float32), booleans.astype(np.float32))
    assert mask.sum() == np.sum(anything) == np.count_nonzero(anything) == booleans.sum()
    np.testing.assert_array_equal(np.sum(anything, axis=0), booleans.sum(0))
    np.testing.assert_array_equal(mask.sum(axis=1, keepdims=True), booleans.sum(1, keepdims=True))
    assert np.all(anything | ~booleans)
    with pytest.raises(ValueError, match="without a copy"):
        np.asarray(mask, copy=False)
    assert (mask == BitMask.pack(booleans)) is True


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_forms_of_out(row: numact.Activation) -> None:
    """An array, a tuple of one, and `...`; of dropout and masked_grad too."""
    x = values(np.float32)
    y, mask = masked(row)(x)
    cases: list[tuple[Callable[..., Any], Any]] = [
        (lambda **k: masked(row)(x, **k)[0], y),
        (lambda **k: numact.dropout(x, 0.5, 0, **k)[0], numact.dropout(x, 0.5, 0)[0]),
        (lambda **k: numact.masked_grad(x, mask, **k), numact.masked_grad(x, mask)),
    ]
    for function, want in cases:
        out = np.empty_like(x)
        assert function(out=(out,)) is out
        assert_same_bits(out, want)
        assert_same_bits(function(out=...), want)
        with pytest.raises(ValueError, match="out must be an array, a tuple of one"):
            function(out=(out, out))
    scalar = masked(row)(np.float32(2), out=...)[0]
    assert isinstance(scalar, np.ndarray)
    assert scalar.shape == ()


@pytest.mark.parametrize("axes", [1, (2, 3), (-1, 0), (0, 1, 2, 3)], ids=str)
def test_shared_axes(axes: Any) -> None:
    """Elements along the axes are kept or dropped together, and the gradient with them."""
    x = np.ones((4, 5, 6, 7), np.float32)
    y, mask = numact.dropout(x, 0.5, 0, shared_axes=axes)
    along = tuple(a % 4 for a in (axes if isinstance(axes, tuple) else (axes,)))
    booleans = mask.unpack()
    assert (booleans.min(along) == booleans.max(along)).all()
    drawn = numact.dropout(np.ones([1 if k in along else n for k, n in enumerate(x.shape)]), 0.5, 0)[1].unpack()
    np.testing.assert_array_equal(booleans, np.broadcast_to(drawn, x.shape))
    assert_same_bits(y, np.where(booleans, np.float32(2), np.float32(0)))
    assert_same_bits(numact.masked_grad(x, mask, on=2.0), y)
    with pytest.raises(np.exceptions.AxisError, match="dropout: shared_axes must name axes"):
        numact.dropout(x, 0.5, 0, shared_axes=4)
    with pytest.raises(ValueError, match="dropout: shared_axes must not name an axis twice"):
        numact.dropout(x, 0.5, 0, shared_axes=(0, -4))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64], ids=str)
def test_plain_dropout(dtype: Any) -> None:
    """Plain calls of dropout draw and compute what others do, in place too."""
    x = np.linspace(-3, 3, 130).astype(dtype)
    for p in (0, 0.5, 0.3, 1.0):
        y, mask = numact.dropout(x, p, np.random.default_rng(3))
        want, want_mask = numact.dropout(np.repeat(x, 2)[::2], p, np.random.default_rng(3))
        np.testing.assert_array_equal(y, want)
        assert mask == want_mask
        buffer = x.copy()
        assert numact.dropout(buffer, p, np.random.default_rng(3), out=buffer)[0] is buffer
        np.testing.assert_array_equal(buffer, want)


def test_parameters_of_plain_calls() -> None:
    """Parameters of masked activations by position and keyword, good and bad."""
    x = np.linspace(-3, 3, 70)
    for y, mask in (
        numact.leaky_relu_masked(x, 0.2),
        numact.leaky_relu_masked(x, negative_slope=0.2),
        numact.leaky_relu_masked(x, out=np.empty_like(x), negative_slope=0.2),
    ):
        np.testing.assert_array_equal(y, numact.leaky_relu(x, 0.2))
        assert mask == numact.BitMask.pack(x > 0)
    wrong: dict[str, Any] = {"negative_slope": 0.2}
    with pytest.raises(TypeError, match="multiple values"):
        numact.leaky_relu_masked(x, 0.2, **wrong)
    with pytest.raises(ValueError, match="hard_tanh_masked: min_val must be"):
        numact.hard_tanh_masked(x, 1.0, -1.0)
    with pytest.raises(TypeError, match="negative_slope must be a number"):
        numact.leaky_relu_masked(x, **{"negative_slope": "1"})  # type: ignore[arg-type]
