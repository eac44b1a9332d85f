"""The functions inside PyTorch, JAX and autograd: bits of values and gradients, checks of gradients, errors."""

from typing import Any

import numpy as np
import pytest

import numact

NAMES = [row.name for row in numact.catalogue() if row.family == "elementwise"]
PARAMETERS = {"threshold": {"threshold": 0.5, "value": 0.25}}
ALONG_AXIS = ["softmax", "softmin", "log_softmax", "sparsemax"]
pytestmark = pytest.mark.filterwarnings("ignore")


def data(dtype: Any = np.float64, shape: tuple[int, ...] = (3, 5)) -> Any:
    """Values away from kinks."""
    return (np.random.default_rng(0).normal(size=shape) * 2).astype(dtype)


def given(name: str) -> dict[str, Any]:
    """Parameters that a function needs."""
    required = {
        parameter
        for parameter, default in next(r for r in numact.catalogue() if r.name == name).parameters
        if default is None
    }
    return {parameter: 0.5 for parameter in required}


def gradient(name: str, dy: Any, x: Any, **parameters: Any) -> Any:
    """That of numact."""
    y = getattr(numact, name)(x, **parameters)
    return getattr(numact, f"{name}_grad")(dy, y if name in ALONG_AXIS else x, **parameters)


class TestTorch:
    """numact.adapters.torch."""

    def setup_method(self) -> None:
        self.torch = pytest.importorskip("torch")
        from numact.adapters import torch as adapter

        self.adapter = adapter

    @pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64], ids=str)
    @pytest.mark.parametrize("name", NAMES + ALONG_AXIS)
    def test_bits(self, name: str, dtype: Any) -> None:
        """Value and gradient, of strided tensors too."""
        x, dy, parameters = data(dtype, (5, 3)).T, data(dtype)[::-1].copy(), given(name)
        tensor = self.torch.from_numpy(x).requires_grad_()
        y = self.adapter.apply(name, tensor, **parameters)
        y.backward(self.torch.from_numpy(dy))
        np.testing.assert_array_equal(y.detach().numpy(), getattr(numact, name)(x, **parameters))
        np.testing.assert_array_equal(tensor.grad.numpy(), gradient(name, dy, x, **parameters))

    @pytest.mark.parametrize("name", ["gelu", "tanh", "softplus", "mish", "softmax", "log_softmax"])
    def test_gradcheck(self, name: str) -> None:
        """PyTorch's own check of gradients."""
        x = self.torch.from_numpy(data()).requires_grad_()
        assert self.torch.autograd.gradcheck(lambda x: self.adapter.apply(name, x), x)

    def test_memory_is_shared(self) -> None:
        """Tensors are not copied on the way in or out."""
        x = self.torch.linspace(-1, 1, 50)
        assert self.adapter._array(x).ctypes.data == x.data_ptr()
        array = np.ones(5)
        assert self.adapter._tensor(array).data_ptr() == array.ctypes.data

    def test_bfloat16_and_module(self) -> None:
        """bfloat16; a module, its parameters and repr, pickled and in a model."""
        import pickle

        import ml_dtypes

        x = self.torch.linspace(-3, 3, 9).to(self.torch.bfloat16)
        y = self.adapter.apply("gelu", x)
        want = numact.gelu(x.float().numpy().astype(ml_dtypes.bfloat16))
        np.testing.assert_array_equal(y.float().numpy(), want.astype(np.float32))
        module = pickle.loads(pickle.dumps(self.adapter.Activation("LeakyReLU", negative_slope=0.2)))
        assert repr(module) == "Activation(leaky_relu, negative_slope=0.2)"
        model = self.torch.nn.Sequential(self.torch.nn.Linear(4, 3), module)
        model(self.torch.ones(2, 4)).sum().backward()
        assert model[0].weight.grad is not None

    def test_errors(self) -> None:
        """What is no tensor, is elsewhere, is unknown, and second derivatives."""
        x = self.torch.ones(3, dtype=self.torch.float64, requires_grad=True)
        with pytest.raises(TypeError, match="x must be a tensor of floating-point numbers"):
            self.adapter.apply("relu", np.ones(3))
        with pytest.raises(TypeError, match="x must be a tensor of floating-point numbers"):
            self.adapter.apply("relu", self.torch.ones(3, dtype=self.torch.int64))
        with pytest.raises(ValueError, match=r"on meta: give x.cpu"):
            self.adapter.apply("relu", self.torch.ones(3, device="meta"))
        with pytest.raises(ValueError, match="must be elementwise, or one of softmax"):
            self.adapter.apply("swiglu", x)
        with pytest.raises(TypeError, match="relu has no parameters, got alpha"):
            self.adapter.apply("relu", x, alpha=2)
        (slope,) = self.torch.autograd.grad(self.adapter.apply("gelu", x).sum(), x, create_graph=True)
        with pytest.raises(RuntimeError, match=r"differentiate twice|does not require grad"):
            slope.sum().backward()


