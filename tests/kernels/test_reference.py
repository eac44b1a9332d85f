"""The compiled reference (csrc/reference): complete, true, and a measure that tells right from wrong."""

from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
from support.cases import FUNCTIONS, Array, Function, critical, name_of, stratified
from support.reference import EXACT

from numact.commands.inputs import ends_of_exponents
from numact.commands.verify import reference

# ULP of float32 by which the reference may err.
ALLOWED = 1e-6
FLOAT32, FLOAT16, BFLOAT16 = (23, -126, 127), (10, -14, 15), (7, -126, 127)
JUDGED = [function for function in FUNCTIONS if function.suffix != "_grad_at_zero"]
# Gradients of these cross zero, between -2 and -0.5.
ROOTS = [-0.7517915246935645, -0.7524614220710163, -0.7511542554412889, -0.7861513777574233, -1.1924312145154952]
ROOTS += [-1.278464542761074, -1.278464542761074 / 0.7, -1.5]

every_function = pytest.mark.parametrize("function", JUDGED, ids=name_of)


def inputs(function: Function) -> Array:
    """Numbers of every kind, many of them beside the roots; for gradients from the output, outputs too."""
    rng = np.random.default_rng(5)
    distances = np.exp2(rng.uniform(-30, 0, 60)) * rng.choice([-1, 1], 60)
    near = (np.array(ROOTS)[:, None] + distances).ravel().astype(np.float32)
    x = np.concatenate([critical(np.float32, 1, 20), stratified(np.float32, 1500), near, ends_of_exponents(np.float32)])
    return np.concatenate([x, function.inputs(x)]) if function.suffix == "_grad_y" else x


def test_complete() -> None:
    """Every function of the list has a reference, and every reference a function."""
    assert sorted(reference.names()) == sorted(function.name for function in JUDGED)


def test_independent() -> None:
    """The reference shares no line with the kernels."""
    sources = Path(__file__).parents[2].joinpath("csrc/reference").glob("*.c")
    lines = [line for source in sources for line in source.read_text(encoding="utf-8").splitlines()]
    included = {line.split()[1] for line in lines if line.startswith("#include")}
    assert included == {'"reference/reference.h"', "<math.h>", "<stdint.h>", "<string.h>"}


@every_function
def test_true(function: Function) -> None:
    """Within 1e-6 ULP of float32 of the exact value."""
    x = np.unique(inputs(function))
    x = x[np.isfinite(x)]
    for parameters in function.parameters(np.float32):
        exact = [EXACT.mpf(float(p)) for p in parameters]
        for value, got in zip(x, reference.evaluate(function.name, x, parameters), strict=True):
            if function.suffix == "_grad_y" and np.isnan(got):
                continue
            want = EXACT.mpf(function.reference(EXACT, EXACT.mpf(float(value)), *exact))
            spacing = EXACT.ldexp(1, max(EXACT.mag(want) - 24, -149)) if want else EXACT.ldexp(1, -149)
            message = f"{function.name} at {float(value).hex()} {parameters}: {got}, not {mpmath.nstr(want, 20)}"
            assert np.isfinite(got) or abs(want) > 1e300, message
            assert np.isinf(got) or abs(EXACT.mpf(float(got)) - want) <= ALLOWED * spacing, message


@pytest.mark.parametrize("function", [f for f in JUDGED if f.suffix == "_grad_y"], ids=name_of)
def test_outputs(function: Function) -> None:
    """The gradient from the output has a value for every output, whichever input it came from."""
    forward = Function(function.row, "")
    x = np.concatenate([critical(np.float32, 8, 100), stratified(np.float32, 3000), ends_of_exponents(np.float32)])
    for parameters in function.parameters(np.float32):
        with np.errstate(over="ignore"):
            y = forward.ufunc()(*forward.operands(x[~np.isnan(x)], parameters))
        want = reference.evaluate(function.name, y, parameters)
        assert not np.isnan(want).any(), y[np.isnan(want)]


