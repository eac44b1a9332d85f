"""How many examples each test of tests/fuzz draws: a few, or as many as `--hypothesis-profile=` says, short or long."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from support import drawn

# 171 tests: short is more than 20,000 examples in all, long an hour.
PROFILES = {"few": 10, "short": 125, "long": 5000}
for name, examples in PROFILES.items():
    settings.register_profile(
        name, max_examples=examples, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
    )
settings.load_profile("few")

EXAMPLES = "drawn examples"
tried: dict[str, int] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[Any]:
    """Note how many examples a test has drawn, where another process can read it."""
    before = drawn.count()
    try:
        return (yield)
    finally:
        if drawn.count() > before:
            item.user_properties.append((EXAMPLES, drawn.count() - before))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add up the examples, of all processes."""
    if report.when == "call":
        for name, value in report.user_properties:
            if name == EXAMPLES:
                tried[report.nodeid] = int(str(value))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how much was tried, where anything was."""
    if tried:
        terminalreporter.write_line(f"{sum(tried.values()):,} examples drawn for {len(tried)} tests of tests/fuzz")
