"""What the diagnostics measure: a `Summary` of an array, in one compiled pass, which an activation may share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from numact._functions import ufuncs
from numact._kernels import core

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Array: TypeAlias = "NDArray[Any]"
Axis: TypeAlias = int | Sequence[int]

# Rows of fewer units are joined to rows of so many or more, several samples to one, which make whole words of flags.
NARROW, JOINED, WORD = 256, 1024, 64
NUMBERS = (float, int, np.floating, np.integer)


@dataclass(frozen=True, slots=True)
class Summary:
    """Statistics of the outputs of a layer, or of any array.

    Attributes
    ----------
    size : int
        Number of elements.
    mean : float
        Mean of the finite elements: far from 0 compared with the standard deviation means that the outputs are not
        zero-centred.  NaN where no element is finite.
    variance : float
        Variance of the finite elements, divided by their number, as `numpy.var` does.
    zero_fraction : float
        Fraction of the elements that are exactly 0 (or -0): the sparsity.
    dead_fraction : float
        Fraction of the units that are 0 over all samples.
    saturated_fraction : float
        Fraction of the elements that are <= low or >= high.
    nan_fraction, infinite_fraction : float
        Fraction of the elements that are NaN, and that are infinite: neither counts for mean and variance.

    """

    size: int
    mean: float
    variance: float
    zero_fraction: float
    dead_fraction: float
    saturated_fraction: float
    nan_fraction: float = 0.0
    infinite_fraction: float = 0.0

    @property
    def std(self) -> float:
        """Standard deviation of the finite elements."""
        return math.sqrt(self.variance)


class Layout:
    """The dimensions of an array, neighbours of the same kind joined: each one of units or one of samples.

    The order of the sums, and so their bits, follows from this alone.
    """

    __slots__ = ("kinds", "lengths", "samples", "unit_shape", "units")

    def __init__(self, shape: tuple[int, ...], sample_axes: tuple[int, ...]) -> None:
        self.unit_shape = tuple(length for axis, length in enumerate(shape) if axis not in sample_axes)
        self.units = math.prod(self.unit_shape)
        self.samples = math.prod(shape) // self.units if self.units else 0
        lengths: list[int] = []
        kinds: list[bool] = []  # True: units
        for axis, length in enumerate(shape):
            kind = axis not in sample_axes
            if length == 1:
                continue
            if kinds and kinds[-1] == kind:
                lengths[-1] *= length
            else:
                lengths.append(length)
                kinds.append(kind)
        self.lengths, self.kinds = tuple(lengths) or (1,), tuple(kinds) or (False,)


class Fused:
    """An activation that writes the array while its statistics are taken."""

    __slots__ = ("name", "parameters", "x")

    def __init__(self, name: str, x: Array, parameters: tuple[Array, ...]) -> None:
        self.name, self.x, self.parameters = name, x, parameters


def as_floats(function: str, y: ArrayLike) -> Array:
    """Check an array, and give it as the kernels take it: native and aligned, integers as float64."""
    if core.is_observable(y):
        return cast("Array", y)
    array = np.asarray(y)
    if array.dtype.kind in "biu":
        array = array.astype(np.float64)
    # What has a loop is a dtype that the kernels know; longdouble is not.
    elif array.dtype.name not in core.dtypes():
        raise TypeError(f"{function}: y must be of {', '.join(core.dtypes())}, integers or booleans, got {array.dtype}")
    if array.size == 0:
        raise ValueError(f"{function}: y must have at least one element, got the shape {array.shape}")
    if not array.dtype.isnative or not array.flags.aligned:
        array = array.astype(array.dtype.newbyteorder("="))
    return array


def as_layout(function: str, shape: tuple[int, ...], axis: Axis) -> Layout:
    """Check the axes of the samples."""
    if type(axis) is int and -len(shape) <= axis < len(shape):
        return _layout(shape, axis)
    try:
        axes = normalize_axis_tuple(axis, len(shape), "axis")
    except (ValueError, TypeError) as error:  # numpy.exceptions.AxisError is a ValueError
        raise type(error)(f"{function}: {error}") from None
    if not axes:
        raise ValueError(f"{function}: axis must name at least one axis of samples, got {axis!r}")
    return Layout(shape, axes)


@lru_cache(64)
def _layout(shape: tuple[int, ...], axis: int) -> Layout:
    """The usual layout, which the next call is likely to ask for again."""
    return Layout(shape, (axis % len(shape),))


def as_bounds(function: str, low: float, high: float) -> tuple[float, float]:
    """Check the bounds of saturation."""
    for name, bound in (("low", low), ("high", high)):
        if not isinstance(bound, NUMBERS):
            raise TypeError(f"{function}: {name} must be a number, got {bound!r}")
    low, high = float(low), float(high)
    if not low <= high:
        raise ValueError(f"{function}: low must be <= high, got low={low} and high={high}")
    return low, high


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
    observer = core.Observer(ufuncs.LEVEL, low, high, "all")
    return observer, _observe(observer, as_joined(y, layout), layout.kinds, fused)


def summarise(observer: core.Observer, size: int, dead: int, units: int) -> Summary:
    """Summary of an array of so many elements and units, of which some are dead."""
    mean, variance, zeros, saturated, nan, infinite = observer.figures
    return Summary(size, mean, variance, zeros / size, dead / units, saturated / size, nan / size, infinite / size)


def find_dead(y: Array, layout: Layout) -> Array:
    """Which units of an array that was checked are 0 for every sample."""
    observer = core.Observer(ufuncs.LEVEL, -math.inf, math.inf, "alive")
    return _observe(observer, as_joined(y, layout), layout.kinds).reshape(layout.unit_shape)


def fraction(y: Array, wanted: Literal["zeros", "saturated"], low: float = -math.inf, high: float = math.inf) -> float:
    """Fraction of the elements of an array that was checked that are 0, or saturated."""
    observer = core.Observer(ufuncs.LEVEL, low, high, wanted)
    observer.observe(y.ravel(order="K"), (False,))
    _, _, zeros, saturated, _, _ = observer.figures
    return (zeros if wanted == "zeros" else saturated) / y.size


def as_joined(y: Array, layout: Layout) -> Array:
    """The array with its dimensions joined: the same memory, where its strides allow that."""
    return y if y.shape == layout.lengths else y.reshape(layout.lengths)


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
