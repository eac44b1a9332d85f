"""Initial weights that keep the scale of activations and gradients from layer to layer: He, Xavier, LeCun, orthogonal.

With weights of variance gain^2 / fan_in, the pre-activations of a layer have the second moment of those before it,
where gain^2 E[f(z)^2] = 1 for a standard normal z: `gain` gives this number for every activation of the catalogue.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import index
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

import numpy as np

import numact
from numact._functions.names import plain

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

__all__ = [
    "gain",
    "he_normal",
    "he_uniform",
    "lecun_normal",
    "lecun_uniform",
    "orthogonal",
    "second_moment",
    "xavier_normal",
    "xavier_uniform",
]

Shape: TypeAlias = Sequence[int]
Random: TypeAlias = np.random.Generator | int | None
Gain: TypeAlias = float | str | tuple[str, Mapping[str, float]]
Layout: TypeAlias = Literal["in_out", "out_in"]
Mode: TypeAlias = Literal["fan_in", "fan_out", "fan_avg"]

# PyTorch's gains that do not follow from the second moment; layers without activation are linear.
TABLE = {"tanh": 5 / 3, "sigmoid": 1.0, "selu": 3 / 4}
LINEAR = {plain(f"conv{transposed}{n}d") for transposed in ("", "_transpose") for n in (1, 2, 3)} | {"linear"}

# Beyond this the density of the normal distribution is 0 in float64.
FARTHEST = 39.0
# Degree of the rule on an interval; the part of the whole that may be wrong on one; when to stop, at a double's width.
DEGREE, TOLERANCE, DEEPEST = 16, 1e-14, 50


def gain(name: str, **parameters: float) -> float:
    """Factor for the standard deviation of the weights behind an activation.

    Parameters
    ----------
    name : str
        Name of an elementwise activation, as `numact.get` knows it; "linear" or "conv2d" and the like stand for none.
    **parameters : float
        Parameters of the activation; the others have their defaults.

    Returns
    -------
    float
        5/3 for tanh, 1 for sigmoid and 3/4 for selu, as in PyTorch; for every other activation 1 / sqrt(E[f(z)^2]), z
        standard normal, which is PyTorch's for relu (the root of 2), leaky_relu (that of 2 / (1 + negative_slope^2))
        and linear layers (1).

    Raises
    ------
    ValueError
        For a name that no function has, one that is not elementwise, or a parameter that the activation does not allow;
        if its output is 0 everywhere, or has no second moment.
    TypeError
        For a parameter that the activation does not have, or one that is not a number; if a parameter without default
        is missing.

    See Also
    --------
    second_moment : E[f(z)^2].

    Notes
    -----
    With the value 1 / sqrt(E[f(z)^2]) the second moment of the pre-activations can stay 1 in every layer.  Whether it
    does depends on the activation: where E[f(x)^2] grows faster than E[x^2], a deviation grows from layer to layer,
    fast for relu_squared and exponential, by 8 to 22 % for gelu, silu, mish and their like.  With PyTorch's values for
    tanh, sigmoid and selu the second moment approaches another value and stays there.

    He et al., Delving Deep into Rectifiers, 2015.

    Examples
    --------
    >>> numact.init.gain("leaky_relu", negative_slope=0.2)
    1.386750490563073

    """
    if isinstance(name, str) and plain(name) in LINEAR:
        if parameters:
            raise TypeError(f"gain: {name} has no parameter {', '.join(parameters)}")
        return 1.0
    found, values = _resolve("gain", name, parameters)
    if found in TABLE:
        return TABLE[found]
    return 1 / math.sqrt(_second_moment(found, values))


def second_moment(name: str, **parameters: float) -> float:
    """E[f(z)^2] of an elementwise activation f, for a standard normal z.

    Parameters
    ----------
    name : str
        Name of an elementwise activation, as `numact.get` knows it.
    **parameters : float
        Parameters of the activation; the others have their defaults.

    Returns
    -------
    float
        The expectation, to a relative error of 1e-9 or less.

    Raises
    ------
    ValueError, TypeError
        As `gain`.

    See Also
    --------
    gain : What follows from it for the weights.

    Notes
    -----
    Computed once for every function and parameters by quadrature of the float64 function (Clenshaw and Curtis, 1960),
    on intervals that are halved until both halves agree with the whole.

    Examples
    --------
    >>> numact.init.second_moment("relu")
    0.5

    """
    return _second_moment(*_resolve("second_moment", name, parameters))


def _resolve(function: str, name: str, parameters: Mapping[str, Any]) -> tuple[str, tuple[float, ...]]:
    """Name of an elementwise activation, and the values of its parameters, all checked."""
    if not isinstance(name, str):
        raise TypeError(f"{function}: name must be a string, got {name!r}")
    found = numact.get(name).__name__
    row = next((row for row in numact.catalogue() if row.name == found and row.family == "elementwise"), None)
    if row is None:
        raise ValueError(f"{function}: name must be that of an elementwise activation, got {name!r}")
    allowed = dict(row.parameters)
    for key, value in parameters.items():
        if key not in allowed:
            has = f"has the parameters {', '.join(allowed)}" if allowed else "has no parameters"
            raise TypeError(f"{function}: {found} {has}, got {key!r}")
        if not isinstance(value, float | int | np.floating | np.integer):
            raise TypeError(f"{function}: {key} must be a number, got {value!r}")
        if math.isnan(value):
            raise ValueError(f"{function}: {key} must not be NaN")
    values = {**allowed, **parameters}
    numact.get(found)(np.zeros(1), **({key: values[key] for key in allowed}))  # checks the rules of the activation
    return found, tuple(float(cast("float", value)) for value in values.values())


@lru_cache(maxsize=1024)
def _second_moment(name: str, values: tuple[float, ...]) -> float:
    """E[f(z)^2], checked to be a positive number."""
    function = numact.get(name)
    result = expectation(lambda z: function(z, *values))
    if not 0 < result < math.inf:
        raise ValueError(f"gain: {name}{values or ''} has the second moment {result}, from which no gain follows")
    return result


def expectation(function: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> float:
    """E[f(z)^2] for a standard normal z.

    Intervals on which the rule and the sum of the rule on both halves differ are halved again, all at once, down to
    those around a jump, which are then so short that they do not matter.  The rule has the ends among its points, so
    that no kink or jump beside one escapes it.
    """
    k, j = np.arange(DEGREE + 1), np.arange(1, DEGREE // 2 + 1)
    nodes = np.cos(np.pi * k / DEGREE)
    terms = np.where(j == DEGREE // 2, 1, 2) / (4 * j * j - 1) * np.cos(2 * np.pi * np.outer(k, j) / DEGREE)
    weights = np.where(k % DEGREE == 0, 1, 2) / DEGREE * (1 - terms.sum(axis=1))

    def integrals(low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.float64]:
        half = (high - low)[:, None] / 2
        z = (low + high)[:, None] / 2 + half * nodes
        with np.errstate(all="ignore"):
            root = function(z) * np.exp(z * z / -4)  # squared with its factor, so that f^2 does not overflow alone
            return cast("NDArray[np.float64]", ((root * root * half) @ weights) / math.sqrt(2 * math.pi))

    edges = np.linspace(-FARTHEST, FARTHEST, 157)
    low, high = edges[:-1], edges[1:]
    whole, accepted = integrals(low, high), []
    if not math.isfinite(allowed := TOLERANCE * float(whole.sum())):
        return math.nan
    for _ in range(DEEPEST):
        middle = (low + high) / 2
        left, right = integrals(low, middle), integrals(middle, high)
        rough = np.abs(left + right - whole) > allowed
        accepted += (left + right)[~rough].tolist()
        low, middle, high, left, right = (array[rough] for array in (low, middle, high, left, right))
        if not low.size:
            break
        low, high, whole = np.append(low, middle), np.append(middle, high), np.append(left, right)
    else:
        accepted += whole.tolist()
    return math.fsum(accepted)


def he_normal(
    shape: Shape,
    rng: Random = None,
    dtype: DTypeLike = np.float64,
    gain: Gain = "relu",
    mode: Mode = "fan_in",
    layout: Layout = "in_out",
) -> NDArray[Any]:
    """Normal weights with the standard deviation gain / sqrt(fan), for relu and its relatives.

    Parameters
    ----------
    shape : sequence of int
        Shape of the weights, two numbers or more.
    rng : numpy.random.Generator, int or None, optional
        Generator to draw from, the seed of a new one, or None for one that differs every time.
    dtype : dtype, default float64
        float16, float32, float64, or bfloat16 of ml_dtypes; the first and the last are drawn in float32 and rounded.
    gain : float, str or (str, dict), default "relu"
        Factor, or the name of the activation that follows, with its parameters if they are not the defaults:
        ``("leaky_relu", {"negative_slope": 0.2})``.
    mode : {"fan_in", "fan_out", "fan_avg"}, default "fan_in"
        Whether to keep the scale of the activations, of the gradients, or something between.
    layout : {"in_out", "out_in"}, default "in_out"
        "in_out": the last two dimensions are inputs and outputs, as in ``x @ weights`` and in Keras and JAX; those
        before are the kernel of a convolution.  "out_in": the first two are outputs and inputs, as in PyTorch; the
        kernel is behind.

    Returns
    -------
    ndarray
        The weights.

    Raises
    ------
    ValueError
        For a shape of fewer than two or of negative numbers, a gain that is not finite and positive, a name that is
        unknown, or another mode or layout.
    TypeError
        For a dtype that is none of these, or arguments of other types.

    See Also
    --------
    he_uniform : The same, uniform.
    gain : Factors for all activations.

    Notes
    -----
    The fan is the number of inputs, or outputs, times the size of the kernel; fan_avg is the mean of both.

    He et al., Delving Deep into Rectifiers, 2015.

    Examples
    --------
    >>> weights = numact.init.he_normal((784, 256), rng=0, dtype=np.float32)
    >>> kernel = numact.init.he_normal((64, 3, 5, 5), gain="gelu", layout="out_in")

    """
    return _normal("he_normal", shape, rng, dtype, gain, mode, layout)


def he_uniform(
    shape: Shape,
    rng: Random = None,
    dtype: DTypeLike = np.float64,
    gain: Gain = "relu",
    mode: Mode = "fan_in",
    layout: Layout = "in_out",
) -> NDArray[Any]:
    """Uniform weights of the standard deviation of `he_normal`: from -b to b, b = gain sqrt(3 / fan).

    Parameters
    ----------
    shape, rng, dtype, gain, mode, layout
        As in `he_normal`.

    Returns
    -------
    ndarray
        The weights.

    Raises
    ------
    ValueError, TypeError
        As `he_normal`.

    See Also
    --------
    he_normal : The same, normal.

    Notes
    -----
    He et al., Delving Deep into Rectifiers, 2015.  PyTorch's kaiming_uniform_.

    Examples
    --------
    >>> weights = numact.init.he_uniform((784, 256), rng=0, gain=("leaky_relu", {"negative_slope": 0.2}))

    """
    return _uniform("he_uniform", shape, rng, dtype, gain, mode, layout)


def xavier_normal(
    shape: Shape, rng: Random = None, dtype: DTypeLike = np.float64, gain: Gain = 1.0, layout: Layout = "in_out"
) -> NDArray[Any]:
    """Normal weights with the standard deviation gain sqrt(2 / (fan_in + fan_out)), for tanh and its relatives.

    Parameters
    ----------
    shape, rng, dtype, layout
        As in `he_normal`.
    gain : float, str or (str, dict), default 1.0
        As in `he_normal`.

    Returns
    -------
    ndarray
        The weights.

    Raises
    ------
    ValueError, TypeError
        As `he_normal`.

    See Also
    --------
    xavier_uniform : The same, uniform.

    Notes
    -----
    Glorot and Bengio, Understanding the Difficulty of Training Deep Feedforward Neural Networks, 2010.

    Examples
    --------
    >>> weights = numact.init.xavier_normal((784, 256), rng=0, gain="tanh")

    """
    return _normal("xavier_normal", shape, rng, dtype, gain, "fan_avg", layout)


def xavier_uniform(
    shape: Shape, rng: Random = None, dtype: DTypeLike = np.float64, gain: Gain = 1.0, layout: Layout = "in_out"
) -> NDArray[Any]:
    """Uniform weights of the standard deviation of `xavier_normal`: up to b = gain sqrt(6 / (fan_in + fan_out)).

    Parameters
    ----------
    shape, rng, dtype, layout
        As in `he_normal`.
    gain : float, str or (str, dict), default 1.0
        As in `he_normal`.

    Returns
    -------
    ndarray
        The weights.

    Raises
    ------
    ValueError, TypeError
        As `he_normal`.

    See Also
    --------
    xavier_normal : The same, normal.

    Notes
    -----
    Glorot and Bengio, Understanding the Difficulty of Training Deep Feedforward Neural Networks, 2010.

    Examples
    --------
    >>> weights = numact.init.xavier_uniform((784, 256), rng=0)

    """
    return _uniform("xavier_uniform", shape, rng, dtype, gain, "fan_avg", layout)


def lecun_normal(
    shape: Shape, rng: Random = None, dtype: DTypeLike = np.float64, gain: Gain = 1.0, layout: Layout = "in_out"
) -> NDArray[Any]:
    """Normal weights with the standard deviation gain / sqrt(fan_in), for selu and linear layers.

    Parameters
    ----------
    shape, rng, dtype, layout
        As in `he_normal`.
    gain : float, str or (str, dict), default 1.0
        As in `he_normal`.

    Returns
    -------
    ndarray
        The weights.

    Raises
    ------
    ValueError, TypeError
        As `he_normal`.

    See Also
    --------
    lecun_uniform : The same, uniform.

    Notes
    -----
    LeCun et al., Efficient BackProp, 1998.

    Examples
    --------
    >>> weights = numact.init.lecun_normal((784, 256), rng=0)

    """
    return _normal("lecun_normal", shape, rng, dtype, gain, "fan_in", layout)


def lecun_uniform(
    shape: Shape, rng: Random = None, dtype: DTypeLike = np.float64, gain: Gain = 1.0, layout: Layout = "in_out"
) -> NDArray[Any]:
    """Uniform weights of the standard deviation of `lecun_normal`: from -b to b, b = gain sqrt(3 / fan_in).

    Parameters
    ----------
    shape, rng, dtype, layout
        As in `he_normal`.
    gain : float, str or (str, dict), default 1.0
        As in `he_normal`.

    Returns
    -------
    ndarray
        The weights.

    Raises
    ------
    ValueError, TypeError
        As `he_normal`.

    See Also
    --------
    lecun_normal : The same, normal.

    Notes
    -----
    LeCun et al., Efficient BackProp, 1998.

    Examples
    --------
    >>> weights = numact.init.lecun_uniform((784, 256), rng=0)

    """
    return _uniform("lecun_uniform", shape, rng, dtype, gain, "fan_in", layout)


def orthogonal(
    shape: Shape, rng: Random = None, dtype: DTypeLike = np.float64, gain: Gain = 1.0, layout: Layout = "in_out"
) -> NDArray[Any]:
    """Weights that are gain times a random orthogonal matrix.

    Parameters
    ----------
    shape, rng, dtype, layout
        As in `he_normal`.
    gain : float, str or (str, dict), default 1.0
        As in `he_normal`.

    Returns
    -------
    ndarray
        The weights.  As a matrix from inputs (times the size of the kernel) to outputs, the smaller of both numbers of
        rows and columns are orthogonal to one another, and of length gain.

    Raises
    ------
    ValueError, TypeError
        As `he_normal`.

    Notes
    -----
    The factor Q of a normal matrix, its signs chosen so that all orthogonal matrices are equally likely; computed in
    float64.

    Saxe et al., Exact Solutions to the Nonlinear Dynamics of Learning in Deep Linear Neural Networks, 2014.

    Examples
    --------
    >>> weights = numact.init.orthogonal((256, 256), rng=0, gain="tanh")

    """
    lengths, factor, kind = _shape("orthogonal", shape), _factor("orthogonal", gain), _dtype("orthogonal", dtype)
    fan_in, fan_out = _fans("orthogonal", lengths, layout)
    columns = lengths[-1] if layout == "in_out" else math.prod(lengths[1:])
    rows = math.prod(lengths) // columns if columns else 0
    generator = _generator("orthogonal", rng)
    if not fan_in * fan_out:
        return np.zeros(lengths, kind)
    normal = generator.standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(normal)
    q *= np.where(np.diagonal(r) < 0, -factor, factor)
    return (q if rows >= columns else q.T).reshape(lengths).astype(kind)


def _shape(function: str, shape: Shape) -> tuple[int, ...]:
    try:
        lengths = tuple(index(length) for length in shape)
    except TypeError:
        raise TypeError(f"{function}: shape must be a sequence of integers, got {shape!r}") from None
    if len(lengths) < 2 or min(lengths) < 0:
        raise ValueError(f"{function}: shape must be two numbers or more, none negative, got {lengths}")
    return lengths


def _fans(function: str, shape: tuple[int, ...], layout: Layout) -> tuple[int, int]:
    """Number of inputs and of outputs, times the size of the kernel."""
    if layout == "in_out":
        *kernel, inputs, outputs = shape
    elif layout == "out_in":
        outputs, inputs, *kernel = shape
    else:
        raise ValueError(f'{function}: layout must be "in_out" or "out_in", got {layout!r}')
    return inputs * math.prod(kernel), outputs * math.prod(kernel)


def _dtype(function: str, dtype: DTypeLike) -> np.dtype[Any]:
    try:
        kind = np.dtype(dtype)
    except TypeError:
        raise TypeError(f"{function}: dtype must be a floating-point type, got {dtype!r}") from None
    if kind.name not in ("float16", "float32", "float64", "bfloat16"):
        raise TypeError(f"{function}: dtype must be float16, bfloat16, float32 or float64, got {kind}")
    return kind


def _generator(function: str, rng: Random) -> np.random.Generator:
    if isinstance(rng, np.random.Generator):
        return rng
    if rng is not None:
        try:
            rng = index(rng)
        except TypeError:
            raise TypeError(f"{function}: rng must be a numpy.random.Generator, a seed or None, got {rng!r}") from None
        if rng < 0:
            raise ValueError(f"{function}: rng must be >= 0 as a seed, got {rng}")
    return np.random.default_rng(rng)


def _factor(function: str, value: Gain) -> float:
    if isinstance(value, str):
        return gain(value)
    if isinstance(value, tuple):
        if len(value) != 2 or not isinstance(value[1], Mapping):
            raise TypeError(f"{function}: gain must be a number, a name or (name, parameters), got {value!r}")
        return gain(value[0], **value[1])
    if not isinstance(value, float | int | np.floating | np.integer):
        raise TypeError(f"{function}: gain must be a number, a name or (name, parameters), got {value!r}")
    if not 0 < value < math.inf:
        raise ValueError(f"{function}: gain must be > 0 and finite, got {value}")
    return float(value)


def _deviation(function: str, shape: tuple[int, ...], value: Gain, mode: Mode, layout: Layout) -> float:
    """Standard deviation of the weights."""
    fan_in, fan_out = _fans(function, shape, layout)
    fans = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
    if mode not in fans:
        raise ValueError(f"{function}: mode must be one of {', '.join(fans)}, got {mode!r}")
    return _factor(function, value) / math.sqrt(fans[mode] or 1)


def _drawn(kind: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype in which random numbers are drawn."""
    return kind if kind == np.float64 else np.dtype(np.float32)


def _normal(
    function: str, shape: Shape, rng: Random, dtype: DTypeLike, value: Gain, mode: Mode, layout: Layout
) -> NDArray[Any]:
    lengths, kind = _shape(function, shape), _dtype(function, dtype)
    deviation = _deviation(function, lengths, value, mode, layout)
    weights = _generator(function, rng).standard_normal(lengths, _drawn(kind).type)
    weights *= deviation
    return weights.astype(kind, copy=False)


def _uniform(
    function: str, shape: Shape, rng: Random, dtype: DTypeLike, value: Gain, mode: Mode, layout: Layout
) -> NDArray[Any]:
    lengths, kind = _shape(function, shape), _dtype(function, dtype)
    bound = math.sqrt(3) * _deviation(function, lengths, value, mode, layout)
    weights = _generator(function, rng).random(lengths, _drawn(kind).type)
    weights *= 2 * bound
    weights -= bound
    return weights.astype(kind, copy=False)
