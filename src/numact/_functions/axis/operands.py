"""What every function along an axis does: it brings axes, dtypes, temperature and masks into the form of the ufuncs.

Half precision is computed in float32.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from math import prod
from typing import Any

import numpy as np

from numact._functions import ufuncs
from numact._functions.arguments import (
    BOOL,
    Array,
    broadcast_mask,
    broadcast_shapes,
    check_out,
    check_real,
    float_dtype,
    is_half,
    overrides_ufuncs,
    single_out,
)
from numact._functions.axes import as_axes
from numact._functions.parameters import FLOAT32, FLOAT64, PYTHON_NUMBERS, as_number
from numact._kernels import core, targets
from numact._kernels.messages import shown

# The temperatures that are allowed.  The bounds are float64 scalars: a Python number would be converted to float16 in a
# comparison, to 0 and infinity.
COLDEST, HOTTEST = map(np.float64, core.FACTORS)

# What a masked entry of the operands is replaced by, so that it has no influence; 0 where a name is missing.
NEUTRAL = {"hardmax": (-np.inf,), "log_softmax_grad": (0.0, -np.inf)}


def as_temperature(function: str, value: Any, operands: Iterable[Any], name: str = "temperature") -> Any:
    """Check a temperature; a scalar becomes an array that does not influence the dtype of the result."""
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{function}: {name} must not be masked, got {shown(value)}")
    array = np.asanyarray(value)
    if (array.dtype.kind not in "fiu" and not is_half(array.dtype)) or array is np.ma.masked:
        raise TypeError(f"{function}: {name} must be a real number or an array of them, got {shown(value)}")
    allowed = (array >= COLDEST) & (array <= HOTTEST)
    if not np.all(allowed):
        wrong = array if array.ndim == 0 else array[~allowed].flat[0]
        raise ValueError(f"{function}: {name} must be > 0, from {COLDEST:g} to {HOTTEST:g}, got {wrong}")
    number = as_number(function, name, value)
    if type(number) in PYTHON_NUMBERS:
        return np.array(number, FLOAT64 if any(map(_counts_as_float64, operands)) else FLOAT32)
    return array


def _counts_as_float64(operand: Any) -> bool:
    """Whether an operand is computed in float64, as integers of 32 bits are, and what is no array yet."""
    dtype = getattr(operand, "dtype", FLOAT64)
    if not isinstance(dtype, np.dtype):
        return True
    return bool((float_dtype(dtype) if dtype.kind in "iu" else dtype).itemsize > FLOAT32.itemsize)


@cache
def has_temperature(name: str) -> bool:
    """Whether the last operand of a ufunc is a temperature or a scale."""
    return core_dimensions(ufuncs.AXIS[name])[0][-1] == "()"


def core_dimensions(ufunc: np.ufunc) -> tuple[list[str], str]:
    """Those of the inputs of a generalised ufunc, and those of its result: "(n)" or "()"."""
    inputs, output = str(ufunc.signature).split("->")
    return inputs.split(","), output


def call(name: str, operands: tuple[Any, ...], axis: Any, out: Any, keepdims: bool = False) -> Any:
    """Call a generalised ufunc, or its loop without NumPy where the arguments are plain.

    Arrays of one dtype and a single axis are passed on as they are.
    """
    found = core.call_axis(targets.LEVEL, name, operands, axis, out, keepdims)
    if found is None and out is None and type(operands[0]) is np.ndarray and is_half(operands[0].dtype):
        found = _call_halves(name, operands, axis, keepdims)
    if found is not None:
        return found
    if has_temperature(name):
        *arrays, temperature = operands
        operands = (*arrays, as_temperature(name.removesuffix("_where"), temperature, arrays))
    dtype = getattr(operands[0], "dtype", None)
    simple = (dtype is FLOAT32 or dtype is FLOAT64) and type(axis) is int and (out is None or type(out) is np.ndarray)
    if (
        simple
        and all(type(operand) is np.ndarray for operand in operands)
        and -operands[0].ndim <= axis < operands[0].ndim
        and _same_shapes(name, operands, out)
        and not (operands[-1].ndim and has_temperature(name))
    ):
        keywords = {"keepdims": True} if keepdims else {}
        return ufuncs.AXIS[name](*operands, axis=axis, out=out, **keywords)
    return _call(name, operands, axis, out, keepdims)


def _same_shapes(name: str, operands: tuple[Any, ...], out: Any) -> bool:
    """Whether all operands with an axis have the shape of the first, and out, too, which can be written."""
    inputs, output = core_dimensions(ufuncs.AXIS[name])
    arrays = [operand for operand, along in zip(operands, inputs, strict=True) if along == "(n)"]
    if out is not None:
        if output == "()" or not out.flags.writeable:
            return False
        arrays.append(out)
    return all(array.shape == arrays[0].shape for array in arrays)


def _call_halves(name: str, operands: tuple[Any, ...], axis: Any, keepdims: bool) -> Any:
    """The same for plain arguments of a dtype of 16 bits; None for others."""
    dtype = operands[0].dtype
    wide = []
    for operand in operands:
        if type(operand) is np.ndarray and operand.dtype is not BOOL:
            if operand.dtype != dtype:
                return None
            operand = widened(operand)
        wide.append(operand)
    found = core.call_axis(targets.LEVEL, name, tuple(wide), axis, None, keepdims)
    return narrowed(found, float_dtype(dtype)) if type(found) is np.ndarray and found.ndim else None


def call_where(
    name: str, x: Any, where: Any, others: tuple[Any, ...], axis: Any, out: Any, keepdims: bool = False
) -> Any:
    """Call the ufunc of a name, or with a mask, its second operand, the one of NAME_where."""
    if isinstance(x, np.ma.MaskedArray):
        return _call_masked(name, x, where, others, axis, out, keepdims)
    if where is None:
        return call(name, (x, *others), axis, out, keepdims)
    if isinstance(where, np.ma.MaskedArray):
        raise TypeError(f"{name}: where must not be masked, got {shown(where)}")
    return call(f"{name}_where", (x, broadcast_mask(name, where, np.shape(x)), *others), axis, out, keepdims)


def _call(name: str, operands: tuple[Any, ...], axis: Any, out: Any, keepdims: bool) -> Any:
    """Call with operands of any dtype and byte order, over several axes or all, with ``out=`` in any form.

    float16 and bfloat16 are computed in float32 and rounded once; the warnings of that rounding are off, as the kernels
    of the other dtypes give none.
    """
    function, ufunc = name.removesuffix("_where"), ufuncs.AXIS[name]
    if any(overrides_ufuncs(operand) for operand in operands):
        return ufunc(*operands, axis=axis, out=out, **({"keepdims": True} if keepdims else {}))
    if any(isinstance(operand, np.ma.MaskedArray) for operand in operands):
        return _call_filled(name, operands, axis, out, keepdims)
    out, array_wanted = single_out(function, out)
    arrays = [np.asanyarray(operand) for operand in operands]
    inputs, output = core_dimensions(ufunc)
    along = [dimensions == "(n)" for dimensions in inputs]
    shape = broadcast_shapes(*(array.shape for array, is_along in zip(arrays, along, strict=True) if is_along))
    operand = "dy" if "_grad" in name else "x"
    axes = tuple(range(len(shape))) if axis is None else as_axes(function, axis, len(shape), operand)
    rest = reduced(shape, axes)
    for array, is_along in zip(arrays, along, strict=True):
        if not is_along:
            check_temperature(function, array, rest)
    for array in arrays:
        check_real(function, operand, array.dtype)
    dtype = _result_dtype(arrays)
    arrays = [
        in_rows(widened(a), shape, axes, rest) if is_along else a for a, is_along in zip(arrays, along, strict=True)
    ]
    reduces = output == "()"
    final = reduced(shape, axes, keepdims) if reduces else shape
    if out is not None:
        check_out(function, out, final, dtype)
    with np.errstate(all="ignore"):
        result = np.asanyarray(ufunc(*arrays, axis=-1, casting="same_kind", dtype=_computed(dtype)))
        result = narrowed(result, dtype)
        if not reduces:
            lengths = tuple(shape[k] for k in axes)
            result = np.moveaxis(result.reshape(rest + lengths), range(-len(axes), 0), axes)
        if out is not None:
            np.copyto(out, result.reshape(final), casting="same_kind")
            return out
    result = result.reshape(final)
    return result if array_wanted or result.ndim else result[()]


def widened(array: Array) -> Array:
    """An array of 16 bits as float32, others as they are."""
    if not is_half(array.dtype) or array.ndim == 0:
        return array
    return core.widened(targets.LEVEL, np.ascontiguousarray(array, float_dtype(array.dtype)))


def narrowed(array: Array, dtype: np.dtype[Any]) -> Array:
    """A result in its dtype, rounded once."""
    if not is_half(dtype) or array.dtype != FLOAT32 or array.ndim == 0:
        return array.astype(dtype, copy=False)
    return core.narrowed(targets.LEVEL, np.ascontiguousarray(array), dtype)


def _result_dtype(arrays: list[Array]) -> np.dtype[Any]:
    """The dtype of the result: masks do not count, and scalars as temperature do not."""
    dtypes = [array.dtype for array in arrays if array.dtype != np.bool_ and (array.ndim or array is arrays[0])]
    first, *others = [float_dtype(dtype) for dtype in dtypes or [arrays[0].dtype]]
    return first if all(dtype == first for dtype in others) else np.result_type(first, *others)


def _computed(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype in which a result is computed."""
    return FLOAT32 if dtype.itemsize <= FLOAT32.itemsize else FLOAT64


