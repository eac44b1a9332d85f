"""Progress on stderr: what is being done and the estimated time left."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress(total: int) -> Iterator[Callable[[str, int], None]]:
    """Show progress as a bar of rich, if it is installed, else as lines; yields a function of (description, cost)."""
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
