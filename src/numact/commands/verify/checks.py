"""The errors of the functions of the catalogue, found in parts that threads may share; `numact.verify` is the command.

float16, bfloat16 and float32 are compared with reference.pyx, compiled from csrc/reference, float64 with the numbers of
200 bits of exact.py.  Every number of the first two is an input, of float32 too where that is asked.
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

# Every gated function is f(gate) times the other argument: what f is.
GATE = {"glu": "sigmoid", "swiglu": "silu", "geglu": "gelu", "geglu_tanh": "gelu_tanh", "reglu": "relu"}

# Digits behind the binary point, exponents of the least and of the largest normal number.
FORMATS = {"float16": (10, -14, 15), "bfloat16": (7, -126, 127), "float32": (23, -126, 127)}
# The references' own errors, in ULP of the type: csrc/reference/reference.c promises 1e-6 of float32.
REFERENCE_ERROR = {"float16": 0.0, "bfloat16": 0.0, "float32": 1e-6, "float64": 0.0}

# One bit pattern in so many of float32, unless all are asked for; odd, so that the last digits vary.
STEP = 4073
# Patterns that a thread takes at a time, and computes at a time: what stays in its cache.
PART, BLOCK = 2**22, 2**16
# Inputs of float64 for each function and set of parameters, and gates of gated functions.
FLOAT64, FLOAT64_MANY = 1500, 30_000
GATES, GATES_MANY = 2**19, 2**26
GATES_FLOAT64, GATES_FLOAT64_MANY = 1000, 20_000
# An input of float64 takes as long as so many of float32, an estimate for the time left.
FLOAT64_COST = 1000


@dataclass(frozen=True)
class Found:
    """The largest error of some results, the operands that led to it, and how many are correctly rounded."""

    error: float = -1.0
    operands: tuple[Any, ...] = ()
    parameters: tuple[Any, ...] = ()
    got: Any = None
    inputs: int = 0
    correct: int = 0

    def __add__(self, other: Found) -> Found:
        """Both together; of equal errors the first stays."""
        worse = other if other.error > self.error else self
        inputs, correct = self.inputs + other.inputs, self.correct + other.correct
        return replace(worse, inputs=inputs, correct=correct)


# What is checked: a ufunc, or `on_all` of those of several levels.
Computed = Callable[..., Any]


def on_all(levels: Sequence[Mapping[str, Computed]]) -> dict[str, Computed]:
    """The functions of the first level; where another level gives other bits they give NaN, which no bound allows."""
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
    """The results of a function with one or with several."""
    return results if isinstance(results, tuple) else (results,)


@dataclass(frozen=True)
class Part:
    """Some inputs of a function, to be checked by one thread."""

    cost: int
    check: Callable[[], Found]


# Elementwise functions of up to 32 bits.


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
    """The same for numbers with these bit patterns."""
    ones = np.ones(BLOCK, kind)
    found = Found()
    for start in range(patterns.start, patterns.stop, patterns.step * BLOCK):
        block = np.arange(start, min(start + patterns.step * BLOCK, patterns.stop), patterns.step, dtype=np.uint64)
        x = block.astype(unsigned(kind)).view(kind)
        found += check_numbers(ufunc, function, dtype, x, parameters, ones)
    return found


@cache
def special_float32() -> Array:
    """Where something may change, and the ends of every exponent."""
    return np.concatenate([critical(np.float32, 64, 320), ends_of_exponents(np.float32)])


def check_special(ufunc: Computed, forward: Computed, function: Function, parameters: tuple[Any, ...]) -> Found:
    """The same for special numbers, and for a gradient from the output for their outputs."""
    x = special_float32()
    if function.suffix == "_grad_y":
        with np.errstate(all="ignore"):
            x = np.concatenate([x, forward(x, *parameters)])
    return check_numbers(ufunc, function, "float32", x, parameters, np.ones_like(x))


def elementwise_parts(
    built: Mapping[str, Computed], function: Function, dtype: str, kind: Any, exhaustive: bool
) -> Iterator[Part]:
    """All inputs of a function in pieces; of float32 all those for the defaults, if `exhaustive`."""
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


# Gated functions of up to 32 bits: random operands.


def check_gated(ufunc: Computed, function: Function, dtype: str, kind: Any, count: int, seed: int) -> Found:
    """Compare the products of the compiled reference's values with the results, for random operands."""
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
    """Random finite gates and other operands: critical ones, of any magnitude, and moderate."""
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
    """A sample in pieces; two operands cannot take all values."""
    count = GATES_MANY if exhaustive and dtype == "float32" else GATES
    for seed, start in enumerate(range(0, count, BLOCK)):
        size = min(BLOCK, count - start)
        yield Part(2 * size, partial(check_gated, built[function.name], function, dtype, kind, size, seed))


# float64


def error_float64(got: float, want: Any) -> float:
    """How far a result is from the true value, in units of its last place; infinity stands for 2^1024."""
    from numact.commands.verify.exact import EXACT

    rounded = float(want)
    if got == rounded and math.isinf(rounded):
        return 0.0
    if math.isnan(got):
        return math.inf
    number = EXACT.mpf(math.copysign(1, got)) * 2**1024 if math.isinf(got) else EXACT.mpf(got)
    return float(abs(number - want) / EXACT.mpf(math.ulp(min(abs(rounded), sys.float_info.max))))


def check_float64(ufunc: Computed, function: Function, x: Array, parameters: tuple[Any, ...]) -> Found:
    """Compare with numbers of 200 bits; x is finite."""
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
    """The same for a gated function and random operands."""
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
    """Random numbers of every magnitude, critical ones with their neighbours, hard cases; or their outputs."""
    hard = np.array([float.fromhex(text) for text in HARD])
    x = np.concatenate([critical(np.float64, 1, 30), stratified(np.float64, count), hard, -hard])
    if function.suffix == "_grad_y":
        with np.errstate(all="ignore"):
            x = forward(x, *parameters)
    x = np.unique(x)
    return np.asarray(x[np.isfinite(x)])


def float64_parts(built: Mapping[str, Computed], function: Function, exhaustive: bool) -> Iterator[Part]:
    """The sample of float64 in pieces."""
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


# Everything


def parts(built: Mapping[str, Computed], function: Function, dtype: str, kind: Any, exhaustive: bool) -> Iterator[Part]:
    """All that is to be checked of a function in a type."""
    if dtype == "float64":
        return float64_parts(built, function, exhaustive)
    choose = gated_parts if function.row.family == "gated" else elementwise_parts
    return choose(built, function, dtype, kind, exhaustive)
