"""The functions along an axis as mathematics on one row, in mpmath numbers of 200 bits, for finite entries."""

import math
from collections.abc import Callable
from typing import Any

from support.reference import EXACT
from support.reference_norm import info_of

Row = list[Any]
WHOLE = 2200  # bits of a sum of float64 numbers of any size, from 2^1024 down to 2^-1074


def numbers(row: Any) -> Row:
    """Turn an array into mpmath numbers."""
    return [EXACT.mpf(float(value)) for value in row]


def ulp_error(got: Any, want: Any, scale: Any = 0) -> float:
    """Distance in units in the last place of the true value, or of `scale` if that is larger."""
    info = info_of(got.dtype)
    if abs(want) >= EXACT.ldexp(2 - EXACT.mpf(2) ** -(info.nmant + 1), info.maxexp - 1):  # rounds to infinity
        return 0 if got == math.copysign(math.inf, want) else math.inf
    size = max(abs(want), abs(scale))
    exponent = math.frexp(float(size))[1] if size > float(info.smallest_subnormal) else -5000
    if size and exponent < info.minexp:
        exponent = info.minexp + 1
    unit = EXACT.ldexp(1, max(exponent - 1 - info.nmant, info.minexp - info.nmant))
    return float(abs(EXACT.mpf(float(got)) - want) / unit)


def softmax(x: Row, temperature: Any = 1) -> Row:
    """e^(x/T) over its sum."""
    powers = [EXACT.exp((value - max(x)) / temperature) for value in x]
    return [power / EXACT.fsum(powers) for power in powers]


def softmin(x: Row, temperature: Any = 1) -> Row:
    """Softmax of -x."""
    return softmax([-value for value in x], temperature)


def log_softmax(x: Row, temperature: Any = 1) -> Row:
    """(x - max)/T - log(sum), the sum's 1 left to log1p."""
    first = x.index(max(x))
    rest = EXACT.fsum(EXACT.exp((value - x[first]) / temperature) for i, value in enumerate(x) if i != first)
    return [(value - x[first]) / temperature - EXACT.log1p(rest) for value in x]


def logsumexp(x: Row) -> Row:
    """Max + log(sum)."""
    return [max(x) + EXACT.log(EXACT.fsum(EXACT.exp(value - max(x)) for value in x))]


def sparsemax(x: Row) -> Row:
    """Projection on the simplex by sorting (Held et al., 1974)."""
    ordered = sorted(x, reverse=True)
    with EXACT.workprec(WHOLE):
        for count in range(len(x), 0, -1):
            tau = (EXACT.fsum(ordered[:count]) - 1) / count
            if ordered[count - 1] > tau:
                break
        return [max(value - tau, EXACT.mpf(0)) for value in x]


def softmax_grad(dy: Row, y: Row, temperature: Any = 1) -> Row:
    """The output times dy less dy.y, over T."""
    product = EXACT.fsum(a * b for a, b in zip(dy, y, strict=True))
    return [b * (a - product) / temperature for a, b in zip(dy, y, strict=True)]


def softmin_grad(dy: Row, y: Row, temperature: Any = 1) -> Row:
    """Minus that of softmax."""
    return [-value for value in softmax_grad(dy, y, temperature)]


def log_softmax_grad(dy: Row, y: Row, temperature: Any = 1) -> Row:
    """(dy - e^y sum(dy)) / T."""
    total = EXACT.fsum(dy)
    return [(a - EXACT.exp(b) * total) / temperature for a, b in zip(dy, y, strict=True)]


def sparsemax_grad(dy: Row, y: Row) -> Row:
    """Dy less its mean, on the support."""
    support = [a for a, b in zip(dy, y, strict=True) if b > 0]
    with EXACT.workprec(WHOLE):
        return [a - EXACT.fsum(support) / len(support) if b > 0 else EXACT.mpf(0) for a, b in zip(dy, y, strict=True)]


def prelu_weight_grad(dy: Row, x: Row) -> Row:
    """Sum of dy x where not x > 0."""
    return [EXACT.fsum(a * b for a, b in zip(dy, x, strict=True) if b <= 0)]


FORWARD: dict[str, Callable[..., Row]] = {
    function.__name__: function for function in (softmax, softmin, log_softmax, logsumexp, sparsemax)
}
TEMPERED = ("softmax", "softmin", "log_softmax")
GRADIENTS: dict[str, Callable[..., Row]] = {
    function.__name__: function
    for function in (softmax_grad, softmin_grad, log_softmax_grad, sparsemax_grad, prelu_weight_grad)
}
