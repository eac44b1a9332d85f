"""Pickles of version 0.1.0 name the private modules of that version: such a name leads to where its things are now."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType

# Functions and classes are public attributes of a package; behind a ufunc with parameters stands one that is not.
HOMES = {
    "_activation": ("numact",),
    "_axis": ("numact", "numact._functions.ufuncs"),
    "_composed": ("numact",),
    "_masks": ("numact",),
    "_monitor": ("numact.diagnostics", "numact.diagnostics.layer"),
    "_statistics": ("numact.diagnostics",),
    "_ufuncs": ("numact._functions.ufuncs",),
}


class Finder:
    """A finder, and a loader, for the old names; it is asked last, when an import would fail."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        package, _, module = name.partition(".")
        known = package == "numact" and module in HOMES
        return ModuleSpec(name, Finder) if known else None  # type: ignore[arg-type]

    @staticmethod
    def create_module(spec: ModuleSpec) -> None:
        """Let the import make an empty module."""

    @staticmethod
    def exec_module(module: ModuleType) -> None:
        """Give the module its attributes."""
        homes = HOMES[module.__name__.partition(".")[2]]

        def find(name: str) -> Any:
            for home in homes if not name.startswith("__") else ():
                if hasattr(import_module(home), name):
                    return getattr(import_module(home), name)
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}", name=name)

        module.__dict__["__getattr__"] = find


def install() -> None:
    """Ask the finder, after all others, for modules that an import does not find."""
    sys.meta_path.append(Finder)
