"""The factor for the standard deviation of weights that keeps the scale behind an activation."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from numact._functions import names
from numact._functions.catalogue import catalogue
from numact._functions.names import plain
from numact._functions.parametric import ParametricUfunc, values_of
from numact._functions.public import set_module
from numact._functions.words import hint
from numact._kernels.messages import shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

# PyTorch's gains that do not follow from the second moment, and its names of layers without activation.
TABLE = {"tanh": 5 / 3, "sigmoid": 1.0, "selu": 3 / 4}
LINEAR = {plain(f"conv{transposed}{n}d") for transposed in ("", "_transpose") for n in (1, 2, 3)} | {"linear"}
# The density of the normal distribution is 0 in float64 beyond this.
FARTHEST = 39.0
# Degree of the quadrature rule; error allowed on an interval, relative to the whole integral; and how often an interval
# is halved, down to about the spacing of float64.
DEGREE, TOLERANCE, DEEPEST = 16, 1e-14, 50


@set_module("numact.init")
def gain(name: str, **parameters: float) -> float:
    """Factor for the standard deviation of the weights behind an activation.

    Parameters
    ----------
    name : str
        Name of an elementwise activation, as `numact.get` knows it, with or without parameters; "linear", "conv2d" and
        the like stand for no activation.
    **parameters : float
        Parameters of the activation; the others have their defaults.

    Returns
    -------
    float
        5/3 for tanh, 1 for sigmoid and 3/4 for selu, as in PyTorch; for every other activation 1 / sqrt(E[f(z)^2]), z
        standard normal.  These are PyTorch's too for relu, sqrt(2), for leaky_relu, sqrt(2 / (1 + negative_slope^2)),
        and for linear layers, 1.

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
    second_moment : The expectation E[f(z)^2].

    Notes
    -----
    With the value 1 / sqrt(E[f(z)^2]) the second moment of the pre-activations can stay 1 in every layer.  Whether it
    does depends on the activation: where E[f(x)^2] grows faster than E[x^2], a deviation grows from layer to layer,
    fast for relu_squared and exponential, by 8 to 22 % for gelu, silu, mish and their like.  With PyTorch's values for
    tanh, sigmoid and selu the second moment approaches another value and stays there.

    He et al., Delving Deep into Rectifiers, 2015.

    Examples
    --------
    >>> round(numact.init.gain("leaky_relu", negative_slope=0.2), 6)
    1.38675

    """
    if isinstance(name, str) and plain(name) in LINEAR:
        if parameters:
            raise TypeError(f"gain: {name} has no parameter {', '.join(parameters)}")
        return 1.0
    found, values = resolve("gain", name, parameters)
    if found in TABLE:
        return TABLE[found]
    return 1 / math.sqrt(_second_moment(found, values))


@set_module("numact.init")
def second_moment(name: str, **parameters: float) -> float:
    """E[f(z)^2] of an elementwise activation f, for a standard normal z.

    Parameters
    ----------
    name : str
        Name of an elementwise activation, as `numact.get` knows it, with or without parameters.
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
    gain : The factor for weights that follows from it.

    Notes
    -----
    Computed once for each function and its parameters, by quadrature of the float64 function (Clenshaw and Curtis,
    1960) on intervals that are halved until both halves agree with the whole.

    Examples
    --------
    >>> round(numact.init.second_moment("relu"), 12)
    0.5

    """
    return _second_moment(*resolve("second_moment", name, parameters))


def resolve(function: str, name: str, parameters: Mapping[str, Any]) -> tuple[str, tuple[float, ...]]:
    """Name of an elementwise activation, and the values of its parameters, all checked."""
    if not isinstance(name, str):
        raise TypeError(f"{function}: name must be a string, got {shown(name)}")
    found, named = names.find_argument(function, "name", name)
    parameters = {**named, **parameters}
    row = next((row for row in catalogue() if row.name == found and row.family == "elementwise"), None)
    if row is None:
        raise ValueError(f"{function}: name must be that of an elementwise activation, got {shown(name)}")
    allowed = dict(row.parameters)
    for key, value in parameters.items():
        if key not in allowed:
            raise TypeError(f"{function}: {found} has no parameter {key}{hint(found, allowed, key)}")
        if not isinstance(value, float | int | np.floating | np.integer):
            raise TypeError(f"{function}: {key} must be a number, got {shown(value)}")
        if math.isnan(value):
            raise ValueError(f"{function}: {key} must not be NaN")
    values = {**allowed, **parameters}
    if isinstance(call := names.get(found), ParametricUfunc):
        values_of(function, "name", call, {key: value for key, value in values.items() if value is not None})
    return found, tuple(float(cast("float", value)) for value in values.values())


@lru_cache(maxsize=1024)
def _second_moment(name: str, values: tuple[float, ...]) -> float:
    """E[f(z)^2], checked to be a positive number."""
    function = names.get(name)
    result = expectation(lambda z: function(z, *values))
    if not 0 < result < math.inf:
        raise ValueError(f"gain: {name}{values or ''} has the second moment {result}, from which no gain follows")
    return result


def expectation(function: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> float:
    """E[f(z)^2] for a standard normal z.

    Adaptive Clenshaw-Curtis quadrature: an interval on which the rule differs from its sum over both halves is halved
    again, all such intervals at once.  Those around a jump become so short that their error is negligible.  The rule
    includes the end points of an interval, so that it does not miss a kink or jump next to one.
    """
    k, j = np.arange(DEGREE + 1), np.arange(1, DEGREE // 2 + 1)
    nodes = np.cos(np.pi * k / DEGREE)
    terms = np.where(j == DEGREE // 2, 1, 2) / (4 * j * j - 1) * np.cos(2 * np.pi * np.outer(k, j) / DEGREE)
    weights = np.where(k % DEGREE == 0, 1, 2) / DEGREE * (1 - terms.sum(axis=1))

    def integrals(low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.float64]:
        half = (high - low)[:, None] / 2
        z = (low + high)[:, None] / 2 + half * nodes
        with np.errstate(all="ignore"):
            root = function(z) * np.exp(z * z / -4)  # f^2 alone may overflow
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
