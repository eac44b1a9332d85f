"""The ufuncs of the level in use as attributes, by which they are pickled, and the functions that `numact` exports."""

from collections.abc import Callable
from typing import Any

import numpy as np

from numact import _core
from numact._activation import rules
from numact._parametric import ParametricUfunc
from numact._split import split_functions

LEVEL: str = _core.level()
RAW: dict[str, np.ufunc] = _core.build(LEVEL)
AXIS: dict[str, np.ufunc] = _core.build_axis(LEVEL)
PUBLIC: dict[str, np.ufunc | ParametricUfunc | Callable[..., Any]] = {}

for _row in _core.catalogue():
    for _suffix in ("", "_grad", "_grad_y"):
        if (_ufunc := RAW.get(_row.name + _suffix)) is None:
            continue
        _at_zero = RAW.get(_row.name + "_grad_at_zero") if _suffix == "_grad" else None
        PUBLIC[_ufunc.__name__] = (
            ParametricUfunc(_ufunc, dict(_row.parameters), rules(_row.domain, _suffix), _at_zero)
            if _row.parameters or _at_zero is not None
            else _ufunc
        )
    if _row.family == "gated":
        PUBLIC.update(split_functions(_row, RAW[_row.name], RAW[f"{_row.name}_grad"]))

globals().update(RAW)
globals().update(AXIS)
