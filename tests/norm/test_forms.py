"""Normalisation as other programs call it: weights and means that keep dimensions, statistics, forms of ``out=``."""

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from norm.test_norm import ALL_DTYPES
from support.cases import Array, assert_same_bits, name_of
from support.reference_norm import assert_within, bound_of, data, exact, normalised

import numact
from numact import norm

every_dtype = pytest.mark.parametrize("dtype", ALL_DTYPES, ids=name_of)


# Weights, means


@every_dtype
def test_weights_broadcast(dtype: Any) -> None:
    """Weights of (1, n) and numbers, and what keepdims=True gives over several axes."""
    x, weight, bias = data((5, 8), dtype), data((8,), dtype, 1), data((8,), dtype, 2)
    want = norm.layer_norm(x, weight, bias)
    assert_same_bits(norm.layer_norm(x, weight[None], bias[None]), want)
    assert_same_bits(norm.layer_norm(x, 2.0, -1), norm.layer_norm(x, np.full(8, 2), np.full(8, -1)))
    assert_same_bits(norm.rms_norm(x, np.array(2.0)), norm.rms_norm(x, np.full(8, 2)))
    assert_same_bits(norm.rms_norm(x, np.array([2.0])), norm.rms_norm(x, np.full(8, 2)))
    x = data((4, 3, 5), dtype)
    weight = data((4, 5), dtype, 1)
    want = norm.layer_norm(x, weight, axis=(0, 2))
    assert_same_bits(norm.layer_norm(x, weight[:, None], axis=(0, 2)), want)
    for got, other in zip(
        norm.layer_norm_grad(x, x, weight[:, None], axis=(0, 2)),
        norm.layer_norm_grad(x, x, weight, axis=(0, 2)),
        strict=True,
    ):
        assert_same_bits(got, other)


@every_dtype
@pytest.mark.parametrize("axis", [1, -1], ids=str)
def test_statistics_keep_dimensions(dtype: Any, axis: int) -> None:
    """Means of (1, C, 1, 1) or (C, 1, 1), as keepdims=True gives them; running ones too."""
    x = data((2, 3, 4, 5), dtype)
    count = x.shape[axis]
    kept = tuple(count if k == axis % 4 else 1 for k in range(4))
    mean, var, weight = data((count,), np.float64, 1), 1 + data((count,), np.float64, 2) ** 2, data((count,), dtype, 3)
    want = norm.batch_norm(x, mean, var, weight, axis=axis)
    assert_same_bits(
        norm.batch_norm(x, mean.reshape(kept), var.reshape(kept[1:]), weight.reshape(kept), axis=axis), want
    )
    assert_same_bits(
        norm.batch_norm(x, 0.0, 1, axis=axis), norm.batch_norm(x, np.zeros(count), np.ones(count), axis=axis)
    )
    plain, with_dimensions = (np.zeros(count), np.ones(count)), (np.zeros(kept), np.ones(kept))
    norm.batch_norm_train(x, *plain, axis=axis)
    norm.batch_norm_train(x, *with_dimensions, axis=axis)
    for one, other in zip(plain, with_dimensions, strict=True):
        assert_same_bits(other.ravel(), one)


def test_what_does_not_broadcast() -> None:
    """Other lengths, or numbers that differ between rows, are refused; nothing is written."""
    x, out = np.ones((3, 4)), np.full((3, 4), 7.0)
    for wrong in (np.ones(3), np.ones((3, 1)), np.ones((3, 4)), np.ones((2, 4)), np.ones((1, 1, 4))):
        with pytest.raises(ValueError, match=r"layer_norm: weight must be of shape \(4,\), or broadcast to \(1, 4\)"):
            norm.layer_norm(x, wrong, out=out)
        with pytest.raises(ValueError, match=r"batch_norm: mean must be of shape \(4,\), or broadcast to \(1, 4\)"):
            norm.batch_norm(x, wrong, 1.0, out=out)
    assert (out == 7).all()


# out=, byte order, axes


@pytest.mark.parametrize("function", [norm.layer_norm, norm.rms_norm, norm.instance_norm], ids=lambda f: f.__name__)
@every_dtype
def test_forms_of_out(function: Any, dtype: Any) -> None:
    """An array, a tuple of one, and `...`; the other byte order in operands and results."""
    x = data((4, 6, 5), dtype)
    want = function(x)
    out = np.empty_like(x)
    assert function(x, out=(out,)) is out
    assert_same_bits(out, want)
    assert_same_bits(function(x, out=...), want)
    with pytest.raises(ValueError, match=f"{function.__name__}: out must be an array, a tuple of one"):
        function(x, out=(out, out))
    with pytest.raises(TypeError, match=f"{function.__name__}: out must be an array, a tuple of one"):
        function(x, out="out")
    if dtype is not ml_dtypes.bfloat16:
        swapped = np.dtype(dtype).newbyteorder()
        got = function(x.astype(swapped), np.ones(x.shape[1 if function is norm.instance_norm else -1], swapped))
        assert got.dtype == dtype
        assert got.dtype.isnative
        assert_same_bits(got, want)
        other = np.empty(x.shape, swapped)
        function(x, out=other)
        assert_same_bits(other.astype(dtype), want)


