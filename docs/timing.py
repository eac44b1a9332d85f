"""How long a call takes, for the scripts that measure tables."""

import time
from collections.abc import Callable
from typing import Any


def best(call: Callable[[], Any], least: float) -> float:
    """Seconds of a call, which is repeated for at least so many seconds."""
    start = time.perf_counter()
    call()
    repeats = max(1, int(least / (time.perf_counter() - start + 1e-9)))
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats
