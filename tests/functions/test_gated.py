"""The gated functions: values, bits, memory, interface; the split forms."""

import copy
import ctypes
import pickle
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from functions.test_accuracy import REFERENCE_ERROR, sweep
from support.cases import DTYPES, LEVELS, Array, assert_same_bits, name_of, samples
from support.gated_cases import FUNCTIONS, ROWS, Gated, gates, others
from support.reference import EXACT, GATE, REFERENCE

import numact
from numact import Activation

every_row = pytest.mark.parametrize("row", ROWS, ids=name_of)
every_function = pytest.mark.parametrize("function", FUNCTIONS, ids=name_of)
every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=name_of)


def public(name: str) -> Any:
    """Get a function of numact."""
    return getattr(numact, name)


def operands_of(function: Gated, dtype: Any, count: int, seed: int = 1) -> tuple[Array, ...]:
    """Operands of all kinds, special values among each of them."""
    gate = gates(dtype, count, seed)
    dy, other = others(dtype, gate.size, seed + 1), others(dtype, gate.size, seed + 2)
    rng = np.random.default_rng(seed)
    for array in (dy, gate, other):
        places = rng.random(array.size) < 0.05
        array[places] = rng.choice(samples(dtype, 300), array.size)[places]
    return function.arranged(dy, gate, other)


# Values


@every_function
@pytest.mark.parametrize("any_dy", [False, True], ids=["dy=1", "any dy"])
def test_float32(function: Gated, any_dy: bool) -> None:
    """Within the bound for more than 2^20 gates, with other operands of any magnitude."""
    largest = np.finfo(np.float32).max * np.float32(0.75)
    for gate in sweep():
        other = others(np.float32, gate.size, 1)
        dy = others(np.float32, gate.size, 2) if any_dy else np.ones_like(gate)
        wants = function.true_values(dy, gate, other)
        for got, want in zip(function.compute(*function.arranged(dy, gate, other)), wants, strict=True):
            with np.errstate(all="ignore"):
                rounded = want.astype(np.float32)
                spacing = np.spacing(np.minimum(abs(rounded), largest)).astype(np.float64)
                error = np.where(np.isinf(rounded) & (rounded == got), 0, abs(got.astype(np.float64) - want) / spacing)
            assert not np.isnan(error).any(), f"NaN for a gate of {gate[np.isnan(error)][0]!r}"
            i = int(error.argmax())
            assert error[i] <= function.bound + REFERENCE_ERROR, (
                f"{function.name}: {error[i]:.3f} ULP for dy = {dy[i]}, gate {gate[i]}, other {other[i]}: {got[i]}"
            )


@every_function
@pytest.mark.parametrize("any_dy", [False, True], ids=["dy=1", "any dy"])
def test_float64(function: Gated, any_dy: bool) -> None:
    """Within the bound, with other operands of any magnitude."""
    largest = np.finfo(np.float64).max * 0.75
    gate = gates(np.float64, 900)
    gate = gate[np.isfinite(gate)]
    other = others(np.float64, gate.size, 1)
    dy = others(np.float64, gate.size, 2) if any_dy else np.ones_like(gate)
    results = function.compute(*function.arranged(dy, gate, other))
    for i in range(gate.size):
        for result, want in zip(results, function.exact(dy[i], gate[i], other[i]), strict=True):
            got, rounded = float(result[i]), float(want)
            if np.isinf(rounded) and rounded == got:
                continue
            where = f"{function.name} for dy = {dy[i]}, gate {gate[i]}, other {other[i]}: {got}, not {rounded}"
            assert np.isfinite(got), where
            error = abs(EXACT.mpf(got) - want) / EXACT.mpf(float(np.spacing(min(abs(rounded), largest))))
            assert error <= function.bound, f"{float(error):.3f} ULP: {where}"


@every_function
def test_references_agree(function: Gated) -> None:
    """The float64 reference of float32 is good enough, where the result is a normal number of float64."""
    gate = gates(np.float32, 300)
    gate = gate[np.isfinite(gate)]
    dy, other = others(np.float32, gate.size, 1), others(np.float32, gate.size, 2)
    results = function.true_values(dy, gate, other)
    for i in range(gate.size):
        for result, want in zip(results, function.exact(dy[i], gate[i], other[i]), strict=True):
            spacing = max(2.0**-149, abs(float(want)) * 2.0**-24)
            assert abs(result[i] - want) <= REFERENCE_ERROR * spacing, f"{function.name}, gate {gate[i]}"


