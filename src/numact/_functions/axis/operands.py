"""What every function along an axis does: the temperature is checked, and half precision computed in float32."""

from __future__ import annotations

from typing import Any

import numpy as np

from numact._functions import ufuncs
from numact._functions.arguments import broadcast_mask, is_half

# Outside this interval float32 cannot hold both the temperature and its reciprocal to full precision.  The bounds are
# float64 scalars: a Python number would be converted to float16 in a comparison, to 0 and infinity.
COLDEST, HOTTEST = np.float64(1e-28), np.float64(1e28)

# Temperature 1, in the dtype that promotes no other.
ONE = np.array(1, np.float16)


def as_temperature(function: str, value: Any, x: Any, name: str = "temperature") -> Any:
    """Check a temperature; a Python number becomes an array that does not influence the dtype of the result."""
    if type(value) is float and value == 1:
        return ONE
    array = np.asanyarray(value)
    if array.dtype.kind not in "fiu" and not is_half(array.dtype):
        raise TypeError(f"{function}: {name} must be a real number or an array of them, got {value!r}")
    allowed = (array >= COLDEST) & (array <= HOTTEST)
    if not allowed.all():
        wrong = array if array.ndim == 0 else array[~allowed].flat[0]
        raise ValueError(f"{function}: {name} must be > 0, from {COLDEST:g} to {HOTTEST:g}, got {wrong}")
    if isinstance(value, float | int) and getattr(x, "dtype", np.dtype(np.float64)).kind in "biuf":
        return np.array(value, np.result_type(np.float32, getattr(x, "dtype", np.float64)))
    return value


def call(name: str, operands: tuple[Any, ...], axis: int, out: Any, **keywords: Any) -> Any:
    """Call a generalised ufunc.

    float16 and bfloat16 are computed in float32 and rounded once; the warnings of that rounding are off, as the kernels
    of the other dtypes give none.
    """
    ufunc = ufuncs.AXIS[name]
    dtype = getattr(operands[0], "dtype", None)
    if not is_half(dtype):
        return ufunc(*operands, axis=axis, out=out, **keywords)
    with np.errstate(all="ignore"):
        result = ufunc(*operands, axis=axis, out=out, casting="same_kind", **keywords)
        return result.astype(dtype) if out is None and result.dtype == np.float32 else result


def call_where(name: str, x: Any, where: Any, others: tuple[Any, ...], axis: int, out: Any, **keywords: Any) -> Any:
    """Call the ufunc of a name, or with a mask, its second operand, the one of NAME_where."""
    if where is None:
        return call(name, (x, *others), axis, out, **keywords)
    mask = broadcast_mask(name, where, np.shape(x))
    return call(f"{name}_where", (x, mask, *others), axis, out, **keywords)
