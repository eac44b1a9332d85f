"""Measure programs of other libraries without and with numact behind them, and write the tables of docs/adapters.md.

Run: pip install ".[adapters]" && KERAS_BACKEND=numpy python docs/adapters.py
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "numpy")
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "BLIS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402

PAGE = Path(__file__).with_suffix(".md")
BEGIN, END = "<!-- measured: {} -->", "<!-- end: {} -->"
ROUNDS = 9
SHAPE = (1024, 512)

Block = Callable[[], AbstractContextManager[Any]]
Line = tuple[str, Callable[[], Any], Callable[[], Any], Block]


def best(call: Callable[[], Any]) -> float:
    """Seconds of a call, which is repeated if it is short."""
    start = time.perf_counter()
    call()
    repeats = max(1, int(0.02 / (time.perf_counter() - start + 1e-9)))
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats


def compare(before: Callable[[], Any], after: Callable[[], Any], block: Block) -> tuple[float, float]:
    """The least time of either in rounds of both in turn."""
    times = [np.inf, np.inf]
    for _ in range(ROUNDS):
        times[0] = min(times[0], best(before))
        with block():
            times[1] = min(times[1], best(after))
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


def table(lines: list[Line]) -> str:
    """The lines measured, as a table of Markdown."""
    rows = ["| | before, ms | with numact, ms | gain |", "|---|--:|--:|--:|"]
    for label, before, after, block in lines:
        a, b = compare(before, after, block)
        rows.append(f"| {label} | {a * 1e3:.3g} | {b * 1e3:.3g} | {a / b:.2f} |")
        print(rows[-1], flush=True)
    return "\n".join(rows)


def main() -> None:
    """Replace the tables of the page."""
    warnings.simplefilter("ignore")
    text = PAGE.read_text()
    for name, lines in (
        ("keras", keras_lines),
        ("sklearn", sklearn_lines),
        ("thinc", thinc_lines),
        ("onnx", onnx_lines),
    ):
        begin, end = BEGIN.format(name), END.format(name)
        head, _, rest = text.partition(begin)
        _, _, tail = rest.partition(end)
        text = f"{head}{begin}\n{table(lines())}\n{end}{tail}"
    PAGE.write_text(text)


if __name__ == "__main__":
    main()
