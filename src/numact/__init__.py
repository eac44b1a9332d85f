"""Neural-network activation functions for NumPy: compiled ufuncs, accurate to the last bits, the same everywhere."""

from typing import Any as _Any

from numact import _interpreter as _interpreter
from numact import _moved
from numact._functions.names import FUNCTIONS as _FUNCTIONS
from numact._functions.names import get
from numact._functions.parametric import ParametricUfunc
from numact._kernels import bfloat16, threads
from numact._kernels.config import get_include, show_config
from numact._kernels.threads import get_num_threads, num_threads, set_num_threads

bfloat16.register_when_imported()
threads.begin()
_moved.install()

__all__ = [
    "Activation",
    "BitMask",
    "ParametricUfunc",
    "catalogue",
    "derivative",
    "get",
    "get_include",
    "get_num_threads",
    "num_threads",
    "set_num_threads",
    "show_config",
    *_FUNCTIONS,
]


def __getattr__(name: str) -> _Any:
    """Make or import on first use what an import of the package need not wait for."""
    value: _Any
    if name in _FUNCTIONS:
        value = _FUNCTIONS[name]
    elif name in ("Activation", "catalogue"):
        from numact._functions import catalogue as rows

        value = getattr(rows, name)
    elif name == "derivative":
        from numact._functions.derivative import derivative as value
    elif name == "BitMask":
        from numact._functions.masks.bit_mask import BitMask as value
    elif name in ("adapters", "diagnostics", "init", "memory", "norm", "study"):
        from importlib import import_module

        value = import_module(f"numact.{name}")
    elif name == "__version__":
        from numact._kernels.config import version

        value = version()
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
