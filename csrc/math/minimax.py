"""Derive the constants and polynomial coefficients of the kernels, and print them as a C header.

usage: python csrc/math/minimax.py f32 > csrc/math/coefficients_f32.h
       python csrc/math/minimax.py f64 > csrc/math/coefficients_f64.h

Needs mpmath (the `test` extra).  A polynomial is fitted by weighted least squares at Chebyshev nodes, whose error is
within a factor of two of the minimax error.  Its coefficients are rounded one by one, lowest first, and the others are
fitted again after each, so that they absorb its rounding error.  The error printed beside a polynomial is that of the
rounded coefficients, the maximum over a dense grid of its interval.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from mpmath import MPContext

mp = MPContext()
mp.prec = 200
mpf = mp.mpf

Function = Callable[[mpf], mpf]


@dataclass(frozen=True)
class Format:
    """A binary floating-point format and its spelling in C."""

    name: str
    precision: int
    suffix: str
    segments: int  # of a table: as many as two vectors of AVX-512 hold

    def round(self, value: mpf) -> mpf:
        with mp.workprec(self.precision):
            return +value

    def literal(self, value: mpf) -> str:
        return float(self.round(value)).hex() + self.suffix


FORMATS = {"f32": Format("f32", 24, "f", 32), "f64": Format("f64", 53, "", 16)}


def near_exact_point(function: Function, low: mpf, high: mpf, format: Format) -> mpf:
    """A number of few bits near the middle of the interval whose function value is nearly a number of the format."""
    step = mpf(2) ** mp.floor(mp.log(high - low, 2) - 13)
    middle = mp.floor((low + high) / 2 / step)

    def rounding(centre: mpf) -> mpf:
        value = function(centre)
        return abs(format.round(value) / value - 1)

    return min(((middle + k) * step for k in range(-100, 100)), key=rounding)


@dataclass(frozen=True)
class Polynomial:
    """An approximation f(x) ~ p(x) on [low, high] that minimises weight(x) |f(x) - p(x)|."""

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
    """The solution of an overdetermined system by the normal equations, whose condition 200 bits can afford."""
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


@dataclass(frozen=True)
class Table:
    """A piecewise polynomial of t >= 0 over segments of 1 + step t in [1, 16), equally many in each binade.

    A `uniform` table has segments of equal width of 1 + step t in [1, 2).  A root of the function should be in the
    middle of a segment whose neighbours are no wider: then the terms of their sums hardly cancel.  Two tables that
    share an array (`sharing`) have half of the segments each.
    """

    name: str
    meaning: str
    function: Function
    root: mpf | None  # in one of the segments
    last: tuple[Function, int] | None  # the polynomial of the last segment, which extends to infinity, and its degree
    step_and_degree: dict[str, tuple[mpf, int]]
    weight: Function | None = None  # of the error; default: the error relative to the value
    sharing: int = 1  # how many tables share the array
    uniform: bool = False

    def segments(self, format: Format) -> int:
        return format.segments // self.sharing

    def edge(self, index: int, format: Format) -> mpf:
        if self.uniform:
            return mpf(index) / self.segments(format) / self.step_and_degree[format.name][0]
        per_binade = self.segments(format) // 4
        binade, part = divmod(index, per_binade)
        return (mpf(2) ** binade * (1 + mpf(part) / per_binade) - 1) / self.step_and_degree[format.name][0]

    def centre(self, low: mpf, high: mpf, format: Format) -> mpf:
        """The centre of the segment's polynomial: the root, or a point near the middle with a nearly exact value."""
        if self.root is not None and low < self.root < high:
            return format.round(self.root)
        return near_exact_point(self.function, low, high, format)

    def fit(self, index: int, format: Format) -> tuple[list[mpf], mpf]:
        """The centre and the coefficients of a segment, and the largest weighted error."""
        low, high = self.edge(index, format), self.edge(index + 1, format)
        centre, degree = self.centre(low, high, format), self.step_and_degree[format.name][1]
        weight = self.weight or (lambda t: 1 / self.function(t))
        if index == self.segments(format) - 1 and self.last is not None:
            # Each is rounded by itself: coefficients that absorb rounding errors do so within the segment only.
            function, last_degree = self.last
            first, *coefficients = map(format.round, mp.taylor(function, centre, last_degree))
        else:
            first = format.round(self.function(centre))
            slope = Polynomial(
                self.name,
                self.meaning,
                "",
                lambda d: (self.function(centre + d) - first) / d,
                lambda d: d * weight(centre + d),
                low - centre,
                high - centre,
                {format.name: degree - 1},
            )
            coefficients, _ = fit(slope, format)
        zeros = [mpf(0)] * (degree - len(coefficients))
        column = [centre, first, *coefficients, *zeros]
        grid = chebyshev_nodes(low, high, 200)
        error = max(abs((horner(column[1:], t - centre) - self.function(t)) * weight(t)) for t in grid)
        return column, error

    def columns(self, format: Format) -> tuple[list[list[mpf]], mpf]:
        """All segments in the order in which they are stored, and the largest error.

        The index of a segment is the last two bits of the biased exponent of 1 + step t and the first bits of its
        mantissa.  Of two tables that share an array the one for x < 0 has the upper half, and the index is that of
        2 (1 + step t).
        """
        columns, errors = zip(*(self.fit(index, format) for index in range(self.segments(format))), strict=True)
        first = self.segments(format) // 4 if self.sharing == 1 else 0
        return [*columns[first:], *columns[:first]], max(errors)


