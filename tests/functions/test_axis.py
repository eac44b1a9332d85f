"""The functions along an axis: accuracy, the same bits everywhere, masks, limits, gradients, errors."""

import math
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from support.cases import DTYPES, LEVELS, Array, assert_same_bits, name_of
from support.reference import EXACT
from support.reference_axis import FORWARD, GRADIENTS, TEMPERED, numbers, ulp_error
from support.reference_norm import assert_within

import numact
from numact._functions import ufuncs
from numact._functions.names import MODULES
from numact._kernels import core

BUILT = {level: core.build_axis(level) for level in LEVELS}
BOUNDS = core.axis_bounds()
FUNCTIONS = [name for module, names in MODULES.items() if module.startswith("axis.") for name in names]
ROWWISE = ["softmax", "softmin", "log_softmax", "sparsemax", "hardmax"]
MASKED = ["softmax", "softmin", "log_softmax", "logsumexp", "sparsemax"]
every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=name_of)
computed_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=name_of)
every_ufunc = pytest.mark.parametrize("name", list(BOUNDS))


def public(name: str) -> Callable[..., Any]:
    """Get a function of numact."""
    function: Callable[..., Any] = getattr(numact, name)
    return function


def bound(name: str, dtype: Any) -> float:
    """The allowed error in ULP; float16 is float32 rounded once."""
    return 0.51 if dtype == np.float16 else BOUNDS[name]