def test_errors_of_use() -> None:
    """Unknown names, and a wrong number of parameters or results, are refused."""
    x = np.ones(3, np.float32)
    with pytest.raises(ValueError, match="'nonsense'"):
        reference.evaluate("nonsense", x)
    with pytest.raises(ValueError, match="1 parameters, got 0"):
        reference.evaluate("elu", x)
    with pytest.raises(ValueError, match="got 3 and 2"):
        reference.compare(x, np.ones(2), *FLOAT32)
    assert reference.evaluate("relu", x[:0]).size == 0
    assert reference.compare(x[:0], np.ones(0), *FLOAT32) == (-1, -1, 0, 0)


def compare(got: Any, want: Any, format: tuple[int, int, int] = FLOAT32, **keywords: bool) -> Any:
    """Compare two numbers: error, counted, correct."""
    error, _, counted, correct = reference.compare(
        np.array([got], np.float32), np.array([want], np.float64), *format, **keywords
    )
    return error, counted, correct


@pytest.mark.parametrize("format", [FLOAT32, FLOAT16, BFLOAT16], ids=["float32", "float16", "bfloat16"])
def test_measure(format: tuple[int, int, int]) -> None:
    """An error is measured in units of the last place, and the correctly rounded number is known."""
    digits, least, largest = format
    unit, smallest, top = 2.0**-digits, 2.0 ** (least - digits), (2 - 2.0**-digits) * 2.0**largest
    inf, nan = np.inf, np.nan
    assert compare(1, 1, format) == (0, 1, 1)
    assert compare(1, 1 + 0.25 * unit, format) == (0.25, 1, 1)
    assert compare(1 + unit, 1 + 0.25 * unit, format) == (0.75, 1, 0)
    assert compare(1 - unit / 2, 1, format) == (0.5, 1, 0)
    assert compare(0, 0.25 * smallest, format) == (0.25, 1, 1)
    assert compare(3 * smallest, smallest, format) == (2, 1, 0)
    assert compare(1, 1 + 0.5 * unit, format) == (0.5, 1, 1)  # to even
    assert compare(1 + unit, 1 + 0.5 * unit, format) == (0.5, 1, 0)
    # Beyond the largest number.
    assert compare(inf, 4 * top, format) == (0, 1, 1)
    assert compare(-inf, -inf, format) == (0, 1, 1)
    assert compare(top, top, format) == (0, 1, 1)
    assert compare(inf, top, format) == (1, 1, 0)
    assert compare(top, 2.0 ** (largest + 1), format) == (1, 1, 0)
    for got, want in ((inf, -inf), (top, inf), (nan, 1), (nan, inf), (-inf, 4 * top)):
        assert compare(got, want, format)[0] > 100, (got, want)
        assert compare(got, want, format)[2] == 0
    # NaN, and zeros.
    assert compare(nan, nan, format) == (-1, 0, 0)
    assert compare(1, nan, format) == (inf, 0, 0)
    assert compare(1, nan, format, partial=True) == (-1, 0, 0)
    assert compare(0, -smallest / 4, format) == (0.25, 1, 1)
    assert compare(0, -smallest / 4, format, signs=True) == (inf, 1, 0)
    assert compare(-0.0, -smallest / 4, format, signs=True) == (0.25, 1, 1)


def test_measure_agrees() -> None:
    """On random numbers the measure is NumPy's spacing, and rounding NumPy's own."""
    rng = np.random.default_rng(6)
    want = np.ldexp(rng.uniform(-1, 1, 3000), rng.integers(-155, 128, 3000))
    rounded = want.astype(np.float32)
    got = np.where(rng.random(3000) < 0.3, np.nextafter(rounded, np.float32(0)), rounded)
    expected = abs(got.astype(np.float64) - want) / np.spacing(abs(rounded)).astype(np.float64)
    error, worst, counted, correct = reference.compare(got, want, *FLOAT32)
    assert (error, worst, counted) == (float(expected.max()), int(expected.argmax()), 3000)
    assert correct == (got == rounded).sum()
