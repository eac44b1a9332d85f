"""The command ``python -m numact verify``: the error bounds of the catalogue, checked on this machine."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from numact._kernels import core
from numact._kernels.config import version
from numact.commands import selection
from numact.commands.progress import progress
from numact.commands.selection import Function, UsageError
from numact.commands.verify.checks import REFERENCE_ERROR, Found, Part, on_all, parts


@dataclass(frozen=True)
class Result:
    """A line of the report: errors in ULP, None for an infinite one; operands and result in hexadecimal."""

    function: str
    dtype: str
    bound: float
    error: float | None
    worst: list[str]
    parameters: list[str]
    got: str
    inputs: int
    every_input: bool
    correctly_rounded: float
    passed: bool


def functions(names: Sequence[str]) -> list[Function]:
    """The functions of these names (default: all); "gelu" stands for its gradients, too."""
    return selection.functions(names, ("elementwise", "gated"), "verified")


def dtypes(names: Sequence[str]) -> dict[str, Any]:
    """The types of these names (default: all that the installed packages allow)."""
    chosen = selection.dtypes(names)
    if "float64" in chosen:
        try:
            import mpmath  # noqa: F401
        except ModuleNotFoundError:
            raise UsageError(
                'float64 needs mpmath, which is not installed: pip install "numact[verify]", or leave float64 out '
                "by --dtype float16,float32"
            ) from None
    return chosen


def cores() -> int:
    """The number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def together(pool: ThreadPoolExecutor, work: Iterator[Part], advance: Callable[[int], None]) -> Found:
    """Check all parts in a pool of threads, with a bounded number of parts submitted at any time."""
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
    """Wait until at least one running part ends, and move its result from `running` to `found`."""
    for future in wait(running, return_when=FIRST_COMPLETED).done:
        index, cost = running.pop(future)
        found[index] = future.result()
        advance(cost)


def hexadecimal(value: float) -> str:
    """The number as `float.hex` writes it, without trailing zeros."""
    mantissa, sign, exponent = value.hex().partition("p")
    return (mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa) + sign + exponent


def judge(function: Function, dtype: str, found: Found, exhaustive: bool, bound: float | None) -> Result:
    """Compare the error that was found with the bound: a line of the report."""
    allowed = function.bound(dtype) if bound is None else bound
    whole = function.row.family == "elementwise" and (
        dtype in ("float16", "bfloat16") or (dtype == "float32" and exhaustive)
    )
    return Result(
        function=function.name,
        dtype=dtype,
        bound=allowed,
        error=max(found.error, 0.0) if math.isfinite(found.error) else None,
        worst=[hexadecimal(value) for value in found.operands],
        parameters=[str(value) for value in found.parameters],
        got=hexadecimal(found.got),
        inputs=found.inputs,
        every_input=whole,
        correctly_rounded=found.correct / found.inputs,
        passed=found.error <= allowed + REFERENCE_ERROR[dtype],
    )


def verify(
    names: Sequence[str] = (),
    types: Sequence[str] = (),
    levels: Sequence[str] = (),
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
    levels : sequence of str
        Dispatch targets, which must give the same bits; the one in use where empty.
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
        built = on_all([core.build(level) for level in levels or [core.level()]])
    except ValueError as error:
        raise UsageError(f"--level: {error}") from None
    work = [(function, dtype, kind) for dtype, kind in kinds.items() for function in chosen]
    total = sum(part.cost for job in work for part in parts(built, *job, exhaustive))
    results = []
    with progress(total) as advance, ThreadPoolExecutor(cores()) as pool:
        try:
            for function, dtype, kind in work:
                text = f"{function.name} {dtype}"
                found = together(pool, parts(built, function, dtype, kind, exhaustive), partial(advance, text))
                results.append(judge(function, dtype, found, exhaustive, bound))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return results


def report(results: list[Result], levels: Sequence[str]) -> str:
    """The table, and a last line that counts the functions within their bounds."""
    lines = [f"{'function':24}{'dtype':10}{'bound':>6}{'error':>10}  {'correct':>9}{'inputs':>15}  largest error at"]
    for r in results:
        place = ", ".join(r.worst) + (f" ({', '.join(r.parameters)})" if r.parameters else "")
        inputs = f"{r.inputs:,}" + ("" if r.every_input else "+")
        error = math.inf if r.error is None else r.error
        mark = "" if r.passed else f"  FAILED: {r.got}"
        lines.append(
            f"{r.function:24}{r.dtype:10}{r.bound:6g}{error:10.4f}  {100 * r.correctly_rounded:7.3f} %{inputs:>15}  "
            f"{place}{mark}"
        )
    failed = sum(not r.passed for r in results)
    lines += [
        "",
        "Errors in ULP; correct: correctly rounded; +: a sample, not every input; in brackets: parameters.",
        f"{len(results) - failed} of {len(results)} within their bounds, level {' and '.join(levels)}.",
    ]
    return "\n".join(lines)


def run(
    names: Sequence[str],
    types: Sequence[str],
    levels: Sequence[str],
    exhaustive: bool,
    bound: float | None,
    as_json: bool,
) -> int:
    """Print the report or JSON; the exit code is 1 if an error is above its bound, 2 for wrong arguments, else 0."""
    try:
        results = verify(names, types, levels, exhaustive, bound)
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    used = list(levels) or [core.level()]
    passed = all(result.passed for result in results)
    if as_json:
        what = {"version": version(), "levels": used, "compiler": core.compiler(), "exhaustive": exhaustive}
        print(json.dumps({**what, "passed": passed, "results": [asdict(result) for result in results]}, indent=2))
    else:
        print(report(results, used))
    return 0 if passed else 1
