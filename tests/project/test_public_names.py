"""`dir` of a companion shows what is public, and nothing else."""

from importlib import import_module

import pytest


@pytest.mark.parametrize("name", ["norm", "init", "diagnostics", "memory"])
def test_public_names(name: str) -> None:
    """The names are those of `__all__`, and each is there."""
    companion = import_module(f"numact.{name}")
    assert dir(companion) == sorted(companion.__all__)
    assert all(hasattr(companion, public) for public in companion.__all__)
