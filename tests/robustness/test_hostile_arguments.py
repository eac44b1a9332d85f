"""Values of every kind as every argument of every public function: a result, or an exception that names it."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from support.attempts import Attempt, failures
from support.extras import require_study
from support.hostile import ARRAYS, EQUAL, VALUES
from support.surface import MODULES, Call, calls

from numact import ParametricUfunc

# Whose arguments go to a function of NumPy's, which says what is wrong with them.
FORWARDED = {"numact.BitMask.sum", "numact.ParametricUfunc.at", "numact.ParametricUfunc.outer"}
# What the calls of these change is what they are asked to.
SETTERS = {"numact.set_num_threads", "numact.memory.set_reuse"}
# What reads an array and makes none of its size computes on as many elements as it says it has.
READ_ONLY = ("numact.logsumexp", "numact.diagnostics.")
# What says how much numact.study computes.  Any number is legitimate, and many mean hours or more memory than there is:
# numbers beyond MANY, and arrays of equal elements as a sequence of them, are not tried.
COUNTS = {"depth", "depths", "width", "inputs", "outputs", "seeds", "epochs"}
MANY = 1000
# What is called after an epoch of training: what a function does then is its own.
CALLBACKS = {"numact.study.train(watch)"}
KINDS = {"values": VALUES, "arrays": ARRAYS}
# One in so many of the values of an elementwise function is tried in the short tier; they share their code.
THINNED = 12


def names_of(call: Call, parameter: str) -> tuple[str, ...]:
    """The words of which one must be in the message; none where NumPy checks the argument."""
    function = call.function
    if isinstance(function, np.ufunc) or call.path in FORWARDED:
        return ()
    if call.path == "numact.study.read":  # whose messages begin with the name of the file
        return (*call.parameters, "no such file", "the name must end with")
    if isinstance(function, ParametricUfunc) and parameter not in (*function.defaults, "at_zero"):
        return ()
    return call.parameters


def is_chosen(label: str, every: int) -> bool:
    """Whether a case is one of those that are tried: always the same."""
    return zlib.crc32(label.encode("utf-8", "replace")) % every == 0


def is_long(call: Call, parameter: str, name: str, value: Any) -> bool:
    """Whether a value is allowed, but means computing without end."""
    if name in EQUAL and call.path.startswith(READ_ONLY):
        return True
    if call.module != "numact.study" or parameter not in COUNTS:
        return False
    numbers = value if isinstance(value, list | tuple) else [value]
    return name in EQUAL or any(isinstance(number, int) and number > MANY for number in numbers)


def attempts(module: str, kind: str, every: str) -> Iterator[Attempt]:
    """Calls of all functions of a module with one argument that is a value of the kind."""
    for call in calls():
        if call.module != module:
            continue
        thinned = int(every) if isinstance(call.function, np.ufunc | ParametricUfunc) else 1
        for parameter in call.parameters:
            for name, make in KINDS[kind].items():
                label = f"{call.path}({parameter}={name})"
                if not is_chosen(label, thinned) or is_long(call, parameter, name, value := make()):
                    continue
                if callable(value) and f"{call.path}({parameter})" in CALLBACKS:
                    continue
                arguments = {**call.valid(), parameter: value}
                yield Attempt(
                    label,
                    _bound(call, arguments),
                    arguments,
                    names_of(call, parameter),
                    (IndexError, RuntimeError) if call.path == "numact.ParametricUfunc.at" else (),
                    call.path in SETTERS,
                )


def _bound(call: Call, arguments: dict[str, Any]) -> Callable[[], Any]:
    return lambda: call(arguments)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("module", MODULES)
def test_arguments(module: str, kind: str) -> None:
    """No argument crashes, hangs, warns, leaves something half done, or gets a message that does not name it."""
    if module == "numact.study":
        require_study()
    assert failures(__file__, "attempts", module, kind, str(THINNED)) == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_all_arguments(kind: str) -> None:
    """The same of every value for every elementwise function."""
    assert failures(__file__, "attempts", "numact", kind, "1") == []