def gate_of_factor(row: Activation, distance: float) -> float:
    """Find the gate at which the factor is about e^-distance."""
    if GATE[row.name] == "gelu":
        return -float(np.sqrt(2 * distance))
    if GATE[row.name] == "gelu_tanh":
        return -float(max(root.real for root in np.roots([0.07135, 0, 1.5958, -distance])))
    return -distance


@every_dtype
@pytest.mark.parametrize("row", [row for row in ROWS if GATE[row.name] != "relu"], ids=name_of)
def test_tiny_factors(row: Activation, dtype: Any) -> None:
    """A factor far below the smallest number keeps all its digits in products with large numbers."""
    info = np.finfo(dtype)
    large = np.array([info.max, info.max / 3, 2.0 ** (info.maxexp - 2)], dtype)
    for suffix in ("", "_grad"):
        function = Gated(row, suffix)
        checked = 0
        # Factors of about half, once, and in the gradient twice the exponent range below 1.
        for exponent in (0.5, 1, 1.4, 1.9, 2.3, 2.7):
            distance = exponent * -info.minexp * np.log(2)
            gate = np.full(3, gate_of_factor(row, distance), dtype)
            for got, want in zip(
                zip(*function.compute(*function.arranged(large, gate, large)), strict=True),
                (function.exact(x, z, x) for x, z in zip(large, gate, strict=True)),
                strict=True,
            ):
                for single, true in zip(got, want, strict=True):
                    if info.tiny < abs(true) < info.max:
                        checked += 1
                        assert abs(EXACT.mpf(float(single)) - true) <= 2 * info.eps * abs(true), (exponent, true)
        assert checked >= (9 if suffix else 6)


@every_row
def test_differences(row: Activation) -> None:
    """The gradients are the derivatives of the forward formula, by central differences in high precision."""
    forward, gradient = Gated(row, ""), Gated(row, "_grad")
    rng = np.random.default_rng(4)
    gate = np.concatenate([rng.uniform(-8, 8, 200), rng.uniform(-40, 40, 100), rng.uniform(-0.01, 0.01, 60)])
    dy, other = rng.normal(size=gate.size), rng.normal(size=gate.size)
    results = gradient.compute(*gradient.arranged(dy, gate, other))
    with EXACT.workprec(600):
        step = EXACT.mpf(2) ** -200
        for i in range(gate.size):
            point = [EXACT.mpf(float(x)) for x in forward.arranged(None, gate[i], other[i])]
            for k, result in enumerate(results):
                moved = [[x + sign * step * (j == k) for j, x in enumerate(point)] for sign in (1, -1)]
                ordered = moved if row.arguments[0] == "gate" else [pair[::-1] for pair in moved]
                up, down = (forward.references(EXACT, 1, *pair)[0] for pair in ordered)
                want = EXACT.mpf(float(dy[i])) * (up - down) / (2 * step)
                error = abs(EXACT.mpf(float(result[i])) - want) / EXACT.mpf(float(np.spacing(abs(float(want)))))
                assert error <= row.ulp_gradient, f"{row.name}, gate {gate[i]}, result {k}: {float(error):.3f} ULP"


@every_row
@every_dtype
def test_like_the_activation(row: Activation, dtype: Any) -> None:
    """With 1 as the other operands the results are those of the activation, within both bounds."""
    one, gate = dtype(1), samples(dtype)
    gate = gate[np.isfinite(gate)]
    forward, gradient = public(GATE[row.name]), public(f"{GATE[row.name]}_grad")
    by = dict(
        zip(row.arguments, public(f"{row.name}_grad")(*Gated(row, "_grad").arranged(one, gate, one)), strict=True)
    )
    pairs = [(Gated(row, "").compute(*Gated(row, "").arranged(None, gate, one))[0], forward(gate))]
    pairs += [(by.pop("gate"), gradient(one, gate)), (*by.values(), forward(gate))]
    for got, want in pairs:
        np.testing.assert_array_max_ulp(got, want, 5)


