"""Parameters of functions: the rules that they obey, and the dtypes in which they are used."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import reduce
from numbers import Real
from operator import ge, gt, le, lt
from typing import Any

import numpy as np

from numact._functions.arguments import broadcast_shapes, check_integer, is_half, number, overrides_ufuncs
from numact._kernels.messages import shown

FLOAT16, FLOAT32, FLOAT64 = np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64)
# Python numbers take the dtype of the arrays beside them (NEP 50); np.float64 does not, although it is a float.
PYTHON_NUMBERS = float, int, bool


def differ(a: Any, b: Any) -> Any:
    """Compare like a != b, but give False for NaN, which no rule allows."""
    return (a < b) | (a > b)


COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {">": gt, ">=": ge, "<": lt, "<=": le, "!=": differ}


class Rule:
    """A condition on the parameters of a function, such as "alpha >= 0" or "min_val <= max_val"."""

    __slots__ = ("bound", "compare", "left", "name", "right", "text")

    def __init__(self, text: str, names: tuple[str, ...]) -> None:
        try:
            self.name, comparison, right = text.split()
            self.text = f"{comparison} {right}"
            self.compare = COMPARISONS[comparison]
            self.left = names.index(self.name)
            self.right = names.index(right) if right in names else None
            self.bound = 0.0 if right in names else float(right)
        except (KeyError, ValueError):
            raise ValueError(
                f"domain must have rules such as 'alpha > 0' for the parameters {', '.join(names)}, got {shown(text)}"
            ) from None

    @property
    def indices(self) -> list[int]:
        """The parameters that it is about."""
        return [self.left] if self.right is None else [self.left, self.right]

    def check(self, function: str, values: list[Any], where: Any = True) -> None:
        """Raise ValueError unless every element of the values that takes part is allowed; a NaN is not."""
        right = self.bound if self.right is None else values[self.right]
        left = values[self.left]
        if is_lazy(left) or is_lazy(right):
            return
        left, right = as_array(left), as_array(right)
        allowed = self.compare(left, right)
        if allowed is not True and where is not True:
            allowed = allowed | ~np.asarray(where, np.bool_)
        if allowed is True or np.all(allowed):
            return
        # The message shows the first element that is not allowed.
        shape = np.shape(allowed)
        where = np.unravel_index(np.argmin(allowed), shape)
        got = f"{np.broadcast_to(left, shape)[where]}"
        if self.right is not None:
            got = f"{got} and {np.broadcast_to(right, shape)[where]}"
        raise ValueError(f"{function}: {self.name} must be {self.text}, got {got}")


def as_array(value: Any) -> Any:
    """The value as an array, unless it is a Python number: that compares faster, and in the dtype of the other side."""
    return value if type(value) in PYTHON_NUMBERS else np.asanyarray(value)


def is_lazy(value: Any) -> bool:
    """Whether a value is a collection of dask, whose elements are not computed yet."""
    return hasattr(value, "__dask_graph__")


def as_number(function: str, name: str, value: Any) -> Any:
    """A scalar of any kind as a Python number, which does not influence the dtype; anything else as an array."""
    if type(value) in PYTHON_NUMBERS:
        check_integer(function, name, value)
        return value
    if isinstance(value, (list, tuple)):
        value = np.asarray(value)
    if isinstance(value, Real):
        return number(function, name, value)
    if getattr(value, "ndim", 1) or is_lazy(value) or value is np.ma.masked:
        return value
    dtype = getattr(value, "dtype", FLOAT64)
    with suppress(TypeError, ValueError, OverflowError):  # what has no number in it is not one
        if not isinstance(dtype, np.dtype) or dtype.kind in "biuf" or is_half(dtype):
            return float(value)
    return value


def as_operand(function: str, name: str, value: Any) -> Any:
    """A parameter as `as_number` gives it, if it is a real number or an array of them.

    What takes ufuncs over, or is lazy, remains as it is.
    """
    if type(value) is np.ndarray and value.ndim and value.dtype.kind in "biuf":
        return value
    found = as_number(function, name, value)
    if type(found) in PYTHON_NUMBERS or is_lazy(found) or overrides_ufuncs(found):
        return found
    found = np.asanyarray(found)
    if (found.dtype.kind not in "biuf" and not is_half(found.dtype)) or found is np.ma.masked:
        raise TypeError(f"{function}: {name} must be a real number or an array of them, got {shown(value)}")
    return found


def as_factors(function: str, name: str, value: Any) -> Any:
    """What `as_operand` gives, but a number as it is: NumPy's count for the dtype."""
    found = as_operand(function, name, value)
    return value if type(found) in PYTHON_NUMBERS else found


