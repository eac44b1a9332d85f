"""Health of activations: zeros, dead and saturated units, mean and variance; `ActivationMonitor` for training.

Every function takes float16, bfloat16, float32 and float64 arrays of any shape and strides, integers and booleans as
float64.  Sums are taken in float64 in one order, whatever the strides and the instruction set.  A NaN is neither zero
nor saturated, and counts for mean and variance as little as an infinity; both are counted apart.
"""

from numact.diagnostics.monitor import ActivationMonitor
from numact.diagnostics.statistics import dead_units, saturation, sparsity, summary
from numact.diagnostics.summary import Summary

__all__ = ["ActivationMonitor", "Summary", "dead_units", "saturation", "sparsity", "summary"]


def __dir__() -> list[str]:
    return __all__
