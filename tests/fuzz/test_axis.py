"""Functions along an axis: drawn calls beside one call for each row, and beside true values."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cases import Array, assert_same_bits
from support.drawn import ALL_DTYPES, INTEGERS, Draw, axes_of
from support.plain_axis import of_rows, row_by_row, rows_of, without
from support.reference import EXACT
from support.reference_axis import FORWARD, TEMPERED, numbers, ulp_error

import numact
from numact._kernels import core

BOUNDS = core.axis_bounds()
FLOATS = (np.float32, np.float64)
LONGEST = 300  # entries of a row whose true values are computed


def drawn_temperature(draw: Draw, dtype: Any, shape: tuple[int, ...], axis: Any) -> Any:
    """A positive number, or an array with one for each row."""
    if not draw.happens(3):
        return draw.one_of((1.0, 0.5, 3.0, 0.1))
    return draw.generator().uniform(0.5, 2, draw.broadcastable(without(shape, axis))).astype(dtype)


def assert_true(name: str, x: Array, axis: Any, temperature: Any, got: Any) -> None:
    """The first and the last row are within the bound of the true values, if they are finite and not too long."""
    if not x.size:
        return
    rows = rows_of(x, axis, x.shape)
    results = np.ravel(got)[:, None] if name == "logsumexp" else rows_of(got, axis, x.shape)
    each = of_rows(np.asarray(temperature, np.float64 if x.dtype == np.float64 else np.float32), axis, x.shape)
    bound = BOUNDS[name] if x.dtype.itemsize > 2 else 0.51
    for k in {0, len(rows) - 1}:
        if rows.shape[1] > LONGEST or not np.isfinite(rows[k].astype(np.float64)).all():
            continue
        if name == "hardmax":
            assert_same_bits(results[k], np.asarray(np.arange(rows.shape[1]) == rows[k].argmax(), x.dtype))
            continue
        exact = [EXACT.mpf(float(each[k]))] if name in TEMPERED else []
        for value, want in zip(results[k], FORWARD[name](numbers(rows[k]), *exact), strict=True):
            assert ulp_error(value, want, 1 if name == "sparsemax" else 0) <= bound


@pytest.mark.parametrize("name", [*FORWARD, "hardmax"])
@given(data=st.data())
def test_forward(name: str, data: Any) -> None:
    """Bits do not depend on axis, layout, mask or place; values are within the bound of the true ones."""
    draw, function = Draw(data), getattr(numact, name)
    dtype, shape = draw.one_of(ALL_DTYPES), draw.shape((1, 4))
    axis = axes_of(draw, len(shape))
    x = draw.numbers(shape, draw.one_of(INTEGERS) if draw.happens(12) else dtype)
    common = np.result_type(x, np.float32).type if x.dtype.kind in "biu" else dtype
    keywords: dict[str, Any] = {}
    if name in TEMPERED:
        keywords["temperature"] = drawn_temperature(draw, common, shape, axis)
    if name == "logsumexp":
        keywords["keepdims"] = draw.happens(2)
    rowwise = {key: value for key, value in keywords.items() if key == "temperature"}
    mask = None if name == "hardmax" else draw.mask(shape)
    if mask is not None:
        keywords["where"] = rowwise["where"] = mask
    with np.errstate(over="ignore"):
        if 0 in shape:
            want = function(np.array(x.astype(common), order="C"), axis=axis, **keywords)
        else:
            plain = [x.astype(common)]
            want = row_by_row(function, plain, axis, name == "logsumexp", keywords.get("keepdims", False), **rowwise)
        draw.check(function, [draw.place(x)], want, share=[0], dtypes=FLOATS, axis=axis, **keywords)
    if mask is None:
        assert_true(name, x.astype(common), axis, keywords.get("temperature", 1.0), want)


@pytest.mark.parametrize("name", ["softmax_grad", "softmin_grad", "log_softmax_grad", "sparsemax_grad"])
@given(data=st.data())
def test_gradient(name: str, data: Any) -> None:
    """The gradients, from the output, have the bits of one call for each row."""
    draw, function = Draw(data), getattr(numact, name)
    dtype, shape = draw.one_of(ALL_DTYPES), draw.shape((1, 4))
    axis = axes_of(draw, len(shape))
    forward = getattr(numact, name.removesuffix("_grad"))
    keywords = {} if name == "sparsemax_grad" else {"temperature": drawn_temperature(draw, dtype, shape, axis)}
    dy, y = draw.numbers(shape, dtype, ("moderate", "whole")), draw.numbers(shape, dtype, ("moderate", "equal"))
    y = y if 0 in shape else np.array(forward(y, axis=axis))
    if 0 in shape:
        want = function(dy, y, axis=axis, **keywords)
    else:
        want = row_by_row(function, [dy, y], axis, False, **keywords)
    draw.check(function, [draw.place(dy), draw.place(y)], want, share=[0, 1], dtypes=FLOATS, axis=axis, **keywords)


@given(data=st.data())
def test_logsumexp_with_weights(data: Any) -> None:
    """SciPy's `b=` and `return_sign=`: the bits of one call for each row."""
    draw = Draw(data)
    dtype, shape = draw.one_of(FLOATS), draw.shape((1, 3))
    axis, signs, keep = axes_of(draw, len(shape)), draw.happens(2), draw.happens(2)
    x = draw.numbers(shape, dtype, ("moderate", "equal", "whole"))
    b = draw.numbers(draw.broadcastable(shape), dtype, ("moderate", "whole"))
    if not signs:
        b = abs(b)

    def of_row(row: Array, **keywords: Any) -> Any:
        return numact.logsumexp(row, return_sign=signs, **keywords)

    with np.errstate(divide="ignore"):
        if 0 in shape:
            want = numact.logsumexp(x, axis, b=b, return_sign=signs, keepdims=keep)
        else:
            want = row_by_row(of_row, [x], axis, True, keep, b=b)
        got = numact.logsumexp(draw.place(x), axis, b=draw.place(b, broadcast=shape), return_sign=signs, keepdims=keep)
    several = isinstance(want, tuple)
    draw.compare(got if several else (got,), want if several else (want,))
