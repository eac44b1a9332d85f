"""`Summary`: statistics of an array."""

from __future__ import annotations

import math
from dataclasses import dataclass

from numact._functions.public import set_module


@set_module("numact.diagnostics")
@dataclass(frozen=True, slots=True)
class Summary:
    """Statistics of the outputs of a layer, or of any array.

    Attributes
    ----------
    size : int
        Number of elements.
    mean : float
        Mean of the finite elements: far from 0 compared with the standard deviation means that the outputs are not
        zero-centred.  NaN where no element is finite; the difference of numbers beyond 8e307 overflows.
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
