"""Functions along an axis as other programs call them: several axes, forms of ``out=``, byte orders, masked arrays."""

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from support.cases import Array, assert_same_bits, name_of
from support.reference_axis import FORWARD, GRADIENTS, TEMPERED

import numact

ALL_DTYPES = (np.float16, np.float32, np.float64, ml_dtypes.bfloat16)
GRADIENTS_OF_ROWS = [name for name in GRADIENTS if hasattr(numact, name)]
EVERY = [*FORWARD, *GRADIENTS_OF_ROWS]

every_name = pytest.mark.parametrize("name", EVERY)
every_dtype = pytest.mark.parametrize("dtype", ALL_DTYPES, ids=name_of)


def arrays(name: str, shape: tuple[int, ...], dtype: Any = np.float32) -> tuple[Array, ...]:
    """Operands of a function."""
    rng = np.random.default_rng(0)
    x = rng.normal(0, 2, shape).astype(dtype)
    if name.endswith("_grad"):
        forward: Callable[..., Array] = getattr(numact, name.removesuffix("_grad"))
        return rng.normal(0, 1, shape).astype(dtype), forward(x, axis=0)
    return (x,)


def function(name: str) -> Callable[..., Any]:
    """The public function."""
    found: Callable[..., Any] = getattr(numact, name)
    return found


# Axes


@every_name
@every_dtype
@pytest.mark.parametrize("axis", [(0, 2), (2, 0), (-1, -3), (1,), (0, 1, 2), None], ids=str)
def test_several_axes(name: str, dtype: Any, axis: Any) -> None:
    """They are as one axis that holds all entries, in the order of the array."""
    operands = arrays(name, (3, 4, 5), dtype)
    axes = (0, 1, 2) if axis is None else tuple(sorted(a % 3 for a in axis))
    rest = [k for k in range(3) if k not in axes]
    together = [a.transpose([*rest, *axes]).reshape(*(a.shape[k] for k in rest), -1) for a in operands]
    want = function(name)(*together)
    got = function(name)(*operands, axis=axis)
    if name != "logsumexp":
        want = want.reshape([operands[0].shape[k] for k in [*rest, *axes]])
        want = want.transpose(np.argsort([*rest, *axes]))
        out = np.full((3, 4, 5), 7, dtype)
        assert function(name)(*operands, axis=axis, out=out) is out
        assert_same_bits(out, want)
    else:
        kept = function(name)(*operands, axis=axis, keepdims=True)
        assert kept.shape == tuple(1 if k in axes else n for k, n in enumerate((3, 4, 5)))
        assert_same_bits(kept.ravel(), np.ravel(want))
    assert_same_bits(got, want)


@pytest.mark.parametrize("name", TEMPERED)
def test_several_axes_with_temperature_and_where(name: str) -> None:
    """A temperature for each of the rows, and masks as for one axis."""
    operands = arrays(name, (3, 4, 5))
    temperature = np.linspace(0.5, 2, 4, dtype=np.float32)
    got = function(name)(*operands, axis=(0, 2), temperature=temperature)
    for k in range(4):
        want = function(name)(*(a[:, k].ravel() for a in operands), temperature=temperature[k])
        assert_same_bits(got[:, k].ravel(), want)
    if not name.endswith("_grad"):
        where = operands[0] > 0
        got = function(name)(*operands, axis=None, where=where)
        assert_same_bits(got.ravel(), function(name)(operands[0].ravel(), where=where.ravel()))


@every_name
def test_wrong_axes(name: str) -> None:
    """An axis that does not exist, or twice, is refused, and nothing is written."""
    operands = arrays(name, (3, 4))
    out = np.full((3, 4), 7, np.float32)
    for axis in (2, -3, (0, 2)):
        with pytest.raises(np.exceptions.AxisError):
            function(name)(*operands, axis=axis, out=out)
    with pytest.raises(ValueError, match=f"{name}: axis must not name an axis twice"):
        function(name)(*operands, axis=(0, -2), out=out)
    with pytest.raises(TypeError, match=f"{name}: axis must be an integer or a tuple"):
        function(name)(*operands, axis="0", out=out)
    assert (out == 7).all()


@pytest.mark.parametrize("name", FORWARD)
def test_no_dimension(name: str) -> None:
    """A number is a row of one entry over all axes, and has no axis -1."""
    want = function(name)(np.array([3.0]))
    got = function(name)(3.0, axis=None)
    assert np.shape(got) == ()
    assert float(got) == float(np.ravel(want)[0])
    with pytest.raises(np.exceptions.AxisError, match=f"{name}: axis must name axes of x, which has none"):
        function(name)(3.0)


def test_maxout_axis() -> None:
    """The axis of maxout and its gradient exists."""
    with pytest.raises(np.exceptions.AxisError, match="maxout: axis"):
        numact.maxout(np.ones((2, 4)), 2, axis=2)
    with pytest.raises(np.exceptions.AxisError, match="maxout_grad: axis"):
        numact.maxout_grad(np.ones((2, 4)), np.zeros((2, 4), int), 2, axis=2)