@every_dtype
def test_limits(dtype: Any) -> None:
    """At infinite gates the factor is its limit; 0 times infinity is a NaN, a small number times infinity is not."""
    inf, nan, big = dtype(np.inf), dtype(np.nan), dtype(-min(1e30, float(np.finfo(dtype).max)))
    other = np.array([1, -1, 0, -0.0, np.finfo(dtype).max, np.inf, -np.inf, np.nan] * 5, dtype)
    finite = np.isfinite(other)
    zeros = np.where(finite, np.copysign(dtype(0), other), nan)
    for name in (row.name for row in ROWS if row.name != "reglu"):
        gate_first = next(row for row in ROWS if row.name == name).arguments[0] == "gate"
        forward, gradient = public(name), public(f"{name}_grad")

        def both(gate: Any, forward: Any = forward, gradient: Any = gradient, gate_first: bool = gate_first) -> Any:
            value = forward(gate, other) if gate_first else forward(other, gate)
            by = gradient(dtype(1), gate, other) if gate_first else gradient(dtype(1), other, gate)[::-1]
            return value, *by

        # glu has the factor sigmoid, 0 and 1; the others x factor(x), -0 and infinity, with slopes -0 and 1.
        value, by_gate, by_other = both(-inf)
        assert_same_bits(value, -zeros if gate_first else zeros)
        assert_same_bits(by_gate, -zeros if gate_first else zeros)
        assert_same_bits(by_other, np.full_like(other, -0.0 if gate_first else 0.0))
        value, by_gate, by_other = both(inf)
        with np.errstate(invalid="ignore"):
            assert_same_bits(value, other * inf if gate_first else other)
        assert_same_bits(by_gate, other if gate_first else zeros)
        assert_same_bits(by_other, np.full_like(other, np.inf if gate_first else 1))
        value, by_gate, _ = both(big)
        signed = np.where(finite, zeros, other)
        assert_same_bits(value, -signed if gate_first else signed)
        assert_same_bits(by_gate, -signed if gate_first else signed)
        for result in both(nan):
            assert np.isnan(result).all()


@every_dtype
def test_reglu_selects(dtype: Any) -> None:
    """A closed gate gives 0 whatever the others are; a NaN gate passes."""
    dy = np.array([np.inf, -np.inf, np.nan, -3, np.finfo(dtype).max] * 9, dtype)
    for gate in (-1, -np.inf, 0.0, -0.0, -np.finfo(dtype).max):
        closed = np.full_like(dy, gate)
        with np.errstate(all="raise"):
            for up in (dy, dy[::-1]):
                for result in (public("reglu")(closed, up), *public("reglu_grad")(dy, closed, up)):
                    assert_same_bits(result, np.zeros_like(dy))
    with np.errstate(over="ignore"):
        by_gate, by_up = public("reglu_grad")(dy, dtype(np.nan), dtype(2))
        assert_same_bits(by_gate, 2 * dy)
    assert np.isnan(by_up).all()
    assert np.isnan(public("reglu")(dtype(np.nan), dtype(2)))


@every_function
@every_dtype
def test_zeros_and_nan(function: Gated, dtype: Any) -> None:
    """Zeros have the sign of the product, a NaN in any operand is a NaN wherever that operand counts."""
    for sign in (1, -1):
        for gate in (0.75, 8.0):
            zero = np.full(40, sign * 0.0, dtype)
            for result in function.compute(*function.arranged(zero, np.full_like(zero, gate), zero)):
                assert (result == 0).all()
            value = function.compute(*function.arranged(zero, np.full_like(zero, gate), np.ones_like(zero)))[-1]
            if function.suffix:
                assert_same_bits(value, zero)
            nan = np.full(40, np.nan, dtype)
            for result in function.compute(*function.arranged(nan, np.full_like(nan, gate), nan)):
                assert np.isnan(result).all()


@every_function
@every_dtype
@pytest.mark.parametrize("level", LEVELS)
def test_silent(function: Gated, dtype: Any, level: str) -> None:
    """No floating-point error for any operands, but the overflow of finite ones; that one is reported."""
    operands = operands_of(function, dtype, 1500)
    results = function.compute(*operands, level=level)
    finite = np.logical_and.reduce([np.isfinite(operand) for operand in operands])
    overflows = finite & np.logical_or.reduce([np.isinf(result) for result in results])
    math_library = ctypes.CDLL(None)
    silent = [operand[~overflows] for operand in operands]
    with np.errstate(all="raise"):
        function.ufunc(level)(*silent)
        for i in range(silent[0].size):
            function.ufunc(level)(*(operand[i : i + 1] for operand in silent))
    assert math_library.fetestexcept(0x1D) == 0
    assert overflows.any() == (function.name != "glu")
    for i in np.flatnonzero(overflows)[:20]:
        with pytest.warns(RuntimeWarning, match="overflow"):
            function.ufunc(level)(*(operand[i : i + 1] for operand in operands))


