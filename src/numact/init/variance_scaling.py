"""Random weights of independent elements, with a standard deviation that follows from the shape: He, Xavier, LeCun."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from numact._functions.arguments import Random, as_generator, boolean, choice
from numact._functions.public import set_module
from numact.init.arguments import (
    Gain,
    Layout,
    Mode,
    Shape,
    as_dtype,
    as_factor,
    as_shape,
    fans_of,
)
from numact.init.docstrings import documented
from numact.init.truncated import DEVIATION_OF_TRUNCATED, standard_truncated

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray


def deviation_of(function: str, shape: tuple[int, ...], gain: Gain, mode: Mode, layout: Layout, groups: int) -> float:
    """Standard deviation of the weights."""
    fan_in, fan_out = fans_of(function, shape, layout, groups)
    fans = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
    return as_factor(function, gain) / math.sqrt(fans[choice(function, "mode", mode, fans)] or 1)


def drawn_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype in which random numbers are drawn."""
    return dtype if dtype == np.float64 else np.dtype(np.float32)


def draw_normal(
    function: str,
    shape: Shape,
    rng: Random,
    dtype: DTypeLike,
    gain: Gain,
    mode: Mode,
    layout: Layout,
    groups: int,
    truncated: bool,
) -> NDArray[Any]:
    """Weights from a normal distribution, or from one that is cut at two deviations, with the same variance."""
    lengths, kind = as_shape(function, shape), as_dtype(function, dtype)
    deviation = deviation_of(function, lengths, gain, mode, layout, groups)
    generator = as_generator(function, rng)
    if boolean(function, "truncated", truncated):
        weights = standard_truncated(generator, lengths, drawn_dtype(kind), -2, 2)
        deviation /= DEVIATION_OF_TRUNCATED
    else:
        weights = generator.standard_normal(lengths, drawn_dtype(kind).type)
    weights *= deviation
    return weights.astype(kind, copy=False)


def draw_uniform(
    function: str, shape: Shape, rng: Random, dtype: DTypeLike, gain: Gain, mode: Mode, layout: Layout, groups: int
) -> NDArray[Any]:
    """Weights from a uniform distribution, whose standard deviation is its bound / sqrt(3)."""
    lengths, kind = as_shape(function, shape), as_dtype(function, dtype)
    bound = math.sqrt(3) * deviation_of(function, lengths, gain, mode, layout, groups)
    weights = as_generator(function, rng).random(lengths, drawn_dtype(kind).type)
    weights *= 2 * bound
    weights -= bound
    return weights.astype(kind, copy=False)


@set_module("numact.init")
@documented
def he_normal(
    shape: Shape,
    rng: Random = None,
    dtype: DTypeLike = np.float64,
    gain: Gain = "relu",
    mode: Mode = "fan_in",
    layout: Layout = "in_out",
    *,
    groups: int = 1,
    truncated: bool = False,
) -> NDArray[Any]:
    """Normal weights with the standard deviation gain / sqrt(fan), for relu and its relatives.

    Parameters
    ----------
    {parameters}

    Returns
    -------
    ndarray
        The weights.

    Raises
    ------
    {raises}

    See Also
    --------
    he_uniform : The same, uniform.
    gain : Factors for all activations.

    Notes
    -----
    The fan is the number of inputs, or outputs of a group, times the size of the kernel; fan_avg is the mean of both.
    float16 and bfloat16 are drawn in float32 and rounded.

    He et al., Delving Deep into Rectifiers, 2015.

    Examples
    --------
    >>> weights = numact.init.he_normal((784, 256), rng=0, dtype=np.float32)
    >>> weights.shape, weights.dtype
    ((784, 256), dtype('float32'))
    >>> float(weights.std().round(3)), round((2 / 784) ** 0.5, 3)
    (0.05000000074505806, 0.051)
    >>> kernel = numact.init.he_normal((64, 3, 5, 5), gain="gelu", layout="out_in")

    """
    return draw_normal("he_normal", shape, rng, dtype, gain, mode, layout, groups, truncated)


@set_module("numact.init")
@documented
def he_uniform(
    shape: Shape,
    rng: Random = None,
    dtype: DTypeLike = np.float64,
    gain: Gain = "relu",
    mode: Mode = "fan_in",
    layout: Layout = "in_out",
    *,
    groups: int = 1,
) -> NDArray[Any]:
    """Uniform weights of the standard deviation of `he_normal`: from -b to b, b = gain sqrt(3 / fan).

    Parameters
    ----------
    {parameters}

    Returns
    -------
    ndarray
        The weights.

    Raises
    ------
    {raises}

    See Also
    --------
    he_normal : The same, normal.

    Notes
    -----
    The fan is that of `he_normal`.

    He et al., Delving Deep into Rectifiers, 2015.  PyTorch's ``kaiming_uniform_``.

    Examples
    --------
    >>> weights = numact.init.he_uniform((784, 256), rng=0, gain=("leaky_relu", {"negative_slope": 0.2}))
    >>> float(weights.std().round(3))
    0.049

    """
    return draw_uniform("he_uniform", shape, rng, dtype, gain, mode, layout, groups)


