"""What the diagnostics measure, in one compiled pass, which an activation may share."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np

from numact._kernels import core, targets
from numact.diagnostics.layout import Array, Layout, as_joined
from numact.diagnostics.summary import Summary

if TYPE_CHECKING:
    pass


# Rows of fewer units are joined to rows of so many or more, several samples to one, which make whole words of flags.
NARROW, JOINED, WORD = 256, 1024, 64


class Fused:
    """An activation that writes the array while its statistics are taken."""

    __slots__ = ("name", "parameters", "x")

    def __init__(self, name: str, x: Array, parameters: tuple[Array, ...]) -> None:
        self.name, self.x, self.parameters = name, x, parameters


def measure(
    y: Array, layout: Layout, low: float, high: float, fused: Fused | None = None
) -> tuple[core.Observer, Array]:
    """Take the statistics of an array that was checked.

    Parameters
    ----------
    y : ndarray
        The array; with an activation it is written.
    layout : Layout
        Its dimensions.
    low, high : float
        Bounds of saturation, which are rounded to the dtype that computes.
    fused : Fused, optional
        The activation, and its input of the shape of y.

    Returns
    -------
    observer : Observer
        What has been counted and summed up.
    dead : ndarray of bool
        Which units are 0 for every sample, contiguous, in their order.

    """
    observer = core.Observer(targets.LEVEL, low, high, "all")
    return observer, _observe(observer, as_joined(y, layout), layout.kinds, fused)


def summarise(observer: core.Observer, size: int, dead: int, units: int) -> Summary:
    """Summary of an array of so many elements and units, of which some are dead."""
    mean, variance, zeros, saturated, nan, infinite = observer.figures
    return Summary(size, mean, variance, zeros / size, dead / units, saturated / size, nan / size, infinite / size)


def find_dead(y: Array, layout: Layout) -> Array:
    """Which units of an array that was checked are 0 for every sample."""
    observer = core.Observer(targets.LEVEL, -math.inf, math.inf, "alive")
    return _observe(observer, as_joined(y, layout), layout.kinds).reshape(layout.unit_shape)


def fraction(y: Array, wanted: Literal["zeros", "saturated"], low: float = -math.inf, high: float = math.inf) -> float:
    """Fraction of the elements of an array that was checked that are 0, or saturated."""
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
    """Do the same with several samples to a row; those that fill no row are observed last, as a row of their own."""
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
    """Whether the dimensions of an array can be joined without a copy, so that writing there writes to it."""
    joined = as_joined(y, layout)
    if layout.kinds[-1] and len(layout.kinds) > 1 and joined.shape[-1] < NARROW:
        joined = joined.reshape(*joined.shape[:-2], -1)
    return np.may_share_memory(joined, y)
