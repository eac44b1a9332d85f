"""Every activation of the catalogue beside the NumPy expressions of the demo: see benchmarks/README.md."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import numact
from numact.commands.baseline import BASELINES, Baseline

from . import function_of, listed, short

NAMES = listed("formulas/activations.h")
GATED = listed("formulas/gated.h")
DTYPES = ["float32", "float64"]
SIZES = [1_024, 16_384, 262_144, 4_194_304]


def type_of(dtype: str) -> Any:
    """The dtype of this name; asv skips bfloat16 without ml_dtypes."""
    if dtype != "bfloat16":
        return np.dtype(dtype)
    try:
        import ml_dtypes
    except ModuleNotFoundError:
        raise NotImplementedError from None
    return np.dtype(ml_dtypes.bfloat16)


def expressions(name: str) -> Baseline:
    """The NumPy expressions of an activation; asv skips one that has none."""
    if name not in BASELINES:
        raise NotImplementedError
    return BASELINES[name]


def required(name: str) -> list[float]:
    """Parameters that have no default."""
    row = next(row for row in numact.catalogue() if row.name == name)
    return [0.5 for _, default in row.parameters if default is None]


def calls(name: str, dtype: str, size: int, library: str) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Calls of the forward pass and the gradient; numact writes into an existing array."""
    kind = type_of(dtype)
    rng = np.random.default_rng(0)
    x = (3 * rng.standard_normal(size)).astype(kind)
    dy = rng.standard_normal(size).astype(kind)
    if library == "numpy":
        plain = expressions(name)
        return lambda: plain.forward(x), lambda: plain.gradient(dy, x)
    function, gradient = function_of(name), function_of(f"{name}_grad")
    out = np.empty_like(x)
    more = required(name)
    return lambda: function(x, *more, out=out), lambda: gradient(dy, x, *more, out=out)