class TestJax:
    """numact.adapters.jax."""

    def setup_method(self) -> None:
        self.jax = pytest.importorskip("jax")
        from numact.adapters import jax as adapter

        self.adapter = adapter

    @pytest.mark.parametrize("dtype", [np.float16, np.float32], ids=str)
    @pytest.mark.parametrize("name", NAMES + ALONG_AXIS)
    def test_bits(self, name: str, dtype: Any) -> None:
        """Value and gradient, compiled."""
        x, dy, parameters = data(dtype), data(dtype)[::-1].copy(), given(name)
        function = self.jax.jit(lambda x: self.adapter.apply(name, x, **parameters))
        y, pull = self.jax.vjp(function, x)
        np.testing.assert_array_equal(y, getattr(numact, name)(x, **parameters))
        np.testing.assert_array_equal(pull(dy)[0], gradient(name, dy, x, **parameters))

    def test_vmap_and_check(self) -> None:
        """Under vmap, along any axis; JAX's own check of gradients in reverse mode."""
        from jax.test_util import check_grads

        x = data(np.float32, (4, 3, 5))
        for axis in (0, 1, -1, -2):
            got = self.jax.vmap(lambda x, axis=axis: self.adapter.apply("softmax", x, axis=axis))(x)
            np.testing.assert_array_equal(got, numact.softmax(x, axis=axis + 1 if axis >= 0 else axis))
        np.testing.assert_array_equal(self.jax.vmap(lambda x: self.adapter.apply("gelu", x))(x), numact.gelu(x))
        for name in ("gelu", "softmax", "mish"):
            check_grads(
                lambda x, name=name: self.adapter.apply(name, x), (x,), order=1, modes=["rev"], atol=0.02, rtol=0.02
            )

    def test_errors(self) -> None:
        """Integers, an axis that is not there, forward mode."""
        with pytest.raises(TypeError, match="floating-point numbers, got dtype int32"):
            self.adapter.apply("relu", np.ones(3, np.int32))
        with pytest.raises(ValueError, match="axis must be an integer from -2 to 1, got 2"):
            self.adapter.apply("softmax", np.ones((2, 3), np.float32), axis=2)
        with pytest.raises(TypeError, match=r"forward-mode|jvp"):
            self.jax.jacfwd(lambda x: self.adapter.apply("gelu", x))(np.ones(3, np.float32))


class TestAutograd:
    """numact.adapters.autograd."""

    def setup_method(self) -> None:
        self.autograd = pytest.importorskip("autograd")
        from numact.adapters import autograd as adapter

        self.adapter = adapter

    @pytest.mark.parametrize("name", NAMES + ALONG_AXIS)
    def test_bits(self, name: str) -> None:
        """Value and gradient."""
        x, dy, parameters = data(), data()[::-1].copy(), given(name)
        value = lambda x: (self.adapter.apply(name, x, **parameters) * dy).sum()  # noqa: E731
        np.testing.assert_array_equal(self.autograd.grad(value)(x), gradient(name, dy, x, **parameters))
        np.testing.assert_array_equal(self.adapter.apply(name, x, **parameters), getattr(numact, name)(x, **parameters))

    def test_check(self) -> None:
        """Autograd's own check of gradients in reverse mode."""
        from autograd.test_util import check_grads

        for name in ("gelu", "softmax", "mish"):
            check_grads(lambda x, name=name: self.adapter.apply(name, x), modes=["rev"], order=1)(data())
        with pytest.raises(NotImplementedError):
            self.autograd.elementwise_grad(self.autograd.elementwise_grad(lambda x: self.adapter.apply("gelu", x)))(
                data()
            )
