"""The coefficients in the C are those that csrc/minimax.py derives."""

import runpy
from pathlib import Path

import pytest

CSRC = Path(__file__).parent.parent / "csrc"


@pytest.mark.skipif(not CSRC.exists(), reason="the sources are not here, only the installed package")
@pytest.mark.parametrize("format_name", ["f32", "f64"])
def test_coefficients(format_name: str) -> None:
    """minimax.py prints each file as it stands."""
    minimax = runpy.run_path(str(CSRC / "minimax.py"))
    printed = "\n".join(minimax["header"](minimax["FORMATS"][format_name])) + "\n"
    assert (CSRC / f"coefficients_{format_name}.h").read_text() == printed
