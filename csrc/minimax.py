"""Derive every constant and polynomial coefficient of the kernels, and print them as they stand in the C.

usage: python csrc/minimax.py f32 > csrc/coefficients_f32.h
       python csrc/minimax.py f64 > csrc/coefficients_f64.h

Needs mpmath (the `test` extra).  A polynomial is fitted by weighted least squares at Chebyshev nodes, which comes
within a factor of two of the minimax error, and its coefficients are rounded one after the other, lowest first: those
that follow are fitted anew each time, so that they absorb the rounding.  The error printed beside a polynomial is that
of the rounded coefficients, the largest on a dense grid of its interval.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mpmath import MPContext

mp = MPContext()
mp.prec = 400
mpf = mp.mpf

Function = Callable[[mpf], mpf]


@dataclass(frozen=True)
class Format:
    """A binary floating-point format and its spelling in C."""

    name: str
    precision: int
    suffix: str

    def round(self, value: mpf) -> mpf:
        with mp.workprec(self.precision):
            return +value

    def literal(self, value: mpf) -> str:
        return float(self.round(value)).hex() + self.suffix


FORMATS = {"f32": Format("f32", 24, "f"), "f64": Format("f64", 53, "")}


@dataclass(frozen=True)
class Polynomial:
    """An approximation f(x) ~ p(x) on [low, high], its error measured in units of 1/weight(x)."""

    name: str
    meaning: str
    error_meaning: str
    function: Function
    weight: Function
    low: mpf
    high: mpf
    degree: dict[str, int]


def chebyshev_nodes(low: mpf, high: mpf, count: int) -> list[mpf]:
    middle, radius = (low + high) / 2, (high - low) / 2
    return [middle + radius * mp.cos(mp.pi * (2 * k + 1) / (2 * count)) for k in range(count)]


def least_squares(rows: list[list[mpf]], values: list[mpf]) -> list[mpf]:
    """The solution of an overdetermined system; the precision of mpmath makes the normal equations harmless."""
    a, b = mp.matrix(rows), mp.matrix(values)
    return list(mp.lu_solve(a.T * a, a.T * b))


def horner(coefficients: list[mpf], x: mpf) -> mpf:
    value = mpf(0)
    for coefficient in reversed(coefficients):
        value = value * x + coefficient
    return value


def fit(polynomial: Polynomial, format: Format) -> tuple[list[mpf], mpf]:
    """The rounded coefficients, lowest first, and the largest weighted error."""
    degree = polynomial.degree[format.name]
    nodes = chebyshev_nodes(polynomial.low, polynomial.high, 3 * degree + 6)
    weights = [polynomial.weight(x) for x in nodes]
    rest = [polynomial.function(x) for x in nodes]
    fixed: list[mpf] = []
    for power in range(degree + 1):
        rows = [[w * x**k for k in range(power, degree + 1)] for x, w in zip(nodes, weights, strict=True)]
        solution = least_squares(rows, [w * r for w, r in zip(weights, rest, strict=True)])
        fixed.append(format.round(solution[0]))
        rest = [r - fixed[-1] * x**power for x, r in zip(nodes, rest, strict=True)]
    grid = chebyshev_nodes(polynomial.low, polynomial.high, 600)
    error = max(abs(polynomial.weight(x) * (polynomial.function(x) - horner(fixed, x))) for x in grid)
    return fixed, error


def two_parts(value: mpf, format: Format) -> tuple[mpf, mpf]:
    high = format.round(value)
    return high, format.round(value - high)


def two_positive_parts(value: mpf, format: Format) -> tuple[mpf, mpf]:
    """Parts whose products with a zero or an infinity agree in sign."""
    with mp.workprec(format.precision):
        high = mp.fdiv(value, 1, rounding="d")
    return high, format.round(value - high)


def short(value: mpf, format: Format) -> mpf:
    """The value with six digits less, so that a sum with it is exact where its exponent is up to six higher."""
    with mp.workprec(format.precision - 6):
        return +value


# e^r = 1 + r + r^2 P(r)
HALF_LN2 = mp.log(2) / 2 * mpf("1.002")


def exp_rest(r: mpf) -> mpf:
    return (mp.expm1(r) - r) / r**2 if r else mpf("0.5")


# Klambauer et al., "Self-normalizing neural networks", 2017: the fixed point at mean 0 and variance 1.
SELU_ALPHA = mpf("1.67326324235437728481704299167178")
SELU_LAMBDA = mpf("1.05070098735548049341933498529461")

# tanh x = x + x^3 P(x^2)
TANH_SMALL = mpf("0.5625")


def tanh_rest(z: mpf) -> mpf:
    x = mp.sqrt(z)
    return (mp.tanh(x) - x) / x**3


# x - tanh x = x^3 (1/3 + x^2 P(x^2))
TANHSHRINK_SMALL = mpf(1)


def tanhshrink_rest(z: mpf) -> mpf:
    return (-tanh_rest(z) - mpf(1) / 3) / z


# atanh s = s + s^3 P(s^2), for log(1 + e) = 2 atanh(e / (2 + e)) with e in [0, 1]
def atanh_rest(z: mpf) -> mpf:
    s = mp.sqrt(z)
    return (mp.atanh(s) - s) / s**3


# Phi(-t) e^(t^2/2) = v (SCALE_MIDDLE + w P(w)), v = 1/(t + 1), w = v linearly mapped to [-1, 1]
GELU_LIMIT = {"f32": mpf(15), "f64": mpf(39)}
GELU_FAR = {"f32": mpf(30), "f64": mpf(66)}


def mills(t: mpf) -> mpf:
    return mp.erfc(t / mp.sqrt(2)) / 2 * mp.exp(t * t / 2)


@dataclass(frozen=True)
class Tail:
    """The mapping of v in [1/(limit + 1), 1] to w in [-1, 1], with rounded factors, and the value in its middle."""

    slope: mpf
    offset: mpf
    middle: mpf

    def scaled(self, w: mpf) -> mpf:
        v = (w - self.offset) / self.slope
        return mills(1 / v - 1) / v


def tail(format: Format) -> Tail:
    low = 1 / (GELU_FAR[format.name] + 1)
    slope = format.round(2 / (1 - low))
    offset = format.round(1 - slope)
    return Tail(slope, offset, format.round(Tail(slope, offset, mpf(0)).scaled(mpf(0))))


# gelu_tanh x = x sigmoid(z), z = x (SLOPE + CUBIC x^2)
GELU_TANH_SLOPE = 2 * mp.sqrt(2 / mp.pi)
GELU_TANH_CUBIC = GELU_TANH_SLOPE * mpf("0.044715")
GELU_TANH_LIMIT = {"f32": mpf("11.25"), "f64": mpf("21.75")}
QUICK_GELU_SLOPE = mpf("1.702")


# The roots of the gradients, where their terms cancel: f'(x) = (x - root) P(x - root) around them.
def gelu_gradient(x: mpf) -> mpf:
    return mp.ncdf(x) + x * mp.npdf(x)


def silu_gradient(x: mpf) -> mpf:
    s = 1 / (1 + mp.exp(-x))
    return s * (1 + x * (1 - s))


def gelu_tanh_gradient(x: mpf) -> mpf:
    z, slope = x * (GELU_TANH_SLOPE + GELU_TANH_CUBIC * x**2), GELU_TANH_SLOPE + 3 * GELU_TANH_CUBIC * x**2
    s = 1 / (1 + mp.exp(-z))
    return s * (1 + x * slope * (1 - s))


def mish_gradient(x: mpf) -> mpf:
    t = mp.tanh(mp.log1p(mp.exp(x)))
    return t + x * (1 - t**2) / (1 + mp.exp(-x))


@dataclass(frozen=True)
class Root:
    """The root of a gradient, and the radius within which a polynomial takes the formula's place."""

    gradient: Function
    root: mpf
    radius: mpf
    degree: dict[str, int]


