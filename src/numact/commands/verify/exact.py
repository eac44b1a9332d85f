"""The definition of every activation, independent of the kernels: the true values for the tests and for ``verify``.

A formula is a function of `m`, the arithmetic.  `EXACT` computes with mpmath numbers of 200 bits; the tests also have an
arithmetic of float64 arrays, for which the formulas avoid cancellation.  At a kink the derivative has the value that the
catalogue gives.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import mpmath
import numpy as np

PRECISION = 200


class Exact(mpmath.ctx_mp.MPContext):  # type: ignore[misc]
    """Arithmetic on single mpmath numbers."""

    def where(self, condition: bool, a: Any, b: Any) -> Any:
        """Choose a or b."""
        return a if condition else b

    def number(self, value: Any) -> Any:
        """Turn a decimal or a number into one of this arithmetic."""
        return self.mpf(value)


EXACT = Exact()
EXACT.prec = PRECISION


def maximum(m: Any, a: Any, b: Any) -> Any:
    """Choose the larger one."""
    return m.where(a > b, a, b)


def sigmoid(m: Any, x: Any) -> Any:
    """Logistic function."""
    return 1 / (1 + m.exp(-x))


def normal(m: Any, x: Any) -> Any:
    """Distribution function of the standard normal distribution."""
    return m.erfc(-x / m.sqrt(2)) / 2


def density(m: Any, x: Any) -> Any:
    """Density of the standard normal distribution."""
    return m.exp(-x * x / 2) / m.sqrt(2 * m.pi)


def log1p_exp(m: Any, z: Any) -> Any:
    """log(1 + e^z)."""
    return maximum(m, z, 0) + m.log1p(m.exp(-abs(z)))


def between(m: Any, x: Any, low: Any, middle: Any, high: Any, bounds: tuple[Any, Any]) -> Any:
    """Choose low for x <= bounds[0], high for x >= bounds[1], else middle."""
    return m.where(x <= bounds[0], low, m.where(x >= bounds[1], high, middle))


TANH_SERIES = EXACT.taylor(EXACT.tanh, 0, 41)


def tanhshrink(m: Any, x: Any) -> Any:
    """The function x - tanh x, by its series where the two cancel."""
    square, series = x * x, 0
    for coefficient in TANH_SERIES[:1:-2]:
        series = series * square - m.number(coefficient)
    return m.where(abs(x) < 0.25, x * square * series, x - m.tanh(x))


def gelu_tanh_terms(m: Any, x: Any) -> tuple[Any, Any]:
    """The terms z and x z' of gelu_tanh, x sigmoid(z)."""
    slope = 2 * m.sqrt(2 / m.pi)
    cubic = slope * m.number("0.044715")
    return x * (slope + cubic * x * x), x * (slope + 3 * cubic * x * x)


def quick_gelu_slope(m: Any) -> Any:
    """The factor 1.702 of quick_gelu, x sigmoid(1.702 x)."""
    return m.number("1.702")


def swish_derivative(m: Any, z: Any, h: Any) -> Any:
    """Derivative of x sigmoid(z) for h = x z'."""
    return sigmoid(m, z) * (1 + h * sigmoid(m, -z))


def mish_derivative(m: Any, x: Any) -> Any:
    """The derivative t + x sigmoid(x) (1 - t^2), t = tanh(log(1 + e^x))."""
    t = m.tanh(log1p_exp(m, x))
    return t + x * sigmoid(m, x) * (1 - t * t)


def dish(m: Any, x: Any) -> Any:
    """The function x (x/s + 1) / 2, s = sqrt(1 + x^2), without cancellation."""
    s = m.sqrt(1 + x * x)
    return m.where(x < 0, x / (2 * s * (s + abs(x))), x * (x / s + 1) / 2)


def dish_derivative(m: Any, x: Any) -> Any:
    """The derivative (1 + r) (1 + r - r^2) / 2, r = x/s, without cancellation."""
    s = m.sqrt(1 + x * x)
    r = x / s
    return m.where(x < 0, 1 / (s * (s + abs(x))), 1 + r) * (1 + r - r * r) / 2


def squareplus(m: Any, x: Any, b: Any) -> Any:
    """(x + sqrt(x^2 + b)) / 2, without cancellation."""
    s = m.sqrt(x * x + b)
    return m.where(x < 0, b / (2 * (s + abs(x))), (x + s) / 2)


def squareplus_derivative(m: Any, x: Any, b: Any) -> Any:
    """(1 + x/s) / 2, without cancellation."""
    s = m.sqrt(x * x + b)
    left = b / (2 * s * (s + abs(x)))
    return m.where(x < 0, left, 1 - left)


