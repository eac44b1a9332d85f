"""Checks of arguments; each returns the argument in the form in which the initialisers need it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import islice
from operator import index
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from numact._functions.arguments import choice, integer, naming, number
from numact._kernels.messages import shown
from numact.init.gain import gain

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

Shape: TypeAlias = Sequence[int]
Gain: TypeAlias = float | str | tuple[str, Mapping[str, float]]
Layout: TypeAlias = Literal["in_out", "out_in"]
Mode: TypeAlias = Literal["fan_in", "fan_out", "fan_avg"]

MOST_DIMENSIONS = 64  # of NumPy


def as_shape(function: str, shape: Shape, least: int = 2) -> tuple[int, ...]:
    """Two lengths or more, or another least number of them."""
    try:
        lengths = tuple(index(length) for length in islice(shape, MOST_DIMENSIONS + 1))
    except TypeError:
        raise TypeError(f"{function}: shape must be a sequence of integers, got {shown(shape)}") from None
    if not least <= len(lengths) <= MOST_DIMENSIONS or min(lengths, default=0) < 0:
        many = "two numbers or more, none negative" if least else "numbers that are not negative"
        raise ValueError(f"{function}: shape must be {many}, and {MOST_DIMENSIONS} at most, got {shown(lengths)}")
    return lengths


def fans_of(function: str, shape: tuple[int, ...], layout: Layout, groups: int = 1) -> tuple[int, int]:
    """Number of inputs and of outputs of a group, times the size of the kernel."""
    if choice(function, "layout", layout, ("in_out", "out_in")) == "in_out":
        *kernel, inputs, outputs = shape
    else:
        outputs, inputs, *kernel = shape
    count = integer(function, "groups", groups)
    if count < 1 or outputs % count:
        raise ValueError(f"{function}: groups must be positive and divide the {outputs} outputs, got {shown(groups)}")
    return inputs * math.prod(kernel), outputs // count * math.prod(kernel)


def as_dtype(function: str, dtype: DTypeLike) -> np.dtype[Any]:
    """A dtype of floating-point numbers."""
    try:
        kind = np.dtype(dtype)
    except (TypeError, ValueError):
        raise TypeError(f"{function}: dtype must be a floating-point type, got {shown(dtype)}") from None
    if kind.name not in ("float16", "float32", "float64", "bfloat16"):
        raise TypeError(f"{function}: dtype must be float16, bfloat16, float32 or float64, got {kind}")
    return kind


def as_factor(function: str, value: Gain) -> float:
    """The gain as a number."""
    if isinstance(value, str):
        value = value, {}
    if isinstance(value, tuple):
        if len(value) != 2 or not isinstance(value[1], Mapping):
            raise TypeError(f"{function}: gain must be a number, a name or (name, parameters), got {shown(value)}")
        with naming(function, "gain"):
            return gain(value[0], **value[1])
    if not isinstance(value, float | int | np.floating | np.integer):
        raise TypeError(f"{function}: gain must be a number, a name or (name, parameters), got {shown(value)}")
    found = number(function, "gain", value)
    if not 0 < found < math.inf:
        raise ValueError(f"{function}: gain must be > 0 and finite, got {found}")
    return found


def as_finite(function: str, name: str, value: float) -> float:
    """A finite number."""
    found = number(function, name, value)
    if not math.isfinite(found):
        raise ValueError(f"{function}: {name} must be finite, got {found}")
    return found