# Bits


@every_function
@every_dtype
@pytest.mark.parametrize("level", LEVELS[1:])
def test_levels(function: Gated, dtype: Any, level: str) -> None:
    """Every level gives the bits of the baseline."""
    operands = operands_of(function, dtype, 100_000)
    for got, want in zip(
        function.compute(*operands, level=level), function.compute(*operands, level="baseline"), strict=True
    ):
        assert_same_bits(got, want, operands[-1], f"{function.name}, {level} against baseline:")


@every_function
@every_dtype
@pytest.mark.parametrize("level", LEVELS)
def test_position(function: Gated, dtype: Any, level: str) -> None:
    """Slices of every length, offset and stride give the bits of the whole."""
    operands = operands_of(function, dtype, 400)
    wholes = function.compute(*operands, level=level)
    slices = [slice(start, start + n) for n in range(0, 71, 3) for start in (0, 1, 6 + n)]
    slices += [slice(start, None, step) for step in (-1, 2, -2, 5, 300) for start in (None, 7)]
    for part in slices:
        parts = [operand[part] for operand in operands]
        for got, whole in zip(function.compute(*parts, level=level), wholes, strict=True):
            assert_same_bits(got, whole[part], message=f"{function.name}, {level}, {part}:")
        # Results apart from each other, every other element of one array.
        out = np.full((function.results, 2 * parts[0].size), np.nan, dtype)
        with np.errstate(over="ignore"):
            function.ufunc(level)(*parts, out=tuple(row[::2] for row in out))
        for row, whole in zip(out, wholes, strict=True):
            assert_same_bits(row[::2], whole[part])
            assert np.isnan(row[1::2]).all()


# Memory


@every_function
@every_dtype
@pytest.mark.parametrize("size", [1, 40, 300, 1000])
def test_in_place(function: Gated, dtype: Any, size: int) -> None:
    """Results may be written over any operands, in any order, or into parts of them."""
    source = [np.resize(operand, size) for operand in operands_of(function, dtype, 900)]
    wants = function.compute(*source)
    for first in range(function.operands):
        for second in range(function.operands) if function.results == 2 else [first]:
            copies = [operand.copy() for operand in source]
            if first == second and function.results == 2:
                continue
            out = (copies[first], copies[second])[: function.results]
            with np.errstate(over="ignore"):
                function.ufunc()(*copies, out=out)
            for got, want in zip(out, wants, strict=True):
                assert_same_bits(got, want, message=f"{function.name}, out={first, second}:")


@every_function
@every_dtype
@pytest.mark.parametrize("size", [40, 300])
def test_overlap(function: Gated, dtype: Any, size: int) -> None:
    """Results that overlap operands by any shift, forward or reversed, are what copies give."""
    start = np.resize(operands_of(function, dtype, 900)[-1], size + 80)
    rest = [np.resize(operand, size) for operand in operands_of(function, dtype, 900, 5)]
    for overlapped in range(function.operands):
        for shift in range(-40, 41, 4 if size > 100 else 1):
            for reverse in (1, -1):
                memory = start.copy()
                operands = [memory[40 : 40 + size] if k == overlapped else rest[k] for k in range(function.operands)]
                wants = function.compute(*(operand.copy() for operand in operands))
                outs = [memory[40 + shift : 40 + shift + size][::reverse], np.empty(size, dtype)]
                for order in ((0, 1), (1, 0)) if function.results == 2 else ((0,),):
                    memory[:] = start
                    with np.errstate(over="ignore"):
                        function.ufunc()(*operands, out=tuple(outs[k] for k in order))
                    for k, want in zip(order, wants, strict=True):
                        assert_same_bits(outs[k], want, message=f"{function.name}, {overlapped}, {shift}, {reverse}:")


