"""The operands of the functions along an axis: dtype, temperature, mask; and the call of the generalised ufunc."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


Array: TypeAlias = "NDArray[Any]"
# Beyond these float32 does not hold the temperature and its reciprocal to all digits.  As Python numbers they would be
# rounded to float16, to 0 and infinity.
COLDEST, HOTTEST = np.float64(1e-28), np.float64(1e28)
# Temperature 1 in a dtype that raises no other.
ONE = np.array(1, np.float16)


def is_half(dtype: Any) -> bool:
    """Tell whether a dtype is float16, or the bfloat16 of ml_dtypes."""
    return dtype == np.float16 or getattr(dtype, "name", None) == "bfloat16"


def float_dtype(dtype: Any) -> Any:
    """Get the dtype of the result: float types are kept, others promote."""
    return dtype if dtype.kind == "f" or is_half(dtype) else np.result_type(dtype, np.float32)


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


def as_mask(function: str, where: Any, x: Any) -> Array:
    """Check a mask, and lay it on x."""
    mask = np.asanyarray(where)
    shape = np.shape(x)
    if mask.dtype != np.bool_:
        raise TypeError(f"{function}: where must be boolean, got {mask.dtype}")
    try:
        return np.broadcast_to(mask, shape)
    except ValueError:
        raise ValueError(f"{function}: where must broadcast to the shape {shape}, got the shape {mask.shape}") from None


def call(ufunc: np.ufunc, operands: tuple[Any, ...], axis: int, out: Any, **keywords: Any) -> Any:
    """Call a ufunc; float16 and bfloat16 are computed in float32 and rounded once, as silently as the other dtypes."""
    dtype = getattr(operands[0], "dtype", None)
    if not is_half(dtype):
        return ufunc(*operands, axis=axis, out=out, **keywords)
    with np.errstate(all="ignore"):
        result = ufunc(*operands, axis=axis, out=out, casting="same_kind", **keywords)
        return result.astype(dtype) if out is None and result.dtype == np.float32 else result
