"""Normalisation: drawn calls beside one plain call, and beside the definition in long double."""

from math import prod
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support.cases import Array, assert_same_bits
from support.drawn import ALL_DTYPES, Draw, axes_of
from support.plain_axis import in_order
from support.reference_norm import assert_within, bound_of, normalised

import numact
from numact import norm

ROWS = ("layer_norm", "rms_norm")
MODERATE = ("moderate", "whole", "equal")
ACTIVATIONS = (None, None, "relu", "gelu", ("leaky_relu", {"negative_slope": 0.2}), numact.silu)


def plain(function: Any, operands: list[Array], **keywords: Any) -> Any:
    """One call of contiguous arrays."""
    return function(*(None if operand is None else np.array(operand, order="C") for operand in operands), **keywords)


def along(shape: tuple[int, ...], axis: Any) -> tuple[int, ...]:
    """The shape that an array has along the axes."""
    return tuple(shape[k] for k in in_order(axis, len(shape)))


def vector(draw: Draw, shape: tuple[int, ...], dtype: Any) -> Any:
    """Weights of a shape in a drawn dtype, or none."""
    return draw.numbers(shape, draw.one_of((dtype, np.float64)), MODERATE) if draw.happens(2) else None


def placed(draw: Draw, operands: list[Any]) -> list[Any]:
    """The operands in drawn layouts; none stays none."""
    return [None if operand is None else draw.place(operand) for operand in operands]


@pytest.mark.parametrize("name", ROWS)
@given(data=st.data())
def test_rows(name: str, data: Any) -> None:
    """Bits do not depend on how a function is called; values are within the bound of the definition."""
    draw, function = Draw(data), getattr(norm, name)
    dtype = draw.one_of(ALL_DTYPES)
    shape = tuple(length or 1 for length in draw.shape((1, 4)))
    axis = axes_of(draw, len(shape), ("one", "tuple"))
    eps, activation = draw.one_of((1e-5, 1e-3)), draw.one_of(ACTIVATIONS)
    x = draw.numbers(shape, dtype, (*MODERATE, "special"))
    weights = [vector(draw, along(shape, axis), dtype) for _ in range(2 if name == "layer_norm" else 1)]
    keywords: dict[str, Any] = {"eps": eps, "axis": axis, "activation": activation}
    with np.errstate(over="ignore"):
        if draw.happens(4):
            operands = placed(draw, [x, *weights])
            with draw.surroundings():
                got = function(*operands, return_stats=True, **keywords)
            draw.compare(got, plain(function, [x, *weights], return_stats=True, **keywords))
        want = plain(function, [x, *weights], **keywords)
        operands = placed(draw, [x, *weights])
        draw.check(function, operands, want, share=[0], dtypes=(np.float32, np.float64), **keywords)
        overflows = dtype == np.float64 and abs(x).max() > 1e150  # squares do, which the documentation says
        if all(weight is None for weight in weights) and activation is None and np.isfinite(x).all() and not overflows:
            true = normalised(x, in_order(axis, len(shape)), eps, centred=name == "layer_norm")
            assert_within(want, true, bound_of(dtype), abs(true) + 1 if dtype == np.float64 else 2.0**-16)


@pytest.mark.parametrize("name", ["group_norm", "instance_norm", "batch_norm", "batch_norm_train"])
@given(data=st.data())
def test_channels(name: str, data: Any) -> None:
    """The same of functions of channels; running statistics are updated as those of the plain call."""
    draw, function = Draw(data), getattr(norm, name)
    dtype = draw.one_of(ALL_DTYPES)
    least = 3 if name == "instance_norm" else 2
    shape = tuple(length or 1 for length in draw.shape((least, 4)))
    axis = draw.integer(0, len(shape) - 1) if name.startswith("batch") else 1
    channels = shape[axis]
    assume(name != "batch_norm_train" or prod(shape) > channels)
    x = draw.numbers(shape, dtype, (*MODERATE, "special"))
    weights = [vector(draw, (channels,), dtype) for _ in range(2)]
    keywords: dict[str, Any] = {"axis": axis - len(shape) if draw.happens(2) else axis}
    keywords["activation"] = draw.one_of(ACTIVATIONS)
    running: list[Array] = []
    leading: list[Any] = []
    if name == "group_norm":
        keywords["groups"] = draw.one_of([k for k in range(1, channels + 1) if channels % k == 0])
    elif name.startswith("batch"):
        rng = draw.generator()
        running = [rng.normal(size=channels), rng.uniform(0.5, 2, channels)]
        leading = [*running] if name == "batch_norm" or draw.happens(2) else [None, None]
    rest = {"weight": weights[0], "bias": weights[1]}
    with np.errstate(over="ignore"):
        want = plain(function, [x, *leading], **rest, **keywords)
        # Running statistics are written to.
        own = [None if value is None else value.copy() for value in leading]
        rest = dict(zip(rest, placed(draw, weights), strict=True))
        if name != "batch_norm_train":
            operands = placed(draw, [x, *leading])
            draw.check(function, operands, want, share=[0], dtypes=(np.float32, np.float64), **rest, **keywords)
            return
        expected = [None if value is None else value.copy() for value in leading]
        plain_want = function(np.array(x), *expected, weight=weights[0], bias=weights[1], **keywords)
        with draw.surroundings():
            got = function(draw.place(x), *own, **rest, **keywords)
    draw.compare((got[0], *got[1]), (plain_want[0], *plain_want[1]))
    for mine, wanted in zip(own, expected, strict=True):
        if wanted is not None:
            assert_same_bits(mine, wanted)


@pytest.mark.parametrize("name", ["layer_norm_grad", "rms_norm_grad"])
@given(data=st.data())
def test_gradients_of_rows(name: str, data: Any) -> None:
    """Gradients have the bits of one plain call."""
    draw, function = Draw(data), getattr(norm, name)
    dtype = draw.one_of(ALL_DTYPES)
    shape = tuple(length or 1 for length in draw.shape((1, 4)))
    axis = axes_of(draw, len(shape), ("one", "tuple"))
    operands = [draw.numbers(shape, dtype, MODERATE) for _ in range(2)]
    operands.append(vector(draw, along(shape, axis), dtype))
    want = plain(function, operands, axis=axis)
    with draw.surroundings():
        got = function(*placed(draw, operands), axis=axis)
    draw.compare(got, want)


@pytest.mark.parametrize("name", ["group_norm_grad", "instance_norm_grad", "batch_norm_grad"])
@given(data=st.data())
def test_gradients_of_channels(name: str, data: Any) -> None:
    """The same of functions of channels."""
    draw, function = Draw(data), getattr(norm, name)
    dtype = draw.one_of(ALL_DTYPES)
    shape = tuple(length or 1 for length in draw.shape((3, 4)))
    assume(name != "batch_norm_grad" or prod(shape) > shape[1])
    dy, x = (draw.numbers(shape, dtype, MODERATE) for _ in range(2))
    keywords: dict[str, Any] = {"weight": vector(draw, shape[1:2], dtype)}
    if name == "group_norm_grad":
        keywords["groups"] = draw.one_of([k for k in range(1, shape[1] + 1) if shape[1] % k == 0])
    elif name == "batch_norm_grad":
        keywords["saved"] = norm.batch_norm_train(x, None, None)[1]
    want = plain(function, [dy, x], **keywords)
    if keywords["weight"] is not None:
        keywords["weight"] = draw.place(keywords["weight"])
    with draw.surroundings():
        got = function(draw.place(dy), draw.place(x), **keywords)
    draw.compare(got, want)
