"""Measure programs of other libraries without and with numact behind them, and write the tables of docs/adapters.md.

Run: pip install ".[adapters]" && KERAS_BACKEND=numpy python docs/adapters.py [library ...]
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "numpy")
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "BLIS_NUM_THREADS", "NUMACT_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import numpy as np  # noqa: E402
from timing import best  # noqa: E402

PAGE = Path(__file__).with_suffix(".md")
BEGIN, END = "<!-- measured: {} -->", "<!-- end: {} -->"
ROUNDS = 9
LEAST = 0.02  # seconds of a measurement
SHAPE = (1024, 512)

Block = Callable[[], AbstractContextManager[Any]]
Line = tuple[str, Callable[[], Any], Callable[[], Any], Block]


def compare(before: Callable[[], Any], after: Callable[[], Any], block: Block) -> tuple[float, float]:
    """The least time of either in rounds of both in turn."""
    times = [np.inf, np.inf]
    for _ in range(ROUNDS):
        times[0] = min(times[0], best(before, LEAST))
        with block():
            times[1] = min(times[1], best(after, LEAST))
    return times[0], times[1]


def keras_lines() -> list[Line]:
    """Operations, and a model."""
    import keras

    from numact.adapters.keras import accelerate

    rng = np.random.default_rng(0)
    lines: list[Line] = []
    for dtype in ("float32", "float16"):
        x = (rng.normal(size=SHAPE) * 2).astype(dtype)
        for name in ("relu", "silu", "gelu", "leaky_relu", "elu", "softplus", "softmax", "log_softmax"):
            call = partial(getattr(keras.ops, name), x)
            lines.append((f"`ops.{name}`, {dtype} {SHAPE}", call, call, accelerate))
    inputs = keras.Input((64, 64))
    z = keras.layers.MultiHeadAttention(4, 16)(inputs, inputs)
    z = keras.layers.LayerNormalization()(z + inputs)
    z = keras.layers.Dense(64)(keras.layers.Dense(256, activation="gelu")(z))
    model = keras.Model(inputs, keras.layers.Dense(10, activation="softmax")(z))
    x = rng.normal(size=(16, 64, 64)).astype(np.float32)
    predict = partial(model, x)
    lines.append(("transformer block, 16 x 64 tokens of 64, whole", predict, predict, accelerate))
    return lines


def sklearn_lines() -> list[Line]:
    """Training and prediction of multi-layer perceptrons."""
    from sklearn.base import clone
    from sklearn.datasets import load_digits
    from sklearn.neural_network import MLPClassifier

    from numact.adapters.sklearn import accelerate

    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype(np.float32)
    lines: list[Line] = []
    for activation in ("relu", "tanh", "logistic"):
        model = MLPClassifier((256, 128), activation=activation, max_iter=3, random_state=0)
        fit = partial(model.fit, x, y)
        lines.append((f"fit digits, 256-128, {activation}, whole", fit, fit, accelerate))
        predict = partial(clone(model).fit(x, y).predict_proba, x)
        lines.append((f"predict_proba, {activation}, whole", predict, predict, accelerate))
    return lines


def thinc_lines() -> list[Line]:
    """Methods of the operations, and training steps."""
    from thinc import api

    from numact.adapters.thinc import NumactOps

    rng = np.random.default_rng(0)
    theirs, ours = api.NumpyOps(), NumactOps()
    x, dy = (rng.normal(size=SHAPE).astype(np.float32) for _ in range(2))
    lines: list[Line] = []
    for name in ("relu", "swish", "gelu", "gelu_approx", "mish", "sigmoid", "dish", "softmax"):
        lines.append(
            (
                f"`{name}` {SHAPE}",
                lambda name=name: getattr(theirs, name)(x),
                lambda name=name: getattr(ours, name)(x),
                nullcontext,
            )
        )
    for name in ("backprop_gelu", "backprop_mish", "backprop_relu"):
        lines.append(
            (
                f"`{name}`",
                lambda name=name: getattr(theirs, name)(dy, x),
                lambda name=name: getattr(ours, name)(dy, x),
                nullcontext,
            )
        )
    pieces = x.reshape(1024, -1, 4)
    lines.append(("`maxout` of 4", lambda: theirs.maxout(pieces), lambda: ours.maxout(pieces), nullcontext))
    best_y, which = theirs.maxout(pieces)
    lines.append(
        (
            "`backprop_maxout` of 4",
            lambda: theirs.backprop_maxout(best_y, which, 4),
            lambda: ours.backprop_maxout(best_y, which, 4),
            nullcontext,
        )
    )
    for layer in (api.Relu, api.Gelu, api.Mish, api.Maxout):
        steps = []
        for ops in (theirs, ours):
            model = api.chain(layer(256), layer(256), api.Softmax(10))
            model.initialize(X=x[:256])
            model._to_ops(ops)

            def step(model: Any = model) -> None:
                y, backward = model.begin_update(x[:256])
                backward(y)

            steps.append(step)
        lines.append((f"training step of a network with {layer.__name__}, whole", steps[0], steps[1], nullcontext))
    return lines


def onnx_lines() -> list[Line]:
    """Models of one operator, and of several."""
    from onnx import TensorProto, helper
    from onnx.reference import ReferenceEvaluator

    from numact.adapters.onnx import load

    x = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)

    def model(*operators: str) -> Any:
        nodes = [helper.make_node(op, [f"t{k}"], [f"t{k + 1}"]) for k, op in enumerate(operators)]
        ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in ("t0", f"t{len(operators)}")]
        graph = helper.make_graph(nodes, "g", ends[:1], ends[1:])
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)])

    lines: list[Line] = []
    for operators in (
        ["Relu"],
        ["Tanh"],
        ["Sigmoid"],
        ["Elu"],
        ["Softplus"],
        ["Mish"],
        ["Gelu"],
        ["HardSwish"],
        ["Softmax"],
        ["Hardmax"],
        ["Gelu", "Relu", "Softmax"],
    ):
        proto = model(*operators)
        before, after = ReferenceEvaluator(proto), load(proto)
        label = f"`{operators[0]}`" if len(operators) == 1 else " + ".join(operators) + ", whole"
        lines.append(
            (label, lambda s=before: s.run(None, {"t0": x}), lambda s=after: s.run(None, {"t0": x}), nullcontext)
        )
    return lines


def labelled_lines() -> list[Line]:
    """Functions by name of a dimension, beside SciPy's and expressions of xarray."""
    import xarray
    from scipy import special

    from numact.adapters import xarray as adapter

    x = xarray.DataArray(np.random.default_rng(0).normal(size=(64, 32, 256)).astype(np.float32), dims=("a", "b", "c"))

    def of_scipy(name: str, dim: str) -> Any:
        function = partial(getattr(special, name), axis=-1)
        kept = [] if name == "logsumexp" else [[dim]]
        return lambda: xarray.apply_ufunc(function, x, input_core_dims=[[dim]], output_core_dims=kept or [[]])

    def normalised() -> Any:
        centred = x - x.mean("c")
        return centred / np.sqrt((centred**2).mean("c") + 1e-5)

    lines: list[Line] = []
    for name in ("softmax", "log_softmax", "logsumexp"):
        for dim in ("c", "a"):
            label = f"`{name}` {tuple(x.sizes.values())} along {dim}, beside scipy.special"
            lines.append((label, of_scipy(name, dim), partial(getattr(adapter, name), x, dim=dim), nullcontext))
    label = "`layer_norm`, beside the expression"
    return [*lines, (label, normalised, partial(adapter.layer_norm, x, dim="c"), nullcontext)]


