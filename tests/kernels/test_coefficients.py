"""The coefficients in the C are those that csrc/math/minimax.py derives."""

import runpy
from pathlib import Path

import pytest

MATH = Path(__file__).parents[2] / "csrc/math"


@pytest.mark.slow
@pytest.mark.skipif(not MATH.exists(), reason="the sources are not here, only the installed package")
@pytest.mark.parametrize("format_name", ["f32", "f64"])
def test_coefficients(format_name: str) -> None:
    """minimax.py prints each file as it stands."""
    minimax = runpy.run_path(str(MATH / "minimax.py"))
    printed = "\n".join(minimax["header"](minimax["FORMATS"][format_name])) + "\n"
    assert (MATH / f"coefficients_{format_name}.h").read_text() == printed