def in_rows(array: Array, shape: tuple[int, ...], axes: tuple[int, ...], rest: tuple[int, ...]) -> Array:
    """The array of a shape with the axes together, as the last one."""
    moved = np.moveaxis(np.broadcast_to(array, shape, subok=True), axes, range(-len(axes), 0))
    return moved if len(axes) == 1 else moved.reshape((*rest, prod(shape[axis] for axis in axes)))


def reduced(shape: tuple[int, ...], axes: tuple[int, ...], keepdims: bool = False) -> tuple[int, ...]:
    """A shape without the axes, or with 1 for each."""
    if keepdims:
        return tuple(1 if k in axes else length for k, length in enumerate(shape))
    return tuple(length for k, length in enumerate(shape) if k not in axes)


def check_temperature(function: str, temperature: Array, rest: tuple[int, ...], name: str = "temperature") -> None:
    """Raise unless a temperature broadcasts to the shape of x without the axes."""
    try:
        fits = broadcast_shapes(temperature.shape, rest) == rest
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            f"{function}: {name} must broadcast to the shape of x without the axes, {rest}, "
            f"got the shape {temperature.shape}"
        )


# Masked arrays


def _call_masked(name: str, x: Any, where: Any, others: tuple[Any, ...], axis: Any, out: Any, keepdims: bool) -> Any:
    """Call so that masked entries take no part; they are masked in the result, or where no entry is left of a sum."""
    mask: Any = np.ma.getmaskarray(x)
    takes_part = ~mask if where is None else ~mask & broadcast_mask(name, where, x.shape)
    result = call_where(name, x.data, takes_part, others, axis, None, keepdims)
    if np.shape(result) != mask.shape or keepdims:
        axes = tuple(range(mask.ndim)) if axis is None else as_axes(name, axis, mask.ndim)
        mask = mask.all(axes, keepdims=keepdims)
    return _masked_result(name, result, mask, out)