def rows(dtype: Any, longest: int = 200) -> Iterator[Array]:
    """Rows of many lengths and scales: spread over the tails, far from 0, of nearly equal entries, dominated by one."""
    rng = np.random.default_rng(0)
    largest, smallest = float(np.finfo(dtype).max), float(np.finfo(dtype).smallest_subnormal)
    far = min(1e5, largest / 2)
    yield np.array([largest / 2, 0, smallest, -largest / 2, 1], dtype)
    for n in (1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 64, 65, longest):
        for scale in (1e-6, 0.3, 3, 30, 100 if dtype == np.float32 else 700):
            yield (rng.normal(size=n) * scale).astype(dtype)
        yield (rng.normal(size=n) + rng.choice([-1e3, far, 300, -2047, 511.9])).astype(dtype)
        yield np.full(n, rng.normal(), dtype)
        peak = rng.normal(size=n)
        peak[rng.integers(n)] += 1.5 * rng.uniform(10, 40)
        yield peak.astype(dtype)
        # One rounding that all entries but a few share moves the sum as far as roundings can.
        few, many = rng.uniform(-3, 3, 2)
        yield np.where(np.arange(n) < n // 8, few, many).astype(dtype)


# Accuracy


@every_dtype
@pytest.mark.parametrize("name", list(FORWARD))
def test_forward(name: str, dtype: Any) -> None:
    """Every function is within its bound of the true value, tails included; sparsemax relative to 1."""
    for x in rows(dtype):
        got = np.atleast_1d(public(name)(x))
        assert got.dtype == dtype
        for value, want in zip(got, FORWARD[name](numbers(x)), strict=True):
            error = ulp_error(value, want, 1 if name == "sparsemax" else 0)
            assert error <= bound(name, dtype), f"{name}: {error} ULP for {x!r}: {value!r}, not {want}"


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_pairs(name: str) -> None:
    """Of two entries, where no error of a sum averages out: half a million pairs.

    The first is among those that show most what the logarithm errs by if terms are summed without what they lose.
    """
    rng = np.random.default_rng(2)
    high = rng.normal(scale=6, size=500_000).astype(np.float32)
    x = np.stack([high, high - rng.exponential(3, high.size).astype(np.float32)], axis=1)
    x[0] = -6.561620712280273, -16.27782440185547
    distance = x[:, 1].astype(float) - x[:, 0]
    logs = np.stack([-np.log1p(np.exp(distance)), distance - np.log1p(np.exp(distance))], axis=1)
    want = np.exp(logs) if name == "softmax" else logs
    error = abs(public(name)(x) - want) / 2.0 ** (np.floor(np.log2(abs(want))) - 23)
    assert error.max() <= bound(name, np.float32)


# Among the worst of 750 million entries, while the rounded exponents were taken for exact: 2.16 to 2.18 ULP.
FOUND: list[tuple[Any, float, list[float]]] = [
    (np.float32, 1, [-13.7868366, 5.92422962, -5.47487259, 7.31357002, 26.7305584, -4.09180975, -5.20973921]),
    (np.float32, 0.1, [2.11612296, -1.3556566, -5.3015461]),
    (
        np.float64,
        0.1,
        [
            *(-1.494056123564926, -0.42878740650187636, -0.6165471223914293, -0.4851352171321564, 1.076497587212631),
            *(1.3468474517964042, 2.81088680627202, 0.5175451827706103),
        ],
    ),
]


@pytest.mark.parametrize(("dtype", "temperature", "row"), FOUND)
def test_found_rows(dtype: Any, temperature: float, row: list[float]) -> None:
    """The rows that were worst are within the bound."""
    x = np.array(row, dtype)
    wants = FORWARD["softmax"](numbers(x), EXACT.mpf(float(dtype(temperature))))
    for got in (numact.softmax(x, temperature=temperature), numact.softmin(-x, temperature=temperature)):
        assert max(map(ulp_error, got, wants)) <= bound("softmax", dtype)


def wider(dtype: Any) -> Any:
    """A type whose roundings do not count beside those of a dtype."""
    wide: Any = np.float64 if dtype == np.float32 else np.longdouble
    if np.finfo(wide).nmant < np.finfo(dtype).nmant + 11:
        pytest.skip("NOT TESTED HERE: there is no type wider than float64")
    return wide


def short_rows(dtype: Any) -> Iterator[Array]:
    """A million entries in rows of two to eight, where roundings do not average out, and some that become subnormal."""
    rng = np.random.default_rng(7)
    deep = -np.log(float(np.finfo(dtype).smallest_normal))
    yield np.stack([rng.uniform(-1, 1, 50_000), -deep * rng.uniform(0.95, 1.2, 50_000)], axis=1).astype(dtype)
    for length in (2, 3, 4, 8):
        shape = (250_000 // length, length)
        yield (rng.normal(size=shape) * rng.choice([1, 3, 10], (shape[0], 1))).astype(dtype)


every_temperature = pytest.mark.parametrize("temperature", [1, 0.5, 0.7, 0.1])


def in_wide(name: str, temperature: float, dtype: Any) -> tuple[Any, dict[str, Any]]:
    """What scores are multiplied by, and the keyword that says so."""
    if name.startswith("attention_softmax"):
        return wider(dtype)(dtype(1 / temperature)), {"scale": dtype(1 / temperature)}
    return 1 / wider(dtype)(dtype(temperature)), {"temperature": dtype(temperature)}


@computed_dtype
@every_temperature
@pytest.mark.parametrize("name", [*TEMPERED, "attention_softmax"])
def test_short_rows(name: str, temperature: float, dtype: Any) -> None:
    """Short rows are within the bound, beside a wider type."""
    factor, keywords = in_wide(name, temperature, dtype)
    for x in short_rows(dtype):
        got = np.sort(public(name)(-x if name == "softmin" else x, **keywords), axis=1)
        distance = np.sort(x, axis=1).astype(factor.dtype)
        distance = (distance - distance[:, -1:]) * factor
        others = np.exp(distance[:, :-1]).sum(axis=1, keepdims=True)
        want = distance - np.log1p(others) if name == "log_softmax" else np.exp(distance) / (1 + others)
        assert_within(got, want, BOUNDS[name], 0)


@computed_dtype
@every_temperature
@pytest.mark.parametrize("name", ["softmax_grad", "softmin_grad", "log_softmax_grad", "attention_softmax_grad"])
def test_gradients_of_short_rows(name: str, temperature: float, dtype: Any) -> None:
    """So are gradients, where terms cancel relative to a share of the larger one."""
    rng = np.random.default_rng(8)
    factor, keywords = in_wide(name, temperature, dtype)
    for x in short_rows(dtype):
        dy, y = np.asarray(rng.normal(size=x.shape), dtype), public(name.removesuffix("_grad"))(x)
        got = (-1 if name == "softmin_grad" else 1) * public(name)(dy, y, **keywords)
        terms = dy.astype(factor.dtype)
        if name == "log_softmax_grad":
            sums = np.exp(y.astype(factor.dtype)) * terms.sum(axis=1, keepdims=True)
            largest = np.maximum(abs(terms), abs(sums))
        else:
            terms *= y
            sums = y * terms.sum(axis=1, keepdims=True)
            largest = y * abs(terms).sum(axis=1, keepdims=True) * 2.0**-6
        want = (terms - sums) * factor
        assert_within(got, want, BOUNDS[name], largest * factor)


@every_dtype
@pytest.mark.parametrize("name", TEMPERED)
@pytest.mark.parametrize("temperature", [0.1, 0.7, 3.0, 1e-3, 1e20])
def test_temperature(name: str, dtype: Any, temperature: float) -> None:
    """The temperature is exact, but for float32 and float16 a float32; and so is one that is an array over the rows."""
    exact = EXACT.mpf(float(np.result_type(dtype, np.float32).type(temperature)))
    for x in rows(dtype, 40):
        got = public(name)(x, temperature=temperature)
        for value, want in zip(got, FORWARD[name](numbers(x), exact), strict=True):
            error = ulp_error(value, want)
            assert error <= bound(name, dtype), (
                f"{name}: {error} ULP for {x!r}, T = {temperature}: {value!r}, not {want}"
            )
    x = np.random.default_rng(1).normal(size=(3, 4, 5)).astype(dtype)
    temperatures = np.array([1, min(temperature, float(np.finfo(dtype).max)), 2], dtype)
    got = public(name)(x, axis=1, temperature=temperatures[:, None])
    for i in range(3):
        assert_same_bits(got[i], public(name)(x[i], axis=0, temperature=float(temperatures[i])))


@computed_dtype
def test_infinite_distances(dtype: Any) -> None:
    """The distance of finite entries may be infinite, where its quotient by the temperature is a number."""
    largest = np.finfo(dtype).max
    got = numact.log_softmax(np.array([largest, -largest, 0], dtype), temperature=4.0)
    assert_same_bits(got, np.array([0, -(largest / 2), -(largest / 4)], dtype))


@every_dtype
def test_zeros(dtype: Any) -> None:
    """The logarithm of all is +0, that of -0 too, whatever the rows beside it hold."""
    x = np.array([0.0, -0.0, 3.0, 600.0, -5000.0], dtype)
    for entries in (x[:2], x[:3], x):
        assert_same_bits(numact.log_softmax(entries[:, None]), np.zeros((entries.size, 1), dtype))


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int32, np.uint32, np.int64], ids=name_of)
@pytest.mark.parametrize("name", TEMPERED)
def test_temperature_of_integers(name: str, dtype: Any) -> None:
    """Integers have the results of the floats that they become, whose temperature is as precise as they are."""
    x = np.array([[0, 3, 1], [5, 5, 4]], dtype)
    got, dy = public(name)(x, temperature=0.1), np.ones((2, 3), np.float32)
    assert_same_bits(got, public(name)(x.astype(got.dtype), temperature=0.1))
    gradient = public(f"{name}_grad")(dy, x, temperature=0.1)
    assert_same_bits(gradient, public(f"{name}_grad")(dy.astype(got.dtype), x.astype(got.dtype), temperature=0.1))


