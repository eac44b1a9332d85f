"""Arrays of dask: the results are lazy, with the bits of arrays in memory, however they are divided."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from functions.test_foreign import KEPT, X, first
from support.cases import assert_same_bits

import numact
from numact import norm

array: Any = pytest.importorskip("dask.array")

DY = np.random.default_rng(1).normal(0, 2, X.shape).astype(np.float32)
BIAS = np.linspace(-1, 1, 6, dtype=np.float32)
MASK = numact.relu_masked(X)[1]
SAVED = norm.batch_norm_train(X, None, None)[1]

# Several results, masks, sums over blocks; all are computed of x, and compared to the bit.
LAZY: dict[str, Callable[[Any], Any]] = {
    "dropout": lambda x: numact.dropout(x, 0.4, 0),
    "dropout of shared decisions": lambda x: numact.dropout(x, 0.4, np.random.default_rng(3), shared_axes=1),
    "relu_masked": numact.relu_masked,
    "leaky_relu_masked": lambda x: numact.leaky_relu_masked(x, negative_slope=0.2),
    "masked_grad": lambda x: numact.masked_grad(x, MASK, off=0.2),
    "gradient of a lazy mask": lambda x: numact.masked_grad(x, numact.relu_masked(x)[1], 2.0),
    "rrelu": numact.rrelu,
    "rrelu_grad": lambda x: numact.rrelu_grad(DY, x, np.full_like(X, 0.2)),
    "prelu_grad": lambda x: numact.prelu_grad(DY, x, 0.2),
    "prelu_grad of channels": lambda x: numact.prelu_grad(x, DY, BIAS, -1),
    "prelu_grad of any weight": lambda x: numact.prelu_grad(x, DY, BIAS),
    "maxout": lambda x: numact.maxout(x, 3, index_dtype=np.int32),
    "maxout of columns": lambda x: numact.maxout(x, 2, 0),
    "maxout_grad": lambda x: numact.maxout_grad(x, np.ones(X.shape, np.intp), 2),
    "maxout_grad of columns": lambda x: numact.maxout_grad(x, np.ones(X.shape, np.intp), 2, axis=0),
    "glu_split": numact.glu_split,
    "glu_split_grad": lambda x: numact.glu_split_grad(DY[:, :3], x),
    "swiglu_split_grad of columns": lambda x: numact.swiglu_split_grad(DY[:2], x, axis=0),
    "bias_activation": lambda x: numact.bias_activation(x, BIAS, "gelu", residual=DY),
    "bias_activation of columns": lambda x: numact.bias_activation(
        x, BIAS[:4], "leaky_relu", axis=0, negative_slope=0.2
    ),
    "bias_activation of a gate": lambda x: numact.bias_activation(x, BIAS, "swiglu"),
    "bias_activation_grad": lambda x: numact.bias_activation_grad(DY, x, BIAS, "gelu"),
    "bias_activation_grad of a gate": lambda x: numact.bias_activation_grad(DY[:, :3], x, BIAS, "swiglu"),
    "layer_norm_grad": lambda x: norm.layer_norm_grad(x, DY, BIAS),
    "layer_norm_grad of all": lambda x: norm.layer_norm_grad(x, DY, axis=(0, 1)),
    "rms_norm_grad": lambda x: norm.rms_norm_grad(DY, x, BIAS),
    "group_norm": lambda x: norm.group_norm(x, 2, BIAS, BIAS, activation="relu"),
    "group_norm of the first axis": lambda x: norm.group_norm(x, 2, axis=0),
    "group_norm_grad": lambda x: norm.group_norm_grad(x, DY, 2, BIAS),
    "instance_norm": lambda x: norm.instance_norm(x[:, :, None] * np.ones(3, np.float32)),
    "instance_norm_grad": lambda x: norm.instance_norm_grad(*(x[:, :, None] * np.ones(3, np.float32),) * 2),
    "batch_norm_train": lambda x: norm.batch_norm_train(x, None, None, BIAS),
    "batch_norm_grad": lambda x: norm.batch_norm_grad(x, X, SAVED),
    "gradient of lazy statistics": lambda x: norm.batch_norm_grad(DY, x, norm.batch_norm_train(x, None, None)[1]),
    "softmax_cross_entropy": lambda x: numact.softmax_cross_entropy(x, np.arange(4), return_grad=True),
    "softmax_cross_entropy of samples": lambda x: numact.softmax_cross_entropy(
        x, np.arange(6) % 4, axis=0, reduction="none", return_grad=True, label_smoothing=0.1
    ),
    "losses alone": lambda x: numact.softmax_cross_entropy(x, np.arange(4), reduction="none"),
    "losses of probabilities": lambda x: numact.softmax_cross_entropy(
        x, numact.softmax(DY), reduction="none", weight=BIAS + 2, return_grad=True
    ),
    "sigmoid_cross_entropy": lambda x: numact.sigmoid_cross_entropy(x, X > 0, return_grad=True),
    "sigmoid_cross_entropy of elements": lambda x: numact.sigmoid_cross_entropy(
        x, X > 0, weight=BIAS + 2, reduction="none", return_grad=True
    ),
}
CHUNKS = (2, 3), (4, 6), (1, 4), (3, 1)


def flat(results: Any) -> list[Any]:
    """All results, those of a tuple in a tuple as well."""
    if not isinstance(results, tuple):
        return [results]
    return [one for result in results for one in flat(result)]


@pytest.mark.parametrize("name", [*KEPT, *LAZY])
@pytest.mark.parametrize("chunks", CHUNKS, ids=str)
def test_same_bits(name: str, chunks: tuple[int, int]) -> None:
    """The result is lazy, with the bits of arrays in memory, however the array is divided."""
    x = array.from_array(X, chunks=chunks)
    got, want = flat((KEPT | LAZY)[name](x)), flat((KEPT | LAZY)[name](X))
    assert isinstance(got[0], array.Array)
    for one, other in zip(got, want, strict=True):
        if isinstance(one, numact.BitMask):  # drawn at once
            assert one == other
            continue
        assert one.shape == other.shape
        assert one.dtype == other.dtype
        values = one.compute()
        assert np.shape(values) == other.shape
        if other.dtype == np.bool_:
            np.testing.assert_array_equal(values, other)
        else:
            assert_same_bits(values, np.asarray(other))


def test_reductions_of_dask() -> None:
    """Sums over any axes are lazy."""
    x = array.from_array(X, chunks=(2, 3))
    for axis in (0, -1, (0, 1), None):
        for keepdims in (False, True):
            got = numact.logsumexp(x, axis=axis, keepdims=keepdims)
            assert isinstance(got, array.Array)
            want = np.asarray(numact.logsumexp(X, axis=axis, keepdims=keepdims))
            assert got.shape == want.shape
            assert_same_bits(np.asarray(got.compute()), want)
    half = numact.softmax(array.from_array(X.astype(np.float16), chunks=(2, 3)))
    assert half.dtype == np.float16
    assert_same_bits(half.compute(), numact.softmax(X.astype(np.float16)))
    split = numact.glu_split(x)
    assert isinstance(split, array.Array)
    assert_same_bits(split.compute(), numact.glu_split(X))


def test_what_lazy_arrays_do_not_take() -> None:
    """Options that would compute, or write, are refused."""
    x = array.from_array(X, chunks=(2, 3))
    ones: Any = array.ones(6)
    calls: list[Callable[[], Any]] = [
        lambda: numact.softmax(x, out=np.empty_like(X)),
        lambda: numact.softmax(x, temperature=np.ones(4)),
        lambda: numact.logsumexp(x, return_sign=True),
        lambda: norm.layer_norm(X, ones),
        lambda: norm.layer_norm(x, ones),
    ]
    for call in calls:
        with pytest.raises(TypeError, match=r"cannot keep a dask\.Array"):
            call()


@pytest.mark.parametrize("function", [numact.rrelu, numact.gumbel_softmax])
def test_random_numbers(function: Any) -> None:
    """Each block draws from a child of the generator: other numbers for each, the same for the same seed."""
    x = array.full((100, 100), -1.0, chunks=(50, 25))
    first_draw, again = (first(function(x, rng=7)) for _ in range(2))
    assert_same_bits(first_draw.compute(), again.compute())
    assert_same_bits(first_draw.compute(), first_draw.compute())
    values = first_draw.compute()
    assert np.unique(values).size == values.size
    generator = np.random.default_rng(7)
    one, other = (first(function(x, rng=generator)) for _ in range(2))
    assert not np.isin(one.compute(), other.compute()).any()
    if function is numact.rrelu:
        y, slopes = function(x, rng=7)
        assert_same_bits(y.compute(), -slopes.compute())
        assert abs(slopes.mean().compute() - 11 / 48) < 0.01
    else:
        np.testing.assert_allclose(values.sum(-1), 1)
    with pytest.raises(TypeError, match="rng must be a seed or a generator that was made from one"):
        function(x, rng=np.random.RandomState())


def test_the_generator_of_dropout_advances() -> None:
    """As with arrays in memory."""
    ours, theirs = np.random.default_rng(0), np.random.default_rng(0)
    numact.dropout(array.from_array(X, chunks=2), 0.3, ours)
    numact.dropout(X, 0.3, theirs)
    assert ours.random() == theirs.random()


def test_errors_come_at_once() -> None:
    """A call with bad arguments does not wait for compute()."""
    x = array.from_array(X, chunks=(2, 3))
    calls: list[tuple[str, Callable[[], Any]]] = [
        ("maxout: pieces must be positive and divide the length 6", lambda: numact.maxout(x, 4)),
        ("bias must", lambda: numact.bias_activation(x, BIAS[:2], "gelu")),
        ("p must be", lambda: numact.dropout(x, 2.0)),
        ("lower must be <= upper", lambda: numact.rrelu(x, 2.0, 1.0)),
        ("mask must have the shape of dy", lambda: numact.masked_grad(x, numact.relu_masked(X[1:])[1])),
        ("groups must be positive and divide", lambda: norm.group_norm(x, 4)),
        ("reduction must be one of", lambda: numact.sigmoid_cross_entropy(x, X, reduction="all")),  # type: ignore[arg-type]
        ("weight", lambda: norm.layer_norm_grad(x, x, BIAS[:2])),
    ]
    for message, call in calls:
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(TypeError, match="running statistics are written to"):
        norm.batch_norm_train(x, np.zeros(6), np.ones(6))
    with pytest.raises(TypeError, match="mask must be a BitMask, or lazy booleans"):
        numact.masked_grad(x, x)
    with pytest.raises(TypeError, match="does not take out="):
        numact.dropout(x, out=np.empty_like(X))
