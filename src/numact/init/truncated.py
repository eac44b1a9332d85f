"""Weights whose distribution does not follow from the shape: cut normal, and sparse ones."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from numact._functions.arguments import Random, as_generator, number, number_between
from numact._functions.public import set_module
from numact.init.arguments import Layout, Shape, as_dtype, as_finite, as_shape, fans_of

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

# Of the standard normal distribution cut at -2 and 2: sqrt(1 - 4 phi(2) / (2 Phi(2) - 1)).
DEVIATION_OF_TRUNCATED = 0.87962566103423978


def standard_truncated(
    generator: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any], low: float, high: float
) -> NDArray[Any]:
    """Standard normal numbers from low to high: those outside are drawn again."""
    # float32 is compared with float64 exactly, also where it has no number so large.
    low, high = np.float64(low), np.float64(high)
    flat = generator.standard_normal(math.prod(shape), dtype.type)
    outside = np.flatnonzero((flat < low) | (flat > high))
    while outside.size:
        flat[outside] = generator.standard_normal(outside.size, dtype.type)
        outside = outside[(flat[outside] < low) | (flat[outside] > high)]
    return flat.reshape(shape)


@set_module("numact.init")
def truncated_normal(
    shape: Shape,
    rng: Random = None,
    dtype: DTypeLike = np.float64,
    mean: float = 0.0,
    std: float = 1.0,
    low: float = -2.0,
    high: float = 2.0,
) -> NDArray[Any]:
    """Weights from a normal distribution that is cut at two bounds.

    Parameters
    ----------
    shape : sequence of int
        Shape of the weights.
    rng : None, int, sequence of int, SeedSequence, BitGenerator, Generator or RandomState, optional
        Generator to draw from, or the seed of a new one.
    dtype : dtype, default float64
        float16, float32, float64, or bfloat16 of ml_dtypes.
    mean, std : float, default 0.0 and 1.0
        Mean and standard deviation of the distribution before it is cut.
    low, high : float, default -2.0 and 2.0
        The bounds, in standard deviations from the mean.

    Returns
    -------
    ndarray
        The weights, from ``mean + low * std`` to ``mean + high * std``.

    Raises
    ------
    ValueError
        Unless std >= 0 and low < high, if mean or std is not finite, or if hardly a number of the distribution lies
        between the bounds.
    TypeError
        If an argument is of another type.

    See Also
    --------
    he_normal, xavier_normal, lecun_normal : With ``truncated=True``, of the deviation that follows from the shape.

    Notes
    -----
    Cut at two deviations, the standard deviation is 0.8796 `std`.  The bounds of PyTorch's ``trunc_normal_`` are
    values; here they are multiples of `std`, as in JAX.  Numbers outside are drawn again.

    Examples
    --------
    >>> weights = numact.init.truncated_normal((784, 256), rng=0, std=0.02)
    >>> float(weights.std().round(3)), bool(abs(weights).max() < 0.05)
    (0.018, True)

    """
    name = "truncated_normal"
    lengths, kind = as_shape(name, shape, 0), as_dtype(name, dtype)
    mean, std = as_finite(name, "mean", mean), number_between(name, "std", as_finite(name, "std", std), 0, math.inf)
    low, high = number(name, "low", low), number(name, "high", high)
    share = (math.erf(high / math.sqrt(2)) - math.erf(low / math.sqrt(2))) / 2
    if not low < high or share < 1e-3:
        raise ValueError(f"{name}: low and high must have numbers of the distribution between, got {low} and {high}")
    wide = np.dtype(np.float64 if kind == np.float64 else np.float32)
    weights = standard_truncated(as_generator(name, rng), lengths, wide, low, high)
    weights *= std
    weights += mean
    return weights.astype(kind, copy=False)


@set_module("numact.init")
def sparse(
    shape: Shape,
    sparsity: float,
    rng: Random = None,
    dtype: DTypeLike = np.float64,
    std: float = 0.01,
    layout: Layout = "in_out",
) -> NDArray[Any]:
    """Normal weights of which a share of those of each input is 0.

    Parameters
    ----------
    shape : sequence of int
        Shape of the weights: inputs and outputs, two numbers.
    sparsity : float
        Share of the weights of each input that are 0, from 0 to 1; their number is rounded up.
    rng : None, int, sequence of int, SeedSequence, BitGenerator, Generator or RandomState, optional
        Generator to draw from, or the seed of a new one.
    dtype : dtype, default float64
        float16, float32, float64, or bfloat16 of ml_dtypes.
    std : float, default 0.01
        Standard deviation of the others.
    layout : {"in_out", "out_in"}, default "in_out"
        Whether inputs come first, or outputs.

    Returns
    -------
    ndarray
        The weights.

    Raises
    ------
    ValueError
        For a shape of other than two numbers, a sparsity outside [0, 1], a std that is negative or not finite, and an
        unknown layout.
    TypeError
        If an argument is of another type.

    See Also
    --------
    truncated_normal : Normal weights without large ones.

    Notes
    -----
    Martens, Deep Learning via Hessian-free Optimization, 2010.

    Examples
    --------
    >>> weights = numact.init.sparse((784, 256), 0.9, rng=0)
    >>> float((weights == 0).mean().round(2))
    0.9

    """
    name = "sparse"
    lengths, kind = as_shape(name, shape), as_dtype(name, dtype)
    if len(lengths) != 2:
        raise ValueError(f"{name}: shape must be two numbers, got {lengths}")
    inputs, outputs = fans_of(name, lengths, layout)
    sparsity = number_between(name, "sparsity", sparsity, 0, 1)
    std = number_between(name, "std", as_finite(name, "std", std), 0, math.inf)
    generator = as_generator(name, rng)
    weights = generator.standard_normal((inputs, outputs), np.float64 if kind == np.float64 else np.float32) * std
    order = np.argsort(generator.random((inputs, outputs)), axis=1)
    np.put_along_axis(weights, order[:, : math.ceil(sparsity * outputs)], 0, axis=1)
    return (weights if layout == "in_out" else weights.T).astype(kind, order="C")
