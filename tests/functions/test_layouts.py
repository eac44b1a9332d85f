"""Arrays that are not contiguous, or not all in the same layout: the bits of contiguous ones, and NumPy's layout."""

import threading
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from support.cases import FUNCTIONS, Array, Function, assert_same_bits, name_of

import numact
from numact._functions.ufuncs import RAW
from numact.commands.inputs import of_parameters

ALL_DTYPES = (np.float16, np.float32, np.float64, ml_dtypes.bfloat16)
GATES = [row.name + suffix for row in numact.catalogue() if row.family == "gated" for suffix in ("", "_grad")]
Layout = Callable[[Array], Array]


def as_view(x: Array) -> Array:
    """The same numbers as columns of a wider matrix."""
    wide = np.zeros((*x.shape[:-1], x.shape[-1] + 5), x.dtype)
    wide[..., 2:-3] = x
    return wide[..., 2:-3]


def with_last_first(x: Array) -> Array:
    """The same numbers with the last axis outermost in memory, as a convolution by im2col leaves them."""
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(x, -1, 0)), 0, -1)


def with_first_last(x: Array) -> Array:
    """The same numbers with the first axis innermost in memory."""
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 0, -1)), -1, 0)


LAYOUTS: dict[str, Layout] = {
    "contiguous": np.ascontiguousarray,
    "view": as_view,
    "last first": with_last_first,
    "first last": with_first_last,
    "Fortran": np.asfortranarray,
    "every second": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    "reversed": lambda x: np.ascontiguousarray(x[::-1])[::-1],
}
SHAPES = [(37, 70), (3, 5, 300), (40, 3, 3, 37), (2, 600), (1, 40, 1, 41), (70, 9, 2)]
every_function = pytest.mark.parametrize("f", FUNCTIONS, ids=name_of)
every_dtype = pytest.mark.parametrize("dtype", ALL_DTYPES, ids=name_of)
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)


def numbers(shape: tuple[int, ...], dtype: Any, seed: int = 0) -> Array:
    """Numbers of both signs, 0 and subnormal results among them."""
    x: Array = (3 * np.random.default_rng(seed).standard_normal(shape)).astype(dtype)
    x.flat[:: max(1, x.size // 7)] = 0
    return x


@every_function
@every_dtype
def test_every_function_has_the_same_bits_in_every_layout(f: Function, dtype: Any) -> None:
    shape = (9, 4, 70)
    x, dy = f.inputs(numbers(shape, dtype)), numbers(shape, dtype, 1)
    ufunc, parameters = f.ufunc(), f.operands(x)[2 if f.suffix else 1 :]
    parameters = tuple(np.asarray(p, np.float64 if dtype is np.float64 else np.float32) for p in parameters)
    arrays = (dy, x) if f.suffix else (x,)
    with np.errstate(over="ignore"):
        want = ufunc(*arrays, *parameters)
        for first in LAYOUTS.values():
            for last in (np.ascontiguousarray, with_last_first):
                assert_same_bits(ufunc(*map(first, arrays[:-1]), last(x), *parameters), want)
        assert_same_bits(ufunc(*map(as_view, arrays), *parameters, out=as_view(want)), want)


@every_shape
@every_dtype
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("other", LAYOUTS)
def test_layouts_of_results_are_those_of_numpy(shape: Any, dtype: Any, layout: str, other: str) -> None:
    x, dy = numbers(shape, dtype), numbers(shape, dtype, 1)
    want = numact.gelu_grad(dy, x)
    dy, x = LAYOUTS[other](dy), LAYOUTS[layout](x)
    found = numact.gelu_grad(dy, x)
    assert found.strides == np.add(dy, x).strides
    assert_same_bits(found, want)
    assert_same_bits(numact.gelu_grad(dy, x, x), want)
    assert_same_bits(x, want)


@every_shape
@pytest.mark.parametrize("name", GATES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_gates_of_views(shape: Any, name: str, layout: str) -> None:
    gate = getattr(numact, name)
    arrays = [numbers(shape, np.float32, seed) for seed in range(gate.nin)]
    want = gate(*arrays)
    found = gate(*arrays[:-1], LAYOUTS[layout](arrays[-1]))
    for one, other in zip(np.atleast_2d(found), np.atleast_2d(want), strict=True):
        assert_same_bits(one, other)


@every_dtype
def test_operands_that_are_broadcast(dtype: Any) -> None:
    x = numbers((6, 8, 50), dtype)
    for shape in ((50,), (8, 1), (6, 1, 1), (6, 1, 50), (1, 8, 50), ()):
        dy = numbers(shape, dtype, 1)
        want = numact.gelu_grad(np.ascontiguousarray(np.broadcast_to(dy, x.shape)), x)
        assert_same_bits(numact.gelu_grad(dy, x), want)
        assert_same_bits(numact.gelu_grad(dy, as_view(x)), want)
        assert_same_bits(numact.gelu_grad(np.broadcast_to(dy, x.shape), with_first_last(x)), want)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64], ids=name_of)
def test_parameters_that_are_arrays(dtype: Any) -> None:
    """An array of parameters broadcasts with views too, with fewer dimensions than they have or with more."""
    x = numbers((40, 50), dtype)
    kind = np.float64 if dtype is np.float64 else np.float32
    for shape in ((), (1,), (50,), (40, 1), (40, 50), (3, 1, 1), (2, 40, 50)):
        alpha = np.abs(numbers(shape, kind, 1)) + kind(0.5)
        with np.errstate(over="ignore"):
            want = numact.elu(np.broadcast_to(x, np.broadcast_shapes(x.shape, shape)).copy(), alpha)
            for layout in LAYOUTS.values():
                assert_same_bits(numact.elu(layout(x), alpha), want)
                wide = np.asarray(alpha, np.float64)
                assert_same_bits(RAW["elu"](layout(x), wide), RAW["elu"](x, wide))


def test_operands_without_elements() -> None:
    """Operands of other shapes, of which one has no elements, have a result without elements."""
    x = np.empty((0, 50), np.float32)
    for dy in (np.ones(50, np.float32), np.ones((1, 50), np.float32), np.ones((3, 1, 50), np.float32)):
        assert numact.gelu_grad(dy, x).shape == np.broadcast_shapes(dy.shape, x.shape)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64], ids=name_of)
