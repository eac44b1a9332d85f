"""Write docs/accuracy.md, the largest errors that `python -m numact verify` finds, beside those of other libraries.

Run: python -m numact verify --exhaustive --level v4,baseline --json > errors.json
     python docs/accuracy.py peers > peers.json      (where PyTorch, JAX or ONNX Runtime is installed)
     python docs/accuracy.py write errors.json peers.json

`write` takes any number of files; a later file replaces figures of an earlier one.  It also puts the table of the most
used functions into docs/proof.md.
"""

import json
import math
import sys
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from numact.commands.bench.peers import JAX, ONNX
from numact.commands.verify import checks, reference
from numact.commands.verify.run import functions, hexadecimal

ROOT = Path(__file__).parent.parent
# The table in docs/proof.md stands between these lines, and shows these functions.
BEGIN, END = "<!-- docs/accuracy.py -->", "<!-- end of docs/accuracy.py -->"
ESSENTIAL = ("sigmoid", "tanh", "silu", "gelu", "gelu_tanh", "softplus", "mish", "elu", "selu")

Float32 = np.ndarray[Any, np.dtype[np.float32]]
Implementation = Callable[[Float32], Float32]


def pytorch() -> dict[str, Implementation]:
    """PyTorch's functions, and their gradients by its own differentiation."""
    import torch
    from torch.nn import functional as f

    forward: dict[str, Any] = {
        **{name: getattr(torch, name) for name in ("sigmoid", "tanh", "relu")},
        **{name: getattr(f, name) for name in ("softplus", "silu", "gelu", "mish", "elu", "selu", "celu", "softsign")},
        **{name: getattr(f, name) for name in ("relu6", "leaky_relu", "tanhshrink")},
        **{name: getattr(f, name.replace("_", "")) for name in ("log_sigmoid", "hard_swish", "hard_sigmoid")},
        **{name: getattr(f, name.replace("_", "")) for name in ("hard_tanh", "hard_shrink", "soft_shrink")},
        "gelu_tanh": lambda x: f.gelu(x, approximate="tanh"),
        "exponential": torch.exp,
    }

    def gradient(function: Any) -> Implementation:
        def compute(x: Float32) -> Float32:
            tensor = torch.from_numpy(x.copy()).requires_grad_()
            function(tensor).sum().backward()
            return np.asarray(tensor.grad.numpy())

        return compute

    found: dict[str, Implementation] = {}
    for name, function in forward.items():
        found[name] = lambda x, function=function: np.asarray(function(torch.from_numpy(x)).numpy())  # type: ignore[misc]
        found[f"{name}_grad"] = gradient(function)
    return found


def jax() -> dict[str, Implementation]:
    """JAX's functions, and their gradients by its own differentiation."""
    import jax as library
    from jax import nn
    from jax import numpy as jnp

    forward = {name: partial(function, nn, jnp) for name, function in JAX.items()}
    found: dict[str, Implementation] = {}
    for name, function in forward.items():
        for suffix, compiled in (
            ("", library.jit(function)),
            ("_grad", library.jit(library.vmap(library.grad(function)))),
        ):
            found[name + suffix] = lambda x, compiled=compiled: np.asarray(compiled(x))  # type: ignore[misc]
    return found


def onnxruntime() -> dict[str, Implementation]:
    """ONNX Runtime's operators; it has no gradients of single operators."""
    import onnxruntime as ort
    from onnx import TensorProto, helper

    ort.set_default_logger_severity(4)

    def session(operator: str, attributes: dict[str, Any]) -> Implementation:
        node = helper.make_node(operator, ["x"], ["y"], **attributes)
        ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n"]) for name in "xy"]
        graph = helper.make_graph([node], "graph", ends[:1], ends[1:])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)
        made = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        return lambda x: np.asarray(made.run(None, {"x": x})[0])

    return {name: session(*operator) for name, operator in ONNX.items()}


# Name of a library -> its package and its functions.
PEERS = {"PyTorch": ("torch", pytorch), "JAX": ("jax", jax), "ONNX Runtime": ("onnxruntime", onnxruntime)}