@every_function
@every_dtype
def test_layouts(function: Gated, dtype: Any) -> None:
    """Any layout, byte order and broadcasting give what contiguous copies give."""
    operands = [operand[:600].reshape(20, 30) for operand in operands_of(function, dtype, 900)]
    swapped = np.dtype(dtype).newbyteorder()
    packed = [np.zeros((20, 30), [("pad", "u1"), ("x", dtype)]) for _ in operands]
    for record, operand in zip(packed, operands, strict=True):
        record["x"] = operand
    layouts = [
        [operand.T for operand in operands],
        [operand[::-2, ::3] for operand in operands],
        [operand.astype(swapped) for operand in operands],
        [np.asfortranarray(operands[0]), *operands[1:]],
        [record["x"] for record in packed],
        [operands[0][:1], *operands[1:]],
        [operands[0], operands[1][:, :1], *operands[2:]],
        [operand[3, 4] for operand in operands],
        [operand[:0] for operand in operands],
    ]
    for layout in layouts:
        copies = [np.array(operand.astype(dtype), order="C") for operand in np.broadcast_arrays(*layout)]
        for got, want in zip(function.compute(*layout), function.compute(*copies), strict=True):
            assert_same_bits(got, want, message=function.name)


@every_function
@every_dtype
def test_where(function: Gated, dtype: Any) -> None:
    """where= leaves the rest of every result alone."""
    operands = operands_of(function, dtype, 300)
    chosen = np.random.default_rng(3).random(operands[0].size) < 0.6
    out = tuple(np.full(operands[0].size, 7, dtype) for _ in range(function.results))
    with np.errstate(over="ignore"):
        function.ufunc()(*operands, out=out, where=chosen)
    for got, want in zip(out, function.compute(*operands), strict=True):
        assert_same_bits(got, np.where(chosen, want, dtype(7)))


# Interface


def test_every_row_has_a_reference() -> None:
    """A gated function without reference, or a reference without function, fails; functions are public."""
    assert {row.name for row in ROWS} == set(GATE)
    for row in ROWS:
        assert {row.name + suffix for suffix in ("", "_grad", "_split", "_split_grad")} <= set(numact.__all__)
        assert row in numact.catalogue()
        assert GATE[row.name] in REFERENCE
        assert row.arguments.count("gate") == 1
        assert len(row.arguments) == len(row.derivative.split("\n")) == 2
        assert not row.parameters
        assert row.overflows
        assert 0.5 <= row.ulp <= 2
        assert 0.5 <= row.ulp_gradient <= 2


@every_function
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # pickle looks into all modules, mpmath too
def test_kind(function: Gated) -> None:
    """Real ufuncs, named, documented, of so many operands and results; they survive pickle and copy."""
    ufunc = public(function.name)
    assert isinstance(ufunc, np.ufunc)
    assert (ufunc.nin, ufunc.nout, ufunc.__name__) == (function.operands, function.results, function.name)
    documentation = ufunc.__doc__
    assert documentation
    for name in (*function.row.arguments, *(f"d{argument}" for argument in function.row.arguments if function.suffix)):
        assert f"\n{name} : " in documentation
    assert function.row.formula in documentation
    assert pickle.loads(pickle.dumps(ufunc)) is copy.deepcopy(ufunc) is ufunc


@every_function
@pytest.mark.parametrize("dtype", ["?", "b", "B", "h", "H", "i", "I", "l", "L", "e", "f", "d", ">f4", ">f8"])
def test_promotion(function: Gated, dtype: str) -> None:
    """Integers and half precision promote as in the elementwise functions; a Python number does not."""
    x = np.array([0, 1, 1], dtype)
    want = np.exp(x).dtype
    operands = [x] * function.operands
    for got, expected in zip(
        function.compute(*operands), function.compute(*(operand.astype(want) for operand in operands)), strict=True
    ):
        assert got.dtype == want
        assert_same_bits(got, expected)
    if x.dtype.kind == "f":
        for result in function.compute(1.0, *operands[1:]):
            assert result.dtype == want
    mixed = function.compute(np.float64(1), *(np.ones(2, np.float32),) * (function.operands - 1))
    assert {result.dtype for result in mixed} == {np.dtype(np.float64)}


