"""What this build is and what it runs on."""

import math
import sys
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np

from numact._kernels import core, targets
from numact._kernels.messages import shown


def version() -> str:
    """The version of numact."""
    from importlib.metadata import version as version_of  # takes longer to import than the rest of numact

    return version_of("numact")


@overload
def show_config(mode: Literal["stdout"] = "stdout") -> None: ...
@overload
def show_config(mode: Literal["dicts"]) -> dict[str, Any]: ...
def show_config(mode: str = "stdout") -> dict[str, Any] | None:
    """Show version, instruction-set level, dtypes, number of threads, compiler, and what becomes of subnormal numbers.

    Parameters
    ----------
    mode : {"stdout", "dicts"}
        Print, or return a dictionary.

    Returns
    -------
    dict or None
        With ``mode="dicts"``: version, level, levels, dtypes, threads, compiler, numpy, subnormals.

    Raises
    ------
    ValueError
        For another mode.

    Notes
    -----
    Libraries that are built for inexact arithmetic may make the processor take subnormal numbers for 0 (FTZ and DAZ) in
    every thread that they touch; ``subnormals`` says whether one has done so in this thread.  numact's functions keep
    them all the same, and leave the setting as it is; NumPy's own operations do not.

    """
    if not isinstance(mode, str) or mode not in ("stdout", "dicts"):
        raise ValueError(f"show_config: mode must be 'stdout' or 'dicts', got {shown(mode)}")
    config = {
        "version": version(),
        "level": targets.LEVEL,
        "levels": core.levels(),
        "dtypes": core.dtypes(),
        "threads": core.get_num_threads(),
        "compiler": core.compiler(),
        "numpy": np.__version__,
        "subnormals": "flushed to 0 by another library (FTZ or DAZ)" if flushes_subnormals() else "kept",
    }
    if mode == "dicts":
        return config
    for key, value in config.items():
        print(f"{key:11}{', '.join(value) if isinstance(value, list) else value}")
    return None


def flushes_subnormals() -> bool:
    """Whether this thread takes subnormal operands for 0, or gives 0 for subnormal results."""
    normal, half, smallest = sys.float_info.min, 0.5, math.ulp(0.0)
    return normal * half == 0 or smallest / half == 0


def get_include() -> str:
    """Find the folder of the C header, for compilers.

    Returns
    -------
    str
        The folder of ``numact_api.h``: kernels on raw buffers, without Python objects.

    See Also
    --------
    show_config : Shows what the kernels use.

    Notes
    -----
    Cython finds the same with ``cimport numact``.

    Examples
    --------
    >>> Extension("layer", ["layer.pyx"], include_dirs=[numact.get_include()])

    """
    return str(Path(__file__).parents[1] / "include")
