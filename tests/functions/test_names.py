"""`numact.get`: every function by every name that it has anywhere."""

from collections import defaultdict
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from support.cases import ROWS

import numact
from numact._functions.names import FUNCTIONS, MODULES, names, plain

# What other libraries call a function: PyTorch's functions and modules, Keras, JAX, ONNX, Thinc, Transformers.
SPELLINGS = {
    "identity": "Identity linear",
    "relu": "ReLU Relu",
    "relu6": "ReLU6 RELU6 relu_6",
    "relu_squared": "relu2 ReLUSquared squared_relu",
    "leaky_relu": "LeakyReLU LeakyRelu leaky-relu leakyrelu",
    "prelu": "PReLU PRelu",
    "rrelu": "RReLU",
    "elu": "ELU Elu",
    "celu": "CELU Celu",
    "selu": "SELU Selu",
    "gelu": "GELU Gelu gelu_exact gelu_python",
    "gelu_tanh": "gelu_new gelu_pytorch_tanh gelu_approximate GELUTanh",
    "quick_gelu": "QuickGELU gelu_quick",
    "silu": "SiLU",
    "swish": "Swish",
    "mish": "Mish",
    "dish": "Dish",
    "sigmoid": "Sigmoid logistic expit",
    "log_sigmoid": "logsigmoid LogSigmoid",
    "hard_sigmoid": "hardsigmoid Hardsigmoid HardSigmoid",
    "hard_swish": "hardswish Hardswish HardSwish hard_silu HardSiLU HardSwishMobilenet",
    "tanh": "Tanh",
    "hard_tanh": "hardtanh Hardtanh HardTanh",
    "tanhshrink": "Tanhshrink tanh_shrink",
    "softplus": "Softplus SoftPlus soft_plus",
    "squareplus": "Squareplus SquarePlus",
    "softsign": "Softsign soft_sign",
    "hard_shrink": "hardshrink Hardshrink HardShrink",
    "soft_shrink": "softshrink Softshrink SoftShrink",
    "threshold": "Threshold",
    "thresholded_relu": "ThresholdedRelu ThresholdedReLU",
    "exponential": "exp Exp",
    "sparse_plus": "sparseplus",
    "sparse_sigmoid": "sparsesigmoid",
    "clipped_linear": "ClippedLinear",
    "gaussian": "Gaussian",
    "glu": "GLU",
    "softmax": "Softmax soft-max",
    "log_softmax": "LogSoftmax logsoftmax",
    "softmin": "Softmin",
    "logsumexp": "LogSumExp",
    "sparsemax": "Sparsemax",
    "hardmax": "Hardmax",
    "maxout": "Maxout",
}
FOUND = [
    (spelling, name) for name, spellings in SPELLINGS.items() if name in FUNCTIONS for spelling in spellings.split()
]


@pytest.mark.parametrize("module", MODULES)
def test_modules(module: str) -> None:
    """The table names every public function of a module, and each says that it is found in numact."""
    defined = vars(import_module(f"numact._functions.{module}"))
    exported = {name for name, value in defined.items() if getattr(value, "__module__", "") == "numact"}
    listed = {name for name in MODULES[module] if not name.endswith("_masked")}
    assert exported - {"BitMask", "Activation", "ParametricUfunc"} == listed
    assert all(getattr(numact, name).__module__ == "numact" for name in MODULES[module])


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_own_name(name: str) -> None:
    """Every function is found under its own name, as itself, and returned as it is."""
    function: Any = getattr(numact, name)
    assert numact.get(name) is function
    assert numact.get(name.upper().replace("_", " ")) is function
    assert numact.get(name.title().replace("_", "")) is function
    assert numact.get(function) is function


@pytest.mark.parametrize(("spelling", "name"), FOUND)
def test_spellings(spelling: str, name: str) -> None:
    """The names of other libraries, and their gradients."""
    assert numact.get(spelling) is getattr(numact, name)
    for suffix in ("_grad", "_grad_y"):
        if hasattr(numact, name + suffix):
            assert numact.get(spelling + suffix) is getattr(numact, name + suffix)


@pytest.mark.parametrize("alias", [alias for row in ROWS for alias in row.aliases])
def test_aliases(alias: str) -> None:
    """What a row calls another name is one, and needs to be said."""
    row = next(row for row in ROWS if alias in row.aliases)
    assert numact.get(alias) is getattr(numact, row.name)
    assert numact.get(alias.upper() + "-grad") is getattr(numact, f"{row.name}_grad")
    assert plain(alias) != plain(row.name)


def test_no_name_twice() -> None:
    """No two functions claim one name."""
    claims = defaultdict(set)
    for name, public in names():
        claims[plain(name)].add(public)
    assert {name: claimants for name, claimants in claims.items() if len(claimants) > 1} == {}
    assert len(names()) == len(set(names()))


@pytest.mark.parametrize(
    ("wrong", "near"), [("sigmoyd", "sigmoid"), ("lekyrelu", "leaky_relu"), ("hard_swich", "hard_swish")]
)
def test_unknown(wrong: str, near: str) -> None:
    """An unknown name raises, with the nearest names and how to list all."""
    with pytest.raises(ValueError, match=rf"^get: name '{wrong}' is unknown; the nearest are .*{near}.*catalogue\(\)"):
        numact.get(wrong)


@pytest.mark.parametrize(
    "wrong", ["", "_", "no such function at all", "relu\n", "catalogue", "get", "relu_grad_at_zero"]
)
def test_no_activation(wrong: str) -> None:
    """Neither is anything else a name."""
    with pytest.raises(ValueError, match="is unknown;"):
        numact.get(wrong)


@pytest.mark.parametrize("wrong", [None, 1, b"relu", ["relu"], np.tanh, print, numact.ParametricUfunc])
def test_no_name(wrong: Any) -> None:
    """Neither a string nor a function of numact: the message shows it."""
    with pytest.raises(TypeError, match=r"^get: name must be a string or a function of numact, got "):
        numact.get(wrong)