@every_dtype
@pytest.mark.parametrize("name", list(GRADIENTS))
def test_gradient(name: str, dtype: Any) -> None:
    """Gradients are within their bounds of the true value, where terms cancel relative to the larger one."""
    rng = np.random.default_rng(2)
    forward = name.removesuffix("_grad")
    for x in rows(dtype, 60):
        if forward in FORWARD and abs(x).max() > 80:
            continue
        y = public(forward)(x) if forward in FORWARD else x
        dy = rng.normal(size=x.size).astype(dtype)
        got = np.atleast_1d(getattr(numact, name, ufuncs.AXIS[name])(dy, y))
        exact_dy, exact_y = numbers(dy), numbers(y)
        scales: Any = exact_dy
        if name in ("softmax_grad", "softmin_grad"):
            total = EXACT.fsum(abs(a * b) for a, b in zip(exact_dy, exact_y, strict=True)) * EXACT.mpf(2) ** -20
            scales = [b * total for b in exact_y]
        elif name == "prelu_weight_grad":
            scales = [0]
        for value, want, scale in zip(got, GRADIENTS[name](exact_dy, exact_y), scales, strict=True):
            error = ulp_error(value, want, scale)
            assert error <= bound(name, got.dtype), f"{name}: {error} ULP for {y!r}: {value!r}, not {want}"


@pytest.mark.parametrize("name", ["softmax", "softmin", "log_softmax"])
def test_gradients_with_temperature(name: str) -> None:
    """Gradients agree with central differences in float64, temperature included."""
    rng = np.random.default_rng(3)
    x, dy, step = rng.normal(size=(2, 7)), rng.normal(size=(2, 7)), 1e-6
    for temperature in (1.0, 0.4, np.array([0.5, 2.0])):
        got = public(name + "_grad")(dy, public(name)(x, temperature=temperature), temperature=temperature)
        for i in range(7):
            move = step * (np.arange(7) == i)
            plus, minus = (public(name)(x + sign * move, temperature=temperature) for sign in (1, -1))
            np.testing.assert_allclose(got[:, i], ((plus - minus) * dy).sum(-1) / (2 * step), rtol=1e-7, atol=1e-8)


@every_dtype
def test_a_million(dtype: Any) -> None:
    """A row of a million sums to 1 within 4 ULP, whatever its entries; float16 before it is rounded."""
    rng = np.random.default_rng(4)
    inputs: list[Array] = [rng.normal(size=10**6) * scale for scale in (1e-3, 1, 20)]
    inputs.append(np.full(10**6, 0.3))
    wide = np.result_type(dtype, np.float32)
    for x in (row.astype(dtype) for row in inputs):
        unrounded = numact.softmax(x.astype(wide))
        assert abs(math.fsum(unrounded.tolist()) - 1) <= 4 * np.finfo(wide).eps
        assert_same_bits(numact.softmax(x), unrounded.astype(dtype))
        log = numact.logsumexp(x)
        exact = x.astype(np.longdouble)
        want = np.log(np.exp(exact - exact.max()).sum()) + exact.max()
        assert abs(log - want) <= bound("logsumexp", dtype) * np.spacing(abs(log))


# The same bits everywhere


def operands(name: str, x: Array, dy: Array, ufunc: np.ufunc) -> tuple[Any, ...]:
    """Operands of a raw ufunc: rows, a mask, a bias, a temperature, limits."""
    if name.startswith("maxout"):
        return () if "grad" in name else (x,)
    pair = name.endswith("_grad")
    found: list[Any] = [dy, x] if pair else [x]
    if name.endswith("_where"):
        found.append(np.random.default_rng(5).random(x.shape) < 0.7)
    if name.endswith("_bias"):
        found.append(np.where(np.random.default_rng(5).random(x.shape) < 0.7, dy, -np.inf).astype(x.dtype))
        found[-1][:4] = np.where(found[-1][:4] < 0, -np.inf, 0)  # only masks, of which rows are to be independent
    for letter in ufunc.types[0].split("->")[0][len(found) :]:
        if letter == "f":
            found.append(np.linspace(0.5, 2, x.shape[0]).astype(x.dtype))
        else:
            found.append(np.random.default_rng(11).integers(0, x.shape[1] + 2, x.shape[0]))
    return tuple(found)


