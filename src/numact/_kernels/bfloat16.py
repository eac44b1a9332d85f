"""bfloat16, a type of NumPy's only where ml_dtypes is installed: the ufuncs learn it once both packages are imported.

Importing ml_dtypes takes as long as the rest of numact, and most programs do without.  So numact does not import it but
waits for whoever does.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from numact._kernels import core
from numact._kernels.on_import import when_imported

if TYPE_CHECKING:
    from types import ModuleType

PACKAGE = "ml_dtypes"


def register(module: ModuleType) -> None:
    """Add the loops for the bfloat16 of ml_dtypes; where it is not a type as expected, warn and let the import pass."""
    try:
        core.register_bfloat16(np.dtype(module.bfloat16))
    except (AttributeError, TypeError) as error:
        warnings.warn(f"numact: no bfloat16 with this {PACKAGE}: {error}", RuntimeWarning, stacklevel=2)


def register_when_imported() -> None:
    """Register once ml_dtypes is imported."""
    when_imported(PACKAGE, register)
