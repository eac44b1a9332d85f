"""Where memory is lacking: MemoryError or the right bits, nothing lost or half-written, and the next call is right.

Every allocation of a call fails once: `failing_malloc.c` is put before the C library of a process of its own, in which
`support/failing_calls.py` repeats the calls of `support/public_calls.py`.
"""

import json
from collections import Counter
from pathlib import Path

import pytest
from support.failing import failing_malloc, needs_glibc, under_failing_malloc
from support.public_calls import GROUPS, public_names

pytestmark = [needs_glibc, pytest.mark.memory]


def sweep(tmp_path: Path, which: str, group: str, every: int, forms: str = "all") -> None:
    """Let one allocation after the other fail in a group of calls; a crash names the call and the allocation."""
    progress = tmp_path / "progress"
    arguments = [str(failing_malloc()), str(progress), which, group, str(every), forms]
    allocator = {"PYTHONMALLOC": "malloc"} if which == "all" else {}
    process = under_failing_malloc("-X", "faulthandler", "-m", "support.failing_calls", *arguments, **allocator)
    assert process.returncode == 0, f"{progress.read_bytes()!r}\n{process.stderr[-4000:]}"
    found = [json.loads(line) for line in process.stdout.splitlines()]
    counts: Counter[str] = Counter()
    for record in found:
        counts.update({key: count for key, count in record.items() if isinstance(count, int)})
    problems = [f"{record['call']}: {problem}" for record in found for problem in record["problems"]]
    print(
        f"{group}: {len({record['name'] for record in found})} functions, {len(found)} calls, failures {dict(counts)}"
    )
    assert found
    assert not problems, "\n".join(problems[:50])


every_group = pytest.mark.parametrize("group", GROUPS)


def test_every_public_function_is_called() -> None:
    """A new function of the catalogue has calls; one that is not in it must be given some."""
    assert public_names() <= {call.name for calls in GROUPS.values() for call in calls()}


@every_group
def test_own_allocations(tmp_path: Path, group: str) -> None:
    """What numact allocates itself: each one fails, and each function goes on or raises MemoryError."""
    sweep(tmp_path, "own", group, 100)


@every_group
def test_allocations(tmp_path: Path, group: str) -> None:
    """The same for objects of Python and the elements of arrays: some of them, for some calls of every function."""
    sweep(tmp_path, "all", group, 15, "one" if group == "activations" else "all")


@pytest.mark.slow
@every_group
def test_all_allocations(tmp_path: Path, group: str) -> None:
    """The same for all of them."""
    sweep(tmp_path, "all", group, 1_000_000)
