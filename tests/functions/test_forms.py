"""Dropout, masks, split forms, prelu and rrelu: forms of ``out=``, byte orders and masked arrays."""

import pickle
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from support.cases import Array, assert_same_bits, name_of
from support.gated_cases import ROWS as GATED

import numact

ALL_DTYPES = (np.float16, np.float32, np.float64, ml_dtypes.bfloat16)
SHAPE = (3, 4)
MASKED = [row for row in numact.catalogue() if row.masked]
Call = Callable[..., Any]


def keep() -> numact.BitMask:
    """A mask of the shape."""
    return numact.BitMask.pack(np.random.default_rng(5).random(SHAPE) < 0.5)


# Functions of one array x, and what else they take.
CALLS: dict[str, Call] = {
    "dropout": lambda x, **out: numact.dropout(x, 0.3, 1, **out),
    "dropout of channels": lambda x, **out: numact.dropout(x, 0.3, 1, shared_axes=1, **out),
    "masked_grad": lambda x, **out: numact.masked_grad(x, keep(), 0.7, 0.2, **out),
    "prelu": lambda x, **out: numact.prelu(x, np.array([0.1, 0.2, 0.3], x.dtype), 0, **out),
    "prelu_grad": lambda x, **out: numact.prelu_grad(x[::-1], x, 0.25, **out),
    "rrelu": lambda x, **out: numact.rrelu(x, **out),
    "rrelu drawn": lambda x, **out: numact.rrelu(x, rng=3, **out),
    "rrelu_grad": lambda x, **out: numact.rrelu_grad(x[::-1], x, **out),
    **{f"{r.name}_masked": lambda x, r=r, **out: getattr(numact, f"{r.name}_masked")(x, **out) for r in MASKED},
    **{f"{r.name}_split": lambda x, r=r, **out: getattr(numact, f"{r.name}_split")(x, **out) for r in GATED},
    **{
        f"{r.name}_split_grad": lambda x, r=r, **out: getattr(numact, f"{r.name}_split_grad")(x[:, :2], x, **out)
        for r in GATED
    },
}
TWO_ARRAYS = {"prelu_grad", "rrelu drawn"}
every_call = pytest.mark.parametrize("name", CALLS)
every_dtype = pytest.mark.parametrize("dtype", ALL_DTYPES, ids=name_of)


def numbers(dtype: Any) -> Array:
    """Numbers of both signs."""
    x: Array = np.random.default_rng(0).normal(0, 2, SHAPE).astype(dtype)
    return x


def results(found: Any) -> tuple[Any, ...]:
    """One or more."""
    return found if isinstance(found, tuple) else (found,)


def assert_same(found: Any, want: Any) -> None:
    """All results have the same type, dtype and bits."""
    for one, other in zip(results(found), results(want), strict=True):
        assert type(one) is type(other)
        if isinstance(one, numact.BitMask):
            assert one == other
        else:
            assert_same_bits(one, other)


# out=


@every_call
@every_dtype
def test_forms_of_out(name: str, dtype: Any) -> None:
    """An array, a tuple of it, (None,) and `...` give the same bits; `...` and None keep the dtype."""
    x, call = numbers(dtype), CALLS[name]
    want = call(x)
    for form in ((None,), None):
        assert_same(call(x, out=form), want)
    assert_same(results(call(x, out=...))[0], results(want)[0])
    first = results(want)[0]
    for wrap in (lambda a: a, lambda a: (a,)):
        out = np.full(first.shape, 7, dtype)
        got = call(x, out=wrap(out))
        assert results(got)[0] is out
        assert_same(got, want)
        wide = np.zeros((*first.shape, 2))[..., 0]
        with np.errstate(invalid="ignore"):
            call(x, out=wrap(wide))
            assert_same_bits(wide.copy(), first.astype(np.float64))


