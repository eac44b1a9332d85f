"""The arguments of the initialisers, checked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from operator import index
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from numact.init.gain import gain

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


Shape: TypeAlias = Sequence[int]
Random: TypeAlias = np.random.Generator | int | None
Gain: TypeAlias = float | str | tuple[str, Mapping[str, float]]
Layout: TypeAlias = Literal["in_out", "out_in"]
Mode: TypeAlias = Literal["fan_in", "fan_out", "fan_avg"]


def as_shape(function: str, shape: Shape) -> tuple[int, ...]:
    try:
        lengths = tuple(index(length) for length in shape)
    except TypeError:
        raise TypeError(f"{function}: shape must be a sequence of integers, got {shape!r}") from None
    if len(lengths) < 2 or min(lengths) < 0:
        raise ValueError(f"{function}: shape must be two numbers or more, none negative, got {lengths}")
    return lengths


def fans_of(function: str, shape: tuple[int, ...], layout: Layout) -> tuple[int, int]:
    """Number of inputs and of outputs, times the size of the kernel."""
    if layout == "in_out":
        *kernel, inputs, outputs = shape
    elif layout == "out_in":
        outputs, inputs, *kernel = shape
    else:
        raise ValueError(f'{function}: layout must be "in_out" or "out_in", got {layout!r}')
    return inputs * math.prod(kernel), outputs * math.prod(kernel)


def as_dtype(function: str, dtype: DTypeLike) -> np.dtype[Any]:
    try:
        kind = np.dtype(dtype)
    except TypeError:
        raise TypeError(f"{function}: dtype must be a floating-point type, got {dtype!r}") from None
    if kind.name not in ("float16", "float32", "float64", "bfloat16"):
        raise TypeError(f"{function}: dtype must be float16, bfloat16, float32 or float64, got {kind}")
    return kind


def as_generator(function: str, rng: Random) -> np.random.Generator:
    if isinstance(rng, np.random.Generator):
        return rng
    if rng is not None:
        try:
            rng = index(rng)
        except TypeError:
            raise TypeError(f"{function}: rng must be a numpy.random.Generator, a seed or None, got {rng!r}") from None
        if rng < 0:
            raise ValueError(f"{function}: rng must be >= 0 as a seed, got {rng}")
    return np.random.default_rng(rng)


def as_factor(function: str, value: Gain) -> float:
    if isinstance(value, str):
        return gain(value)
    if isinstance(value, tuple):
        if len(value) != 2 or not isinstance(value[1], Mapping):
            raise TypeError(f"{function}: gain must be a number, a name or (name, parameters), got {value!r}")
        return gain(value[0], **value[1])
    if not isinstance(value, float | int | np.floating | np.integer):
        raise TypeError(f"{function}: gain must be a number, a name or (name, parameters), got {value!r}")
    if not 0 < value < math.inf:
        raise ValueError(f"{function}: gain must be > 0 and finite, got {value}")
    return float(value)


def deviation_of(function: str, shape: tuple[int, ...], value: Gain, mode: Mode, layout: Layout) -> float:
    """Standard deviation of the weights."""
    fan_in, fan_out = fans_of(function, shape, layout)
    fans = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
    if mode not in fans:
        raise ValueError(f"{function}: mode must be one of {', '.join(fans)}, got {mode!r}")
    return as_factor(function, value) / math.sqrt(fans[mode] or 1)


def drawn_dtype(kind: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype in which random numbers are drawn."""
    return kind if kind == np.float64 else np.dtype(np.float32)
