"""Operators of ONNX's reference evaluator, computed by numact.

The operators follow the operator set of the model: before set 13 softmax flattens its input behind `axis`, and
GroupNormalization before set 21 has a scale for each group.  Results agree with those of ONNX to rounding, except that
NumPy's steps in float16 and bfloat16 are rounded one by one there, and once here.  Dropout draws the same elements as
ONNX does for the same seed.
"""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from typing import Any

import numpy as np

from numact._functions.masks.bit_mask import BitMask
from numact._functions.names import FUNCTIONS
from numact.adapters._require import require
from numact.norm.batch import batch_norm, batch_norm_train
from numact.norm.group import group_norm, instance_norm
from numact.norm.layer import layer_norm
from numact.norm.rms import rms_norm

_RANGE = ("onnx", "1.15", "2.0")
_reference: Any = require("onnx", "onnx.reference", *_RANGE)
_op_run: Any = require("onnx", "onnx.reference.op_run", *_RANGE)

# The operators of one input, with the function and the attributes that are its parameters.
ELEMENTWISE: dict[str, tuple[str, tuple[str, ...]]] = {
    "Relu": ("relu", ()),
    "LeakyRelu": ("leaky_relu", ("alpha",)),
    "ThresholdedRelu": ("thresholded_relu", ("alpha",)),
    "Elu": ("elu", ("alpha",)),
    "Celu": ("celu", ("alpha",)),
    "Sigmoid": ("sigmoid", ()),
    "HardSigmoid": ("clipped_linear", ("alpha", "beta")),
    "Tanh": ("tanh", ()),
    "Softplus": ("softplus", ()),
    "Softsign": ("softsign", ()),
    "HardSwish": ("hard_swish", ()),
    "Swish": ("swish", ("alpha",)),
    "Mish": ("mish", ()),
    "Shrink": ("hard_shrink", ("lambd", "bias")),
    "Erf": ("erf", ()),
    "Exp": ("exponential", ()),
}
SELU = 1.6732632423543772, 1.0507009873554805

Run = Callable[..., tuple[Any, ...]]


def _elementwise(function: str, attributes: tuple[str, ...]) -> Run:
    compute = FUNCTIONS[function]

    def run(self: Any, x: Any, **given: Any) -> tuple[Any, ...]:
        # numbers of Python: NumPy's would promote float16
        return (np.asarray(compute(x, *(float(given[name]) for name in attributes))),)

    return run


def _selu(self: Any, x: Any, alpha: Any = None, gamma: Any = None) -> tuple[Any, ...]:
    if x.dtype.itemsize <= 4 and np.array_equal(np.array([alpha, gamma], np.float32), np.array(SELU, np.float32)):
        return (np.asarray(FUNCTIONS["selu"](x)),)
    return (np.asarray(FUNCTIONS["elu"](x, float(alpha)) * np.asarray(gamma, x.dtype)),)


def _gelu(self: Any, x: Any, approximate: str | None = None) -> tuple[Any, ...]:
    return (np.asarray(FUNCTIONS["gelu_tanh" if approximate == "tanh" else "gelu"](x)),)


def _prelu(self: Any, x: Any, slope: Any) -> tuple[Any, ...]:
    return (np.asarray(FUNCTIONS["leaky_relu"](x, slope)),)


def _swiglu(self: Any, a: Any, b: Any, alpha: Any = None) -> tuple[Any, ...]:
    if a.shape != b.shape or a.dtype != b.dtype:
        raise ValueError(f"SwiGLU: A and B must have one shape and dtype, got {a.shape} {a.dtype}, {b.shape} {b.dtype}")
    if alpha in (None, 1.0):
        return (np.asarray(FUNCTIONS["swiglu"](a, b)),)
    return (np.asarray(FUNCTIONS["swish"](a, float(alpha)) * b),)


def _opset(self: Any) -> int:
    """The version of the operator set of the model."""
    opsets: dict[str, int] = self.run_params.get("opsets", {})
    return opsets.get("", 13)


def _along_axis(function: str) -> Run:
    compute = FUNCTIONS[function]

    def run(self: Any, x: Any, axis: int | None = None) -> tuple[Any, ...]:
        given = any(attribute.name == "axis" for attribute in self.onnx_node.attribute)
        if _opset(self) >= 13:
            return (np.asarray(compute(x, axis=axis if axis is not None else -1)),)
        first = axis if given and axis is not None else 1
        rows = int(np.prod(x.shape[: first if first >= 0 else first + x.ndim]))
        return (np.asarray(compute(x.reshape(rows, -1), axis=-1)).reshape(x.shape),)

    return run


def _batch_normalization(
    self: Any,
    x: Any,
    scale: Any,
    bias: Any,
    mean: Any,
    var: Any,
    epsilon: Any = None,
    momentum: Any = None,
    training_mode: Any = 0,
    **old: Any,
) -> tuple[Any, ...]:
    if not training_mode:
        return (batch_norm(x, mean, var, scale, bias, float(epsilon)).astype(x.dtype, copy=False),)
    means, variances = mean.astype(np.float64), var.astype(np.float64)
    y, _ = batch_norm_train(x, means, variances, scale, bias, 1 - float(momentum), float(epsilon), unbiased=False)
    return y, means.astype(mean.dtype), variances.astype(var.dtype)


