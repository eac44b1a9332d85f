"""Derivatives by name, statistics of layers, and initial weights: drawn calls beside NumPy's expressions."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cases import CHOSEN, ROWS, assert_same_bits
from support.drawn import ALL_DTYPES, Draw

import numact
from numact import diagnostics, init

MODERATE = ("moderate", "whole", "equal")
NAMES = [row.name for row in ROWS]
FAN = ("he_normal", "he_uniform", "lecun_normal", "lecun_uniform", "xavier_normal", "xavier_uniform", "orthogonal")


@given(data=st.data())
def test_derivative(data: Any) -> None:
    """F' of any layout is the gradient for dy = 1."""
    draw = Draw(data)
    row = draw.one_of(ROWS)
    parameters = {name: CHOSEN[name] for name, default in row.parameters if default is None}
    x = draw.numbers(draw.shape(), draw.one_of(ALL_DTYPES))
    with np.errstate(over="ignore"):
        want = getattr(numact, f"{row.name}_grad")(np.ones_like(x), np.array(x, order="C"), **parameters)
        draw.check(numact.derivative(row.name, **parameters), [draw.place(x)], want)


@given(data=st.data())
def test_statistics(data: Any) -> None:
    """Statistics are those of NumPy's expressions, whatever the layout and the threads."""
    draw = Draw(data)
    shape = tuple(length or 1 for length in draw.shape((1, 4)))
    x = draw.numbers(shape, draw.one_of(ALL_DTYPES), (*MODERATE, "special"))
    wide = x.astype(np.float64)
    finite = wide[np.isfinite(wide)]
    with draw.surroundings():
        found = diagnostics.summary(draw.place(x))
        zeros = diagnostics.sparsity(draw.place(x))
    assert repr(found) == repr(diagnostics.summary(np.array(x, order="C")))  # NaN is NaN
    assert (found.size, found.zero_fraction) == (x.size, np.mean(wide == 0))
    assert zeros == found.zero_fraction
    assert found.nan_fraction == np.mean(np.isnan(wide))
    assert found.infinite_fraction == np.mean(np.isinf(wide))
    if finite.size and np.abs(finite).max() < 1e100:
        np.testing.assert_allclose(found.mean, finite.mean(), 1e-9, 1e-9 * max(1.0, np.abs(finite).max()))
        np.testing.assert_allclose(found.variance, finite.var(), 1e-6, 1e-9 * max(1.0, np.abs(finite).max()) ** 2)
    low, high = draw.one_of(((-1.0, 1.0), (0.0, 2.0), (-np.inf, 0.5)))
    with draw.surroundings():
        saturated = diagnostics.saturation(draw.place(x), low, high)
    assert saturated == np.mean((wide <= low) | (wide >= high))
    if x.ndim > 1:
        dead = diagnostics.dead_units(draw.place(x))
        np.testing.assert_array_equal(dead, (wide == 0).all(axis=0))


@pytest.mark.parametrize("name", FAN)
@given(data=st.data())
def test_weights(name: str, data: Any) -> None:
    """Weights are finite, of the shape and dtype asked for, and the same for the same seed."""
    draw, function = Draw(data), getattr(init, name)
    shape = tuple(length or 1 for length in draw.shape((2, 4), many=False))
    dtype, seed = draw.one_of((np.float16, np.float32, np.float64)), draw.integer(0, 2**32)
    got = function(shape, dtype=dtype, rng=seed)
    assert (got.shape, got.dtype) == (shape, np.dtype(dtype))
    assert np.isfinite(got).all()
    assert_same_bits(got, function(shape, dtype=dtype, rng=np.random.default_rng(seed)))
    if name == "orthogonal" and dtype == np.float64:
        matrix = got.reshape(-1, shape[-1])
        product = matrix.T @ matrix if matrix.shape[0] >= matrix.shape[1] else matrix @ matrix.T
        np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-12)


@given(data=st.data())
def test_weights_of_other_kinds(data: Any) -> None:
    """Truncated weights lie within their bounds, sparse ones have their zeros; the same for the same seed."""
    draw = Draw(data)
    shape = tuple(length or 1 for length in draw.shape((2, 2), many=False))
    seed, low, high = draw.integer(0, 2**32), draw.one_of((-2.0, -0.5, 1.0)), draw.one_of((1.5, 3.0))
    got = init.truncated_normal(shape, seed, low=low, high=high)
    assert ((got >= low) & (got <= high)).all()
    assert_same_bits(got, init.truncated_normal(shape, np.random.default_rng(seed), low=low, high=high))
    share = draw.one_of((0.1, 0.5, 0.9))
    weights = init.sparse(shape, share, seed)
    np.testing.assert_array_equal((weights == 0).sum(1), np.ceil(share * shape[1]))
    assert_same_bits(weights, init.sparse(shape, share, np.random.default_rng(seed)))