@pytest.mark.parametrize("name", sorted(TWO_ARRAYS))
def test_two_results(name: str) -> None:
    """A tuple of two has an array or None for each, and `...` makes arrays of both."""
    x, call = numbers(np.float32), CALLS[name]
    want = call(x)
    for given in ((True, True), (True, False), (False, True), (False, False)):
        out = tuple(np.full(np.shape(w), 7, np.float32) if g else None for g, w in zip(given, want, strict=True))
        got = call(x, out=out)
        for one, place, other in zip(got, out, want, strict=True):
            assert place is None or one is place
            assert_same_bits(one, other)
    assert all(type(one) is np.ndarray for one in call(x, out=...))
    wrong = np.full((2, 2), 7, np.float32)
    for bad in ((None, wrong), (wrong, None), (None, None, None), (None, 3)):
        y = np.full(SHAPE, 7, np.float32)
        with pytest.raises((TypeError, ValueError), match=f"^{name.split()[0]}: out must "):
            call(x, out=(y, *bad[1:]) if bad[0] is None else bad)
        assert (y == 7).all()
    assert (wrong == 7).all()


def test_scalars_and_ellipsis() -> None:
    """For one number `...` asks for an array of no dimensions."""
    mask = numact.BitMask.pack(True)
    calls: list[Callable[..., Any]] = [
        lambda **out: numact.dropout(np.float16(1), 0, **out)[0],
        lambda **out: numact.relu_masked(np.float16(1), **out)[0],
        lambda **out: numact.masked_grad(np.float16(1), mask, **out),
        lambda **out: numact.prelu(np.float16(1), 0.5, **out),
        lambda **out: numact.prelu_grad(np.float16(1), np.float16(-1), 0.5, **out)[0],
        lambda **out: numact.prelu_grad(np.float16(1), np.float16(-1), 0.5, **out)[1],
        lambda **out: numact.rrelu(np.float16(1), **out),
        lambda **out: numact.rrelu(np.float16(1), rng=1, **out)[1],
        lambda **out: numact.rrelu_grad(np.float16(1), np.float16(1), **out),
    ]
    for call in calls:
        assert type(call()) is np.float16
        got = call(out=...)
        assert type(got) is np.ndarray
        assert got.dtype == np.float16
        assert got == call()


@every_call
@pytest.mark.parametrize("wrong", [3, "x", [1.0], (None, None, None), (3,), ((None,),)], ids=repr)
def test_wrong_out(name: str, wrong: Any) -> None:
    """What is no array is refused, by name, and nothing is drawn."""
    x, function = numbers(np.float32), name.split()[0]
    with pytest.raises((TypeError, ValueError), match=rf"^{function}: out must be an array, "):
        CALLS[name](x, out=wrong)


@every_call
def test_out_of_another_shape(name: str) -> None:
    """It is named, with the shape that is right, and not written."""
    x, out = numbers(np.float32), np.full((5, 5), 7, np.float32)
    with pytest.raises(ValueError, match=rf"^{name.split()[0]}: out must .*\(3, [24]\), got \(5, 5\)"):
        CALLS[name](x, out=out)
    assert (out == 7).all()


def test_nothing_is_drawn_for_a_wrong_out() -> None:
    """The generator stays where it was."""
    x, rng = numbers(np.float32), np.random.default_rng(0)
    before = rng.bit_generator.state
    wrong: tuple[Any, ...] = (np.empty(3), 3, np.empty(SHAPE, int), (None, None, None))
    for out in wrong:
        for call in (numact.dropout, numact.rrelu):
            with pytest.raises((TypeError, ValueError), match=f"{call.__name__}: out must"):
                call(x, rng=rng, out=out)
    assert rng.bit_generator.state == before


# Byte orders


@every_call
@pytest.mark.parametrize("dtype", ["e", "f", "d"])
def test_byte_orders(name: str, dtype: str) -> None:
    """Those of the other order give the same bits in the native one, without a warning; they are also written."""
    x = numbers(dtype)
    want = CALLS[name](x)
    swapped = x.astype(x.dtype.newbyteorder())
    assert_same(CALLS[name](swapped), want)
    out = np.empty_like(results(want)[0], x.dtype.newbyteorder())
    assert results(CALLS[name](swapped, out=out))[0] is out
    assert_same_bits(out.astype(dtype), results(want)[0])