def _instance_normalization(self: Any, x: Any, scale: Any, bias: Any, epsilon: Any = None) -> tuple[Any, ...]:
    return (instance_norm(x, scale, bias, float(epsilon)),)


def _group_normalization(
    self: Any, x: Any, scale: Any, bias: Any, epsilon: Any = None, num_groups: Any = None, stash_type: Any = None
) -> tuple[Any, ...]:
    channels = x.shape[1]
    if scale.size != channels:
        scale, bias = (np.repeat(values, channels // int(num_groups)) for values in (scale, bias))
    return (group_norm(x, int(num_groups), scale, bias, float(epsilon)),)


def _from_axis(x: Any, axis: int) -> tuple[int, ...]:
    """The axes from one on, which are normalised together."""
    return tuple(range(axis % x.ndim, x.ndim))


def _layer_normalization(
    self: Any, x: Any, scale: Any, bias: Any = None, axis: int = -1, epsilon: Any = None, stash_type: Any = None
) -> tuple[Any, ...]:
    axes = _from_axis(x, axis)
    if len(self.onnx_node.output) == 1:
        return (layer_norm(x, scale, bias, float(epsilon), axes),)
    y, mean, inverse = layer_norm(x, scale, bias, float(epsilon), axes, return_stats=True)
    return y, mean.astype(x.dtype), inverse.astype(x.dtype)


def _rms_normalization(
    self: Any, x: Any, scale: Any, axis: int = -1, epsilon: Any = None, stash_type: Any = None
) -> tuple[Any, ...]:
    return (rms_norm(x, scale, float(epsilon), _from_axis(x, axis)),)


# ONNX adds 1e-9 to the deviation: where it counts, the deviation is 0.
MEAN_VARIANCE_EPS = 1e-18


def _mean_variance_normalization(self: Any, x: Any, axes: Any = None) -> tuple[Any, ...]:
    along = tuple(map(int, (0, 2, 3) if axes is None else axes))
    return (layer_norm(x, eps=MEAN_VARIANCE_EPS, axis=along),)


def _dropout(self: Any, x: Any, ratio: Any = None, training_mode: Any = False, seed: Any = None) -> tuple[Any, ...]:
    wanted = len(self.onnx_node.output)
    p = 0.5 if ratio is None else float(ratio)
    if not training_mode or p == 0:
        return (x, np.ones(x.shape, np.bool_))[:wanted]
    kept = np.random.RandomState(seed).uniform(0, 1, x.shape) >= p
    y = FUNCTIONS["masked_grad"](x, BitMask.pack(kept), on=1 / (1 - p) if p < 1 else 0.0)
    return (np.asarray(y), kept)[:wanted]


def _operator(name: str, run: Run) -> type[Any]:
    """A class of the reference evaluator."""
    return type(name, (_op_run.OpRun,), {"op_domain": "", "_run": run, "__doc__": f"{name} by numact."})


#: Classes for ``onnx.reference.ReferenceEvaluator(model, new_ops=OPERATORS)``.
OPERATORS: list[type[Any]] = [
    *(_operator(name, _elementwise(*entry)) for name, entry in ELEMENTWISE.items()),
    _operator("Softmax", _along_axis("softmax")),
    _operator("LogSoftmax", _along_axis("log_softmax")),
    _operator("Hardmax", _along_axis("hardmax")),
    _operator("Selu", _selu),
    _operator("Gelu", _gelu),
    _operator("PRelu", _prelu),
    _operator("SwiGLU", _swiglu),
    _operator("BatchNormalization", _batch_normalization),
    _operator("InstanceNormalization", _instance_normalization),
    _operator("GroupNormalization", _group_normalization),
    _operator("LayerNormalization", _layer_normalization),
    _operator("RMSNormalization", _rms_normalization),
    _operator("MeanVarianceNormalization", _mean_variance_normalization),
    _operator("Dropout", _dropout),
]


def load(model: str | PathLike[str] | Any, **options: Any) -> Any:
    """Load a model into ONNX's reference evaluator, with numact's operators.

    Parameters
    ----------
    model : str, path or onnx.ModelProto
        The file, or the model.
    **options : object
        Passed on to ``onnx.reference.ReferenceEvaluator``; further `new_ops` come first.

    Returns
    -------
    onnx.reference.ReferenceEvaluator

    Raises
    ------
    FileNotFoundError
        If there is no such file.

    Examples
    --------
    >>> import onnx.parser
    >>> text = '<ir_version: 10, opset_import: ["": 20]> g (float[N] x) => (float[N] y) {y = Gelu(x)}'
    >>> session = numact.adapters.onnx.load(onnx.parser.parse_model(text))  # or the name of a file
    >>> session.run(None, {"x": np.array([-1.0, 1.0], np.float32)})
    [array([-0.15865526,  0.8413447 ], dtype=float32)]

    """
    given = list(options.pop("new_ops", None) or [])
    names = {(operator.op_domain, operator.__name__) for operator in given}
    ours = [operator for operator in OPERATORS if ("", operator.__name__) not in names]
    source = str(model) if isinstance(model, PathLike) else model
    return _reference.ReferenceEvaluator(source, new_ops=given + ours, **options)
