"""bias_activation and its gradient: the bits of the composition, sums that are the same for every number of threads."""

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from support.cases import Array, assert_same_bits, name_of, unaligned

import numact
from numact._kernels import core

ALL_DTYPES = (np.float16, np.float32, np.float64, ml_dtypes.bfloat16)
ROWS = [row for row in numact.catalogue() if row.family in ("elementwise", "gated")]
every_row = pytest.mark.parametrize("row", ROWS, ids=name_of)
every_dtype = pytest.mark.parametrize("dtype", ALL_DTYPES, ids=name_of)
SHAPES = [((12, 10), -1), ((7, 300), 1), ((5, 6, 4, 9), 1), ((300, 8), 0), ((3, 70, 40), 1), ((2, 6000), -1), ((6,), 0)]
every_shape = pytest.mark.parametrize(("shape", "axis"), SHAPES, ids=str)


def numbers(shape: tuple[int, ...], dtype: Any, seed: int = 0) -> Array:
    """Normal numbers."""
    x: Array = (0.6 * np.random.default_rng(seed).standard_normal(shape)).astype(dtype)
    return x


def along(bias: Array, shape: tuple[int, ...], axis: int) -> Array:
    """The bias so that NumPy broadcasts it."""
    return bias.reshape([-1 if k == axis % len(shape) else 1 for k in range(len(shape))])


def composed(row: numact.Activation, z: Array, axis: int, dy: Array | None = None, **parameters: Any) -> Any:
    """The activation of z, or its gradient."""
    function = row.name + ("_split" if row.family == "gated" else "") + ("" if dy is None else "_grad")
    axes = {"axis": axis} if row.family == "gated" else {}
    return getattr(numact, function)(*(() if dy is None else (dy,)), z, **axes, **parameters)


def needed(row: numact.Activation) -> dict[str, Any]:
    """Parameters that have no default."""
    return {name: 0.5 for name, default in row.parameters if default is None}


@every_row
@every_dtype
@every_shape
def test_the_bits_of_the_composition(row: numact.Activation, dtype: Any, shape: Any, axis: int) -> None:
    x, bias, residual = numbers(shape, dtype), numbers((shape[axis],), dtype, 1), numbers(shape, dtype, 2)
    parameters = needed(row)
    z = x + along(bias, shape, axis)
    want = composed(row, z, axis, **parameters)
    assert_same_bits(numact.bias_activation(x, bias, row.name, axis=axis, **parameters), want)
    more = composed(row, z + residual, axis, **parameters)
    found = numact.bias_activation(x, bias, row.name, axis=axis, residual=residual, **parameters)
    assert_same_bits(found, more)
    if row.family == "elementwise":
        given = x.copy()
        assert numact.bias_activation(given, bias, row.name, axis=axis, out=given, **parameters) is given
        assert_same_bits(given, want)
    strided = np.asfortranarray(np.repeat(x, 2, axis=0)[::2])
    assert_same_bits(numact.bias_activation(strided, bias, row.name, axis=axis, **parameters), want)


@every_row
@every_dtype
@every_shape
def test_gradient(row: numact.Activation, dtype: Any, shape: Any, axis: int) -> None:
    x, bias, residual = numbers(shape, dtype), numbers((shape[axis],), dtype, 1), numbers(shape, dtype, 2)
    parameters = needed(row)
    z = x + along(bias, shape, axis)
    dy = numbers(composed(row, z, axis, **parameters).shape, dtype, 3)
    want = composed(row, z, axis, dy, **parameters)
    dx, dbias = numact.bias_activation_grad(dy, x, bias, row.name, axis=axis, **parameters)
    assert_same_bits(dx, want)
    others = tuple(k for k in range(x.ndim) if k != axis % x.ndim)
    sums, size = want.astype(np.float64).sum(others), np.abs(want.astype(np.float64)).sum(others)
    unit = {np.float16: 2.0**-11, np.float32: 2.0**-24, np.float64: 2.0**-52, ml_dtypes.bfloat16: 2.0**-8}[dtype]
    assert (np.abs(dbias.astype(np.float64) - sums) <= 2.0**-50 * size + 1.01 * unit * np.abs(sums)).all()
    assert dbias.shape == bias.shape
    assert dbias.dtype == dtype
    dx, _ = numact.bias_activation_grad(dy, x, bias, row.name, axis=axis, residual=residual, **parameters)
    assert_same_bits(dx, composed(row, z + residual, axis, dy, **parameters))
    given = x.copy()
    dx, again = numact.bias_activation_grad(dy, given, bias, row.name, axis=axis, out=given, **parameters)
    assert dx is given
    assert_same_bits(dx, want)
    assert_same_bits(again, dbias)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_gradient_with_a_parameter_that_no_kernel_takes(axis: int) -> None:
    """A parameter beyond float32 gives the composition and its sums, along every axis."""
    x, dy = numbers((3, 5, 4), np.float32), numbers((3, 5, 4), np.float32, 1)
    bias = numbers((x.shape[axis],), np.float32, 2)
    dx, dbias = numact.bias_activation_grad(dy, x, bias, "hard_tanh", axis=axis, min_val=-1e300)
    want = numact.hard_tanh_grad(dy, x + along(bias, x.shape, axis), -1e300)
    assert_same_bits(dx, want.astype(np.float32))
    others = tuple(k for k in range(3) if k != axis)
    np.testing.assert_allclose(dbias, want.sum(others), rtol=1e-5)