def test_parameters_of_another_byte_order(dtype: Any) -> None:
    """A parameter of the ufunc itself may be an array without dimensions, in any byte order, beside views too."""
    x = np.random.default_rng(0).normal(size=(60, 70)).astype(dtype)[:, ::2]
    slope = np.array(0.25, of_parameters(dtype))
    want = numact.leaky_relu(x, 0.25)
    assert_same_bits(numact.leaky_relu.ufunc(x, slope), want)
    assert_same_bits(numact.leaky_relu.ufunc(x, slope.astype(slope.dtype.newbyteorder())), want)


def test_results_that_overlap_an_operand() -> None:
    memory = numbers((60, 60), np.float32)
    for target, source in ((np.s_[1:, 3:], np.s_[:-1, :-3]), (np.s_[:, :-1], np.s_[:, 1:])):
        want, found = memory.copy(), memory.copy()
        want[target] = numact.gelu(memory[source].copy())
        numact.gelu(found[source], out=found[target])
        assert_same_bits(found, want)
    square = memory.copy()
    numact.gelu(square.T, out=square)
    assert_same_bits(square, numact.gelu(memory.T.copy()))


def test_results_with_elements_that_share_memory() -> None:
    shared = np.lib.stride_tricks.as_strided(np.zeros(2000, np.float32), (40, 40), (8, 4))
    x = numbers((40, 40), np.float32)
    numact.relu(as_view(x), out=shared)
    assert_same_bits(shared[-1], numact.relu(x)[-1])


def test_overflow_is_reported_once_and_as_numpy_is_told() -> None:
    x = as_view(np.full((40, 40), 3e38, np.float32))
    with pytest.warns(RuntimeWarning, match="overflow encountered in swiglu") as seen:
        numact.swiglu(x, x)
    assert len(seen) == 1
    with np.errstate(over="raise"), pytest.raises(FloatingPointError, match="overflow"):
        numact.swiglu(x, x)
    with np.errstate(over="ignore"):
        assert np.isinf(numact.swiglu(x, x)).all()


def test_errors_are_those_of_numpy() -> None:
    x = as_view(numbers((40, 40), np.float32))
    with pytest.raises(ValueError, match="could not be broadcast"):
        numact.relu_grad(x, x[:, :-1])
    with pytest.raises(ValueError, match="broadcast"):
        numact.relu(x, out=np.empty((39, 40), np.float32))
    frozen = np.empty((40, 40), np.float32)
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        numact.relu(x, out=frozen)
    with pytest.raises(TypeError, match="cast"):
        numact.relu(x, out=np.empty((40, 40), np.int32))


def test_the_bits_do_not_depend_on_the_number_of_threads() -> None:
    x, dy = with_last_first(numbers((64, 33, 129), np.float32)), numbers((64, 33, 129), np.float32, 1)
    with numact.num_threads(1):
        want = numact.gelu_grad(dy, x), numact.gelu(as_view(dy))
    with numact.num_threads(4):
        assert_same_bits(numact.gelu_grad(dy, x), want[0])
        assert_same_bits(numact.gelu(as_view(dy)), want[1])


def test_concurrent_calls() -> None:
    x = as_view(numbers((300, 300), np.float32))
    want, wrong = numact.gelu(x.copy()), []

    def call() -> None:
        for _ in range(50):
            if not np.array_equal(numact.gelu(x), want):
                wrong.append(1)

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64], ids=str)
@pytest.mark.parametrize("shape", [(40, 5, 3, 16), (130, 67), (3, 129, 33), (256, 4, 8, 8)], ids=str)
def test_transposed_copies(dtype: Any, shape: tuple[int, ...]) -> None:
    """Masks, dropout and normalisation of transposed arrays, whose memory is copied block by block, as of copies."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=shape[1:] + shape[:1]).astype(dtype)
    x.flat[::7] = -0.0
    x = np.moveaxis(x, -1, 0)
    plain = np.ascontiguousarray(x)
    for threads in (1, 2):
        with numact.num_threads(threads):
            y, mask = numact.relu_masked(x)
            want, want_mask = numact.relu_masked(plain)
            assert_same_bits(y, want)
            assert mask == want_mask
            out = np.empty_like(x)
            assert numact.masked_grad(x, mask, off=0.5, out=out) is out
            assert_same_bits(out, numact.masked_grad(plain, mask, off=0.5))
            assert_same_bits(
                numact.dropout(x, 0.5, np.random.default_rng(1))[0],
                numact.dropout(plain, 0.5, np.random.default_rng(1))[0],
            )
            got, statistics = numact.norm.batch_norm_train(x, None, None)
            want, want_statistics = numact.norm.batch_norm_train(plain, None, None)
            assert_same_bits(got, want)
            np.testing.assert_array_equal(statistics.mean, want_statistics.mean)