def split(value: mpf, format: Format) -> tuple[mpf, mpf]:
    high = format.round(value)
    return high, format.round(value - high)


def split_toward_zero(value: mpf, format: Format) -> tuple[mpf, mpf]:
    """The value as hi + lo, hi rounded toward zero: both have the same sign, as have products with zero or infinity."""
    with mp.workprec(format.precision):
        high = mp.fdiv(value, 1, rounding="d")
    return high, format.round(value - high)


def short(value: mpf, format: Format) -> mpf:
    """The value rounded to six bits less, so that its sum with a number of up to 64 times its size is exact."""
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


# x - tanh x = x^3 P(x^2 - CENTRE): the terms hardly cancel; those of P(x^2) would for x > 1
TANHSHRINK_SMALL = mpf("1.40625")


def tanhshrink_factor(z: mpf) -> mpf:
    return -tanh_rest(z)


TANHSHRINK_CENTRE = {
    name: near_exact_point(tanhshrink_factor, mpf(0), TANHSHRINK_SMALL**2, format) for name, format in FORMATS.items()
}


# atanh s = s + s^3 P(s^2), for log(1 + e) = 2 atanh(e / (2 + e)) with e in [0, 1]
def atanh_rest(z: mpf) -> mpf:
    s = mp.sqrt(z)
    return (mp.atanh(s) - s) / s**3


# erf x = x (ERF_SLOPE + x^2 P(x^2))
ERF_SLOPE = 2 / mp.sqrt(mp.pi)
ERF_SMALL = mpf("0.5")


def erf_rest(z: mpf) -> mpf:
    x = mp.sqrt(z)
    return (mp.erf(x) / x - ERF_SLOPE) / z


# Phi(-t) e^(t^2/2), Mills' ratio over sqrt(2 pi)
GELU_LIMIT = {"f32": mpf(15), "f64": mpf(39)}
GELU_FAR = {"f32": mpf(25), "f64": mpf(66)}


def mills(t: mpf) -> mpf:
    return mp.erfc(t / mp.sqrt(2)) / 2 * mp.exp(t * t / 2)


# gelu_tanh x = x sigmoid(z), z = x (SLOPE + CUBIC x^2)
GELU_TANH_SLOPE = 2 * mp.sqrt(2 / mp.pi)
GELU_TANH_CUBIC = GELU_TANH_SLOPE * mpf("0.044715")
GELU_TANH_LIMIT = {"f32": mpf("11.25"), "f64": mpf("21.75")}
QUICK_GELU_SLOPE = mpf("1.702")


# The derivatives of gelu and of x sigmoid(z) at -t, divided by e^(-t^2/2) and e^-z(t): smooth functions with one root.
def gelu_factor(t: mpf) -> mpf:
    return mills(t) - t / mp.sqrt(2 * mp.pi)


def gate_factor(z: mpf, x_slope: mpf) -> mpf:
    """sigmoid(-z) (1 - x z'(x) sigmoid(z)) e^z, x z'(x) = x_slope."""
    e = mp.exp(-z)
    return (1 + e - x_slope) / (1 + e) ** 2


