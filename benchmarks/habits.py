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

    params = (
        ["relu_grad", "gelu_grad", "relu_masked", "dropout", "norm.batch_norm_train"],
        ["float32", "float64"],
        ["same", "mixed"],
    )
    param_names = ("name", "dtype", "layouts")

    def setup(self, name: str, dtype: str, layouts: str) -> None:
        function = function_of(name)
        images, channels, height, width = IMAGES
        dy = normal(IMAGES, dtype)
        x = normal((channels, height, width, images), dtype).transpose(3, 0, 1, 2)
        if layouts == "same":
            x = np.ascontiguousarray(x)
        calls: dict[str, Callable[[], Any]] = {
            "relu_masked": lambda: function(x),
            "dropout": lambda: function(x, 0.5, np.random.default_rng(0)),
            "norm.batch_norm_train": lambda: function(x, None, None),
        }
        self.call = calls.get(name, lambda: function(dy, x))

    def time_call(self, name: str, dtype: str, layouts: str) -> None:
        self.call()


class HalfRows:
    """Softmax and its kin of 16 bits, where NumPy's conversion of subnormal results is slow."""

    params = (["softmax", "log_softmax"], ["float16", "float32"])
    param_names = ("name", "dtype")

    def setup(self, name: str, dtype: str) -> None:
        self.function, self.x = function_of(name), normal((256, 1024), dtype) * 4

    def time_rows(self, name: str, dtype: str) -> None:
        self.function(self.x)


class Attention:
    """The softmax of attention, with and without what masks it."""

    params = (["plain", "where", "scale", "float mask", "bias", "causal"], [(6, 256, 256), (12, 1024, 1024)])
    param_names = ("call", "shape")

    def setup(self, call: str, shape: tuple[int, ...]) -> None:
        softmax, attention = function_of("softmax"), function_of("attention_softmax")
        x = normal(shape)
        y, triangle = np.zeros_like(x), np.tri(*shape[-2:], dtype=bool)
        mask, bias = np.where(triangle, 0, -np.inf).astype(np.float32), -np.abs(normal(shape[-2:]))
        calls: dict[str, Callable[[], Any]] = {
            "plain": lambda: softmax(x, out=y),
            "where": lambda: softmax(x, where=triangle, out=y),
            "scale": lambda: attention(x, scale=0.125, out=y),
            "float mask": lambda: attention(x, scale=0.125, mask=mask, out=y),
            "bias": lambda: attention(x, scale=0.125, mask=bias, out=y),
            "causal": lambda: attention(x, scale=0.125, causal=True, out=y),
        }
        self.call = calls[call]

    def time_rows(self, call: str, shape: tuple[int, ...]) -> None:
        self.call()


class Small:
    """Calls on a row or two, as the decoding of a token makes them."""

    params = (
        "softmax", "softmax float16", "softmax where", "softmax temperature", "attention_softmax", "layer_norm",
        "rms_norm", "batch_norm", "dropout", "relu_masked", "leaky_relu_masked",
    )  # fmt: skip
    param_names = ("call",)

    def setup(self, call: str) -> None:
        x, row, generator = normal(64), normal((1, 768)), np.random.default_rng(0)
        half, takes_part, ones = x.astype(np.float16), x > 0, np.ones(768, np.float32)
        softmax, norm = function_of("softmax"), {n: function_of(f"norm.{n}_norm") for n in ("layer", "rms", "batch")}
        few = np.ones(16, np.float32)
        image = normal((1, 16, 2, 2))
        attention, dropout = function_of("attention_softmax"), function_of("dropout")
        masked = {n: function_of(f"{n}_masked") for n in ("relu", "leaky_relu")}
        calls: dict[str, Callable[[], Any]] = {
            "softmax": lambda: softmax(x),
            "softmax float16": lambda: softmax(half),
            "softmax where": lambda: softmax(x, where=takes_part),
            "softmax temperature": lambda: softmax(x, temperature=0.5),
            "attention_softmax": lambda: attention(x, scale=0.125),
            "layer_norm": lambda: norm["layer"](row, ones, ones),
            "rms_norm": lambda: norm["rms"](row, ones),
            "batch_norm": lambda: norm["batch"](image, few, few, few, few),
            "dropout": lambda: dropout(x, 0.5, generator),
            "relu_masked": lambda: masked["relu"](x),
            "leaky_relu_masked": lambda: masked["leaky_relu"](x, 0.2),
        }
        self.call = calls[call]

    def time_call(self, call: str) -> None:
        self.call()


class Largest:
    """The largest of adjacent entries and of rows."""

    params = (["maxout", "maxout_grad", "hardmax"], [(1000, 384), (4000, 1200)])
    param_names = ("name", "shape")

    def setup(self, name: str, shape: tuple[int, int]) -> None:
        function, x, pieces = function_of(name), normal(shape), 3
        if name == "hardmax":
            self.call: Callable[[], Any] = lambda: function(x)
        elif name == "maxout":
            self.call = lambda: function(x, pieces)
        else:
            y, which = function_of("maxout")(x, pieces)
            self.call = lambda: function(y, which, pieces)

    def time_call(self, name: str, shape: tuple[int, int]) -> None:
        self.call()
