"""The layers of a network, each with its forward and its backward pass, in plain NumPy on numact's kernels.

A layer keeps what its backward pass needs, and nothing else.  `parameters` and `gradients` are lists of arrays that
belong together; an optimiser changes the first in place.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from numact._functions import catalogue
from numact._functions.names import FUNCTIONS, find
from numact._functions.parametric import ParametricUfunc
from numact.norm.batch import batch_norm, batch_norm_grad, batch_norm_train
from numact.norm.layer import layer_norm, layer_norm_grad

Array = np.ndarray[Any, np.dtype[Any]]
PIECES = 2  # of maxout


def required_of(name: str) -> dict[str, float]:
    """0 for the parameters of an activation that have no default: `threshold` then is relu."""
    return {key: 0.0 for key, default in catalogue.row(name).parameters if default is None}


class Layer:
    """A part of a network."""

    def __init__(self) -> None:
        self.parameters: list[Array] = []
        self.gradients: list[Array] = []

    def forward(self, x: Array, training: bool) -> Array:
        """The output; in training what the backward pass needs is kept."""
        raise NotImplementedError

    def backward(self, dy: Array) -> Array:
        """The gradient by the input of the last forward pass; dy may be overwritten."""
        raise NotImplementedError


class Dense(Layer):
    """x W + b."""

    def __init__(self, weights: Array) -> None:
        super().__init__()
        self.parameters = [weights, np.zeros(weights.shape[1], weights.dtype)]
        self.gradients = [np.zeros_like(p) for p in self.parameters]

    def forward(self, x: Array, training: bool) -> Array:
        """Keeps x."""
        self._x = x
        y: Array = x @ self.parameters[0]
        y += self.parameters[1]
        return y

    def backward(self, dy: Array) -> Array:
        """The gradients by weights and bias are written, that by x is returned."""
        np.matmul(self._x.T, dy, out=self.gradients[0])
        np.sum(dy, axis=0, out=self.gradients[1])
        dx: Array = dy @ self.parameters[0].T
        return dx


class Convolution(Layer):
    """A convolution of images (samples, channels, height, width) with `same` padding, as a product (im2col)."""

    def __init__(self, kernel: Array) -> None:
        super().__init__()
        self.parameters = [kernel, np.zeros(kernel.shape[0], kernel.dtype)]
        self.gradients = [np.zeros_like(p) for p in self.parameters]

    def _columns(self, x: Array) -> Array:
        size = self.parameters[0].shape[-1]
        margin = size // 2
        padded = np.pad(x, ((0, 0), (0, 0), (margin, margin), (margin, margin)))
        windows = sliding_window_view(padded, (size, size), axis=(2, 3))  # samples, channels, height, width, size, size
        return np.ascontiguousarray(windows.transpose(0, 2, 3, 1, 4, 5)).reshape(-1, x.shape[1] * size * size)

    def forward(self, x: Array, training: bool) -> Array:
        """Keeps the columns, which are size^2 times as large as x."""
        kernel, bias = self.parameters
        self._shape, self._kept = x.shape, self._columns(x)
        y = self._kept @ kernel.reshape(len(kernel), -1).T
        y += bias
        result: Array = y.reshape(x.shape[0], *x.shape[2:], len(kernel)).transpose(0, 3, 1, 2)
        return np.ascontiguousarray(result)

    def backward(self, dy: Array) -> Array:
        """The gradient by x is the convolution of dy with the kernel turned round."""
        kernel, _ = self.parameters
        flat = np.ascontiguousarray(dy.transpose(0, 2, 3, 1)).reshape(-1, len(kernel))
        self.gradients[0][...] = (flat.T @ self._kept).reshape(kernel.shape)
        np.sum(flat, axis=0, out=self.gradients[1])
        turned = kernel[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
        dx = self._columns(dy) @ np.ascontiguousarray(turned).reshape(kernel.shape[1], -1).T
        samples, channels, height, width = self._shape
        return np.ascontiguousarray(dx.reshape(samples, height, width, channels).transpose(0, 3, 1, 2))


class MaxPool(Layer):
    """The largest of every two by two pixels."""

    def forward(self, x: Array, training: bool) -> Array:
        """Keeps where the largest were."""
        samples, channels, height, width = x.shape
        blocks = x.reshape(samples, channels, height // 2, 2, width // 2, 2).transpose(0, 1, 2, 4, 3, 5)
        flat = np.ascontiguousarray(blocks).reshape(*blocks.shape[:4], 4)
        y, self._which = FUNCTIONS["maxout"](flat, 4)
        return np.asarray(y[..., 0])

    def backward(self, dy: Array) -> Array:
        """Dy goes to the largest."""
        samples, channels, height, width = dy.shape
        flat = FUNCTIONS["maxout_grad"](np.ascontiguousarray(dy)[..., None], self._which, 4)
        blocks = flat.reshape(samples, channels, height, width, 2, 2).transpose(0, 1, 2, 4, 3, 5)
        return np.ascontiguousarray(blocks).reshape(samples, channels, 2 * height, 2 * width)


class Flatten(Layer):
    """Images as rows."""

    def forward(self, x: Array, training: bool) -> Array:
        """Keeps the shape."""
        self._shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, dy: Array) -> Array:
        """Rows as images."""
        return dy.reshape(self._shape)


class Activation(Layer):
    """An elementwise activation; its gradient is taken from the output where that is possible, else from the input."""

    def __init__(self, name: str, at_zero: float | None = None) -> None:
        super().__init__()
        self.name, given = find(name)
        self._given = required_of(self.name) | given
        self._forward = FUNCTIONS[self.name]
        row = catalogue.row(self.name)
        self._from_output = row.from_output and at_zero is None and self._allows_output()
        self._gradient = FUNCTIONS[f"{self.name}_grad_y" if self._from_output else f"{self.name}_grad"]
        self._at_zero = {} if at_zero is None or not row.kink else {"at_zero": at_zero}
        self.output: Array | None = None

    def _allows_output(self) -> bool:
        """Whether the gradient from the output exists for these parameters."""
        gradient = FUNCTIONS[f"{self.name}_grad_y"]
        if not isinstance(gradient, ParametricUfunc):
            return True
        try:
            gradient(1.0, 1.0, **self._given)
        except ValueError:
            return False
        return True

    def forward(self, x: Array, training: bool) -> Array:
        """In place where the output is enough for the gradient."""
        self.output = self._forward(x, **self._given, out=x if self._from_output else None)
        self._kept = self.output if self._from_output else x
        return np.asarray(self.output)

    def backward(self, dy: Array) -> Array:
        """In place."""
        return np.asarray(self._gradient(dy, self._kept, **self._given, **self._at_zero, out=dy))


class Gated(Layer):
    """A gated activation of the halves of a layer that is twice as wide."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.output: Array | None = None

    def forward(self, x: Array, training: bool) -> Array:
        """Keeps x."""
        self._kept = x
        self.output = FUNCTIONS[f"{self.name}_split"](x)
        return np.asarray(self.output)

    def backward(self, dy: Array) -> Array:
        """Both gradients as halves."""
        return np.asarray(FUNCTIONS[f"{self.name}_split_grad"](dy, self._kept))


