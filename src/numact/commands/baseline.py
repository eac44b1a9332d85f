"""The activations as a NumPy user would write them, which the demo and the benchmarks compare numact with.

An activation without an entry is left out of the comparison.  The expressions keep the dtype of their input.  Some of
them warn, overflow in an intermediate result or cancel in the tails, as such expressions do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating[Any]]


class Baseline(NamedTuple):
    """Expressions of one activation, with its parameters at their defaults."""

    forward: Callable[[Array], Array]  # x -> y
    gradient: Callable[[Array, Array], Array]  # dy, x -> dx
    gradient_y: Callable[[Array, Array], Array] | None = None  # dy, y -> dx, where that is the usual way to write it


def _sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


def _sigmoid_gradient(dy: Array, x: Array) -> Array:
    y = _sigmoid(x)
    return dy * y * (1 - y)


def _silu_gradient(dy: Array, x: Array) -> Array:
    s = _sigmoid(x)
    return dy * s * (1 + x * (1 - s))


# GELU needs erf, which NumPy does not have; users without SciPy write the approximation by tanh.  It differs by up to
# 5e-4 from the exact function, which numact computes.
_SQRT_2_PI = math.sqrt(2 / math.pi)


def _gelu_tanh(x: Array) -> Array:
    return np.asarray(0.5 * x * (1 + np.tanh(_SQRT_2_PI * (x + 0.044715 * x * x * x))))


def _gelu_tanh_gradient(dy: Array, x: Array) -> Array:
    t = np.tanh(_SQRT_2_PI * (x + 0.044715 * x * x * x))
    return np.asarray(dy * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * _SQRT_2_PI * (1 + 0.134145 * x * x)))


BASELINES: dict[str, Baseline] = {
    "relu": Baseline(lambda x: np.maximum(x, 0), lambda dy, x: dy * (x > 0)),
    "relu6": Baseline(lambda x: np.clip(x, 0, 6), lambda dy, x: dy * ((x > 0) & (x < 6))),
    "relu_squared": Baseline(lambda x: np.maximum(x, 0) ** 2, lambda dy, x: dy * 2 * np.maximum(x, 0)),
    "leaky_relu": Baseline(lambda x: np.where(x > 0, x, 0.01 * x), lambda dy, x: np.where(x > 0, dy, 0.01 * dy)),
    "elu": Baseline(lambda x: np.where(x > 0, x, np.expm1(x)), lambda dy, x: np.where(x > 0, dy, dy * np.exp(x))),
    "sigmoid": Baseline(_sigmoid, _sigmoid_gradient, lambda dy, y: dy * y * (1 - y)),
    "tanh": Baseline(np.tanh, lambda dy, x: dy * (1 - np.tanh(x) ** 2), lambda dy, y: dy * (1 - y * y)),
    "softplus": Baseline(
        lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))),
        lambda dy, x: dy / (1 + np.exp(-x)),
    ),
    "silu": Baseline(lambda x: x / (1 + np.exp(-x)), _silu_gradient),
    "gelu": Baseline(_gelu_tanh, _gelu_tanh_gradient),
    "hard_swish": Baseline(
        lambda x: x * np.clip(x + 3, 0, 6) / 6,
        lambda dy, x: dy * np.where(x <= -3, 0, np.where(x >= 3, 1, (2 * x + 3) / 6)),
    ),
}
