"""Check the error bounds of the catalogue on this machine: ``python -m numact verify``.

float16, bfloat16 and float32 are compared with `numact._reference`, compiled from csrc/reference.c, float64 with the
numbers of 200 bits of `numact._exact`.  Every number of the first two is an input, of float32 when asked, else a sample.
"""

from __future__ import annotations

import json
import math
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import numpy as np

import numact
from numact import Activation, _core, _reference
from numact._names import plain
from numact._samples import (
    HARD,
    Array,
    critical,
    ends_of_exponents,
    parameter_sets,
    stratified,
    unsigned,
)

# Digits behind the binary point, exponents of the least and of the largest normal number.
FORMATS = {"float16": (10, -14, 15), "bfloat16": (7, -126, 127), "float32": (23, -126, 127)}
HALF_BOUND = 0.51
# The references' own errors, in ULP of the type: csrc/reference.c promises 1e-6 of float32.
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


class UsageError(Exception):
    """What the user asked for does not exist, or needs a package that is missing."""


@dataclass(frozen=True)
class Function:
    """An activation (suffix "") or its gradient ("_grad", "_grad_y")."""

    row: Activation
    suffix: str

    @property
    def name(self) -> str:
        return self.row.name + self.suffix

    def bound(self, dtype: str) -> float:
        """What the catalogue promises, in ULP."""
        if dtype in ("float16", "bfloat16"):
            return HALF_BOUND
        return self.row.ulp_gradient if self.suffix else self.row.ulp

    def parameters(self, dtype: Any) -> list[tuple[Any, ...]]:
        """Sets of parameters to check with, the defaults first."""
        return [tuple(dtype(value) for value in values) for values in parameter_sets(self.row)]


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
        return Found(
            worse.error,
            worse.operands,
            worse.parameters,
            worse.got,
            self.inputs + other.inputs,
            self.correct + other.correct,
        )


@dataclass(frozen=True)
class Result:
    """A line of the report: errors in ULP, numbers in hexadecimal."""

    function: str
    dtype: str
    bound: float
    error: float
    worst: list[str]
    parameters: list[float]
    got: str
    inputs: int
    every_input: bool
    correctly_rounded: float
    passed: bool


@dataclass(frozen=True)
class Part:
    """Some inputs of a function, to be checked by one thread."""

    cost: int
    check: Callable[[], Found]


def functions(names: Sequence[str]) -> list[Function]:
    """The functions of these names, where "gelu" stands for its gradients, too; all where there is no name."""
    every = [
        Function(row, suffix)
        for row in _core.catalogue()
        if row.family != "axis"
        for suffix, exists in (("", True), ("_grad", True), ("_grad_y", row.from_output))
        if exists
    ]
    chosen: dict[str, Function] = {}
    for name in names:
        wanted = plain(name)
        found = [
            function
            for function in every
            if wanted in (plain(function.name), plain(function.row.name), *map(plain, function.row.aliases))
        ]
        if not found:
            similar = ", ".join(dict.fromkeys(function.row.name for function in every))
            raise UsageError(f"--function: {name!r} is none of the functions that can be verified: {similar}")
        chosen.update((function.name, function) for function in found)
    return list(chosen.values()) if names else every


def dtypes(names: Sequence[str]) -> dict[str, Any]:
    """The types of these names; all that the installed packages allow where there is no name."""
    types: dict[str, Any] = {"float16": np.float16, "float32": np.float32, "float64": np.float64}
    try:
        import ml_dtypes

        types["bfloat16"] = ml_dtypes.bfloat16
    except ModuleNotFoundError:
        if "bfloat16" in names:
            raise UsageError("--dtype bfloat16 needs ml_dtypes: pip install ml_dtypes") from None
    for name in names:
        if name not in ("float16", "bfloat16", "float32", "float64"):
            raise UsageError(f"--dtype: must be one of float16, bfloat16, float32, float64; got {name!r}")
    chosen = {name: types[name] for name in dict.fromkeys(names or ("float16", "bfloat16", "float32", "float64")) if name in types}
    if "float64" in chosen:
        try:
            import mpmath  # noqa: F401
        except ModuleNotFoundError:
            raise UsageError(
                'float64 needs mpmath, which is not installed: pip install "numact[verify]", or leave float64 out '
                "by --dtype float16,float32"
            ) from None
    return chosen


# Elementwise functions of up to 32 bits.


