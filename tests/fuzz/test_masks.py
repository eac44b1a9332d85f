"""Bit masks and dropout: drawn calls beside what they are of plain arrays."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cases import Array
from support.drawn import ALL_DTYPES, BFLOAT16, Draw

import numact
from numact import BitMask

# Which elements the mask is true for; a NaN has the derivative 1, but of leaky_relu, whose other slope makes NaN, too.
MASKS: dict[str, Any] = {
    "relu_masked": lambda x: ~(x <= 0),
    "relu6_masked": lambda x: ~((x <= 0) | (x >= 6)),
    "leaky_relu_masked": lambda x, negative_slope: x > 0,
    "hard_tanh_masked": lambda x, min_val, max_val: ~((x <= min_val) | (x >= max_val)),
}
PARAMETERS: dict[str, list[dict[str, float]]] = {
    "leaky_relu_masked": [{"negative_slope": 0.01}, {"negative_slope": 0.25}],
    "hard_tanh_masked": [{"min_val": -1.0, "max_val": 1.0}, {"min_val": -0.5, "max_val": 2.0}],
}


def times(x: Array, factor: float) -> Array:
    """The product rounded once; of 16 bits by way of float32."""
    wide = np.float32 if x.dtype.itemsize == 2 else x.dtype.type
    with np.errstate(all="ignore"):
        return (x.astype(wide) * wide(factor)).astype(x.dtype)


@pytest.mark.parametrize("name", list(MASKS))
@given(data=st.data())
def test_masked(name: str, data: Any) -> None:
    """The result is that of the activation, the mask is true where its derivative is that on the right."""
    draw, function = Draw(data), getattr(numact, name)
    x = draw.numbers(draw.shape(), draw.one_of(ALL_DTYPES))
    keywords = draw.one_of(PARAMETERS.get(name, [{}]))
    want = getattr(numact, name.removesuffix("_masked"))(np.array(x, order="C"), **keywords)
    masks = []

    def call(x: Any, **rest: Any) -> Any:
        y, mask = function(x, **rest)
        masks.append(mask)
        return y

    with np.errstate(over="ignore"):  # a float32 cannot hold all that a float64 can
        draw.check(call, [draw.place(x)], want, share=[0], dtypes=(np.float32, np.float64), **keywords)
    assert masks[0] == BitMask.pack(np.asarray(MASKS[name](x.astype(np.float64), **keywords)))
    assert masks[0].shape == x.shape


@given(data=st.data())
def test_masked_grad(data: Any) -> None:
    """The gradient is dy times one of two factors, for masks of any shape."""
    draw = Draw(data)
    dtype, shape = draw.one_of(ALL_DTYPES), draw.shape()
    dy, chosen = draw.numbers(shape, dtype), draw.generator().random(shape) < draw.one_of((0.0, 0.5, 1.0))
    on, off = draw.one_of((1.0, 2.0, 1.25)), draw.one_of((0.0, 0.0, 0.25))
    zeros = np.zeros(shape, dtype)
    want = np.where(chosen, dy if on == 1 else times(dy, on), times(dy, off) if off else zeros)[()]
    mask = BitMask.pack(draw.place(chosen, swap=False))

    def call(dy: Any, **rest: Any) -> Any:
        return numact.masked_grad(dy, mask, on=on, off=off, **rest)

    with np.errstate(over="ignore"):
        draw.check(call, [draw.place(dy)], want, share=[0], dtypes=(np.float32, np.float64))


@given(data=st.data())
def test_dropout(data: Any) -> None:
    """Kept elements are multiplied by 1 / (1 - p), others are 0; which ones depends on seed and shape only."""
    draw = Draw(data)
    dtype, shape = draw.one_of(ALL_DTYPES), draw.shape()
    x, p, seed = draw.numbers(shape, dtype), draw.one_of((0.0, 0.1, 0.5, 0.9, 1.0)), draw.integer(0, 2**32)
    keywords: dict[str, Any] = {}
    if shape and draw.happens(4):
        keywords["shared_axes"] = draw.integer(-len(shape), len(shape) - 1)
    _, mask = numact.dropout(np.ones(shape), p, seed, **keywords)
    want = np.where(mask.unpack(), times(x, 1 / (1 - p) if p < 1 else 0.0), np.zeros(shape, dtype))[()]
    masks = []

    def call(x: Any, **rest: Any) -> Any:
        y, drawn = numact.dropout(x, p, np.random.default_rng(seed), **keywords, **rest)
        masks.append(drawn)
        return y

    with np.errstate(over="ignore"):
        draw.check(call, [draw.place(x)], want, share=[0], dtypes=(np.float32, np.float64))
    assert masks == [mask]


@given(data=st.data())
def test_bit_masks(data: Any) -> None:
    """A mask is its booleans: counted, indexed, combined, beside arrays."""
    draw = Draw(data)
    shape = draw.shape()
    a, b = (draw.generator().random(shape) < draw.one_of((0.0, 0.4, 1.0)) for _ in range(2))
    one, other = (BitMask.pack(draw.place(booleans, swap=False)) for booleans in (a, b))
    assert one.count() == np.count_nonzero(a)
    assert (one == other) == np.array_equal(a, b)
    for got, want in ((one & other, a & b), (one | other, a | b), (one ^ other, a ^ b), (~one, ~np.asarray(a))):
        np.testing.assert_array_equal(got.unpack(), want)
        assert BitMask(got.bits, shape) == got
    if shape:
        axis = draw.integer(-len(shape), len(shape) - 1)
        np.testing.assert_array_equal(one.sum(axis), np.sum(a, axis))
    x = draw.numbers(shape, draw.one_of((np.float32, BFLOAT16)), ("moderate",))
    np.testing.assert_array_equal(np.where(np.asarray(one), x, 0), np.where(a, x, 0))
