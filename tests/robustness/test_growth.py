"""A process does not grow by calls, be they right or wrong, and nothing refers longer to what they were given."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent
MOST_RESIDENT = 2 << 20  # bytes; a leak of 32 bytes in each of the calls is more


@pytest.mark.memory
@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="NOT TESTED HERE: reads /proc")
@pytest.mark.parametrize("count", [50_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_growth(count: int) -> None:
    """Calls of all functions in turn leave neither memory nor references behind, and neither do calls that raise."""
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])}
    command = [sys.executable, "-W", "ignore", "-m", "support.growing_calls", str(count)]
    process = subprocess.run(command, capture_output=True, text=True, env=variables)
    assert process.returncode == 0, process.stderr
    found = json.loads(process.stdout)
    print(found)
    assert found["calls"] >= max(count, 100_000)
    assert found["raised"] >= 20_000
    assert not found["problems"]
    assert found["resident"] <= MOST_RESIDENT
