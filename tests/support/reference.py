"""The formulas of numact/commands/verify/exact.py, and a second arithmetic for them: float64 arrays, for sweeps."""

from typing import Any

import numpy as np
from scipy import special

from numact.commands.verify.checks import GATE
from numact.commands.verify.exact import EXACT, REFERENCE, Reference

__all__ = ["EXACT", "FAST", "GATE", "REFERENCE", "Reference"]


class FAST:
    """Arithmetic on float64 arrays: far more precise than float32; not to be instantiated."""

    exp, expm1, log1p, sqrt, tanh, cosh, where = np.exp, np.expm1, np.log1p, np.sqrt, np.tanh, np.cosh, np.where
    sign = np.sign
    erf, erfc, pi = special.erf, special.erfc, np.pi

    @staticmethod
    def number(value: Any) -> float:
        """Turn a decimal or a number into float64."""
        return float(value)