def silu_factor(t: mpf) -> mpf:
    return gate_factor(t, t)


def gelu_tanh_exponent(t: mpf) -> tuple[mpf, mpf]:
    """The z and t z'(t) of gelu_tanh(t) = t sigmoid(z)."""
    line, cube = GELU_TANH_SLOPE * t, GELU_TANH_CUBIC * t**3
    return line + cube, line + 3 * cube


def gelu_tanh_factor(t: mpf) -> mpf:
    return gate_factor(*gelu_tanh_exponent(t))


# log(1 + e) / e, e = e^-t
def log1p_factor(t: mpf) -> mpf:
    e = mp.exp(-t)
    return mp.log1p(e) / e


# mish(-t) = -t e left(e), mish(t) = t - t e right(e), e = e^-t
def mish_left(e: mpf) -> mpf:
    return (2 + e) / (2 + 2 * e + e**2)


def mish_right(e: mpf) -> mpf:
    return 2 * e / (1 + 2 * e + 2 * e**2)


def mish_right_weight(e: mpf) -> mpf:
    """The relative change of mish(t) for an absolute error of the factor."""
    return e / (1 - e * mish_right(e))


# mish'(-t) = e^-t left(t), mish'(t) = 1 - e^-t right(t)
def mish_slope_left(t: mpf) -> mpf:
    e = mp.exp(-t)
    return (4 * (1 - t) + (6 - 4 * t) * e + 4 * e**2 + e**3) / (2 + 2 * e + e**2) ** 2


def mish_slope_right(t: mpf) -> mpf:
    e = mp.exp(-t)
    return 2 * e * (1 + 2 * e + 2 * e**2 - 2 * t * (1 + e)) / (1 + 2 * e + 2 * e**2) ** 2