def matrix(dtype: Any, n: int, kind: str) -> Array:
    """Twenty rows: ordinary ones, and special ones."""
    rng = np.random.default_rng(n)
    x = (rng.normal(size=(20, n)) * 4).astype(dtype)
    if kind == "special" and n:
        x[3:9, rng.integers(n, size=3)] = [np.inf, -np.inf, -np.inf]
        x[5, 0], x[6], x[7, -1] = np.nan, -np.inf, np.inf
        x[10:15] *= 200
        x[15:] = np.round(x[15:])
    return x


@pytest.mark.parametrize("name", [name for name in BOUNDS if not name.startswith("maxout_grad")])  # only places dy
@every_dtype
@pytest.mark.parametrize("kind", ["ordinary", "special"])
def test_levels_and_places(name: str, dtype: Any, kind: str) -> None:
    """Every level, axis, stride and number of rows gives the bits of the baseline on contiguous rows."""
    for n in (1, 2, 5, 15, 16, 17, 40, 63, 64, 65, 130, 520, 1100):
        x = matrix(dtype, n, kind)
        dy = np.asarray(np.random.default_rng(6).normal(size=x.shape), dtype)
        ufuncs = [BUILT[level][name] for level in LEVELS]
        given = operands(name, x, dy, ufuncs[0])
        whole = ufuncs[0](*given)
        for level, ufunc in zip(LEVELS, ufuncs, strict=True):
            message = f"{name}, {level}, {n}:"
            for got, want in zip(np.atleast_3d(ufunc(*given)), np.atleast_3d(whole), strict=True):
                assert_same_bits(got, want, message=message)
            if isinstance(whole, tuple):
                continue
            # one row at a time
            for r in (0, 6, 19):
                assert_same_bits(ufunc(*(operand[r] for operand in given)), whole[r], message=message + " one row")
            # down the columns, strided, reversed
            columns = [operand.T.copy() if operand.ndim > 1 else operand for operand in given]
            got = ufunc(*columns, axis=0)
            assert_same_bits(got if got.ndim == 1 else got.T, whole, message=message + " axis 0")
            spread = [np.repeat(operand, 3, axis=-1)[..., ::3] if operand.ndim > 1 else operand for operand in given]
            assert_same_bits(ufunc(*spread), whole, message=message + " strided")
            backward = [operand[:, ::-1].copy()[:, ::-1] if operand.ndim > 1 else operand for operand in given]
            assert_same_bits(ufunc(*backward), whole, message=message + " reversed")
            if whole.ndim == 2:
                out = np.full((*whole.shape, 2), np.nan, whole.dtype)
                ufunc(*given, out=out[..., 0])
                assert_same_bits(out[..., 0], whole, message=message + " strided out")
                assert np.isnan(out[..., 1]).all()


@every_dtype
@pytest.mark.parametrize("name", ROWWISE)
def test_axes_and_overlap(name: str, dtype: Any) -> None:
    """Any axis, in place, and overlapping out= as if on a copy."""
    x = np.random.default_rng(7).normal(size=(3, 40, 5)).astype(dtype)
    want = public(name)(x, axis=1)
    assert_same_bits(public(name)(x, axis=-2), want)
    assert_same_bits(public(name)(np.moveaxis(x, 1, 2)), np.moveaxis(want, 1, 2))
    buffer = x.copy()
    assert public(name)(buffer, axis=1, out=buffer) is buffer
    assert_same_bits(buffer, want)
    for start, stop in (((0, 30), (5, 35)), ((5, 35), (0, 30))):
        buffer = np.random.default_rng(8).normal(size=(3, 40)).astype(dtype)
        want = public(name)(buffer[:, slice(*start)].copy())
        public(name)(buffer[:, slice(*start)], out=buffer[:, slice(*stop)])
        assert_same_bits(buffer[:, slice(*stop)], want)
    lists = public(name)(x[0].tolist())
    assert_same_bits(lists, public(name)(x[0].astype(np.float64)))


@computed_dtype
@pytest.mark.parametrize("name", MASKED)
@pytest.mark.parametrize("axis", [-1, 0, 1, 2])
def test_plain_calls(name: str, dtype: Any, axis: int) -> None:
    """Calls that pass NumPy by have the bits of the generalised ufunc, whatever the mask and where it broadcasts."""
    rng = np.random.default_rng(12)
    for shape in ((3, 20, 30), (2, 3, 7, 9), (1, 4, 1, 5), (70, 3, 40)):
        x = rng.normal(size=shape).astype(dtype)
        masks: list[Any] = [None] + [rng.random(shape[k:]) < 0.7 for k in range(3)]
        masks += [
            rng.random([length if k in kept else 1 for k, length in enumerate(shape)]) < 0.7
            for kept in ((0,), (1,), (0, 2), (0, len(shape) - 1), ())
        ]
        for mask in masks:
            ufunc = ufuncs.AXIS[name if mask is None else f"{name}_where"]
            given = [x] if mask is None else [x, np.broadcast_to(mask, shape)]
            if str(ufunc.signature).split("->")[0].endswith("()"):
                given.append(np.array(0.5, dtype))
            keywords = {"temperature": 0.5} if name in TEMPERED else {}
            for threads in (1, 2):
                with numact.num_threads(threads):
                    got = public(name)(x, axis=axis, where=mask, **keywords)
                    assert_same_bits(got, ufunc(*given, axis=axis))
    if name == "logsumexp":
        assert public(name)(x, axis=axis, keepdims=True).shape == ufunc(*given, axis=axis, keepdims=True).shape
        assert type(public(name)(x[0, 0])) is dtype
    else:
        for start, stop in (((0, 60), (5, 65)), ((5, 65), (0, 60))):
            buffer = rng.normal(size=(70, 3, 40)).astype(dtype)
            want = public(name)(buffer[slice(*start)].copy(), axis=axis)
            public(name)(buffer[slice(*start)], axis=axis, out=buffer[slice(*stop)])
            assert_same_bits(buffer[slice(*stop)], want)


