"""Gradients against differences of the activation itself, their values at kinks, and what they do with dy."""

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from support.cases import DTYPES, FUNCTIONS, ROWS, Array, Function, assert_same_bits, name_of, samples
from support.reference import EXACT, REFERENCE

import numact
from numact import Activation

every_row = pytest.mark.parametrize("row", ROWS, ids=name_of)
every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=name_of)
kinks = pytest.mark.parametrize("row", [row for row in ROWS if row.kink], ids=name_of)


@every_row
def test_differences(row: Activation) -> None:
    """The gradient is the derivative of the forward formula, by central differences in high precision."""
    gradient = Function(row, "_grad")
    rng = np.random.default_rng(4)
    x = np.concatenate([rng.uniform(-8, 8, 300), rng.uniform(-40, 40, 200), rng.uniform(-0.01, 0.01, 100)])
    for parameters in gradient.parameters():
        exact = [EXACT.mpf(float(parameter)) for parameter in parameters]
        results = gradient.ufunc()(*gradient.operands(x, parameters))
        with EXACT.workprec(3000):  # 1 - erf(40) is 2^-2300
            step = EXACT.mpf(2) ** -200
            for value, got in zip(x, results, strict=True):
                point = EXACT.mpf(float(value))
                up, down = (REFERENCE[row.name].forward(EXACT, point + h, *exact) for h in (step, -step))
                want = (up - down) / (2 * step)
                error = abs(EXACT.mpf(float(got)) - want) / EXACT.mpf(float(np.spacing(abs(float(want)))))
                assert error <= row.ulp_gradient, f"{row.name} at {float(value).hex()}: {float(error):.3f} ULP"


@every_row
@every_dtype
def test_dy_scales(row: Activation, dtype: Any) -> None:
    """A power of two as dy scales the gradient exactly."""
    gradient = Function(row, "_grad")
    x = samples(dtype, 600)
    x = x[abs(x) < 30]
    with np.errstate(over="ignore"):
        unit = gradient.ufunc()(*gradient.operands(x))
        normal = (abs(unit) > 4 * np.finfo(dtype).tiny) & np.isfinite(unit)
        for dy in (-1, 2, 0.25):
            got = gradient.ufunc()(*gradient.operands(x, dy=np.full_like(x, dy)))
            assert_same_bits(got[normal], (unit * dtype(dy))[normal], x[normal])


@kinks
@every_dtype
def test_at_kinks(row: Activation, dtype: Any) -> None:
    """At zeros of both signs the gradient has the value of the reference, or the chosen one."""
    public: Any = getattr(numact, f"{row.name}_grad")
    zeros = np.array([0.0, -0.0] * 20, dtype)
    parameters = Function(row, "_grad").parameters(float)[0]
    want = REFERENCE[row.name].derivative(EXACT, EXACT.mpf(0), *map(EXACT.mpf, parameters))
    np.testing.assert_array_equal(public(dtype(1), zeros, *parameters), dtype(float(want)))
    for at_zero in (0, 0.5, 1, -3.0):
        got = public(dtype(2), zeros, *parameters, at_zero=at_zero)
        assert got.dtype == dtype
        np.testing.assert_array_equal(got, dtype(2 * at_zero))


@kinks
@every_dtype
def test_at_zero_elsewhere(row: Activation, dtype: Any) -> None:
    """at_zero= changes nothing but zeros, takes arrays and out=, and None is the default."""
    public: Any = getattr(numact, f"{row.name}_grad")
    x = samples(dtype)
    want = public(dtype(1), x)
    for at_zero in (0.5, np.nan, np.full_like(x, 2)):
        got = public(dtype(1), x, at_zero=at_zero)
        assert got.dtype == dtype
        assert_same_bits(got[x != 0], want[x != 0], x[x != 0])
    assert_same_bits(public(dtype(1), x, at_zero=None), want)
    out = np.empty_like(x)
    assert public(dtype(1), x, at_zero=0.5, out=out) is out
    np.testing.assert_array_equal(out[x == 0], dtype(0.5))


@pytest.mark.parametrize("name", ["relu", "relu6", "relu_squared"])
@every_dtype
def test_relu_family_selects(name: str, dtype: Any) -> None:
    """Where the derivative is 0 the gradient is 0 whatever dy is; a NaN x lets dy through."""
    functions = [getattr(numact, f"{name}_grad"), getattr(numact, f"{name}_grad_y")]
    dy = np.array([np.inf, -np.inf, np.nan, 3, np.finfo(dtype).max] * 9, dtype)
    high = (6, 7, np.inf) if name == "relu6" else ()
    flat: list[Array] = [np.full_like(dy, x) for x in (-1, -np.inf, 0.0, -0.0, *high)]
    for function in functions:
        for x in flat:
            got = function(dy, x)
            assert_same_bits(got, np.zeros_like(dy))
        if name != "relu_squared":
            assert_same_bits(function(dy, np.full_like(dy, np.nan)), dy)
            assert_same_bits(function(dy, np.full_like(dy, 2)), dy)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64], ids=name_of)
