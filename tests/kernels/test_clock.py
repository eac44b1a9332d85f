"""The clock behind decisions on threads: nanoseconds of CLOCK_MONOTONIC, which Python reads too."""

import ctypes
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

CSRC = Path(__file__).parents[2] / "csrc"
pytestmark = [
    pytest.mark.skipif(
        not sys.platform.startswith("linux"), reason="Python's monotonic clock is another one elsewhere"
    ),
    pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler"),
    pytest.mark.skipif(not CSRC.exists(), reason="the sources are not here, only the installed package"),
]


def test_clock(tmp_path: Path) -> None:
    """Every reading lies between two of Python's, within the rounding of a double."""
    source, library = tmp_path / "clock.c", tmp_path / "clock.so"
    source.write_text('#include "runtime/system.h"\ndouble reading(void) { return system_nanoseconds(); }\n')
    command = ["cc", "-std=c11", "-D_GNU_SOURCE", "-shared", "-fPIC", f"-I{CSRC}", str(source), "-o", str(library)]
    subprocess.run(command, check=True)
    reading = ctypes.CDLL(str(library)).reading
    reading.restype = ctypes.c_double
    for _ in range(1000):
        before, found, after = time.monotonic_ns(), reading(), time.monotonic_ns()
        assert before - 256 <= found <= after + 256
