"""The command ``python -m numact bench``: speed beside NumPy and other libraries."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict

import numpy as np

from numact._kernels import core
from numact._kernels.config import version
from numact._kernels.threads import num_threads
from numact.commands import selection
from numact.commands.bench import peers
from numact.commands.bench.measure import Job, Speed, bench
from numact.commands.bench.report import report
from numact.commands.selection import UsageError, output_path


def asked(names: Sequence[str], types: Sequence[str]) -> list[Job]:
    """The functions of these names (default: all) in these types (default: float32)."""
    chosen, kinds = selection.functions(names, ("elementwise",), "measured"), selection.dtypes(types or ["float32"])
    return [(function, dtype, kind) for dtype, kind in kinds.items() for function in chosen]


def picture(file: str) -> Callable[[list[Speed], int, int], None]:
    """A function that draws into this file; a file that cannot be written is an error before anything is measured."""
    try:
        from numact.commands.bench.plot import draw, formats
    except ModuleNotFoundError as error:
        raise UsageError(f'--plot needs {error.name}, which is not installed: pip install "numact[plot]"') from None
    path = output_path("--plot", file, [f".{name}" for name in formats()])
    return lambda results, size, threads: draw(results, size, threads).savefig(path, dpi=144)


def run(
    names: Sequence[str], types: Sequence[str], threads: int | None, size: int, plot: str | None, as_json: bool
) -> int:
    """Print the report, or all figures as JSON, and draw them; the exit code is 2 for wrong arguments, else 0."""
    count = threads or core.get_num_threads()
    try:
        if count > core.MAX_THREADS:
            raise UsageError(f"--threads: must be from 1 to {core.MAX_THREADS}; got {count}")
        jobs, draw = asked(names, types), None if plot is None else picture(plot)
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    with num_threads(count):
        libraries = peers.installed(count)
        results = bench(jobs, size, libraries, alone=bool(names))
    if draw:
        draw(results, size, count)
    if as_json:
        what = {"version": version(), "level": core.level(), "compiler": core.compiler()}
        setting = {"numpy": np.__version__, "peers": list(libraries), "threads": count, "size": size}
        print(json.dumps({**what, **setting, "results": [asdict(result) for result in results]}, indent=2))
    else:
        print(report(results, size, count, list(libraries)))
    return 0
