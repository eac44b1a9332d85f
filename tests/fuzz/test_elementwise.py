"""Elementwise functions: drawn operands, layouts and results beside one plain call, and beside true values."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cases import BUILT, FUNCTIONS, LEVELS, Array, Function, name_of
from support.drawn import ALL_DTYPES, BFLOAT16, INTEGERS, Draw
from support.reference import EXACT
from support.reference_axis import ulp_error

import numact
from numact.commands.inputs import of_parameters
from numact.commands.verify import reference
from numact.commands.verify.checks import FORMATS


def drawn_parameters(draw: Draw, function: Function, dtype: Any, shape: tuple[int, ...]) -> list[Array]:
    """Numbers, or arrays of the dtype that broadcast, which obey the rules of the function."""
    first, second, *_ = [*function.parameters(dtype), *function.parameters(dtype)]
    if draw.happens(4) and first:
        choice = draw.generator().random(draw.broadcastable(shape)) < 0.5
        return [np.where(choice, a, b).astype(dtype) for a, b in zip(first, second, strict=True)]
    # Bounds of outputs are rounded as these are.
    rounded = dtype if function.suffix == "_grad_y" else of_parameters(dtype)
    return [np.asarray(value).astype(rounded) for value in draw.one_of((first, second))]


def largest_error(function: Function, dy: Array, x: Array, parameters: list[float], got: Array) -> float:
    """The largest error in ULP of dy f'(x), or of f(x) where dy is 1; of float64 among two elements.

    Not of subnormal derivatives, whose rounding dy enlarges, nor of infinite ones.
    """
    info = np.finfo(np.float64 if x.dtype == np.float64 else np.float32)
    least, most = (float(info.tiny), float(info.max)) if function.suffix else (0.0, np.inf)
    if x.dtype == np.float64:
        errors = [0.0]
        for k in {0, x.size - 1} if x.size and function.suffix != "_grad_y" else ():
            want = function.reference(EXACT, EXACT.mpf(float(x[k])), *map(EXACT.mpf, parameters))
            if least <= abs(want) <= most:
                errors.append(ulp_error(got[k], want * EXACT.mpf(float(dy[k]))))
        return max(errors)
    x = x.astype(np.float32)
    want = reference.evaluate(function.name.removesuffix("_at_zero"), x, parameters[: len(function.row.parameters)])
    if function.suffix == "_grad_at_zero":
        want[x == 0] = parameters[-1]
    normal = ((abs(want) >= least) & (abs(want) <= most)) | (want == 0)
    error, *_ = reference.compare(
        got.astype(np.float32)[normal],
        want[normal] * dy.astype(np.float64)[normal],
        *FORMATS[str(got.dtype)],
        partial=function.suffix == "_grad_y",
    )
    return error


@pytest.mark.parametrize("function", FUNCTIONS, ids=name_of)
@given(data=st.data())
def test_elementwise(function: Function, data: Any) -> None:
    """Bits do not depend on how a function is called; values are within the bound of the true ones."""
    draw = Draw(data)
    dtype, shape = draw.one_of(ALL_DTYPES), draw.shape()
    x = draw.numbers(shape, dtype)
    dy = draw.numbers(draw.broadcastable(shape), dtype, ("moderate", "whole")) if function.suffix else None
    kind = draw.one_of(("plain", "plain", "plain", "integers", "mixed", "dtype"))
    keywords: dict[str, Any] = {}
    common = dtype
    if kind == "integers" and np.dtype(dtype).kind == "f":
        x = draw.numbers(shape, draw.one_of(INTEGERS))
        dy = None if dy is None else dy.astype(x.dtype)
        common = np.exp(np.zeros(1, x.dtype)).dtype.type
    elif kind == "mixed" and dy is not None and dtype is not BFLOAT16:
        dy = dy.astype(draw.one_of((np.float16, np.float32, np.float64)))
        common = np.result_type(dy, x).type
    elif kind == "dtype" and dtype in (np.float32, np.float64):
        common = keywords["dtype"] = draw.one_of((np.float32, np.float64))
    parameters = drawn_parameters(draw, function, common, shape)
    with np.errstate(over="ignore"):
        operands = [operand.astype(common) for operand in (dy, x) if operand is not None]
        whole = [np.array(np.broadcast_to(operand, shape), order="C") for operand in operands]
        wide = [value.astype(of_parameters(common)) for value in parameters]
        flat = [np.array(np.broadcast_to(value, shape), order="C") for value in wide]
        want = BUILT["baseline"][function.name](*whole, *flat)

        level = draw.one_of((None, None, *LEVELS))
        given = [draw.place(operand, broadcast=shape) for operand in (dy, x) if operand is not None]
        if level is None:
            called: Any = getattr(numact, function.name.removesuffix("_at_zero"))
            values = [value if value.ndim else value[()] for value in parameters]
            if function.suffix == "_grad_at_zero":
                keywords["at_zero"] = values.pop()
        else:
            called, values = BUILT[level][function.name], [draw.place(value) for value in wide]
        floats = (np.float32, np.float64)
        share = range(len(given))
        draw.check(called, [*given, *values], want, share=share, dtypes=floats, masked=True, **keywords)
    if all(value.ndim == 0 for value in parameters) and np.isfinite(whole[0]).all():
        bound = function.bound
        of_one = whole[0].ravel() if dy is not None else np.ones(x.size)
        numbers = [float(value) for value in wide]
        if dy is not None:
            bound = 2 * bound + 0.5  # an ULP of the derivative may be two of the product, which is rounded, too
        if np.dtype(common).itemsize == 2:
            bound = 0.51
        assert largest_error(function, of_one, whole[-1].ravel(), numbers, want.ravel()) <= bound
