"""The ufuncs of the level in use as attributes, by which they are pickled, and the functions that `numact` exports."""

import numpy as np

from numact import _core
from numact._parametric import ParametricUfunc

LEVEL: str = _core.level()
RAW: dict[str, np.ufunc] = _core.build(LEVEL)
AXIS: dict[str, np.ufunc] = _core.build_axis(LEVEL)
PUBLIC: dict[str, np.ufunc | ParametricUfunc] = {}

for _row in _core.catalogue():
    for _suffix in ("", "_grad", "_grad_y"):
        if (_ufunc := RAW.get(_row.name + _suffix)) is None:
            continue
        _at_zero = RAW.get(_row.name + "_grad_at_zero") if _suffix == "_grad" else None
        _only_y = _row.domain.startswith("y: ")
        _domain = "" if _only_y and _suffix != "_grad_y" else _row.domain.removeprefix("y: ")
        PUBLIC[_ufunc.__name__] = (
            ParametricUfunc(_ufunc, dict(_row.parameters), _domain, _at_zero)
            if _row.parameters or _at_zero is not None
            else _ufunc
        )

globals().update(RAW)
globals().update(AXIS)
