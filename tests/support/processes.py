"""Python code in a process of its own."""

import os
import subprocess
import sys


def run(code: str, timeout: float | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own, which may have a number of seconds."""
    clean = {key: value for key, value in os.environ.items() if key != "NUMACT_LEVEL"}
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=timeout,
        env={**clean, **environment},
    )