@pytest.mark.parametrize("name", ["softmax_grad", "softmin_grad", "log_softmax_grad", "sparsemax_grad"])
def test_gradients_in_place(name: str) -> None:
    """out=dy and out=y compute in place."""
    rng = np.random.default_rng(9)
    y, dy = numact.softmax(rng.normal(size=(6, 33))), rng.normal(size=(6, 33))
    want = public(name)(dy, y)
    for place in (0, 1):
        arrays = [dy.copy(), y.copy()]
        public(name)(*arrays, out=arrays[place])
        assert_same_bits(arrays[place], want)


@pytest.mark.parametrize("name", [*ROWWISE, *(name for name in GRADIENTS if hasattr(numact, name))])
def test_no_elements(name: str) -> None:
    """Several axes of an array without elements, too."""
    x = np.zeros((2, 0, 3))
    for axis in (-1, 1, (0, 1), (0, 1, 2), (0, 2), None):
        operands = (x, x) if name.endswith("_grad") else (x,)
        assert public(name)(*operands, axis=axis).shape == x.shape
    assert_same_bits(numact.logsumexp(x, axis=(0, 1)), np.full(3, -np.inf))


def test_weights_anywhere() -> None:
    """Sums with `b=` have the bits of their rows alone, whatever the layout."""
    rng = np.random.default_rng(13)
    x, b = rng.normal(size=(2, 30, 7, 41))
    for axis in (0, 1, -1, (0, 2), (2, 0), None):
        want = numact.logsumexp(x, axis, b=b)
        for order in ((2, 0, 1), (1, 2, 0)):
            arrays = [np.array(array.transpose(order), order="C").transpose(np.argsort(order)) for array in (x, b)]
            assert_same_bits(numact.logsumexp(arrays[0], axis, b=arrays[1]), want)
    rows = [numact.logsumexp(row, b=weights) for row, weights in zip(x[:, 3], b[:, 3], strict=True)]
    assert_same_bits(numact.logsumexp(x, b=b)[:, 3], np.array(rows))


# Masks, limits


@every_dtype
@pytest.mark.parametrize("name", MASKED)
def test_where(name: str, dtype: Any) -> None:
    """A masked row is the row of the selected entries, whatever the others hold; those give 0, or -inf."""
    rng = np.random.default_rng(10)
    blank = -np.inf if name == "log_softmax" else 0
    for n in (1, 5, 40, 700):
        x = rng.normal(size=(9, n)).astype(dtype)
        mask = rng.random((9, n)) < 0.6
        mask[0] = False
        x[~mask] = rng.choice([np.nan, np.inf, -np.inf, np.finfo(dtype).max, 0], size=(~mask).sum())
        for axis in (-1, 0):
            got = public(name)(x if axis else x.T, where=mask if axis else mask.T, axis=axis)
            got = got if axis or got.ndim == 1 else got.T
            for r in range(9):
                want = public(name)(x[r][mask[r]])
                if name == "logsumexp":
                    np.testing.assert_allclose(got[r], want, rtol=4 * np.finfo(dtype).eps)
                    continue
                np.testing.assert_array_equal(got[r][~mask[r]], blank)
                np.testing.assert_allclose(got[r][mask[r]], want, rtol=4 * np.finfo(dtype).eps)
    row = np.array([1, np.nan, 2], dtype)
    assert_same_bits(
        public(name)(row, where=[True, False, True]), public(name)(np.stack([row] * 2), where=[1 < 2, 1 > 2, True])[0]
    )


