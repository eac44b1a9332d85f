"""Normalisation: accuracy, the same bits, fused activations, running statistics, gradients, NumPy's conduct."""

import functools
import inspect
import math
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from support.cases import CHOSEN, DTYPES, LEVELS, ROWS, Array, assert_same_bits, name_of, unaligned
from support.reference_norm import assert_within, bound_of, data, exact, info_of, normalised

import numact
from numact import ParametricUfunc, norm
from numact._kernels import core, targets

BFLOAT16 = np.dtype(ml_dtypes.bfloat16).type
ALL_DTYPES = (*DTYPES, BFLOAT16)
LENGTHS = (1, 2, 3, 15, 16, 17, 31, 32, 33, 63, 100, 768, 1023, 1024, 1025, 2500)
every_dtype = pytest.mark.parametrize("dtype", ALL_DTYPES, ids=name_of)
every_level = pytest.mark.parametrize("level", LEVELS)


# Accuracy


@every_dtype
@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize(("mean", "std"), [(0, 1), (-3, 0.5), (1e4, 1e-2), (0, 1e30), (0, 1e-40), (2e-6, 1e-7)])
def test_rows(dtype: Any, n: int, mean: float, std: float) -> None:
    """layer_norm and rms_norm are within their bounds, where squares overflow and where the mean is far away, too."""
    if dtype == np.float16 and std == 1e30:
        std = 1e4
    x, weight, bias = data((9, n), dtype, n, mean, std), data((n,), np.float64, 1), data((n,), np.float64, 2)
    want = normalised(x, (1,), 1e-5) * exact(weight)
    # In float64 the sum with the bias may cancel.
    floor = abs(want) + abs(exact(bias)) + 1 if dtype == np.float64 else 2.0**-16
    assert_within(norm.layer_norm(x, weight, bias), want + exact(bias), bound_of(dtype), floor)
    want = normalised(x, (1,), 1e-6, centred=False) * exact(weight)
    assert_within(norm.rms_norm(x, weight, 1e-6), want, bound_of(dtype), 0)


@every_dtype
def test_constant_rows(dtype: Any) -> None:
    """The deviations of equal numbers are 0, exactly."""
    for n in (1, 3, 49, 1000):
        x = np.repeat(data((20, 1), dtype, n, 0, 100), n, axis=1)
        assert not norm.layer_norm(x).astype(float).any()
        assert_same_bits(norm.layer_norm(x, None, np.full(n, 0.5)), np.full(x.shape, 0.5, dtype))
        if n > 1:
            y, saved = norm.batch_norm_train(x, None, None, axis=0)
            assert not y.astype(float).any()
            assert_same_bits(saved.mean + saved.mean_lo, x[:, 0].astype(np.float64))


@every_dtype
@pytest.mark.parametrize("shape", [(16, 5), (7, 3, 2), (4, 40, 7, 9), (3, 2, 33), (2, 1, 1000)])
@pytest.mark.parametrize(("mean", "std"), [(0, 1), (1e4, 1e-2), (0, 1e30)])
def test_batch(dtype: Any, shape: tuple[int, ...], mean: float, std: float) -> None:
    """batch_norm_train is within its bounds, and batch_norm with its statistics gives nearly the same."""
    if dtype == np.float16 and std == 1e30:
        std = 1e4
    x = data(shape, dtype, 3, mean, std)
    axes = tuple(axis for axis in range(x.ndim) if axis != 1)
    weight, bias = data((shape[1],), np.float64, 1), data((shape[1],), np.float64, 2)
    along = (slice(None), *(None,) * (x.ndim - 2))
    want = normalised(x, axes, 1e-5) * exact(weight)[along]
    floor = abs(want) + abs(exact(bias)[along]) + 1 if dtype == np.float64 else 2.0**-16
    y, saved = norm.batch_norm_train(x, None, None, weight, bias)
    assert y.dtype == dtype
    assert_within(y, want + exact(bias)[along], bound_of(dtype), floor)
    variance = exact(x).var(axes).astype(np.float64)
    np.testing.assert_allclose(saved.inverse_std, 1 / np.sqrt(variance + 1e-5), rtol=1e-14)
    assert_within(saved.mean + saved.mean_lo, exact(x).mean(axes), 2, abs(exact(x)).mean(axes))
    again = norm.batch_norm(x, saved.mean + saved.mean_lo, variance, weight, bias)
    # One mean in float64 is what a mean and its rest are rounded to.
    loose = 2 * float(info_of(dtype).eps) + 2.0**-50 * (1 + abs(mean) / std)
    np.testing.assert_allclose(again.astype(np.float64), y.astype(np.float64), rtol=loose, atol=loose)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, BFLOAT16], ids=name_of)
