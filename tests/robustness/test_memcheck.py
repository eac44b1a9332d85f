"""Valgrind finds no read of memory that is not numact's or was never written, and no leak, in any function.

Valgrind has no AVX-512, so that numact computes at v3.  CPython reads what valgrind takes for unwritten; of such
errors, and of leaks, those count that begin in an extension of numact.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from support.public_calls import GROUPS

TESTS = Path(__file__).parents[1]
EXTENSIONS = ("/_kernels/core.", "/verify/reference.")
INTERPRETER = ("libpython3", "/bin/python3")
ALSO_OF_CPYTHON = ("Uninit", "Leak")  # how kinds of errors begin that it has itself

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("valgrind") is None, reason="NOT TESTED HERE: needs valgrind"),
]


def is_of_numact(error: ElementTree.Element) -> bool:
    """Whether an error concerns an extension of numact."""
    shared = error.findtext("kind", "").startswith(ALSO_OF_CPYTHON)
    for frame in error.findall("stack/frame"):
        place = frame.findtext("obj", "")
        if any(part in place for part in EXTENSIONS):
            return True
        if shared and any(part in place for part in INTERPRETER):
            return False
    return False


def described(error: ElementTree.Element) -> str:
    """An error as text: what, and where."""
    frames = error.findall("stack/frame")[:12]
    what = error.findtext("what") or error.findtext("xwhat/text") or ""
    return "\n".join([what, *(f"  {frame.findtext('fn')} ({frame.findtext('obj')})" for frame in frames)])


def run(group: str, folder: Path) -> tuple[str, list[str]]:
    """Make the calls of a group under valgrind; return what the process prints, and the errors of numact."""
    report = folder / "report.xml"
    options = ["--leak-check=full", "--show-leak-kinds=definite", "--num-callers=30", "--xml=yes"]
    command = ["valgrind", *options, f"--xml-file={report}", sys.executable, "-m", "support.checked_calls", group]
    paths = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])
    variables = {key: value for key, value in os.environ.items() if key != "NUMACT_LEVEL"}
    variables |= {"PYTHONPATH": paths, "PYTHONMALLOC": "malloc", "NUMACT_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    process = subprocess.run(command, capture_output=True, text=True, env=variables, check=False)
    assert process.returncode == 0, process.stderr
    errors = ElementTree.parse(report).getroot().findall("error")
    return process.stdout, [described(error) for error in errors if is_of_numact(error)]


@pytest.mark.parametrize("group", GROUPS)
def test_calls(group: str, tmp_path: Path) -> None:
    """The calls of a group, in every dtype and layout, have no errors at v3, which numact chooses by itself."""
    printed, errors = run(group, tmp_path)
    assert printed.startswith("level v3 of baseline v3, calls ")
    assert errors == []


def test_wrong(tmp_path: Path) -> None:
    """A call that reads beyond its array is found, which shows that the tests above can fail."""
    _, errors = run("wrong", tmp_path)
    assert any("Invalid read" in error for error in errors)