@every_dtype
def test_limits(dtype: Any) -> None:
    """Infinities, NaN and empty axes, without a warning."""
    inf, nan = np.inf, np.nan

    def check(name: str, row: list[float], want: Any) -> None:
        with np.errstate(all="raise"):
            got = public(name)(np.array(row, dtype))
            out = public(name)(np.array(row, dtype), out=np.empty_like(got))
        np.testing.assert_allclose(got, np.array(want, dtype), rtol=1e-6, err_msg=name)
        np.testing.assert_array_equal(out, got)

    for name in ("softmax", "sparsemax"):
        check(name, [1, inf, 2, inf], [0, 0.5, 0, 0.5])
        check(name, [-inf, 3, -inf], [0, 1, 0])
        check(name, [-inf, -inf], [0, 0])
        check(name, [1, nan], [nan, nan])
        check(name, [inf, nan], [nan, nan])
        check(name, [-inf, nan], [nan, nan])
    check("softmin", [1, -inf, inf], [0, 1, 0])
    check("softmin", [inf, inf], [0, 0])
    check("log_softmax", [1, inf, 2, inf], [-inf, -math.log(2), -inf, -math.log(2)])
    check("log_softmax", [inf, 1], [0, -inf])
    check("log_softmax", [-inf, 3], [-inf, 0])
    check("log_softmax", [-inf, -inf], [nan, nan])
    check("log_softmax", [1, nan], [nan, nan])
    check("logsumexp", [1, inf], inf)
    check("logsumexp", [-inf, -inf], -inf)
    check("logsumexp", [inf, nan], nan)
    check("logsumexp", [], -inf)
    check("hardmax", [1, 3, 3], [0, 1, 0])
    check("hardmax", [1, inf, inf], [0, 1, 0])
    check("hardmax", [1, nan], [nan, nan])
    largest = float(np.finfo(dtype).max)
    check("softmax", [largest, -largest, largest], [0.5, 0, 0.5])
    check("log_softmax", [largest, -largest], [0, -inf])
    check("logsumexp", [largest, largest], largest)
    for name in ROWWISE:
        assert public(name)(np.empty((3, 0), dtype)).shape == (3, 0)
        assert public(name)(np.empty((0, 3), dtype)).shape == (0, 3)
    masked = np.array([[-inf, nan], [-inf, 1]], dtype)
    np.testing.assert_array_equal(
        numact.log_softmax(masked, where=[[False, False], [False, True]]), [[-inf] * 2, [-inf, 0]]
    )


@every_ufunc
@every_dtype
def test_silent(name: str, dtype: Any) -> None:
    """No input raises a warning, even with all floating-point errors on."""
    if name.startswith("maxout_grad"):
        return
    info = np.finfo(dtype)
    values = [
        0,
        -0.0,
        1,
        -1,
        info.max,
        -info.max,
        info.smallest_subnormal,
        info.tiny,
        np.inf,
        -np.inf,
        np.nan,
        90,
        -700,
    ]
    rng = np.random.default_rng(11)
    x, dy = (rng.choice(np.array(values, dtype), size=(20, 21)) for _ in range(2))
    with np.errstate(all="raise"):
        ufuncs.AXIS[name](*operands(name, x, dy, ufuncs.AXIS[name]))


# Sums of gradients, maxout, samples


def test_prelu_weight_grad() -> None:
    """The derivative by the slope is x where not x > 0; an infinite dy on the other side does not matter."""
    ufunc = ufuncs.AXIS["prelu_weight_grad"]
    assert ufunc([1.0, 2.0, np.inf], [-3.0, 0.0, 4.0]) == -3
    assert np.isnan(ufunc([1.0, 2.0], [np.nan, 4.0]))
    x = np.random.default_rng(12).normal(size=(3, 10**5)).astype(np.float32)
    dy = np.random.default_rng(13).normal(size=x.shape).astype(np.float32)
    want = np.where(x > 0, 0, dy.astype(float) * x).sum(-1)
    np.testing.assert_array_equal(ufunc(dy, x), want.astype(np.float32))


