"""The layers: every gradient against differences, and against PyTorch where it is installed."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from numact.study import layers as kit
from numact.study.networks import Design, Network

RNG = np.random.default_rng(0)


def weights(*shape: int) -> Any:
    """Weights of float64."""
    return RNG.normal(size=shape) / 3


LAYERS: dict[str, tuple[Callable[[], kit.Layer], tuple[int, ...]]] = {
    "dense": (lambda: kit.Dense(weights(6, 4)), (5, 6)),
    "convolution": (lambda: kit.Convolution(weights(3, 2, 3, 3)), (2, 2, 5, 4)),
    "pool": (kit.MaxPool, (2, 3, 4, 6)),
    "flatten": (kit.Flatten, (2, 3, 4)),
    "relu": (lambda: kit.Activation("relu"), (5, 6)),
    "tanh": (lambda: kit.Activation("tanh"), (5, 6)),
    "gelu": (lambda: kit.Activation("gelu"), (5, 6)),
    "leaky relu": (lambda: kit.Activation("leaky_relu(1.5)"), (5, 6)),
    "negative slope": (lambda: kit.Activation("leaky_relu(-0.5)"), (5, 6)),
    "swiglu": (lambda: kit.Gated("swiglu"), (5, 6)),
    "maxout": (kit.Maxout, (5, 6)),
    "prelu": (lambda: kit.PReLU(6, np.float64), (5, 6)),
    "prelu of images": (lambda: kit.PReLU(2, np.float64), (3, 2, 4, 4)),
    "batch norm": (lambda: kit.BatchNorm(6, np.float64), (7, 6)),
    "batch norm of images": (lambda: kit.BatchNorm(2, np.float64), (3, 2, 4, 4)),
    "layer norm": (lambda: kit.LayerNorm(6, np.float64), (5, 6)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_gradients(name: str) -> None:
    """By the input and by all parameters, they are the differences of a weighted sum of the outputs."""
    make, shape = LAYERS[name]
    layer = make()
    x: Any = RNG.normal(size=shape)
    dy: Any = RNG.normal(size=layer.forward(x.copy(), True).shape)

    def total() -> float:
        return float((layer.forward(x.copy(), True) * dy).sum())

    total()
    dx = layer.backward(dy.copy())
    assert dx.shape == x.shape
    gradients = [g.copy() for g in layer.gradients]
    for array, gradient in [(x, dx), *zip(layer.parameters, gradients, strict=True)]:
        for place in np.ndindex(array.shape) if array.size < 60 else [(0,) * array.ndim, (-1,) * array.ndim]:
            before, step = array[place], 1e-6
            array[place] = before + step
            above = total()
            array[place] = before - step
            below = total()
            array[place] = before
            assert abs((above - below) / (2 * step) - gradient[place]) < 1e-6, place


def test_beside_pytorch() -> None:
    """A convolution and its gradients are PyTorch's."""
    torch: Any = pytest.importorskip("torch", reason="NOT TESTED HERE: needs torch")
    x, kernel = RNG.normal(size=(2, 2, 6, 6)), weights(3, 2, 3, 3)
    layer = kit.Convolution(kernel)
    y = layer.forward(x, True)
    dx = layer.backward(np.ones_like(y))
    given, theirs = torch.tensor(x, requires_grad=True), torch.tensor(kernel, requires_grad=True)
    found = torch.nn.functional.conv2d(given, theirs, padding="same")
    found.sum().backward()
    for ours, other in ((y, found.detach()), (dx, given.grad), (layer.gradients[0], theirs.grad)):
        np.testing.assert_allclose(ours, other.numpy(), rtol=1e-12, atol=1e-12)


def test_dropout_and_penalty() -> None:
    """Dropout drops in training only, and its gradient where it dropped; the penalty is known to the gradient only."""
    layer, x = kit.Dropout(0.5, np.random.default_rng(0)), np.ones((10, 10))
    y = layer.forward(x, True)
    assert set(np.unique(y)) == {0.0, 2.0}
    np.testing.assert_array_equal(layer.backward(np.ones_like(x)), y)
    np.testing.assert_array_equal(layer.forward(x, False), x)
    penalty = kit.ActivityL1(0.5)
    penalty.forward(np.array([[1.0, 0.0], [-2.0, 3.0]]), True)
    np.testing.assert_array_equal(penalty.backward(np.zeros((2, 2))), [[0.25, 0], [-0.25, 0.25]])


@pytest.mark.parametrize(
    "design",
    [
        Design("relu", convolutional=True, depth=1, dtype="float64"),
        Design("mish", norm="batch", dtype="float64"),
        Design("swiglu", norm="layer", dtype="float64"),
        Design("prelu", depth=3, dtype="float64"),
        Design("maxout", dtype="float64"),
    ],
    ids=lambda design: design.activation,
)
@pytest.mark.parametrize("classes", [3, 0])
def test_networks(design: Design, classes: int) -> None:
    """The gradient of the loss by weights of every layer."""
    x = RNG.normal(size=(12, 16))
    y = RNG.integers(0, 3, 12) if classes else RNG.normal(size=12)
    network = Network(design, 16, classes, np.random.default_rng(1))

    def loss() -> float:
        return network.loss(network.forward(x, training=True), y)[0]

    _, grad = network.loss(network.forward(x, training=True), y)
    network.backward(grad)
    for parameter, gradient in zip(network.parameters, [g.copy() for g in network.gradients], strict=True):
        place = (0,) * parameter.ndim
        before = parameter[place]
        parameter[place] = before + 1e-6
        above = loss()
        parameter[place] = before - 1e-6
        below = loss()
        parameter[place] = before
        assert abs((above - below) / 2e-6 - gradient[place]) < 1e-6


def test_what_networks_refuse() -> None:
    """Inputs that are no images, and what convolutions do not take."""
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="must be a square image whose side is a multiple of 4, got 10"):
        Network(Design(convolutional=True), 10, 2, rng)
    with pytest.raises(ValueError, match="takes elementwise activations"):
        Network(Design("swiglu", convolutional=True), 16, 2, rng)