def _call_filled(name: str, operands: tuple[Any, ...], axis: Any, out: Any, keepdims: bool) -> Any:
    """The same for functions without ``where=``: masked entries are replaced by what has no influence."""
    arrays = [operand for operand in operands if np.ndim(operand)]
    shape = broadcast_shapes(*map(np.shape, arrays))
    mask = np.zeros(shape, np.bool_)
    for array in arrays:
        np.logical_or(mask, np.ma.getmaskarray(array), out=mask)
    neutral = NEUTRAL.get(name, ())
    filled = []
    for k, operand in enumerate(operands):
        data = np.ma.getdata(operand)
        if np.ndim(operand):
            value = neutral[k] if k < len(neutral) else 0.0
            data = np.where(mask, np.array(value, float_dtype(data.dtype)), data)
        filled.append(data)
    return _masked_result(name, _call(name, tuple(filled), axis, None, keepdims), mask, out)


def _masked_result(name: str, result: Any, mask: Any, out: Any) -> Any:
    """The result as a masked array, written to out if there is one; a masked scalar is np.ma.masked."""
    out, _ = single_out(name, out)
    if out is None:
        found = np.ma.array(result, mask=mask)
        return found if found.ndim else found[()]
    check_out(name, out, np.shape(result), np.asarray(result).dtype)
    np.copyto(np.ma.getdata(out), result, casting="same_kind")
    if isinstance(out, np.ma.MaskedArray):
        out.mask = mask
    return out
