"""Makes many calls, right and wrong ones, and prints by how much the process has grown; a process of its own.

python -m support.growing_calls COUNT
"""

import gc
import json
import sys
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from support.failing_calls import chosen
from support.public_calls import GROUPS, Call

SLOW = 500e-6  # seconds: of slower calls there are fewer
SPARED = 50
ROUNDS, ATTEMPTS = 25, 5
LEAST_LEAK = 100  # bytes of a round; with less, an attempt is one in which Python and NumPy have kept something
# What all calls share.
OBJECTS: list[Any] = [np.dtype(np.float32), np.dtype(np.float16), np.dtype(np.bool_), np.dtype(np.float64)]


def counts_every_array() -> bool:
    """Whether NumPy leaves a reference to the default dtype behind for each array, as 2.4 does."""
    before = sys.getrefcount(OBJECTS[-1])
    for _ in range(100):
        np.empty(1)
    return sys.getrefcount(OBJECTS[-1]) - before >= 100


class Failing:
    """An operand that cannot be converted."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise LookupError("no array")


def resident() -> int:
    """The resident memory in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError


def wrong_calls(call: Call) -> list[Callable[[], Any]]:
    """The call with one thing wrong: an operand, its dtype or shape, a keyword, the result."""
    others, keywords, function = call.operands[1:], call.keywords, call.function
    operands: list[Any] = [Failing(), np.array(["text"]), np.ones(3, complex), np.ones((2, 3, 5, 7)), object(), None]
    if not call.operands:
        operands = []
    outs: list[Any] = [np.empty((5, 4, 3, 2, 1)), np.empty(3, "S3"), 3, (None, None, None)]
    found: list[Callable[[], Any]] = [partial(function, wrong, *others, **keywords) for wrong in operands]
    found += [partial(function, *call.operands, **{**keywords, "out": wrong}) for wrong in outs]
    return [
        *found,
        partial(function, *call.operands, **keywords, nonsense=1),
        partial(function, *call.operands, *range(9)),
    ]


def references(call: Call) -> list[int]:
    """The numbers of references to what the calls share."""
    objects = [*OBJECTS, call.function, *call.operands, *call.keywords.values()]
    return [sys.getrefcount(value) for value in objects if not isinstance(value, int | str | type(None))]


def repeated(function: Callable[[], Any], rounds: int = ROUNDS) -> bool:
    """Call something over and over; whether it always raised."""
    for _ in range(rounds):
        try:
            function()
        except Exception:
            continue
        return False
    return True


def leaked(call: Call, right: bool) -> tuple[int, list[str]]:
    """Repeat the call, or the wrong ones, under tracemalloc; how many raised, and what has grown by each of them."""
    raised = 0
    grown: list[str] = []
    calls = [call] if right else wrong_calls(call)
    for _ in range(ATTEMPTS):  # of which the first fills what Python and NumPy keep
        gc.collect()
        before, counted = tracemalloc.get_traced_memory()[0], references(call)
        for one in calls:
            if right:
                for _ in range(ROUNDS):
                    one()
            else:
                raised += ROUNDS * repeated(one)
        gc.collect()
        grown_by = (tracemalloc.get_traced_memory()[0] - before) // ROUNDS
        more = [now - then for then, now in zip(counted, references(call), strict=True)]
        grown = []
        if grown_by >= LEAST_LEAK:
            grown.append(f"{call}: {grown_by} bytes of each round")
        if max(more) >= ROUNDS:
            grown.append(f"{call}: references {more}")
        if not grown:
            break
    return raised, grown


def main(count: str) -> None:
    """Make about `count` calls, after a tenth of them before the first measurement."""
    calls = [call for group, make in GROUPS.items() if group != "first_use" for call in chosen(list(make()), "one")]
    calls = [call for call in calls if call.name != "set_num_threads"]
    if counts_every_array():
        OBJECTS.pop()
    total = raised = 0
    problems: list[str] = []
    fast: list[Call] = []
    for call in calls:
        call()
        start = time.perf_counter()
        call()
        if time.perf_counter() - start < SLOW:
            fast.append(call)
    rounds = max(10, int(count) // len(fast))

    def make(number: int) -> None:
        nonlocal total
        for k in range(number):
            for call in fast if k % SPARED else calls:
                call()
            total += len(fast) if k % SPARED else len(calls)

    make(rounds // 10)
    gc.collect()
    before = resident()
    make(rounds)
    gc.collect()
    grown = resident() - before
    tracemalloc.start()
    # What Python keeps of objects that are older than the tracing is replaced, little by little, by traced ones.
    for call in calls:
        for one in wrong_calls(call):
            repeated(one, 1)
    for call in calls:
        for right in (True, False):
            found, lost = leaked(call, right)
            total += found
            raised += found
            problems += lost
    print(json.dumps({"calls": total, "raised": raised, "resident": grown, "problems": problems}))


if __name__ == "__main__":
    main(*sys.argv[1:])
