"""The call of the kernels: statistics of an array in one pass, in which an activation may write the array."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from numact._kernels import core, targets
from numact.diagnostics.layout import Array, Layout, as_joined
from numact.diagnostics.summary import Summary

# Samples of fewer than NARROW units are joined, several to a row of at least JOINED elements and a multiple of WORD, so
# that the flags of a row are whole words.
NARROW, JOINED, WORD = 256, 1024, 64


class Fused:
    """An activation that writes the array while its statistics are taken."""

    __slots__ = ("name", "parameters", "x")

    def __init__(self, name: str, x: Array, parameters: tuple[Array, ...]) -> None:
        self.name, self.x, self.parameters = name, x, parameters


def measure(
    y: Array, layout: Layout, low: float, high: float, fused: Fused | None = None
) -> tuple[core.Observer, Array]:
    """Statistics of a checked array.

    Parameters
    ----------
    y : ndarray
        The array, which the activation writes if there is one.
    layout : Layout
        That of y.
    low, high : float
        Bounds of saturation, which are rounded to the dtype of the kernel: float32 for float16 and bfloat16.
    fused : Fused, optional
        The activation and its input, of the shape of y.

    Returns
    -------
    observer : Observer
        Counts and sums.
    dead : ndarray of bool
        Which units are 0 for every sample: a contiguous array in the order of the units.

    """
    observer = core.Observer(targets.LEVEL, low, high, "all")
    return observer, _observe(observer, as_joined(y, layout), layout.kinds, fused)


def summarise(observer: core.Observer, size: int, dead: int, units: int) -> Summary:
    """Summary of an array, from its numbers of elements, dead units and units."""
    mean, variance, zeros, saturated, nan, infinite = observer.figures
    return Summary(size, mean, variance, zeros / size, dead / units, saturated / size, nan / size, infinite / size)


def find_dead(y: Array, layout: Layout) -> Array:
    """Which units of a checked array are 0 for every sample."""
    observer = core.Observer(targets.LEVEL, -math.inf, math.inf, "alive")
    return _observe(observer, as_joined(y, layout), layout.kinds).reshape(layout.unit_shape)


def fraction(y: Array, wanted: Literal["zeros", "saturated"], low: float = -math.inf, high: float = math.inf) -> float:
    """Fraction of the elements of a checked array that are 0, or saturated."""
    observer = core.Observer(targets.LEVEL, low, high, wanted)
    observer.observe(y.ravel(order="K"), (False,))
    _, _, zeros, saturated, _, _ = observer.figures
    return (zeros if wanted == "zeros" else saturated) / y.size


def _observe(observer: core.Observer, y: Array, kinds: tuple[bool, ...], fused: Fused | None = None) -> Array:
    """Observe an array of joined dimensions; return which units are dead."""
    if kinds[-1] and len(kinds) > 1 and y.shape[-1] < NARROW:
        return _observe_narrow(observer, y, kinds, fused)
    if fused is None:
        return observer.observe(y, kinds)
    return observer.observe(y, kinds, fused.name, fused.x.reshape(y.shape), fused.parameters)


def _observe_narrow(observer: core.Observer, y: Array, kinds: tuple[bool, ...], fused: Fused | None) -> Array:
    """The same with several samples joined to a row; the remaining ones form the last row."""
    *outer, rows, units = y.shape
    together = WORD * -(-JOINED // (WORD * units))
    whole = rows - rows % together
    dead: Array = np.ones((*(n if kind else 1 for n, kind in zip(outer, kinds, strict=False)), 1, units), np.bool_)
    for part, length in ((slice(0, whole), together), (slice(whole, rows), rows - whole)):
        if part.start == part.stop:
            continue
        shape = (*outer, (part.stop - part.start) // length, length * units)
        given = (
            ()
            if fused is None
            else (fused.name, fused.x.reshape(y.shape)[..., part, :].reshape(shape), fused.parameters)
        )
        found = observer.observe(y[..., part, :].reshape(shape), kinds, *given)
        dead &= found.reshape(*dead.shape[:-2], length, units).all(axis=-2, keepdims=True)
    return dead


def separable(y: Array, layout: Layout) -> bool:
    """Whether the dimensions of an array can be joined to a view, so that a kernel can write to it."""
    joined = as_joined(y, layout)
    if layout.kinds[-1] and len(layout.kinds) > 1 and joined.shape[-1] < NARROW:
        joined = joined.reshape(*joined.shape[:-2], -1)
    return np.may_share_memory(joined, y)


def joinable(x: Array, y: Array, layout: Layout) -> bool:
    """Whether an activation can write y from x in the pass that takes the statistics of y."""
    if not core.is_observable(x) or not core.is_observable(y) or not y.flags.writeable:
        return False
    if x.dtype != y.dtype or x.shape != y.shape or not separable(y, layout):
        return False
    same = x.ctypes.data == y.ctypes.data and x.strides == y.strides
    return same or not np.may_share_memory(x, y)
