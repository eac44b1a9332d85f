"""The functions of PyTorch, JAX and ONNX Runtime with which ``python -m numact bench`` compares numact.

Each computes what numact does with its default parameters, and writes into an existing array if its library can.
A library that is not installed is left out.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Call = Callable[[], Any]
# (name, dy, x, out) -> the call, or None if the library has no such function; for NAME_grad_y, x is the output.
Bind = Callable[[str, Array, Array, Array], Call | None]

# name -> function of (aten, dy, x, out), where aten is torch.ops.aten.
TORCH: dict[str, Callable[[Any, Any, Any, Any], Any]] = {
    "relu": lambda a, dy, x, out: a.clamp_min.out(x, 0, out=out),
    "relu_grad": lambda a, dy, x, out: a.threshold_backward.grad_input(dy, x, 0, grad_input=out),
    "relu6": lambda a, dy, x, out: a.hardtanh.out(x, 0.0, 6.0, out=out),
    "relu6_grad": lambda a, dy, x, out: a.hardtanh_backward.grad_input(dy, x, 0.0, 6.0, grad_input=out),
    "leaky_relu": lambda a, dy, x, out: a.leaky_relu.out(x, 0.01, out=out),
    "leaky_relu_grad": lambda a, dy, x, out: a.leaky_relu_backward.grad_input(dy, x, 0.01, False, grad_input=out),
    "elu": lambda a, dy, x, out: a.elu.out(x, out=out),
    "elu_grad": lambda a, dy, x, out: a.elu_backward.grad_input(dy, 1.0, 1.0, 1.0, False, x, grad_input=out),
    "celu": lambda a, dy, x, out: a.celu.out(x, 1.0, out=out),
    "selu": lambda a, dy, x, out: a.elu.out(x, 1.6732632423543772, 1.0507009873554805, out=out),
    "sigmoid": lambda a, dy, x, out: a.sigmoid.out(x, out=out),
    "sigmoid_grad_y": lambda a, dy, y, out: a.sigmoid_backward.grad_input(dy, y, grad_input=out),
    "tanh": lambda a, dy, x, out: a.tanh.out(x, out=out),
    "tanh_grad_y": lambda a, dy, y, out: a.tanh_backward.grad_input(dy, y, grad_input=out),
    "softplus": lambda a, dy, x, out: a.softplus.out(x, out=out),
    "softplus_grad": lambda a, dy, x, out: a.softplus_backward.grad_input(dy, x, 1.0, 20.0, grad_input=out),
    "log_sigmoid": lambda a, dy, x, out: a.log_sigmoid.out(x, out=out),
    "silu": lambda a, dy, x, out: a.silu.out(x, out=out),
    "silu_grad": lambda a, dy, x, out: a.silu_backward.grad_input(dy, x, grad_input=out),
    "gelu": lambda a, dy, x, out: a.gelu.out(x, out=out),
    "gelu_grad": lambda a, dy, x, out: a.gelu_backward.grad_input(dy, x, grad_input=out),
    "gelu_tanh": lambda a, dy, x, out: a.gelu.out(x, approximate="tanh", out=out),
    "gelu_tanh_grad": lambda a, dy, x, out: a.gelu_backward.grad_input(dy, x, approximate="tanh", grad_input=out),
    "mish": lambda a, dy, x, out: a.mish.out(x, out=out),
    "mish_grad": lambda a, dy, x, out: a.mish_backward(dy, x),
    "hard_swish": lambda a, dy, x, out: a.hardswish.out(x, out=out),
    "hard_swish_grad": lambda a, dy, x, out: a.hardswish_backward.out(dy, x, out=out),
    "hard_sigmoid": lambda a, dy, x, out: a.hardsigmoid.out(x, out=out),
    "hard_sigmoid_grad": lambda a, dy, x, out: a.hardsigmoid_backward.grad_input(dy, x, grad_input=out),
}

# name -> function of (jax.nn, jax.numpy, x); the gradients are those of JAX's own differentiation.
JAX: dict[str, Callable[[Any, Any, Any], Any]] = {
    "relu": lambda nn, jnp, x: nn.relu(x),
    "relu6": lambda nn, jnp, x: nn.relu6(x),
    "relu_squared": lambda nn, jnp, x: jnp.square(nn.relu(x)),
    "leaky_relu": lambda nn, jnp, x: nn.leaky_relu(x),
    "elu": lambda nn, jnp, x: nn.elu(x),
    "celu": lambda nn, jnp, x: nn.celu(x),
    "selu": lambda nn, jnp, x: nn.selu(x),
    "sigmoid": lambda nn, jnp, x: nn.sigmoid(x),
    "tanh": lambda nn, jnp, x: jnp.tanh(x),
    "softplus": lambda nn, jnp, x: nn.softplus(x),
    "log_sigmoid": lambda nn, jnp, x: nn.log_sigmoid(x),
    "silu": lambda nn, jnp, x: nn.silu(x),
    "gelu": lambda nn, jnp, x: nn.gelu(x, approximate=False),
    "gelu_tanh": lambda nn, jnp, x: nn.gelu(x, approximate=True),
    "mish": lambda nn, jnp, x: nn.mish(x),
    "hard_swish": lambda nn, jnp, x: nn.hard_swish(x),
    "hard_sigmoid": lambda nn, jnp, x: nn.hard_sigmoid(x),
    "softsign": lambda nn, jnp, x: nn.soft_sign(x),
    "squareplus": lambda nn, jnp, x: nn.squareplus(x),
    "hard_tanh": lambda nn, jnp, x: nn.hard_tanh(x),
    "sparse_plus": lambda nn, jnp, x: nn.sparse_plus(x),
    "sparse_sigmoid": lambda nn, jnp, x: nn.sparse_sigmoid(x),
    "exponential": lambda nn, jnp, x: jnp.exp(x),
}

# name -> ONNX operator and its attributes, for float32.
ONNX: dict[str, tuple[str, dict[str, Any]]] = {
    "relu": ("Relu", {}),
    "leaky_relu": ("LeakyRelu", {}),
    "elu": ("Elu", {}),
    "celu": ("Celu", {}),
    "selu": ("Selu", {}),
    "sigmoid": ("Sigmoid", {}),
    "tanh": ("Tanh", {}),
    "softplus": ("Softplus", {}),
    "gelu": ("Gelu", {}),
    "gelu_tanh": ("Gelu", {"approximate": "tanh"}),
    "mish": ("Mish", {}),
    "hard_swish": ("HardSwish", {}),
    "hard_sigmoid": ("HardSigmoid", {"alpha": 1 / 6}),
    "softsign": ("Softsign", {}),
    "exponential": ("Exp", {}),
    "thresholded_relu": ("ThresholdedRelu", {}),
}


def _torch(threads: int) -> Bind:
    import torch

    torch.set_num_threads(threads)

    def tensor(array: Array) -> Any:
        if array.dtype.name == "bfloat16":  # torch does not accept this NumPy dtype
            return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
        return torch.from_numpy(array)

    def bind(name: str, dy: Array, x: Array, out: Array) -> Call | None:
        if (function := TORCH.get(name)) is None:
            return None
        operands = tuple(map(tensor, (dy, x, out)))
        return lambda: function(torch.ops.aten, *operands)

    return bind


def _jax(threads: int) -> Bind:
    if threads == 1:  # XLA can use one processor or all of them
        one = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {one}"
    import jax

    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)

    def bind(name: str, dy: Array, x: Array, out: Array) -> Call | None:
        if (function := JAX.get(name.removesuffix("_grad"))) is None:
            return None

        def forward(x: Any) -> Any:
            return function(jax.nn, jax.numpy, x)

        def gradient(x: Any) -> Any:
            return jax.vjp(forward, x)[1](operands[0])[0]

        operands = (jax.numpy.asarray(dy), jax.numpy.asarray(x))
        compiled = jax.jit(gradient if name.endswith("_grad") else forward)
        return lambda: compiled(operands[1]).block_until_ready()

    return bind


def _onnxruntime(threads: int) -> Bind:
    import onnxruntime
    from onnx import TensorProto, helper

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads, options.log_severity_level = threads, 1, 4

    def bind(name: str, dy: Array, x: Array, out: Array) -> Call | None:
        if name not in ONNX or x.dtype != np.float32:
            return None
        operator, attributes = ONNX[name]
        values = [helper.make_tensor_value_info(end, TensorProto.FLOAT, [x.size]) for end in "xy"]
        graph = helper.make_graph(
            [helper.make_node(operator, ["x"], ["y"], **attributes)], name, values[:1], values[1:]
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        binding = session.io_binding()
        binding.bind_ortvalue_input("x", onnxruntime.OrtValue.ortvalue_from_numpy(x))
        binding.bind_ortvalue_output("y", onnxruntime.OrtValue.ortvalue_from_numpy(out))
        return lambda: session.run_with_iobinding(binding)

    return bind


PEERS: dict[str, Callable[[int], Bind]] = {"torch": _torch, "jax": _jax, "onnxruntime": _onnxruntime}


def installed(threads: int) -> dict[str, Bind]:
    """The libraries that can be imported, each set to this number of threads."""
    found = {}
    for name, begin in PEERS.items():
        try:
            found[name] = begin(threads)
        except ModuleNotFoundError:
            continue
    return found
