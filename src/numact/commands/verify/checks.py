"""The error of each function, found in parts that threads can share; run.py is the command.

float16, bfloat16 and float32 are compared with reference.pyx, compiled from csrc/reference, float64 with the 200 bits
of exact.py.  All values of float16 and bfloat16 are checked, all of float32 on request.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import numpy as np

from numact.commands.inputs import (
    HARD,
    Array,
    critical,
    ends_of_exponents,
    stratified,
    unsigned,
)
from numact.commands.selection import Function
from numact.commands.verify import reference

# A gated function is f(gate) times the other argument: the name of f.
GATE = {"glu": "sigmoid", "swiglu": "silu", "geglu": "gelu", "geglu_tanh": "gelu_tanh", "reglu": "relu"}

# Bits after the binary point of the significand, exponents of the smallest and of the largest normal number.
FORMATS = {"float16": (10, -14, 15), "bfloat16": (7, -126, 127), "float32": (23, -126, 127)}
# Error of the reference itself, in ULP of the type: csrc/reference/reference.c is within 1e-6 for float32.
REFERENCE_ERROR = {"float16": 0.0, "bfloat16": 0.0, "float32": 1e-6, "float64": 0.0}

# Without --exhaustive, one float32 bit pattern in STEP is checked; odd, so that the low bits vary.
STEP = 4073
# Bit patterns of a part, the work item of a thread, and of a block within it, whose arrays fit in the cache.
PART, BLOCK = 2**22, 2**16
# Number of random float64 inputs per function and set of parameters, and of random pairs of operands per gated
# function; the second of each with --exhaustive.
FLOAT64, FLOAT64_MANY = 1500, 30_000
GATES, GATES_MANY = 2**19, 2**26
GATES_FLOAT64, GATES_FLOAT64_MANY = 1000, 20_000
# Time for a float64 input over that for a float32 input, roughly, to estimate the time left.
FLOAT64_COST = 1000


@dataclass(frozen=True)
class Found:
    """The largest error among some results, its operands, and how many results are correctly rounded."""

    error: float = -1.0
    operands: tuple[Any, ...] = ()
    parameters: tuple[Any, ...] = ()
    got: Any = None
    inputs: int = 0
    correct: int = 0

    def __add__(self, other: Found) -> Found:
        """Both together; of equal errors the first is kept."""
        worse = other if other.error > self.error else self
        inputs, correct = self.inputs + other.inputs, self.correct + other.correct
        return replace(worse, inputs=inputs, correct=correct)


# A function under test: a ufunc, or the combination by `on_all` of the ufuncs of several dispatch targets.
Computed = Callable[..., Any]


def on_all(levels: Sequence[Mapping[str, Computed]]) -> dict[str, Computed]:
    """The functions of the first dispatch target, which give NaN, an infinite error, where another gives other bits."""
    if len(levels) == 1:
        return dict(levels[0])
    return {name: partial(_on_all, [built[name] for built in levels]) for name in levels[0]}


def _on_all(ufuncs: Sequence[Computed], *operands: Array) -> Any:
    first, *others = (ufunc(*operands) for ufunc in ufuncs)
    for other in others:
        for a, b in zip(as_tuple(first), as_tuple(other), strict=True):
            differ = a.view(unsigned(a.dtype)) != b.view(unsigned(b.dtype))
            if differ.any():
                a[differ] = np.nan
    return first


def as_tuple(results: Any) -> tuple[Array, ...]:
    """The results as a tuple, also if there is only one."""
    return results if isinstance(results, tuple) else (results,)


@dataclass(frozen=True)
class Part:
    """A work item: some inputs of a function, checked by one thread."""

    cost: int
    check: Callable[[], Found]


# Elementwise functions in float16, bfloat16 and float32.


def check_numbers(
    ufunc: Computed, function: Function, dtype: str, x: Array, parameters: tuple[Any, ...], ones: Array
) -> Found:
    """Compare with the compiled reference; x is contiguous."""
    with np.errstate(all="ignore"):
        got = ufunc(*((ones[: x.size],) if function.suffix else ()), x, *parameters)
        x32, got32 = x.astype(np.float32, copy=False), got.astype(np.float32, copy=False)
    want = reference.evaluate(function.name, x32, [float(value) for value in parameters])
    error, worst, inputs, correct = reference.compare(
        got32, want, *FORMATS[dtype], partial=function.suffix == "_grad_y", signs=function.suffix == ""
    )
    if worst < 0:
        return Found()
    return Found(error, (float(x32[worst]),), parameters, float(got32[worst]), inputs, correct)


def check_range(
    ufunc: Computed, function: Function, dtype: str, kind: Any, patterns: range, parameters: tuple[Any, ...]
) -> Found:
    """Compare with the compiled reference at the numbers that have these bit patterns."""
    ones = np.ones(BLOCK, kind)
    found = Found()
    for start in range(patterns.start, patterns.stop, patterns.step * BLOCK):
        block = np.arange(start, min(start + patterns.step * BLOCK, patterns.stop), patterns.step, dtype=np.uint64)
        x = block.astype(unsigned(kind)).view(kind)
        found += check_numbers(ufunc, function, dtype, x, parameters, ones)
    return found


@cache
def special_float32() -> Array:
    """The critical points with their neighbours, and the ends of every exponent."""
    return np.concatenate([critical(np.float32, 64, 320), ends_of_exponents(np.float32)])


def check_special(ufunc: Computed, forward: Computed, function: Function, parameters: tuple[Any, ...]) -> Found:
    """Compare at the special numbers; for a gradient from the output, also at their outputs."""
    x = special_float32()
    if function.suffix == "_grad_y":
        with np.errstate(all="ignore"):
            x = np.concatenate([x, forward(x, *parameters)])
    return check_numbers(ufunc, function, "float32", x, parameters, np.ones_like(x))


def elementwise_parts(
    built: Mapping[str, Computed], function: Function, dtype: str, kind: Any, exhaustive: bool
) -> Iterator[Part]:
    """All inputs of a function in parts; of float32 a sample, or all for the default parameters if `exhaustive`."""
    ufunc, forward = built[function.name], built[function.row.name]
    for index, parameters in enumerate(function.parameters(kind)):
        if dtype == "float32":
            step = 1 if exhaustive and index == 0 else STEP
            yield Part(special_float32().size, partial(check_special, ufunc, forward, function, parameters))
        else:
            step = 1
        end = 2 ** (8 * np.dtype(kind).itemsize)
        for start in range(0, end, step * PART):
            patterns = range(start, min(start + step * PART, end), step)
            yield Part(len(patterns), partial(check_range, ufunc, function, dtype, kind, patterns, parameters))


# Gated functions in float16, bfloat16 and float32: random operands.


def check_gated(ufunc: Computed, function: Function, dtype: str, kind: Any, count: int, seed: int) -> Found:
    """Compare with products of values of the compiled reference, for random operands."""
    gate, other = gated_operands(kind, count, seed)
    results, arranged, derivatives = gated_results(ufunc, function, gate, other)
    name, gate32, other64 = GATE[function.row.name], gate.astype(np.float32), other.astype(np.float64)
    value = reference.evaluate(name, gate32)
    if derivatives:
        by_gate = other64 * reference.evaluate(f"{name}_grad", gate32)
        wants = [by_gate, value] if function.row.arguments[0] == "gate" else [value, by_gate]
    else:
        wants = [value * other64]
    found = Found()
    for got, want in zip(results, wants, strict=True):
        got32 = got.astype(np.float32)
        error, worst, inputs, correct = reference.compare(got32, want, *FORMATS[dtype])
        operands = tuple(float(operand[worst]) for operand in arranged)
        found += Found(error, operands, (), float(got32[worst]), inputs, correct)
    return found


def gated_operands(kind: Any, count: int, seed: int) -> tuple[Array, Array]:
    """Random pairs of finite operands, drawn from critical points, all bit patterns, and moderate numbers."""
    rng = np.random.default_rng(seed)
    special = critical(np.float64 if kind is np.float64 else np.float32, 2, 30)
    any_bits = rng.integers(0, 2 ** (8 * np.dtype(kind).itemsize), count, unsigned(kind)).view(kind)
    with np.errstate(all="ignore"):
        pool = np.concatenate([special.astype(kind), any_bits, rng.uniform(-40, 40, count).astype(kind)])
        pool = pool[np.isfinite(pool)]
    return rng.choice(pool, count), rng.choice(pool, count)


def gated_results(
    ufunc: Computed, function: Function, gate: Array, other: Array
) -> tuple[tuple[Array, ...], tuple[Array, Array], bool]:
    """The results, the two operands in the order of the function, and whether it is a gradient."""
    arranged = (gate, other) if function.row.arguments[0] == "gate" else (other, gate)
    with np.errstate(all="ignore"):
        if not function.suffix:
            return as_tuple(ufunc(*arranged)), arranged, False
        return as_tuple(ufunc(np.ones_like(gate), *arranged)), arranged, True


def gated_parts(
    built: Mapping[str, Computed], function: Function, dtype: str, kind: Any, exhaustive: bool
) -> Iterator[Part]:
    """A sample in parts; the pairs of operands are too many to check all."""
    count = GATES_MANY if exhaustive and dtype == "float32" else GATES
    for seed in range(count // BLOCK):
        yield Part(2 * BLOCK, partial(check_gated, built[function.name], function, dtype, kind, BLOCK, seed))


# float64.


def error_float64(got: float, want: Any) -> float:
    """The error of a result in ULP of the true value; an infinite result counts as 2^1024."""
    from numact.commands.verify.exact import EXACT

    rounded = float(want)
    if got == rounded and math.isinf(rounded):
        return 0.0
    if math.isnan(got):
        return math.inf
    number = EXACT.mpf(math.copysign(1, got)) * 2**1024 if math.isinf(got) else EXACT.mpf(got)
    return float(abs(number - want) / EXACT.mpf(math.ulp(min(abs(rounded), sys.float_info.max))))


def check_float64(ufunc: Computed, function: Function, x: Array, parameters: tuple[Any, ...]) -> Found:
    """Compare with exact.py; x is finite."""
    from numact.commands.verify.exact import EXACT, REFERENCE

    formula = dict(zip(("", "_grad", "_grad_y"), REFERENCE[function.row.name], strict=True))[function.suffix]
    assert formula is not None, function.name
    exact = [EXACT.mpf(float(value)) for value in parameters]
    with np.errstate(all="ignore"):
        results = ufunc(*((np.ones_like(x),) if function.suffix else ()), x, *parameters)
    found = Found()
    for value, got in zip(x.tolist(), results.tolist(), strict=True):
        want = EXACT.mpf(formula(EXACT, EXACT.mpf(value), *exact))
        found += Found(error_float64(got, want), (value,), parameters, got, 1, int(got == float(want)))
    return found


def check_gated_float64(ufunc: Computed, function: Function, count: int, seed: int) -> Found:
    """Compare a gated function with exact.py, for random operands."""
    from numact.commands.verify.exact import EXACT, REFERENCE

    gate, other = gated_operands(np.float64, count, seed)
    results, arranged, derivatives = gated_results(ufunc, function, gate, other)
    reference = REFERENCE[GATE[function.row.name]]
    found = Found()
    for k in range(count):
        x, factor = EXACT.mpf(float(gate[k])), EXACT.mpf(float(other[k]))
        value = EXACT.mpf(reference.forward(EXACT, x))
        wants = [value * factor]
        if derivatives:
            by_gate = factor * reference.derivative(EXACT, x)
            wants = [by_gate, value] if function.row.arguments[0] == "gate" else [value, by_gate]
        operands = tuple(float(operand[k]) for operand in arranged)
        for result, want in zip(results, wants, strict=True):
            got = float(result[k])
            found += Found(error_float64(got, want), operands, (), got, 1, int(got == float(want)))
    return found


def inputs_float64(function: Function, forward: Computed, parameters: tuple[Any, ...], count: int) -> Array:
    """Random numbers of every magnitude, critical points, cases that are hard to round; for "_grad_y" their outputs."""
    hard = np.array([float.fromhex(text) for text in HARD])
    x = np.concatenate([critical(np.float64, 1, 30), stratified(np.float64, count), hard, -hard])
    if function.suffix == "_grad_y":
        with np.errstate(all="ignore"):
            x = forward(x, *parameters)
    x = np.unique(x)
    return np.asarray(x[np.isfinite(x)])


def float64_parts(built: Mapping[str, Computed], function: Function, exhaustive: bool) -> Iterator[Part]:
    """The sample of float64 in parts."""
    ufunc = built[function.name]
    if function.row.family == "gated":
        count, size = GATES_FLOAT64_MANY if exhaustive else GATES_FLOAT64, 500
        for seed in range(count // size):
            yield Part(2 * size * FLOAT64_COST, partial(check_gated_float64, ufunc, function, size, seed))
        return
    for parameters in function.parameters(np.float64):
        x = inputs_float64(function, built[function.row.name], parameters, FLOAT64_MANY if exhaustive else FLOAT64)
        for start in range(0, x.size, 500):
            some = x[start : start + 500]
            yield Part(some.size * FLOAT64_COST, partial(check_float64, ufunc, function, some, parameters))


# All types.


def parts(built: Mapping[str, Computed], function: Function, dtype: str, kind: Any, exhaustive: bool) -> Iterator[Part]:
    """All inputs to check of a function in a type."""
    if dtype == "float64":
        return float64_parts(built, function, exhaustive)
    choose = gated_parts if function.row.family == "gated" else elementwise_parts
    return choose(built, function, dtype, kind, exhaustive)
