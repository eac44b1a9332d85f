"""prelu and rrelu: the leaky ReLUs whose slope is learned or drawn."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
from support.cases import Array, assert_same_bits

import numact

FLOATS = [np.float32, np.float64]
every_dtype = pytest.mark.parametrize("dtype", FLOATS)


def numbers(shape: tuple[int, ...], dtype: Any, seed: int = 0) -> Array:
    """Normal numbers, zeros of both signs among them."""
    x = np.random.default_rng(seed).normal(size=shape).astype(dtype)
    x.flat[::7], x.flat[3::7] = 0.0, -0.0
    return x


# prelu

# Shapes of x and weight, the axis of the weight.
LAYOUTS = [
    ((4, 3, 5), (3,), 1),
    ((4, 3, 5), (3,), -2),
    ((4, 3, 5), (5,), 2),
    ((4, 3, 5), (5,), None),
    ((4, 3, 5), (4,), 0),
    ((4, 3, 5), (3, 1), None),
    ((4, 3, 5), (4, 1, 5), None),
    ((4, 3, 5), (4, 3, 5), None),
    ((4, 3, 5), (1, 1), None),
    ((4, 3, 5), (), None),
    ((4, 1, 5), (1,), 1),
    ((6,), (6,), 0),
    ((), (), None),
    ((), (3,), None),
    ((3, 1), (4,), None),
    ((0, 3), (3,), 1),
    ((3, 0), (3,), 0),
    ((2, 0), (0,), 1),
]
every_layout = pytest.mark.parametrize(("shape", "weights", "axis"), LAYOUTS)


def laid_out(weight: Array, x: Array, axis: int | None) -> Array:
    """The weight of every element of the result, by indexing."""
    if axis is None:
        return np.broadcast_to(weight, np.broadcast_shapes(x.shape, weight.shape))
    return np.asarray(weight[np.indices(x.shape)[axis]]) if x.size else np.empty(x.shape, weight.dtype)


@every_dtype
@every_layout
def test_prelu(dtype: Any, shape: tuple[int, ...], weights: tuple[int, ...], axis: int | None) -> None:
    """The weight multiplies what is not positive, laid on its axis."""
    x, weight = numbers(shape, dtype), numbers(weights, dtype, 1)
    slopes = laid_out(weight, x, axis)
    want = np.where(x > 0, x, slopes * x)
    assert_same_bits(numact.prelu(x, weight, axis), want)
    out = np.empty(want.shape, dtype)
    assert numact.prelu(x, weight, channel_axis=axis, out=out) is out
    assert_same_bits(out, want)
    if want.shape == x.shape:
        numact.prelu(x, weight, axis, out=x)
        assert_same_bits(x, want)


def test_prelu_dtype() -> None:
    """A scalar as weight leaves the dtype alone; an array promotes as in any ufunc."""
    x = numbers((2, 3), np.float32)
    assert numact.prelu(x, 0.25).dtype == np.float32
    assert numact.prelu(x, np.float64(0.25)).dtype == np.float32
    assert numact.prelu(x, np.full(3, 0.25)).dtype == np.float64
    assert numact.prelu(x.astype(np.int8), 0.25).dtype == np.float16
    for dtype in (np.float16, np.float32, np.float64):
        gradients = numact.prelu_grad(np.ones((2, 3), dtype), x.astype(dtype), 0.25)
        assert {gradient.dtype for gradient in gradients} == {np.dtype(dtype)}
    assert_same_bits(numact.prelu([-1.0, 2.0], [0.5, 3.0], 0), np.array([-0.5, 2.0]))
    with pytest.raises(TypeError):
        numact.prelu(x, 1j)
    with pytest.raises(TypeError):
        numact.prelu("a", 0.5)


@pytest.mark.parametrize("function", [numact.prelu, numact.prelu_grad])
def test_prelu_errors(function: Any) -> None:
    """A weight that does not fit its axis raises, and nothing is written."""
    x = np.ones((4, 3, 5), np.float32)
    arrays = (x,) * (1 if function is numact.prelu else 2)
    out = np.full(x.shape, 7, np.float32)
    name = function.__name__
    for weight, axis, shown in (
        (np.ones(4), 1, r"\(3,\).*channel_axis 1, got \(4,\)"),
        (np.ones(1), 1, r"got \(1,\)"),
        (np.ones((3, 1)), 1, r"got \(3, 1\)"),
        (0.25, 1, r"got \(\)"),
        (np.ones(3), -1, r"\(5,\).*channel_axis -1, got \(3,\)"),
    ):
        with pytest.raises(ValueError, match=rf"^{name}: weight must have the shape .*{shown}$"):
            function(*arrays, weight, channel_axis=axis, out=out)
    for axis in (3, -4):
        with pytest.raises(ValueError, match=f"{name}: channel_axis must name axes from -3 to 2 of x, got {axis}"):
            function(*arrays, np.ones(3), channel_axis=axis, out=out)
    with pytest.raises(TypeError):
        function(*arrays, np.ones(3), channel_axis=1.0, out=out)
    with pytest.raises(ValueError, match="broadcast"):
        function(*arrays, np.ones(4), out=out)
    np.testing.assert_array_equal(out, 7)


def assert_sum(got: Any, dy: Array, x: Array) -> None:
    """The sum of dy x, rounded once but for what float64 loses on the way."""
    products = np.multiply(dy, x, dtype=np.float64).ravel()
    want, lost = math.fsum(products), 4 * np.finfo(float).eps * math.fsum(abs(products))
    assert abs(float(got) - want) <= np.finfo(got.dtype).eps / 2 * abs(want) + lost


@every_dtype
@every_layout
def test_prelu_grad(dtype: Any, shape: tuple[int, ...], weights: tuple[int, ...], axis: int | None) -> None:
    """By x it is dy or the weight times dy; dweight the sum of dy x over what is not positive, rounded once."""
    x, weight = numbers(shape, dtype), numbers(weights, dtype, 1)
    slopes = laid_out(weight, x, axis)
    dy = numbers(slopes.shape, dtype, 2)
    full = np.broadcast_to(x, slopes.shape)
    dx, dweight = numact.prelu_grad(dy, x, weight, axis)
    assert_same_bits(dx, np.where(full > 0, dy, slopes * dy))
    assert np.shape(dweight) == weight.shape
    assert dweight.dtype == dtype
    assert np.ndim(dweight) or not isinstance(dweight, np.ndarray)
    # The weight that every element has, by its index.
    indices = np.arange(weight.size).reshape(weight.shape)
    owner = laid_out(indices, x, axis)
    for index in indices.ravel():
        chosen = (owner == index) & ~(full > 0)
        assert_sum(dweight.flat[index], dy[chosen], full[chosen])


@every_dtype
def test_prelu_grad_is_precise(dtype: Any) -> None:
    """The sum over many elements keeps its digits."""
    x, dy = -abs(numbers((64, 3, 700), dtype)), numbers((64, 3, 700), dtype, 1) + dtype(10)
    _, dweight = numact.prelu_grad(dy, x, np.ones(3, dtype), 1)
    for channel in range(3):
        assert_sum(dweight[channel], dy[:, channel], x[:, channel])


@every_dtype
def test_prelu_grad_bits(dtype: Any) -> None:
    """The sums have the same bits for every layout of the memory."""
    x, dy, weight = numbers((6, 3, 50), dtype), numbers((6, 3, 50), dtype, 1), numbers((3,), dtype, 2)
    want = numact.prelu_grad(dy, x, weight, 1)
    spread = np.repeat(x, 2, axis=2)
    for other in (np.asfortranarray(x), x[::-1].copy()[::-1], spread[..., ::2], x.astype(x.dtype.newbyteorder())):
        for got, same in zip(numact.prelu_grad(dy, other, weight, 1), want, strict=True):
            assert_same_bits(got, same)


@every_dtype
@pytest.mark.parametrize("target", [0, 1])
def test_prelu_grad_in_place(dtype: Any, target: int) -> None:
    """out= may be dy or x."""
    dy, x, weight = numbers((6, 3, 50), dtype), numbers((6, 3, 50), dtype, 1), numbers((3,), dtype, 2)
    want = numact.prelu_grad(dy, x, weight, 1)
    out = (dy, x)[target]
    got = numact.prelu_grad(dy, x, weight, 1, out=out)
    assert got[0] is out
    for one, same in zip(got, want, strict=True):
        assert_same_bits(one, same)


def test_prelu_grad_broadcasts() -> None:
    """A dy that is a number counts for every element, and leaves the dtype alone."""
    x = numbers((4, 5), np.float32)
    for got, same in zip(numact.prelu_grad(2.0, x, 0.25), numact.prelu_grad(np.full_like(x, 2), x, 0.25), strict=True):
        assert_same_bits(got, same)


# rrelu


@every_dtype
def test_rrelu_mean(dtype: Any) -> None:
    """Without rng the slope is the mean."""
    x = numbers((4, 5), dtype)
    assert_same_bits(numact.rrelu(x), np.asarray(numact.leaky_relu(x, (1 / 8 + 1 / 3) / 2)))
    out = np.empty_like(x)
    assert numact.rrelu(x, -1, 2, out=out) is out
    assert_same_bits(out, np.where(x > 0, x, dtype(0.5) * x))
    assert_same_bits(numact.rrelu_grad(x[::-1], x, lower=-1, upper=2), np.where(x > 0, x[::-1], dtype(0.5) * x[::-1]))


@pytest.mark.parametrize("dtype", ["?", "b", "h", "i", "e", "f", "d", ">f8"])
@pytest.mark.parametrize("shape", [(), (0,), (30, 40)])
def test_rrelu_trains(dtype: str, shape: tuple[int, ...]) -> None:
    """With rng it draws slopes within the bounds for every element, of the dtype of the result, and returns them."""
    x = (3 * numbers(shape, np.float64)).astype(dtype)
    y, slopes = numact.rrelu(x, -0.5, 0.25, np.random.default_rng(7))
    assert y.dtype == slopes.dtype == numact.rrelu(x).dtype
    assert y.shape == slopes.shape == shape
    assert ((slopes >= -0.5) & (slopes <= 0.25)).all()
    assert_same_bits(y, np.where(x > 0, x, slopes * x.astype(y.dtype)))
    assert isinstance(slopes, np.ndarray) == (shape != ())
    if x.size > 1:
        assert abs(float(slopes.mean(dtype=float)) + 0.125) < 0.02
        assert abs(float(slopes.var(dtype=float)) - 0.75**2 / 12) < 0.005
        assert np.unique(slopes).size > 300
    dy = numbers(shape, np.float64, 1).astype(y.dtype)
    assert_same_bits(numact.rrelu_grad(dy, x, slopes), np.where(x > 0, dy, slopes * dy))


@every_dtype
def test_rrelu_stream(dtype: Any) -> None:
    """The slopes depend neither on the data nor on their memory, and x may be overwritten."""
    x = numbers((8, 9), dtype)
    first = np.random.default_rng(1)
    want, then = numact.rrelu(x, rng=first), first.random()
    for other in (-x, np.asfortranarray(x), np.ones_like(x), x[::-1]):
        rng = np.random.default_rng(1)
        assert_same_bits(numact.rrelu(other, rng=rng)[1], want[1])
        assert rng.random() == then
    got = numact.rrelu(x, rng=np.random.default_rng(1), out=x)
    assert got[0] is x
    assert_same_bits(x, want[0])


@every_dtype
@pytest.mark.parametrize("bounds", [(0.1, 0.1), (-1e30, 1e30), (0.1, np.nextafter(np.float32(0.1), np.float32(1)))])
def test_rrelu_bounds(dtype: Any, bounds: tuple[float, float]) -> None:
    """The bounds may be equal, close and far; no slope lies beyond them."""
    _, slopes = numact.rrelu(np.ones(10_000, dtype), *bounds, rng=np.random.default_rng(2))
    assert slopes.min() >= dtype(bounds[0])
    assert slopes.max() <= dtype(bounds[1])


@pytest.mark.parametrize("function", [numact.rrelu, numact.rrelu_grad])
def test_rrelu_errors(function: Any) -> None:
    """Bounds that are none raise, and nothing is written."""
    x = np.ones(3, np.float32)
    arrays = (x,) * (1 if function is numact.rrelu else 2)
    out = np.full(3, 7, np.float32)
    name = function.__name__
    with pytest.raises(ValueError, match=rf"^{name}: lower must be <= upper, got 0.5 and 0.25$"):
        function(*arrays, lower=0.5, upper=0.25, out=out)
    for bound, wrong in itertools.product(("lower", "upper"), (math.nan, math.inf, -math.inf, np.float32("nan"))):
        with pytest.raises(ValueError, match=rf"^{name}: {bound} must be finite, got {wrong}$"):
            function(*arrays, out=out, **{bound: wrong})
    for wrong in ("0.1", None, np.ones(3), 1j):
        with pytest.raises(TypeError, match=rf"^{name}: upper must be a number, got "):
            function(*arrays, upper=wrong, out=out)
    if name == "rrelu":
        for rng in (0.5, np.random, "generator"):
            with pytest.raises(TypeError, match=r"^rrelu: rng must be None, a seed .* or a RandomState, got "):
                function(x, rng=rng, out=out)
        with pytest.raises(TypeError):
            function(np.ones(3, complex), rng=np.random.default_rng(0))
    np.testing.assert_array_equal(out, 7)
