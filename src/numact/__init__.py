"""Neural-network activation functions for NumPy: compiled ufuncs, accurate to the last bits, the same everywhere."""

from importlib.metadata import version as _version

from numact._activation import Activation
from numact._config import show_config
from numact._core import catalogue
from numact._names import FUNCTIONS as _FUNCTIONS
from numact._names import get
from numact._parametric import ParametricUfunc

__version__ = _version("numact")

globals().update(_FUNCTIONS)

__all__ = ["Activation", "ParametricUfunc", "catalogue", "get", "show_config", *_FUNCTIONS]
