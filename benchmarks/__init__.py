"""asv benchmarks of numact: see benchmarks/README.md."""

import os
import re
from operator import attrgetter
from pathlib import Path
from typing import Any

# numact reads this when it is imported, which happens later.
os.environ.setdefault("NUMACT_NUM_THREADS", "1")

CSRC = Path(__file__).parent.parent / "csrc"


def listed(header: str, macro: str = "ROW") -> list[str]:
    """The names in a list of csrc, by the macro that the list calls for each.

    The installed numact, which may be an older commit, is not asked: asv tells the process that measures no more than
    the number of a combination of parameters, which must mean the same combination there.
    """
    return re.findall(rf"\b{macro}\((\w+),", (CSRC / header).read_text(encoding="utf-8"))


def function_of(name: str) -> Any:
    """The function of numact; asv leaves a benchmark out where an older commit has not got it."""
    import numact

    try:
        return attrgetter(name)(numact)
    except AttributeError:
        raise NotImplementedError from None


def short(value: float) -> float:
    """Four digits: the others are noise, and results are stored."""
    return float(f"{value:.4g}")
