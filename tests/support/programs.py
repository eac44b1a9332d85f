"""Programs of C, compiled by other compilers and for other processors."""

import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

CSRC = Path(__file__).parents[2] / "csrc"
NEEDS_SOURCES = pytest.mark.skipif(not CSRC.exists(), reason="the sources are not here, only the installed package")


def require(*programs: str) -> None:
    """Skip the test, and say so, where a program is not installed."""
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"NOT TESTED HERE: needs {program}")


def compile_c(command: Sequence[str], sources: Iterable[Path], target: Path, libraries: Sequence[str] = ()) -> Path:
    """Compile sources by a compiler with its flags; an error has what it says."""
    words = [*command, *map(str, sources), *libraries, "-o", str(target)]
    process = subprocess.run(words, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    return target
