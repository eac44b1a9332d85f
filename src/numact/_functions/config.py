"""What this build is and what it runs on."""

from typing import Any

import numpy as np

import numact
from numact._functions import ufuncs
from numact._kernels import core


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
        "version": numact.__version__,
        "level": ufuncs.LEVEL,
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
