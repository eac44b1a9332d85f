"""Repeats calls while one allocation after the other fails, in a process under tests/robustness/failing_malloc.c.

python -m support.failing_calls LIBRARY PROGRESS own|all GROUP EVERY all|one
"""

import ctypes
import dataclasses
import gc
import json
import os
import sys
from collections import Counter
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from support.public_calls import GROUPS, Call

import numact
from numact import memory

CALLERS = {
    "n": "in compiled code of numact",
    "i": "in the interpreter",
    "a": "the elements of an array",
    "p": "let through: an object of NumPy",
}
SET_HANDLER = 304  # PyDataMem_SetHandler in the C interface of NumPy
EVERY = 300  # of the first so many allocations all fail, then one of two, one of three, ...
MOST = 20_000  # allocations of a call; more are a loop without end
# A leak is a block or more for each of so many repetitions; Python and NumPy keep hundreds of blocks for later.
REPEATS = (20, 1000)


def use_for_arrays(handler: int) -> None:
    """Let NumPy have the memory of arrays from an allocator, by the number of the function in NumPy's table."""
    python = ctypes.pythonapi
    python.PyCapsule_New.restype = ctypes.py_object
    python.PyCapsule_GetPointer.restype = ctypes.c_void_p
    capsule = python.PyCapsule_New(ctypes.c_void_p(handler), b"mem_handler", None)
    table = python.PyCapsule_GetPointer(
        ctypes.py_object(import_module("numpy._core._multiarray_umath")._ARRAY_API), None
    )
    set_handler = ctypes.cast(table, ctypes.POINTER(ctypes.c_void_p))[SET_HANDLER]
    ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(set_handler or 0)(capsule)


class Control:
    """The counters of the preloaded library."""

    def __init__(self, path: str, arrays: bool = True) -> None:
        library = ctypes.CDLL(path)
        names = ("fail_at", "seen", "blocks", "own_blocks")
        self.fail_at, self.seen, self.blocks, self.own_blocks = (ctypes.c_long.in_dll(library, name) for name in names)
        self.in_a_row = ctypes.c_int.in_dll(library, "in_a_row")
        self.own_only = ctypes.c_int.in_dll(library, "own_only")
        self.made_for = ctypes.c_int.in_dll(library, "made_for")
        self.note = ctypes.c_int.in_dll(library, "note")
        packages = [str(Path(module.__file__ or "").parent) + os.sep for module in (numact, np)]
        for line in Path("/proc/self/maps").read_text().splitlines():
            addresses, flags, *rest = line.split()
            for kind, package in enumerate(packages):
                if "x" in flags and rest[-1].startswith(package):
                    start, end = (ctypes.c_size_t(int(address, 16)) for address in addresses.split("-"))
                    library.add_range(start, end, kind)

        if arrays:
            use_for_arrays(ctypes.addressof(ctypes.c_char.in_dll(library, "handler")))

    def run(self, call: Callable[[], Any], at: int) -> tuple[Any, BaseException | None, int]:
        """The result or the exception of a call of which the at-th allocation fails, and how many it tried to make."""
        result = error = None
        fail_at = self.fail_at
        self.seen.value = 0
        fail_at.value = at
        try:
            result = call()
        except BaseException as raised:
            fail_at.value = 0
            error = raised
        fail_at.value = 0
        return result, error, self.seen.value


def frozen(value: Any) -> Any:
    """A value that can be compared, to the bit, with that of another call."""
    if isinstance(value, np.ndarray | np.generic):
        return type(value).__name__, value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, numact.BitMask):
        return value.shape, value.packed
    if isinstance(value, np.random.Generator):
        return repr(value.bit_generator.state)
    if isinstance(value, numact.diagnostics.ActivationMonitor):
        return repr(value.to_dict()), [frozen(layer.silent) for layer in value._layers.values()]
    if dataclasses.is_dataclass(value):
        return [frozen(getattr(value, field.name)) for field in dataclasses.fields(value)]
    if isinstance(value, dict):
        return {key: frozen(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value).__name__, [frozen(one) for one in value]
    return value if isinstance(value, str | bytes | int) or value is None else repr(value)


def kept(value: Any) -> Any:
    """What `restore` needs to bring back the contents of an operand that a call writes."""
    if isinstance(value, tuple):
        return [kept(one) for one in value]
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, np.random.Generator):
        return value.bit_generator.state
    return {name: layer.copy() for name, layer in value._layers.items()}


def restore(value: Any, before: Any) -> None:
    """Bring the contents back."""
    if isinstance(value, tuple):
        for one, old in zip(value, before, strict=True):
            restore(one, old)
    elif isinstance(value, np.ndarray):
        value[...] = before
    elif isinstance(value, np.random.Generator):
        value.bit_generator.state = before
    else:
        value._layers = {name: layer.copy() for name, layer in before.items()}


