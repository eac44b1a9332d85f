"""Weights drawn from a distribution whose deviation follows from the shape."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from numact.init.arguments import (
    Gain,
    Layout,
    Mode,
    Random,
    Shape,
    as_dtype,
    as_generator,
    as_shape,
    deviation_of,
    drawn_dtype,
)

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray


def draw_normal(
    function: str, shape: Shape, rng: Random, dtype: DTypeLike, value: Gain, mode: Mode, layout: Layout
) -> NDArray[Any]:
    lengths, kind = as_shape(function, shape), as_dtype(function, dtype)
    deviation = deviation_of(function, lengths, value, mode, layout)
    weights = as_generator(function, rng).standard_normal(lengths, drawn_dtype(kind).type)
    weights *= deviation
    return weights.astype(kind, copy=False)


def draw_uniform(
    function: str, shape: Shape, rng: Random, dtype: DTypeLike, value: Gain, mode: Mode, layout: Layout
) -> NDArray[Any]:
    lengths, kind = as_shape(function, shape), as_dtype(function, dtype)
    bound = math.sqrt(3) * deviation_of(function, lengths, value, mode, layout)
    weights = as_generator(function, rng).random(lengths, drawn_dtype(kind).type)
    weights *= 2 * bound
    weights -= bound
    return weights.astype(kind, copy=False)
