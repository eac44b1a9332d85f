"""Neural-network activation functions for NumPy: compiled ufuncs, accurate to the last bits, the same everywhere."""

from importlib.metadata import version as _version

from numact import _axis, _ufuncs
from numact._activation import Activation
from numact._config import show_config
from numact._core import catalogue
from numact._parametric import ParametricUfunc

__version__ = _version("numact")

globals().update(_ufuncs.PUBLIC)
globals().update(_axis.PUBLIC)

__all__ = ["Activation", "ParametricUfunc", "catalogue", "show_config", *_ufuncs.PUBLIC, *_axis.PUBLIC]
