"""The coefficients in the C are those that csrc/math/minimax.py derives."""

import hashlib
import re
import runpy
from pathlib import Path

import pytest

MATH = Path(__file__).parents[2] / "csrc/math"
# Of all numbers, in their order: they change only with minimax.py, whose slow run is compared below.
DIGESTS = {"f32": "235d06dcd59c2c81", "f64": "43edaf7932713c0b"}
of_checkouts = pytest.mark.skipif(not MATH.exists(), reason="the sources are not here, only the installed package")


@of_checkouts
@pytest.mark.parametrize("format_name", DIGESTS)
def test_numbers(format_name: str) -> None:
    """No number has changed by accident, be its effect below the rounding of every result."""
    numbers = re.findall(r"-?0x\S*p[-+]\d+", (MATH / f"coefficients_{format_name}.h").read_text())
    assert len(numbers) > 1000
    assert hashlib.sha256(" ".join(numbers).encode()).hexdigest()[:16] == DIGESTS[format_name], "of minimax.py?"


@pytest.mark.slow
@of_checkouts
@pytest.mark.parametrize("format_name", ["f32", "f64"])
def test_coefficients(format_name: str) -> None:
    """minimax.py prints each file as it stands."""
    minimax = runpy.run_path(str(MATH / "minimax.py"))
    printed = "\n".join(minimax["header"](minimax["FORMATS"][format_name])) + "\n"
    assert (MATH / f"coefficients_{format_name}.h").read_text() == printed
