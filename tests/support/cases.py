"""What the tests share: the functions of the catalogue, their inputs, and bits of results."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from support.reference import REFERENCE

from numact import Activation
from numact._functions.catalogue import catalogue
from numact._kernels import core
from numact.commands.inputs import CHOSEN, critical, of_parameters, parameter_sets, stratified, unsigned

__all__ = ["CHOSEN", "critical", "stratified", "unsigned"]

Array = np.ndarray[Any, np.dtype[Any]]

ROWS = [row for row in catalogue() if row.family == "elementwise"]
LEVELS = core.levels()
BUILT = {level: core.build(level) for level in LEVELS}
DTYPES = (np.float16, np.float32, np.float64)
AT_ZERO = 0.5


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

    def ufunc(self, level: str = core.level()) -> np.ufunc:
        """Find the function of a level."""
        return BUILT[level][self.name]

    def parameters(self, dtype: Any = np.float64) -> list[tuple[Any, ...]]:
        """List sets of parameters to test with: the defaults, and others; all obey the rules of the row."""
        last = [AT_ZERO] if self.suffix == "_grad_at_zero" else []
        kind = of_parameters(dtype)
        return [tuple(kind(value) for value in values + last) for values in parameter_sets(self.row)]

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


def bits(a: Any) -> Array:
    """Bit patterns; all NaN are one."""
    a = np.ascontiguousarray(a)
    integer = unsigned(a.dtype)
    with np.errstate(invalid="ignore"):  # of signalling NaN, in ml_dtypes
        return np.asarray(np.where(np.isnan(a), np.iinfo(integer).max, a.view(integer)))


def unaligned(x: Array) -> Array:
    """The array at an odd address."""
    memory = np.zeros(x.nbytes + 1, np.uint8)
    view: Array = memory[1:].view(x.dtype).reshape(x.shape)
    view[...] = x
    return view


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
