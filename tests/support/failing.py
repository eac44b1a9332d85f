"""Processes whose allocator fails on demand: robustness/failing_malloc.c, put before the C library."""

import atexit
import os
import platform
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest
from support.programs import compile_c, require

TESTS = Path(__file__).parent.parent

needs_glibc = pytest.mark.skipif(
    not sys.platform.startswith("linux") or platform.libc_ver()[0] != "glibc",
    reason="NOT TESTED HERE: puts an allocator before that of glibc",
)


@cache
def failing_malloc() -> Path:
    """The allocator that fails, compiled."""
    folder = tempfile.TemporaryDirectory(prefix="failing-malloc-")
    atexit.register(folder.cleanup)
    library = Path(folder.name) / "failing_malloc.so"
    compiler = os.environ.get("CC", "cc").split()
    require(compiler[0])
    command = [*compiler, "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    return compile_c(command, [TESTS / "robustness" / "failing_malloc.c"], library)


def under_failing_malloc(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own, whose allocator is the one that fails."""
    path = os.pathsep.join([str(TESTS), *sys.path])
    variables = {**os.environ, "LD_PRELOAD": str(failing_malloc()), "PYTHONPATH": path, **environment}
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env=variables)
