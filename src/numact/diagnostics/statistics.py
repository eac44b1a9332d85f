"""The functions for one array: sparsity, dead units, saturation, and all statistics in one pass."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from numact._functions.public import set_module
from numact.diagnostics.arguments import as_bounds, as_floats
from numact.diagnostics.layout import Array, Axis, as_layout
from numact.diagnostics.measure import find_dead, fraction, measure, summarise
from numact.diagnostics.summary import Summary

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@set_module("numact.diagnostics")
def sparsity(y: ArrayLike) -> float:
    """Fraction of the elements that are exactly zero.

    Parameters
    ----------
    y : array_like
        Outputs of an activation, of any shape.

    Returns
    -------
    float
        From 0 to 1; -0 counts as zero.

    Raises
    ------
    ValueError
        For an empty array.
    TypeError
        For a dtype other than float16, bfloat16, float32, float64, integers and booleans.

    See Also
    --------
    dead_units : Units that are always zero.
    summary : All statistics at once.

    Notes
    -----
    Glorot, Bordes and Bengio, Deep Sparse Rectifier Neural Networks, 2011, find 50 to 80 % zeros in networks of ReLU.

    Examples
    --------
    >>> numact.diagnostics.sparsity(numact.relu([-1.0, 0.0, 1.0, 2.0]))
    0.5

    """
    array = as_floats("sparsity", y)
    return fraction(array, "zeros")


@set_module("numact.diagnostics")
def dead_units(y: ArrayLike, axis: Axis = 0) -> Array:
    """Which units are zero for every sample.

    Parameters
    ----------
    y : array_like
        Outputs of a layer for many samples.
    axis : int or sequence of int, default 0
        The axes of the samples: 0 for (samples, units), (0, 2, 3) for the channels of images.

    Returns
    -------
    ndarray of bool
        Of the shape of y without these axes.

    Raises
    ------
    ValueError
        For an empty array, or axes that y does not have.
    TypeError
        As `sparsity`.

    See Also
    --------
    summary : Their fraction, among others.

    Notes
    -----
    A unit that is zero for these samples may not be for others, so that many samples are more reliable.

    Lu et al., Dying ReLU and Initialization, 2019.

    Examples
    --------
    >>> numact.diagnostics.dead_units([[0.0, 1.0], [0.0, 0.0]])
    array([ True, False])

    """
    array = as_floats("dead_units", y)
    layout = as_layout("dead_units", array.shape, axis)
    return find_dead(array, layout)


@set_module("numact.diagnostics")
def saturation(y: ArrayLike, low: float, high: float) -> float:
    """Fraction of the elements that are <= low or >= high.

    Parameters
    ----------
    y : array_like
        Outputs of a bounded activation, of any shape.
    low, high : float
        Bounds, such as -0.99 and 0.99 for tanh; rounded to the dtype of y, to float32 for float16 and bfloat16.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        Unless low <= high; for an empty array.
    TypeError
        As `sparsity`, or for bounds that are not numbers.

    See Also
    --------
    summary : All statistics at once.

    Notes
    -----
    Glorot and Bengio, Understanding the Difficulty of Training Deep Feedforward Neural Networks, 2010, show how layers
    of sigmoid and tanh saturate.

    Examples
    --------
    >>> numact.diagnostics.saturation(numact.tanh([-9.0, 0.0, 0.5, 9.0]), -0.99, 0.99)
    0.5

    """
    low, high = as_bounds("saturation", low, high)
    array = as_floats("saturation", y)
    return fraction(array, "saturated", low, high)


@set_module("numact.diagnostics")
def summary(y: ArrayLike, axis: Axis = 0, low: float = -math.inf, high: float = math.inf) -> Summary:
    """Mean, variance, zeros, dead units and saturation of the outputs of a layer, in one pass.

    Parameters
    ----------
    y : array_like
        Outputs of a layer for many samples.
    axis : int or sequence of int, default 0
        The axes of the samples, as in `dead_units`.
    low, high : float, default -inf and inf
        Bounds of saturation, as in `saturation`; with the defaults only infinities are saturated.

    Returns
    -------
    Summary
        The statistics.

    Raises
    ------
    ValueError, TypeError
        As `dead_units` and `saturation`.

    See Also
    --------
    ActivationMonitor : The same for each layer and batch during training.

    Notes
    -----
    No array of the size of y is made, unless y is not of native byte order, not aligned, or has strides with which
    adjacent axes of samples, or of units, cannot be joined.

    Examples
    --------
    >>> numact.diagnostics.summary([[0.0, 1.0], [0.0, 3.0]]).dead_fraction
    0.5

    """
    low, high = as_bounds("summary", low, high)
    array = as_floats("summary", y)
    layout = as_layout("summary", array.shape, axis)
    observer, dead = measure(array, layout, low, high)
    return summarise(observer, array.size, int(np.count_nonzero(dead)), layout.units)
