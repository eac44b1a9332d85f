"""Adapters without their library, or with another version of it."""

import importlib.metadata

import pytest

from numact.adapters._patch import Accelerated, Patch
from numact.adapters._require import require


def test_missing_library() -> None:
    """The message names the extra."""
    with pytest.raises(
        ImportError, match=r'numact.adapters.keras needs no-such-library, .*pip install "numact\[keras\]"'
    ):
        require("keras", "no_such_library", "no-such-library", "1.0", "2.0")


def test_unsupported_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message is one line that says which versions are supported, and which one was found."""
    for found, allowed in (("3.9.2", False), ("3.10.0rc1", True), ("3.15.1", True), ("3.16", False), ("2.15", False)):
        monkeypatch.setattr(importlib.metadata, "version", lambda _, found=found: found)
        monkeypatch.setattr("numact.adapters._require.version", lambda _, found=found: found)
        if allowed:
            assert require("keras", "math", "keras", "3.10", "3.16").pi > 3
            continue
        with pytest.raises(ImportError, match=r"supports keras from 3.10 to below 3.16, found") as error:
            require("keras", "math", "keras", "3.10", "3.16")
        assert "\n" not in str(error.value)


def test_a_version_without_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no number counts as 0 in a version."""
    monkeypatch.setattr("numact.adapters._require.version", lambda _: "3.dev1")
    assert require("keras", "math", "keras", "3.0", "3.1").pi > 3
    with pytest.raises(ImportError, match=r"from 3.1 to below 3.2, found 3.dev1"):
        require("keras", "math", "keras", "3.1", "3.2")


def test_failed_replacement_is_undone() -> None:
    """If one replacement fails, none stays; the next use tries again."""

    class Stubborn:
        __slots__ = ()

    places = {"a": 1}
    patch = Patch(lambda: [(places, "a", 2), (places, "new", 3), (Stubborn(), "b", 4)])
    with pytest.raises((AttributeError, TypeError)), Accelerated(patch):
        pytest.fail("the block must not run")
    assert places == {"a": 1}