def test_batch_norm(dtype: Any) -> None:
    """batch_norm is rounded once."""
    x, mean, var = data((5, 4, 9), dtype, 0, 2, 3), data((4,), np.float32, 1), abs(data((4,), np.float32, 2))
    weight, bias = data((4,), np.float32, 3), data((4,), np.float32, 4)
    scaled = (exact(x) - exact(mean)[:, None]) / np.sqrt(exact(var)[:, None] + np.longdouble(1e-5))
    want = scaled * exact(weight)[:, None] + exact(bias)[:, None]
    assert_within(norm.batch_norm(x, mean, var, weight, bias), want, 0.51)


def test_subnormal_numbers() -> None:
    """float32 numbers whose squares underflow are normalised as others are, with eps = 0."""
    x = data((4, 50), np.float32, 0, 0, 1e-41)
    assert_within(norm.layer_norm(x, eps=0), normalised(x, (1,), 0), 0.51)
    assert_within(norm.rms_norm(x, eps=0), normalised(x, (1,), 0, centred=False), 0.51, 0)


# The same bits


def results(
    x: Array, axes: tuple[int, ...], fit: Callable[[Array], Array] = np.asarray, moved: Any = None
) -> list[Array]:
    """What all functions give for x along the axes, and for x and dy as `fit` lays them out."""
    shape = tuple(x.shape[axis] for axis in axes)
    weight, bias = data(shape, np.float32, 1), data(shape, np.float32, 2)
    dy = fit(np.asarray(np.roll(x, 1) * np.asarray(0.5, x.dtype)))
    x = fit(x)
    axes = axes if moved is None else moved
    y, saved = norm.batch_norm_train(x, None, None, weight, bias, axis=axes)
    return [
        norm.layer_norm(x, weight, bias, axis=axes),
        norm.rms_norm(x, weight, axis=axes),
        *norm.layer_norm_grad(dy, x, weight, axis=axes),
        *norm.rms_norm_grad(dy, x, weight, axis=axes),
        y,
        *saved,
        *norm.batch_norm_grad(dy, x, saved, weight, axis=axes),
        norm.batch_norm(x, bias, abs(weight), weight, bias, axis=axes),
    ]


def stretched(x: Array) -> Array:
    """The array with gaps, backwards in memory."""
    memory = np.zeros(tuple(2 * n for n in x.shape), x.dtype)
    view = memory[tuple(slice(None, None, -2) for _ in x.shape)]
    view[...] = x
    return view


def transposed(order: tuple[int, ...]) -> Callable[[Array], Array]:
    """What brings the axes of an array, and its memory, into the order."""
    return lambda x: np.ascontiguousarray(x.transpose(order))