SELU_ALPHA = EXACT.mpf("1.67326324235437728481704299167178")
SELU_LAMBDA = EXACT.mpf("1.05070098735548049341933498529461")
# Their product as hi + lo: y + hi is exact in either arithmetic where the two nearly cancel.
SELU_HI = float(np.float32(SELU_LAMBDA * SELU_ALPHA))
SELU_LO = SELU_LAMBDA * SELU_ALPHA - SELU_HI


def is_default(value: Any, default: Any) -> bool:
    """Whether a parameter of selu is its default, as it is rounded to float32 or float64."""
    return float(value) in (float(default), float(np.float32(float(default))))


def selu_right(m: Any, scale: Any) -> Any:
    """The slope of selu for x > 0."""
    return m.number(SELU_LAMBDA) if is_default(scale, SELU_LAMBDA) else scale


def selu_left(m: Any, alpha: Any, scale: Any) -> tuple[Any, Any]:
    """The factor scale alpha of selu as hi + lo."""
    if is_default(alpha, SELU_ALPHA) and is_default(scale, SELU_LAMBDA):
        return SELU_HI, m.number(SELU_LO)
    return scale * alpha, m.number(0)


Formula = Callable[..., Any]


class Reference(NamedTuple):
    """An activation and its derivative as functions of (m, x, *parameters), and the derivative of (m, y, *parameters)."""

    forward: Formula
    derivative: Formula
    derivative_y: Formula | None = None


