"""Training: the same bits, the optimisers' steps, and comparisons."""

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.extras import require_study

import numact
from numact.study import SGD, Adam, DataError, Design, Network, compare, load, prepare, run

pytest.importorskip("scipy")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 16))
EASY = prepare(X, (X[:, 0] + X[:, 1] > 0).astype(int))


@pytest.mark.parametrize(
    "design", [Design("gelu"), Design("relu", norm="batch", dropout=0.3), Design("prelu")], ids=str
)
def test_same_bits(design: Design) -> None:
    """Twice, and with any number of threads."""
    found = []
    for threads in (1, 1, 2):
        with numact.num_threads(threads):
            network, history = run(design, EASY, 3, epochs=3)
        found.append((history.loss, history.score, [p.tobytes() for p in network.parameters]))
    assert found[0] == found[1] == found[2]
    assert run(design, EASY, 4, epochs=3)[1].loss != found[0][0]


def test_learns() -> None:
    """An easy problem, by both optimisers, as classes and as numbers."""
    assert run(Design("relu"), EASY, 0, epochs=15)[1].score[-1] > 0.9
    assert run(Design("relu"), EASY, 0, epochs=15, rate=0.003, adam=True)[1].score[-1] > 0.9
    numbers = prepare(X, X[:, 0] * 2 + 0.5)
    assert run(Design("tanh"), numbers, 0, epochs=30)[1].score[-1] > 0.8


def test_steps() -> None:
    """The first steps of both optimisers, by hand."""
    w, g = [np.array([1.0])], [np.array([2.0])]
    sgd = SGD(0.1, 0.5)
    sgd.step(w, g)
    sgd.step(w, g)
    np.testing.assert_allclose(w[0], 1 - 0.1 * 2 - 0.1 * 3)
    w = [np.array([1.0])]
    Adam(0.1).step(w, g)
    np.testing.assert_allclose(w[0], 0.9, rtol=1e-6)


def test_stops_and_watches() -> None:
    """Training ends where the error is reached; what is watched is kept for each epoch."""
    _, history = run(Design("relu"), EASY, 0, epochs=50, stop_at=0.1, watch=lambda network: {"layers": 1})
    assert len(history.error) < 50
    assert history.error[-1] <= 0.1
    assert history.epochs_to(0.1) == len(history.error)
    assert history.epochs_to(-1.0) == float("inf")
    assert history.watched["layers"] == [1] * len(history.error)


WRONG: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: Design("softmax"), ValueError, "Design: activation must be an elementwise or gated .*, got 'softmax'"),
    (lambda: Design("glu_split"), ValueError, "Design: activation must be .*, got 'glu_split'"),
    (lambda: Design("nonsense"), ValueError, "Design: activation: get: name 'nonsense' is unknown"),
    (lambda: Design(numact.relu), TypeError, "Design: activation must be a str"),  # type: ignore[arg-type]
    (lambda: Design(depth=-1), ValueError, "Design: depth must be at least 0, got -1"),
    (lambda: Design(width=0), ValueError, "Design: width must be at least 1, got 0"),
    (lambda: Design(width=2.5), TypeError, "Design: width must be an integer, got 2.5"),  # type: ignore[arg-type]
    (lambda: Design(dropout=1), ValueError, "Design: dropout must be at least 0 and below 1, got 1.0"),
    (lambda: Design(factor=math.nan), ValueError, "Design: factor must be finite, got nan"),
    (lambda: Design(norm="group"), ValueError, "Design: norm must be one of none, batch, layer"),  # type: ignore[arg-type]
    (lambda: Design(dtype="int8"), TypeError, "Design: dtype must be float16.*, got int8"),
    (lambda: Network(Design(), 0, 2, RNG), ValueError, "Network: inputs must be at least 1, got 0"),
    (lambda: Network("relu", 2, 2, RNG), TypeError, "Network: design must be a Design, got 'relu'"),  # type: ignore[arg-type]
    (lambda: SGD(math.inf), ValueError, "SGD: rate must be finite, got inf"),
    (lambda: Adam(0.1, (0.9, 1.0)), ValueError, "Adam: betas must be at least 0 and below 1, got 1.0"),
    (lambda: Adam(0.1, (0.9,)), ValueError, "Adam: betas must be two numbers, got 1"),  # type: ignore[arg-type]
    (lambda: run(Design(), EASY, -1), ValueError, "run: seed must be at least 0, got -1"),
    (lambda: run(Design(), EASY, 0, batch=0), ValueError, "train: batch must be at least 1, got 0"),
    (lambda: run(Design(), EASY, 0, epochs=1, watch=id), TypeError, "train: what watch returns must be a dict"),
    (lambda: run(Design(), EASY, 0, watch=1), TypeError, "train: watch must be None or a function, got 1"),
    (lambda: compare(EASY, activations="relu"), TypeError, "compare: activations must be a sequence, got 'relu'"),
    (lambda: compare(EASY, activations=["softmax"]), ValueError, "compare: activations must be"),
    (lambda: compare(EASY, depths=[0]), ValueError, "compare: depths must be at least 1, got 0"),
    (lambda: compare(EASY, epochs=0), ValueError, "compare: epochs must be at least 1, got 0"),
]


