"""Operations of Thinc on numact: ``thinc.api.use_ops("numact")``.

Thinc finds `NumactOps` by an entry point of its registry when it is asked for by name.  ``get_ops("cpu")`` and
``require_cpu()`` do not ask for entry points, and neither does ``get_array_ops(array)``, which some layers use: those
stay with NumpyOps.

Results agree with those of NumpyOps to its approximations: Thinc clips the argument of sigmoid at 20, and approximates
erf to 1.5e-7, so that its gelu differs by as much.  The constants of Thinc are kept: the slope 0.2 of hard_sigmoid, and
hard_swish, which is Thinc's own.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from numact._functions.names import FUNCTIONS
from numact.adapters._require import require

# Thinc imports this module whenever it is asked for operations by name: a version that is too new must not fail here.
_api: Any = require("thinc", "thinc.api", "thinc", "8.1", "100.0")

# The threshold from which on Thinc's mish is x: there both agree to the last digit of float32.
THRESHOLD = 20.0


def _forward(name: str, x: Any, inplace: bool, *parameters: float) -> Any:
    return FUNCTIONS[name](x, *map(float, parameters), out=x if inplace else None)


def _backward(name: str, dy: Any, x: Any, inplace: bool, *parameters: float) -> Any:
    if dy.shape != x.shape:
        raise ValueError(f"arrays have incompatible shapes: {dy.shape} and {x.shape}")
    return FUNCTIONS[name](dy, x, *map(float, parameters), out=dy if inplace else None)


@_api.registry.ops("NumactOps")
class NumactOps(_api.NumpyOps):  # type: ignore[misc]
    """NumpyOps whose activations, softmax and maxout are those of numact.

    Parameters
    ----------
    device_type, device_id, use_blis
        As of ``thinc.api.NumpyOps``.

    See Also
    --------
    numact.gelu, numact.softmax, numact.maxout : The functions behind it.

    Notes
    -----
    ``inplace=True`` overwrites what it overwrites in Thinc: X, for gradients dY, and for `backprop_sigmoid` Y.  Arrays
    may have any strides.

    Examples
    --------
    >>> ops = numact.adapters.thinc.NumactOps()  # or, for a model, ``with thinc.api.use_ops("numact")``
    >>> ops.relu(np.array([[-1.0, 2.0]], np.float32))
    array([[0., 2.]], dtype=float32)

    """

    name = "numact"

    def sigmoid(self, X: Any, *, inplace: bool = False) -> Any:
        return _forward("sigmoid", X, inplace)

    def backprop_sigmoid(self, dY: Any, Y: Any, *, inplace: bool = False) -> Any:
        return FUNCTIONS["sigmoid_grad_y"](dY, Y, out=Y if inplace else None)

    def dsigmoid(self, Y: Any, *, inplace: bool = False) -> Any:
        return FUNCTIONS["sigmoid_grad_y"](np.ones((), Y.dtype), Y, out=Y if inplace else None)

    def dtanh(self, Y: Any, *, inplace: bool = False) -> Any:
        return FUNCTIONS["tanh_grad_y"](np.ones((), Y.dtype), Y, out=Y if inplace else None)

    def softmax(self, x: Any, *, inplace: bool = False, axis: int = -1, temperature: float = 1.0) -> Any:
        return FUNCTIONS["softmax"](x, axis=axis, temperature=float(temperature), out=x if inplace else None)

    def backprop_softmax(self, Y: Any, dY: Any, *, axis: int = -1, temperature: float = 1.0) -> Any:
        return FUNCTIONS["softmax_grad"](dY, Y, axis=axis, temperature=float(temperature))

    def maxout(self, X: Any) -> Any:
        pieces = X.shape[2]
        return FUNCTIONS["maxout"](X.reshape(X.shape[0], -1), pieces, index_dtype=np.int32)

    def backprop_maxout(self, dY: Any, which: Any, P: int) -> Any:
        return FUNCTIONS["maxout_grad"](dY, which, P).reshape(*dY.shape, P)

    def relu(self, X: Any, inplace: bool = False) -> Any:
        return _forward("relu", X, inplace)

    def backprop_relu(self, dY: Any, Y: Any, inplace: bool = False) -> Any:
        return _backward("relu_grad_y", dY, Y, inplace)

    def clipped_linear(
        self,
        X: Any,
        slope: float = 1.0,
        offset: float = 0.0,
        min_val: float = 0.0,
        max_val: float = 1.0,
        inplace: bool = False,
    ) -> Any:
        return _forward("clipped_linear", X, inplace, slope, offset, min_val, max_val)

    def backprop_clipped_linear(
        self,
        dY: Any,
        X: Any,
        slope: float = 1.0,
        offset: float = 0.0,
        min_val: float = 0.0,
        max_val: float = 1.0,
        inplace: bool = False,
    ) -> Any:
        return _backward("clipped_linear_grad", dY, X, inplace, slope, offset, min_val, max_val)

    def backprop_hard_sigmoid(self, dY: Any, X: Any, inplace: bool = False) -> Any:
        return self.backprop_clipped_linear(dY, X, slope=0.2, offset=0.5, inplace=inplace)

    def backprop_hard_tanh(self, dY: Any, X: Any, inplace: bool = False) -> Any:
        return self.backprop_clipped_linear(dY, X, min_val=-1.0, max_val=1.0, inplace=inplace)

    def swish(self, X: Any, inplace: bool = False) -> Any:
        return _forward("silu", X, inplace)

    def backprop_swish(self, dY: Any, X: Any, Y: Any, inplace: bool = False) -> Any:
        return _backward("silu_grad", dY, X, inplace)

    def hard_swish_mobilenet(self, X: Any, inplace: bool = False) -> Any:
        return _forward("hard_swish", X, inplace)

    def backprop_hard_swish_mobilenet(self, dY: Any, X: Any, inplace: bool = False) -> Any:
        return _backward("hard_swish_grad", dY, X, inplace)

    def dish(self, X: Any, inplace: bool = False) -> Any:
        return _forward("dish", X, inplace)

    def backprop_dish(self, dY: Any, X: Any, inplace: bool = False) -> Any:
        return _backward("dish_grad", dY, X, inplace)

    def erf(self, X: Any) -> Any:
        return _forward("erf", X, False)

    def gelu_approx(self, X: Any, inplace: bool = False) -> Any:
        return _forward("gelu_tanh", X, inplace)

    def backprop_gelu_approx(self, dY: Any, X: Any, inplace: bool = False) -> Any:
        return _backward("gelu_tanh_grad", dY, X, inplace)

    def gelu(self, X: Any, inplace: bool = False) -> Any:
        return _forward("gelu", X, inplace)

    def backprop_gelu(self, dY: Any, X: Any, inplace: bool = False) -> Any:
        return _backward("gelu_grad", dY, X, inplace)

    def mish(self, X: Any, threshold: float = THRESHOLD, inplace: bool = False) -> Any:
        return _forward("mish", X, inplace) if threshold >= THRESHOLD else super().mish(X, threshold, inplace)

    def backprop_mish(self, dY: Any, X: Any, threshold: float = THRESHOLD, inplace: bool = False) -> Any:
        if threshold < THRESHOLD:
            return super().backprop_mish(dY, X, threshold, inplace)
        return _backward("mish_grad", dY, X, inplace)
