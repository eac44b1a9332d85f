"""Old pickles load: the module names in them resolve to where things are now.

A pickle holds the module name of every function and class in it.  Version 0.1 wrote names of private modules, such as
``numact._masks``, that no longer exist.  A finder at the end of `sys.meta_path` finds them; it is asked only about
imports that would fail otherwise.  The list does not grow: new pickles of public functions and classes name public
paths.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

# The old modules, and where their attributes are now.
MOVED = {
    "numact._activation": "numact",
    "numact._axis": "numact",
    "numact._composed": "numact",
    "numact._config": "numact",
    "numact._core": "numact",
    "numact._masks": "numact",
    "numact._monitor": "numact.diagnostics.monitor",
    "numact._names": "numact",
    "numact._parametric": "numact",
    "numact._statistics": "numact.diagnostics",
    "numact._threads": "numact",
    "numact._ufuncs": "numact._functions.ufuncs",
}


class MovedFinder:
    """Finds the old modules, and acts as their loader."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find an old module by its full name."""
        if fullname not in MOVED:
            return None
        from importlib.machinery import ModuleSpec

        return ModuleSpec(fullname, self)  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Leave it to the import system to make an empty module."""
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Make the module look up its attributes where they are now."""

        def forward(name: str) -> Any:
            # Not for __path__ and the like, for which the import system and others ask every module.
            if name.startswith("_"):
                raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}", name=name)
            return getattr(import_module(MOVED[module.__name__]), name)

        vars(module)["__getattr__"] = forward


def install() -> None:
    """Add the finder behind all others, once."""
    if not any(isinstance(finder, MovedFinder) for finder in sys.meta_path):
        sys.meta_path.append(MovedFinder())