@every_dtype
@pytest.mark.parametrize(
    ("shape", "axes"), [((6, 70, 45), (1,)), ((3, 4, 5, 130), (3,)), ((80, 33), (1,)), ((9, 2, 7), (0, 2))]
)
def test_layouts(dtype: Any, shape: tuple[int, ...], axes: tuple[int, ...]) -> None:
    """Strides, alignment, byte order and the place of the axes do not count."""
    x = data(shape, dtype, 7, 1, 2)
    want = results(x, axes)
    fits: list[Callable[[Array], Array]] = [np.asfortranarray, stretched, unaligned]
    if dtype != BFLOAT16:
        fits.append(lambda a: a.astype(a.dtype.newbyteorder()))
    for fit in fits:
        for got, expected in zip(results(x, axes, fit), want, strict=True):
            assert_same_bits(got, expected)
    # The channels last, which are then side by side, and first.
    rest = tuple(axis for axis in range(x.ndim) if axis not in axes)
    for order in (rest + axes, axes + rest):
        moved = tuple(order.index(axis) for axis in axes)
        for got, expected in zip(results(x, axes, transposed(order), moved), want, strict=True):
            assert_same_bits(got, expected.transpose(order) if expected.shape == x.shape else expected)


@every_dtype
@every_level
def test_levels(level: str, dtype: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every instruction set gives the same bits."""
    cases = [
        (data(shape, dtype, 8, 3, 2), axes)
        for shape, axes in (((5, 67, 3), (1,)), ((70, 130), (1,)), ((3, 9, 65), (1,)))
    ]
    want = [results(*case) for case in cases]
    monkeypatch.setattr(targets, "LEVEL", level)
    for case, expected in zip(cases, want, strict=True):
        for got, one in zip(results(*case), expected, strict=True):
            assert_same_bits(got, one)


@every_level
def test_forced_level(level: str) -> None:
    """NUMACT_LEVEL holds here too."""
    code = "import numpy as np, numact; print(numact.norm.layer_norm(np.arange(40.0) ** 2).tobytes().hex())"
    run = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"NUMACT_LEVEL": level},
        check=True,
        capture_output=True,
        text=True,
    )
    assert run.stdout.strip() == norm.layer_norm(np.arange(40.0) ** 2).tobytes().hex()


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=name_of)
def test_threads(dtype: Any) -> None:
    """Any division over threads gives the same bits."""
    cases = [
        (data(shape, dtype, 9), axes)
        for shape, axes in (((700, 33), (1,)), ((5, 200, 50), (1,)), ((2, 70, 9, 65), (3,)))
    ]
    want = [results(*case) for case in cases]
    before = core.get_num_threads()
    try:
        core.force_workers(True)
        for count in (2, 3):
            core.set_num_threads(count)
            for case, expected in zip(cases, want, strict=True):
                for got, one in zip(results(*case), expected, strict=True):
                    assert_same_bits(got, one)
    finally:
        core.force_workers(False)
        core.set_num_threads(before)


def test_rows_are_independent() -> None:
    """A NaN or an infinity stays in its own row or channel, and a row does not depend on those beside it."""
    x = data((40, 37), np.float32)
    clean = norm.layer_norm(x)
    for value in (np.nan, np.inf):
        spoilt = x.copy()
        spoilt[7, 3] = value
        y, train = norm.layer_norm(spoilt), norm.batch_norm_train(spoilt, None, None)[0]
        assert np.isnan(y[7]).all()
        assert_same_bits(np.delete(y, 7, 0), np.delete(clean, 7, 0))
        assert np.isnan(train[:, 3]).all()
        assert_same_bits(np.delete(train, 3, 1), np.delete(norm.batch_norm_train(x, None, None)[0], 3, 1))
    assert_same_bits(norm.layer_norm(x[7:8]), clean[7:8])


# Activations


@every_dtype
@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_fused(row: Any, dtype: Any) -> None:
    """An activation behind the normalisation has the bits of the two calls."""
    given = {name: CHOSEN[name] for name, default in row.parameters if default is None}
    function = getattr(numact, row.name)
    named: Any = (row.name, given) if given else row.name
    with np.errstate(over="ignore"):
        for shape in ((3, 1500), (20, 7)):
            x, weight = data(shape, dtype, 1), data(shape[1:], np.float64, 2, 0, 3)
            assert_same_bits(
                norm.layer_norm(x, weight, activation=named), function(norm.layer_norm(x, weight), **given)
            )
            assert_same_bits(norm.rms_norm(x, weight, activation=named), function(norm.rms_norm(x, weight), **given))
            for axis in (0, 1):
                mean, var = (np.full(shape[axis], value) for value in (0.5, 2.0))
                plain = norm.batch_norm(x, mean, var, axis=axis)
                assert_same_bits(norm.batch_norm(x, mean, var, axis=axis, activation=named), function(plain, **given))
                plain = norm.batch_norm_train(x, None, None, axis=axis)[0]
                got = norm.batch_norm_train(x, None, None, axis=axis, activation=named)[0]
                assert_same_bits(got, function(plain, **given))


def test_ways_to_name_an_activation() -> None:
    """Names, aliases, functions, partials and pairs."""
    x = data((5, 20), np.float32)
    plain = norm.layer_norm(x)
    same: list[Any] = ["silu", "SiLU", numact.silu]
    for activation in same:
        assert_same_bits(norm.layer_norm(x, activation=activation), numact.silu(plain))
    leaky = numact.leaky_relu(plain, negative_slope=0.3)
    slope = {"negative_slope": 0.3}
    partial = functools.partial(numact.leaky_relu, **slope)
    with_slope: list[Any] = [partial, (numact.leaky_relu, slope), ("leaky_relu", slope)]
    for activation in with_slope:
        assert_same_bits(norm.layer_norm(x, activation=activation), leaky)
    refused: list[Any] = [
        ("leaky_relu", {"negative_slope": np.ones(20)}),
        "softmax",
        "nothing",
        numact.swiglu,
        "relu_grad",
        ("celu", {"alpha": 0.0}),
        "prelu",
    ]
    for activation in refused:
        with pytest.raises(ValueError, match=r"activation|alpha"):
            norm.layer_norm(x, activation=activation)
    mistyped: list[Any] = [np.tanh, 3, ("relu", {"slope": 1.0}), ("elu", {"slope": 1.0}), "threshold"]
    for wrong in mistyped:
        with pytest.raises(TypeError, match=r"activation|parameter"):
            norm.layer_norm(x, activation=wrong)


# Running statistics


@every_dtype
def test_running_statistics(dtype: Any) -> None:
    """They move by the momentum, with the unbiased variance, in place and in their own dtype."""
    x = data((8, 3, 5), np.float64, 0, 2, 3)
    mean, var = np.array([0, 1, 2], dtype), np.array([1, 2, 3], dtype)
    want_mean = 0.7 * mean.astype(float) + 0.3 * x.mean((0, 2))
    want_var = 0.7 * var.astype(float) + 0.3 * x.var((0, 2), ddof=1)
    norm.batch_norm_train(x, mean, var, momentum=0.3)
    assert mean.dtype == dtype
    tolerance = max(1e-14, 2 * float(info_of(dtype).eps))
    np.testing.assert_allclose(mean.astype(float), want_mean, rtol=tolerance)
    np.testing.assert_allclose(var.astype(float), want_var, rtol=tolerance)


def test_momentum_limits() -> None:
    """0 keeps the running statistics, 1 replaces them."""
    x = data((8, 3))
    mean, var = np.array([4.0, 5, 6]), np.array([1.0, 2, 3])
    norm.batch_norm_train(x, mean, var, momentum=0)
    assert_same_bits(mean, np.array([4.0, 5, 6]))
    norm.batch_norm_train(x, mean, var, momentum=1)
    np.testing.assert_allclose(mean, x.mean(0), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(var, x.var(0, ddof=1), rtol=1e-14)


# Gradients


def differences(f: Callable[[Array], Array], x: Array, dy: Array, step: float = 1e-5) -> Array:
    """The gradient of sum(dy f(x)) by central differences."""
    found = np.empty_like(x)
    for place in np.ndindex(x.shape):
        moved = [x.copy(), x.copy()]
        moved[0][place] += step
        moved[1][place] -= step
        found[place] = ((f(moved[0]) - f(moved[1])) * dy).sum() / (2 * step)
    return found


def close(got: Array, want: Array) -> None:
    """Equal, as far as differences go."""
    np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(("shape", "axis"), [((3, 7), -1), ((2, 3, 4), (1, 2)), ((4, 5), 0), ((70, 2), 1)])
def test_row_gradients(shape: tuple[int, ...], axis: Any) -> None:
    """Gradients of layer_norm and rms_norm agree with differences."""
    x, dy = data(shape, seed=1, mean=1), data(shape, seed=2)
    axes = axis if isinstance(axis, tuple) else (axis % len(shape),)
    weight = data(tuple(shape[one] for one in axes), seed=3)
    bias = data(weight.shape, seed=4)
    dx, dweight, dbias = norm.layer_norm_grad(dy, x, weight, 1e-3, axis)
    close(dx, differences(lambda a: norm.layer_norm(a, weight, bias, 1e-3, axis), x, dy))
    close(dweight, differences(lambda a: norm.layer_norm(x, a, bias, 1e-3, axis), weight, dy))
    close(dbias, differences(lambda a: norm.layer_norm(x, weight, a, 1e-3, axis), bias, dy))
    dx, dweight = norm.rms_norm_grad(dy, x, weight, 1e-3, axis)
    close(dx, differences(lambda a: norm.rms_norm(a, weight, 1e-3, axis), x, dy))
    close(dweight, differences(lambda a: norm.rms_norm(x, a, 1e-3, axis), weight, dy))


@pytest.mark.parametrize(("shape", "axis"), [((5, 3), 1), ((3, 2, 4), 1), ((3, 4, 2), -1), ((2, 3, 2, 2), (1, 3))])
def test_batch_gradients(shape: tuple[int, ...], axis: Any) -> None:
    """Gradients of batch_norm_train agree with differences."""
    x, dy = data(shape, seed=1, mean=1), data(shape, seed=2)
    axes = axis if isinstance(axis, tuple) else (axis % len(shape),)
    weight = data(tuple(shape[one] for one in axes), seed=3)
    bias = data(weight.shape, seed=4)

    def forward(x: Array, weight: Array, bias: Array) -> Array:
        return norm.batch_norm_train(x, None, None, weight, bias, eps=1e-3, axis=axis)[0]

    saved = norm.batch_norm_train(x, None, None, weight, bias, eps=1e-3, axis=axis)[1]
    dx, dweight, dbias = norm.batch_norm_grad(dy, x, saved, weight, axis)
    close(dx, differences(lambda a: forward(a, weight, bias), x, dy))
    close(dweight, differences(lambda a: forward(x, a, bias), weight, dy))
    close(dbias, differences(lambda a: forward(x, weight, a), bias, dy))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, BFLOAT16], ids=name_of)
def test_gradients_are_rounded_once(dtype: Any) -> None:
    """Gradients of the smaller dtypes are those of float64, rounded: within 0.51 ULP of what cancels in them."""
    x, dy, weight = data((130, 50), dtype, 1, 3), data((130, 50), dtype, 2), data((50,), np.float32, 3)
    wide_dy, wide_x, wide_weight = (np.asarray(a).astype(np.float64) for a in (dy, x, weight))
    for got, want in zip(
        norm.layer_norm_grad(dy, x, weight), norm.layer_norm_grad(wide_dy, wide_x, wide_weight), strict=True
    ):
        assert_within(got, exact(want), 0.51)
    saved = norm.batch_norm_train(x, None, None, weight)[1]
    wide_saved = norm.batch_norm_train(wide_x, None, None, wide_weight)[1]
    want_all = norm.batch_norm_grad(wide_dy, wide_x, wide_saved, wide_weight)
    for got, want in zip(norm.batch_norm_grad(dy, x, saved, weight), want_all, strict=True):
        assert_within(got, exact(want), 0.51)


def test_gradient_through_an_activation() -> None:
    """The README's recipe: the activation's gradient first."""
    x, dy = data((4, 6), seed=1), data((4, 6), seed=2)
    z = norm.layer_norm(x)
    dx = norm.layer_norm_grad(numact.gelu_grad(dy, z), x)[0]
    close(dx, differences(lambda a: norm.layer_norm(a, activation="gelu"), x, dy))


# NumPy's conduct


@every_dtype
def test_out(dtype: Any) -> None:
    """out= may be the input, overlap it, have any strides and another dtype of the same kind."""
    x = data((12, 50), dtype, 1)
    mean, var = np.full(50, 0.3), np.full(50, 2.0)
    functions: list[Callable[..., Array]] = [
        lambda x, out: norm.layer_norm(x, out=out),
        lambda x, out: norm.rms_norm(x, out=out),
        lambda x, out: norm.batch_norm(x, mean, var, out=out),
        lambda x, out: norm.batch_norm_train(x, None, None, out=out)[0],
    ]
    for function in functions:
        want = function(x, None)
        for make in (np.copy, np.asfortranarray, stretched, unaligned):
            place = make(x)
            assert function(place, place) is place
            assert_same_bits(place, want)
        memory = np.zeros((13, 50), dtype)
        memory[:-1] = x
        assert_same_bits(function(memory[:-1], memory[1:]), want)
        memory[1:] = x
        assert_same_bits(function(memory[1:], memory[:-1]), want)
        other = np.zeros((12, 50), np.float64 if dtype != np.float64 else np.float32)
        assert_same_bits(function(x, other), want.astype(other.dtype))


@pytest.mark.parametrize("dtype", [np.bool_, np.int8, np.uint8, np.int16, np.int32, np.int64], ids=name_of)
def test_integers(dtype: Any) -> None:
    """Integers and booleans become floats as in np.exp."""
    x = np.random.default_rng(0).integers(0, 2, (6, 9)).astype(dtype)
    want = np.exp(x).dtype
    assert_same_bits(norm.layer_norm(x), norm.layer_norm(x.astype(want)))
    assert_same_bits(norm.batch_norm_train(x, None, None)[0], norm.batch_norm_train(x.astype(want), None, None)[0])


def test_weights_of_any_dtype() -> None:
    """Weights are not rounded to the dtype of x, and the result has that dtype; gradients by them have theirs."""
    x = data((6, 9), np.float16)
    weight = data((9,), np.float32, 1)
    want = normalised(x, (1,), 1e-5) * exact(weight)
    assert_within(norm.layer_norm(x, weight), want, 0.51)
    assert norm.layer_norm(x, [1] * 9).dtype == np.float16
    dx, dweight, dbias = norm.layer_norm_grad(x, x, weight)
    assert [a.dtype.name for a in (dx, dweight, dbias)] == ["float16", "float32", "float32"]


def test_default_eps() -> None:
    """rms_norm's eps is that of the dtype, and of float32 for half types, as in PyTorch."""
    for dtype in ALL_DTYPES:
        x = data((3, 8), dtype, 0, 0, 1e-2)
        eps = float(np.finfo(np.float64 if dtype == np.float64 else np.float32).eps)
        assert_same_bits(norm.rms_norm(x), norm.rms_norm(x, eps=eps))
        for got, want in zip(norm.rms_norm_grad(x, x), norm.rms_norm_grad(x, x, eps=eps), strict=True):
            assert_same_bits(got, want)


def test_empty() -> None:
    """No samples or no channels give empty results; a mean of nothing is an error."""
    assert norm.layer_norm(np.empty((0, 5))).shape == (0, 5)
    assert norm.batch_norm(np.empty((0, 5, 2)), np.zeros(5), np.ones(5)).shape == (0, 5, 2)
    assert norm.batch_norm(np.empty((3, 0)), np.zeros(0), np.ones(0)).shape == (3, 0)
    dx, dweight, dbias = norm.layer_norm_grad(np.empty((0, 5)), np.empty((0, 5)))
    assert dx.shape == (0, 5)
    assert not dweight.any()
    assert not dbias.any()
    with pytest.raises(ValueError, match="x must not be empty"):
        norm.layer_norm(np.empty((5, 0)))
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        norm.batch_norm_train(np.empty((0, 5)), None, None)


X = data((4, 6), np.float32)
SAVED = norm.batch_norm_train(X, None, None)[1]
ERRORS: list[tuple[type[Exception], str, Callable[[], Any]]] = [
    (ValueError, "weight must be of shape", lambda: norm.layer_norm(X, np.ones(4))),
    (ValueError, "bias must be of shape", lambda: norm.layer_norm(X, None, np.ones((6, 1)))),
    (ValueError, "mean must be of shape", lambda: norm.batch_norm(X, np.ones(4), np.ones(6))),
    (ValueError, "var must be of shape", lambda: norm.batch_norm(X, np.ones(6), np.ones(4))),
    (ValueError, "var must be >= 0, got -1", lambda: norm.batch_norm(X, np.ones(6), -np.ones(6))),
    (ValueError, "running_var must be >= 0", lambda: norm.batch_norm_train(X, np.ones(6), -np.ones(6))),
    (ValueError, "running_mean must be of shape", lambda: norm.batch_norm_train(X, np.ones(5), np.ones(6))),
    (TypeError, "running_mean must be an array", lambda: norm.batch_norm_train(X, [0.0] * 6, np.ones(6))),  # type: ignore[arg-type]
    (TypeError, "running_var must be an array", lambda: norm.batch_norm_train(X, None, np.ones(6, int))),
    (ValueError, "eps must be >= 0", lambda: norm.layer_norm(X, eps=-1e-5)),
    (ValueError, "layer_norm: eps must be >= 0 and finite, got inf", lambda: norm.layer_norm(X, eps=math.inf)),
    (ValueError, "rms_norm: eps must be >= 0 and finite, got inf", lambda: norm.rms_norm(X, eps=math.inf)),
    (ValueError, "eps must be >= 0 and finite", lambda: norm.batch_norm(X, np.ones(6), np.ones(6), eps=math.inf)),
    (ValueError, "batch_norm: eps must be >= 0", lambda: norm.batch_norm(X, np.ones(6), np.ones(6), eps=-1e-5)),
    (TypeError, "eps must be a number, got 'a'", lambda: norm.batch_norm(X, np.ones(6), np.ones(6), eps="a")),  # type: ignore[arg-type]
    (TypeError, "eps must be a number, got None", lambda: norm.batch_norm(X, np.ones(6), np.ones(6), eps=None)),  # type: ignore[arg-type]
    (ValueError, "eps must be >= 0", lambda: norm.rms_norm(X, eps=np.nan)),
    (ValueError, "eps must be >= 0", lambda: norm.batch_norm(X, np.ones(6), np.ones(6), eps=np.inf)),
    (TypeError, "eps must be a number", lambda: norm.layer_norm(X, eps="1")),  # type: ignore[arg-type]
    (ValueError, r"momentum must be in \[0, 1\]", lambda: norm.batch_norm_train(X, None, None, momentum=1.5)),
    (ValueError, r"momentum must be in \[0, 1\]", lambda: norm.batch_norm_train(X, None, None, momentum=np.nan)),
    (ValueError, "axis must name axes", lambda: norm.layer_norm(X, axis=2)),
    (ValueError, "axis must name axes", lambda: norm.layer_norm(X, axis=())),
    (ValueError, "axis must name axes", lambda: norm.batch_norm(np.ones(3), 1, 1)),
    (ValueError, "axis must not name an axis twice", lambda: norm.layer_norm(X, axis=(1, -1))),
    (TypeError, "axis must be an integer", lambda: norm.layer_norm(X, axis=1.0)),  # type: ignore[arg-type]
    (TypeError, "x must be an array of real", lambda: norm.layer_norm(X.astype(complex))),
    (TypeError, "x must be an array of real", lambda: norm.rms_norm(X.astype(object))),
    (TypeError, "weight must be an array of real", lambda: norm.layer_norm(X, np.ones(6, complex))),
    (ValueError, "dy must have the shape of x", lambda: norm.layer_norm_grad(X[:3], X)),
    (ValueError, "dy must have the shape of x", lambda: norm.batch_norm_grad(X[:3], X, SAVED)),
    (TypeError, "dy must be an array of real", lambda: norm.rms_norm_grad(X.astype(complex), X)),
    (TypeError, "saved must be the BatchStatistics", lambda: norm.batch_norm_grad(X, X, None)),  # type: ignore[arg-type]
    (ValueError, "saved.mean must be of shape", lambda: norm.batch_norm_grad(X, X, SAVED, axis=0)),
    (ValueError, "more than 1 value per channel", lambda: norm.batch_norm_train(X[:1], None, None)),
    (ValueError, "out must be of shape", lambda: norm.layer_norm(X, out=np.zeros((6, 4), np.float32))),
    (TypeError, "out must hold float32", lambda: norm.layer_norm(X, out=np.zeros((4, 6), int))),
    (TypeError, "out must be an array", lambda: norm.layer_norm(X, out=[0.0])),  # type: ignore[arg-type]
    (ValueError, "out must be writeable", lambda: norm.layer_norm(X, out=np.broadcast_to(np.float32(0), (4, 6)))),
]


@pytest.mark.parametrize(
    ("error", "message", "call"), ERRORS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_errors(error: type[Exception], message: str, call: Callable[[], Any]) -> None:
    """Bad arguments are named."""
    with pytest.raises(error, match=message):
        call()


def test_nothing_is_written_before_an_error() -> None:
    """An error leaves out and the running statistics as they were."""
    out, mean, var = np.full((4, 6), 7, np.float32), np.full(6, 7.0), np.full(6, 7.0)
    with pytest.raises(ValueError, match="activation"):
        norm.batch_norm_train(X, mean, var, activation="softmax", out=out)
    with pytest.raises(ValueError, match="momentum"):
        norm.batch_norm_train(X, mean, var, momentum=2, out=out)
    with pytest.raises(ValueError, match="out must be of shape"):
        norm.batch_norm_train(X, mean, var, out=out[:3])
    assert (out == 7).all()
    assert (mean == 7).all()
    assert (var == 7).all()


def test_import_is_lazy() -> None:
    """`import numact` does not import the module; the attribute does."""
    code = "import sys, numact; print('numact.norm' in sys.modules, callable(numact.norm.layer_norm))"
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout.split() == ["False", "True"]


def test_statistics_are_pickled() -> None:
    """What is saved for the gradient may be stored."""
    for got, want in zip(pickle.loads(pickle.dumps(SAVED)), SAVED, strict=True):
        assert_same_bits(got, want)


def test_parameters_of_an_activation() -> None:
    """ParametricUfunc.values gives the parameters of a call in order."""
    assert isinstance(numact.hard_tanh, ParametricUfunc)
    assert numact.hard_tanh.values(max_val=2.0) == [-1.0, 2.0]
    with pytest.raises(TypeError, match="no parameter slope"):
        numact.hard_tanh.values(slope=1.0)


@pytest.mark.parametrize("name", norm.__all__)
def test_documented(name: str) -> None:
    """Every function has the sections of numpydoc, its source among them, and an example that runs."""
    text = inspect.cleandoc(getattr(norm, name).__doc__)
    if name == "BatchStatistics":
        assert all(f"\n{field} : " in text for field in norm.BatchStatistics._fields)
        return
    titles = re.findall(r"(?m)^(\w[\w ]+)\n-+$", text)
    assert titles == ["Parameters", "Returns", "Raises", "See Also", "Notes", "Examples"]
    assert re.search(r"(?m)^(Ioffe|Ba|Zhang|Wu|Ulyanov).* 20\d\d\.$", text)
    listed = {one.strip() for names in re.findall(r"(?m)^([\w, ]+) : ", text) for one in names.split(",")}
    assert {*inspect.signature(getattr(norm, name)).parameters} <= listed
    exec("\n".join(re.findall(r"(?m)^>>> (.*)$", text)), {"np": np, "numact": numact})
