"""Batch, group, instance, layer and RMS normalisation, their gradients, and an activation fused behind.

Every function computes in float64 and sums in a fixed order, so that the bits of a result depend neither on strides,
nor on the order of the axes, nor on the instruction set.  `activation=` applies an elementwise function of numact
to the result while it is in the cache: the bits are those of two calls, but the array passes through memory once.  The
gradient functions do not include the activation: their dy is its gradient, ``numact.gelu_grad(dy, z)`` of the
normalised z, or ``numact.relu_grad_y(dy, y)`` of the output.

The modules `layer`, `rms`, `batch` and `group` hold the public functions; `rows` is what the first two share.
`arguments` checks, `layout` sees arrays as samples x channels x positions, `task` calls the kernels.
"""

from numact.norm.batch import BatchStatistics, batch_norm, batch_norm_grad, batch_norm_train
from numact.norm.group import group_norm, group_norm_grad, instance_norm, instance_norm_grad
from numact.norm.layer import layer_norm, layer_norm_grad
from numact.norm.rms import rms_norm, rms_norm_grad

__all__ = [
    "BatchStatistics",
    "batch_norm",
    "batch_norm_grad",
    "batch_norm_train",
    "group_norm",
    "group_norm_grad",
    "instance_norm",
    "instance_norm_grad",
    "layer_norm",
    "layer_norm_grad",
    "rms_norm",
    "rms_norm_grad",
]


def __dir__() -> list[str]:
    return sorted(__all__)