@set_module("numact.init")
@documented
def xavier_normal(
    shape: Shape,
    rng: Random = None,
    dtype: DTypeLike = np.float64,
    gain: Gain = 1.0,
    layout: Layout = "in_out",
    *,
    groups: int = 1,
    truncated: bool = False,
) -> NDArray[Any]:
    """Normal weights with the standard deviation gain sqrt(2 / (fan_in + fan_out)), for tanh and its relatives.

    Parameters
    ----------
    {parameters}

    Returns
    -------
    ndarray
        The weights.

    Raises
    ------
    {raises}

    See Also
    --------
    xavier_uniform : The same, uniform.

    Notes
    -----
    Glorot and Bengio, Understanding the Difficulty of Training Deep Feedforward Neural Networks, 2010.

    Examples
    --------
    >>> weights = numact.init.xavier_normal((784, 256), rng=0, gain="tanh")
    >>> float(weights.std().round(3))
    0.073

    """
    return draw_normal("xavier_normal", shape, rng, dtype, gain, "fan_avg", layout, groups, truncated)


@set_module("numact.init")
@documented
def xavier_uniform(
    shape: Shape,
    rng: Random = None,
    dtype: DTypeLike = np.float64,
    gain: Gain = 1.0,
    layout: Layout = "in_out",
    *,
    groups: int = 1,
) -> NDArray[Any]:
    """Uniform weights of the standard deviation of `xavier_normal`: up to b = gain sqrt(6 / (fan_in + fan_out)).

    Parameters
    ----------
    {parameters}

    Returns
    -------
    ndarray
        The weights.

    Raises
    ------
    {raises}

    See Also
    --------
    xavier_normal : The same, normal.

    Notes
    -----
    Glorot and Bengio, Understanding the Difficulty of Training Deep Feedforward Neural Networks, 2010.

    Examples
    --------
    >>> weights = numact.init.xavier_uniform((784, 256), rng=0)
    >>> float(weights.std().round(3)), round((2 / (784 + 256)) ** 0.5, 3)
    (0.044, 0.044)

    """
    return draw_uniform("xavier_uniform", shape, rng, dtype, gain, "fan_avg", layout, groups)


@set_module("numact.init")
@documented
def lecun_normal(
    shape: Shape,
    rng: Random = None,
    dtype: DTypeLike = np.float64,
    gain: Gain = 1.0,
    layout: Layout = "in_out",
    *,
    groups: int = 1,
    truncated: bool = False,
) -> NDArray[Any]:
    """Normal weights with the standard deviation gain / sqrt(fan_in), for selu and linear layers.

    Parameters
    ----------
    {parameters}

    Returns
    -------
    ndarray
        The weights.

    Raises
    ------
    {raises}

    See Also
    --------
    lecun_uniform : The same, uniform.

    Notes
    -----
    LeCun et al., Efficient BackProp, 1998.

    Examples
    --------
    >>> weights = numact.init.lecun_normal((784, 256), rng=0)
    >>> float(weights.std().round(3)), round((1 / 784) ** 0.5, 3)
    (0.036, 0.036)

    """
    return draw_normal("lecun_normal", shape, rng, dtype, gain, "fan_in", layout, groups, truncated)


@set_module("numact.init")
@documented
def lecun_uniform(
    shape: Shape,
    rng: Random = None,
    dtype: DTypeLike = np.float64,
    gain: Gain = 1.0,
    layout: Layout = "in_out",
    *,
    groups: int = 1,
) -> NDArray[Any]:
    """Uniform weights of the standard deviation of `lecun_normal`: from -b to b, b = gain sqrt(3 / fan_in).

    Parameters
    ----------
    {parameters}

    Returns
    -------
    ndarray
        The weights.

    Raises
    ------
    {raises}

    See Also
    --------
    lecun_normal : The same, normal.

    Notes
    -----
    LeCun et al., Efficient BackProp, 1998.

    Examples
    --------
    >>> weights = numact.init.lecun_uniform((784, 256), rng=0)
    >>> float(weights.std().round(3)), round((1 / 784) ** 0.5, 3)
    (0.036, 0.036)

    """
    return draw_uniform("lecun_uniform", shape, rng, dtype, gain, "fan_in", layout, groups)
