"""What is not elementwise, and what does not depend on a function: see benchmarks/README.md."""

from __future__ import annotations

import importlib.metadata
import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import numact
from numact.commands.baseline import BASELINES

from . import function_of, listed, short
from .activations import medians

ROWS = [(4096, 1024), (64, 50257), (65536, 32)]
IMAGES = (64, 256, 28, 28)
SIZES = [16_384, 262_144, 4_194_304]


def normal(shape: Any, dtype: Any = np.float32) -> Any:
    """Random numbers."""
    return np.random.default_rng(0).standard_normal(shape, np.float32).astype(dtype)


class Axis:
    """Softmax and its kin along the last axis, and the gradients from the output."""

    params = (
        ["softmax", "log_softmax", "logsumexp", "sparsemax", "hardmax", "softmax_grad", "log_softmax_grad"],
        ["float32", "float64"],
        ROWS,
    )
    param_names = ("name", "dtype", "shape")

    def setup(self, name: str, dtype: str, shape: tuple[int, int]) -> None:
        function, x = function_of(name), normal(shape, dtype)
        operands = (x, function_of(name.removesuffix("_grad"))(x)) if name.endswith("_grad") else (x,)
        out = np.empty_like(function(*operands))
        self.call: Callable[[], Any] = lambda: function(*operands, out=out)

    def time_rows(self, name: str, dtype: str, shape: tuple[int, int]) -> None:
        self.call()


class Rows:
    """Normalisation of rows."""

    params = (["layer_norm", "rms_norm"], ["float16", "float32", "float64"], ROWS)
    param_names = ("name", "dtype", "shape")

    def setup(self, name: str, dtype: str, shape: tuple[int, int]) -> None:
        self.x, self.weight = normal(shape, dtype), normal(shape[1], dtype)
        self.out = np.empty_like(self.x)
        self.function, self.gradient = function_of(f"norm.{name}"), function_of(f"norm.{name}_grad")

    def time_forward(self, name: str, dtype: str, shape: tuple[int, int]) -> None:
        self.function(self.x, self.weight, out=self.out)

    def time_forward_gelu(self, name: str, dtype: str, shape: tuple[int, int]) -> None:
        self.function(self.x, self.weight, activation="gelu", out=self.out)

    def time_gradient(self, name: str, dtype: str, shape: tuple[int, int]) -> None:
        self.gradient(self.x, self.x, self.weight)


class Images:
    """Normalisation of channels."""

    params = (["float32", "float64"],)
    param_names = ("dtype",)

    def setup(self, dtype: str) -> None:
        self.x = normal(IMAGES, dtype)
        self.out = np.empty_like(self.x)
        self.mean, self.var = np.zeros(IMAGES[1], dtype), np.ones(IMAGES[1], dtype)
        self.saved = numact.norm.batch_norm_train(self.x, None, None)[1]

    def time_batch_norm(self, dtype: str) -> None:
        numact.norm.batch_norm(self.x, self.mean, self.var, out=self.out)

    def time_batch_norm_relu(self, dtype: str) -> None:
        numact.norm.batch_norm(self.x, self.mean, self.var, activation="relu", out=self.out)

    def time_batch_norm_train(self, dtype: str) -> None:
        numact.norm.batch_norm_train(self.x, None, None, out=self.out)

    def time_batch_norm_grad(self, dtype: str) -> None:
        numact.norm.batch_norm_grad(self.x, self.x, self.saved)


class Masks:
    """The functions that also return a bit mask, and the gradient from it."""

    params = (listed("formulas/activations.h", "MASK"), ["float16", "float32", "float64"], SIZES)
    param_names = ("name", "dtype", "size")

    def setup(self, name: str, dtype: str, size: int) -> None:
        self.x = normal(size, dtype)
        self.out = np.empty_like(self.x)
        self.function = function_of(f"{name}_masked")
        self.mask = self.function(self.x)[1]

    def time_masked(self, name: str, dtype: str, size: int) -> None:
        self.function(self.x, out=self.out)

    def time_masked_grad(self, name: str, dtype: str, size: int) -> None:
        numact.masked_grad(self.x, self.mask, out=self.out)


