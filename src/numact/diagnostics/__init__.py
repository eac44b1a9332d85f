"""Health of activations: zeros, dead and saturated units, mean and variance; `ActivationMonitor` for training.

Every function takes float16, bfloat16, float32 and float64 arrays of any shape and strides, integers and booleans as
float64.  Sums are in float64 and in a fixed order, so that their bits depend neither on strides nor on the instruction
set.  A NaN is neither zero nor saturated.  Mean and variance are those of the finite elements; NaN and infinities have
counts of their own.

`statistics` has the functions for one array, `monitor` the class for training; `layer` keeps what a monitor needs,
`advice` and `plot` read it.  `arguments` checks, `layout` divides axes into samples and units, `measure` calls the
kernels; `saturation` derives bounds from the catalogue.
"""

from numact.diagnostics.monitor import ActivationMonitor
from numact.diagnostics.statistics import dead_units, saturation, sparsity, summary
from numact.diagnostics.summary import Summary

__all__ = ["ActivationMonitor", "Summary", "dead_units", "saturation", "sparsity", "summary"]


def __dir__() -> list[str]:
    return sorted(__all__)
