"""What the commands share: which functions and types a user asks for, and how progress is shown."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from numact._functions.names import plain
from numact._kernels import core
from numact.commands.verify.checks import Function


class UsageError(Exception):
    """What the user asked for does not exist, or needs a package that is missing."""


def functions(names: Sequence[str], families: Sequence[str], verb: str) -> list[Function]:
    """The functions of these names, where "gelu" stands for its gradients, too; all where there is no name."""
    every = [
        Function(row, suffix)
        for row in core.catalogue()
        if row.family in families
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
            known = ", ".join(dict.fromkeys(function.row.name for function in every))
            raise UsageError(f"--function: {name!r} is none of the functions that can be {verb}: {known}")
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
    return {
        name: types[name]
        for name in dict.fromkeys(names or ("float16", "bfloat16", "float32", "float64"))
        if name in types
    }


@contextmanager
def progress(total: int) -> Iterator[Callable[[str, int], None]]:
    """Show on stderr what is being done and how long it will take: with rich if it is installed, else as lines."""
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
