"""attention_softmax: accuracy, the composition that it replaces, masks, the causal triangle, gradients, errors."""

from typing import Any

import numpy as np
import pytest
from support.cases import DTYPES, Array, assert_same_bits, name_of
from support.reference import EXACT
from support.reference_axis import numbers, softmax, ulp_error

import numact

every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=name_of)
MASKS = ("none", "bool", "infinite", "bias")


def mask_of(kind: str, shape: tuple[int, ...], dtype: Any, spread: float = 1) -> Any:
    """A mask of a kind, None for "none"."""
    rng = np.random.default_rng(shape[-1])
    if kind == "none":
        return None
    if kind == "bias":
        return (-rng.random(shape) * spread).astype(dtype)
    takes_part = rng.random(shape) < 0.7
    return takes_part if kind == "bool" else np.where(takes_part, 0, -np.inf)


def triangle(queries: int, keys: int) -> Array:
    """The causal mask whose last query is at the last key."""
    return np.tri(queries, keys, keys - queries, dtype=bool)


@every_dtype
@pytest.mark.parametrize("kind", MASKS)
@pytest.mark.parametrize("causal", [False, True], ids=["", "causal"])
def test_accuracy(kind: str, dtype: Any, causal: bool) -> None:
    """Within 2 ULP of the true value for the scale and the mask in the dtype; exactly 0 where masked."""
    rng = np.random.default_rng(0)
    computed = np.result_type(dtype, np.float32)
    for queries, keys in ((3, 3), (2, 17), (5, 2), (3, 70)):
        for spread, scale in ((1, None), (30, 0.3), (1000, 0.125), (1e4, 3.0)):
            x = (rng.normal(size=(queries, keys)) * spread).astype(dtype)
            mask = mask_of(kind, x.shape, dtype, spread)
            y = numact.attention_softmax(x, scale=scale, mask=mask, causal=causal)
            assert y.dtype == dtype
            takes_part = triangle(queries, keys) if causal else np.ones(x.shape, bool)
            bias = np.zeros(x.shape) if mask is None or mask.dtype == bool else mask
            takes_part &= ~np.isneginf(bias) if mask is None or mask.dtype != bool else mask
            assert (y[~takes_part] == 0).all()
            factor = EXACT.mpf(1 if scale is None else float(computed.type(scale)))
            for row, part, added, got in zip(x, takes_part, bias, y, strict=True):
                if not part.any():
                    continue
                terms = zip(numbers(row[part]), numbers(added[part]), strict=True)
                exact = softmax([value * factor + more for value, more in terms])
                for value, want in zip(got[part], exact, strict=True):
                    assert ulp_error(value, want) <= (0.51 if dtype == np.float16 else 2)


@every_dtype
def test_parts(dtype: Any) -> None:
    """Each keyword does what a function without it does of its operands, to the bit."""
    x = (np.random.default_rng(1).normal(size=(2, 3, 40, 70)) * 4).astype(dtype)
    where, bias = np.random.default_rng(2).random((40, 70)) < 0.6, np.zeros((3, 1, 70), dtype)
    same = assert_same_bits
    same(numact.attention_softmax(x), numact.softmax(x))
    same(numact.attention_softmax(x, scale=0.25), numact.softmax(x, temperature=4.0))
    same(numact.attention_softmax(x, mask=where), numact.softmax(x, where=where))
    same(numact.attention_softmax(x, mask=bias, scale=0.3), numact.attention_softmax(x, scale=0.3))
    same(numact.attention_softmax(x, causal=True), numact.softmax(x, where=triangle(40, 70)))
    both = numact.attention_softmax(x, mask=where, causal=True, scale=0.3)
    same(both, numact.attention_softmax(x, mask=where & triangle(40, 70), scale=0.3))
    added = np.where(where & triangle(40, 70), 0, -np.inf)
    same(both, numact.attention_softmax(x, mask=added, scale=0.3))
    biased = numact.attention_softmax(x, mask=added + 0.25, causal=True)
    assert (biased[..., ~(where & triangle(40, 70))] == 0).all()


