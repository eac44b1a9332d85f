"""Calls that are expected to go wrong: what may come of them, and whether anything has changed afterwards.

They run in a process of its own, because they may crash: `failures` starts it, `try_all` is what it does.
"""

from __future__ import annotations

import faulthandler
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

import numact
from numact._kernels import core, targets

SECONDS = 60  # after which a call hangs


class Own(Exception):
    """What hostile objects raise; it must pass through."""


class Attempt(NamedTuple):
    """A call with a hostile argument."""

    label: str
    call: Callable[[], Any]
    arguments: dict[str, Any]  # what it is called with, to see what has changed
    names: tuple[str, ...] = ()  # the message must have one of these words; none: it is that of NumPy
    also: tuple[type[Exception], ...] = ()  # exceptions that are allowed besides those of all
    changes: bool = False  # a call that succeeds changes the state, as it is asked to


ALLOWED = (TypeError, ValueError, OverflowError, MemoryError, FloatingPointError, ImportError, Own)
# What CPython says where nobody has looked at an argument.
LEAKS = re.compile(
    r"has no attribute|object is not|not supported between|unsupported operand|NoneType|not iterable|not subscriptable"
    r"|unpack|truth value|unhashable|cannot be interpreted|cannot convert float|positional argument"
    r"|digits\) for integer|too large to convert|only 0-dimensional|only length-1|argument of type"
    r"|descriptor|__format__|expected str"
)
# What NumPy says of values that it cannot convert, broadcast or allocate, also for the functions of numact.
NUMPY = re.compile(
    r"setting an array element with a sequence|inhomogeneous shape|could not be broadcast|cannot be broadcast"
    r"|[Mm]aximum (allowed|supported) |array is too big|to be a matrix|up to 32 dimensions|Unable to allocate|^ufunc '"
    r"|casting rule|more dimensions than"
)
# Warnings of NumPy's: of results that overflow, of where= without out=, of what has no truth value.
WARNINGS = (
    ("(overflow|underflow) encountered", RuntimeWarning),
    (".where. used without .out.", UserWarning),
    ("NotImplemented should not be used", DeprecationWarning),
)


def state() -> tuple[Any, ...]:
    """What no call may change unless it is asked to."""
    return numact.get_num_threads(), core.level(), targets.LEVEL, numact.memory.stats()["limit"], tuple(np.geterr())


def reset() -> None:
    """Make the state what it was at first."""
    numact.set_num_threads(2)
    numact.memory.set_reuse(None)


def contents(value: Any) -> Any:
    """What a value holds, as far as a call could change it."""
    if isinstance(value, np.ndarray) and value.size < 1 << 20 and value.dtype.kind not in "OT":
        return value.shape, value.strides, value.dtype, value.flags.writeable, np.ascontiguousarray(value).tobytes()
    if isinstance(value, np.random.Generator):
        return repr(value.bit_generator.state)
    if isinstance(value, tuple):
        return [contents(one) for one in value if isinstance(one, np.ndarray)]
    return None


def complaint(attempt: Attempt) -> str | None:
    """What is wrong about how a call has gone; None if nothing is."""
    before, held = state(), {name: contents(value) for name, value in attempt.arguments.items()}
    failed, wrong = False, None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for message, category in WARNINGS:
                warnings.filterwarnings("ignore", message, category)
            attempt.call()
    except BaseException as error:
        if not isinstance(error, (*ALLOWED, *attempt.also)):
            return f"{type(error).__name__}: {error}"
        failed, wrong = True, _of_message(error, attempt)
    if state() != before:
        found = state()
        reset()
        if failed or not attempt.changes:
            return f"the state is {found}, not {before}"
    for name, value in attempt.arguments.items() if failed else ():
        if contents(value) != held[name]:
            return f"the call has failed, and {name} has changed"
    return wrong


def _of_message(error: BaseException, attempt: Attempt) -> str | None:
    """What is wrong about an exception that is allowed."""
    message = str(error)
    if isinstance(error, Own | MemoryError) or NUMPY.search(message):
        return None
    if not message:
        return f"{type(error).__name__} without a message"
    if attempt.names and len(message) > 2000:
        return f"{type(error).__name__} of {len(message)} characters: {message[:200]}"
    if attempt.names and not any(re.search(rf"\b{re.escape(name)}\b", message) for name in attempt.names):
        return f"{type(error).__name__} names none of {', '.join(attempt.names)}: {message}"
    if attempt.names and (leak := LEAKS.search(message)):
        return f"{type(error).__name__} says {leak[0]!r}: {message}"
    return None


def bits() -> list[bytes]:
    """Bits of results of all kinds of loops."""
    x = np.linspace(-3, 3, 2000, dtype=np.float32).reshape(40, 50)
    return [
        np.asarray(result).tobytes()
        for result in (
            numact.gelu(x),
            numact.leaky_relu(x[:, ::2], 0.2),
            numact.softmax(x),
            numact.norm.layer_norm(x),
            numact.relu_masked(x)[1].bits,
            numact.bias_activation(x, x[0], "tanh"),
            numact.diagnostics.sparsity(x),
        )
    ]


def limit_memory(size: int = 4 << 30) -> None:
    """Let huge arrays fail at once, where the system has such limits; AddressSanitizer has its own."""
    if sys.platform == "linux" and "ASAN_OPTIONS" not in os.environ:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (size, size))


def try_all(attempts: Iterable[Attempt]) -> None:
    """Make all calls; print what is wrong, and how many there were."""
    limit_memory()
    reset()
    first, count = bits(), 0
    for attempt in attempts:
        os.write(1, f"> {attempt.label}\n".encode())
        faulthandler.dump_traceback_later(SECONDS, exit=True)
        wrong = complaint(attempt)
        faulthandler.cancel_dump_traceback_later()
        count += 1
        if wrong is not None:
            os.write(1, f"! {attempt.label}: {' '.join(wrong.split())[:400]}\n".encode("utf-8", "replace"))
    if bits() != first:
        os.write(1, b"! numact computes other bits afterwards\n")
    os.write(1, f"# {count}\n".encode())


def failures(path: str, function: str, *arguments: str) -> list[str]:
    """What is wrong with the attempts of a function of a file of tests, made in a process of its own."""
    code = (
        "import runpy, sys; from support.attempts import try_all; "
        "try_all(runpy.run_path(sys.argv[1])[sys.argv[2]](*sys.argv[3:]))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, path, function, *arguments],
        capture_output=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    lines = run.stdout.decode("utf-8", "replace").splitlines()
    wrong = [line[2:] for line in lines if line.startswith("! ")]
    if run.returncode or not lines or not lines[-1].startswith("# "):
        last = next((line[2:] for line in reversed(lines) if line.startswith("> ")), "the first call")
        wrong.append(f"exit code {run.returncode} in {last}: {run.stderr.decode('utf-8', 'replace')[-2000:]}")
    elif lines[-1] == "# 0":
        wrong.append("no calls were made")
    return wrong