# Masked arrays


@every_call
def test_masked_arrays(name: str) -> None:
    """Each element of a result is masked where one of its operands is; the others have their values."""
    x, rows = numbers(np.float32), np.zeros(SHAPE, bool)
    rows[1, 1], rows[2, 3] = True, True
    want, got = results(CALLS[name](x))[0], results(CALLS[name](np.ma.array(x, mask=rows)))[0]
    expected = rows
    if name in ("prelu_grad", "rrelu_grad"):
        expected = rows | rows[::-1]
    elif name.endswith("_split"):
        expected = rows[:, :2] | rows[:, 2:]
    elif name.endswith("_split_grad"):
        expected = np.tile(rows[:, :2] | rows[:, 2:], 2)
    assert isinstance(got, np.ma.MaskedArray)
    assert np.ma.getmaskarray(got).tolist() == expected.tolist()
    assert_same_bits(np.asarray(got)[~expected], np.asarray(want)[~expected])


@pytest.mark.parametrize("row", GATED, ids=name_of)
def test_masked_gradient_of_halves(row: numact.Activation) -> None:
    """Masked entries of dy are masked in both halves, whatever x is."""
    function = getattr(numact, f"{row.name}_split_grad")
    x, hidden = numbers(np.float32), np.zeros((3, 2), bool)
    hidden[2, 0] = True
    dy: Any = np.ma.array(x[:, :2], mask=hidden)
    for given in (x, np.ma.array(x)):
        assert function(dy, given).mask.tolist() == np.tile(hidden, 2).tolist()
    assert function(dy.T, x.T, axis=0).mask.tolist() == np.tile(hidden, 2).T.tolist()


def test_masked_slopes() -> None:
    """Their sums are masked, and so is what they multiply."""
    x, weight = numbers(np.float32), np.ma.array([0.1, 0.2, 0.3], mask=[False, True, False])
    dx, dweight = numact.prelu_grad(x, x, weight, 0)
    assert dweight.mask.tolist() == [False, True, False]
    assert dx.mask[1].all()
    assert not dx.mask[[0, 2]].any()


@pytest.mark.parametrize("name", ["leaky_relu", "elu", "softplus", "leaky_relu_grad", "swish_grad", "elu_grad_y"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_copies_of_dtypes_are_as_fast(name: str, dtype: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An array from a pickle has a copy of NumPy's dtype: the call takes the short path, and gives the same."""
    x = np.linspace(0.1, 2, 12).astype(dtype)
    copy = pickle.loads(pickle.dumps(x))
    assert copy.dtype is not x.dtype  # otherwise nothing is tested
    function: Any = getattr(numact, name)
    want = function(*(x,) * function.nin)

    def slow(*given: Any, **keywords: Any) -> Any:
        raise AssertionError("the long path")

    monkeypatch.setattr(numact.ParametricUfunc, "_compute", slow)
    got = function(*(copy,) * function.nin)
    assert_same_bits(got, want)
    assert_same_bits(function(*(copy,) * function.nin, out=copy), want)


def test_results_have_numpys_dtypes() -> None:
    """Not copies of them, which other libraries would have to compare by value."""
    x = np.ones((4, 3), np.float32)
    loss, grad = numact.softmax_cross_entropy(x, [0, 1, 2, 0], reduction="none", return_grad=True)
    results = [loss, grad, numact.softmax(x), numact.sparsemax(x), numact.maxout(x, 3)[0], numact.norm.layer_norm(x)]
    results += [*numact.norm.layer_norm_grad(x, x, x[0]), numact.bias_activation(x, x[0], "gelu")]
    assert all(result.dtype is np.dtype(np.float32) for result in results)
