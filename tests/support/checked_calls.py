"""Calls of every public function in every dtype and layout, for valgrind: see tests/robustness/test_memcheck.py.

`python -m support.checked_calls GROUP` makes the calls of a group of `support.public_calls`; `wrong` is a group of one
call, which reads beyond its array.
"""

import sys
from collections.abc import Iterator
from typing import Any

import ml_dtypes
import numpy as np
from support.public_calls import GROUPS, Call

import numact
from numact._kernels import core

Array = np.ndarray[Any, np.dtype[Any]]

DTYPES = (np.float32, np.float64, np.float16, ml_dtypes.bfloat16)


def in_dtype(value: Any, dtype: Any, known: dict[int, Any]) -> Any:
    """A value with its float32 arrays in another dtype, in the same layout; what is one array stays one array."""
    if isinstance(value, tuple):
        return tuple(in_dtype(item, dtype, known) for item in value)
    if isinstance(value, dict):
        return {key: in_dtype(item, dtype, known) for key, item in value.items()}
    if not isinstance(value, np.ndarray) or value.dtype != np.float32:
        return value
    if id(value) not in known:
        steps = [stride // value.itemsize for stride in value.strides]
        ends = [step * (length - 1) for step, length in zip(steps, value.shape, strict=True)]
        memory = np.empty(1 + sum(map(abs, ends)), dtype)
        start = memory[-sum(end for end in ends if end < 0) :]
        strides = [step * memory.itemsize for step in steps]
        copy = np.lib.stride_tricks.as_strided(start, value.shape, strides)
        copy[...] = value
        known[id(value)] = copy
    return known[id(value)]


def calls(group: str) -> Iterator[Call]:
    """The calls of a group, in every dtype; and over their own results, one element on."""
    for call in GROUPS[group]():
        yield call
        for dtype in DTYPES[1:]:
            known: dict[int, Any] = {}
            operands, keywords = (in_dtype(given, dtype, known) for given in (call.operands, call.keywords))
            if known:
                yield Call(call.name, f"{call.form}, {np.dtype(dtype).name}", call.function, operands, keywords)
        if group == "activations" and call.form == "contiguous" and not call.name.endswith("_masked"):
            yield from overlapping(call)


def overlapping(call: Call) -> Iterator[Call]:
    """A call of an elementwise function whose result begins one element before its last operand, or after it."""
    for dtype in DTYPES:
        operands = in_dtype(call.operands, dtype, {})
        for here, there in ((slice(1, None), slice(-1)), (slice(-1), slice(1, None))):
            arrays, keywords = tuple(array[here] for array in operands), dict(call.keywords)
            out = operands[-1][there]
            keywords["out"] = (np.empty_like(out), out) if results_of(call) == 2 else out
            yield Call(call.name, "overlapping", call.function, arrays, keywords)


def results_of(call: Call) -> int:
    """How many arrays a call returns."""
    results = call()
    return len(results) if isinstance(results, tuple) else 1


def beyond() -> None:
    """Reads beyond an array, which valgrind must find."""
    numact.gelu(np.lib.stride_tricks.as_strided(np.ones(4, np.float32), (40,)))


def main() -> None:
    """Make the calls of the group."""
    group = sys.argv[1]
    if group == "wrong":
        beyond()
        return
    made = refused = 0
    with np.errstate(all="ignore"):
        for call in calls(group):
            try:
                call()
                made += 1
            except TypeError:  # float16 beside bfloat16, and what does not take bfloat16
                refused += 1
    print(f"level {core.level()} of {' '.join(core.levels())}, calls {made}, refused {refused}")


if __name__ == "__main__":
    main()
