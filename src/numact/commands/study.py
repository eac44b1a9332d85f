"""The command ``python -m numact study``: the questions about activations, answered by experiment."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numact.commands.selection import UsageError, output_path

NEEDED = ("scipy", "sklearn", "matplotlib", "jinja2", "rich")


def run(arguments: Any) -> int:
    """Run the experiments and write the report; the exit code is 0, or 2 for a wrong argument."""
    try:
        return _run(arguments)
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstudy: the same command continues from here", file=sys.stderr)
        raise


def _run(arguments: Any) -> int:
    _require()
    from dataclasses import replace

    from numact._kernels.config import version
    from numact.study import runner
    from numact.study.data import DataError
    from numact.study.experiments import QUESTIONS
    from numact.study.report import html, results
    from numact.study.store import key_of, write_whole

    wanted = sorted(set(arguments.question or QUESTIONS))
    if unknown := [number for number in wanted if number not in QUESTIONS]:
        raise UsageError(f"study: there is no question {unknown[0]}; they are 1 to {max(QUESTIONS)}")
    settings = runner.QUICK if arguments.quick else runner.FULL
    if arguments.seeds:
        settings = replace(settings, seeds=arguments.seeds)
    output = output_path("study: --output", arguments.output, (".html", ".htm"))
    if arguments.target is not None and not arguments.data:
        raise UsageError("study: --target belongs to --data")
    data: list[tuple[str, str | None]] = [(name, None) for name in runner.DATA]
    if arguments.data is not None:
        data = [(str(arguments.data), arguments.target)]
    try:
        runs = runner.tasks(wanted, settings, data)
    except DataError as error:
        raise UsageError(f"study: --data: {error}") from None
    try:
        store = runner.store_of(output, settings, data)
    except ValueError as error:
        raise UsageError(f"study: {error}") from None
    with store, _progress() as progress:
        runner.run_all(runs, store, arguments.processes or os.cpu_count() or 1, progress)
        keys = {key_of(task) for task in runs}
        records = [record for key, record in store.records.items() if key in keys]
    found = results(records, _command(arguments), version())
    write_whole(output.with_suffix(".json"), json.dumps(found, indent=1))
    write_whole(output, html(found))
    for question in found["questions"]:
        print(f"{question['number']}. {question['title']:<64} {question['verdict']}")
    print(output)
    return 0


def _require() -> None:
    """Say what is missing, all at once."""
    from importlib.util import find_spec

    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise UsageError(f'study: needs {", ".join(missing)}, not installed here: pip install "numact[study]"')


def _command(arguments: Any) -> str:
    """The command that makes the same report."""
    words = ["python", "-m", "numact", "study"]
    words += ["--quick"] if arguments.quick else []
    for number in sorted(set(arguments.question or [])):
        words += ["--question", str(number)]
    words += ["--seeds", str(arguments.seeds)] if arguments.seeds else []
    words += ["--data", Path(arguments.data).name] if arguments.data else []
    words += ["--target", arguments.target] if arguments.target else []
    return shlex.join([*words, "-o", Path(arguments.output).name])


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A bar with the time that is left, on the standard error."""
    from rich import progress
    from rich.console import Console

    columns = (
        *(progress.TextColumn("study"), progress.BarColumn(), progress.MofNCompleteColumn()),
        *(progress.TimeElapsedColumn(), progress.TextColumn("left"), progress.TimeRemainingColumn()),
    )
    with progress.Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("runs", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