@every_dtype
def test_a_bias_is_read_by_its_strides(dtype: Any) -> None:
    """A bias of which only every other number counts is no mask because those between them are 0 or -inf."""
    x = (np.random.default_rng(4).normal(size=(3, 40)) * 3).astype(dtype)
    computed = np.result_type(dtype, np.float32)
    wide = np.zeros((3, 80), computed)
    wide[:, 40::2] = np.linspace(0, 3, 20)
    bias = wide[:, ::2]
    assert_same_bits(numact.attention_softmax(x, mask=bias), numact.attention_softmax(x, mask=bias.copy()))
    broadcast = np.broadcast_to(np.array([[0.0], [-np.inf], [0.0]], computed), x.shape)
    got = numact.attention_softmax(x, mask=broadcast)
    assert_same_bits(got, numact.attention_softmax(x, mask=broadcast.copy()))


@every_dtype
def test_places(dtype: Any) -> None:
    """Any axis, layout and out= give the same bits, and so do rows alone."""
    x = (np.random.default_rng(3).normal(size=(4, 30, 50)) * 3).astype(dtype)
    mask = mask_of("bias", (30, 50), np.float64)
    want = numact.attention_softmax(x, scale=0.3, mask=mask, causal=True)
    for axis in (0, 1):
        moved = np.ascontiguousarray(np.moveaxis(x, -1, axis))
        got = numact.attention_softmax(
            moved, scale=0.3, mask=np.moveaxis(np.broadcast_to(mask, x.shape), -1, axis), causal=True, axis=axis
        )
        assert_same_bits(np.moveaxis(got, axis, -1), want)
    wide = np.repeat(x, 2, axis=-1)[..., ::2]
    assert_same_bits(numact.attention_softmax(wide, scale=0.3, mask=mask, causal=True), want)
    swapped = x.astype(x.dtype.newbyteorder())
    assert_same_bits(numact.attention_softmax(swapped, scale=0.3, mask=mask, causal=True), want)
    buffer = x.copy()
    assert numact.attention_softmax(buffer, scale=0.3, mask=mask, causal=True, out=buffer) is buffer
    assert_same_bits(buffer, want)
    out = np.full((4, 30, 100), np.nan, np.float64)
    numact.attention_softmax(x, scale=0.3, mask=mask, causal=True, out=out[..., ::2])
    np.testing.assert_array_equal(out[..., ::2], want)
    assert np.isnan(out[..., 1::2]).all()
    alone = numact.attention_softmax(x[2, 29], scale=0.3, mask=mask[29])
    assert_same_bits(alone, want[2, 29])
    full = mask.astype(dtype) + np.zeros_like(x)
    want = numact.attention_softmax(x, scale=0.3, mask=full.copy(), causal=True)
    assert numact.attention_softmax(x, scale=0.3, mask=full, causal=True, out=full) is full
    assert_same_bits(full, want)
    assert numact.attention_softmax(np.ones((2, 0, 3), dtype), causal=True).shape == (2, 0, 3)
    assert numact.attention_softmax(np.ones((2, 3, 0), dtype), causal=True).shape == (2, 3, 0)


@every_dtype
@pytest.mark.parametrize("mask", [[[True, False, True]], [[0, -np.inf, 0]], [[0.5, -np.inf, 0.5]]], ids=str)
def test_masked_entries_have_no_influence(dtype: Any, mask: Any) -> None:
    """Neither NaN nor infinity behind a mask or the triangle is seen; a row without entries gives 0, silently."""
    want = numact.softmax(np.array([1, 2], dtype))
    with np.errstate(all="raise"):
        for hidden in (np.nan, np.inf, -np.inf, 1e4):
            y = numact.attention_softmax(np.array([[1, hidden, 2]], dtype), mask=mask)
            np.testing.assert_allclose(y, [[want[0], 0, want[1]]], rtol=2 * np.finfo(dtype).eps)
            y = numact.attention_softmax(np.array([[1, hidden, hidden], [hidden, hidden, hidden]], dtype), causal=True)
            np.testing.assert_array_equal(y[0, 2], 0)
        y = numact.attention_softmax(np.full((3, 2), 5, dtype), causal=True, mask=[[True, True]])
        np.testing.assert_array_equal(y, np.array([[0, 0], [1, 0], [0.5, 0.5]], dtype))
        nothing = numact.attention_softmax(np.ones((2, 3), dtype), mask=np.full(3, -np.inf))
        np.testing.assert_array_equal(nothing, np.zeros((2, 3), dtype))
        share = numact.attention_softmax(np.array([[np.inf, 1, np.inf]], dtype), scale=0.5, mask=[[0.5, 0, 0]])
        np.testing.assert_allclose(share, [[0.5, 0, 0.5]], rtol=1e-6)
        assert np.isnan(numact.attention_softmax(np.array([[np.nan, 1]], dtype), mask=[[0.5, 0.5]])).all()


