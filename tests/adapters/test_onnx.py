"""The operators for ONNX's reference evaluator: the official tests of nodes, operator sets, errors."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

from onnx import TensorProto, helper  # noqa: E402
from onnx.backend.test.loader import load_model_tests  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402

import numact  # noqa: E402
from numact.adapters.onnx import OPERATORS, load  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")  # of ONNX's own operators
NAMES = {operator.__name__ for operator in OPERATORS}


def node_cases() -> list[Any]:
    """The official tests whose model has one of the operators."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the casts in those of other operators
        cases = load_model_tests(kind="node")
    return [case for case in cases if any(node.op_type in NAMES for node in case.model.graph.node)]


def check(case: Any, operators: list[Any] | None) -> None:
    """Run a test as ONNX does, with its tolerances."""
    session = ReferenceEvaluator(case.model, new_ops=operators)
    for inputs, outputs in case.data_sets:
        names = [value.name for value in case.model.graph.input]
        got = session.run(None, dict(zip(names, inputs, strict=False)))
        for a, b in zip(got, outputs, strict=True):
            if not isinstance(b, np.ndarray):
                continue
            assert a.dtype == b.dtype
            assert a.shape == b.shape
            if b.dtype.kind in "fV":
                rtol, atol = (0.02, 0.002) if b.dtype.itemsize == 2 else (case.rtol, case.atol)
                np.testing.assert_allclose(a.astype(np.float64), b.astype(np.float64), rtol=rtol, atol=atol)
            else:
                np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("case", node_cases(), ids=lambda case: case.name)
def test_official(case: Any) -> None:
    """The official test passes; those of Range fail without numact, too: a part of their expanded function is Relu."""
    if case.name.startswith("test_range_"):
        with pytest.raises(AssertionError):
            check(case, None)
        return
    check(case, OPERATORS)


def model(operator: str, opset: int, inputs: int = 1, outputs: int = 1, **attributes: Any) -> Any:
    """A model of one node."""
    x, y = [f"x{k}" for k in range(inputs)], [f"y{k}" for k in range(outputs)]
    graph = helper.make_graph(
        [helper.make_node(operator, x, y, **attributes)],
        "g",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in x],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in y],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])


def run(proto: Any, *inputs: Any) -> list[Any]:
    """The outputs of a model."""
    result: list[Any] = load(proto).run(None, {f"x{k}": value for k, value in enumerate(inputs)})
    return result


@pytest.mark.parametrize("operator", ["Softmax", "LogSoftmax", "Hardmax"])
def test_softmax_before_13_flattens(operator: str) -> None:
    """Up to set 12 all axes from one on are taken together, by default from 1; from 13 on it is one axis."""
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
    functions: dict[str, Any] = {
        "Softmax": numact.softmax,
        "LogSoftmax": numact.log_softmax,
        "Hardmax": numact.hardmax,
    }
    function = functions[operator]
    (y,) = run(model(operator, 11), x)
    np.testing.assert_array_equal(y, function(x.reshape(2, 12)).reshape(x.shape))
    (y,) = run(model(operator, 11, axis=2), x)
    np.testing.assert_array_equal(y, function(x))
    (y,) = run(model(operator, 11, axis=-1), x)
    np.testing.assert_array_equal(y, function(x))
    (y,) = run(model(operator, 13), x)
    np.testing.assert_array_equal(y, function(x))
    (y,) = run(model(operator, 13, axis=1), x)
    np.testing.assert_array_equal(y, function(x, axis=1))


def test_dropout_draws_what_onnx_draws() -> None:
    """The elements that are kept are those of the reference evaluator for the same seed."""
    x = np.arange(1, 200, dtype=np.float32)
    proto = model("Dropout", 13, 3, 2, seed=7)
    given = x, np.float32(0.25), np.array(True)
    y, kept = run(proto, *given)
    theirs, mask = ReferenceEvaluator(proto).run(None, {f"x{k}": value for k, value in enumerate(given)})
    np.testing.assert_array_equal(kept, mask)
    np.testing.assert_allclose(y, theirs, rtol=1e-6)


def test_group_normalization_of_both_sets() -> None:
    """Before set 21 scale and bias are for groups."""
    x = np.random.default_rng(1).normal(size=(2, 6, 5)).astype(np.float32)
    scale, bias = np.array([2, 3, 4], np.float32), np.array([0, 1, 2], np.float32)
    (old,) = run(model("GroupNormalization", 18, 3, num_groups=3), x, scale, bias)
    (new,) = run(model("GroupNormalization", 21, 3, num_groups=3), x, np.repeat(scale, 2), np.repeat(bias, 2))
    np.testing.assert_array_equal(old, new)
    np.testing.assert_array_equal(new, numact.norm.group_norm(x, 3, np.repeat(scale, 2), np.repeat(bias, 2)))


def test_load(tmp_path: Path) -> None:
    """A file, and further operators, which come first."""
    x = np.linspace(-2, 2, 9, dtype=np.float32)
    path = tmp_path / "model.onnx"
    onnx.save(model("Gelu", 20), path)
    (y,) = load(path).run(None, {"x0": x})
    np.testing.assert_array_equal(y, numact.gelu(x))
    own = type("Gelu", (onnx.reference.op_run.OpRun,), {"op_domain": "", "_run": lambda self, x, **_: (x,)})
    (y,) = load(str(path), new_ops=[own]).run(None, {"x0": x})
    np.testing.assert_array_equal(y, x)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "missing.onnx")