def lazy_lines() -> list[Line]:
    """Functions along an axis that is divided into chunks, beside expressions of dask, by one thread."""
    import dask
    import dask.array

    from numact.adapters import dask as adapter

    dask.config.set(scheduler="synchronous")
    data = np.random.default_rng(0).normal(size=(4096, 2048)).astype(np.float32)
    x = dask.array.from_array(data, chunks=(2048, 512))

    def softmax() -> Any:
        e = np.exp(x - x.max(-1, keepdims=True))
        return (e / e.sum(-1, keepdims=True)).compute()

    def logsumexp() -> Any:
        largest = x.max(-1, keepdims=True)
        return (np.log(np.exp(x - largest).sum(-1)) + largest[:, 0]).compute()

    def layer_norm() -> Any:
        centred = x - x.mean(-1, keepdims=True)
        return (centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)).compute()

    def ours(name: str) -> Any:
        return getattr(adapter, name)(x).compute()

    return [
        (
            f"`{call.__name__}` {x.shape} in chunks of {x.chunksize}, beside the expression",
            call,
            partial(ours, call.__name__),
            nullcontext,
        )
        for call in (softmax, logsumexp, layer_norm)
    ]


def torch_lines() -> list[Line]:
    """Functions with their gradients, and a training step; PyTorch's by one thread."""
    import torch

    from numact.adapters.torch import Activation, apply

    torch.set_num_threads(1)
    x = torch.randn(SHAPE, requires_grad=True)
    dy = torch.ones_like(x)

    def step(call: Callable[[Any], Any]) -> None:
        torch.autograd.grad(call(x), x, dy)

    lines: list[Line] = []
    for name in ("mish", "softplus", "elu", "selu"):
        theirs = getattr(torch.nn.functional, name)
        label = f"`{name}` and its gradient"
        lines.append((label, partial(step, theirs), partial(step, partial(apply, name)), nullcontext))
    steps = []
    for layer in (torch.nn.Mish, partial(Activation, "mish")):
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(512, 256), layer(), torch.nn.Linear(256, 256), layer())

        def train(model: Any = model) -> None:
            model.zero_grad()
            model(dy).sum().backward()

        steps.append(train)
    lines.append(("training step of a network with Mish, whole", steps[0], steps[1], nullcontext))
    return lines