# Long lines here keep an activation together.
# ruff: noqa: E501
REFERENCE = {
    "relu": Reference(
        lambda m, x: maximum(m, x, 0), lambda m, x: m.where(x > 0, 1, 0), lambda m, y: m.where(y > 0, 1, 0)
    ),
    "relu6": Reference(
        lambda m, x: between(m, x, 0, x, 6, (0, 6)),
        lambda m, x: between(m, x, 0, 1, 0, (0, 6)),
        lambda m, y: between(m, y, 0, 1, 0, (0, 6)),
    ),
    "relu_squared": Reference(
        lambda m, x: maximum(m, x, 0) ** 2, lambda m, x: 2 * maximum(m, x, 0), lambda m, y: 2 * m.sqrt(y)
    ),
    "leaky_relu": Reference(
        lambda m, x, slope: m.where(x > 0, x, slope * x),
        lambda m, x, slope: m.where(x > 0, 1, slope),
        lambda m, y, slope: m.where(y > 0, 1, slope),
    ),
    "elu": Reference(
        lambda m, x, alpha: m.where(x > 0, x, alpha * m.expm1(x)),
        lambda m, x, alpha: m.where(x > 0, 1, alpha * m.exp(x)),
        lambda m, y, alpha: m.where(y > 0, 1, y + alpha),
    ),
    "sigmoid": Reference(sigmoid, lambda m, x: sigmoid(m, x) * sigmoid(m, -x), lambda m, y: y * (1 - y)),
    "tanh": Reference(lambda m, x: m.tanh(x), lambda m, x: 1 / m.cosh(x) ** 2, lambda m, y: (1 - y) * (1 + y)),
    "softplus": Reference(
        lambda m, x, beta: log1p_exp(m, beta * x) / beta,
        lambda m, x, beta: sigmoid(m, beta * x),
        lambda m, y, beta: -m.expm1(-beta * y),
    ),
    "silu": Reference(lambda m, x: x * sigmoid(m, x), lambda m, x: sigmoid(m, x) * (1 + x * sigmoid(m, -x))),
    "gelu": Reference(lambda m, x: x * normal(m, x), lambda m, x: normal(m, x) + x * density(m, x)),
    "hard_swish": Reference(
        lambda m, x: between(m, x, 0, x * (x + 3) / 6, x, (-3, 3)),
        lambda m, x: between(m, x, 0, (2 * x + 3) / 6, 1, (-3, 3)),
    ),
    "hard_sigmoid": Reference(
        lambda m, x: between(m, x, 0, (x + 3) / 6, 1, (-3, 3)),
        lambda m, x: between(m, x, 0, m.number(1) / 6, 0, (-3, 3)),
        lambda m, y: between(m, y, 0, m.number(1) / 6, 0, (0, 1)),
    ),
    "selu": Reference(
        lambda m, x, alpha, scale: m.where(
            x > 0, selu_right(m, scale) * x, sum(selu_left(m, alpha, scale)) * m.expm1(x)
        ),
        lambda m, x, alpha, scale: m.where(x > 0, selu_right(m, scale), sum(selu_left(m, alpha, scale)) * m.exp(x)),
        lambda m, y, alpha, scale: m.where(
            y > 0, selu_right(m, scale), y + selu_left(m, alpha, scale)[0] + selu_left(m, alpha, scale)[1]
        ),
    ),
    "log_sigmoid": Reference(lambda m, x: -log1p_exp(m, -x), lambda m, x: sigmoid(m, -x), lambda m, y: -m.expm1(y)),
    "exponential": Reference(lambda m, x: m.exp(x), lambda m, x: m.exp(x), lambda m, y: y),
    "sparse_plus": Reference(
        lambda m, x: between(m, x, 0, (x + 1) ** 2 / 4, x, (-1, 1)),
        lambda m, x: between(m, x, 0, (x + 1) / 2, 1, (-1, 1)),
    ),
    "sparse_sigmoid": Reference(
        lambda m, x: between(m, x, 0, (x + 1) / 2, 1, (-1, 1)),
        lambda m, x: between(m, x, 0, 0.5, 0, (-1, 1)),
        lambda m, y: between(m, y, 0, 0.5, 0, (0, 1)),
    ),
    "hard_shrink": Reference(
        lambda m, x, lambd, bias: m.where(abs(x) > lambd, x - bias * m.sign(x), 0),
        lambda m, x, lambd, bias: m.where(abs(x) > lambd, 1, 0),
    ),
    "soft_shrink": Reference(
        lambda m, x, lambd: m.where(abs(x) > lambd, x - lambd * m.sign(x), 0),
        lambda m, x, lambd: m.where(abs(x) > lambd, 1, 0),
        lambda m, y, lambd: m.where(y != 0, 1, 0),
    ),
    "identity": Reference(lambda m, x: x, lambda m, x: 1, lambda m, y: 1),
    "tanhshrink": Reference(tanhshrink, lambda m, x: m.tanh(x) ** 2),
    "softsign": Reference(
        lambda m, x: x / (1 + abs(x)), lambda m, x: 1 / (1 + abs(x)) ** 2, lambda m, y: (1 - abs(y)) ** 2
    ),
    "gelu_tanh": Reference(
        lambda m, x: x * sigmoid(m, gelu_tanh_terms(m, x)[0]),
        lambda m, x: swish_derivative(m, *gelu_tanh_terms(m, x)),
    ),
    "quick_gelu": Reference(
        lambda m, x: x * sigmoid(m, quick_gelu_slope(m) * x),
        lambda m, x: swish_derivative(m, quick_gelu_slope(m) * x, quick_gelu_slope(m) * x),
    ),
    "mish": Reference(lambda m, x: x * m.tanh(log1p_exp(m, x)), mish_derivative),
    "dish": Reference(dish, dish_derivative),
    "gaussian": Reference(lambda m, x: m.exp(-x * x), lambda m, x: -2 * x * m.exp(-x * x)),
    "erf": Reference(lambda m, x: m.erf(x), lambda m, x: 2 / m.sqrt(m.pi) * m.exp(-x * x)),
    "ndtr": Reference(normal, density),
    "celu": Reference(
        lambda m, x, alpha: m.where(x > 0, x, alpha * m.expm1(x / alpha)),
        lambda m, x, alpha: m.where(x > 0, 1, m.exp(x / alpha)),
        lambda m, y, alpha: m.where(y > 0, 1, (y + alpha) / alpha),
    ),
    "squareplus": Reference(squareplus, squareplus_derivative, lambda m, y, b: y * y / (y * y + b / 4)),
    "swish": Reference(
        lambda m, x, beta: x * sigmoid(m, beta * x), lambda m, x, beta: swish_derivative(m, beta * x, beta * x)
    ),
    "hard_tanh": Reference(
        lambda m, x, low, high: between(m, x, low, x, high, (low, high)),
        lambda m, x, low, high: between(m, x, 0, 1, 0, (low, high)),
        lambda m, y, low, high: between(m, y, 0, 1, 0, (low, high)),
    ),
    "clipped_linear": Reference(
        lambda m, x, slope, offset, low, high: between(
            m, slope * x + offset, low, slope * x + offset, high, (low, high)
        ),
        lambda m, x, slope, offset, low, high: between(m, slope * x, 0, slope, 0, (low - offset, high - offset)),
        lambda m, y, slope, offset, low, high: between(m, y, 0, slope, 0, (low, high)),
    ),
    "clipped_swish": Reference(
        lambda m, x, slope, offset, low, high: (
            x * between(m, slope * x + offset, low, slope * x + offset, high, (low, high))
        ),
        lambda m, x, slope, offset, low, high: between(
            m, slope * x, low, 2 * slope * x + offset, high, (low - offset, high - offset)
        ),
    ),
    "threshold": Reference(
        lambda m, x, threshold, value: m.where(x > threshold, x, value),
        lambda m, x, threshold, value: m.where(x > threshold, 1, 0),
    ),
    "thresholded_relu": Reference(
        lambda m, x, alpha: m.where(x > alpha, x, 0), lambda m, x, alpha: m.where(x > alpha, 1, 0)
    ),
    "general_relu": Reference(
        lambda m, x, slope, high, threshold: m.where(
            x > threshold, m.where(x < high, x, high), slope * (x - threshold)
        ),
        lambda m, x, slope, high, threshold: between(m, x, slope, 1, 0, (threshold, high)),
    ),
}