@every_function
def test_out_and_keywords(function: Gated) -> None:
    """out= takes arrays or None, positional or not; wrong types, shapes and keywords raise."""
    ufunc = public(function.name)
    operands = [np.linspace(0.1, 0.9, 12).reshape(3, 4)] * function.operands
    wants = function.compute(*operands)
    out = tuple(np.full((3, 4), 7.0) for _ in wants)
    results = ufunc(*operands, *out)
    assert all(a is b for a, b in zip(results if function.suffix else (results,), out, strict=True))
    for got, want in zip(out, wants, strict=True):
        assert_same_bits(got, want)
    if function.suffix:
        by_first = np.empty((3, 4))
        pair = ufunc(*operands, out=(by_first, None))
        assert pair[0] is by_first
        assert_same_bits(pair[1], wants[1])
    single = ufunc(*operands, dtype=np.float32, casting="same_kind")
    assert np.asarray(single).dtype == np.float32
    for wrong in ({"out": np.empty((3, 4), int)}, {"nonsense": 1}, {"dtype": complex}):
        keywords = {**wrong, "out": (wrong["out"],) * function.results} if "out" in wrong else wrong
        with pytest.raises(TypeError):
            ufunc(*operands, **keywords)
    with pytest.raises(ValueError, match="broadcast"):
        ufunc(*operands, out=tuple(np.empty((2, 2)) for _ in wants))
    with pytest.raises(ValueError, match="broadcast"):
        ufunc(np.ones(3), *[np.ones(4)] * (function.operands - 1))
    for x in (1j, "a", np.array(None)):
        with pytest.raises(TypeError):
            ufunc(*[x] * function.operands)


# Split forms


SHAPES = [
    ((8,), 0),
    ((8,), -1),
    ((4, 6), 0),
    ((4, 6), 1),
    ((4, 6), -2),
    ((2, 4, 3), 1),
    ((2, 4, 6), -3),
    ((0, 4), 0),
    ((3, 0), 1),
]


def arrays(dtype: Any, shape: tuple[int, ...]) -> list[Array]:
    """Arrays of one shape and several layouts, of the same elements."""
    x = np.random.default_rng(6).normal(0, 4, shape).astype(dtype)
    wide = np.zeros(tuple(2 * n for n in shape), dtype)
    wide[tuple(slice(None, None, 2) for _ in shape)] = x
    backwards = tuple(slice(None, None, -1) for _ in shape)
    return [x, x.copy(order="F"), wide[tuple(slice(None, None, 2) for _ in shape)], x[backwards].copy()[backwards]]


@every_row
@every_dtype
@pytest.mark.parametrize(("shape", "axis"), SHAPES)
def test_split(row: Activation, dtype: Any, shape: tuple[int, ...], axis: int) -> None:
    """The split forms are the ufuncs of the halves, for every axis and layout, in place and into views."""
    forward, gradient = Gated(row, ""), Gated(row, "_grad")
    split, split_grad = public(f"{row.name}_split"), public(f"{row.name}_split_grad")
    first, second = np.split(arrays(dtype, shape)[0], 2, axis)
    want = forward.compute(first, second)[0]
    dy = np.random.default_rng(7).normal(np.zeros(want.shape)).astype(dtype)
    want_grad = np.concatenate(gradient.compute(dy, first, second), axis)
    for x in arrays(dtype, shape):
        before = x.copy()
        assert_same_bits(split(x, axis), want)
        got = split_grad(dy, x, axis)
        assert_same_bits(got, want_grad)
        assert_same_bits(split_grad(dy[..., ::-1][..., ::-1], x, axis=axis), want_grad)
        assert_same_bits(x, before)
        for out in (np.full(want.shape, 7, dtype), np.full((*want.shape, 2), 7, dtype)[..., 0]):
            assert split(x, axis, out) is out
            assert_same_bits(out, want)
        for out in (np.full(shape, 7, dtype), np.full((*shape, 2), 7, dtype)[..., 0]):
            assert split_grad(dy, x, axis, out=out) is out
            assert_same_bits(out, want_grad)
        half = np.split(x, 2, axis)[1]
        assert split(x, axis, out=half) is half
        assert_same_bits(half, want)
        x[...] = before
        assert split_grad(dy, x, axis, out=x) is x
        assert_same_bits(x, want_grad)