def jax_lines() -> list[Line]:
    """Functions that JAX does not have, beside their expressions, compiled."""
    import jax

    from numact.adapters.jax import apply

    x = jax.numpy.asarray(np.random.default_rng(0).normal(size=(1024, 64)).astype(np.float32))

    def sparsemax(z: Any) -> Any:
        ordered = -jax.numpy.sort(-z, axis=-1)
        sums, ranks = ordered.cumsum(-1), jax.numpy.arange(1, z.shape[-1] + 1)
        count = (1 + ranks * ordered > sums).sum(-1, keepdims=True)
        threshold = (jax.numpy.take_along_axis(sums, count - 1, -1) - 1) / count
        return jax.numpy.maximum(z - threshold, 0)

    def timed(function: Callable[[Any], Any]) -> Callable[[], Any]:
        compiled = jax.jit(function)
        return lambda: compiled(x).block_until_ready()

    def gradient(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return jax.grad(lambda z: (function(z) * z).sum())

    ours = partial(apply, "sparsemax")
    return [
        (f"`sparsemax` {x.shape}, beside the expression", timed(sparsemax), timed(ours), nullcontext),
        ("`sparsemax` and its gradient", timed(gradient(sparsemax)), timed(gradient(ours)), nullcontext),
    ]


def autograd_lines() -> list[Line]:
    """Functions with their gradients, beside expressions."""
    import autograd
    import autograd.numpy as anp
    from autograd.scipy import special

    from numact.adapters.autograd import apply

    rng = np.random.default_rng(0)
    x, w = rng.normal(size=SHAPE), rng.normal(size=(512, 512)) / 20
    expressions = {
        "sigmoid": lambda z: 1 / (1 + anp.exp(-z)),
        "silu": lambda z: z / (1 + anp.exp(-z)),
        "gelu": lambda z: 0.5 * z * (1 + special.erf(z / np.sqrt(2))),
        "softplus": lambda z: anp.logaddexp(z, 0),
        "softmax": lambda z: anp.exp(z - special.logsumexp(z, axis=-1, keepdims=True)),
    }

    def gradient(call: Callable[[Any], Any], whole: bool = False) -> Callable[[], Any]:
        found = autograd.grad((lambda v: call(call(x @ v) @ v).sum()) if whole else (lambda z: (call(z) * z).sum()))
        return partial(found, w if whole else x)

    lines: list[Line] = []
    for name, expression in expressions.items():
        lines.append((f"`{name}` and its gradient", gradient(expression), gradient(partial(apply, name)), nullcontext))
    pair = (gradient(call, whole=True) for call in (expressions["gelu"], partial(apply, "gelu")))
    return [*lines, ("gradient of a network of two layers with gelu, whole", *pair, nullcontext)]


def table(lines: list[Line]) -> str:
    """The lines measured, as a table of Markdown."""
    rows = ["| | before, ms | with numact, ms | gain |", "|---|--:|--:|--:|"]
    for label, before, after, block in lines:
        a, b = compare(before, after, block)
        rows.append(f"| {label} | {a * 1e3:.3g} | {b * 1e3:.3g} | {a / b:.2f} |")
        print(rows[-1], flush=True)
    return "\n".join(rows)


def main() -> None:
    """Replace the tables of the page, or those of the libraries that are named."""
    warnings.simplefilter("ignore")
    text = PAGE.read_text()
    tables = {
        "keras": keras_lines,
        "sklearn": sklearn_lines,
        "thinc": thinc_lines,
        "onnx": onnx_lines,
        "xarray": labelled_lines,
        "dask": lazy_lines,
        "torch": torch_lines,
        "jax": jax_lines,
        "autograd": autograd_lines,
    }
    for name in sys.argv[1:] or tables:
        lines = tables[name]
        begin, end = BEGIN.format(name), END.format(name)
        head, _, rest = text.partition(begin)
        _, _, tail = rest.partition(end)
        text = f"{head}{begin}\n{table(lines())}\n{end}{tail}"
    PAGE.write_text(text)


if __name__ == "__main__":
    main()