@pytest.mark.parametrize(("call", "error", "message"), WRONG, ids=[message for _, _, message in WRONG])
def test_wrong_arguments(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    """Messages name the function, the argument, the value and what is allowed."""
    with pytest.raises(error, match=message):
        call()


def test_scalars_of_numpy() -> None:
    """The fields of a design are numbers of Python: small integers of NumPy would overflow."""
    fields: dict[str, Any] = {"depth": np.int8(1), "width": np.int8(100), "l1": np.float16(0.5)}
    design = Design("swiglu", **fields)
    assert [type(value) for value in (design.depth, design.width, design.l1)] == [int, int, float]
    assert Network(design, 4, 2, RNG).layers[0].parameters[0].shape == (4, 200)


def test_compare() -> None:
    """Every activation of the catalogue can be compared, and the result is a table and JSON."""
    rows = [row.name for row in numact.catalogue() if row.family in ("elementwise", "gated")]
    found = compare(EASY, activations=[*rows, "prelu", "maxout"], seeds=1, epochs=1, width=8)
    assert [row.activation for row in found.rows] == [*rows, "prelu", "maxout"]
    found = compare(X, X[:, 0] > 0, activations=["relu", "leaky_relu(0.2)"], depths=(1, 2), seeds=2, epochs=2)
    assert [(row.activation, row.depth) for row in found.rows][:2] == [("relu", 1), ("relu", 2)]
    assert str(found).splitlines()[0].split() == [
        "activation",
        "depth",
        "accuracy",
        "95",
        "%",
        "interval",
        "last",
        "loss",
        "seconds",
    ]
    assert len(json.loads(found.to_json())["rows"]) == 4
    assert compare(X, X[:, 0], activations=["tanh"], seeds=1, epochs=1).score == "R^2"
    with pytest.raises(ValueError, match="compare: seeds must be at least 1, got 0"):
        compare(EASY, seeds=0)
    with pytest.raises(ValueError, match="name 'nonsense' is unknown"):
        compare(EASY, activations=["nonsense"])
    with pytest.raises(DataError, match="X must be"):
        compare(np.ones(3), np.ones(3))


def test_packaged_data() -> None:
    """What scikit-learn installs."""
    require_study()
    digits, diabetes = load("digits"), load("diabetes")
    assert (digits.classes, diabetes.classes) == (10, 0)
    assert digits.is_image
    assert not diabetes.is_image
    assert len(digits.x) + len(digits.x_test) == 1797
    assert abs(digits.x).max() <= 5
    with pytest.raises(ValueError, match=r"load: name must be one of digits, .*, got 'nonsense'"):
        load("nonsense")