@pytest.mark.parametrize("low", [-0.1, -0.3, -0.7])
@pytest.mark.parametrize("name", ["hard_tanh", "clipped_linear"])
def test_bounds_are_rounded_as_outputs_are(name: str, low: float, dtype: Any) -> None:
    """At an output that is a bound, rounded to the dtype, the gradient is 0 as at the input that gave it."""
    x = np.linspace(-1, 1, 9).astype(dtype)
    y, dy = getattr(numact, name)(x, min_val=low, max_val=-low), np.ones_like(x)
    want = getattr(numact, f"{name}_grad")(dy, x, min_val=low, max_val=-low)
    assert 0 in want
    assert_same_bits(getattr(numact, f"{name}_grad_y")(dy, y, min_val=low, max_val=-low), want)


@pytest.mark.parametrize("row", [row for row in ROWS if row.from_output], ids=name_of)
@every_dtype
def test_from_output_agrees(row: Activation, dtype: Any) -> None:
    """From the output the gradient is the one from the input, where the output still tells the input."""
    x = np.linspace(-3, 3, 1001).astype(dtype)
    forward, by_x, by_y = (Function(row, suffix) for suffix in ("", "_grad", "_grad_y"))
    for parameters in forward.parameters(dtype):
        y = forward.ufunc()(*forward.operands(x, parameters))
        want = by_x.ufunc()(*by_x.operands(x, parameters))
        public: Any = getattr(numact, by_y.name)  # which rounds bounds as y is rounded
        got = public(*by_y.operands(y, parameters))
        np.testing.assert_allclose(got, want, rtol=300 * np.finfo(dtype).eps)


def test_zero_dy() -> None:
    """Dy = 0 gives 0 for every finite x."""
    for function in FUNCTIONS:
        if function.suffix:
            x = np.linspace(-30, 30, 200) if function.suffix != "_grad_y" else np.linspace(0, 1, 200)
            assert not function.ufunc()(*function.operands(x, dy=np.zeros_like(x))).any(), function.name


@pytest.mark.parametrize("f", [f for f in FUNCTIONS if f.suffix == "_grad"], ids=name_of)
def test_derivative_is_the_gradient_of_one(f: Function) -> None:
    x = np.linspace(-3, 3, 700, dtype=np.float32).reshape(7, 100)
    given = {name: 0.5 for name, default in f.row.parameters if default is None}
    gradient = getattr(numact, f.name)
    want = gradient(np.ones_like(x), x, **given)
    assert_same_bits(numact.derivative(f.row.name, **given)(x), want)
    assert_same_bits(numact.derivative(getattr(numact, f.row.name), **given)(x), want)
    for dy in (np.float32(1), np.ones((), np.float32), np.broadcast_to(np.float32(1), x.shape)):
        assert_same_bits(gradient(dy, x, **given), want)


@pytest.mark.parametrize(
    "dtype",
    [np.float16, np.float32, np.float64, ml_dtypes.bfloat16, np.bool_, np.int8, np.int16, np.int64],
    ids=name_of,
)
def test_derivative_has_the_dtype_of_the_activation(dtype: Any) -> None:
    """Of bfloat16 and integers too, which a dy of 1.0 would promote."""
    x = np.ones((2, 3), dtype)
    for name in ("gelu", "leaky_relu", "relu"):
        assert numact.derivative(name)(x).dtype == getattr(numact, name)(x).dtype


def test_derivative_takes_parameters_and_keywords() -> None:
    x = np.array([-2.0, 0.0, 2.0])
    np.testing.assert_array_equal(numact.derivative("LeakyReLU(0.2)")(x), [0.2, 0.2, 1])
    np.testing.assert_array_equal(numact.derivative("leaky_relu", negative_slope=0.2, at_zero=0.5)(x), [0.2, 0.5, 1])
    out = np.empty(3)
    assert numact.derivative("relu")(x, out=out) is out
    with pytest.raises(ValueError, match="derivative: activation must be an elementwise activation, got 'swiglu'"):
        numact.derivative("swiglu")
    with pytest.raises(ValueError, match="unknown"):
        numact.derivative("gleu")
