"""Nonsense in every environment variable that numact reads: a warning, and the default."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import numact
from numact._kernels import core

ROOT = Path(numact.__file__).parent
# Variables of numact or OpenMP that the sources name; those of other libraries are for these to read.
FOUND = {
    name
    for path in ROOT.rglob("*")
    if path.suffix in (".py", ".pyx", ".pxi") and "study" not in path.parts
    for name in re.findall(r"\b(?:NUMACT|OMP)_[A-Z_]+\b", path.read_text(encoding="utf-8"))
    if name in ("OMP_NUM_THREADS",) or re.search(rf"[\"']{name}[\"']", path.read_text(encoding="utf-8"))
}
KNOWN = {"NUMACT_LEVEL", "NUMACT_NUM_THREADS", "OMP_NUM_THREADS"}

NONSENSE: dict[str, bytes] = {
    "blanks": b" \t\n",
    "text": b"nonsense",
    "0": b"0",
    "-1": b"-1",
    "+2": b"+2",
    "1.5": b"1.5",
    "1e3": b"1e3",
    "0x10": b"0x10",
    "1025": b"1025",
    "2**64": b"18446744073709551616",
    "5000 digits": b"9" * 5000,
    "long": b"x" * 100_000,
    "Arabic digits": "٣".encode(),
    "superscript": "²".encode(),
    "no UTF-8": b"\xff\xfe2",
    "braces": b"{0.__class__} %s %n",
    "command": b"$(touch hacked); `touch hacked`",
    "path": b"../../etc/passwd",
    "list": b"2,3,x",
    "commas": b",,,",
    "target of another case": b"V3",
    "target and more": b"v3 ",
}
CODE = """
import json, sys, warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import numpy as np, numact
    from numact._kernels import targets
assert (numact.gelu(np.ones(10_000)) == numact.gelu(1.0)).all()
print(json.dumps([targets.LEVEL, numact.get_num_threads(), [str(w.message) for w in caught]]))
"""


def test_all_variables() -> None:
    """The sources read no variable that is not tested here."""
    assert FOUND <= KNOWN
    assert FOUND == KNOWN or not list(ROOT.rglob("*.pyx"))  # an installed package has only the Python of its sources


def started(variable: str, value: bytes) -> tuple[str, int, list[str]]:
    """Dispatch target, threads and warnings of a process with this value of a variable."""
    import json

    clean = {os.fsencode(k): os.fsencode(v) for k, v in os.environ.items() if k not in KNOWN}
    run = subprocess.run(
        [sys.executable, "-c", CODE],
        env={**clean, b"PYTHONPATH": os.fsencode(os.pathsep.join(sys.path)), variable.encode(): value},
        capture_output=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr.decode("utf-8", "replace")
    level, threads, messages = json.loads(run.stdout)
    return level, threads, messages


@pytest.mark.slow
@pytest.mark.parametrize("name", NONSENSE)
@pytest.mark.parametrize("variable", sorted(KNOWN))
def test_variables(variable: str, name: str) -> None:
    """The import warns of a value that makes no sense, names the variable, and uses the default."""
    level, threads, messages = started(variable, NONSENSE[name])
    usual_level, usual_threads, none = started("OTHER", b"")
    assert none == []
    understood = {
        ("NUMACT_LEVEL", ""): True,
        ("NUMACT_NUM_THREADS", "blanks"): True,
        ("OMP_NUM_THREADS", "blanks"): True,
        ("OMP_NUM_THREADS", "list"): True,
    }
    assert level == usual_level == core.levels()[-1]
    if understood.get((variable, name)):
        assert messages == []
        assert threads == (2 if name == "list" else usual_threads)
        return
    assert threads == usual_threads
    assert len(messages) == 1
    assert variable in messages[0]
    assert len(messages[0]) < 1000


@pytest.mark.parametrize("variable", sorted(KNOWN))
def test_variables_of_all_kinds(variable: str) -> None:
    """One process for each variable in the short tier: bytes that are no text."""
    level, _, messages = started(variable, NONSENSE["no UTF-8"])
    assert level == core.levels()[-1]
    assert [variable in message for message in messages] == [True]
