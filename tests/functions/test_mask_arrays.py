"""A BitMask beside arrays counts as the array of its booleans; and dropout with one decision for several elements."""

import copy
import operator
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.exceptions import AxisError
from support.cases import assert_same_bits

import numact
from numact import BitMask

BOOLEANS = np.random.default_rng(0).random((3, 5)) < 0.5
OTHERS = np.random.default_rng(1).random((3, 5)) < 0.5
X = np.arange(15.0).reshape(3, 5)
SHAPES = [(), (1,), (0,), (7,), (3, 5), (2, 3, 4)]


def copied(mask: Any) -> Any:
    """An array with -1 in the places of the mask, by copyto."""
    filled = X.copy()
    np.copyto(filled, -1, where=mask)
    return filled


def assigned(mask: Any) -> Any:
    """An array with -1 in the places of the mask, by an index."""
    filled = X.copy()
    filled[mask] = -1
    return filled


# The same with a mask and with its booleans.
USES: dict[str, Callable[[Any], Any]] = {
    "asarray": np.asarray,
    "array": np.array,
    "as float": lambda m: np.asarray(m, np.float32),
    "where": lambda m: np.where(m, 1.0, 0.0),
    "where in a ufunc": lambda m: np.exp(X, where=m, out=np.zeros_like(X)),
    "softmax where": lambda m: numact.softmax(X, where=m),
    "sum": np.sum,
    "sum of rows": lambda m: np.sum(m, axis=0, keepdims=True),
    "method sum": lambda m: m.sum(),
    "method sum of columns": lambda m: m.sum(axis=1),
    "mean": np.mean,
    "method mean": lambda m: m.mean(),
    "any": np.any,
    "all": np.all,
    "method any": lambda m: m.any(axis=0),
    "method all": lambda m: m.all(),
    "count_nonzero": np.count_nonzero,
    "nonzero": np.nonzero,
    "argwhere": np.argwhere,
    "logical_not": np.logical_not,
    "concatenate": lambda m: np.concatenate([m, m]),
    "stack": lambda m: np.stack([m, OTHERS]),
    "index": lambda m: X[m],
    "index of asarray": lambda m: X[np.asarray(m)],
    "copyto": copied,
    "assign": assigned,
    "row": lambda m: m[1],
    "element": lambda m: m[1, 2],
    "part": lambda m: m[1:, ::2],
    "elements": lambda m: m[OTHERS],
    "list": lambda m: np.array(list(m)),
    "len": len,
    "shape": np.shape,
    "ndim": lambda m: m.ndim,
    "dtype": lambda m: m.dtype,
    "size": np.size,
    "masked array": lambda m: np.ma.array(X, mask=m).filled(0),
    "factor": lambda m: m * 2.0,
    "factor on the right": lambda m: 2.0 * m,
    "product": lambda m: X * m,
    "product on the right": lambda m: m * X,
    "add": lambda m: np.add(X, m),
    "relu": numact.relu,
    "pack": lambda m: BitMask.pack(m).bits,
    "array_equal": lambda m: np.array_equal(m, BOOLEANS),
}
OPERATORS = (operator.eq, operator.ne, operator.and_, operator.or_, operator.xor, operator.lt)


@pytest.mark.parametrize("name", USES)
def test_like_its_booleans(name: str) -> None:
    """What NumPy does with the array of booleans it does with the mask."""
    got, want = USES[name](BitMask.pack(BOOLEANS)), USES[name](BOOLEANS)
    np.testing.assert_array_equal(got, want)
    assert np.asarray(got).dtype == np.asarray(want).dtype


@pytest.mark.parametrize("compare", OPERATORS, ids=lambda compare: compare.__name__)
@pytest.mark.parametrize("shape", [(3, 5), (5,), (1, 1), ()], ids=str)
def test_operators(compare: Callable[[Any, Any], Any], shape: tuple[int, ...]) -> None:
    """Beside an array they are element by element, on either side, and broadcast."""
    mask, other = BitMask.pack(BOOLEANS), np.asarray(np.random.default_rng(2).random(shape) < 0.5)
    for got, want in (
        (compare(mask, other), compare(BOOLEANS, other)),
        (compare(other, mask), compare(other, BOOLEANS)),
    ):
        assert type(got) is np.ndarray
        np.testing.assert_array_equal(got, want)


def test_among_masks() -> None:
    """Two masks give a mask, and one bool for equality; a mask is hashable, copied and pickled as one."""
    mask, other = BitMask.pack(BOOLEANS), BitMask.pack(OTHERS)
    assert (mask ^ other).unpack().tolist() == (BOOLEANS ^ OTHERS).tolist()
    assert (mask == other) is False
    assert (mask != other) is True
    assert {mask: 1}[BitMask.pack(BOOLEANS)] == 1
    for made in (copy.copy(mask), copy.deepcopy(mask), pickle.loads(pickle.dumps(mask))):
        assert made == mask
        assert type(made) is BitMask
    changed = OTHERS.copy()
    changed &= mask
    assert changed.tolist() == (OTHERS & BOOLEANS).tolist()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_shapes(shape: tuple[int, ...]) -> None:
    """Any shape, also of no element or dimension; the array is the caller's own."""
    booleans = np.asarray(np.random.default_rng(3).random(shape) < 0.5)
    mask = BitMask.pack(booleans)
    array = np.asarray(mask)
    np.testing.assert_array_equal(array, booleans)
    array[...] = ~array
    np.testing.assert_array_equal(np.array(mask, copy=True), booleans)
    assert mask.ndim == booleans.ndim
    if booleans.size == 1:
        assert bool(mask) == bool(booleans)
    else:
        with pytest.raises(ValueError, match=r"truth value of a mask of \d+ elements is ambiguous.*mask.any\(\)"):
            bool(mask)
    if shape:
        assert len(mask) == len(booleans)
    else:
        with pytest.raises(TypeError, match="len"):
            len(mask)