def test_axes_that_do_not_exist() -> None:
    """AxisError, as from NumPy's functions."""
    x = np.ones((3, 4))
    for call in (
        lambda: norm.layer_norm(x, axis=2),
        lambda: norm.rms_norm(x, axis=(0, 5)),
        lambda: norm.batch_norm(x, 0.0, 1.0, axis=-3),
        lambda: norm.group_norm(x, 1, axis=2),
        lambda: norm.instance_norm_grad(x, x, axis=2),
        lambda: numact.diagnostics.dead_units(x, axis=2),
    ):
        with pytest.raises(np.exceptions.AxisError):
            call()


@every_dtype
def test_parameters_beyond_the_dtype(dtype: Any) -> None:
    """Bounds that the dtype does not hold do not count, and what must be above 0 is; in silence."""
    x = data((3, 8), dtype)
    with np.errstate(all="raise"):
        got = norm.layer_norm(x, activation=("hard_tanh", {"min_val": -1e300, "max_val": 1e300}))
    assert_same_bits(got, norm.layer_norm(x))
    with np.errstate(all="ignore"):
        assert not np.isnan(norm.layer_norm(x, activation=("softplus", {"beta": 1e-60})).astype(float)).any()


# Statistics


@every_dtype
@pytest.mark.parametrize("axis", [-1, 0, (0, 2)], ids=str)
def test_statistics_on_request(dtype: Any, axis: Any) -> None:
    """Mean and inverse deviation are those of the definition, and the gradients take them."""
    x, dy = data((4, 6, 5), dtype, 0, 3), data((4, 6, 5), dtype, 1)
    axes = axis if isinstance(axis, tuple) else (axis,)
    y, mean, inv_std = norm.layer_norm(x, axis=axis, return_stats=True)
    assert_same_bits(y, norm.layer_norm(x, axis=axis))
    kind = np.float64 if dtype == np.float64 else np.float32
    assert mean.dtype == inv_std.dtype == kind
    wide = exact(x)
    np.testing.assert_allclose(mean, wide.mean(axes, keepdims=True).astype(kind), rtol=4 * float(np.finfo(kind).eps))
    want = 1 / np.sqrt(wide.var(axes, keepdims=True) + np.longdouble(1e-5))
    np.testing.assert_allclose(inv_std, want.astype(kind), rtol=4 * float(np.finfo(kind).eps))
    z, inv_rms = norm.rms_norm(x, axis=axis, eps=1e-5, return_stats=True)
    assert_same_bits(z, norm.rms_norm(x, axis=axis, eps=1e-5))
    want = 1 / np.sqrt((wide**2).mean(axes, keepdims=True) + np.longdouble(1e-5))
    np.testing.assert_allclose(inv_rms, want.astype(kind), rtol=4 * float(np.finfo(kind).eps))
    tolerance: dict[str, Any] = {"rtol": 0.01 if dtype not in (np.float32, np.float64) else 1e-5, "atol": 1e-5}
    for got, other in (
        (norm.layer_norm_grad(dy, x, axis=axis, mean=mean, inv_std=inv_std), norm.layer_norm_grad(dy, x, axis=axis)),
        (norm.rms_norm_grad(dy, x, axis=axis, inv_std=inv_rms), norm.rms_norm_grad(dy, x, axis=axis, eps=1e-5)),
    ):
        for one, two in zip(got, other, strict=True):
            assert one.dtype == two.dtype
            assert one.shape == two.shape
            np.testing.assert_allclose(one.astype(float), two.astype(float), **tolerance)
    with pytest.raises(TypeError, match="mean and inv_std must be given together"):
        norm.layer_norm_grad(dy, x, axis=axis, mean=mean)