def is_foreign(error: BaseException) -> bool:
    """Whether an exception instead of MemoryError comes from code of another package, or from C code that sets none."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    where = "" if traceback is None else traceback.tb_frame.f_code.co_filename
    return isinstance(error, SystemError) or not where.startswith(str(Path(numact.__file__).parent))


class Sweep:
    """The allocations of one call, which fail one after the other."""

    def __init__(self, control: Control, call: Call) -> None:
        self.control, self.call = control, call
        self.problems: list[str] = []
        self.before = [kept(value) for value in call.writes]
        self.untouched = [frozen(value) for value in call.writes]
        self.inputs = self._inputs()
        self.want, self.written = self._plain()

    def _inputs(self) -> list[Any]:
        written = [one for value in self.call.writes for one in (value if isinstance(value, tuple) else (value,))]
        values = [*self.call.operands, *self.call.keywords.values()]
        return [
            frozen(value)
            for value in values
            if isinstance(value, np.ndarray)
            and not any(value is one or np.shares_memory(value, one) for one in written if isinstance(one, np.ndarray))
        ]

    def _reset(self) -> None:
        for value, before in zip(self.call.writes, self.before, strict=True):
            restore(value, before)

    def _plain(self) -> tuple[Any, list[Any]]:
        """The call without failures: its result, and what it has written."""
        self._reset()
        result = frozen(self.call())
        return result, [frozen(value) for value in self.call.writes]

    def attempt(self, at: int) -> tuple[int, bool, list[str]]:
        """Let one allocation fail: how many there were, whether the call raised, and what was wrong."""
        problems = []
        self._reset()
        result, error, seen = self.control.run(self.call, at)
        if error is None:
            if frozen(result) != self.want:
                problems.append("another result")
        elif not isinstance(error, MemoryError) and not is_foreign(error):
            problems.append(f"{type(error).__name__}: {error}")
        for value, old, new in zip(self.call.writes, self.untouched, self.written, strict=True):
            in_part = isinstance(value, np.random.Generator) or (self.call.in_part and error is not None)
            if not in_part and frozen(value) not in (old, new):
                problems.append("half-written")
        return seen, error is not None, problems

    def leaks(self, at: int) -> list[str]:
        """Look for blocks that are there after a failure and were not before: of numact, and of all."""
        lost: list[int] = []
        for repeats in REPEATS:
            gc.collect()
            before = self.control.own_blocks.value, self.control.blocks.value
            for _ in range(repeats):
                self._reset()
                if self.control.run(self.call, at)[1] is None:  # the result may be kept
                    return []
            self._reset()
            gc.collect()
            after = self.control.own_blocks.value, self.control.blocks.value
            lost = [(now - then) // repeats for then, now in zip(before, after, strict=True)]
            if max(lost) <= 0:
                return []
        return [f"leaks {lost[0]} blocks of numact, {lost[1]} in all"]

    def run(self, every: int, note: Callable[[int], None], counts: Counter[str]) -> None:
        """Let one allocation after the other fail: all of the first `every`, then one of two, one of three, ..."""
        self.check("before", self.repeats())
        at = 0
        while at < MOST:
            at += 1 + at // every
            note(at)
            before = self.control.own_blocks.value, self.control.blocks.value
            seen, raised, problems = self.attempt(at)
            if seen < at:
                break
            caller = chr(self.control.made_for.value)
            counts[CALLERS[caller]] += 1
            if caller == "p":
                continue
            after = self.control.own_blocks.value, self.control.blocks.value
            if after[0] > before[0] or (caller == "n" and after[1] > before[1]):
                problems += self.leaks(at)
            counts["raised"] += raised
            still_on = self.forget_cache()
            problems += still_on if caller != "i" else []
            self.check(f"allocation {at} ({CALLERS[caller]})", problems + self.repeats())
        else:
            self.check("all", [f"more than {MOST} allocations"])

    def repeats(self) -> list[str]:
        """Whether the call gives the same again, without failures."""
        problems = ["another result when repeated"] if self._plain() != (self.want, self.written) else []
        return problems + (["an operand has changed"] if self._inputs() != self.inputs else [])

    def forget_cache(self) -> list[str]:
        """Turn off the cache of blocks, which is on if the interpreter could not call the end of a with block."""
        if not numact.memory.stats()["limit"]:
            return []
        memory._open.clear()
        memory.set_reuse(None)
        return ["the cache of blocks is still on"]

    def check(self, when: str, problems: list[str]) -> None:
        """Keep problems."""
        self.problems += [f"{when}: {problem}" for problem in problems]


def chosen(calls: list[Call], forms: str) -> list[Call]:
    """All calls of a group, or one of each function: of the second one the second form, and so on."""
    by_name: dict[str, list[Call]] = {}
    for call in calls:
        by_name.setdefault(call.name, []).append(call)
    if forms == "all":
        return calls
    return [found[k % len(found)] for k, found in enumerate(by_name.values())]


def write(file: int, call: str, at: int) -> None:
    """Write which allocation of which call fails, after the letter of failing_malloc.c."""
    os.pwrite(file, f"{call}, allocation {at}".encode(), 1)


def main(library: str, progress: str, which: str, group: str, every: str, forms: str) -> None:
    """Sweep over a group of calls; print what was found for each as JSON."""
    numact.set_num_threads(1)
    control = Control(library)
    control.own_only.value = which == "own"
    unraisable: list[str] = []
    sys.unraisablehook = lambda found: unraisable.append(f"unraisable {found.exc_value!r} in {found.object!r}")
    gc.disable()
    calls = chosen(list(GROUPS[group]()), forms)
    gc.collect()
    gc.freeze()
    file = os.open(progress, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    control.note.value = file
    for call in calls:
        counts: Counter[str] = Counter()
        sweep = Sweep(control, call)
        os.ftruncate(file, 0)
        sweep.run(int(every), partial(write, file, str(call)), counts)
        sweep.check("at some point", [one for one in unraisable if "numact" in one])
        unraisable.clear()
        print(json.dumps({"call": str(call), "name": call.name, "problems": sweep.problems, **counts}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