def sample() -> Iterator[Float32]:
    """The finite numbers of the short sweep of `verify`."""
    yield checks.special_float32()
    for start in range(0, 2**32, checks.STEP * checks.PART // 16):
        end = min(start + checks.STEP * checks.PART // 16, 2**32)
        yield np.arange(start, end, checks.STEP, dtype=np.uint64).astype(np.uint32).view(np.float32)


def errors_of(implementation: Implementation, name: str) -> dict[str, Any]:
    """The largest error of a peer's function, its input, and the share of correctly rounded results."""
    function = next(found for found in functions([name]) if found.name == name)
    parameters = [float(value) for value in function.parameters(np.float32)[0]]
    found = checks.Found()
    for x in sample():
        x = x[np.isfinite(x)]
        if name.endswith("_grad"):  # not at kinks, where libraries choose different derivatives
            x = x[(abs(x) > 6) | (2 * x != np.rint(2 * x))]
        want = reference.evaluate(name, x, parameters)
        with np.errstate(all="ignore"):
            got = np.ascontiguousarray(implementation(x), np.float32)
        error, worst, inputs, correct = reference.compare(got, want, *checks.FORMATS["float32"])
        found += checks.Found(error, (float(x[worst]),), (), float(got[worst]), inputs, correct)
    largest = found.error if math.isfinite(found.error) else None
    return {
        "error": largest,
        "worst": hexadecimal(found.operands[0]),
        "correctly_rounded": found.correct / found.inputs,
    }


def peers() -> dict[str, Any]:
    """The errors of the peers that are installed."""
    found: dict[str, Any] = {}
    for peer, (package, make) in PEERS.items():
        try:
            implementations = make()
        except ModuleNotFoundError as error:
            print(f"{peer} is left out: {error}", file=sys.stderr)
            continue
        figures = {name: errors_of(implementation, name) for name, implementation in implementations.items()}
        found[peer] = {"version": version(package), "functions": figures}
    return {"peers": found}


def ulp(error: float | None) -> str:
    """An error as the table shows it."""
    if error is None:
        return "NaN or inf"
    if error > 1e8:
        return "> 1e8"
    return f"{error:.3f}" if error < 1000 else f"{error:.1e}".replace("e+0", "e").replace("e+", "e")


Rows = dict[tuple[str, str], dict[str, Any]]


def markdown(heading: list[str], rows: list[list[str]], left: int) -> list[str]:
    """A table whose first columns are aligned to the left, the others to the right."""
    rule = "|" + "|".join("---" if k < left else "--:" for k in range(len(heading))) + "|"
    return [f"| {' | '.join(heading)} |", rule, *(f"| {' | '.join(row)} |" for row in rows)]


def of_peers(others: dict[str, Any], function: str) -> list[str]:
    """The errors of the peers, empty where they have no such function."""
    found = [figures["functions"].get(function) for figures in others.values()]
    return [ulp(figures["error"]) if figures else "" for figures in found]


def page(run: dict[str, Any], rows: Rows, others: dict[str, Any]) -> str:
    """The text of docs/accuracy.md."""
    lines = [
        "# Accuracy",
        "",
        "What `python -m numact verify --exhaustive` finds, written by `docs/accuracy.py`:",
        f"numact {run['version']}, compiler {run['compiler']}, level {' and '.join(run['levels'])}.",
        "All levels and processors give the same bits.",
        "",
        "- Errors are in units in the last place (ULP) of the true value; 0.5 is the most that rounding alone causes.",
        "- The true values are those of csrc/reference, good to 1e-6 ULP of float32; for float64 they have 200 bits.",
        "- A `+` behind the number of inputs marks a sample.  Without it every input has been tried with the default",
        "  parameters, and the largest error is the largest there is.  For float64 it is the largest that was found.",
        "- Gradients are for dy = 1; `_grad_y` takes every number that may be an output.  In brackets: parameters.",
    ]
    if others:
        versions = ", ".join(f"{peer} {figures['version']}" for peer, figures in others.items())
        lines += [
            f"- {versions}:",
            f"  on a sample, one bit pattern in {checks.STEP} and the critical points with their neighbours, without",
            "  infinities, NaN and the kinks of derivatives.  Their largest errors are at least these.  A subnormal",
            "  number that is flushed to zero, as JAX does, counts as up to 8.4e6 ULP, a zero in place of a normal",
            "  number as 8.4e6 to 1.7e7.",
        ]
    for dtype in ("float32", "float64", "float16", "bfloat16"):
        names = list(others) if dtype == "float32" else []
        table = []
        for row in (row for row in rows.values() if row["dtype"] == dtype):
            place = ", ".join(row["worst"]) if row["error"] else ""
            place += f" ({', '.join(row['parameters'])})" if row["parameters"] and place else ""
            cells = [f"`{row['function']}`", place, f"{row['bound']:g}", ulp(row["error"])]
            cells += [f"{100 * row['correctly_rounded']:.3f} %", f"{row['inputs']:,}" + "+" * (not row["every_input"])]
            table.append(cells + (of_peers(others, row["function"]) if names else []))
        heading = ["function", "largest error at", "bound", "error", "correctly rounded", "inputs", *names]
        lines += ["", f"## {dtype}", "", *markdown(heading, table, 2)]
    return "\n".join(lines) + "\n"


def essentials(rows: Rows, others: dict[str, Any]) -> str:
    """The table for docs/proof.md."""
    table = []
    for name in ESSENTIAL:
        for function in (name, f"{name}_grad"):
            row = rows[function, "float32"]
            cells = [f"`{function}`", f"{row['bound']:g}", ulp(row["error"])]
            table.append([*cells, f"{100 * row['correctly_rounded']:.1f} %", *of_peers(others, function)])
    return "\n".join(markdown(["float32", "bound", "numact", "correctly rounded", *others], table, 1))


def write(files: list[str]) -> None:
    """Write docs/accuracy.md and the table in docs/proof.md."""
    contents = [json.loads(Path(name).read_text(encoding="utf-8")) for name in files]
    rows = {(row["function"], row["dtype"]): row for content in contents for row in content.get("results", ())}
    others = {peer: figures for content in contents for peer, figures in content.get("peers", {}).items()}
    run = [content for content in contents if "results" in content][-1]
    (ROOT / "docs/accuracy.md").write_text(page(run, rows, others), encoding="utf-8")
    text = (ROOT / "docs" / "proof.md").read_text(encoding="utf-8")
    before, rest = text.split(f"{BEGIN}\n")
    _, after = rest.split(f"{END}\n", 1)
    (ROOT / "docs" / "proof.md").write_text(
        f"{before}{BEGIN}\n{essentials(rows, others)}\n{END}\n{after}", encoding="utf-8"
    )


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["peers"]:
            print(json.dumps(peers(), indent=2, allow_nan=False))
        case ["write", *files] if files:
            write(files)
        case _:
            sys.exit(__doc__)