# out=, dtypes


@every_name
@every_dtype
def test_forms_of_out(name: str, dtype: Any) -> None:
    """An array, a tuple of one, and `...`, which changes nothing but that a result is an array."""
    operands = arrays(name, (3, 4), dtype)
    want = function(name)(*operands)
    assert want.dtype == dtype
    out = np.empty(want.shape, dtype)
    assert function(name)(*operands, out=(out,)) is out
    assert_same_bits(out, want)
    assert_same_bits(function(name)(*operands, out=...), want)
    assert_same_bits(function(name)(*operands, out=(None,)), want)
    for wrong, error in (((out, out), ValueError), ("out", TypeError), (3, TypeError)):
        with pytest.raises(error, match=f"{name}: out must be an array, a tuple of one"):
            function(name)(*operands, out=wrong)


def test_ellipsis_gives_an_array() -> None:
    """The logarithm of one sum is an array then, not a scalar."""
    got = numact.logsumexp(np.ones(3, np.float32), out=...)
    assert isinstance(got, np.ndarray)
    assert got.shape == ()
    assert got.dtype == np.float32


@every_name
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64], ids=name_of)
def test_byte_order(name: str, dtype: Any) -> None:
    """The other byte order gives the same values in the native dtype, and takes results."""
    operands = arrays(name, (3, 4), dtype)
    swapped = [a.astype(np.dtype(dtype).newbyteorder()) for a in operands]
    want = function(name)(*operands)
    got = function(name)(*swapped)
    assert got.dtype == dtype
    assert got.dtype.isnative
    assert_same_bits(got, want)
    out = np.empty(want.shape, np.dtype(dtype).newbyteorder())
    function(name)(*operands, out=out)
    assert_same_bits(out.astype(dtype), want)


@pytest.mark.parametrize("name", TEMPERED)
@every_dtype
def test_temperature(name: str, dtype: Any) -> None:
    """A scalar of any kind leaves the dtype alone; what does not broadcast is refused."""
    operands = arrays(name, (2, 3), dtype)
    want = function(name)(*operands, temperature=2.0)
    for kind in (np.float16, np.float32, np.float64, np.array, int, np.int64):
        assert_same_bits(function(name)(*operands, temperature=kind(2)), want)
    assert_same_bits(function(name)(*operands, temperature=np.full(2, 2, dtype)), want)
    out = np.full((2, 3), 7, dtype)
    for wrong in (np.array([[1.0], [2.0]]), np.ones(3), np.ones((2, 3)), np.ones((1, 1, 2))):
        with pytest.raises(ValueError, match=f"{name}: temperature must broadcast to the shape of x without the axes"):
            function(name)(*operands, temperature=wrong, out=out)
    assert (out == 7).all()


# Masked arrays


@pytest.mark.parametrize("name", FORWARD)
@every_dtype
@pytest.mark.parametrize("axis", [0, -1, (0, 1), None], ids=str)
def test_masked(name: str, dtype: Any, axis: Any) -> None:
    """Masked entries take no part and stay masked; a sum of none is masked."""
    (x,) = arrays(name, (4, 6), dtype)
    mask: Any = np.random.default_rng(1).random(x.shape) < 0.4
    mask[1] = mask[:, 2] = True
    with np.errstate(all="raise"):
        got = function(name)(np.ma.array(x, mask=mask), axis=axis)
    assert isinstance(got, np.ma.MaskedArray) or np.ndim(got) == 0
    low = (
        np.where(mask, np.array(-np.inf, dtype), x) if name != "softmin" else np.where(mask, np.array(np.inf, dtype), x)
    )
    want = function(name)(low, axis=axis)
    assert np.ma.getmaskarray(got).tolist() == (mask if name != "logsumexp" else mask.all(axis)).tolist()
    kept = ~np.ma.getmaskarray(got)
    assert_same_bits(np.ma.getdata(got)[kept], np.asarray(want)[kept])
    if name not in ("hardmax", "logsumexp"):
        combined = function(name)(np.ma.array(x, mask=mask), axis=axis, where=x > 0)
        assert_same_bits(combined.data, function(name)(x, axis=axis, where=~mask & (x > 0)))
    if name != "logsumexp":
        out: Any = np.ma.array(np.full(x.shape, 7, dtype))
        assert function(name)(np.ma.array(x, mask=mask), axis=axis, out=out) is out
        assert out.mask.tolist() == mask.tolist()
        assert_same_bits(out.data[kept], np.asarray(want)[kept])


