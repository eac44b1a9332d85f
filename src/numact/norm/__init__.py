"""Batch, layer and RMS normalisation: forward, in training, and backward, with an activation fused behind.

Every function computes in float64, in an order of its own: the bits of a result depend neither on strides, on the axis
along which something lies, nor on the instruction set.  `activation=` applies an elementwise function of numact to the
result while it is in the cache: the bits are those of the two calls, the array passes through memory once.  Its
gradient is the caller's: ``numact.gelu_grad(dy, z)`` of the normalised z, or ``numact.relu_grad_y(dy, y)`` of the
output, gives the dy for the gradient functions of this module.
"""

from numact.norm.batch import BatchStatistics, batch_norm, batch_norm_grad, batch_norm_train
from numact.norm.layer import layer_norm, layer_norm_grad
from numact.norm.rms import rms_norm, rms_norm_grad

__all__ = [
    "BatchStatistics",
    "batch_norm",
    "batch_norm_grad",
    "batch_norm_train",
    "layer_norm",
    "layer_norm_grad",
    "rms_norm",
    "rms_norm_grad",
]


def __dir__() -> list[str]:
    return __all__
