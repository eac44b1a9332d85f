"""Networks of layers: fully connected and convolutional ones, with their loss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isqrt
from typing import Any, Literal, get_args

import numpy as np

from numact._functions import catalogue
from numact._functions.arguments import as_generator, boolean, choice, number
from numact._functions.names import FUNCTIONS, find
from numact.init.arguments import as_dtype, as_finite
from numact.init.gain import gain
from numact.init.variance_scaling import he_normal, lecun_normal, xavier_normal
from numact.study.checks import activation, count, instance, portion
from numact.study.layers import (
    Activation,
    ActivityL1,
    Array,
    BatchNorm,
    Convolution,
    Dense,
    Dropout,
    Flatten,
    Gated,
    Layer,
    LayerNorm,
    Maxout,
    MaxPool,
    PReLU,
    required_of,
)

Initialisation = Literal["he", "xavier", "lecun", "gain"]
Norm = Literal["none", "batch", "layer"]


@dataclass(frozen=True)
class Design:
    """What a network is made of.

    Attributes
    ----------
    activation : str
        A name that `numact.get` knows, such as "relu" or "leaky_relu(0.1)"; elementwise, gated, "prelu" or "maxout".
    depth : int
        The number of hidden layers.
    width : int
        Units of a hidden layer.
    initialisation : {"gain", "he", "xavier", "lecun"}
        Of the weights, from a normal distribution; "gain": He's variance for the activation (`numact.init.gain`).
    factor : float
        What the initial weights are multiplied by.
    norm : {"none", "batch", "layer"}
        Normalisation just before each activation.
    dropout : float
        Probability of dropout behind each activation, below 1.
    l1 : float
        Weight of the L1 penalty on activations.
    at_zero : float, optional
        The derivative at exactly 0.
    convolutional : bool
        Whether the first layers are two convolutions, of inputs that are square images.
    dtype : str
        Of weights and activations.

    Raises
    ------
    TypeError, ValueError
        For a field of another type, and a value that is not allowed.

    """

    activation: str = "relu"
    depth: int = 2
    width: int = 64
    initialisation: Initialisation = "gain"
    factor: float = 1.0
    norm: Norm = "none"
    dropout: float = 0.0
    l1: float = 0.0
    at_zero: float | None = None
    convolutional: bool = False
    dtype: str = "float32"

    def __post_init__(self) -> None:
        """Check the fields; numbers become those of Python."""
        at_zero = None if self.at_zero is None else number("Design", "at_zero", self.at_zero)
        checked = {
            "activation": activation("Design", "activation", self.activation),
            "depth": count("Design", "depth", self.depth, 0),
            "width": count("Design", "width", self.width, 1),
            "initialisation": choice("Design", "initialisation", self.initialisation, get_args(Initialisation)),
            "factor": as_finite("Design", "factor", self.factor),
            "norm": choice("Design", "norm", self.norm, get_args(Norm)),
            "dropout": portion("Design", "dropout", self.dropout),
            "l1": as_finite("Design", "l1", self.l1),
            "at_zero": at_zero,
            "convolutional": boolean("Design", "convolutional", self.convolutional),
            "dtype": as_dtype("Design", self.dtype).name,
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)


class Network:
    """Layers one after the other, with the cross entropy of classes or the squared error of numbers behind them.

    Parameters
    ----------
    design : Design
        What it is made of.
    inputs, outputs : int
        The number of features, and of classes, or 0 for one number.
    rng : numpy.random.Generator
        Draws weights and dropout.

    """

    def __init__(self, design: Design, inputs: int, outputs: int, rng: np.random.Generator) -> None:
        design = self.design = instance("Network", "design", design, Design)
        inputs, self.outputs = count("Network", "inputs", inputs, 1), count("Network", "outputs", outputs, 0)
        self._rng = as_generator("Network", rng)
        self.dtype = np.dtype(design.dtype)
        self.layers: list[Layer] = []
        units = self._convolutions(inputs) if design.convolutional else inputs
        for _ in range(design.depth):
            units = self._hidden(units, design.width)
        self.layers.append(Dense(self._weights((units, max(self.outputs, 1)), "identity")))

    def _weights(self, shape: tuple[int, ...], activation: str | None = None) -> Array:
        """Initial weights; kernels have the layout (out, in, height, width)."""
        layout: Any = "in_out" if len(shape) == 2 else "out_in"
        kind, options = self.design.initialisation, {"rng": self._rng, "layout": layout, "dtype": np.float64}
        if activation == "identity" or kind == "lecun":
            found = lecun_normal(shape, **options)
        elif kind == "xavier":
            found = xavier_normal(shape, **options)
        elif kind == "he":
            found = he_normal(shape, **options)
        else:
            found = lecun_normal(shape, **options) * gain_of(self.design.activation)
        return np.asarray(found * self.design.factor, self.dtype)

    def _activation(self, units: int) -> Iterator[Layer]:
        """The normalisation, the activation and what follows it, for a layer that is `widening` times as wide."""
        design = self.design
        if design.norm == "batch":
            yield BatchNorm(units * widening(design.activation), self.dtype)
        elif design.norm == "layer":
            yield LayerNorm(units * widening(design.activation), self.dtype)
        name, _ = find(design.activation)
        if name == "prelu":
            yield PReLU(units, self.dtype)
        elif name == "maxout":
            yield Maxout()
        elif catalogue.row(name).family == "gated":
            yield Gated(name)
        else:
            yield Activation(design.activation, design.at_zero)
        if design.l1:
            yield ActivityL1(design.l1)
        if design.dropout:
            yield Dropout(design.dropout, self._rng)

    def _hidden(self, inputs: int, units: int) -> int:
        """A dense layer with its activation; returns its units."""
        self.layers.append(Dense(self._weights((inputs, units * widening(self.design.activation)))))
        self.layers += self._activation(units)
        return units

    def _convolutions(self, inputs: int) -> int:
        """Two convolutions with pooling; returns the number of features."""
        side = isqrt(inputs)
        if side * side != inputs or side % 4:
            raise ValueError(f"Network: inputs must be a square image whose side is a multiple of 4, got {inputs}")
        if widening(self.design.activation) > 1 or self.design.norm == "layer":
            raise ValueError("Network: a convolutional network takes elementwise activations and no layer norm")
        self.layers.append(_AsImages(side))
        for before, after in ((1, 8), (8, 16)):
            self.layers.append(Convolution(self._weights((after, before, 3, 3))))
            self.layers += self._activation(after)
            self.layers.append(MaxPool())
        self.layers.append(Flatten())
        return int(16 * (side // 4) ** 2)

    @property
    def parameters(self) -> list[Array]:
        """All weights."""
        return [p for layer in self.layers for p in layer.parameters]

    @property
    def gradients(self) -> list[Array]:
        """Their gradients."""
        return [g for layer in self.layers for g in layer.gradients]

    @property
    def activations(self) -> list[Any]:
        """The layers that are activations, whose `output` is that of the last forward pass."""
        return [layer for layer in self.layers if hasattr(layer, "output")]

    def forward(self, x: Array, training: bool = False) -> Array:
        """The outputs: logits of classes, or numbers of shape (samples, 1)."""
        y = x.astype(self.dtype)
        for layer in self.layers:
            y = layer.forward(y, training)
        return y

    def backward(self, dy: Array) -> None:
        """The gradients of all weights."""
        for layer in reversed(self.layers):
            dy = layer.backward(dy)

    def loss(self, outputs: Array, y: Array) -> tuple[float, Array]:
        """The mean loss, and its gradient by the outputs."""
        if self.outputs:
            loss, grad = FUNCTIONS["softmax_cross_entropy"](outputs, y, return_grad=True)
            return float(loss), grad
        error = outputs[:, 0] - y.astype(outputs.dtype)
        return float(np.mean(np.square(error, dtype=np.float64))), (2 / len(error) * error[:, None]).astype(self.dtype)

    def score(self, x: Array, y: Array) -> float:
        """The accuracy, or R^2 of numbers."""
        outputs = self.forward(x)
        if self.outputs:
            return float(np.mean(outputs.argmax(1) == y))
        residual = np.square(outputs[:, 0].astype(np.float64) - y).sum()
        return float(1 - residual / np.square(y - y.mean()).sum())


class _AsImages(Layer):
    """Rows as square images of one channel."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self._side = side

    def forward(self, x: Array, training: bool) -> Array:
        return x.reshape(len(x), 1, self._side, self._side)

    def backward(self, dy: Array) -> Array:
        return dy.reshape(len(dy), -1)


def widening(activation: str) -> int:
    """How many times as wide as its output the layer before an activation is."""
    name, _ = find(activation)
    return 2 if name == "maxout" or (name != "prelu" and catalogue.row(name).family == "gated") else 1


def gain_of(activation: str) -> float:
    """The gain of an activation; gated functions and others without one have that of their kind."""
    name, given = find(activation)
    if name == "prelu":
        return gain("leaky_relu", negative_slope=0.25)
    if name == "maxout" or catalogue.row(name).family == "gated":
        return 1.0
    try:
        return min(gain(name, **(required_of(name) | given)), 10.0)
    except ValueError:
        return 1.0