def test_gradient_of_unaligned_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels read aligned copies, with the same results."""
    dy, x, bias = numbers((4, 6), np.float64), numbers((4, 6), np.float64, 1), numbers((6,), np.float64, 2)
    want, kernel = numact.bias_activation_grad(dy, x, bias, "relu"), core.gradient_of_sums
    seen: list[bool] = []

    def spy(level: Any, ufunc: Any, arrays: Any, *others: Any) -> Any:
        seen.extend(array.flags.aligned for array in arrays)
        return kernel(level, ufunc, arrays, *others)

    monkeypatch.setattr(core, "gradient_of_sums", spy)
    assert not unaligned(dy).flags.aligned
    found = numact.bias_activation_grad(unaligned(dy), unaligned(x), unaligned(bias), "relu")
    for got, expected in zip(found, want, strict=True):
        assert_same_bits(got, expected)
    assert seen == [True, True]


def test_every_number_of_threads_gives_the_same_sums() -> None:
    for shape, axis in (((3000, 100), -1), ((40, 30, 20, 20), 1)):
        x, dy, bias = numbers(shape, np.float32), numbers(shape, np.float32, 1), numbers((shape[axis],), np.float32, 2)
        found = []
        for count in (1, 2, 5):
            with numact.num_threads(count):
                found.append(numact.bias_activation_grad(dy, x, bias, "gelu", axis=axis)[1])
        assert_same_bits(found[0], found[1])
        assert_same_bits(found[0], found[2])


def test_forms_of_the_arguments() -> None:
    x, bias = numbers((4, 6), np.float32), numbers((6,), np.float32, 1)
    want = numact.leaky_relu(x + bias, 0.2)
    for activation in ("leaky_relu(0.2)", "LeakyReLU(alpha=0.2)", numact.get("leaky_relu(0.2)")):
        assert_same_bits(numact.bias_activation(x, bias, activation), want)
    assert_same_bits(numact.bias_activation(x, bias, numact.leaky_relu, negative_slope=0.2), want)
    assert_same_bits(numact.bias_activation(x, bias[None, :], "leaky_relu", negative_slope=0.2), want)
    assert_same_bits(numact.bias_activation(x, 0.5, "relu"), numact.relu(x + np.float32(0.5)))
    assert_same_bits(
        numact.bias_activation(x, bias.astype(np.float64), "relu"), numact.relu(x + bias.astype(np.float64))
    )
    assert_same_bits(numact.bias_activation(x.tolist(), [1] * 6, "relu"), numact.relu(x.astype(np.float64) + 1))
    assert_same_bits(numact.bias_activation(x, bias, "hard_tanh", min_val=-1e300), numact.hard_tanh(x + bias, -1e300))
    wide = np.empty((4, 6))
    numact.bias_activation(x, bias, "gelu", out=(wide,))
    np.testing.assert_array_equal(wide, numact.gelu(x + bias))
    dx, dbias = numact.bias_activation_grad(np.float32(1), x, bias[None, :], "gelu")
    assert dbias.shape == (1, 6)
    _, number = numact.bias_activation_grad(np.float32(1), x, 0.5, "gelu")
    np.testing.assert_allclose(number, numact.derivative("gelu")(x + np.float32(0.5)).sum(), rtol=1e-6)
    into = np.empty_like(x), np.empty_like(bias)
    found = numact.bias_activation_grad(x, x, bias, "gelu", out=into)
    assert found[0] is into[0]
    assert found[1] is into[1]
    assert numact.bias_activation(np.empty((0, 6), np.float32), bias, "gelu").shape == (0, 6)
    dx, dbias = numact.bias_activation_grad(np.empty((0, 6)), np.empty((0, 6)), np.ones(6), "gelu")
    assert dx.shape == (0, 6)
    np.testing.assert_array_equal(dbias, np.zeros(6))


def test_what_is_wrong_is_named() -> None:
    x, bias = numbers((4, 6), np.float32), numbers((6,), np.float32, 1)
    grad = numact.bias_activation_grad
    for call in (numact.bias_activation, lambda *given, **keywords: grad(x, *given, **keywords)):
        with pytest.raises(ValueError, match=r"bias must be a vector of 6, .* got shape \(5,\)"):
            call(x, bias[:5], "gelu")
        with pytest.raises(ValueError, match="unknown"):
            call(x, bias, "gleu")
        with pytest.raises(ValueError, match="activation must be an elementwise or a gated activation, got 'softmax'"):
            call(x, bias, "softmax")
        with pytest.raises(TypeError, match="no parameter"):
            call(x, bias, "gelu", slope=1)
        with pytest.raises(TypeError, match="no parameter"):
            call(x, bias, "leaky_relu", slop=1)
        with pytest.raises(ValueError, match="beta must be > 0"):
            call(x, bias, "softplus", beta=-1)
        with pytest.raises(np.exceptions.AxisError, match="axis"):
            call(x, bias, "gelu", axis=2)
        with pytest.raises(ValueError, match=r"residual must have the shape of x, \(4, 6\), got \(6,\)"):
            call(x, bias, "gelu", residual=bias)
        with pytest.raises(ValueError, match="even length"):
            call(x[:, :5], bias[:5], "swiglu")
        with pytest.raises(ValueError, match="out must have the shape"):
            call(x, bias, "gelu", out=np.empty((6, 4), np.float32))
        with pytest.raises(TypeError, match="x must be an array of real numbers"):
            call(x.astype(np.complex64), bias, "gelu")
    with pytest.raises(ValueError, match="dy must broadcast to the output"):
        grad(x[:3], x, bias, "gelu")