class Dropout:
    """Dropout, beside the NumPy expression."""

    params = ([0.1, 0.5], SIZES)
    param_names = ("p", "size")

    def setup(self, p: float, size: int) -> None:
        self.x, self.rng = normal(size), np.random.default_rng(0)
        self.out, self.dropout = np.empty_like(self.x), function_of("dropout")

    def time_dropout(self, p: float, size: int) -> None:
        self.dropout(self.x, p=p, rng=self.rng, out=self.out)

    def time_numpy(self, p: float, size: int) -> None:
        self.x * (self.rng.random(self.x.shape, dtype=np.float32) >= p) * np.float32(1 / (1 - p))


class Calls:
    """The overhead of a call: arrays of one element."""

    def setup(self) -> None:
        self.x, self.out = np.ones(1, np.float32), np.empty(1, np.float32)
        self.row, self.weight = np.ones((1, 1), np.float32), np.ones(1, np.float32)

    def time_numpy_tanh(self) -> None:
        np.tanh(self.x, out=self.out)

    def time_numpy_negative(self) -> None:
        np.negative(self.x, out=self.out)

    def time_numpy_maximum(self) -> None:
        np.maximum(self.x, 0.0, out=self.out)

    def time_forward(self) -> None:
        numact.gelu(self.x, out=self.out)

    def time_allocating(self) -> None:
        numact.gelu(self.x)

    def time_gradient(self) -> None:
        numact.gelu_grad(self.x, self.x, out=self.out)

    def time_default_parameter(self) -> None:
        numact.leaky_relu(self.x, out=self.out)

    def time_positional_parameter(self) -> None:
        numact.leaky_relu(self.x, 0.2, out=self.out)

    def time_keyword_parameter(self) -> None:
        numact.leaky_relu(self.x, negative_slope=0.2, out=self.out)

    def time_converted(self) -> None:
        numact.gelu(1)

    def time_softmax(self) -> None:
        numact.softmax(self.row)

    def time_layer_norm(self) -> None:
        numact.norm.layer_norm(self.row, self.weight)

    def time_masked(self) -> None:
        numact.relu_masked(self.x, out=self.out)

    def time_get(self) -> None:
        numact.get("Hardswish")


class Threads:
    """The same work with more threads, up to the number of processors."""

    params = (["relu", "sigmoid", "gelu", "softmax", "norm.layer_norm"], [1, 2, 4, 8, 16, 32, 64], [262_144, 4_194_304])
    param_names = ("name", "threads", "size")

    def setup(self, name: str, threads: int, size: int) -> None:
        if threads > len(os.sched_getaffinity(0)):
            raise NotImplementedError
        self.set_num_threads = function_of("set_num_threads")
        self.set_num_threads(threads)
        x = normal((size // 1024, 1024))
        out = np.empty_like(x)
        function = function_of(name)
        self.call: Callable[[], Any] = lambda: function(x, out=out)

    def time_threads(self, name: str, threads: int, size: int) -> None:
        self.call()

    def track_scaling(self, name: str, threads: int, size: int) -> float:
        def seconds(count: int) -> float:
            self.set_num_threads(count)
            return medians([self.call], size)[0]

        return short(float(np.median([seconds(1) / seconds(threads) for _ in range(5)])))

    track_scaling.unit = "times as fast as one thread"  # type: ignore[attr-defined]


class Memory:
    """The most memory that a process needs, with an array of 64 MB; "array" is the array and an output alone."""

    params = (["array", "numact", "in place", "numpy"],)
    param_names = ("library",)

    def setup(self, library: str) -> None:
        self.x = np.ones(1 << 24, np.float32)

    def peakmem_gelu(self, library: str) -> None:
        if library == "array":
            np.empty_like(self.x).fill(0)
        elif library == "numact":
            numact.gelu(self.x)
        elif library == "in place":
            numact.gelu(self.x, out=self.x)
        else:
            BASELINES["gelu"].forward(self.x)


class Import:
    """A process that imports numact, beside one that imports NumPy only."""

    params = (["numpy", "numact"],)
    param_names = ("module",)
    number = 1

    def timeraw_import(self, module: str) -> str:
        return f"import {module}"


class Size:
    """Bytes of the package: as it is installed, and compressed as in a wheel."""

    unit = "bytes"

    def setup(self) -> None:
        files = [file for file in importlib.metadata.files("numact") or [] if file.suffix != ".pyc"]
        self.files = {str(file): Path(str(file.locate())) for file in files if file.parts[0] == "numact"}

    def track_installed(self) -> int:
        return sum(file.stat().st_size for file in self.files.values())

    def track_wheel(self) -> int:
        wheel = io.BytesIO()
        with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, file in self.files.items():
                archive.write(file, name)
        return len(wheel.getvalue())