@every_dtype
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_maxout_of_many_groups(dtype: Any, axis: int) -> None:
    """Groups of any number, NaN, equal and infinite pieces; indices of 32 bits on request."""
    rng = np.random.default_rng(1)
    for shape, pieces in (((6, 12, 12), 3), ((700, 30, 2), 2), ((34, 34, 850), 17), ((4, 1040, 12), 4)):
        x = rng.integers(-3, 4, shape).astype(dtype)
        x.flat[::41], x.flat[::97], x.flat[::31] = np.nan, np.inf, -0.0
        if x.shape[axis] % pieces:
            continue
        groups = np.stack(np.split(np.moveaxis(x, axis, -1), x.shape[axis] // pieces, -1), -2)
        index = np.where(np.isnan(groups).any(-1), np.isnan(groups).argmax(-1), groups.argmax(-1))
        want = np.take_along_axis(groups, index[..., None], -1)[..., 0]
        for index_dtype in (np.intp, np.int32):
            y, which = numact.maxout(x, pieces, axis, index_dtype=index_dtype)
            assert which.dtype == index_dtype
            np.testing.assert_array_equal(which, np.moveaxis(index, -1, axis))
            np.testing.assert_array_equal(y, np.moveaxis(want, -1, axis))
            dx = numact.maxout_grad(y, which, pieces, axis)
            back = np.where(np.arange(pieces) == index[..., None], want[..., None], 0).reshape(*index.shape[:-1], -1)
            np.testing.assert_array_equal(dx, np.moveaxis(back, -1, axis))
    with pytest.raises(ValueError, match="maxout: index_dtype must be intp or int32, got int16"):
        numact.maxout(x, 1, axis, index_dtype=np.int16)


def test_hardmax_of_many_rows() -> None:
    """The first of equal maxima, infinite ones too, in rows of any length, with and without NaN."""
    rng = np.random.default_rng(2)
    for n in (1, 5, 16, 33, 100):
        x = rng.integers(-3, 3, (50, n)).astype(np.float32)
        x[3], x[4], x[5, 0], x[6, -1], x[7, n // 2] = -np.inf, np.inf, np.inf, np.nan, -0.0
        want = np.where(np.isnan(x).any(-1, keepdims=True), np.nan, np.arange(n) == x.argmax(-1)[:, None])
        np.testing.assert_array_equal(numact.hardmax(x), want)
        assert numact.hardmax(x, out=x) is x
        np.testing.assert_array_equal(x, want)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8])
def test_maxout(dtype: Any) -> None:
    """Maxima of adjacent entries, the index of the first one, and back."""
    x = (np.random.default_rng(14).normal(size=(4, 12, 5)) * 3).astype(dtype)
    for axis, pieces in ((1, 3), (-2, 4), (0, 2), (2, 1), (2, 5)):
        y, which = numact.maxout(x, pieces, axis)
        groups = np.moveaxis(x, axis, -1)
        groups = groups.reshape(*groups.shape[:-1], -1, pieces)
        np.testing.assert_array_equal(np.moveaxis(y, axis, -1), groups.max(-1))
        np.testing.assert_array_equal(np.moveaxis(which, axis, -1), groups.argmax(-1))
        assert y.dtype == (x.dtype if x.dtype.kind == "f" else np.float32)
        assert which.dtype == np.intp
        dx = numact.maxout_grad(y, which, pieces, axis)
        assert dx.shape == x.shape
        assert dx.dtype == y.dtype
        want = np.where(np.arange(pieces) == groups.argmax(-1)[..., None], groups.max(-1)[..., None], 0)
        np.testing.assert_array_equal(np.moveaxis(dx, axis, -1).reshape(want.shape), want)
    y, which = numact.maxout(np.array([1, np.nan, 7, np.nan]), 4)
    assert np.isnan(y).all()
    assert which.tolist() == [1]


def test_gumbel_softmax() -> None:
    """Samples have the probabilities of softmax, and repeat with the generator."""
    x = np.log([[0.2, 0.5, 0.3]]).astype(np.float32)
    hard = numact.gumbel_softmax(np.repeat(x, 20000, 0), hard=True, rng=np.random.default_rng(15))
    assert set(np.unique(hard)) == {0, 1}
    np.testing.assert_allclose(hard.mean(0), [0.2, 0.5, 0.3], atol=0.01)
    soft = numact.gumbel_softmax(x, 0.5, rng=np.random.default_rng(16))
    noise = np.random.default_rng(16).gumbel(size=x.shape)
    assert_same_bits(soft, numact.softmax((x + noise).astype(np.float32), temperature=0.5))
    assert numact.gumbel_softmax(x, axis=0).shape == x.shape


# The interface


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # pickle looks into all modules, mpmath too
def test_names() -> None:
    """Every function is public, documented, and has its ufunc, which is pickled by name."""
    for name in FUNCTIONS:
        function = public(name)
        assert name in numact.__all__
        assert function.__doc__
        assert name in ufuncs.AXIS or name == "gumbel_softmax"
    attention = {"attention_softmax", "attention_softmax_grad"}  # test_attention.py
    assert set(FORWARD) | set(GRADIENTS) | {"hardmax", "maxout", "maxout_grad"} | attention == {
        name.removesuffix("_where").removesuffix("_bias").removesuffix("_int32") for name in BOUNDS
    }
    for ufunc in ufuncs.AXIS.values():
        assert ufunc.signature
        assert pickle.loads(pickle.dumps(ufunc)) is ufunc


@pytest.mark.parametrize("name", ROWWISE)
@pytest.mark.parametrize("dtype", ["?", "b", "h", "i", "l", "e", "f", "d", ">f4"])
def test_dtypes(name: str, dtype: str) -> None:
    """Float types are kept, others promote; float16 is float32 rounded once."""
    x = np.array([[0, 1, 1], [1, 0, 0]], dtype)
    got = public(name)(x)
    wide = np.result_type(np.float32, x.dtype)
    assert got.dtype == (np.float16 if dtype == "e" else wide)
    assert_same_bits(got.astype(wide), public(name)(x.astype(wide)).astype(got.dtype).astype(wide))
    if name in TEMPERED:
        assert public(name)(x, temperature=2).dtype == got.dtype
    out = np.empty_like(got)
    assert public(name)(x, out=out) is out
    np.testing.assert_array_equal(out, got)


@pytest.mark.parametrize("name", [*ROWWISE, "logsumexp", *(name for name in GRADIENTS if name in FUNCTIONS)])
def test_bfloat16(name: str) -> None:
    """bfloat16 is float32 rounded once, too; a temperature may be bfloat16."""
    x = np.random.default_rng(17).normal(size=(2, 5, 40)).astype(ml_dtypes.bfloat16)
    operands = tuple(x) if name in GRADIENTS else (x[0],)
    got = public(name)(*operands)
    assert got.dtype == x.dtype
    want = public(name)(*(a.astype(np.float32) for a in operands)).astype(x.dtype)
    np.testing.assert_array_equal(got, want)
    out = np.empty_like(got)
    assert public(name)(*operands, out=out) is out
    np.testing.assert_array_equal(out, want)
    if name in TEMPERED:
        for temperature in (0.7, np.arange(1, 6).astype(x.dtype)):
            assert public(name)(*operands, temperature=temperature).dtype == x.dtype


def test_bfloat16_of_pieces() -> None:
    """The functions that choose entries, and samples, keep bfloat16."""
    x = np.random.default_rng(18).normal(size=(3, 8)).astype(ml_dtypes.bfloat16)
    y, which = numact.maxout(x, 4)
    assert y.dtype == numact.maxout_grad(y, which, 4).dtype == numact.gumbel_softmax(x).dtype == x.dtype
    np.testing.assert_array_equal(y, x.reshape(3, 2, 4).max(-1))
    np.testing.assert_array_equal(numact.maxout_grad(y, which, 4), np.where(np.repeat(y, 4, -1) == x, x, 0))


class Overrider:
    """Takes over every ufunc."""

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **keywords: Any) -> Any:
        """Tell what was called."""
        return ufunc, method, keywords["axis"]


