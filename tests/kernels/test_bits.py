"""A result depends on the value, the dtype and the parameters only: not on the level, nor on the place in an array."""

from typing import Any

import numpy as np
import pytest
from support.cases import (
    BUILT,
    DTYPES,
    FUNCTIONS,
    LEVELS,
    Array,
    Function,
    assert_same_bits,
    critical,
    name_of,
    samples,
    specials,
    stratified,
)

pytestmark = [
    pytest.mark.parametrize("function", FUNCTIONS, ids=name_of),
    pytest.mark.parametrize("dtype", DTYPES, ids=name_of),
]


def many(dtype: Any) -> Array:
    """Two hundred thousand numbers of all kinds."""
    return np.concatenate([specials(dtype), critical(dtype, 8, 120), stratified(dtype, 200_000)])


def weights(x: Array) -> Array:
    """Make a dy for every x, special values among them."""
    return np.random.default_rng(1).permutation(np.concatenate([samples(x.dtype.type, x.size), x])[-x.size :])


@pytest.mark.parametrize("level", LEVELS[1:])
def test_levels(function: Function, dtype: Any, level: str) -> None:
    """Every level gives the bits of the baseline."""
    for inputs in (many(dtype), function.inputs(many(dtype))):
        for parameters in function.parameters(dtype):
            for dy in (None, weights(inputs)):
                operands = function.operands(inputs, parameters, dy)
                with np.errstate(over="ignore"):
                    got, want = BUILT[level][function.name](*operands), BUILT["baseline"][function.name](*operands)
                assert_same_bits(got, want, inputs, f"{function.name} {parameters}, {level} against baseline:")


@pytest.mark.parametrize("level", LEVELS)
def test_position(function: Function, dtype: Any, level: str) -> None:
    """Slices of every length, offset and stride give the bits of the whole."""
    ufunc = BUILT[level][function.name]
    x = np.random.default_rng(2).permutation(samples(dtype, 600))
    dy = weights(x)
    with np.errstate(over="ignore"):
        whole = ufunc(*function.operands(x, dy=dy))
        slices = [slice(start, start + n) for n in range(71) for start in (0, 1, 3, 6 + n)]
        slices += [slice(start, None, step) for step in (-1, 2, -2, 3, 5, 300) for start in (None, 7, 301)]
        for part in slices:
            got = ufunc(*function.operands(x[part], dy=dy[part]))
            assert_same_bits(got, whole[part], x[part], f"{function.name}, {level}, {part}:")
            if part.step is None:
                out = np.full(2 * x[part].size, np.nan, dtype)
                ufunc(*function.operands(x[part], dy=dy[part]), out=out[::2])
                assert_same_bits(out[::2], whole[part], x[part], f"{function.name}, {level}, {part}, strided out:")
                assert np.isnan(out[1::2]).all()
        singles = [ufunc(*function.operands(x[i], dy=dy[i])) for i in range(x.size)]
    assert_same_bits(np.array(singles), whole, x, f"{function.name}, {level}, single elements:")


def test_parameters_as_arrays(function: Function, dtype: Any) -> None:
    """A parameter that is an array of equal values gives the bits of the single value."""
    x = samples(dtype)
    for parameters in function.parameters(dtype):
        arrays = tuple(np.full(x.size, parameter) for parameter in parameters)
        with np.errstate(over="ignore"):
            got, want = (function.ufunc()(*function.operands(x, values)) for values in (arrays, parameters))
        assert_same_bits(got, want, x, function.name)
