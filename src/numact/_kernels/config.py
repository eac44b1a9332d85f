"""What this build is and what it runs on."""

from pathlib import Path
from typing import Any, Literal, overload

import numpy as np

from numact._kernels import core, targets


def version() -> str:
    """The version of numact."""
    from importlib.metadata import version as version_of  # takes longer to import than the rest of numact

    return version_of("numact")


@overload
def show_config(mode: Literal["stdout"] = "stdout") -> None: ...
@overload
def show_config(mode: Literal["dicts"]) -> dict[str, Any]: ...
def show_config(mode: str = "stdout") -> dict[str, Any] | None:
    """Show version, instruction-set level, dtypes, number of threads and compiler.

    Parameters
    ----------
    mode : {"stdout", "dicts"}
        Print, or return a dictionary.

    Returns
    -------
    dict or None
        With ``mode="dicts"``: version, level, levels, dtypes, threads, compiler, numpy.

    Raises
    ------
    ValueError
        For another mode.

    """
    if mode not in ("stdout", "dicts"):
        raise ValueError(f"show_config: mode must be 'stdout' or 'dicts', got {mode!r}")
    config = {
        "version": version(),
        "level": targets.LEVEL,
        "levels": core.levels(),
        "dtypes": core.dtypes(),
        "threads": core.get_num_threads(),
        "compiler": core.compiler(),
        "numpy": np.__version__,
    }
    if mode == "dicts":
        return config
    for key, value in config.items():
        print(f"{key:9}{', '.join(value) if isinstance(value, list) else value}")
    return None


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
