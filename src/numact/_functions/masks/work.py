"""The arrays of a call that writes or reads a bit for each element."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from numact._functions import ufuncs
from numact._functions.masks.bit_mask import Array
from numact._functions.parametric import FLOAT16, FLOAT32, FLOAT64
from numact._kernels import core, targets

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


LOOPS = core.build_masked(targets.LEVEL)


class Pass:
    """One pass over an array: what is read, what the loop writes, and where that goes; nothing is written yet.

    The loops want memory that is contiguous in C order, aligned, of the machine's byte order and of the dtype in which
    they compute.  An input that is not is copied, and computed in its copy; an output that is not, or that overlaps the
    input without being it, is filled from a temporary array.
    """

    __slots__ = ("dtype", "out", "source", "target")

    def __init__(self, function: str, name: str, x: ArrayLike, out: Any) -> None:
        array = np.asarray(x)
        self.out = out
        self.dtype = dtype = float_dtype(function, name, array.dtype)
        if out is not None:
            check_out(function, out, array.shape, dtype)
        self.source = array if is_direct(array, dtype) else np.array(array, dtype, order="C")
        if out is not None and is_direct(out, dtype) and (out is array or not np.may_share_memory(self.source, out)):
            self.target = out
        else:
            self.target = np.empty(array.shape, dtype) if self.source is array else self.source

    def run(self, loop: str, bits: Array, values: Sequence[float]) -> Any:
        """Compute, and return the result as a ufunc does."""
        rounded = tuple([float(np.array(value, self.dtype)) for value in values])
        LOOPS[loop](self.source, bits, self.target, rounded)
        if self.out is None:
            return self.target[()]
        if self.target is not self.out:
            np.copyto(self.out, self.target, casting="same_kind")
        return self.out


def is_direct(array: Array, dtype: np.dtype[Any]) -> bool:
    """Whether a loop can read or write the array."""
    return array.dtype == dtype and array.flags.c_contiguous and array.flags.aligned


def float_dtype(function: str, name: str, dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Get the dtype that the ufuncs compute in."""
    if dtype is FLOAT32 or dtype is FLOAT64 or dtype is FLOAT16:
        return dtype
    try:
        return ufuncs.RAW["relu"].resolve_dtypes((dtype, None))[0]
    except TypeError:
        raise TypeError(
            f"{function}: {name} must have one of the dtypes {', '.join(core.dtypes())}, or integers or booleans, "
            f"got {dtype}"
        ) from None


def check_out(function: str, out: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Raise unless a result of the shape and dtype can be written to out."""
    if not isinstance(out, np.ndarray):
        raise TypeError(f"{function}: out must be an array of shape {shape}, got {out!r}")
    if out.shape != shape:
        raise ValueError(f"{function}: out must have the shape {shape}, got {out.shape}")
    if out.dtype is not dtype and not np.can_cast(dtype, out.dtype, "same_kind"):
        raise TypeError(f"{function}: out must have a dtype that {dtype} casts to, got {out.dtype}")
    if not out.flags.writeable:
        raise ValueError(f"{function}: out must be writeable, got a read-only array")


def as_number(function: str, name: str, value: Any) -> float:
    """The value as a float, if it is a real number."""
    if type(value) is float:
        return value
    if not isinstance(value, Real):
        raise TypeError(f"{function}: {name} must be a number, got {value!r}")
    return float(value)
