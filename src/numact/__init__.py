"""Neural-network activation functions for NumPy: compiled ufuncs, accurate to the last bits, the same everywhere."""

from typing import Any as _Any

from numact._functions.config import show_config
from numact._functions.names import FUNCTIONS as _FUNCTIONS
from numact._functions.names import get
from numact._functions.parametric import ParametricUfunc
from numact._kernels import bfloat16, threads
from numact._kernels.core import catalogue
from numact._kernels.threads import get_num_threads, num_threads, set_num_threads

bfloat16.register_when_imported()
threads.begin()

__all__ = [
    "Activation",
    "BitMask",
    "ParametricUfunc",
    "catalogue",
    "get",
    "get_num_threads",
    "num_threads",
    "set_num_threads",
    "show_config",
    *_FUNCTIONS,
]


def __getattr__(name: str) -> _Any:
    """What takes time is made, or imported, when it is asked for, and stays."""
    value: _Any
    if name in _FUNCTIONS:
        value = _FUNCTIONS[name]
    elif name == "Activation":
        from numact._functions.catalogue import Activation as value
    elif name == "BitMask":
        from numact._functions.masks import BitMask as value
    elif name in ("diagnostics", "init", "norm"):
        from importlib import import_module

        value = import_module(f"numact.{name}")
    elif name == "__version__":
        from importlib.metadata import version

        value = version(__name__)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
