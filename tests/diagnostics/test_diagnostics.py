"""numact.diagnostics: figures as NumPy computes them, the same bits however an array is stored, and the monitor."""

import json
import math
import pickle
import sys
from dataclasses import FrozenInstanceError
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from support.cases import CHOSEN, LEVELS, ROWS, assert_same_bits, name_of, unaligned

import numact
from numact import diagnostics
from numact._kernels import core, targets
from numact.diagnostics import ActivationMonitor, Summary, measure

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
DTYPES = [np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64), BFLOAT16]
LOW, HIGH = 0.25, 1.0  # exact in every dtype
SHAPES: list[tuple[tuple[int, ...], Any]] = [
    ((100, 1024), 0),
    ((5, 300), 0),
    ((1000, 10), 0),
    ((7, 3), 0),
    ((1000,), 0),
    ((1, 1), 0),
    ((1, 700), 0),
    ((300, 17), -1),
    ((4, 6, 7, 7), (0, 2, 3)),
    ((4, 6, 7, 7), 0),
    ((3, 900, 5), 1),
    ((3, 5, 40), (0, 2)),
    ((40, 20), (0, 1)),
]
every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=name_of)
every_shape = pytest.mark.parametrize(("shape", "axis"), SHAPES)


def outputs(shape: tuple[int, ...], dtype: Any = np.float32, special: bool = False) -> Any:
    """Outputs of a ReLU, a unit of which is dead; where asked for with NaN and infinities."""
    rng = np.random.default_rng(0)
    y = np.maximum(rng.standard_normal(shape), 0) + 3 * (rng.random(shape) < 0.01)
    if y.ndim > 1:
        y[..., 0] = -0.0
    if special:
        y.flat[rng.integers(0, y.size, 1 + y.size // 500)] = np.nan
        y.flat[rng.integers(0, y.size, 1 + y.size // 500)] = np.inf
        y.flat[rng.integers(0, y.size, 1 + y.size // 900)] = -np.inf
    return y.astype(dtype)


def plainly(y: Any, axis: Any) -> Summary:
    """The same by NumPy, in float64."""
    x = np.asarray(y).astype(np.float64)
    axes = tuple(k % x.ndim for k in (axis if isinstance(axis, tuple) else (axis,)))
    finite = x[np.isfinite(x)]
    return Summary(
        x.size,
        finite.mean() if finite.size else math.nan,
        finite.var() if finite.size else math.nan,
        float(np.mean(x == 0)),
        float(np.mean(np.all(x == 0, axis=axes))),
        float(np.mean((x <= LOW) | (x >= HIGH))),
        float(np.mean(np.isnan(x))),
        float(np.mean(np.isinf(x))),
    )


def assert_summary(got: Summary, want: Summary) -> None:
    """All but mean and variance are exact."""
    for name in ("size", "zero_fraction", "dead_fraction", "saturated_fraction", "nan_fraction", "infinite_fraction"):
        assert getattr(got, name) == getattr(want, name), name
    assert got.variance == pytest.approx(want.variance, rel=1e-12, abs=1e-15, nan_ok=True)
    assert got.mean == pytest.approx(want.mean, rel=1e-12, abs=1e-13, nan_ok=True)


@every_shape
@every_dtype
@pytest.mark.parametrize("special", [False, True])
def test_summary(shape: tuple[int, ...], axis: Any, dtype: Any, special: bool) -> None:
    """Every figure is that of NumPy."""
    y = outputs(shape, dtype, special)
    assert_summary(diagnostics.summary(y, axis, LOW, HIGH), plainly(y, axis))
    x = y.astype(np.float64)
    assert diagnostics.sparsity(y) == np.mean(x == 0)
    assert diagnostics.saturation(y, LOW, HIGH) == np.mean((x <= LOW) | (x >= HIGH))
    np.testing.assert_array_equal(diagnostics.dead_units(y, axis), np.all(x == 0, axis=axis))


def stored(y: Any) -> list[Any]:
    """The same elements, stored otherwise."""
    spread = np.full((*y.shape[:-1], 3 * y.shape[-1] + 1), 7, y.dtype)
    spread[..., 1::3] = y
    backwards = np.ascontiguousarray(y[::-1])[::-1]
    swapped = [y.astype(y.dtype.newbyteorder("S"))] if y.dtype != BFLOAT16 else []
    return [np.asfortranarray(y), spread[..., 1::3], backwards, unaligned(y), *swapped]


@every_shape
@every_dtype
@pytest.mark.parametrize("special", [False, True])
def test_same_bits(
    shape: tuple[int, ...], axis: Any, dtype: Any, special: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All figures are the same to the last bit for every storage and level."""
    y = outputs(shape, dtype, special)
    want = repr(diagnostics.summary(y, axis, LOW, HIGH))
    for level in LEVELS:
        monkeypatch.setattr(targets, "LEVEL", level)
        assert repr(diagnostics.summary(y, axis, LOW, HIGH)) == want
        for other in stored(y):
            assert repr(diagnostics.summary(other, axis, LOW, HIGH)) == want


@pytest.mark.parametrize(
    ("activation", "low", "high"),
    [
        ("sigmoid", 0.01, 0.99),
        ("tanh", -0.98, 0.98),
        ("hard_tanh(min_val=-2, max_val=6)", -1.92, 5.92),
        ("relu6", -math.inf, math.inf),
        ("gelu", -math.inf, math.inf),
    ],
)
def test_saturated_within_one_percent(activation: str, low: float, high: float) -> None:
    """A monitor counts as saturated what is within 1 % of an end of the range, at either end."""
    y = [low - 1e-3, low + 1e-3, high - 1e-3, high + 1e-3, high + 2e-3] if math.isfinite(low) else [-1e3, 0, 1, 6, 1e3]
    found = ActivationMonitor().update("layer", np.array(y), activation=activation)
    assert found.saturated_fraction == (0.6 if math.isfinite(low) else 0)


def test_equal_bounds() -> None:
    """Both bounds may be the same number, beyond which everything is then saturated."""
    assert diagnostics.saturation([1.0, 2.0, 3.0], 2, 2) == 1


def test_a_summary_cannot_be_changed() -> None:
    """The statistics of a summary are fixed, and it can be a key."""
    found = diagnostics.summary(np.ones(3))
    with pytest.raises(FrozenInstanceError):
        found.mean = 2.0  # type: ignore[misc]
    assert {found: 1}[diagnostics.summary(np.ones(3))] == 1


@pytest.mark.parametrize("offset", [0.0, 1e4, 1e7])
@pytest.mark.parametrize("first", [0.0, 1e6])
def test_variance_is_stable(offset: float, first: float) -> None:
    """A mean far from 0 costs no digits; a first element far from all others, some units of roundoff per element."""
    y = np.random.default_rng(0).standard_normal((500, 40)) + offset
    y[0, 0] += first
    got = diagnostics.summary(y)
    assert got.variance == pytest.approx(y.var(), rel=4 * y.size * np.finfo(float).eps if first else 1e-12)
    assert diagnostics.summary(np.full((50, 30), 0.1)).variance == 0


def test_nothing_finite() -> None:
    """Without a finite element there is no mean; an overflow of squares is as in NumPy."""
    got = diagnostics.summary([[np.nan, np.inf]])
    assert math.isnan(got.mean)
    assert math.isnan(got.variance)
    assert (got.nan_fraction, got.infinite_fraction, got.saturated_fraction) == (0.5, 0.5, 0.5)
    assert diagnostics.summary([1e300, -1e300]).variance == math.inf


def test_integers() -> None:
    """Integers and booleans are taken as float64."""
    assert diagnostics.sparsity(np.array([0, 1, 2, 0], np.int8)) == 0.5
    assert diagnostics.sparsity([True, False]) == 0.5
    assert diagnostics.sparsity(0.0) == 1


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: diagnostics.sparsity([]), ValueError, "at least one element"),
        (lambda: diagnostics.summary(np.zeros((0, 3))), ValueError, "at least one element"),
        (lambda: diagnostics.summary(np.zeros((3, 0))), ValueError, "at least one element"),
        (lambda: diagnostics.sparsity([1j]), TypeError, "complex"),
        (lambda: diagnostics.sparsity(["a"]), TypeError, "y must be"),
        (lambda: diagnostics.sparsity(np.ones(3, np.longdouble)), TypeError, "y must be"),
        (lambda: diagnostics.summary([[1.0]], axis=2), ValueError, "axis"),
        (lambda: diagnostics.summary([[1.0]], axis=()), ValueError, "axis"),
        (lambda: diagnostics.summary([[1.0]], axis=(0, 0)), ValueError, "axis"),
        (lambda: diagnostics.summary([[1.0]], axis=0.5), TypeError, "summary"),  # type: ignore[arg-type]
        (lambda: diagnostics.dead_units(1.0), ValueError, "axis"),
        (lambda: diagnostics.saturation([1.0], 2, 1), ValueError, "low must be <= high"),
        (lambda: diagnostics.saturation([1.0], math.nan, 1), ValueError, "low"),
        (lambda: diagnostics.saturation([1.0], "a", 1), TypeError, "low"),  # type: ignore[arg-type]
        (lambda: ActivationMonitor(window=0), ValueError, "window"),
        (lambda: ActivationMonitor(max_history=1), ValueError, "max_history"),
    ],
)
def test_refuses(call: Any, error: type[Exception], message: str) -> None:
    """Bad input is named."""
    with pytest.raises(error, match=message):
        call()


# The monitor


@pytest.mark.parametrize("row", ROWS, ids=name_of)
@every_dtype
@pytest.mark.parametrize("in_place", [False, True])
def test_forward(row: Any, dtype: Any, in_place: bool) -> None:
    """Values are those of the activation, and the figures those of its output, in one pass or two."""
    parameters = {name: CHOSEN[name] if value is None else value for name, value in row.parameters}
    for shape, axis in (((700, 5), 0), ((9, 300), 0), ((2, 3, 50), (0, 2))):
        x = np.random.default_rng(1).standard_normal(shape).astype(dtype)
        want = numact.get(row.name)(x, **parameters)
        monitor = ActivationMonitor()
        y = monitor.forward("a", row.name, x, out=x if in_place else None, axis=axis, **parameters)
        assert_same_bits(y, want)
        assert (y is x) == in_place
        again = ActivationMonitor()
        again.update("a", want, axis, activation=row.name)
        if not {"min_val", "max_val"} & {*parameters}:
            assert monitor.to_dict() == again.to_dict()


def test_forward_in_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arrays of one dtype take the fused way, whatever the order of their axes; others take the plain one."""
    fused: list[bool] = []

    def watched(*arguments: Any) -> Any:
        fused.append(len(arguments) == 5)
        return measure.measure(*arguments)

    monkeypatch.setattr("numact.diagnostics.monitor.measure", watched)
    x = np.random.default_rng(0).standard_normal((20, 30)).astype(np.float32)
    monitor, buffer = ActivationMonitor(), np.zeros((20, 60), np.float32)
    slopes = np.full(30, 0.2, np.float32)
    cases: list[tuple[bool, Any, Any, dict[str, Any]]] = [
        (True, x, None, {}),
        (True, x, x.copy(), {"negative_slope": 0.2}),
        (True, buffer[:, ::2], None, {}),
        (True, np.zeros((300, 400), np.float32, "F"), None, {}),
        (False, x, None, {"negative_slope": slopes}),
        (False, x, np.zeros((20, 30)), {}),
        (False, buffer[:, :30], buffer[:, 10:40], {}),
        (False, x.astype(">f4"), None, {}),
        (True, x.tolist(), None, {}),
    ]
    for number, (one_pass, given, out, parameters) in enumerate(cases):
        want = numact.leaky_relu(np.array(given), **parameters)
        y = monitor.forward(f"a{number}", numact.leaky_relu, given, out, **parameters)
        np.testing.assert_array_equal(y, want)
        assert fused[-1] == one_pass, number
        summary = diagnostics.summary(want)
        assert monitor.to_dict()[f"a{number}"]["history"][0]["mean"] == pytest.approx(summary.mean, abs=1e-15)


@pytest.mark.parametrize("shape", [(2100, 1024), (2200, 1000), (2050, 1030), (2, 1100, 1024), (2_200_001,)], ids=str)
@pytest.mark.parametrize("special", [False, True])
@pytest.mark.parametrize("name", ["relu", "leaky_relu", "tanh"])
def test_large(name: str, special: bool, shape: tuple[int, ...]) -> None:
    """Past the cache, at any alignment, in any number of threads: the same values and figures, and nothing around."""
    size = math.prod(shape)
    x = np.random.default_rng(2).standard_normal(size).astype(np.float32)
    if special:
        x[:: size // 7], x[5 :: size // 9] = np.nan, np.inf
    x = x.reshape(shape)
    want, again = numact.get(name)(x), ActivationMonitor()
    again.update("a", want, activation=name)
    for start, threads in ((0, 1), (5, 1), (12, 3)):
        memory = np.full(size + 32, 7, np.float32)
        monitor = ActivationMonitor()
        core.force_workers(threads > 1)
        try:
            with numact.num_threads(threads):
                y = monitor.forward("a", name, x, out=memory[start : start + size].reshape(shape))
                assert repr(diagnostics.summary(want, 0, LOW, HIGH)) == repr(diagnostics.summary(y, 0, LOW, HIGH))
                assert diagnostics.sparsity(y) == np.mean(want == 0)
                np.testing.assert_array_equal(diagnostics.dead_units(y), np.all(want == 0, axis=0))
        finally:
            core.force_workers(False)
        assert_same_bits(y, want)
        assert (memory[:start] == 7).all()
        assert (memory[start + size :] == 7).all()
        assert monitor.to_dict() == again.to_dict()


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "hard_tanh"])
def test_in_place_with_nan(name: str) -> None:
    """Where sums are not finite, what has been written is looked at once more, not computed again."""
    x = np.random.default_rng(3).standard_normal((300, 1024)).astype(np.float32)
    x[::50, 7] = np.nan
    want, again, monitor = numact.get(name)(x), ActivationMonitor(), ActivationMonitor()
    again.update("a", want, activation=name)
    assert_same_bits(monitor.forward("a", name, x, out=x), want)
    assert monitor.to_dict() == again.to_dict()


@pytest.mark.parametrize("first", [0, 40, 64, 1500])
def test_origin(first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Zeros, other numbers and NaN at the beginning: no digits are lost, and no bits differ between levels and ways."""
    rng = np.random.default_rng(4)
    for start in (0.0, -0.0, 3.0, np.nan, -np.inf):
        y = (rng.standard_normal((40, 1024)) + 1e3).astype(np.float32)
        y.ravel()[:first] = start
        got, finite = diagnostics.summary(y), y[np.isfinite(y)].astype(np.float64)
        assert got.variance == pytest.approx(finite.var(), rel=1e-10)
        assert got.mean == pytest.approx(finite.mean(), rel=1e-14)
        for level in LEVELS:
            monkeypatch.setattr(targets, "LEVEL", level)
            assert repr(diagnostics.summary(y)) == repr(got)
            monitor = ActivationMonitor()
            monitor.forward("a", "relu", y, out=np.empty_like(y))
            again = ActivationMonitor()
            again.update("a", numact.relu(y), activation="relu")
            assert monitor.to_dict() == again.to_dict()


def test_sample() -> None:
    """The sample for the histogram is of the batch's elements, evenly, whatever their strides."""
    y = np.arange(400 * 300, dtype=np.float64).reshape(400, 300)
    for array in (y, y.T, y[::3, ::2], y[:5, :7]):
        monitor = ActivationMonitor()
        monitor.update("a", array)
        sample = monitor._layers["a"].sample
        assert min(array.size, 1024) <= sample.size <= 2048
        assert set(sample.tolist()) <= set(array.ravel().tolist())
        assert sample.mean() == pytest.approx(array.mean(), rel=0.05)
        assert not np.may_share_memory(sample, y)


def test_merge_leaves_the_other() -> None:
    """What is merged does not change with what it was merged into."""
    monitor, other = ActivationMonitor(), ActivationMonitor()
    other.update("a", np.zeros((2, 3)))
    monitor.merge(other)
    monitor.update("a", np.ones((2, 3)))
    assert other.dead_units("a").all()
    assert not monitor.dead_units("a").any()


def test_forward_overflows() -> None:
    """A genuine overflow is reported as the ufunc reports it."""
    x = np.full((3, 4), 100, np.float32)
    with pytest.warns(RuntimeWarning, match="overflow encountered in exponential"):
        ActivationMonitor().forward("a", "exponential", x)
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        ActivationMonitor().forward("a", "exponential", x)
    with np.errstate(over="ignore"):
        assert np.all(ActivationMonitor().forward("a", "exponential", x) == np.inf)


def test_forward_refuses() -> None:
    """What does not fit is refused before anything is written."""
    monitor = ActivationMonitor()
    monitor.forward("a", "relu", np.ones((3, 4)))
    x = -np.ones((3, 5))
    with pytest.raises(ValueError, match="shape"):
        monitor.forward("a", "relu", x, out=x)
    with pytest.raises(ValueError, match="max_val"):
        monitor.forward("b", "hard_tanh", x, out=x, min_val=2.0, max_val=1.0)
    with pytest.raises(TypeError, match="slope"):
        monitor.forward("b", "leaky_relu", x, out=x, slope=2.0)
    with pytest.raises(ValueError, match="elementwise"):
        monitor.forward("b", "softmax", x, out=x)
    with pytest.raises(ValueError, match="element"):
        monitor.forward("b", "relu", x[:0])
    with pytest.raises(TypeError, match="layer"):
        monitor.forward(3, "relu", x, out=x)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="nonsense"):
        monitor.update("b", x, activation="nonsense")
    np.testing.assert_array_equal(x, -1)
    assert monitor.layers == ["a"]


def test_dead_over_the_window() -> None:
    """A unit is dead that was 0 in the whole window, and lives again once it is not."""
    monitor = ActivationMonitor(window=3)
    patterns = [[1, 1], [0, 1], [0, 1], [0, 0], [1, 0], [1, 0]]
    expected = [[0, 0], [0, 0], [0, 0], [1, 0], [0, 0], [0, 1]]
    for pattern, dead in zip(patterns, expected, strict=True):
        monitor.update("a", np.array([pattern, pattern], np.float32))
        np.testing.assert_array_equal(monitor.dead_units("a"), np.array(dead, bool))
        assert monitor.to_dict()["a"]["history"][-1]["dead_fraction"] == np.mean(dead)
    with pytest.raises(ValueError, match="layer"):
        monitor.dead_units("b")


def batches(count: int) -> list[Any]:
    """Outputs of a layer, batch by batch, of different sizes."""
    return [outputs((10 + 3 * k, 12)) + np.float32(k) * (k % 2) for k in range(count)]


def test_history_is_bounded() -> None:
    """Records are joined in pairs, and together are the statistics of all that they cover."""
    monitor, given = ActivationMonitor(max_history=4), batches(11)
    for y in given:
        monitor.update("a", y)
    layer = monitor.to_dict()["a"]
    assert (layer["updates"], layer["updates_per_record"]) == (11, 4)
    assert len(layer["history"]) == 3
    for k, record in enumerate(layer["history"]):
        want = plainly(np.concatenate(given[4 * k : 4 * k + 4]), 0)
        for name in ("mean", "variance", "zero_fraction"):
            assert record[name] == pytest.approx(getattr(want, name), rel=1e-12)


@pytest.mark.parametrize("lengths", [(64, 64), (64, 4), (4, 64)])
def test_merge(lengths: tuple[int, int]) -> None:
    """Two processes with half of each batch have together what one has that sees it all."""
    whole, left, right = (ActivationMonitor(window=2, max_history=n) for n in (min(lengths), *lengths))
    for y in batches(9):
        y[4:, 3] = 0
        whole.update("a", y)
        left.update("a", y[:5])
        right.update("a", y[5:])
    right.update("b", y)
    sent = pickle.loads(pickle.dumps(right))
    before = sent.to_json()
    left.merge(sent)
    assert sent.to_json() == before
    assert left.layers == ["a", "b"]
    got, want = left.to_dict()["a"], whole.to_dict()["a"]
    np.testing.assert_array_equal(left.dead_units("a"), whole.dead_units("a"))
    assert got["updates"] == want["updates"]
    assert got["updates_per_record"] == want["updates_per_record"]
    for a, b in zip(got["history"], want["history"], strict=True):
        for name in ("size", "mean", "variance", "zero_fraction"):
            assert a[name] == pytest.approx(b[name], rel=1e-12)
    assert got["history"][-1]["dead_fraction"] == want["history"][-1]["dead_fraction"]


def test_merge_samples() -> None:
    """The sample for the histogram has elements of both."""
    monitor, other = ActivationMonitor(), ActivationMonitor()
    monitor.update("a", np.full((8, 4), 1, np.float32))
    other.update("a", np.full((8, 4), 2.5))
    monitor.merge(other)
    assert set(monitor._layers["a"].sample) == {1, 2.5}


def test_merge_refuses() -> None:
    """Another type, window or shape; nothing is merged."""
    monitor, other = ActivationMonitor(), ActivationMonitor()
    monitor.update("a", np.ones((2, 3)))
    other.update("b", np.ones((2, 3)))
    other.update("a", np.ones((2, 4)))
    with pytest.raises(ValueError, match="shape"):
        monitor.merge(other)
    with pytest.raises(ValueError, match="window"):
        monitor.merge(ActivationMonitor(window=3))
    with pytest.raises(TypeError, match="other"):
        monitor.merge(3)  # type: ignore[arg-type]
    assert monitor.layers == ["a"]


def test_json() -> None:
    """JSON holds no NaN."""
    monitor = ActivationMonitor()
    monitor.update("a", [[np.nan]], activation="tanh")
    found = json.loads(monitor.to_json())
    assert found["a"]["activation"] == "tanh"
    assert found["a"]["history"][0]["mean"] is None
    assert "a" in repr(monitor)


def test_without_extras(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pandas and matplotlib, the error says what to install."""
    monitor = ActivationMonitor()
    with pytest.raises(ValueError, match="update"):
        monitor.plot()
    monitor.update("a", np.ones((2, 3)))
    monkeypatch.setitem(sys.modules, "pandas", None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "numact.diagnostics.plot", raising=False)
    with pytest.raises(ImportError, match="pip install pandas"):
        monitor.to_dataframe()
    with pytest.raises(ImportError, match="pip install"):
        monitor.plot()


def test_dataframe() -> None:
    """A row for each record."""
    pandas = pytest.importorskip("pandas")
    monitor = ActivationMonitor()
    for y in batches(3):
        monitor.update("a", y)
    table = monitor.to_dataframe()
    assert isinstance(table, pandas.DataFrame)
    assert table["update"].tolist() == [0, 1, 2]
    assert table["size"].sum() == sum(y.size for y in batches(3))


def test_plot() -> None:
    """A row of three pictures for each layer."""
    pytest.importorskip("matplotlib")
    monitor = ActivationMonitor()
    for y in batches(3):
        monitor.update("a", y, activation="relu")
        monitor.update("b", np.full((3, 4), np.nan))
    figure = monitor.plot()
    assert len(figure.axes) == 6
    (zeros, dead, saturated) = figure.axes[0].lines
    np.testing.assert_allclose(np.asarray(zeros.get_ydata(), np.float64), [100 * np.mean(y == 0) for y in batches(3)])
    assert (dead.get_label(), saturated.get_label()) == ("dead units", "saturated")


RNG = np.random.default_rng(0)
NORMAL = RNG.standard_normal((200, 50))


@pytest.mark.parametrize(
    ("activation", "updates", "words"),
    [
        ("relu", [np.where(np.arange(50) < 20, 0, np.abs(NORMAL))] * 2, ["40% of units dead", "He initialisation"]),
        ("relu", [np.where(RNG.random((200, 50)) < 0.97, 0, 1.0)], ["97% of outputs are 0"]),
        ("tanh", [np.tanh(20 * NORMAL)], ["saturated", "Xavier"]),
        ("sigmoid", [numact.sigmoid(50 * NORMAL)], ["saturated"]),
        ("tanh", [0.5 + 0.01 * NORMAL], ["far from 0", "batch normalisation"]),
        ("relu", [np.abs(NORMAL), 1e4 * np.abs(NORMAL)], ["exploding"]),
        ("relu", [np.abs(NORMAL), 1e-4 * np.abs(NORMAL)], ["vanishing"]),
        ("relu", [np.where(NORMAL > 2, np.nan, np.abs(NORMAL))], ["NaN in 1 of 1"]),
        ("relu", [np.where(NORMAL > 2, np.inf, np.abs(NORMAL))], ["inf in 1 of 1"]),
        ("relu", [np.maximum(NORMAL, 0)] * 3, []),
        ("tanh", [np.tanh(NORMAL)] * 3, []),
        ("sigmoid", [numact.sigmoid(NORMAL)] * 3, []),
        ("relu6", [numact.relu6(NORMAL)] * 3, []),
    ],
)
def test_advice(activation: str, updates: list[Any], words: list[str]) -> None:
    """One sentence for what is wrong, with the figure and a remedy; none where all is well."""
    monitor = ActivationMonitor()
    for y in updates:
        monitor.update("layer2", y, activation=activation)
    advice = monitor.advice()
    assert len(advice) == bool(words), advice
    assert all(sentence.startswith("layer2: ") for sentence in advice)
    assert all(word in advice[0] for word in words)


def test_advice_across_layers() -> None:
    """Outputs that shrink from layer to layer."""
    monitor = ActivationMonitor()
    for k in range(4):
        monitor.update(f"layer{k}", NORMAL * 0.1**k)
    assert [sentence.split(":")[0] for sentence in monitor.advice()] == ["layer3"]


def test_lazy() -> None:
    """The modules are attributes of numact, and what is not says so."""
    assert numact.init.__name__ == "numact.init"
    assert numact.diagnostics is diagnostics
    with pytest.raises(AttributeError, match="nonsense"):
        _ = numact.nonsense  # type: ignore[attr-defined]


@pytest.mark.parametrize("offset", [0, 1, 7, 13])
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=name_of)
def test_large_results_anywhere(dtype: Any, offset: int) -> None:
    """Statistics of a result that is stored past the caches are its own, wherever it begins in a cache line."""
    n = 2**26 // np.dtype(dtype).itemsize
    x = np.resize(np.random.default_rng(0).normal(size=9973).astype(dtype), n)
    memory = np.ones(n + 16, dtype)
    out = memory[offset : offset + n]
    monitor = ActivationMonitor()
    for function in ("relu", "tanh"):
        monitor.forward(function, function, x, out=out)
        got, want = monitor.to_dict()[function]["history"][0], diagnostics.summary(out)
        assert got["mean"] == want.mean
        assert got["variance"] == want.variance
        assert got["zero_fraction"] == want.zero_fraction
