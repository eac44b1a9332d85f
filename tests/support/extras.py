"""Libraries without which parts of the package do not work, and their tests are skipped."""

import pytest

from numact.commands.study import NEEDED


def require_study() -> None:
    """Skip the test, or the module of tests, where what the study needs is not installed."""
    for package in NEEDED:
        pytest.importorskip(package, reason='NOT TESTED HERE: needs pip install "numact[study]"')