@pytest.mark.parametrize("name", GRADIENTS_OF_ROWS)
@every_dtype
def test_masked_gradients(name: str, dtype: Any) -> None:
    """A gradient is that of the forward pass without the masked entries."""
    x = np.random.default_rng(0).normal(0, 2, (5, 7)).astype(dtype)
    dy = np.random.default_rng(1).normal(0, 2, (5, 7)).astype(dtype)
    mask = np.random.default_rng(2).random(x.shape) < 0.4
    y = function(name.removesuffix("_grad"))(np.ma.array(x, mask=mask))
    for masked in (np.ma.array(dy, mask=mask), dy):
        got = function(name)(masked, y)
        assert got.mask.tolist() == mask.tolist()
        for k in range(5):
            want = function(name)(dy[k, ~mask[k]], y.data[k, ~mask[k]]).astype(np.float64)
            got_of_row = got.data[k, ~mask[k]].astype(np.float64)
            # The order of a sum depends on where its terms are.
            np.testing.assert_allclose(got_of_row, want, rtol=4 * np.finfo(dtype).eps if dtype is np.float64 else 0)


def test_masked_pieces() -> None:
    """Masked entries are no maxima; a group of masked ones is masked."""
    x = np.ma.array([1, 5, 3, 2, 7, 8], mask=np.array([0, 1, 0, 0, 1, 1], bool))
    y, which = numact.maxout(x, 2)
    assert y.mask.tolist() == which.mask.tolist() == [False, False, True]
    assert y[:2].tolist() == [1, 3]
    assert which[:2].tolist() == [0, 0]
    with pytest.raises(TypeError, match="must not be masked"):
        numact.maxout_grad(y, which, 2)
    with pytest.raises(TypeError, match="temperature must not be masked"):
        numact.softmax(np.ones(3), temperature=np.ma.array(1.0))
    with pytest.raises(TypeError, match="where must not be masked"):
        numact.softmax(np.ones(3), where=np.ma.array([True] * 3))


# logsumexp with factors


@pytest.mark.parametrize("axis", [0, -1, (0, 1), None], ids=str)
@pytest.mark.parametrize("keepdims", [False, True])
def test_factors(axis: Any, keepdims: bool) -> None:
    """As SciPy's, of which the parameters are."""
    special: Any = pytest.importorskip("scipy.special")
    rng = np.random.default_rng(0)
    x = rng.normal(0, 3, (4, 5))
    for b in (rng.normal(0, 1, (4, 5)), rng.random(5), 2.0, np.array([[0.0], [1], [2], [-1]])):
        want, want_sign = special.logsumexp(x, axis=axis, b=b, keepdims=keepdims, return_sign=True)
        got, sign = numact.logsumexp(x, axis=axis, b=b, keepdims=keepdims, return_sign=True)
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-13)
        np.testing.assert_array_equal(sign, want_sign)
        plain = numact.logsumexp(x, axis=axis, b=b, keepdims=keepdims)
        np.testing.assert_allclose(plain, np.where(want_sign < 0, np.nan, want), rtol=1e-12, atol=1e-13)
    y, sign = numact.logsumexp(x.astype(np.float16), axis=axis, keepdims=keepdims, return_sign=True)
    assert_same_bits(y, numact.logsumexp(x.astype(np.float16), axis=axis, keepdims=keepdims))
    assert np.all(sign == 1)


def test_factors_at_limits() -> None:
    """0 counts nothing, infinities are limits, dtypes and out= as without factors."""
    assert numact.logsumexp([np.inf, 1.0], b=[0.0, 1.0]) == 1
    assert numact.logsumexp([np.inf, 1.0], b=[1.0, 1.0]) == np.inf
    assert numact.logsumexp([1000.0, 1000.0], b=[1, -1]) == -np.inf
    assert np.isnan(numact.logsumexp([1.0, 2.0], b=[1, -1]))
    assert numact.logsumexp([-np.inf], return_sign=True) == (-np.inf, 0)
    out = np.empty((), np.float32)
    assert numact.logsumexp(np.ones(2, np.float32), b=[1, 2], out=out) is out
    assert numact.logsumexp(np.ones(2, np.float16), b=[1, 2]).dtype == np.float16
    assert numact.logsumexp([1.0, 5.0], b=[1, 1], where=[True, False]) == 1
    with pytest.raises(
        TypeError, match="logsumexp: b must be floating-point numbers, integers or booleans, got complex128"
    ):
        numact.logsumexp([1.0], b=[1j])
    with pytest.raises(TypeError, match="masked"):
        numact.logsumexp(np.ma.array([1.0]), b=[1])


# gumbel_softmax


@every_dtype
def test_rows_without_entry(dtype: Any) -> None:
    """No entry of -inf is chosen; a row of them gives 0."""
    x = np.array([[-np.inf] * 3, [0, -np.inf, 1]], dtype)
    for hard in (False, True):
        for seed in range(20):
            y = numact.gumbel_softmax(x, hard=hard, rng=seed)
            assert y.dtype == dtype
            assert not y[0].any()
            assert y[1, 1] == 0
            assert float(y[1].astype(np.float32).sum()) == pytest.approx(1, abs=0.01)
    masked = numact.gumbel_softmax(np.ma.array([1.0, 2.0, 3.0], mask=np.array([1, 0, 0], bool)), hard=True, rng=0)
    assert masked.mask.tolist() == [True, False, False]
    assert masked.sum() == 1