def test_running_statistics() -> None:
    """Momentum None is the mean over all batches; the variance is unbiased unless the caller wants otherwise."""
    batches = [data((6, 3), np.float64, seed) for seed in range(5)]
    mean, var = np.zeros(3), np.ones(3)
    for k, batch in enumerate(batches):
        norm.batch_norm_train(batch, mean, var, momentum=None, batches=k)
    np.testing.assert_allclose(mean, np.mean([b.mean(0) for b in batches], 0), rtol=1e-12)
    np.testing.assert_allclose(var, np.mean([b.var(0, ddof=1) for b in batches], 0), rtol=1e-12)
    var = np.ones(3)
    norm.batch_norm_train(batches[0], None, var, momentum=1.0, unbiased=False)
    np.testing.assert_allclose(var, batches[0].var(0), rtol=1e-12)
    with pytest.raises(TypeError, match="batches must be given where momentum is None"):
        norm.batch_norm_train(batches[0], mean, var, momentum=None)
    with pytest.raises(ValueError, match="batches must be >= 0, got -1"):
        norm.batch_norm_train(batches[0], mean, var, momentum=None, batches=-1)


# Groups


def grouped(x: Array, groups: int, axis: int) -> Array:
    """The definition of group normalisation without weights."""
    moved = np.moveaxis(x, axis, 1)
    samples, channels, *rest = moved.shape
    split = moved.reshape(samples, groups, channels // groups, *rest)
    found = normalised(split, tuple(range(2, split.ndim)), 1e-5).reshape(moved.shape)
    return np.asarray(np.moveaxis(found, 1, axis))


SHAPES = [((4, 6), 1), ((3, 6, 5), 1), ((2, 6, 3, 4), 1), ((2, 3, 4, 6), -1), ((6, 3, 4), 0)]


@every_dtype
@pytest.mark.parametrize(("shape", "axis"), SHAPES, ids=str)
@pytest.mark.parametrize("groups", [1, 2, 3, 6])
def test_group_norm(dtype: Any, shape: tuple[int, ...], axis: int, groups: int) -> None:
    """Values, weights by channel, activations, other layouts and out=."""
    x, weight, bias = data(shape, dtype, 0, 2), data((6,), dtype, 1), data((6,), dtype, 2)
    kept = [1] * len(shape)
    kept[axis] = 6
    want = grouped(x, groups, axis) * exact(weight).reshape(kept) + exact(bias).reshape(kept)
    got = norm.group_norm(x, groups, weight, bias, axis=axis)
    assert got.dtype == dtype
    assert_within(got, want, bound_of(dtype), 1.0 if dtype == np.float64 else 2.0**-16)
    for other in (np.asfortranarray(x), x[..., ::-1].copy()[..., ::-1]):
        assert_same_bits(norm.group_norm(other, groups, weight.reshape(kept), bias, axis=axis), got)
    fused = norm.group_norm(x, groups, weight, bias, axis=axis, activation="gelu")
    assert_same_bits(fused, numact.gelu(got))
    out = x.copy()
    assert norm.group_norm(out, groups, weight, bias, axis=axis, out=out) is out
    assert_same_bits(out, got)
    if groups == 6:
        assert_same_bits(norm.instance_norm(x, weight, bias, axis=axis), got)


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=name_of)
@pytest.mark.parametrize(("shape", "axis"), SHAPES, ids=str)
@pytest.mark.parametrize("groups", [1, 2, 6])
def test_group_norm_gradients(dtype: Any, shape: tuple[int, ...], axis: int, groups: int) -> None:
    """The definition with many digits; a weight of 0 included."""
    x, dy, weight = data(shape, dtype, 0, 2), data(shape, dtype, 3), data((6,), dtype, 1)
    weight[2] = 0
    kept = [1] * len(shape)
    kept[axis] = 6
    moved, gradient = (np.moveaxis(exact(a), axis, 1) for a in (x, dy))
    samples, _, *rest = moved.shape
    split = (samples, groups, 6 // groups, *rest)
    axes = tuple(range(2, len(split)))
    xhat = normalised(moved.reshape(split), axes, 1e-5)
    inverse = 1 / np.sqrt(moved.reshape(split).var(axes, keepdims=True) + np.longdouble(1e-5))
    g = (gradient * exact(weight).reshape(1, 6, *(1,) * len(rest))).reshape(split)
    wide = (g - g.mean(axes, keepdims=True) - xhat * (g * xhat).mean(axes, keepdims=True)) * inverse
    dx, dweight, dbias = norm.group_norm_grad(dy, x, groups, weight, axis=axis)
    rtol = 1e-9 if dtype == np.float64 else 2e-6
    want = np.moveaxis(wide.reshape(moved.shape), 1, axis).astype(np.float64)
    np.testing.assert_allclose(dx, want, rtol=rtol, atol=rtol)
    over = tuple(k for k in range(moved.ndim) if k != 1)
    np.testing.assert_allclose(dweight, (gradient * xhat.reshape(moved.shape)).sum(over).astype(float), rtol, rtol)
    np.testing.assert_allclose(dbias, gradient.sum(over).astype(float), rtol, rtol)
    assert dx.dtype == dweight.dtype == dbias.dtype == dtype
    if groups == 6:
        for one, two in zip(norm.instance_norm_grad(dy, x, weight, axis=axis), (dx, dweight, dbias), strict=True):
            assert_same_bits(one, two)


def test_groups_and_threads() -> None:
    """The same bits for any number of threads."""
    x = data((8, 32, 64, 64), np.float32)
    with numact.num_threads(1):
        want = norm.group_norm(x, 8), *norm.group_norm_grad(x, x, 8)
    with numact.num_threads(3):
        got = norm.group_norm(x, 8), *norm.group_norm_grad(x, x, 8)
    for one, two in zip(got, want, strict=True):
        assert_same_bits(one, two)


def test_wrong_groups() -> None:
    """Groups that do not divide the channels, and arrays without samples, are refused."""
    x = np.ones((2, 6, 3))
    for groups in (0, -1, 4, 7):
        with pytest.raises(ValueError, match=f"groups must be positive and divide the 6 channels of x, got {groups}"):
            norm.group_norm(x, groups)
    with pytest.raises(ValueError, match="instance_norm: x must have two dimensions or more"):
        norm.instance_norm(np.ones(3), axis=0)
    with pytest.raises(ValueError, match=r"group_norm: weight must be of shape \(6,\)"):
        norm.group_norm(x, 2, np.ones(3))
    with pytest.raises(ValueError, match="group_norm: out must"):
        norm.group_norm(x, 2, out=np.ones((2, 3, 6)))
    assert norm.group_norm(np.ones((0, 6, 3)), 2).shape == (0, 6, 3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["layer_norm", "rms_norm"])
def test_plain_calls_have_the_bits_of_all_others(name: str, dtype: Any) -> None:
    """A contiguous array, normalised along the last axis, goes a shorter way."""
    rng = np.random.default_rng(0)
    norm = getattr(numact.norm, name)
    for shape in ((768,), (3, 5, 40), (300, 7)):
        x, weight = rng.normal(size=shape).astype(dtype), rng.normal(size=shape[-1]).astype(dtype)
        for vectors in ((), (weight,), (weight.astype(np.float64),)):
            want = norm(x, *vectors, axis=(-1,))
            np.testing.assert_array_equal(norm(x, *vectors), want)
            np.testing.assert_array_equal(norm(np.repeat(x, 2, -1)[..., ::2], *vectors), want)
            given = x.copy()
            assert norm(given, *vectors, out=given) is given
            np.testing.assert_array_equal(given, want)
        with pytest.raises(ValueError, match="weight"):
            norm(x, weight[:-1])
        with pytest.raises(ValueError, match="eps"):
            norm(x, eps=-1.0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=str)
@pytest.mark.parametrize(("shape", "axis"), [((1, 5), 1), ((7, 5), -1), ((3, 5, 4, 2), 1), ((5, 3), 0), ((2, 3, 5), 2)])
def test_plain_batch_norm(dtype: Any, shape: tuple[int, ...], axis: int) -> None:
    """Plain calls of batch_norm have the bits of those that go through NumPy's checks and layouts."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=shape).astype(dtype)
    mean, weight, bias = rng.normal(size=(3, 5)).astype(np.float32)
    var = rng.random(5)
    var[2] = 0
    for w, b, eps in ((None, None, 1e-5), (weight, None, 0.0), (weight, bias, 1e-3)):
        with np.errstate(all="raise"):
            got = numact.norm.batch_norm(x, mean, var, w, b, eps, axis)
        want = numact.norm.batch_norm(np.repeat(x, 2, -1)[..., ::2], mean, var, w, b, eps, axis)
        np.testing.assert_array_equal(got, want)
        buffer = x.copy()
        assert numact.norm.batch_norm(buffer, mean, var, w, b, eps, axis, out=buffer) is buffer
        np.testing.assert_array_equal(buffer, want)
        turned = np.ascontiguousarray(x.T).T
        np.testing.assert_array_equal(numact.norm.batch_norm(turned, mean, var, w, b, eps, axis), want)
        assert numact.norm.batch_norm(turned, mean, var, w, b, eps, axis, out=turned) is turned
        np.testing.assert_array_equal(turned, want)
    with pytest.raises(ValueError, match="var must be >= 0"):
        numact.norm.batch_norm(x, mean, -var, axis=axis)
    with pytest.raises(ValueError, match="mean must be of shape"):
        numact.norm.batch_norm(x, mean[:3], var, axis=axis)
