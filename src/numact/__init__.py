"""Neural-network activation functions for NumPy: compiled ufuncs, accurate to the last bits, the same everywhere."""

from typing import Any as _Any

from numact import _bfloat16, _threads
from numact._activation import Activation
from numact._config import show_config
from numact._core import catalogue
from numact._masks import BitMask
from numact._names import FUNCTIONS as _FUNCTIONS
from numact._names import get
from numact._parametric import ParametricUfunc
from numact._threads import get_num_threads, num_threads, set_num_threads

globals().update(_FUNCTIONS)

_bfloat16.register_when_imported()
_threads.begin()

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
    if name in ("diagnostics", "init", "norm"):
        from importlib import import_module

        return import_module(f"numact.{name}")
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
    from importlib.metadata import version  # three quarters of the time of an import

    return version(__name__)