@every_row
def test_split_default_axis_and_dtypes(row: Activation) -> None:
    """The last axis is the default; lists, integers and scalars as dy promote as in the ufuncs; subclasses are kept."""
    split, split_grad = public(f"{row.name}_split"), public(f"{row.name}_split_grad")
    x = np.arange(-4, 4, dtype=np.float32).reshape(2, 4)
    assert_same_bits(split(x), split(x, 1))
    for dy in (1, 1.0, np.float32(1), np.ones((2, 2), np.float32), np.ones(2, np.float32), np.ones((2, 1), np.float32)):
        assert_same_bits(split_grad(dy, x), split_grad(np.ones((2, 2), np.float32), x, axis=-1))
    assert split_grad(np.float64(1), x).dtype == split_grad([[1.0, 1.0]], x).dtype == np.float64
    assert split(x.astype(np.int16)).dtype == split_grad(1, x.astype(np.int16)).dtype == np.float32
    assert split(x.tolist()).dtype == split_grad(1, x.tolist()).dtype == np.float64
    assert split(x, out=np.empty((2, 2))).dtype == np.float64
    masked = np.ma.masked_array(x, x > 2)
    assert isinstance(split(masked), np.ma.MaskedArray)


@every_row
def test_split_makes_no_copy(row: Activation) -> None:
    """The ufunc is given views of x and out."""
    given: list[Any] = []

    class Watched(np.ndarray[Any, Any]):
        def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **keywords: Any) -> Any:
            given.extend([*inputs, *keywords["out"]])
            return keywords["out"] if ufunc.nout > 1 else keywords["out"][0]

    x = np.ones((2, 6)).view(Watched)
    for function, operands, out in (
        (public(f"{row.name}_split"), (x,), np.empty((2, 3)).view(Watched)),
        (public(f"{row.name}_split_grad"), (np.ones((2, 3)).view(Watched), x), np.empty((2, 6)).view(Watched)),
    ):
        given.clear()
        function(*operands, out=out)
        assert len(given) == len(operands) + 2 + (len(operands) > 1)
        for array in given:
            assert any(np.shares_memory(array, owner) for owner in (*operands, out))


@every_row
def test_split_errors(row: Activation) -> None:
    """Bad input names function, argument, value and what is allowed, and changes nothing."""
    x = np.ones((4, 6, 3), np.float32)
    for suffix in ("_split", "_split_grad"):
        name = row.name + suffix
        dy = (np.ones((4, 3, 3), np.float32),) if suffix == "_split_grad" else ()

        def fails(error: type[Exception], pattern: str, *operands: Any, name: str = name, **keywords: Any) -> None:
            with pytest.raises(error, match=f"^{name}: {pattern}"):
                public(name)(*operands, **keywords)

        shape = x.shape if dy else (4, 3, 3)
        out = np.full(shape, 7, np.float32)
        fails(ValueError, r"x must have an even length along axis 2, got 3 in", *dy, x, axis=2, out=out)
        fails(ValueError, r"x must have an even length along axis -1, got 3 in", *dy, x, out=out)
        for axis in (3, -4, 10**30):
            fails(ValueError, rf"axis must name axes from -3 to 2 of x, got {axis}", *dy, x, axis=axis, out=out)
        for wrong_type in (1.0, None, "1", (1,), Fraction(1)):
            fails(TypeError, "axis must be an integer, got", *dy, x, axis=wrong_type, out=out)
        fails(ValueError, r"axis must name axes of x, which has none", *dy, np.float32(1))
        fails(ValueError, r"out must be of shape .*, got \(4, 2, 3\)", *dy, x, 1, np.ones((4, 2, 3), np.float32))
        fails(TypeError, r"out must be an array, .*got \[1.0\]", *dy, x, 1, [1.0])
        if dy:
            for wrong in (np.ones((4, 6, 3)), np.ones((4, 2, 3)), np.ones((1, 4, 3, 3))):
                fails(ValueError, r"dy must broadcast to a half of x, \(4, 3, 3\), got", wrong, x, axis=1, out=out)
        with pytest.raises(TypeError):
            public(name)(*dy, x, 1, out=np.full(shape, 7))
        with pytest.raises(TypeError):
            public(name)(*dy, x.astype(complex), 1)
        out.flags.writeable = False
        with pytest.raises(ValueError, match="read-only"):
            public(name)(*dy, x, 1, out=out)
        np.testing.assert_array_equal(out, 7)


@every_row
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_split_kind(row: Activation) -> None:
    """Functions of numact, documented; they survive pickle."""
    for suffix in ("_split", "_split_grad"):
        function = public(row.name + suffix)
        assert function.__module__ == "numact"
        assert function.__name__ == function.__qualname__ == row.name + suffix
        for word in ("Parameters", "Returns", "Raises", *row.arguments):
            assert word in function.__doc__
        assert pickle.loads(pickle.dumps(function)) is function
    assert "F.glu" in public("glu_split").__doc__
