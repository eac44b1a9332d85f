"""What the tests share: the functions of the catalogue, their inputs, and bits of results."""

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from reference import REFERENCE

from numact import Activation, _core

Array = np.ndarray[Any, np.dtype[Any]]

ROWS = [row for row in _core.catalogue() if row.family == "elementwise"]
LEVELS = _core.levels()
BUILT = {level: _core.build(level) for level in LEVELS}
DTYPES = (np.float16, np.float32, np.float64)
AT_ZERO = 0.5
# For parameters that have no default.
CHOSEN = {"threshold": 0.5, "value": -2.0}


@dataclass(frozen=True)
class Function:
    """A ufunc of the list: an activation ("") or one of its gradients ("_grad", "_grad_y", "_grad_at_zero")."""

    row: Activation
    suffix: str

    @property
    def name(self) -> str:
        """Name of the ufunc."""
        return self.row.name + self.suffix

    @property
    def bound(self) -> float:
        """Allowed error in ULP."""
        return self.row.ulp_gradient if self.suffix else self.row.ulp

    def ufunc(self, level: str = _core.level()) -> np.ufunc:
        """Find the function of a level."""
        return BUILT[level][self.name]

    def parameters(self, dtype: Any = np.float64) -> list[tuple[Any, ...]]:
        """List sets of parameters to test with: the defaults, and others; all obey the rules of the row."""
        first = [CHOSEN[name] if default is None else default for name, default in self.row.parameters]
        sets = [first, [4.5 if value == math.inf else 0.7 * value or 0.3 for value in first]] if first else [[]]
        last = [AT_ZERO] if self.suffix == "_grad_at_zero" else []
        return [tuple(dtype(value) for value in values + last) for values in sets]

    def operands(self, x: Any, parameters: tuple[Any, ...] | None = None, dy: Any = None) -> tuple[Any, ...]:
        """All operands of the ufunc; dy is 1 where it is not given, the parameters are the defaults."""
        values = self.parameters(x.dtype.type)[0] if parameters is None else parameters
        gradient = (np.ones_like(x) if dy is None else dy,) if self.suffix else ()
        return (*gradient, x, *values)

    def reference(self, m: Any, x: Any, *parameters: Any) -> Any:
        """Compute the true value for dy = 1, in the arithmetic m."""
        reference = REFERENCE[self.row.name]
        if self.suffix == "":
            return reference.forward(m, x, *parameters)
        if self.suffix == "_grad_y":
            assert reference.derivative_y is not None, f"{self.row.name}: its reference lacks the derivative by y"
            return reference.derivative_y(m, x, *parameters)
        if self.suffix == "_grad":
            return reference.derivative(m, x, *parameters)
        return m.where(x == 0, parameters[-1], reference.derivative(m, x, *parameters[:-1]))

    def inputs(self, x: Array) -> Array:
        """x, or for the gradient from the output the outputs for x (with those special values that outputs take)."""
        if self.suffix != "_grad_y":
            return x
        forward = Function(self.row, "")
        with np.errstate(over="ignore"):
            return np.asarray(forward.ufunc()(*forward.operands(x)))


FUNCTIONS = [
    Function(row, suffix)
    for row in ROWS
    for suffix, exists in (("", True), ("_grad", True), ("_grad_y", row.from_output), ("_grad_at_zero", row.kink))
    if exists
]
ELEMENTARY = [function for function in FUNCTIONS if function.suffix in ("", "_grad")]


def name_of(value: Any) -> str | None:
    """Test ids: names of functions, rows and dtypes."""
    return getattr(value, "name", None) or getattr(value, "__name__", None)


def unsigned(dtype: Any) -> Any:
    """Find the unsigned integer of the size of dtype."""
    return {2: np.uint16, 4: np.uint32, 8: np.uint64}[np.dtype(dtype).itemsize]


