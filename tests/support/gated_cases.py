"""What the tests of the gated functions share: what each is, its ufuncs and operands."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from support.cases import BUILT, Array, critical, stratified
from support.reference import EXACT, FAST, GATE, REFERENCE, Reference

from numact import Activation
from numact._functions.catalogue import catalogue
from numact._kernels import core

ROWS = [row for row in catalogue() if row.family == "gated"]


@dataclass(frozen=True)
class Gated:
    """A ufunc of the list: a gated function ("") or its gradient ("_grad")."""

    row: Activation
    suffix: str

    @property
    def name(self) -> str:
        """Name of the ufunc."""
        return self.row.name + self.suffix

    @property
    def operands(self) -> int:
        """Number of operands."""
        return 3 if self.suffix else 2

    @property
    def results(self) -> int:
        """Number of results."""
        return 2 if self.suffix else 1

    @property
    def bound(self) -> float:
        """Allowed error in ULP."""
        return self.row.ulp_gradient if self.suffix else self.row.ulp

    @property
    def activation(self) -> Reference:
        """What is done to the gate."""
        return REFERENCE[GATE[self.row.name]]

    def ufunc(self, level: str = core.level()) -> np.ufunc:
        """Find the function of a level."""
        return BUILT[level][self.name]

    def compute(self, *operands: Any, level: str = core.level()) -> tuple[Array, ...]:
        """Compute the results, always as a tuple, without the warning of an overflow."""
        with np.errstate(over="ignore"):
            results = self.ufunc(level)(*operands)
        return tuple(map(np.asarray, results)) if self.suffix else (np.asarray(results),)

    def arranged(self, dy: Any, gate: Any, other: Any) -> tuple[Any, ...]:
        """Give the operands in the order of the ufunc."""
        arguments = (gate, other) if self.row.arguments[0] == "gate" else (other, gate)
        return (dy, *arguments) if self.suffix else arguments

    def references(self, m: Any, dy: Any, gate: Any, other: Any) -> tuple[Any, ...]:
        """Compute the true values in the arithmetic m, in the order of the results."""
        value = self.activation.forward(m, gate)
        if not self.suffix:
            return (value * other,)
        by_gate, by_other = dy * other * self.activation.derivative(m, gate), dy * value
        return (by_gate, by_other) if self.row.arguments[0] == "gate" else (by_other, by_gate)

    def exact(self, dy: Any, gate: Any, other: Any) -> tuple[Any, ...]:
        """Compute the true values in high precision."""
        return tuple(map(EXACT.mpf, self.references(EXACT, *(EXACT.mpf(float(x)) for x in (dy, gate, other)))))

    def true_values(self, dy: Array, gate: Array, other: Array) -> tuple[Array, ...]:
        """Compute the true values for float32 in float64, exactly where a derivative has a root and float64 cancels."""
        with np.errstate(all="ignore"):
            results = self.references(FAST, *(x.astype(np.float64) for x in (dy, gate, other)))
            derivative = np.asarray(self.activation.derivative(FAST, gate.astype(np.float64)))
        results = tuple(np.array(np.broadcast_to(result, gate.shape)) for result in results)
        cancels = np.broadcast_to(
            (abs(derivative) < 1e-3) & (derivative != 0) & (abs(gate) > 0.1) & (abs(gate) < 5), gate.shape
        )
        for i in np.flatnonzero(cancels) if self.suffix else ():
            for result, value in zip(results, self.exact(dy[i], gate[i], other[i]), strict=True):
                result[i] = float(value)
        return results


FUNCTIONS = [Gated(row, suffix) for row in ROWS for suffix in ("", "_grad")]


def others(dtype: Any, count: int, seed: int) -> Array:
    """Random finite operands: of any magnitude, and in [-4, 4]."""
    rng = np.random.default_rng(seed)
    wide = np.resize(rng.permutation(stratified(dtype, max(count, 3000), seed)), count)
    wide = np.where(np.isfinite(wide), wide, dtype(1))
    return np.where(rng.random(count) < 0.5, wide, rng.uniform(-4, 4, count).astype(dtype))


def gates(dtype: Any, count: int, seed: int = 0) -> Array:
    """Gates of any magnitude, and those for which results are tiny unless the other operands are huge."""
    rng = np.random.default_rng(seed)
    far = {np.float16: 60, np.float32: 330, np.float64: 2300}[dtype]
    points = [critical(dtype, 2, 30), stratified(dtype, count, seed), rng.uniform(-far, 10, count // 2)]
    return rng.permutation(np.concatenate(points).astype(dtype))
