"""Measure the speed beside plain NumPy and other libraries on this machine: ``python -m numact bench``."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import numact
from numact._kernels import core
from numact.commands import common
from numact.commands.baseline import BASELINES
from numact.commands.bench import peers
from numact.commands.bench.peers import Array, Bind, Call
from numact.commands.common import UsageError, progress
from numact.commands.verify.checks import Function
from numact.commands.verify.samples import CHOSEN

# Rounds of a function: as many as fit into some seconds, at least the first, at most the second of these.
SECONDS, ROUNDS = 0.3, (5, 101)
# What is timed lasts so long at least, by repetition.
LEAST = 2e-5

clock = time.perf_counter

Job = tuple[Function, str, Any]  # a function, the name of a dtype, and the dtype


@dataclass(frozen=True)
class Speed:
    """A line of the report: elements per second of every library that has the function, and of np.copyto."""

    function: str
    dtype: str
    elements_per_second: dict[str, float]
    copy: float
    share_of_copy: float
    ratio_numpy: float | None
    fastest_peer: str | None
    ratio_peer: float | None


def expression(function: Function, dy: Array, x: Array) -> Call | None:
    """The call of the NumPy expression, None where there is none."""
    if function.row.name not in BASELINES:
        return None
    forward, gradient, gradient_y = BASELINES[function.row.name]
    if not function.suffix:
        return lambda: forward(x)
    by = gradient_y if function.suffix == "_grad_y" else gradient
    return None if by is None else lambda: by(dy, x)


def calls(function: Function, dtype: Any, size: int, peers: dict[str, Bind]) -> dict[str, Call]:
    """What is measured, by library: "copy" first, "numact", and those that have the function."""
    rng = np.random.default_rng(0)
    x = (3 * rng.standard_normal(size)).astype(dtype)
    dy = rng.standard_normal(size).astype(dtype)
    out = np.empty_like(x)
    required = [CHOSEN[name] for name, default in function.row.parameters if default is None]
    if function.suffix == "_grad_y":
        x = getattr(numact, function.row.name)(x, *required)
    ufunc = getattr(numact, function.name)
    operands = (dy, x) if function.suffix else (x,)
    found: dict[str, Call | None] = {
        "copy": lambda: np.copyto(out, x),
        "numact": lambda: ufunc(*operands, *required, out=out),
        "numpy": expression(function, dy, x),
    }
    found.update((peer, bind(function.name, dy, x, out)) for peer, bind in peers.items())
    return {library: call for library, call in found.items() if call is not None}


def seconds(work: dict[str, Call]) -> dict[str, float]:
    """Medians of interleaved rounds, in seconds for a call, so that drift of the machine hits all alike."""

    def timed(call: Call, repeat: int) -> float:
        start = clock()
        for _ in range(repeat):
            call()
        return (clock() - start) / repeat

    repeats = {}
    for library, call in work.items():
        call()  # it may compile, or allocate
        repeats[library] = max(1, round(LEAST / max(timed(call, 1), 1e-9)))
    times: dict[str, list[float]] = {library: [] for library in work}
    start = clock()
    for done in range(ROUNDS[1]):
        if done >= ROUNDS[0] and clock() - start > SECONDS:
            break
        for library, call in work.items():
            call()  # so that it finds its own arrays in the cache, and not what the one before left there
            times[library].append(timed(call, repeats[library]))
    return {library: max(median(values), 1e-9) for library, values in times.items()}


def speed(function: Function, dtype: str, size: int, taken: dict[str, float]) -> Speed:
    """Make a line of the report."""
    rates = {library: size / value for library, value in taken.items()}
    copy = rates.pop("copy")
    others = {library: rate for library, rate in rates.items() if library not in ("numact", "numpy")}
    fastest = max(others, key=others.__getitem__, default=None)
    return Speed(
        function=function.name,
        dtype=dtype,
        elements_per_second=rates,
        copy=copy,
        share_of_copy=rates["numact"] / copy,
        ratio_numpy=rates["numact"] / rates["numpy"] if "numpy" in rates else None,
        fastest_peer=fastest,
        ratio_peer=rates["numact"] / others[fastest] if fastest else None,
    )


def asked(names: Sequence[str], types: Sequence[str]) -> list[Job]:
    """The functions of these names, all where there is none, in these types, float32 where there is none."""
    chosen, kinds = common.functions(names, ("elementwise",), "measured"), common.dtypes(types or ["float32"])
    return [(function, dtype, kind) for dtype, kind in kinds.items() for function in chosen]


def bench(jobs: list[Job], size: int, peers: dict[str, Bind], alone: bool = True) -> list[Speed]:
    """Measure functions.

    Parameters
    ----------
    jobs : list of (Function, str, dtype)
        What to measure, as `asked` gives it.
    size : int
        Number of elements.
    peers : dict
        The other libraries, as `numact.commands.bench.peers.installed` gives them.
    alone : bool
        Whether to measure what neither NumPy nor a peer has.

    Returns
    -------
    list of Speed

    """
    results = []
    with progress(len(jobs)) as advance, np.errstate(all="ignore"):
        for function, dtype, kind in jobs:
            found = calls(function, kind, size, peers)
            if alone or found.keys() - {"copy", "numact"}:
                results.append(speed(function, dtype, size, seconds(found)))
            advance(f"{function.name} {dtype}", 1)
    return results


def report(results: list[Speed], size: int, threads: int, libraries: list[str]) -> str:
    """The table: million elements per second, and ratios."""
    lines = [
        f"Million elements per second, arrays of {size:,}, {threads} thread{'s' if threads > 1 else ''}.",
        "",
        f"{'function':20}{'dtype':10}{'numact':>9}{'of copy':>9}{'NumPy':>9}{'ratio':>7}"
        + (f"  {'fastest peer':21}{'ratio':>7}" if libraries else ""),
    ]

    def cell(value: float | None, form: str) -> str:
        return "-" if value is None else format(value, form)

    for r in results:
        rates = {library: value / 1e6 for library, value in r.elements_per_second.items()}
        line = f"{r.function:20}{r.dtype:10}{rates['numact']:9,.0f}{100 * r.share_of_copy:7.0f} %"
        line += f"{cell(rates.get('numpy'), ',.0f'):>9}{cell(r.ratio_numpy, '.2f'):>7}"
        if libraries:
            peer = f"{rates[r.fastest_peer]:9,.0f} {r.fastest_peer}" if r.fastest_peer else f"{'-':>9}"
            line += f"  {peer:21}{cell(r.ratio_peer, '.2f'):>7}"
        lines.append(line)
    copies = [
        f"{median(r.copy for r in results if r.dtype == dtype) / 1e6:,.0f} in {dtype}"
        for dtype in dict.fromkeys(r.dtype for r in results)
    ]
    lines += [
        "",
        "ratio: times as fast; above 1 numact is faster. Medians of interleaved rounds, numact with out=.",
        f"of copy: of np.copyto, {', '.join(copies)}; a gradient reads two arrays, a copy one.",
        f"Other libraries: {', '.join(libraries) or 'none installed of ' + ', '.join(peers.PEERS)}.",
    ]
    return "\n".join(lines)


def picture(file: str) -> Callable[[list[Speed], int, int], None]:
    """What will draw into this file, or an error before anything is measured."""
    try:
        from numact.commands.bench.plot import draw, formats
    except ModuleNotFoundError as error:
        raise UsageError(f'--plot needs {error.name}, which is not installed: pip install "numact[plot]"') from None
    path = Path(file)
    if path.suffix[1:].lower() not in formats():
        raise UsageError(f"--plot: the name must end in one of {', '.join(formats())}; got {file!r}")
    if not path.parent.is_dir():
        raise UsageError(f"--plot: there is no folder {str(path.parent)!r}")
    return lambda results, size, threads: draw(results, size, threads).savefig(path, dpi=144)


def run(
    names: Sequence[str], types: Sequence[str], threads: int | None, size: int, plot: str | None, as_json: bool
) -> int:
    """Print the report, or all figures as JSON, and draw them; 2 where the question is wrong."""
    count = threads or numact.get_num_threads()
    try:
        if count > core.MAX_THREADS:
            raise UsageError(f"--threads: must be from 1 to {core.MAX_THREADS}; got {count}")
        jobs, draw = asked(names, types), picture(plot) if plot else None
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    with numact.num_threads(count):
        peers = peers.installed(count)
        results = bench(jobs, size, peers, alone=bool(names))
    if draw:
        draw(results, size, count)
    if as_json:
        what = {"version": numact.__version__, "level": core.level(), "compiler": core.compiler()}
        setting = {"numpy": np.__version__, "peers": list(peers), "threads": count, "size": size}
        print(json.dumps({**what, **setting, "results": [asdict(result) for result in results]}, indent=2))
    else:
        print(report(results, size, count, list(peers)))
    return 0
