"""The functions along an axis: checks around the generalised ufuncs that csrc/formulas and csrc/loops/rows.h compute.

A function of the catalogue's family "axis" has its public call here; what all share is in operands.py.
"""

from collections.abc import Callable
from typing import Any

from numact._functions.axis.gumbel import gumbel_softmax
from numact._functions.axis.logsumexp import logsumexp
from numact._functions.axis.maxout import maxout, maxout_grad
from numact._functions.axis.softmax import (
    log_softmax,
    log_softmax_grad,
    softmax,
    softmax_grad,
    softmin,
    softmin_grad,
)
from numact._functions.axis.sparsemax import hardmax, sparsemax, sparsemax_grad

__all__ = [
    "PUBLIC",
    "gumbel_softmax",
    "hardmax",
    "log_softmax",
    "log_softmax_grad",
    "logsumexp",
    "maxout",
    "maxout_grad",
    "softmax",
    "softmax_grad",
    "softmin",
    "softmin_grad",
    "sparsemax",
    "sparsemax_grad",
]

PUBLIC: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        *(softmax, softmin, log_softmax, logsumexp, sparsemax, hardmax, maxout, gumbel_softmax),
        *(softmax_grad, softmin_grad, log_softmax_grad, sparsemax_grad, maxout_grad),
    )
}
for _function in PUBLIC.values():
    _function.__module__ = "numact"  # where it is public, and where a pickle looks for it