ROOTS = {
    name: Root(gradient, mp.findroot(gradient, mpf(near)), mpf(radius), {"f32": f32, "f64": f64})
    for name, gradient, near, radius, f32, f64 in (
        ("GELU", gelu_gradient, "-0.7518", "0.25", 6, 14),
        ("SILU", silu_gradient, "-1.2785", "0.5", 7, 19),
        ("GELU_TANH", gelu_tanh_gradient, "-0.7525", "0.25", 6, 16),
        ("MISH", mish_gradient, "-1.1924", "0.25", 8, 16),
    )
}


def over_root(gradient: Function, root: mpf) -> Function:
    def quotient(d: mpf) -> mpf:
        return gradient(root + d) / d if abs(d) > mpf("1e-30") else mp.diff(gradient, root)

    return quotient


def polynomials(format: Format) -> Iterator[Polynomial]:
    yield Polynomial(
        "EXP",
        "e^r = 1 + r + r^2 P(r)",
        "relative to e^r - 1",
        exp_rest,
        lambda r: r**2 / mp.expm1(r) if r else mpf(0),
        -HALF_LN2,
        HALF_LN2,
        {"f32": 4, "f64": 10},
    )
    yield Polynomial(
        "EXP_TWICE",
        "e^2r = 1 + 2 (r + r^2 P(r))",
        "relative to (e^2r - 1)/2",
        lambda r: 2 * exp_rest(2 * r),
        lambda r: 2 * r**2 / mp.expm1(2 * r) if r else mpf(0),
        -HALF_LN2 / 2,
        HALF_LN2 / 2,
        {"f32": 4, "f64": 10},
    )
    yield Polynomial(
        "TANH",
        "tanh x = x + x^3 P(x^2), |x| <= TANH_SMALL",
        "relative to tanh x",
        tanh_rest,
        lambda z: mp.sqrt(z) ** 3 / mp.tanh(mp.sqrt(z)),
        mpf("1e-6"),
        TANH_SMALL**2,
        {"f32": 3, "f64": 11},
    )
    yield Polynomial(
        "ATANH",
        "atanh s = s + s^3 P(s^2), 0 <= s <= 1/3",
        "relative to atanh s",
        atanh_rest,
        lambda z: mp.sqrt(z) ** 3 / mp.atanh(mp.sqrt(z)),
        mpf("1e-6"),
        mpf(1) / 9,
        {"f32": 3, "f64": 10},
    )
    t = tail(format)
    yield Polynomial(
        "TAIL",
        "Phi(-t) e^(t^2/2) = v (TAIL_MIDDLE + w P(w)), v = 1/(t + 1), w = TAIL_SLOPE v + TAIL_OFFSET",
        "relative to the value",
        lambda w: (t.scaled(w) - t.middle) / w,
        lambda w: w / t.scaled(w),
        mpf(-1),
        mpf(1),
        {"f32": 14, "f64": 41},
    )
    yield Polynomial(
        "TANHSHRINK",
        "x - tanh x = x^3 (1/3 + x^2 P(x^2)), |x| <= TANHSHRINK_SMALL",
        "relative to the value",
        tanhshrink_rest,
        lambda z: -z / tanh_rest(z),
        mpf("1e-6"),
        TANHSHRINK_SMALL**2,
        {"f32": 7, "f64": 16},
    )
    for name, root in ROOTS.items():
        quotient = over_root(root.gradient, root.root)
        yield Polynomial(
            f"{name}_ROOT",
            f"{name.lower()}'(x) = d P(d), d = x - root, |d| <= {name}_ROOT_RADIUS",
            "relative to the value",
            quotient,
            lambda d, quotient=quotient: 1 / quotient(d),
            -root.radius,
            root.radius,
            root.degree,
        )


