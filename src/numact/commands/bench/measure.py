"""Interleaved timing of numact and other libraries, and the rates and ratios that follow."""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from numact._functions.names import FUNCTIONS
from numact.commands.baseline import BASELINES
from numact.commands.bench.peers import Array, Bind, Call
from numact.commands.inputs import CHOSEN
from numact.commands.progress import progress
from numact.commands.selection import Function

# A function is measured in as many rounds as fit into SECONDS, at least ROUNDS[0] and at most ROUNDS[1].
SECONDS, ROUNDS = 0.3, (5, 101)
# A shorter call is repeated until the repetitions together take this many seconds, far more than the clock resolves.
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
    """The call of the NumPy expression, or None if there is no expression."""
    if function.row.name not in BASELINES:
        return None
    forward, gradient, gradient_y = BASELINES[function.row.name]
    if not function.suffix:
        return lambda: forward(x)
    by = gradient_y if function.suffix == "_grad_y" else gradient
    return None if by is None else lambda: by(dy, x)


def calls(function: Function, dtype: Any, size: int, peers: dict[str, Bind]) -> dict[str, Call]:
    """The calls to time, by library: "copy" first, then "numact", then the libraries that have the function."""
    rng = np.random.default_rng(0)
    x = (3 * rng.standard_normal(size)).astype(dtype)
    dy = rng.standard_normal(size).astype(dtype)
    out = np.empty_like(x)
    required = [CHOSEN[name] for name, default in function.row.parameters if default is None]
    if function.suffix == "_grad_y":
        x = FUNCTIONS[function.row.name](x, *required)
    ufunc = FUNCTIONS[function.name]
    operands = (dy, x) if function.suffix else (x,)
    found: dict[str, Call | None] = {
        "copy": lambda: np.copyto(out, x),
        "numact": lambda: ufunc(*operands, *required, out=out),
        "numpy": expression(function, dy, x),
    }
    found.update((peer, bind(function.name, dy, x, out)) for peer, bind in peers.items())
    return {library: call for library, call in found.items() if call is not None}


def seconds(work: dict[str, Call]) -> dict[str, float]:
    """Seconds per call, medians of interleaved rounds, so that a drift of the machine's speed affects all alike."""

    def timed(call: Call, repeat: int) -> float:
        start = clock()
        for _ in range(repeat):
            call()
        return (clock() - start) / repeat

    repeats = {}
    for library, call in work.items():
        call()  # the first call may compile or allocate
        repeats[library] = max(1, round(LEAST / max(timed(call, 1), 1e-9)))
    times: dict[str, list[float]] = {library: [] for library in work}
    start = clock()
    for done in range(ROUNDS[1]):
        if done >= ROUNDS[0] and clock() - start > SECONDS:
            break
        for library, call in work.items():
            call()  # untimed: brings its own arrays into the cache
            times[library].append(timed(call, repeats[library]))
    return {library: max(median(values), 1e-9) for library, values in times.items()}


def speed(function: Function, dtype: str, size: int, taken: dict[str, float]) -> Speed:
    """Turn the seconds per call of each library into a line of the report."""
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


def bench(jobs: list[Job], size: int, peers: dict[str, Bind], alone: bool = True) -> list[Speed]:
    """Measure functions.

    Parameters
    ----------
    jobs : list of (Function, str, dtype)
        What to measure, as `numact.commands.bench.run.asked` gives it.
    size : int
        Number of elements.
    peers : dict
        The other libraries, as `numact.commands.bench.peers.installed` gives them.
    alone : bool
        Whether to measure functions that neither NumPy nor a peer has.

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