def medians(work: Sequence[Callable[[], Any]], size: int) -> list[float]:
    """Seconds for a call, medians of interleaved rounds."""
    seconds: list[list[float]] = [[] for _ in work]
    repeat = max(1, 16_384 // size)
    for _ in range(max(5, min(51, 4_194_304 // size))):
        for call, times in zip(work, seconds, strict=True):
            call()  # untimed: brings its own arrays into the cache
            start = time.perf_counter()
            for _ in range(repeat):
                call()
            times.append((time.perf_counter() - start) / repeat)
    return [float(np.median(times)) for times in seconds]


class Activations:
    params = (NAMES, DTYPES, SIZES, ["numact", "numpy"])
    param_names = ("name", "dtype", "size", "library")

    def setup(self, name: str, dtype: str, size: int, library: str) -> None:
        self.forward, self.gradient = calls(name, dtype, size, library)

    def time_forward(self, name: str, dtype: str, size: int, library: str) -> None:
        self.forward()

    def time_gradient(self, name: str, dtype: str, size: int, library: str) -> None:
        self.gradient()


class Halves(Activations):
    """float16 and bfloat16, numact only: NumPy has no vectorised expressions of them."""

    params = (NAMES, ["float16", "bfloat16"], SIZES[1:3], ["numact"])


class InPlace:
    """Results that overwrite their operands, new in every sample, since repeated calls make some subnormal."""

    params = (NAMES, DTYPES, SIZES[1:], ["numact", "numpy"])
    param_names = ("name", "dtype", "size", "library")
    number = 1
    warmup_time = 0

    def setup(self, name: str, dtype: str, size: int, library: str) -> None:
        rng = np.random.default_rng(0)
        x, dy = (3 * rng.standard_normal((2, size))).astype(dtype)
        if library == "numpy":
            plain = expressions(name)
            self.forward: Callable[[], Any] = lambda: np.copyto(x, plain.forward(x))
            self.gradient: Callable[[], Any] = lambda: np.copyto(dy, plain.gradient(dy, x))
        else:
            function, gradient, more = function_of(name), function_of(f"{name}_grad"), required(name)
            self.forward = lambda: function(x, *more, out=x)
            self.gradient = lambda: gradient(dy, x, *more, out=dy)

    def time_forward(self, name: str, dtype: str, size: int, library: str) -> None:
        self.forward()

    def time_gradient(self, name: str, dtype: str, size: int, library: str) -> None:
        self.gradient()


class FromOutput:
    """The gradients from the output, where they exist."""

    params = (NAMES, DTYPES, SIZES, ["numact", "numpy"])
    param_names = ("name", "dtype", "size", "library")

    def setup(self, name: str, dtype: str, size: int, library: str) -> None:
        rng = np.random.default_rng(0)
        x, dy = (3 * rng.standard_normal((2, size))).astype(dtype)
        more = required(name)
        y = function_of(name)(x, *more)
        if library == "numpy":
            plain = expressions(name).gradient_y
            if plain is None:
                raise NotImplementedError
            self.call: Callable[[], Any] = lambda: plain(dy, y)
        else:
            gradient, out = function_of(f"{name}_grad_y"), np.empty_like(dy)
            self.call = lambda: gradient(dy, y, *more, out=out)

    def time_gradient(self, name: str, dtype: str, size: int, library: str) -> None:
        self.call()


class Gated:
    """The gated functions, which read two arrays, and their gradients, which read three and write two."""

    params = (GATED, DTYPES, SIZES[1:])
    param_names = ("name", "dtype", "size")

    def setup(self, name: str, dtype: str, size: int) -> None:
        rng = np.random.default_rng(0)
        self.arrays = (3 * rng.standard_normal((3, size))).astype(dtype)
        self.out = np.empty_like(self.arrays)
        self.function, self.gradient = function_of(name), function_of(f"{name}_grad")

    def time_forward(self, name: str, dtype: str, size: int) -> None:
        self.function(self.arrays[0], self.arrays[1], out=self.out[0])

    def time_gradient(self, name: str, dtype: str, size: int) -> None:
        self.gradient(*self.arrays, out=(self.out[0], self.out[1]))


class Rates:
    """Billions of elements and of bytes, read and written ones, per second, of numact alone; "copy" is np.copyto."""

    params = (["copy", *NAMES], ["float16", "float32", "float64"], SIZES[1:])
    param_names = ("name", "dtype", "size")

    def setup(self, name: str, dtype: str, size: int) -> None:
        if name == "copy":
            x = np.ones(size, dtype)
            out = np.empty_like(x)
            self.calls: tuple[Callable[[], Any], ...] = (lambda: np.copyto(out, x),)
        else:
            self.calls = calls(name, dtype, size, "numact")

    def rate(self, which: int, size: int) -> float:
        if which >= len(self.calls):
            return float("nan")  # a copy has no gradient
        return 1e-9 * size / medians([self.calls[which]], size)[0]

    def track_elements_forward(self, name: str, dtype: str, size: int) -> float:
        return short(self.rate(0, size))

    def track_elements_gradient(self, name: str, dtype: str, size: int) -> float:
        return short(self.rate(1, size))

    def track_bytes_forward(self, name: str, dtype: str, size: int) -> float:
        return short(2 * np.dtype(dtype).itemsize * self.rate(0, size))

    def track_bytes_gradient(self, name: str, dtype: str, size: int) -> float:
        return short(3 * np.dtype(dtype).itemsize * self.rate(1, size))

    track_elements_forward.unit = track_elements_gradient.unit = "G elements/s"  # type: ignore[attr-defined]
    track_bytes_forward.unit = track_bytes_gradient.unit = "GB/s"  # type: ignore[attr-defined]


class Ratios:
    """Time of NumPy over time of numact, medians of interleaved rounds: above 1, numact is faster."""

    params = (NAMES, DTYPES, SIZES)
    param_names = ("name", "dtype", "size")
    unit = "times as fast as NumPy"

    def setup(self, name: str, dtype: str, size: int) -> None:
        self.calls = [calls(name, dtype, size, library) for library in ("numact", "numpy")]

    def _ratio(self, which: int, size: int) -> float:
        numact_seconds, numpy_seconds = medians([pair[which] for pair in self.calls], size)
        return short(numpy_seconds / numact_seconds)

    def track_forward(self, name: str, dtype: str, size: int) -> float:
        return self._ratio(0, size)

    def track_gradient(self, name: str, dtype: str, size: int) -> float:
        return self._ratio(1, size)