def test_overrides() -> None:
    """__array_ufunc__ takes over with the ufunc."""
    for name in [*ROWWISE, "logsumexp"]:
        assert public(name)(Overrider(), axis=0) == (ufuncs.AXIS[name], "__call__", 0)


WRONG: list[tuple[Callable[[Array, Array], Any], type[Exception], str]] = [
    (
        lambda x, out: numact.softmax(x, axis=2, out=out),
        ValueError,
        r"softmax: axis must name axes from -2 to 1 of x, got 2",
    ),
    (lambda x, out: numact.softmax(x, temperature=0, out=out), ValueError, r"softmax: temperature must be > 0.*got 0"),
    (lambda x, out: numact.softmin(x, temperature=-1.5, out=out), ValueError, r"softmin: temperature.*> 0.*-1.5"),
    (lambda x, out: numact.log_softmax(x, temperature=np.nan, out=out), ValueError, r"temperature.*nan"),
    (lambda x, out: numact.softmax(x, temperature=np.array([1, -2.0, 3]), out=out), ValueError, r"temperature.*-2"),
    (lambda x, out: numact.softmax(x, temperature=np.float16(0), out=out), ValueError, r"temperature.*> 0.*got 0"),
    (lambda x, out: numact.softmax(x, temperature=np.float16(np.inf), out=out), ValueError, r"temperature.*got inf"),
    (lambda x, out: numact.softmax(x, temperature="hot", out=out), TypeError, r"softmax: temperature.*hot"),
    (
        lambda x, out: numact.softmax(x, where=[1, 0, 1, 1], out=out),
        TypeError,
        r"softmax: where must be boolean, got int64",
    ),
    (lambda x, out: numact.sparsemax(x, where=[True] * 3, out=out), ValueError, r"sparsemax: where.*\(3, 4\).*\(3,\)"),
    (lambda x, out: numact.softmax_grad(x, x, temperature=0.0, out=out), ValueError, r"softmax_grad: temperature.*0"),
    (lambda x, out: numact.maxout(x, 3), ValueError, r"maxout: pieces.*length 4 of axis 1, got 3"),
    (lambda x, out: numact.maxout(x, 0), ValueError, r"maxout: pieces.*got 0"),
    (lambda x, out: numact.maxout(x, 2, axis=-3), ValueError, r"maxout: axis must name axes from -2 to 1.*got -3"),
    (
        lambda x, out: numact.maxout_grad(x, np.full((3, 4), 2), 2),
        ValueError,
        r"maxout_grad: which must be in \[0, 2\), got 2",
    ),
    (lambda x, out: numact.maxout_grad(x, x, 2), TypeError, r"maxout_grad: which must be integers, got float32"),
    (lambda x, out: numact.maxout_grad(x, np.zeros(4, int), 2), ValueError, r"maxout_grad: which must have the shape"),
    (lambda x, out: numact.gumbel_softmax(x, tau=0), ValueError, r"gumbel_softmax: tau must be > 0.*got 0"),
    (lambda x, out: numact.gumbel_softmax(x, rng=7.5), TypeError, r"gumbel_softmax: rng.*got 7.5"),
    (lambda x, out: numact.softmax(x.astype(complex)), TypeError, r"softmax"),
]


@pytest.mark.parametrize(("call", "error", "message"), WRONG)
def test_errors(call: Callable[[Array, Array], Any], error: type[Exception], message: str) -> None:
    """Bad input names the argument, the value and what is allowed, before anything is written."""
    x, out = np.ones((3, 4), np.float32), np.full((3, 4), 7, np.float32)
    with pytest.raises(error, match=message):
        call(x, out)
    np.testing.assert_array_equal(out, 7)


@pytest.mark.memory
@pytest.mark.skipif(sys.platform != "linux", reason="limits the memory")
def test_no_memory() -> None:
    """Where the scratch for a row does not fit in memory, MemoryError is raised and nothing written."""
    code = """
import resource
import numpy as np
import numact
out = np.full(3, 7, np.float32)
resource.setrlimit(resource.RLIMIT_AS, (2**32, 2**32))
try:
    numact.logsumexp(np.broadcast_to(np.float32(0), (3, 2**31)), out=out)
except MemoryError:
    print(*out)
"""
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout.split() == ["7.0"] * 3, process.stderr
