"""Random schedules of callers, forks, signals, changed thread counts and failures: no race, and every result right."""

import sys
from pathlib import Path

import pytest
from support import schedules
from support.programs import NEEDS_SOURCES, require

# Schedules of each build: about a quarter of a minute.
COUNTS = {"races": 300, "races by clang": 300, "memory": 300, "fast": 2000}

pytestmark = [
    pytest.mark.compilers,
    NEEDS_SOURCES,
    pytest.mark.skipif(sys.platform != "linux", reason="replaces functions in the way of the linker of Linux"),
]


@pytest.mark.parametrize("build", schedules.BUILDS)
def test_schedules(build: str, tmp_path: Path) -> None:
    """Every item is computed once and every block has one owner, whatever happens meanwhile; all of it does happen."""
    require(schedules.BUILDS[build][0])
    counts = schedules.run(schedules.build(build, tmp_path / "program"), COUNTS[build], seed=1)
    assert counts["schedules"] == COUNTS[build]
    never = [] if build == "fast" else ["children"]  # that compute: the runtimes of sanitizers may hang in them
    assert [what for what, count in counts.items() if count == 0] == never