def test_what_a_mask_is_not() -> None:
    """Nothing else of arrays: the message says how to get one."""
    mask = BitMask.pack(BOOLEANS)
    for name in ("reshape", "astype", "T", "copy", "tolist"):
        with pytest.raises(AttributeError, match=rf"no attribute '{name}', take mask.unpack\(\)"):
            getattr(mask, name)
    with pytest.raises(AttributeError, match=r"no attribute 'nonsense'$"):
        mask.nonsense  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(ValueError, match="without a copy"):
        np.array(mask, copy=False)
    with pytest.raises(TypeError, match=r"mask must be a BitMask, as BitMask.pack makes of booleans, got array"):
        numact.masked_grad(X, BOOLEANS)  # type: ignore[arg-type]


def test_beside_other_libraries() -> None:
    """Labels are kept."""
    xarray: Any = pytest.importorskip("xarray")
    mask = BitMask.pack(BOOLEANS)
    labelled = xarray.DataArray(OTHERS, dims=("a", "b"))
    for got, want in (
        (labelled == mask, OTHERS == BOOLEANS),
        (mask == labelled, OTHERS == BOOLEANS),
        (mask & labelled, OTHERS & BOOLEANS),
        (mask * labelled, OTHERS * BOOLEANS),
        (labelled.where(mask, False), OTHERS & BOOLEANS),
    ):
        assert got.dims == ("a", "b")
        np.testing.assert_array_equal(got.values, want)


# dropout(shared_axes=)


@pytest.mark.parametrize("axes", [0, 2, -1, (1,), (0, 2), (2, 1), (-1, -2, 0), np.int64(1)], ids=str)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_shared_axes(axes: Any, dtype: Any) -> None:
    """One decision along the axes: the bits of an array with length 1 there; the gradient is the same map."""
    x = np.random.default_rng(0).normal(size=(5, 6, 7)).astype(dtype)
    shared = {axis % 3 for axis in (axes if isinstance(axes, tuple) else (axes,))}
    short = np.ones([1 if axis in shared else length for axis, length in enumerate(x.shape)])
    kept = numact.dropout(short, 0.4, 9)[1].unpack()
    rng, ours = np.random.default_rng(9), np.random.default_rng(9)
    y, mask = numact.dropout(x, 0.4, rng, shared_axes=axes)
    numact.dropout(short, 0.4, ours)
    assert rng.random() == ours.random()
    assert mask.shape == x.shape
    np.testing.assert_array_equal(mask.unpack(), np.broadcast_to(kept, x.shape))
    assert_same_bits(numact.masked_grad(x, mask, on=1 / (1 - 0.4)), y)
    assert (y != 0).tolist() == mask.unpack().tolist()
    assert numact.dropout(x, 0.4, 9, x, shared_axes=axes)[0] is x
    assert_same_bits(x, y)


def test_spatial_dropout() -> None:
    """Whole channels go, about as many as p says."""
    y, mask = numact.dropout(np.ones((500, 40, 3, 3), np.float32), 0.3, 2, shared_axes=(2, 3))
    kept = mask.unpack()
    assert (kept == kept[:, :, :1, :1]).all()
    assert abs(kept.mean() - 0.7) < 4 * (0.21 / 20_000) ** 0.5
    assert np.unique(y).size == 2


def test_no_shared_axes() -> None:
    """None and no axis at all are the same."""
    x = np.ones((3, 4))
    assert numact.dropout(x, 0.5, 1, shared_axes=())[1] == numact.dropout(x, 0.5, 1)[1]
    assert numact.dropout(np.ones((0, 3)), 0.5, 1, shared_axes=0)[0].shape == (0, 3)


@pytest.mark.parametrize(
    ("axes", "error", "message"),
    [
        (2, AxisError, "must name axes from -2 to 1 of x, got 2"),
        ((0, -3), AxisError, r"must name axes from -2 to 1 of x, got \(0, -3\)"),
        ((1, -1), ValueError, r"must not name an axis twice, got \(1, -1\)"),
        (1.0, TypeError, "must be an integer or a tuple of integers, got 1.0"),
        ("1", TypeError, "must be an integer or a tuple of integers, got '1'"),
    ],
)
def test_wrong_shared_axes(axes: Any, error: type[Exception], message: str) -> None:
    """They are named, and nothing is drawn or written."""
    x, rng = np.ones((3, 4)), np.random.default_rng(0)
    before = rng.bit_generator.state
    with pytest.raises(error, match=f"^dropout: shared_axes {message}"):
        numact.dropout(x, 0.5, rng, x, shared_axes=axes)
    assert rng.bit_generator.state == before
    assert (x == 1).all()
