"""Calls as programs make them, where `activations.py` repeats one into the same output: see benchmarks/README.md."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import function_of
from .others import normal

FUNCTIONS = ["relu", "tanh", "silu", "gelu"]
LAYERS = [(64, 1024), (4096, 1024), (16384, 1024)]
IMAGES = (256, 32, 8, 8)


class Layer:
    """One layer's activation of float32 (rows, columns)."""

    params = (FUNCTIONS, LAYERS)
    param_names = ("name", "shape")

    def setup(self, name: str, shape: tuple[int, int]) -> None:
        self.function, self.gradient = function_of(name), function_of(f"{name}_grad")
        self.x, self.dy, self.bias = normal(shape), normal(shape), normal(shape[1])
        self.y, self.z = np.zeros_like(self.x), np.zeros_like(self.x)

    def time_fresh(self, name: str, shape: tuple[int, int]) -> None:
        """Into new memory."""
        self.function(self.x)

    def time_kept(self, name: str, shape: tuple[int, int]) -> None:
        """The results of four layers, as a forward pass keeps them for the gradient."""
        _ = [self.function(self.x) for _ in range(4)]

    def time_used(self, name: str, shape: tuple[int, int]) -> None:
        """The next operation reads the result."""
        np.multiply(self.function(self.x, out=self.y), self.bias, out=self.z)

    def time_halves(self, name: str, shape: tuple[int, int]) -> None:
        """Rows of a wider matrix."""
        self.function(self.x[:, : shape[1] // 2])

    def time_dense(self, name: str, shape: tuple[int, int]) -> None:
        """With the bias of the layer."""
        function_of("bias_activation")(self.x, self.bias, name)

    def time_dense_gradient(self, name: str, shape: tuple[int, int]) -> None:
        """The gradient by the input and by the bias."""
        function_of("bias_activation_grad")(self.dy, self.x, self.bias, name)

    def time_number_as_dy(self, name: str, shape: tuple[int, int]) -> None:
        """f'(x) alone."""
        self.gradient(1.0, self.x)


class Reused(Layer):
    """The same in a block that reuses the memory of large arrays."""

    def setup(self, name: str, shape: tuple[int, int]) -> None:
        super().setup(name, shape)
        self.block = function_of("memory.reuse")("2GiB")
        self.block.__enter__()

    def teardown(self, name: str, shape: tuple[int, int]) -> None:
        self.block.__exit__(None, None, None)


class Gates:
    """A gate of the two halves of a matrix."""

    params = (["glu", "swiglu", "geglu", "geglu_tanh", "reglu"], ["float16", "float32", "float64"], LAYERS)
    param_names = ("name", "dtype", "shape")

    def setup(self, name: str, dtype: str, shape: tuple[int, int]) -> None:
        self.function, self.gradient = function_of(name), function_of(f"{name}_grad")
        x = normal(shape, dtype)
        self.halves = x[:, : shape[1] // 2], x[:, shape[1] // 2 :]
        self.dy = normal(self.halves[0].shape, dtype)

    def time_forward(self, name: str, dtype: str, shape: tuple[int, int]) -> None:
        self.function(*self.halves)

    def time_gradient(self, name: str, dtype: str, shape: tuple[int, int]) -> None:
        self.gradient(self.dy, *self.halves)


class Layouts:
    """Images in the layout that a convolution by im2col leaves, beside a contiguous gradient."""

    params = (["relu_grad", "gelu_grad"], ["float32", "float64"], ["same", "mixed"])
    param_names = ("name", "dtype", "layouts")

    def setup(self, name: str, dtype: str, layouts: str) -> None:
        function = function_of(name)
        images, channels, height, width = IMAGES
        dy = normal(IMAGES, dtype)
        x = normal((channels, height, width, images), dtype).transpose(3, 0, 1, 2)
        if layouts == "same":
            x = np.ascontiguousarray(x)
        self.call: Callable[[], Any] = lambda: function(dy, x)

    def time_gradient(self, name: str, dtype: str, layouts: str) -> None:
        self.call()


class HalfRows:
    """Softmax and its kin of 16 bits, where NumPy's conversion of subnormal results is slow."""

    params = (["softmax", "log_softmax"], ["float16", "float32"])
    param_names = ("name", "dtype")

    def setup(self, name: str, dtype: str) -> None:
        self.function, self.x = function_of(name), normal((256, 1024), dtype) * 4

    def time_rows(self, name: str, dtype: str) -> None:
        self.function(self.x)
