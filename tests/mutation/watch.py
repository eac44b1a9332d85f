"""A pytest plugin for the runs of mutation testing: what each test executes, in what order they run, and a time limit.

What it does is said by environment variables, which `mutation.suite` sets.

NUMACT_PROFILE
    A file for what was seen: the seconds of every test, whether it starts processes, and the lines of the package that
    it executes.
NUMACT_ORDER
    A file with the ids of tests, one a line, with the seconds that each may take: only they run, in this order.
NUMACT_SEEN
    A file for the ids of the tests that were begun.
"""

import faulthandler
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

STDERR = os.dup(2)  # before pytest takes its place
PROFILE, ORDER = os.environ.get("NUMACT_PROFILE"), os.environ.get("NUMACT_ORDER")


class Profiler:
    """Notes of every test what it executes; one process must run them all."""

    def __init__(self, file: str) -> None:
        import coverage

        self.file = file
        self.coverage = coverage.Coverage(data_file=None, source=["src/numact"], messages=False)
        self.coverage.start()
        self.tests: dict[str, dict[str, Any]] = {}
        self.started = 0
        self.failed: set[str] = set()
        sys.addaudithook(self.count_processes)

    def count_processes(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Count the processes that are started, of which the lines are not seen."""
        if event in ("subprocess.Popen", "os.fork", "os.posix_spawn", "os.system", "os.exec"):
            self.started += 1

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[Any]:
        """Note the time of a test, and whether it started a process."""
        self.coverage.switch_context(item.nodeid)
        start, before = time.perf_counter(), self.started
        try:
            return (yield)
        finally:
            self.coverage.switch_context("")
            seconds = round(time.perf_counter() - start, 4)
            self.tests[item.nodeid] = {"seconds": seconds, "processes": self.started > before, "passed": True}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note which tests do not pass."""
        if report.failed or report.skipped:
            self.failed.add(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        """Write what was seen."""
        self.coverage.stop()
        data = self.coverage.get_data()
        root = Path.cwd()
        numbers = {name: number for number, name in enumerate(self.tests)}
        lines = {
            str(Path(file).relative_to(root)): {
                line: sorted(numbers.get(context, -1) for context in contexts)
                for line, contexts in data.contexts_by_lineno(file).items()
            }
            for file in data.measured_files()
        }
        for name in self.failed:
            if name in self.tests:
                self.tests[name]["passed"] = False
        Path(self.file).write_text(json.dumps({"tests": self.tests, "lines": lines}))


class Ordered:
    """Runs the tests of a list, in its order, and ends the process where one takes too long."""

    def __init__(self, file: str) -> None:
        pairs = [line.rsplit(" ", 1) for line in Path(file).read_text().splitlines()]
        self.limits = {name: float(limit) for name, limit in pairs}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Put the tests in order."""
        places = {name: place for place, name in enumerate(self.limits)}
        items[:] = sorted((item for item in items if item.nodeid in places), key=lambda item: places[item.nodeid])

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[Any]:
        """Run a test within its limit."""
        with open(os.environ["NUMACT_SEEN"], "a") as seen:
            print(item.nodeid, file=seen)
        faulthandler.dump_traceback_later(self.limits[item.nodeid], exit=True, file=STDERR)
        try:
            return (yield)
        finally:
            faulthandler.cancel_dump_traceback_later()


def pytest_configure(config: pytest.Config) -> None:
    """Register what the environment asks for."""
    if PROFILE:
        config.pluginmanager.register(Profiler(PROFILE))
    if ORDER:
        config.pluginmanager.register(Ordered(ORDER))
