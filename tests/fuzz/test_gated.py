"""Gated functions of two arrays and of two halves: drawn calls beside one plain call, and beside true values."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cases import BUILT, LEVELS, Array, name_of
from support.drawn import ALL_DTYPES, Draw
from support.gated_cases import FUNCTIONS, Gated

import numact
from numact.commands.verify import reference
from numact.commands.verify.checks import FORMATS, GATE


def plain(function: Gated, *operands: Array) -> Any:
    """One call of contiguous arrays, by one thread."""
    return BUILT["baseline"][function.name](*(np.array(operand, order="C") for operand in operands))


def assert_true(function: Gated, dy: Array, gate: Array, other: Array) -> None:
    """Results for dy = 1 are within the bound of the true values; of float64 in tests/functions/test_gated.py."""
    finite = np.isfinite(gate) & np.isfinite(other)
    gate, other = gate[finite], other[finite]
    gate32 = gate.astype(np.float32)
    value = reference.evaluate(GATE[function.row.name], gate32)
    wants = [value * other.astype(np.float64)]
    if function.suffix:
        by_gate = other.astype(np.float64) * reference.evaluate(f"{GATE[function.row.name]}_grad", gate32)
        wants = [by_gate, value] if function.row.arguments[0] == "gate" else [value, by_gate]
    results = plain(function, *function.arranged(np.ones_like(gate), gate, other))
    bound = function.bound if gate.dtype == np.float32 else 0.51
    for got, want in zip(results if function.suffix else (results,), wants, strict=True):
        error, *_ = reference.compare(got.astype(np.float32), want, *FORMATS[str(gate.dtype)])
        assert error <= bound


@pytest.mark.parametrize("function", FUNCTIONS, ids=name_of)
@given(data=st.data())
def test_gated(function: Gated, data: Any) -> None:
    """Bits do not depend on how a function is called; values are within the bound of the true ones."""
    draw = Draw(data)
    dtype, shape = draw.one_of(ALL_DTYPES), draw.shape()
    operands = [draw.numbers(draw.broadcastable(shape), dtype) for _ in range(function.operands)]
    operands[-1] = draw.numbers(shape, dtype)
    level = draw.one_of((None, *LEVELS))
    called = getattr(numact, function.name) if level is None else BUILT[level][function.name]
    with np.errstate(over="ignore", invalid="ignore"):  # 0 inf
        whole = [np.broadcast_to(operand, shape) for operand in operands]
        want = plain(function, *whole)
        placed = [draw.place(operand, broadcast=shape) for operand in operands]
        draw.check(called, placed, want, share=range(len(placed)), dtypes=(np.float32, np.float64), masked=True)
        if dtype is not np.float64:
            assert_true(function, *(np.array(operand).ravel() for operand in (whole[0], *whole[-2:])))


@pytest.mark.parametrize("function", FUNCTIONS, ids=name_of)
@given(data=st.data())
def test_halves(function: Gated, data: Any) -> None:
    """The functions of an array that holds both halves have the bits of those of two arrays."""
    draw = Draw(data)
    dtype, shape = draw.one_of(ALL_DTYPES), draw.shape((1, 4))
    axis = draw.integer(0, len(shape) - 1)
    parts = [draw.numbers(shape, dtype) for _ in range(function.operands)]
    whole = np.concatenate(parts[-2:], axis)
    called = getattr(numact, f"{function.row.name}_split{function.suffix}")
    with np.errstate(over="ignore", invalid="ignore"):
        want = plain(function, *parts)
        want = np.concatenate(want, axis) if function.suffix else want
        placed = [*([draw.place(parts[0])] if function.suffix else []), draw.place(whole)]
        given_axis = axis - len(shape) if draw.happens(2) else axis
        draw.check(called, placed, want, share=range(len(placed)), axis=given_axis)