@every_dtype
def test_gradient(dtype: Any) -> None:
    """The gradient is that of softmax times the scale; of float64 that of central differences."""
    rng = np.random.default_rng(5)
    x, dy = (rng.normal(size=(3, 6, 9)).astype(dtype) for _ in range(2))
    y = numact.attention_softmax(x, scale=0.25, causal=True)
    dx = numact.attention_softmax_grad(dy, y, scale=0.25)
    assert_same_bits(dx, numact.softmax_grad(dy, y, temperature=4.0))
    assert_same_bits(numact.attention_softmax_grad(dy, y), numact.softmax_grad(dy, y))
    buffer = dy.copy()
    assert numact.attention_softmax_grad(buffer, y, scale=0.25, out=buffer) is buffer
    assert_same_bits(buffer, dx)
    if dtype == np.float64:
        mask = -np.abs(rng.normal(size=(6, 9)))

        def f(x: Array, mask: Array) -> Array:
            return np.asarray(numact.attention_softmax(x, scale=0.3, mask=mask, causal=True))

        dx = numact.attention_softmax_grad(dy, f(x, mask), scale=0.3)
        dmask = numact.attention_softmax_grad(dy, f(x, mask)).sum(0)
        for index in ((0, 0, 0), (2, 5, 8), (1, 3, 4)):
            step = np.zeros_like(x)
            step[index] = 1e-6
            slope = ((f(x + step, mask) - f(x - step, mask)) * dy).sum() / 2e-6
            np.testing.assert_allclose(dx[index], slope, rtol=1e-6, atol=1e-9)
            slope = ((f(x, mask + step[index[0]]) - f(x, mask - step[index[0]])) * dy).sum() / 2e-6
            np.testing.assert_allclose(dmask[index[1:]], slope, rtol=1e-6, atol=1e-9)


def test_dtype_is_that_of_scores() -> None:
    """Neither mask nor scale promotes; integers are float64, as for softmax."""
    for dtype in (np.float16, np.float32, np.float64):
        x = np.ones((2, 3), dtype)
        assert numact.attention_softmax(x, scale=1 / np.sqrt(8), mask=np.zeros(3), causal=True).dtype == dtype
        assert numact.attention_softmax(x, scale=np.float64(0.5)).dtype == dtype
    assert numact.attention_softmax([[1, 2]]).dtype == np.float64
    x = np.ones((1, 2), np.float32)
    assert_same_bits(numact.attention_softmax(x, mask=[[0, -1e300]]), numact.attention_softmax(x, mask=[[True, False]]))


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"scale": 0}, ValueError, "scale must be from 1e-28 to 1e"),
        ({"scale": -1.0}, ValueError, "scale must be from 1e-28 to 1e"),
        ({"scale": np.nan}, ValueError, "scale must be from 1e-28 to 1e"),
        ({"scale": "1"}, TypeError, "scale must be a number, got '1'"),
        ({"mask": np.ones((2, 3), int)}, TypeError, "mask must be booleans or floating-point numbers, got int"),
        ({"mask": np.ones((3, 3), bool)}, ValueError, r"mask must broadcast to the shape of scores, \(2, 3\), got the"),
        ({"mask": np.ones((1, 2, 3))}, ValueError, r"mask must broadcast to the shape of scores"),
        ({"causal": 1}, TypeError, "causal must be a boolean, got 1"),
        ({"axis": 2}, ValueError, "axis must name axes from -2 to 1 of scores, got 2"),
        ({"axis": 2, "causal": True}, ValueError, "axis must name axes from -2 to 1 of scores, got 2"),
        ({"out": np.ones((2, 2))}, ValueError, r"out must have the shape \(2, 3\)"),
        ({"out": np.ones((2, 3), int)}, TypeError, "out must have a dtype that float64 casts to"),
    ],
    ids=str,
)
def test_errors(keywords: dict[str, Any], error: type[Exception], message: str) -> None:
    """Bad arguments are named, and out is left alone."""
    with pytest.raises(error, match=message):
        numact.attention_softmax(np.ones((2, 3)), **keywords)
    with pytest.raises(TypeError, match="scores must be floating-point numbers"):
        numact.attention_softmax(np.ones((2, 3), complex))
    with pytest.raises(TypeError, match="masked"):
        numact.attention_softmax(np.ma.masked_equal([[1.0, 2.0]], 2))