def bits(a: Any) -> Array:
    """Bit patterns; all NaN are one."""
    a = np.ascontiguousarray(a)
    integer = unsigned(a.dtype)
    with np.errstate(invalid="ignore"):  # of signalling NaN, in ml_dtypes
        return np.asarray(np.where(np.isnan(a), np.iinfo(integer).max, a.view(integer)))


def assert_same_bits(got: Any, want: Any, x: Any = None, message: str = "") -> None:
    """Fail, with the first difference, unless bits are the same."""
    got, want = np.asarray(got), np.asarray(want)
    assert got.dtype == want.dtype
    assert got.shape == want.shape
    different = np.flatnonzero(bits(got).ravel() != bits(want).ravel())
    if different.size:
        i = different[0]
        where = "" if x is None else f" for x = {float(np.ravel(x)[i]).hex()}"
        got_hex, want_hex = float(got.flat[i]).hex(), float(want.flat[i]).hex()
        raise AssertionError(f"{message} {different.size} differ, the first{where}: {got_hex}, not {want_hex}")


# Where formulas change, results become zero, subnormal, one or infinite, or gradients have a root.
POINTS = [
    *(0.25, 0.5, 0.5625, 0.7517915246935645, 1.0, 1.278464542761074, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 20.0, 128.0, 1e18),
    *(13.0, 13.2, 13.4, 14.0, 14.2, 14.5, 16.6355, 17.3287, 43.66, 44.36, 51.98, 87.3365, 88.3763, 88.7228, 103.2789),
    *(103.972, 104.67, 106.0, 108.6, 110.0, 33.27, 36.04, 36.74, 37.5, 37.68, 38.48, 38.57, 372.6, 354.2, 708.396),
    *(709.7827, 744.44, 745.1332, 752.0, 760.0),
]


@cache
def critical(dtype: Any, radius: int, multiples: int) -> Array:
    """List the numbers within `radius` ULP of critical points, multiples of log(2) / 2 among them, of both signs."""
    info = np.finfo(dtype)
    points = [0.0, info.smallest_subnormal, info.tiny, info.eps, info.max, math.sqrt(info.max), math.sqrt(info.tiny)]
    points += [*POINTS, *(k * math.log(2) / 2 for k in range(1, multiples))]
    finite = [point for point in points if point <= float(info.max)]
    patterns = np.array(finite, dtype).view(unsigned(dtype)).astype(np.int64)[:, None] + np.arange(-radius, radius + 1)
    limit = int(np.array(info.max, dtype).view(unsigned(dtype)))
    positive = np.unique(patterns[(patterns >= 0) & (patterns <= limit)]).astype(unsigned(dtype)).view(dtype)
    return np.concatenate([positive, -positive])


@cache
def stratified(dtype: Any, count: int, seed: int = 0) -> Array:
    """Random finite numbers: of any exponent, of exponents around 1, and uniform in [-40, 40]."""
    rng = np.random.default_rng(seed)
    third = count // 3
    width = np.dtype(dtype).itemsize * 8
    any_exponent = rng.integers(0, 2**width, 2 * third, unsigned(dtype)).view(dtype)
    any_exponent = any_exponent[np.isfinite(any_exponent)][:third]
    moderate = np.exp2(rng.uniform(-12, 11, third)) * rng.choice([-1, 1], third)
    return np.concatenate([any_exponent, moderate.astype(dtype), rng.uniform(-40, 40, third).astype(dtype)])


@cache
def specials(dtype: Any) -> Array:
    """Zeros, infinities, NaN, subnormals and the largest numbers."""
    info = np.finfo(dtype)
    small = [0.0, info.smallest_subnormal, info.tiny / 2, info.tiny, info.eps]
    positive = np.array([*small, 1.0, info.max / 4, info.max, np.inf, np.nan], dtype)
    return np.concatenate([positive, -positive])


def samples(dtype: Any, count: int = 3000, radius: int = 1) -> Array:
    """Mix a bit of everything."""
    return np.concatenate([specials(dtype), critical(dtype, radius, 60), stratified(dtype, count)])
