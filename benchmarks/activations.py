"""Every activation of the catalogue beside the NumPy expressions of `numact._baseline`: see benchmarks/README.md."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

import numact
from numact._baseline import BASELINES

NAMES = [row.name for row in numact.catalogue() if row.family == "elementwise"]
DTYPES = ["float32", "float64"]
SIZES = [1_024, 16_384, 262_144, 4_194_304]


def calls(name: str, dtype: str, size: int, library: str) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Forward pass and gradient, ready to be timed; numact writes into an array that exists."""
    rng = np.random.default_rng(0)
    x = (3 * rng.standard_normal(size)).astype(dtype)
    dy = rng.standard_normal(size).astype(dtype)
    if library == "numpy":
        if name not in BASELINES:
            raise NotImplementedError  # asv then leaves the combination out
        plain = BASELINES[name]
        return lambda: plain.forward(x), lambda: plain.gradient(dy, x)
    function, gradient = getattr(numact, name), getattr(numact, f"{name}_grad")
    out = np.empty_like(x)
    row = next(row for row in numact.catalogue() if row.name == name)
    required = [0.5 for _, default in row.parameters if default is None]
    return lambda: function(x, *required, out=out), lambda: gradient(dy, x, *required, out=out)


class Activations:
    params = (NAMES, DTYPES, SIZES, ["numact", "numpy"])
    param_names = ("name", "dtype", "size", "library")

    def setup(self, name: str, dtype: str, size: int, library: str) -> None:
        self.forward, self.gradient = calls(name, dtype, size, library)

    def time_forward(self, name: str, dtype: str, size: int, library: str) -> None:
        self.forward()

    def time_gradient(self, name: str, dtype: str, size: int, library: str) -> None:
        self.gradient()


class Ratios:
    """Time of NumPy over time of numact, medians of interleaved rounds: above 1, numact is faster."""

    params = (NAMES, DTYPES, SIZES)
    param_names = ("name", "dtype", "size")
    unit = "times as fast as NumPy"

    def setup(self, name: str, dtype: str, size: int) -> None:
        self.calls = [calls(name, dtype, size, library) for library in ("numact", "numpy")]

    def _ratio(self, which: int, size: int) -> float:
        seconds: list[list[float]] = [[], []]
        repeat = max(1, 16_384 // size)
        for _ in range(max(5, min(51, 4_194_304 // size))):
            for pair, times in zip(self.calls, seconds, strict=True):
                pair[which]()  # so that it finds its own arrays in the cache
                start = time.perf_counter()
                for _ in range(repeat):
                    pair[which]()
                times.append(time.perf_counter() - start)
        return float(np.median(seconds[1]) / np.median(seconds[0]))

    def track_forward(self, name: str, dtype: str, size: int) -> float:
        return self._ratio(0, size)

    def track_gradient(self, name: str, dtype: str, size: int) -> float:
        return self._ratio(1, size)
