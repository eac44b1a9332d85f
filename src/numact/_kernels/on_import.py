"""What is to be done once another package is imported, without importing it.

A finder at the head of `sys.meta_path` knows this one name, asks the finders behind it and wraps the loader that they
give.  It stays there: taking it out would shift the list under other threads that import.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    # Importing importlib.abc would take as long as numact itself; the protocols ask for the methods only.
    from collections.abc import Sequence
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec
    from types import ModuleType


class ActingLoader:
    """The loader of a package, which acts once the module has run."""

    def __init__(self, found: Loader, action: Callable[[ModuleType], None]) -> None:
        self._found = found
        self._action = action

    def __getattr__(self, name: str) -> Any:
        return getattr(self._found, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Create the module as the loader does that was found."""
        return self._found.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Run the module, which keeps the loader that was found, and act; a failure goes to the importer."""
        module.__loader__ = self._found
        if module.__spec__ is not None:
            module.__spec__.loader = self._found
        self._found.exec_module(module)
        self._action(module)


class WaitingFinder:
    """Finds one package where the finders behind it find it, and nothing else."""

    def __init__(self, package: str, action: Callable[[ModuleType], None]) -> None:
        self._package = package
        self._action = action

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find the package, with a loader that acts."""
        if fullname != self._package:
            return None
        finders = list(sys.meta_path)  # other threads may change it
        for finder in finders[finders.index(self) + 1 :]:
            find = getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = find(fullname, path, target) if find else None
            if spec is not None:
                if spec.loader is not None and hasattr(spec.loader, "exec_module"):
                    spec.loader = cast("Loader", ActingLoader(spec.loader, self._action))
                return spec
        return None


def when_imported(package: str, action: Callable[[ModuleType], None]) -> None:
    """Call action(module) once the package is imported; now where it is, or is being imported by another thread."""
    sys.meta_path.insert(0, WaitingFinder(package, action))
    if sys.modules.get(package) is not None:
        with suppress(ImportError):
            action(import_module(package))