class Maxout(Layer):
    """The largest of every two neighbours of a layer that is twice as wide."""

    def __init__(self) -> None:
        super().__init__()
        self.name = "maxout"
        self.output: Array | None = None

    def forward(self, x: Array, training: bool) -> Array:
        """Keeps which were the largest."""
        self.output, self._which = FUNCTIONS["maxout"](x, PIECES)
        return np.asarray(self.output)

    def backward(self, dy: Array) -> Array:
        """Dy goes to the largest."""
        return np.asarray(FUNCTIONS["maxout_grad"](dy, self._which, PIECES))


class PReLU(Layer):
    """A leaky ReLU with a learned slope for each unit or channel."""

    def __init__(self, channels: int, dtype: Any, slope: float = 0.25) -> None:
        super().__init__()
        self.name = "prelu"
        self.parameters = [np.full(channels, slope, dtype)]
        self.gradients = [np.zeros(channels, dtype)]
        self.output: Array | None = None

    def forward(self, x: Array, training: bool) -> Array:
        """Keeps x."""
        self._kept = x
        self.output = FUNCTIONS["prelu"](x, self.parameters[0], channel_axis=1)
        return np.asarray(self.output)

    def backward(self, dy: Array) -> Array:
        """In place."""
        dx, self.gradients[0][...] = FUNCTIONS["prelu_grad"](dy, self._kept, self.parameters[0], channel_axis=1)
        return np.asarray(dx)


class BatchNorm(Layer):
    """Batch normalisation with scale and shift."""

    def __init__(self, channels: int, dtype: Any) -> None:
        super().__init__()
        self.parameters = [np.ones(channels, dtype), np.zeros(channels, dtype)]
        self.gradients = [np.zeros(channels, dtype) for _ in range(2)]
        self._mean, self._var = np.zeros(channels), np.ones(channels)

    def forward(self, x: Array, training: bool) -> Array:
        """In training by the statistics of the batch, else by the running ones."""
        if not training:
            return batch_norm(x, self._mean, self._var, self.parameters[0], self.parameters[1])
        self._x = x
        y, self._saved = batch_norm_train(x, self._mean, self._var, self.parameters[0], self.parameters[1])
        return y

    def backward(self, dy: Array) -> Array:
        """The gradients by scale and shift are written, that by x is returned."""
        dx, dweight, dbias = batch_norm_grad(dy, self._x, self._saved, self.parameters[0])
        self.gradients[0][...], self.gradients[1][...] = dweight, dbias
        return dx


class LayerNorm(Layer):
    """Layer normalisation with scale and shift."""

    def __init__(self, units: int, dtype: Any) -> None:
        super().__init__()
        self.parameters = [np.ones(units, dtype), np.zeros(units, dtype)]
        self.gradients = [np.zeros(units, dtype) for _ in range(2)]

    def forward(self, x: Array, training: bool) -> Array:
        """Keeps x."""
        self._x = x
        return np.asarray(layer_norm(x, self.parameters[0], self.parameters[1]))

    def backward(self, dy: Array) -> Array:
        """The gradients by scale and shift are written, that by x is returned."""
        dx, self.gradients[0][...], self.gradients[1][...] = layer_norm_grad(dy, self._x, self.parameters[0])
        return dx


class Dropout(Layer):
    """Dropout in training; nothing otherwise."""

    def __init__(self, p: float, rng: np.random.Generator) -> None:
        super().__init__()
        self._p, self._rng = p, rng

    def forward(self, x: Array, training: bool) -> Array:
        """Keeps one bit of each element."""
        if not training:
            return x
        y, self._mask = FUNCTIONS["dropout"](x, self._p, self._rng)
        return np.asarray(y)

    def backward(self, dy: Array) -> Array:
        """In place."""
        return np.asarray(FUNCTIONS["masked_grad"](dy, self._mask, on=1 / (1 - self._p), out=dy))


class ActivityL1(Layer):
    """A penalty of `weight` times the mean over samples of the sum of |activation|, which only the gradient knows."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self._weight = weight

    def forward(self, x: Array, training: bool) -> Array:
        """Keeps x."""
        self._x = x
        return x

    def backward(self, dy: Array) -> Array:
        """In place."""
        dy += np.asarray(self._weight / len(self._x), dy.dtype) * np.sign(self._x)
        return dy