def check_numbers(
    ufunc: np.ufunc, function: Function, dtype: str, x: Array, parameters: tuple[Any, ...], ones: Array
) -> Found:
    """Compare with the compiled reference; x is contiguous."""
    with np.errstate(all="ignore"):
        got = ufunc(*((ones[: x.size],) if function.suffix else ()), x, *parameters)
        x32, got32 = x.astype(np.float32, copy=False), got.astype(np.float32, copy=False)
    want = _reference.evaluate(function.name, x32, [float(value) for value in parameters])
    error, worst, inputs, correct = _reference.compare(
        got32, want, *FORMATS[dtype], partial=function.suffix == "_grad_y", signs=function.suffix == ""
    )
    if worst < 0:
        return Found()
    return Found(error, (float(x32[worst]),), parameters, float(got32[worst]), inputs, correct)


def check_range(
    ufunc: np.ufunc, function: Function, dtype: str, kind: Any, patterns: range, parameters: tuple[Any, ...]
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


def check_special(ufunc: np.ufunc, forward: np.ufunc, function: Function, parameters: tuple[Any, ...]) -> Found:
    """The same for special numbers, and for a gradient from the output for their outputs."""
    x = special_float32()
    if function.suffix == "_grad_y":
        with np.errstate(all="ignore"):
            x = np.concatenate([x, forward(x, *parameters)])
    return check_numbers(ufunc, function, "float32", x, parameters, np.ones_like(x))


def elementwise_parts(
    built: dict[str, np.ufunc], function: Function, dtype: str, kind: Any, exhaustive: bool
) -> Iterator[Part]:
    """All inputs of a function in pieces; of float32 all those for the defaults, if `exhaustive`."""
    ufunc, forward = built[function.name], built[function.row.name]
    for index, parameters in enumerate(function.parameters(kind)):
        if dtype == "float32":
            step = 1 if exhaustive and index == 0 else STEP
            yield Part(special_float32().size, lambda p=parameters: check_special(ufunc, forward, function, p))  # type: ignore[misc]
        else:
            step = 1
        end = 2 ** (8 * np.dtype(kind).itemsize)
        for start in range(0, end, step * PART):
            patterns = range(start, min(start + step * PART, end), step)
            yield Part(
                len(patterns),
                lambda r=patterns, p=parameters: check_range(ufunc, function, dtype, kind, r, p),  # type: ignore[misc]
            )


# Gated functions of up to 32 bits: random operands.


def check_gated(ufunc: np.ufunc, function: Function, dtype: str, kind: Any, count: int, seed: int) -> Found:
    """Compare the products of the compiled reference's values with the results, for random operands."""
    from numact._exact import GATE

    gate, other = gated_operands(kind, count, seed)
    results, arranged, derivatives = gated_results(ufunc, function, gate, other)
    name, gate32, other64 = GATE[function.row.name], gate.astype(np.float32), other.astype(np.float64)
    value = _reference.evaluate(name, gate32)
    if derivatives:
        by_gate = other64 * _reference.evaluate(f"{name}_grad", gate32)
        wants = [by_gate, value] if function.row.arguments[0] == "gate" else [value, by_gate]
    else:
        wants = [value * other64]
    found = Found()
    for got, want in zip(results, wants, strict=True):
        got32 = got.astype(np.float32)
        error, worst, inputs, correct = _reference.compare(got32, want, *FORMATS[dtype])
        operands = tuple(float(operand[worst]) for operand in arranged)
        found += Found(error, operands, (), float(got32[worst]), inputs, correct)
    return found


def gated_operands(kind: Any, count: int, seed: int) -> tuple[Array, Array]:
    """Random finite gates and other operands: of any magnitude, and moderate."""
    rng = np.random.default_rng(seed)
    wide = np.concatenate([critical(np.float32, 2, 30), stratified(np.float32, count, seed)])
    with np.errstate(all="ignore"):
        pool = np.concatenate([wide, rng.uniform(-40, 40, count)]).astype(kind)
        pool = pool[np.isfinite(pool)]
    return rng.permutation(np.resize(pool, count)), rng.permutation(pool)[rng.integers(0, pool.size, count)]


def gated_results(
    ufunc: np.ufunc, function: Function, gate: Array, other: Array
) -> tuple[tuple[Array, ...], tuple[Array, Array], bool]:
    """The results, the two operands in the order of the function, and whether it is a gradient."""
    arranged = (gate, other) if function.row.arguments[0] == "gate" else (other, gate)
    with np.errstate(all="ignore"):
        if not function.suffix:
            return (ufunc(*arranged),), arranged, False
        return ufunc(np.ones_like(gate), *arranged), arranged, True


def gated_parts(
    built: dict[str, np.ufunc], function: Function, dtype: str, kind: Any, exhaustive: bool
) -> Iterator[Part]:
    """A sample in pieces; two operands cannot take all values."""
    count = GATES_MANY if exhaustive and dtype == "float32" else GATES
    for seed, start in enumerate(range(0, count, BLOCK)):
        size = min(BLOCK, count - start)
        yield Part(
            2 * size,
            lambda n=size, s=seed: check_gated(built[function.name], function, dtype, kind, n, s),  # type: ignore[misc]
        )


# float64


def error_float64(got: float, want: Any) -> float:
    """How far a result is from the true value, in units of its last place; infinity stands for 2^1024."""
    from numact._exact import EXACT

    rounded = float(want)
    if got == rounded and math.isinf(rounded):
        return 0.0
    if math.isnan(got):
        return math.inf
    number = EXACT.mpf(math.copysign(1, got)) * 2**1024 if math.isinf(got) else EXACT.mpf(got)
    return float(abs(number - want) / EXACT.mpf(math.ulp(min(abs(rounded), sys.float_info.max))))


def check_float64(ufunc: np.ufunc, function: Function, x: Array, parameters: tuple[Any, ...]) -> Found:
    """Compare with numbers of 200 bits; x is finite."""
    from numact._exact import EXACT, REFERENCE

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


def check_gated_float64(ufunc: np.ufunc, function: Function, count: int, seed: int) -> Found:
    """The same for a gated function and random operands."""
    from numact._exact import EXACT, GATE, REFERENCE

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


def inputs_float64(function: Function, forward: np.ufunc, parameters: tuple[Any, ...], count: int) -> Array:
    """Random numbers of every magnitude, critical ones with their neighbours, hard cases; or the outputs for all these."""
    hard = np.array([float.fromhex(text) for text in HARD])
    x = np.concatenate([critical(np.float64, 1, 30), stratified(np.float64, count), hard, -hard])
    if function.suffix == "_grad_y":
        with np.errstate(all="ignore"):
            x = forward(x, *parameters)
    x = np.unique(x)
    return np.asarray(x[np.isfinite(x)])


def float64_parts(built: dict[str, np.ufunc], function: Function, exhaustive: bool) -> Iterator[Part]:
    """The sample of float64 in pieces."""
    ufunc = built[function.name]
    if function.row.family == "gated":
        count, size = GATES_FLOAT64_MANY if exhaustive else GATES_FLOAT64, 500
        for seed in range(count // size):
            yield Part(
                2 * size * FLOAT64_COST,
                lambda s=seed: check_gated_float64(ufunc, function, size, s),  # type: ignore[misc]
            )
        return
    for parameters in function.parameters(np.float64):
        x = inputs_float64(function, built[function.row.name], parameters, FLOAT64_MANY if exhaustive else FLOAT64)
        for start in range(0, x.size, 500):
            some = x[start : start + 500]
            yield Part(some.size * FLOAT64_COST, lambda s=some, p=parameters: check_float64(ufunc, function, s, p))  # type: ignore[misc]


# Everything


def parts(
    built: dict[str, np.ufunc], function: Function, dtype: str, kind: Any, exhaustive: bool
) -> Iterator[Part]:
    """All that is to be checked of a function in a type."""
    if dtype == "float64":
        return float64_parts(built, function, exhaustive)
    choose = gated_parts if function.row.family == "gated" else elementwise_parts
    return choose(built, function, dtype, kind, exhaustive)


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def together(pool: ThreadPoolExecutor, work: Iterator[Part], advance: Callable[[int], None]) -> Found:
    """Check all parts on all threads, a few waiting at any time."""
    found: dict[int, Found] = {}
    running: dict[Future[Found], tuple[int, int]] = {}
    for index, part in enumerate(work):
        running[pool.submit(part.check)] = (index, part.cost)
        if len(running) >= 2 * cores():
            collect(running, found, advance)
    while running:
        collect(running, found, advance)
    return sum((found[index] for index in sorted(found)), Found())


def collect(
    running: dict[Future[Found], tuple[int, int]], found: dict[int, Found], advance: Callable[[int], None]
) -> None:
    """Wait until one of the running parts ends."""
    for future in wait(running, return_when=FIRST_COMPLETED).done:
        index, cost = running.pop(future)
        found[index] = future.result()
        advance(cost)


def judge(function: Function, dtype: str, kind: Any, found: Found, exhaustive: bool, bound: float | None) -> Result:
    """Make a line of the report."""
    allowed = function.bound(dtype) if bound is None else bound
    whole = function.row.family == "elementwise" and (dtype in ("float16", "bfloat16") or (dtype == "float32" and exhaustive))
    return Result(
        function=function.name,
        dtype=dtype,
        bound=allowed,
        error=max(found.error, 0.0),
        worst=[value.hex() for value in found.operands],
        parameters=[float(value) for value in found.parameters],
        got=float(found.got).hex(),
        inputs=found.inputs,
        every_input=whole,
        correctly_rounded=found.correct / found.inputs,
        passed=found.error <= allowed + REFERENCE_ERROR[dtype],
    )


@contextmanager
def progress(total: int) -> Iterator[Callable[[str, int], None]]:
    """Show on stderr what is being checked and how long it will take: with rich if it is installed, else as lines."""
    try:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    except ModuleNotFoundError:
        yield Lines(total)
        return
    columns = (
        TextColumn("{task.description:32}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda text, cost: bar.update(task, description=text, advance=cost)


class Lines:
    """Progress in plain text: a line every few seconds."""

    seconds = 5.0

    def __init__(self, total: int) -> None:
        self.total, self.done = total, 0
        self.start = self.last = time.monotonic()

    def __call__(self, text: str, cost: int) -> None:
        self.done += cost
        now = time.monotonic()
        if now - self.last >= self.seconds:
            self.last = now
            left = (now - self.start) * (self.total - self.done) / self.done
            print(f"{100 * self.done / self.total:3.0f} %  {text}, about {left:.0f} s left", file=sys.stderr)


def verify(
    names: Sequence[str] = (),
    types: Sequence[str] = (),
    level: str | None = None,
    exhaustive: bool = False,
    bound: float | None = None,
) -> list[Result]:
    """Check functions in types against their bounds.

    Parameters
    ----------
    names : sequence of str
        Activations, with their gradients, or single gradients; all where empty.
    types : sequence of str
        "float16", "bfloat16", "float32", "float64"; all where empty.
    level : str, optional
        Instruction-set level; by default the one in use.
    exhaustive : bool
        Check every float32, and more of float64.
    bound : float, optional
        The allowed error in ULP, in place of the catalogue's.

    Returns
    -------
    list of Result

    Raises
    ------
    UsageError
        For a name, type or level that does not exist, or needs a package that is missing.

    """
    chosen, kinds = functions(names), dtypes(types)
    try:
        built = _core.build(level or _core.level())
    except ValueError as error:
        raise UsageError(f"--level: {error}") from None
    work = [(function, dtype, kind) for dtype, kind in kinds.items() for function in chosen]
    total = sum(part.cost for job in work for part in parts(built, *job, exhaustive))
    results = []
    with progress(total) as advance, ThreadPoolExecutor(cores()) as pool:
        try:
            for function, dtype, kind in work:
                text = f"{function.name} {dtype}"
                found = together(
                    pool,
                    parts(built, function, dtype, kind, exhaustive),
                    lambda cost, text=text: advance(text, cost),  # type: ignore[misc]
                )
                results.append(judge(function, dtype, kind, found, exhaustive, bound))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return results


def report(results: list[Result], level: str) -> str:
    """The table, and a last line that says how it went."""
    lines = [f"{'function':24}{'dtype':10}{'bound':>6}{'error':>10}  {'correct':>9}{'inputs':>15}  largest error at"]
    for r in results:
        place = ", ".join(r.worst) + (f" ({', '.join(f'{value:g}' for value in r.parameters)})" if r.parameters else "")
        inputs = f"{r.inputs:,}" + ("" if r.every_input else "+")
        mark = "" if r.passed else f"  FAILED: {r.got}"
        lines.append(
            f"{r.function:24}{r.dtype:10}{r.bound:6g}{r.error:10.4f}  {100 * r.correctly_rounded:7.3f} %{inputs:>15}  "
            f"{place}{mark}"
        )
    failed = sum(not r.passed for r in results)
    lines += [
        "",
        "Errors in ULP; correct: correctly rounded; +: a sample, not every input; in brackets: parameters.",
        f"{len(results) - failed} of {len(results)} within their bounds, level {level}.",
    ]
    return "\n".join(lines)


def run(
    names: Sequence[str], types: Sequence[str], level: str | None, exhaustive: bool, bound: float | None, as_json: bool
) -> int:
    """Print the report, or all figures as JSON; 1 where an error is above its bound, 2 where the question is wrong."""
    try:
        results = verify(names, types, level, exhaustive, bound)
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    used = level or _core.level()
    passed = all(result.passed for result in results)
    if as_json:
        what = {"version": numact.__version__, "level": used, "compiler": _core.compiler(), "exhaustive": exhaustive}
        print(json.dumps({**what, "passed": passed, "results": [asdict(result) for result in results]}, indent=2))
    else:
        print(report(results, used))
    return 0 if passed else 1
