"""Arrays of other libraries, and masked ones: labels, index, mask and laziness are kept, or a TypeError says why."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.cases import assert_same_bits

import numact
from numact import norm

X = np.random.default_rng(0).normal(0, 2, (4, 6)).astype(np.float32)
MEAN, VAR = np.zeros(6, np.float32), np.ones(6, np.float32)

# The result has the shape of x.
KEPT: dict[str, Callable[[Any], Any]] = {
    "softmax": numact.softmax,
    "softmax of columns": lambda x: numact.softmax(x, axis=0, temperature=2.0),
    "softmax of all": lambda x: numact.softmax(x, axis=None),
    "log_softmax where": lambda x: numact.log_softmax(x, where=X > 0),
    "sparsemax": numact.sparsemax,
    "hardmax": numact.hardmax,
    "softmax_grad": lambda x: numact.softmax_grad(x, numact.softmax(x)),
    "attention_softmax": lambda x: numact.attention_softmax(x, scale=0.5),
    "attention_softmax masks": lambda x: numact.attention_softmax(x, mask=X > 0, causal=True),
    "attention_softmax biases": lambda x: numact.attention_softmax(x, mask=X[0], axis=-1, scale=0.5),
    "attention_softmax of columns": lambda x: numact.attention_softmax(x, axis=0, causal=True),
    "attention_softmax_grad": lambda x: numact.attention_softmax_grad(x, numact.softmax(x), scale=0.5),
    "layer_norm": norm.layer_norm,
    "rms_norm": lambda x: norm.rms_norm(x, VAR, activation="relu"),
    "batch_norm": lambda x: norm.batch_norm(x, MEAN, VAR, axis=-1),
    "prelu": lambda x: numact.prelu(x, 0.1),
    "swiglu_grad": lambda x: numact.swiglu_grad(x, x, x),
    "gelu": numact.gelu,
    "leaky_relu": lambda x: numact.leaky_relu(x, np.float64(0.3)),
}
# Those that draw, or give a mask: what is kept is the shape of the first result.
OTHERS: dict[str, Callable[[Any], Any]] = {
    "dropout": lambda x: numact.dropout(x, 0.5, 0)[0],
    "relu_masked": lambda x: numact.relu_masked(x)[0],
    "masked_grad": lambda x: numact.masked_grad(x, numact.relu_masked(X)[1]),
    "rrelu": lambda x: numact.rrelu(x, rng=0)[0],
    "layer_norm_grad": lambda x: norm.layer_norm_grad(x, X)[0],
}


def same(got: Any, want: Any) -> None:
    """Whether all results have the values of plain arrays."""
    several = zip(got, want, strict=True) if isinstance(want, tuple) else [(got, want)]
    for one, other in several:
        assert_same_bits(np.asarray(one), other)


def first(result: Any) -> Any:
    """The only result, or the first."""
    return result[0] if isinstance(result, tuple) else result


@pytest.mark.parametrize("name", [*KEPT, *OTHERS])
def test_xarray(name: str) -> None:
    """Dimensions and coordinates are kept."""
    xarray: Any = pytest.importorskip("xarray")
    function = (KEPT | OTHERS)[name]
    x = xarray.DataArray(X, dims=("time", "unit"), coords={"time": [1, 2, 3, 4], "unit": list("abcdef")}, name="h")
    got = function(x)
    assert first(got).dims == x.dims
    assert first(got).coords.equals(x.coords)
    same(got, function(X))


def test_reductions_of_xarray() -> None:
    """The dimensions that are summed over go, and their coordinates."""
    xarray: Any = pytest.importorskip("xarray")
    x = xarray.DataArray(X, dims=("time", "unit"), coords={"time": [1, 2, 3, 4], "unit": list("abcdef")})
    got = numact.logsumexp(x, axis=0)
    assert got.dims == ("unit",)
    assert list(got.coords) == ["unit"]
    assert_same_bits(got.values, numact.logsumexp(X, axis=0))
    assert numact.logsumexp(x, axis=(0, 1)).dims == ()
    kept = numact.logsumexp(x, keepdims=True)
    assert kept.dims == x.dims
    assert kept.shape == (4, 1)
    assert list(kept.coords) == ["time"]
    with pytest.raises(TypeError, match=r"softmax: cannot keep a xarray.Dataset: .*x.map\(numact.softmax\)"):
        numact.softmax(x.to_dataset(name="x"))
    with pytest.raises(TypeError, match=r"glu_split: cannot keep a xarray.DataArray: .*give x.values"):
        numact.glu_split(x)
    square = xarray.DataArray(np.eye(2), dims=("a", "b"))
    with pytest.raises(TypeError, match=r"softmax_grad: cannot keep .*transpose it before"):
        numact.softmax_grad(square, square.rename(a="b", b="a"))


@pytest.mark.parametrize("name", [*KEPT, *OTHERS])
def test_pandas(name: str) -> None:
    """Index, columns and names are kept."""
    pandas: Any = pytest.importorskip("pandas")
    function = (KEPT | OTHERS)[name]
    frame = pandas.DataFrame(X, index=list("abcd"), columns=list("uvwxyz"))
    got = function(frame)
    assert type(first(got)) is pandas.DataFrame
    assert first(got).index.equals(frame.index)
    assert first(got).columns.equals(frame.columns)
    same(got, function(X))


def test_series() -> None:
    """One dimension, reductions, bfloat16, integers, and indices that differ."""
    pandas: Any = pytest.importorskip("pandas")
    series = pandas.Series(X[0], index=list("abcdef"), name="h")
    got = numact.softmax(series)
    assert got.name == "h"
    assert got.index.equals(series.index)
    frame = pandas.DataFrame(X, index=list("abcd"), columns=list("uvwxyz"))
    assert numact.logsumexp(frame).index.equals(frame.index)
    assert numact.logsumexp(frame, axis=0).index.equals(frame.columns)
    assert numact.logsumexp(series) == numact.logsumexp(X[0])
    assert numact.leaky_relu(pandas.Series(np.arange(3, dtype=np.int8))).dtype == np.float16
    with pytest.raises(TypeError, match="the indices of the operands differ"):
        numact.softmax_grad(series, pandas.Series(X[0]))
    with pytest.raises(TypeError, match=r"maxout: cannot keep a pandas.DataFrame: .*x.to_numpy"):
        numact.maxout(frame, 2)


@pytest.mark.parametrize("name", [*OTHERS, "prelu", "gelu", "leaky_relu"])
def test_masks_of_elementwise_functions(name: str) -> None:
    """A mask is kept, where no sum is taken over masked entries."""
    x: Any = np.ma.array(X, mask=X > 1)
    if name == "layer_norm_grad":
        with pytest.raises(TypeError, match="layer_norm_grad: an operand is masked"):
            OTHERS[name](x)
        return
    got = (KEPT | OTHERS)[name](x)
    assert isinstance(got, np.ma.MaskedArray)
    assert np.ma.getmaskarray(got).tolist() == (X > 1).tolist()
    same(got.data[X <= 1], (KEPT | OTHERS)[name](X)[X <= 1])


def test_masked_normalisation() -> None:
    """It is refused, unless nothing is masked."""
    for function in (norm.layer_norm, norm.rms_norm, numact.diagnostics.sparsity, numact.diagnostics.summary):
        with pytest.raises(TypeError, match=f"{function.__name__}: an operand is masked"):
            function(np.ma.array(X, mask=X > 1))
    got = norm.layer_norm(np.ma.array(X))
    assert isinstance(got, np.ma.MaskedArray)
    assert_same_bits(got.data, norm.layer_norm(X))


def test_masked_sums_over_a_weight() -> None:
    """Masked entries do not count in the gradient of a weight."""
    mask = X > 1
    dx, dweight = numact.prelu_grad(np.ma.array(X, mask=mask), np.ma.array(-X, mask=mask), 0.5)
    assert dx.mask.tolist() == mask.tolist()
    want = numact.prelu_grad(np.where(mask, 0, X), np.where(mask, 0, -X), 0.5)[1]
    assert dweight == want
    halves: Any = numact.glu_split(np.ma.array(X, mask=mask))
    assert halves.mask.tolist() == (mask[:, :3] | mask[:, 3:]).tolist()
