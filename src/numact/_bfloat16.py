"""bfloat16, a type of NumPy's only where ml_dtypes is installed: the ufuncs learn it once both packages are imported.

Importing ml_dtypes takes as long as the rest of numact, and most programs do without.  So numact does not import it but
waits for whoever does: a finder at the head of `sys.meta_path` knows this one name, asks the finders behind it and
wraps the loader that they give.  It stays there: taking it out would shift the list under other threads that import.
"""

from __future__ import annotations

import sys
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from numact import _core

if TYPE_CHECKING:
    # Importing importlib.abc would take as long as numact itself; the protocols ask for the methods only.
    from collections.abc import Sequence
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec
    from types import ModuleType

PACKAGE = "ml_dtypes"


def register(module: ModuleType) -> None:
    """Add the loops for the bfloat16 of ml_dtypes; where it is not a type as expected, warn and let the import pass."""
    try:
        _core.register_bfloat16(np.dtype(module.bfloat16))
    except (AttributeError, TypeError) as error:
        warnings.warn(f"numact: no bfloat16 with this {PACKAGE}: {error}", RuntimeWarning, stacklevel=2)


class RegisteringLoader:
    """The loader of ml_dtypes, which registers once the module has run."""

    def __init__(self, found: Loader) -> None:
        self._found = found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._found, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Create the module as the loader does that was found."""
        return self._found.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Run the module, which keeps the loader that was found, and register; a failure goes to the importer."""
        module.__loader__ = self._found
        if module.__spec__ is not None:
            module.__spec__.loader = self._found
        self._found.exec_module(module)
        register(module)


class WaitingFinder:
    """Finds ml_dtypes where the finders behind it find it, and nothing else."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find ml_dtypes, with a loader that registers."""
        if fullname != PACKAGE:
            return None
        for finder in sys.meta_path[sys.meta_path.index(self) + 1 :]:
            find = getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = find(fullname, path, target) if find else None
            if spec is not None:
                if spec.loader is not None and hasattr(spec.loader, "exec_module"):
                    spec.loader = cast("Loader", RegisteringLoader(spec.loader))
                return spec
        return None


def register_when_imported() -> None:
    """Register once ml_dtypes is imported; now where it is, or is being imported by another thread."""
    sys.meta_path.insert(0, WaitingFinder())
    if sys.modules.get(PACKAGE) is not None:
        with suppress(ImportError):
            import ml_dtypes

            register(ml_dtypes)
