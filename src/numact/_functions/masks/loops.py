"""The compiled loops that write or read a bit for each element, and the memory that they compute in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from numact._functions import ufuncs
from numact._functions.arguments import check_out, single_out
from numact._functions.parameters import FLOAT16, FLOAT32, FLOAT64
from numact._kernels import core, targets

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from numact._functions.arguments import Array

LOOPS = core.build_masked(targets.LEVEL)


class Pass:
    """The memory of one pass of a loop over an array: the source, the target and the `out` of the caller.

    The loops need memory that is C-contiguous, aligned, in native byte order and of the dtype in which they compute.
    Any other input is copied, and computed in place in its copy.  Any other output, and one that overlaps the input
    without being the same array, is filled from a temporary array.

    Making the object checks the arguments; only `run` writes.
    """

    __slots__ = ("array_wanted", "dtype", "out", "source", "target")

    def __init__(self, function: str, name: str, x: ArrayLike, out: Any) -> None:
        array = np.asarray(x)
        out, self.array_wanted = single_out(function, out)
        self.out = out
        self.dtype = dtype = _float_dtype(function, name, array.dtype)
        if out is not None:
            check_out(function, out, array.shape, dtype)
        self.source = array if _is_direct(array, dtype) else _contiguous(array, dtype)
        if out is not None and _is_direct(out, dtype) and (out is array or not np.may_share_memory(self.source, out)):
            self.target = out
        else:
            self.target = np.empty(array.shape, dtype) if self.source is array else self.source

    def run(self, loop: str, bits: Array, values: Sequence[float]) -> Any:
        """Compute, and return the result as a ufunc does: `out`, or a new array or scalar."""
        LOOPS[loop](self.source, bits, self.target, tuple(values))
        if self.out is None:
            return self.target if self.array_wanted else self.target[()]
        if self.target is not self.out:
            ufuncs.copy(self.target, self.out)
        return self.out


def _is_direct(array: Array, dtype: np.dtype[Any]) -> bool:
    """Whether a loop can read or write the array itself."""
    return array.dtype == dtype and array.flags.c_contiguous and array.flags.aligned


def _contiguous(array: Array, dtype: np.dtype[Any]) -> Array:
    """A copy of an array in C order, and a dtype."""
    if array.dtype != dtype:
        return np.array(array, dtype, order="C")
    found = np.empty(array.shape, dtype)
    ufuncs.copy(array, found)
    return found


def _float_dtype(function: str, name: str, dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype in which the ufuncs compute for an operand of a dtype."""
    if dtype is FLOAT32 or dtype is FLOAT64 or dtype is FLOAT16:
        return dtype
    try:
        return ufuncs.RAW["relu"].resolve_dtypes((dtype, None))[0]
    except TypeError:
        raise TypeError(
            f"{function}: {name} must have one of the dtypes {', '.join(core.dtypes())}, or integers or booleans, "
            f"got {dtype}"
        ) from None


def empty_bits(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """The bytes of a mask for an array of a shape, not yet written."""
    return np.empty(-(-math.prod(shape) // 8), np.uint8)
