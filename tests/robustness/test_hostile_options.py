"""Nonsense in every option of every command: exit code 2, a message that names the option, and nothing written."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.extras import require_study

from numact.commands.parser import parser

NONSENSE = ("", "nonsense", "-1", "nan", "1e999", "9" * 5000, "{0.__class__} %s %(x)d", ",", "\udcff", "re\0lu")
# Values that an option may have: a name of a column, a file without a folder.
MEANT = {"--target"}


def commands() -> dict[str, argparse.ArgumentParser]:
    """The parser of each command."""
    (found,) = (action for action in parser()._actions if isinstance(action, argparse._SubParsersAction))
    return dict(found.choices)


def cases() -> Iterator[tuple[str, str, list[str]]]:
    """A command, the name of an option, and the words of a call with nonsense as its value."""
    for command, own in commands().items():
        required = ["relu"] if command == "plot" else []
        for action in own._actions:
            if isinstance(action, argparse._HelpAction):
                continue
            name = action.option_strings[-1] if action.option_strings else action.dest
            for value in NONSENSE:
                if not action.option_strings:
                    yield command, name, [value]
                elif action.nargs == 0:
                    yield command, name, [*required, f"{name}={value or 'x'}"]
                else:
                    count = action.nargs if isinstance(action.nargs, int) else 1
                    words = [name, *[value] * count] if count > 1 else [f"{name}={value}"]
                    yield command, name, [*required, *words]


CALL = """
import contextlib, faulthandler, io, json, sys
from numact.commands.main import main
found = []
for words in json.loads(sys.stdin.read()):
    faulthandler.dump_traceback_later(60, exit=True)
    errors = io.StringIO()
    with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
        try:
            code = main(words)
        except SystemExit as error:
            code = error.code
        except BaseException as error:
            code = repr(error)
    found.append([code, errors.getvalue()])
print(json.dumps(found))
"""


def environment() -> dict[str, str]:
    """Variables with which a child finds the package."""
    usual = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return {**usual, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path)), "COLUMNS": "200"}


@pytest.mark.parametrize("command", commands())
def test_options(command: str, tmp_path: Path) -> None:
    """The exit code is 2, the message names the option, and no file appears."""
    if command == "study":
        require_study()
    chosen = [(name, words) for of, name, words in cases() if of == command]
    run = subprocess.run(
        [sys.executable, "-c", CALL],
        input=json.dumps([[command, *words] for _, words in chosen]),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment(),
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    wrong = []
    for (name, words), (code, message) in zip(chosen, json.loads(run.stdout), strict=True):
        named = name.lstrip("-") in message or (name == "function" and "get:" in message)
        if code != 2 or not message.strip() or "Traceback" in message or not named:
            wrong.append((name, [word[:40] for word in words], code, message[-300:]))
    assert wrong == []
    assert [path.name for path in tmp_path.rglob("*")] == []


def call(*words: str, **options: object) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own."""
    given: dict[str, object] = {"capture_output": True, "text": True, "env": environment(), "check": False, **options}
    return subprocess.run([sys.executable, "-m", "numact", *words], **given)  # type: ignore[call-overload, no-any-return]


@pytest.mark.parametrize("command", ["plot", "bench", "study"])
@pytest.mark.parametrize("kind", ["no folder", "a folder", "a file as folder", "unwritable"])
def test_outputs(command: str, kind: str, tmp_path: Path) -> None:
    """A file that cannot be written is found out before anything is computed, with exit code 2."""
    if command == "study":
        require_study()
    suffix = ".html" if command == "study" else ".png"
    (tmp_path / f"folder{suffix}").mkdir()
    (tmp_path / "file").touch()
    path = {
        "no folder": tmp_path / "none" / f"x{suffix}",
        "a folder": tmp_path / f"folder{suffix}",
        "a file as folder": tmp_path / "file" / f"x{suffix}",
        "unwritable": Path(f"/proc/x{suffix}"),
    }[kind]
    if kind == "unwritable" and sys.platform != "linux":
        pytest.skip("only Linux has a folder in which nobody can write")
    words = {
        "plot": ["relu", "-o"],
        "bench": ["--function", "relu", "--size", "10", "--plot"],
        "study": ["--quick", "-o"],
    }
    run = call(command, *words[command], str(path), cwd=tmp_path)
    assert run.returncode == 2, run.stdout + run.stderr
    assert "Traceback" not in run.stderr
    assert str(path.name) in run.stderr or str(path.parent) in run.stderr
    assert sorted(found.name for found in tmp_path.rglob("*")) == ["file", f"folder{suffix}"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("words", [["info"], ["info", "--json"], ["--help"], ["--version"]])
def test_full_disk(words: list[str]) -> None:
    """Output that cannot be written ends with a message and exit code 1."""
    with open("/dev/full", "w") as full:
        run = call(*words, stdout=full, stderr=subprocess.PIPE, capture_output=False)
    assert run.returncode == 1
    assert "Traceback" not in run.stderr
    assert "space" in run.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGPIPE")
def test_closed_output() -> None:
    """A reader that has gone away ends the command quietly."""
    read, write = os.pipe()
    os.close(read)
    run = call("info", stdout=write, stderr=subprocess.PIPE, capture_output=False)
    os.close(write)
    assert (run.returncode, run.stderr) == (1, "")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for a child")
@pytest.mark.slow
@pytest.mark.parametrize("word", ["verify", "bench", "demo"])  # each takes several times as long as it is waited
def test_interrupted(word: str, tmp_path: Path) -> None:
    """Ctrl-C ends a command with exit code 130 and one line."""
    process = subprocess.Popen(
        [sys.executable, "-m", "numact", word],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        cwd=tmp_path,
        # A job in the background inherits that the signal is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert errors.strip().endswith("interrupted")
