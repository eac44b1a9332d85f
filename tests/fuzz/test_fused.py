"""Fused functions beside the calls that they replace: bias and activation, prelu, rrelu, attention, maxout, Gumbel."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cases import CHOSEN, ROWS, Array, assert_same_bits
from support.drawn import ALL_DTYPES, BFLOAT16, Draw
from support.gated_cases import ROWS as GATED

import numact

MODERATE = ("moderate", "whole", "equal")
OTHERS = (np.float32, np.float64)


@dataclass(frozen=True)
class Layer:
    """What is given to bias_activation, and to its gradient."""

    x: Array
    bias: Array
    residual: Array | None
    axis: int
    activation: str
    parameters: dict[str, Any]

    def total(self) -> Array:
        """X + bias + residual, of float32 and float64."""
        total = self.x + along(self.bias, self.x, self.axis)
        return total if self.residual is None else total + self.residual

    def keywords(self, place: Callable[[Any], Any]) -> dict[str, Any]:
        """The keywords of a call, with the residual in its place."""
        residual = {} if self.residual is None else {"residual": place(self.residual)}
        return {"axis": self.axis, **residual, **self.parameters}


def drawn_layer(draw: Draw, gated: bool) -> Layer:
    """A layer of an elementwise or gated activation, with the parameters that have no default."""
    dtype, shape = draw.one_of(ALL_DTYPES), list(draw.shape((1, 4)))
    axis = draw.integer(0, len(shape) - 1)
    if gated:
        shape[axis] *= 2
    x, bias = draw.numbers(shape, dtype, MODERATE), draw.numbers(shape[axis : axis + 1], dtype, MODERATE)
    residual = draw.numbers(shape, dtype, MODERATE) if not gated and draw.happens(3) else None
    row = draw.one_of(GATED if gated else ROWS)
    parameters = {key: CHOSEN[key] for key, default in row.parameters if default is None}
    return Layer(x, bias, residual, axis - len(shape) if draw.happens(2) else axis, row.name, parameters)


def along(bias: Array, x: Array, axis: int) -> Array:
    """The bias as an array that broadcasts to x."""
    return bias.reshape([-1 if k == axis % x.ndim else 1 for k in range(x.ndim)])


def contiguous(array: Array) -> Array:
    """A plain copy."""
    return np.array(array, order="C")


@pytest.mark.parametrize("gated", [False, True], ids=["elementwise", "gated"])
@given(data=st.data())
def test_bias_activation(gated: bool, data: Any) -> None:
    """The bits of plain arrays, and of float32 and float64 those of the activation of the sum."""
    draw = Draw(data)
    layer = drawn_layer(draw, gated)
    function: Any = getattr(numact, layer.activation)
    with np.errstate(over="ignore"):
        plain = contiguous(layer.x), contiguous(layer.bias), layer.activation
        want = numact.bias_activation(*plain, **layer.keywords(contiguous))
        if layer.x.dtype.itemsize > 2 and not gated:
            assert_same_bits(want, function(layer.total(), **layer.parameters))
        keywords = layer.keywords(draw.place)
        activation = layer.activation if draw.happens(2) else function

        def call(x: Any, bias: Any, **rest: Any) -> Any:
            return numact.bias_activation(x, bias, activation, **keywords, **rest)

        operands = [draw.place(layer.x), draw.place(layer.bias)]
        draw.check(call, operands, want, share=[] if gated else [0], dtypes=OTHERS)


@pytest.mark.parametrize("gated", [False, True], ids=["elementwise", "gated"])
@given(data=st.data())
def test_bias_activation_grad(gated: bool, data: Any) -> None:
    """The bits of plain arrays, whatever the threads; dx is that of the gradient of the sum."""
    draw = Draw(data)
    layer = drawn_layer(draw, gated)
    shape = list(layer.x.shape)
    shape[layer.axis] //= 2 if gated else 1
    dy = draw.numbers(shape, layer.x.dtype.type, MODERATE)
    operands = (dy, layer.x, layer.bias)
    gradient: Any = numact.bias_activation_grad
    with np.errstate(over="ignore"):
        want = gradient(*map(contiguous, operands), layer.activation, **layer.keywords(contiguous))
        if layer.x.dtype.itemsize > 2 and not gated:
            dx = getattr(numact, f"{layer.activation}_grad")(dy, layer.total(), **layer.parameters)
            assert_same_bits(want[0], dx)
        keywords = layer.keywords(draw.place)
        with draw.surroundings():
            got = gradient(*map(draw.place, operands), layer.activation, **keywords)
    draw.compare(got, want)


@given(data=st.data())
def test_prelu(data: Any) -> None:
    """The bits of leaky_relu with an array of slopes; the gradients those of plain arrays."""
    draw = Draw(data)
    dtype, shape = draw.one_of(ALL_DTYPES), draw.shape((2, 4))
    x, dy = draw.numbers(shape, dtype), draw.numbers(shape, dtype, MODERATE)
    channel = draw.integer(0, len(shape) - 1) if draw.happens(2) else None
    single = channel is None and draw.happens(2)
    weight = draw.numbers((1,) if single else (shape[-1 if channel is None else channel],), dtype, MODERATE)
    keywords: dict[str, Any] = {} if channel is None else {"channel_axis": channel}
    slopes = weight if weight.size == 1 else along(weight, x, -1 if channel is None else channel)
    with np.errstate(over="ignore", invalid="ignore"):
        draw.check(
            numact.prelu,
            [draw.place(x), draw.place(weight)],
            numact.leaky_relu(x, slopes),
            share=[0],
            dtypes=OTHERS,
            **keywords,
        )
        want = numact.prelu_grad(np.array(dy, order="C"), np.array(x, order="C"), np.array(weight), **keywords)
        with draw.surroundings():
            got = numact.prelu_grad(draw.place(dy), draw.place(x), draw.place(weight), **keywords)
    draw.compare(got, want)


@given(data=st.data())
def test_rrelu(data: Any) -> None:
    """The slopes depend on seed and shape only; the result is leaky_relu with them, the gradient its gradient."""
    draw = Draw(data)
    dtype, shape = draw.one_of(ALL_DTYPES), draw.shape((1, 3))
    x, dy, seed = draw.numbers(shape, dtype), draw.numbers(shape, dtype, MODERATE), draw.integer(0, 2**32)
    y, slopes = numact.rrelu(x, 0.1, 0.3, rng=seed)
    with np.errstate(over="ignore", invalid="ignore"):
        assert_same_bits(y, numact.leaky_relu(x, slopes))
        draw.check(
            lambda x, **rest: numact.rrelu(x, 0.1, 0.3, rng=np.random.default_rng(seed), **rest)[0],
            [draw.place(x)],
            y,
            share=[0],
            dtypes=OTHERS,
        )
        draw.check(
            lambda dy, x, slopes, **rest: numact.rrelu_grad(dy, x, slopes, **rest),
            [draw.place(dy), draw.place(x), draw.place(slopes)],
            numact.leaky_relu_grad(dy, x, slopes),
            dtypes=OTHERS,
        )


@given(data=st.data())
def test_attention(data: Any) -> None:
    """The bits of plain arrays; masks are what they are for softmax, and the gradient that of softmax."""
    draw = Draw(data)
    dtype, shape = draw.one_of(ALL_DTYPES), draw.shape((2, 4))
    x = draw.numbers(shape, dtype, (*MODERATE, "special"))
    causal, scale = draw.happens(2), draw.one_of((None, 0.125, 0.5))
    kind = draw.one_of(("none", "boolean", "float"))
    mask: Any = None
    if kind != "none":
        mask = draw.generator().random(draw.broadcastable(shape)) < 0.7
        mask = np.where(mask, -draw.generator().random(mask.shape), -np.inf).astype(dtype) if kind == "float" else mask
    keywords = {"causal": causal, "scale": scale}
    with np.errstate(over="ignore"):
        plain = np.array(x, order="C")
        want = numact.attention_softmax(plain, mask=mask, **keywords)
        if kind != "float" and not causal:
            assert_same_bits(want, numact.softmax(plain, where=mask, temperature=1 / (scale or 1)))
        given_mask = None if mask is None else draw.place(mask, swap=kind == "float", broadcast=shape)
        draw.check(
            numact.attention_softmax, [draw.place(x)], want, share=[0], dtypes=OTHERS, mask=given_mask, **keywords
        )
        dy = draw.numbers(shape, dtype, MODERATE)
        draw.check(
            numact.attention_softmax_grad,
            [draw.place(dy), draw.place(want)],
            numact.softmax_grad(dy, np.asarray(want), temperature=1 / (scale or 1)),
            share=[0],
            dtypes=OTHERS,
            scale=scale,
        )


@given(data=st.data())
def test_maxout(data: Any) -> None:
    """The largest entries and their places, NumPy's, and the gradient, which is dy there."""
    draw = Draw(data)
    dtype, groups, pieces = draw.one_of(ALL_DTYPES), list(draw.shape((1, 3))), draw.integer(1, 5)
    axis = draw.integer(0, len(groups) - 1)
    shape = groups.copy()
    shape[axis] *= pieces
    x = draw.numbers(shape, dtype, (*MODERATE, "special"))
    split = x.reshape(*groups[: axis + 1], pieces, *groups[axis + 1 :]).astype(np.float64)
    place = split.argmax(axis + 1) if x.size else np.zeros(groups, np.intp)
    want = np.take_along_axis(split, np.expand_dims(place, axis + 1), axis + 1).squeeze(axis + 1).astype(dtype)
    kind = draw.one_of((np.intp, np.int32))
    with draw.surroundings():
        got = numact.maxout(draw.place(x), pieces, axis, index_dtype=kind)
        np.testing.assert_array_equal(got[1], place)
        assert got[1].dtype == kind
        dy = draw.numbers(groups, dtype, MODERATE)
        dx = numact.maxout_grad(draw.place(dy), draw.place(got[1]), pieces, axis)
    expected = np.zeros_like(split).astype(dtype)
    np.put_along_axis(expected, np.expand_dims(place, axis + 1), np.expand_dims(dy, axis + 1), axis + 1)
    draw.compare((got[0], dx), (want, expected.reshape(shape)))


@given(data=st.data())
def test_gumbel_softmax(data: Any) -> None:
    """The noise depends on seed and shape only; the result is softmax of the sum, or one-hot."""
    draw = Draw(data)
    dtype, shape = draw.one_of((np.float16, np.float32, np.float64)), draw.shape((1, 3))
    assert dtype is not BFLOAT16
    x, seed = draw.numbers(shape, dtype, MODERATE), draw.integer(0, 2**32)
    axis, hard, tau = draw.integer(0, len(shape) - 1), draw.happens(2), draw.one_of((1.0, 0.5))
    noisy = (x + np.random.default_rng(seed).gumbel(size=shape)).astype(dtype)
    want = numact.hardmax(noisy, axis) if hard else numact.softmax(noisy, axis, temperature=tau)
    with draw.surroundings():
        got = numact.gumbel_softmax(draw.place(x), tau, hard, axis, rng=np.random.default_rng(seed))
    draw.compare((got,), (want,))