def dtypes_of(values: Iterable[Any]) -> list[np.dtype[Any]] | None:
    """The dtypes of all but Python numbers; None if one has its own rules, for which NumPy asks it."""
    found = []
    for value in values:
        if type(value) in PYTHON_NUMBERS:
            continue
        dtype = getattr(value, "dtype", None)
        if not isinstance(dtype, np.dtype):
            if hasattr(value, "__array_ufunc__") and not hasattr(value, "__array__"):
                return None
            dtype = np.asarray(value).dtype
        found.append(dtype)
    return found


def common_dtype(dtypes: list[np.dtype[Any]]) -> np.dtype[Any]:
    """The dtype to which several promote."""
    if all(dtype is dtypes[0] for dtype in dtypes):
        return dtypes[0]
    try:
        return np.result_type(*dtypes)
    except TypeError:  # integers beside bfloat16, which NumPy promotes in a ufunc only
        return reduce(lambda a, b: np.add.resolve_dtypes((a, b, None))[-1], dtypes)


def fits(value: Any, dtype: np.dtype[Any]) -> bool:
    """Whether a parameter neither overflows nor loses digits to underflow in a dtype."""
    wider = type(value) in PYTHON_NUMBERS or (isinstance(value, np.ndarray) and value.dtype.itemsize > dtype.itemsize)
    if dtype is FLOAT64 or not wider:
        return True
    size, limits = np.abs(value), np.finfo(dtype)
    return bool(np.all((size == 0) | (size >= limits.smallest_normal) & (size <= limits.max) | ~np.isfinite(size)))


def as_parameter(value: Any, dtype: np.dtype[Any], precision: np.dtype[Any]) -> Any:
    """A number as an array of a dtype, rounded to a precision; an array as it is."""
    if type(value) not in PYTHON_NUMBERS:
        return value
    if precision is dtype:
        return np.array(value, dtype)
    with np.errstate(all="ignore"):
        return np.array(value, precision).astype(dtype)


def narrowed(ufunc: np.ufunc, inputs: tuple[Any, ...], keywords: dict[str, Any], dtype: np.dtype[Any]) -> Any:
    """The result of a ufunc in a narrow dtype, computed in float64: for parameters that the narrow one does not hold.

    It warns only where the result of finite numbers overflows.
    """
    where, out = keywords.pop("where", True), keywords.pop("out", None)
    (out,) = out if isinstance(out, tuple) else (out,)
    if where is not True:
        keywords["out"] = np.zeros(broadcast_shapes(np.shape(where), *map(np.shape, inputs)))
    wide = ufunc(*inputs, where=where, **{**keywords, "dtype": FLOAT64})
    with np.errstate(over="ignore", under="ignore"):
        result = wide.astype(dtype)
    overflow = np.isinf(result) & np.isfinite(wide)
    for value in inputs:
        overflow = overflow & np.isfinite(value)
    if np.any(overflow):
        wide.astype(dtype)
    if not isinstance(out, np.ndarray):
        return result
    np.copyto(out, result, casting=keywords.get("casting", "same_kind"), where=where)
    return out
