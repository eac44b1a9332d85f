"""The error of every function stays within the bounds of its row, measured for dy = 1 against the true value.

NUMACT_SWEEP_STEP=1 tests every float32 (hours); the default tests one bit pattern in 4073, about 1,050,000.
"""

import os
from collections.abc import Iterator
from typing import Any

import mpmath
import numpy as np
import pytest
from support.cases import FUNCTIONS, Array, Function, critical, name_of, stratified
from support.reference import EXACT, FAST

STEP = int(os.environ.get("NUMACT_SWEEP_STEP", "4073"))
CHUNK = 2**21
# ULP of float32 by which the float64 reference may err.
REFERENCE_ERROR = 1e-6

everywhere = pytest.mark.parametrize("function", FUNCTIONS, ids=name_of)


def sweep() -> Iterator[Array]:
    """Finite float32 numbers: critical neighbourhoods, then every STEPth bit pattern."""
    yield critical(np.float32, 64, 320)
    for start in range(0, 2**32, CHUNK * STEP):
        x = np.arange(start, min(start + CHUNK * STEP, 2**32), STEP).astype(np.uint32).view(np.float32)
        yield x[np.isfinite(x)]


def exact(function: Function, x: Any, parameters: tuple[Any, ...]) -> Any:
    """Compute the true value."""
    return EXACT.mpf(function.reference(EXACT, EXACT.mpf(float(x)), *(EXACT.mpf(float(p)) for p in parameters)))


def true_values(function: Function, x: Array, parameters: tuple[Any, ...]) -> Array:
    """Compute the true values in float64; exactly rounded where a gradient has a root, and float64 cancels."""
    with np.errstate(all="ignore"):
        want = np.asarray(function.reference(FAST, x.astype(np.float64), *map(np.float64, parameters)), np.float64)
    want = np.broadcast_to(want, x.shape).copy()
    if function.suffix == "_grad":
        root = (abs(want) < 1e-3) & (want != 0) & (abs(x) > 0.1) & (abs(x) < 5)
        want[root] = [float(exact(function, value, parameters)) for value in x[root]]
    return want


def check(
    function: Function, x: Any, parameters: tuple[Any, ...], got: Any, want: Any, error: float, bound: float
) -> None:
    """Fail with all that is needed to reproduce."""
    values = ", ".join(float(p).hex() for p in parameters)
    assert error <= bound, (
        f"{function.name}: {error:.4f} ULP, more than {function.bound}, at {float(x).hex()} ({x!r}), "
        f"parameters ({values}): {float(got).hex()}, not {mpmath.nstr(want, 20)}"
    )


@everywhere
def test_float32(function: Function) -> None:
    """Within the bound at more than 2^20 of the 2^32 inputs and at all critical ones."""
    largest = np.finfo(np.float32).max * np.float32(0.75)  # of the last binade; the spacing at max itself overflows
    for parameters in function.parameters(np.float32):
        for inputs in sweep():
            x = function.inputs(inputs)
            x = x[np.isfinite(x)]
            if function.suffix == "_grad_y":
                x = np.unique(x)
            want = true_values(function, x, parameters)
            with np.errstate(over="ignore"):
                got = function.ufunc()(*function.operands(x, parameters))
                rounded = want.astype(np.float32)
            overflow = np.isinf(rounded) & (rounded == got)
            with np.errstate(invalid="ignore"):
                spacing = np.spacing(np.minimum(abs(rounded), largest)).astype(np.float64)
                error = np.where(overflow, 0, abs(got.astype(np.float64) - want) / spacing)
            assert not np.isnan(error).any(), f"{function.name}: NaN at {x[np.isnan(error)][0]!r}"
            i = int(error.argmax())
            check(function, x[i], parameters, got[i], want[i], error[i], function.bound + REFERENCE_ERROR)


def test_sweep_is_dense() -> None:
    """The sweep has the promised size."""
    assert sum(x.size for x in sweep()) >= 2**20


@everywhere
def test_float64(function: Function) -> None:
    """Within the bound at random inputs of every magnitude, at the critical ones, and where segments are widest."""
    largest = np.finfo(np.float64).max * 0.75
    for parameters in function.parameters():
        rng = np.random.default_rng(0)
        moderate = np.concatenate([rng.uniform(-1, 1, 300), rng.uniform(-0.06, 0.06, 300)])
        x = function.inputs(np.concatenate([critical(np.float64, 2, 30), stratified(np.float64, 2700), moderate]))
        x = np.unique(x[np.isfinite(x)])
        with np.errstate(over="ignore"):
            results = function.ufunc()(*function.operands(x, parameters))
        for value, got in zip(x, results, strict=True):
            want = exact(function, value, parameters)
            rounded = float(want)
            if np.isinf(rounded) and rounded == got:
                continue
            assert np.isfinite(got), f"{function.name}({float(value).hex()}) is {got}, not {mpmath.nstr(want, 20)}"
            error = abs(EXACT.mpf(float(got)) - want) / EXACT.mpf(float(np.spacing(min(abs(rounded), largest))))
            if error > function.bound:
                check(function, value, parameters, got, want, float(error), function.bound)


@everywhere
def test_references_agree(function: Function) -> None:
    """The float64 reference is good to REFERENCE_ERROR."""
    x = function.inputs(np.concatenate([critical(np.float32, 1, 20), stratified(np.float32, 300)]))
    x = np.unique(x[np.isfinite(x)])
    for parameters in function.parameters(np.float32):
        for value, got in zip(x, true_values(function, x, parameters), strict=True):
            want = exact(function, value, parameters)
            spacing = max(2.0**-149, abs(float(want)) * 2.0**-24)
            assert abs(got - want) <= REFERENCE_ERROR * spacing, f"{function.name} at {float(value).hex()}"
