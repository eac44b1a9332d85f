"""The short form of the soak: ``soak.py`` runs for as long as one wants."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a fork beside threads is safe on Linux only")
def test_training_under_pressure() -> None:
    """Two trainings beside forks, threads and busy processes end with the bits of the trainings alone."""
    program = Path(__file__).with_name("soak.py")
    command = [sys.executable, str(program), "--minutes", "0", "--epochs", "2", "--batches", "4"]
    process = subprocess.run(command, capture_output=True, text=True, timeout=1800)
    assert process.returncode == 0, process.stdout + process.stderr
    assert not process.stderr
    assert process.stdout.endswith("equal to the bit with the trainings alone\n")
    assert "8 epochs, 32 batches, 16 forks, 2 rounds" in process.stdout