def constants(format: Format) -> Iterator[tuple[str, mpf, str]]:
    ln2, ln2_low = two_parts(mp.log(2), format)
    yield "LOG2E", 1 / mp.log(2), "1 / ln 2"
    yield "LN2", ln2, "ln 2"
    yield "LN2_LOW", ln2_low, "ln 2 - LN2"
    yield "HALF_LN2", mp.log(2) / 2, "ln 2 / 2"
    yield "EXP_LIMIT", mpf({"f32": 128, "f64": 800}[format.name]), "beyond it e^-x, and x e^-x, round to 0"
    yield "EXP_FAR", mpf({"f32": 320, "f64": 2200}[format.name]), "the same after products with any two numbers"
    yield "ONE_LIMIT", mpf({"f32": 20, "f64": 40}[format.name]), "beyond it 1 - e^-x, and tanh x, round to 1"
    sixth, sixth_low = two_positive_parts(mpf(1) / 6, format)
    yield "SIXTH", sixth, "1/6"
    yield "SIXTH_LOW", sixth_low, "1/6 - SIXTH"
    third, third_low = two_parts(mpf(1) / 3, format)
    yield "THIRD", third, "1/3"
    yield "THIRD_LOW", third_low, "1/3 - THIRD"
    for name, value, meaning in (
        ("SELU_RIGHT", SELU_LAMBDA, "lambda"),
        ("SELU_LEFT", SELU_LAMBDA * SELU_ALPHA, "lambda alpha"),
    ):
        high, low = two_positive_parts(value, format)
        yield name, high, meaning
        yield name + "_LOW", low, f"{meaning} - {name}"
    yield "TANH_SMALL", TANH_SMALL, "up to here tanh is a polynomial"
    t = tail(format)
    yield "TAIL_LIMIT", GELU_LIMIT[format.name], "beyond it t Phi(-t) and t phi(t) round to 0"
    yield "TAIL_FAR", GELU_FAR[format.name], "the same after products with any two numbers"
    yield "TAIL_SLOPE", t.slope, "w = TAIL_SLOPE v + TAIL_OFFSET is in [-1, 1]"
    yield "TAIL_OFFSET", t.offset, ""
    yield "TAIL_MIDDLE", t.middle, "the value at w = 0"
    density, density_low = two_parts(1 / mp.sqrt(2 * mp.pi), format)
    yield "DENSITY", density, "1 / sqrt(2 pi)"
    yield "DENSITY_LOW", density_low, "1 / sqrt(2 pi) - DENSITY"
    yield "TANHSHRINK_SMALL", TANHSHRINK_SMALL, "up to here x - tanh x is a polynomial"
    yield "BELL_LIMIT", mpf({"f32": 13, "f64": 32}[format.name]), "beyond it e^(-x^2) rounds to 0"
    yield "GELU_TANH_FAR", mpf({"f32": 16, "f64": 32}[format.name]), "the same times any two numbers"
    yield (
        "GELU_TANH_LIMIT",
        GELU_TANH_LIMIT[format.name],
        "beyond it gelu_tanh rounds to 0 on the left, to x on the right",
    )
    high = short(GELU_TANH_SLOPE, format)
    yield "GELU_TANH_SLOPE", high, "2 sqrt(2/pi), short by six digits"
    yield "GELU_TANH_SLOPE_LOW", GELU_TANH_SLOPE - high, "the rest of it"
    high, low = two_parts(GELU_TANH_CUBIC, format)
    yield "GELU_TANH_CUBIC", high, "2 sqrt(2/pi) 0.044715"
    yield "GELU_TANH_CUBIC_LOW", low, "the rest of it"
    high, low = two_parts(QUICK_GELU_SLOPE, format)
    yield "QUICK_GELU_SLOPE", high, "1.702"
    yield "QUICK_GELU_SLOPE_LOW", low, "the rest of it"
    golden = (mp.sqrt(5) - 1) / 2
    for name, value, meaning in (
        ("GOLDEN", golden, "(sqrt(5) - 1) / 2"),
        ("DISH_ROOT", mp.sqrt(golden), "the root of dish'(-t)"),
    ):
        high, low = two_parts(value, format)
        yield name, high, meaning
        yield name + "_LOW", low, "the rest of it"
    for name, root in ROOTS.items():
        high, low = two_parts(root.root, format)
        yield f"{name}_ROOT", high, "the root of the gradient"
        yield f"{name}_ROOT_LOW", low, "the rest of the root"
        yield f"{name}_ROOT_RADIUS", root.radius, ""


def header(format: Format) -> Iterator[str]:
    guard = f"NUMACT_COEFFICIENTS_{format.name.upper()}_H"
    yield f"/* Printed by minimax.py {format.name}: change that, not this. */"
    yield f"#ifndef {guard}"
    yield f"#define {guard}"
    yield ""
    for name, value, comment in constants(format):
        yield f"#define {name} ((scalar){format.literal(value)})" + (f" /* {comment} */" if comment else "")
    for polynomial in polynomials(format):
        coefficients, error = fit(polynomial, format)
        interval = f"[{mp.nstr(polynomial.low, 6)}, {mp.nstr(polynomial.high, 6)}]"
        yield ""
        yield f"/* {polynomial.meaning}."
        yield (
            f"   Interval {interval}, degree {len(coefficients) - 1}, "
            f"error 2^{mp.nstr(mp.log(error, 2), 4)} {polynomial.error_meaning}. */"
        )
        yield f"static const scalar {polynomial.name}_P[] = {{"
        for coefficient in coefficients:
            yield f"    {format.literal(coefficient)},"
        yield "};"
    yield ""
    yield "#endif"


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in FORMATS:
        sys.exit(__doc__)
    print("\n".join(header(FORMATS[sys.argv[1]])))