def mish_slope_right_weight(t: mpf) -> mpf:
    e = mp.exp(-t)
    return e / (1 - e * mish_slope_right(t))


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
    ln2 = format.round(mp.log(2))
    yield Polynomial(
        "EXP2",
        "2^r = 1 + LN2 r + r P(r)",
        "relative to 2^r - 1",
        lambda r: (mp.expm1(r * mp.log(2)) / r if r else mp.log(2)) - ln2,
        lambda r: r / mp.expm1(r * mp.log(2)) if r else 1 / mp.log(2),
        -HALF_LN2 / mp.log(2),
        HALF_LN2 / mp.log(2),
        {"f32": 5, "f64": 11},
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
    yield Polynomial(
        "ERF",
        "erf x = x (2 / sqrt(pi) + x^2 P(x^2)), |x| <= ERF_SMALL",
        "relative to erf x",
        erf_rest,
        lambda z: mp.sqrt(z) ** 3 / mp.erf(mp.sqrt(z)),
        mpf("1e-6"),
        ERF_SMALL**2,
        {"f32": 3, "f64": 8},
    )
    centre = TANHSHRINK_CENTRE[format.name]
    yield Polynomial(
        "TANHSHRINK",
        "x - tanh x = x^3 P(x^2 - TANHSHRINK_CENTRE), |x| <= TANHSHRINK_SMALL",
        "relative to the value",
        lambda d: tanhshrink_factor(centre + d),
        lambda d: 1 / tanhshrink_factor(centre + d),
        mpf("1e-6") - centre,
        TANHSHRINK_SMALL**2 - centre,
        {"f32": 10, "f64": 22},
    )


TABLES = [
    Table(
        "TAIL_FACTOR",
        "Phi(-t) e^(t^2/2) for t <= TAIL_FAR",
        mills,
        None,
        None,
        {"f32": (mpf("0.59375"), 5), "f64": (mpf("0.21875"), 17)},
    ),
    Table(
        "GELU_FACTOR",
        "(Phi(-t) - t phi(t)) e^(t^2/2), that is gelu'(-t) e^(t^2/2), for t <= TAIL_FAR",
        gelu_factor,
        mp.findroot(gelu_factor, mpf("0.7518")),
        None,
        {"f32": (mpf("0.58203125"), 5), "f64": (mpf("0.21875"), 18)},
    ),
    Table(
        "SILU_FACTOR",
        "silu'(-t) e^t, which tends to 1 - t",
        silu_factor,
        mp.findroot(silu_factor, mpf("1.2785")),
        (lambda t: 1 - t, 1),
        {"f32": (mpf("0.634765625"), 5), "f64": (mpf("0.29296875"), 16)},
    ),
    Table(
        "GELU_TANH_FACTOR",
        "gelu_tanh'(-t) e^z, which tends to 1 - t z'(t)",
        gelu_tanh_factor,
        mp.findroot(gelu_tanh_factor, mpf("0.7525")),
        (lambda t: 1 - gelu_tanh_exponent(t)[1], 3),
        {"f32": (mpf("1.49609375"), 5), "f64": (mpf("0.830078125"), 15)},
    ),
    Table(
        "LOG1P_FACTOR",
        "log(1 + e^-t) e^t, which tends to 1",
        log1p_factor,
        None,
        (lambda t: mpf(1), 0),
        {"f32": (mpf("0.796875"), 4), "f64": (mpf("0.328125"), 14)},
    ),
]
MISH = {"f32": (mpf("0.99609375"), 4), "f64": (mpf("0.99609375"), 11)}
MISH_SLOPE = {"f32": (mpf("0.73388671875"), 7), "f64": (mpf("0.209716796875"), 26)}
# Pairs of tables that share an array: for x >= 0, then for x < 0.
SIDES = [
    (
        Table(
            "MISH_FACTOR",
            "(1 - mish(t) / t) / e as a function of e = e^-t",
            mish_right,
            None,
            None,
            MISH,
            mish_right_weight,
            2,
            True,
        ),
        Table("MISH_FACTOR", "mish(-t) / (-t e) as a function of e = e^-t", mish_left, None, None, MISH, None, 2, True),
    ),
    (
        Table(
            "MISH_SLOPE_FACTOR",
            "(1 - mish'(t)) e^t, which tends to 0",
            mish_slope_right,
            None,
            (lambda t: mpf(0), 0),
            MISH_SLOPE,
            mish_slope_right_weight,
            2,
        ),
        Table(
            "MISH_SLOPE_FACTOR",
            "mish'(-t) e^t, which tends to 1 - t",
            mish_slope_left,
            mp.findroot(mish_slope_left, mpf("1.1924")),
            (lambda t: 1 - t, 1),
            MISH_SLOPE,
            None,
            2,
        ),
    ),
]


def constants(format: Format) -> Iterator[tuple[str, mpf, str]]:
    ln2, ln2_low = split(mp.log(2), format)
    yield "LOG2E", 1 / mp.log(2), "1 / ln 2"
    yield "LN2", ln2, "ln 2"
    yield "LN2_LOW", ln2_low, "ln 2 - LN2"
    yield "HALF_LN2", mp.log(2) / 2, "ln 2 / 2"
    yield "EXP_LIMIT", mpf({"f32": 128, "f64": 800}[format.name]), "e^-x and x e^-x round to 0 beyond"
    yield "EXP_FAR", mpf({"f32": 320, "f64": 2200}[format.name]), "the same after products with any two finite numbers"
    yield "ONE_LIMIT", mpf({"f32": 20, "f64": 40}[format.name]), "1 - e^-x and tanh x round to 1 beyond"
    sixth, sixth_low = split_toward_zero(mpf(1) / 6, format)
    yield "SIXTH", sixth, "1/6"
    yield "SIXTH_LOW", sixth_low, "1/6 - SIXTH"
    for name, value, meaning in (
        ("SELU_RIGHT", SELU_LAMBDA, "lambda"),
        ("SELU_LEFT", SELU_LAMBDA * SELU_ALPHA, "lambda alpha"),
    ):
        high, low = split_toward_zero(value, format)
        yield name, high, meaning
        yield name + "_LOW", low, f"{meaning} - {name}"
    yield "SELU_ALPHA", SELU_ALPHA, "alpha, rounded"
    yield "SELU_SCALE", SELU_LAMBDA, "lambda, rounded"
    yield "TANH_SMALL", TANH_SMALL, "tanh is a polynomial up to here"
    yield "TAIL_LIMIT", GELU_LIMIT[format.name], "t Phi(-t) and t phi(t) round to 0 beyond"
    yield "TAIL_FAR", GELU_FAR[format.name], "the same after products with any two finite numbers"
    yield "TANHSHRINK_SMALL", TANHSHRINK_SMALL, "x - tanh x is a polynomial up to here"
    yield "TANHSHRINK_CENTRE", TANHSHRINK_CENTRE[format.name], "near TANHSHRINK_SMALL^2 / 2"
    yield "EXP_NEG_SQUARE_LIMIT", mpf({"f32": 13, "f64": 32}[format.name]), "e^(-x^2) rounds to 0 beyond"
    yield (
        "GELU_TANH_FAR",
        mpf({"f32": 16, "f64": 32}[format.name]),
        "GELU_TANH_LIMIT after products with any two finite numbers",
    )
    yield (
        "GELU_TANH_LIMIT",
        GELU_TANH_LIMIT[format.name],
        "gelu_tanh(x) rounds to 0 or x beyond",
    )
    slope, cubic = GELU_TANH_SLOPE / mp.log(2), GELU_TANH_CUBIC / mp.log(2)
    high = short(slope, format)
    yield "GELU_TANH_SLOPE", high, "2 sqrt(2/pi) / ln 2, rounded to six bits less"
    yield "GELU_TANH_SLOPE_LOW", slope - high, "its low part"
    high, low = split(cubic, format)
    yield "GELU_TANH_CUBIC", high, "2 sqrt(2/pi) 0.044715 / ln 2"
    yield "GELU_TANH_CUBIC_LOW", low, "its low part"
    high, low = split(QUICK_GELU_SLOPE, format)
    yield "QUICK_GELU_SLOPE", high, "1.702"
    yield "QUICK_GELU_SLOPE_LOW", low, "its low part"
    yield "SQRT2", mp.sqrt(2), "sqrt(2)"
    yield "ERF_SMALL", ERF_SMALL, "erf is a polynomial up to here"
    for name, value, meaning in (
        ("ERF_SLOPE", ERF_SLOPE, "2 / sqrt(pi)"),
        ("DENSITY", 1 / mp.sqrt(2 * mp.pi), "1 / sqrt(2 pi)"),
    ):
        high, low = split(value, format)
        yield name, high, meaning
        yield name + "_LOW", low, "its low part"
    golden = (mp.sqrt(5) - 1) / 2
    for name, value, meaning in (
        ("GOLDEN", golden, "(sqrt(5) - 1) / 2"),
        ("DISH_ROOT", mp.sqrt(golden), "the root of dish'(-t)"),
    ):
        high, low = split(value, format)
        yield name, high, meaning
        yield name + "_LOW", low, "its low part"


def initializers(rows: Iterable[Iterable[mpf]], format: Format) -> Iterator[str]:
    for row in rows:
        yield "    {" + ", ".join(format.literal(value) for value in row) + "},"


def header(format: Format) -> Iterator[str]:
    guard = f"NUMACT_MATH_COEFFICIENTS_{format.name.upper()}_H"
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
    for tables in [*((table,) for table in TABLES), *SIDES]:
        table = tables[0]
        step, degree = table.step_and_degree[format.name]
        columns, errors = zip(*(table.columns(format) for table in tables), strict=True)
        yield ""
        for k, (table, error) in enumerate(zip(tables, errors, strict=True)):
            last = mp.nstr(table.edge(table.segments(format), format), 4)
            yield f"{'   ' if k else '/* '}{table.meaning}."
            yield (
                f"   Up to t = {last}, degree {degree}, error 2^{mp.nstr(mp.log(error, 2), 4)} relative to the value."
                + (" */" if table is tables[-1] else "")
            )
        yield f"#define {table.name}_STEP ((scalar){format.literal(step)})"
        segments = [column for side in columns for column in side]
        yield f"#define {table.name}_DEGREE {degree}"
        yield "#ifdef TABLE_BY_SEGMENT"
        width = 1 << (len(segments[0]) - 1).bit_length()
        yield f"static const _Alignas(64) scalar {table.name}[SEGMENTS][{width}] = {{"
        yield from initializers(segments, format)
        yield "};"
        yield "#else"
        yield f"static const _Alignas(64) scalar {table.name}[][SEGMENTS] = {{"
        yield from initializers(zip(*segments, strict=True), format)
        yield "};"
        yield "#endif"
    yield ""
    yield "#endif"


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in FORMATS:
        sys.exit(__doc__)
    print("\n".join(header(FORMATS[sys.argv[1]])))
