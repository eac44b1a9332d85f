"""`numact.get` knows the activations of other libraries, by their names and with their parameters."""

import math
import pickle
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import numact
from numact._functions.libraries import LIBRARIES, MISSING
from numact._functions.names import FUNCTIONS, find, names, plain
from numact._kernels.messages import shown

X = np.linspace(-8, 8, 48, dtype=np.float32).reshape(2, 4, 6)

# The names as they stood in the libraries: PyTorch 2.13, Keras 3.15, JAX 0.10, ONNX 1.23, scikit-learn 1.9,
# Thinc 9.1, and transformers of the same year; None for what numact lacks, else its function.
FROZEN = {
    "torch": """CELU=celu ELU=elu GELU=gelu GLU=glu_split Hardshrink=hard_shrink Hardsigmoid=hard_sigmoid
        Hardswish=hard_swish Hardtanh=hard_tanh LeakyReLU=leaky_relu LogSigmoid=log_sigmoid LogSoftmax=log_softmax
        Mish=mish MultiheadAttention=None PReLU=prelu RReLU=rrelu ReLU=relu ReLU6=relu6 SELU=selu SiLU=silu
        Sigmoid=sigmoid Softmax=softmax Softmax2d=softmax Softmin=softmin Softplus=softplus Softshrink=soft_shrink
        Softsign=softsign Tanh=tanh Tanhshrink=tanhshrink Threshold=threshold celu=celu celu_=celu elu=elu elu_=elu
        gelu=gelu glu=glu_split gumbel_softmax=gumbel_softmax hardshrink=hard_shrink hardsigmoid=hard_sigmoid
        hardswish=hard_swish hardtanh=hard_tanh hardtanh_=hard_tanh leaky_relu=leaky_relu leaky_relu_=leaky_relu
        log_softmax=log_softmax logsigmoid=log_sigmoid mish=mish prelu=prelu relu=relu relu6=relu6 relu_=relu
        rrelu=rrelu rrelu_=rrelu selu=selu selu_=selu sigmoid=sigmoid silu=silu softmax=softmax softmin=softmin
        softplus=softplus softshrink=soft_shrink softsign=softsign tanh=tanh tanhshrink=tanhshrink
        threshold=threshold threshold_=threshold""",
    "keras": """celu=celu elu=elu exponential=exponential gelu=gelu glu=glu_split hard_shrink=hard_shrink
        hard_sigmoid=hard_sigmoid hard_silu=hard_swish hard_swish=hard_swish hard_tanh=hard_tanh leaky_relu=leaky_relu
        linear=identity log_sigmoid=log_sigmoid log_softmax=log_softmax mish=mish relu=relu relu6=relu6 selu=selu
        sigmoid=sigmoid silu=silu soft_shrink=soft_shrink softmax=softmax softplus=softplus softsign=softsign
        sparse_plus=sparse_plus sparse_sigmoid=sparse_sigmoid sparsemax=sparsemax squareplus=squareplus swish=swish
        tanh=tanh tanh_shrink=tanhshrink threshold=threshold ELU=elu LeakyReLU=leaky_relu PReLU=prelu ReLU=relu
        Softmax=softmax""",
    "jax": """celu=celu elu=elu gelu=gelu_tanh glu=glu_split hard_sigmoid=hard_sigmoid hard_silu=hard_swish
        hard_swish=hard_swish hard_tanh=hard_tanh identity=identity leaky_relu=leaky_relu log1mexp=None
        log_sigmoid=log_sigmoid log_softmax=log_softmax logmeanexp=None logsumexp=logsumexp mish=mish relu=relu
        relu6=relu6 selu=selu sigmoid=sigmoid silu=silu soft_sign=softsign softmax=softmax softplus=softplus
        sparse_plus=sparse_plus sparse_sigmoid=sparse_sigmoid squareplus=squareplus standardize=None swish=swish
        tanh=tanh""",
    "onnx": """Celu=celu Clip=hard_tanh Elu=elu Exp=exponential Gelu=gelu HardSigmoid=clipped_linear
        HardSwish=hard_swish Hardmax=hardmax Identity=identity LeakyRelu=leaky_relu LogSoftmax=log_softmax Mish=mish
        PRelu=prelu Relu=relu Selu=selu Shrink=hard_shrink Sigmoid=sigmoid Softmax=softmax Softplus=softplus
        Softsign=softsign SwiGLU=swiglu Swish=swish Tanh=tanh ThresholdedRelu=thresholded_relu""",
    "transformers": """gelu=gelu gelu_10=None gelu_accurate=gelu_tanh gelu_fast=gelu_tanh gelu_new=gelu_tanh
        gelu_python=gelu gelu_python_tanh=gelu_tanh gelu_pytorch_tanh=gelu_tanh hardswish=hard_swish laplace=None
        leaky_relu=leaky_relu linear=identity mish=mish prelu=prelu quick_gelu=quick_gelu relu=relu relu2=relu_squared
        relu6=relu6 sigmoid=sigmoid silu=silu sqrtsoftplus=None swish=swish tanh=tanh xielu=None""",
    "sklearn": "exp=exponential identity=identity logistic=sigmoid relu=relu softmax=softmax tanh=tanh",
    "thinc": """ClippedLinear=clipped_linear Dish=dish Gelu=gelu HardSigmoid=clipped_linear HardSwish=clipped_swish
        HardSwishMobilenet=hard_swish HardTanh=hard_tanh Logistic=sigmoid Maxout=maxout Mish=mish Relu=relu
        ReluK=hard_tanh Sigmoid=sigmoid Softmax=softmax Swish=swish clipped_linear=clipped_linear dish=dish gelu=gelu
        gelu_approx=gelu_tanh hard_sigmoid=clipped_linear hard_swish=clipped_swish hard_swish_mobilenet=hard_swish
        hard_tanh=hard_tanh logistic=sigmoid maxout=maxout mish=mish relu=relu relu_k=hard_tanh sigmoid=sigmoid
        sigmoid_activation=sigmoid softmax=softmax softmax_activation=softmax swish=swish""",
}
NAMES = [(library, *pair.split("=")) for library, pairs in FROZEN.items() for pair in pairs.split()]


def imported(name: str) -> ModuleType:
    """A library; a test that needs it is skipped without it, and what it warns about is its own affair."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module: ModuleType = pytest.importorskip(name)
    return module


# Names


@pytest.mark.parametrize(("library", "name", "public"), NAMES)
def test_names(library: str, name: str, public: str) -> None:
    """Every name is found, with the library in front and alone, or refused with what it is."""
    if public == "None":
        with pytest.raises(ValueError, match=rf"^get: numact has no '{library}.{name}', which {library} has: "):
            numact.get(f"{library}.{name}")
        if plain(name) not in {plain(known) for known, _ in names()}:
            with pytest.raises(ValueError, match=rf"^get: numact has no '{name}', which {library} has: "):
                numact.get(name)
        return
    found = numact.get(f"{library}.{name}")
    assert (found.func if isinstance(found, partial) else found) is getattr(numact, public)
    assert numact.get(f"{library}.some.module.{name}") == found or isinstance(found, partial)
    assert numact.get(f"{library}.{name}()") == found or isinstance(found, partial)
    assert find(name)[0] in FUNCTIONS


def test_the_table_is_complete() -> None:
    """The table of the package has the names, and no others."""
    for library in LIBRARIES:
        listed = {name for where, name, _ in NAMES if where == library}
        ours = {*LIBRARIES[library], *MISSING.get(library, ())}
        assert ours - {"logsumexp"} == listed - {"logsumexp"}


def test_names_alone_are_clear() -> None:
    """A name that is not one of numact's means the same in all libraries that have it."""
    own = {plain(name) for name, _ in names()}
    meanings: dict[str, set[str]] = {}
    for library in LIBRARIES.values():
        for name, text in library.items():
            if plain(name) not in own:
                meanings.setdefault(plain(name), set()).add(text)
    assert all(len(texts) == 1 and "" not in texts for texts in meanings.values())
    assert all(plain(name) in own for library in LIBRARIES.values() for name, text in library.items() if not text)


def names_of(library: str) -> Iterator[str]:
    """The names of activations that the installed library has."""
    if library == "torch":
        torch = imported("torch")
        yield from torch.nn.modules.activation.__all__
        parts = "relu elu sigm tanh soft glu shrink mish swish silu threshold"
        functions = [name for name in dir(torch.nn.functional) if any(part in name.lower() for part in parts.split())]
        yield from (name for name in functions if name[0] != "_" and "loss" not in name)
    elif library == "keras":
        public = (name for name in dir(imported("keras").activations) if name[0] != "_")
        yield from (name for name in public if name not in ("deserialize", "get", "serialize"))
        yield from ("ELU", "LeakyReLU", "PReLU", "ReLU", "Softmax")
    elif library == "jax":
        beside = "dot_product_attention get_scaled_dot_general_config initializers one_hot scaled_dot_general"
        public = (name for name in dir(imported("jax").nn) if name[0] != "_")
        yield from (name for name in public if name not in {*beside.split(), "scaled_matmul"})
    elif library == "onnx":
        schemas = {schema.name for schema in imported("onnx").defs.get_all_schemas()}
        parts = "elu sigmoid tanh soft swish mish hard shrink glu clip identity"
        operators = {name for name in schemas if any(part in name.lower() for part in parts.split())} | {"Exp"}
        yield from operators - {"SoftmaxCrossEntropyLoss", "Atanh"}
    elif library == "transformers":
        yield from imported("transformers.activations").ACT2FN
    elif library == "sklearn":
        yield from imported("sklearn.neural_network._base").ACTIVATIONS
    else:
        layers, ops = imported("thinc.layers"), imported("thinc.backends.ops").Ops
        parts = "relu elu sigm tanh soft swish mish dish clipped logistic maxout"
        others = {
            "MultiSoftmax",
            "multisoftmax",
            "Softmax_v2",
            "softmax_sequences",
            "dsigmoid",
            "dtanh",
            "mish_threshold",
        }
        for place in (layers, ops):
            found = {name for name in dir(place) if any(part in name.lower() for part in parts.split())}
            yield from (name for name in found - others if name[0] != "_" and "backprop" not in name)


@pytest.mark.parametrize("library", FROZEN)
def test_names_of_the_installed_library(library: str) -> None:
    """The names that the library has today are known, or known to be missing."""
    unknown = {*names_of(library)} - {*LIBRARIES[library], *MISSING.get(library, ())}
    assert unknown == set()


# What they compute


def agrees(name: str, function: Callable[[Any], Any], tolerance: float = 2e-5) -> None:
    """Numact's function of a name computes what the library does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        want = np.asarray(function(X))
    np.testing.assert_allclose(numact.get(name)(X), want, rtol=tolerance, atol=1e-6)


NEEDS_MORE = {"prelu", "PReLU", "threshold", "threshold_", "Threshold", "maxout", "Maxout", "gumbel_softmax"}
WRONG = {"sparsemax"}  # the sums of Keras 3.15's are not 1


@pytest.mark.parametrize("name", [name for name in LIBRARIES["torch"] if name not in NEEDS_MORE])
def test_torch(name: str) -> None:
    """With the defaults of PyTorch; the last axis where it has none."""
    torch = imported("torch")
    place = torch.nn if name[0].isupper() else torch.nn.functional if hasattr(torch.nn.functional, name) else torch
    axis = {"dim": -1} if plain(name) in ("softmax", "logsoftmax", "softmin", "logsumexp") else {}
    with torch.no_grad():
        if name[0].isupper():
            layer = getattr(place, name)(**axis)
            layer.eval()
            agrees(f"torch.nn.{name}", lambda x: layer(torch.tensor(x)).numpy())
            agrees(str(layer), lambda x: layer(torch.tensor(x)).numpy())
        else:
            agrees(f"torch.nn.functional.{name}", lambda x: getattr(place, name)(torch.tensor(x), **axis).numpy())


@pytest.mark.parametrize("name", [name for name in LIBRARIES["keras"] if name not in NEEDS_MORE | WRONG])
def test_keras(name: str) -> None:
    """With the defaults of Keras."""
    keras = imported("keras")
    function = getattr(keras.layers, name)() if name[0].isupper() else getattr(keras.activations, name)

    def call(x: Any) -> Any:
        return keras.ops.convert_to_numpy(function(keras.ops.convert_to_tensor(x)))

    agrees(f"keras.{name}", call, 1e-4)


@pytest.mark.parametrize("name", [name for name in LIBRARIES["jax"] if name != "logsumexp"])
def test_jax(name: str) -> None:
    """With the defaults of JAX."""
    jax = imported("jax")
    agrees(f"jax.nn.{name}", lambda x: getattr(jax.nn, name)(jax.numpy.asarray(x)), 1e-4)


@pytest.mark.parametrize("name", [name for name in LIBRARIES["thinc"] if name.islower() and name not in NEEDS_MORE])
def test_thinc(name: str) -> None:
    """With the defaults of Thinc's operations."""
    ops = imported("thinc.api").NumpyOps()
    if hasattr(ops, name):
        agrees(f"thinc.{name}", lambda x: getattr(ops, name)(x.copy()), 1e-3)


@pytest.mark.parametrize("name", [name for name in LIBRARIES["onnx"] if name not in ("PRelu", "SwiGLU")])
def test_onnx(name: str) -> None:
    """With the defaults of ONNX's operators."""
    onnx = imported("onnx")
    reference = imported("onnx.reference")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node(name, ["x"], ["y"])],
        "activation",
        [helper.make_tensor_value_info("x", kind, X.shape)],
        [helper.make_tensor_value_info("y", kind, X.shape)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 24)])
    evaluator = reference.ReferenceEvaluator(model)
    agrees(f"onnx.{name}", lambda x: evaluator.run(None, {"x": x})[0], 1e-3)


@pytest.mark.parametrize("name", LIBRARIES["transformers"])
def test_transformers(name: str) -> None:
    """With the defaults of ACT2FN."""
    torch, activations = imported("torch"), imported("transformers.activations")
    if name != "prelu":
        agrees(f"transformers.{name}", lambda x: activations.ACT2FN[name](torch.tensor(x)).detach().numpy())


# Parameters

PARAMETERS: list[tuple[str, str, dict[str, Any]]] = [
    ("leaky_relu(0.2)", "leaky_relu", {"negative_slope": 0.2}),
    ("LeakyReLU(alpha=0.2)", "leaky_relu", {"negative_slope": 0.2}),
    ("LeakyReLU(negative_slope=0.01, inplace=True)", "leaky_relu", {"negative_slope": 0.01}),
    ("LeakyReLU(0.2, True)", "leaky_relu", {"negative_slope": 0.2}),
    ("leaky-relu ( -0.5 )", "leaky_relu", {"negative_slope": -0.5}),
    ("torch.nn.LeakyReLU(0.3)", "leaky_relu", {"negative_slope": 0.3}),
    ("keras.layers.LeakyReLU", "leaky_relu", {"negative_slope": 0.3}),
    ("keras.layers.LeakyReLU(alpha=0.1)", "leaky_relu", {"negative_slope": 0.1}),
    ("keras.activations.leaky_relu", "leaky_relu", {"negative_slope": 0.2}),
    ("leaky_relu_grad(0.2)", "leaky_relu_grad", {"negative_slope": 0.2}),
    ("LeakyReLU_grad_y(alpha=0.2)", "leaky_relu_grad_y", {"negative_slope": 0.2}),
    ("ReLU()", "relu", {}),
    ("ReLU(inplace=True)", "relu", {}),
    ("ReLU(max_value=6)", "general_relu", {"max_value": 6}),
    ("relu(alpha=0.1, max_value=None)", "general_relu", {"negative_slope": 0.1}),
    ("keras.ReLU(max_value=None, negative_slope=0.0, threshold=0.0)", "relu", {}),
    ("GELU(approximate='tanh')", "gelu_tanh", {}),
    ('gelu(approximate="none")', "gelu", {}),
    ("gelu(approximate=True)", "gelu_tanh", {}),
    ("GELU('tanh')", "gelu_tanh", {}),
    ("gelu_grad(approximate='tanh')", "gelu_tanh_grad", {}),
    ("jax.nn.gelu", "gelu_tanh", {}),
    ("jax.nn.gelu(approximate=False)", "gelu", {}),
    ("keras.activations.gelu", "gelu", {}),
    ("Softplus(beta=2, threshold=20)", "softplus", {"beta": 2}),
    ("Softplus(2, 20)", "softplus", {"beta": 2}),
    ("Mish(threshold=20.0)", "mish", {}),
    ("Hardtanh(min_val=-2, max_val=2)", "hard_tanh", {"min_val": -2, "max_val": 2}),
    ("Hardtanh(-inf, 2)", "hard_tanh", {"min_val": -math.inf, "max_val": 2}),
    ("onnx.Clip(max=1)", "hard_tanh", {"min_val": -math.inf, "max_val": 1}),
    ("Threshold(threshold=0.1, value=20)", "threshold", {"threshold": 0.1, "value": 20}),
    ("keras.threshold(0.1, default_value=20)", "threshold", {"threshold": 0.1, "value": 20}),
    ("threshold(0.1)", "threshold", {"threshold": 0.1}),
    ("onnx.HardSigmoid", "clipped_linear", {"slope": 0.2, "offset": 0.5}),
    ("onnx.HardSigmoid(beta=0.4)", "clipped_linear", {"slope": 0.2, "offset": 0.4}),
    ("onnx.Shrink(lambd=0.3, bias=0.2)", "hard_shrink", {"lambd": 0.3, "bias": 0.2}),
    ("onnx.Selu(alpha=1.5, gamma=1.1)", "selu", {"alpha": 1.5, "scale": 1.1}),
    ("hard_swish(slope=0.2)", "clipped_swish", {"slope": 0.2, "offset": 0.5}),
    ("thinc.hard_swish", "clipped_swish", {}),
    ("keras.hard_shrink(threshold=0.3)", "hard_shrink", {"lambd": 0.3}),
    ("Swish(alpha=1.5)", "swish", {"beta": 1.5}),
    ("Elu(alpha=2.0)", "elu", {"alpha": 2.0}),
    ("celu(2)", "celu", {"alpha": 2}),
    ("relu_k(n=3)", "hard_tanh", {"min_val": 0, "max_val": 3}),
    ("Softmax(dim=1)", "softmax", {"axis": 1}),
    ("softmax(0)", "softmax", {"axis": 0}),
    ("Softmax2d()", "softmax", {"axis": -3}),
    ("LogSoftmax(axis=0)", "log_softmax", {"axis": 0}),
    ("GLU(dim=1)", "glu_split", {"axis": 1}),
    ("GLU(1)", "glu_split", {"axis": 1}),
    ("torch.nn.GLU", "glu_split", {}),
    ("GLU", "glu", {}),
    ("PReLU(num_parameters=1)", "prelu", {}),
    ("prelu(0.25)", "prelu", {"weight": 0.25}),
    ("RReLU(lower=0.1, upper=0.3)", "rrelu", {"lower": 0.1, "upper": 0.3}),
    ("gelu_approx_grad", "gelu_tanh_grad", {}),
    ("numact.relu", "relu", {}),
]


@pytest.mark.parametrize(("text", "public", "parameters"), PARAMETERS, ids=[text for text, _, _ in PARAMETERS])
def test_parameters(text: str, public: str, parameters: dict[str, Any]) -> None:
    """What is returned is the function, or a partial of it with the parameters, which can be stored."""
    found = numact.get(text)
    function = getattr(numact, public)
    if not parameters:
        assert found is function
        return
    assert isinstance(found, partial)
    assert found.func is function
    assert found.args == ()
    assert found.keywords == parameters
    stored = pickle.loads(pickle.dumps(found))
    assert (stored.func, stored.keywords) == (function, parameters)
    for key, value in parameters.items():
        assert f"{key}={value!r}" in repr(found)
    assert numact.get(found) is found
    found.keywords.clear()
    again = numact.get(text)
    assert isinstance(again, partial)
    assert again.keywords == parameters


def test_hard_sigmoid() -> None:
    """Other slopes than 1/6 are those of clipped_linear."""
    given = numact.get("HardSigmoid(alpha=0.2, beta=0.5)")
    np.testing.assert_array_equal(given(X), numact.clipped_linear(X, 0.2, 0.5))
    np.testing.assert_allclose(numact.get("HardSigmoid(beta=0.4)")(X), np.clip(X / 6 + 0.4, 0, 1), rtol=1e-5)


def test_where_names_are_used() -> None:
    """Normalisation, gains and the monitor take names with parameters, and partials."""
    text, bound = "LeakyReLU(alpha=0.2)", numact.get("leaky_relu(0.2)")
    want = numact.norm.layer_norm(X, activation=("leaky_relu", {"negative_slope": 0.2}))
    given: list[Any] = [text, bound, (text, {})]
    for activation in given:
        np.testing.assert_array_equal(numact.norm.layer_norm(X, activation=activation), want)
    want = numact.norm.layer_norm(X, activation=("leaky_relu", {"negative_slope": 0.3}))
    np.testing.assert_array_equal(numact.norm.layer_norm(X, activation=(text, {"negative_slope": 0.3})), want)

    slope = numact.init.gain("leaky_relu", negative_slope=0.2)
    assert numact.init.gain(text) == slope
    assert numact.init.gain("GELU(approximate='tanh')") == numact.init.gain("gelu_tanh")
    weights = numact.init.he_normal((3, 4), rng=0, gain=text)
    np.testing.assert_array_equal(weights, numact.init.he_normal((3, 4), rng=0, gain=slope))

    monitor = numact.diagnostics.ActivationMonitor()
    for layer, function in (("a", text), ("b", bound)):
        y = monitor.forward(layer, function, X[0])
        np.testing.assert_array_equal(y, numact.leaky_relu(X[0], 0.2))
    y = monitor.forward("c", "Hardtanh(-2, 2)", X[0])
    assert monitor.update("d", y, activation="Hardtanh(-2, 2)") == monitor.update("e", y, low=-1.96, high=1.96)


REFUSED = [
    ("leaky_relu(negativ_slope=1)", "leaky_relu has no parameter negativ_slope; did you mean negative_slope?"),
    ("relu(qqqq=1)", "has no parameter qqqq"),
    ("gelu(qqqq=1)", "gelu has no parameter qqqq; it takes none"),
    ("leaky_relu('a')", "negative_slope must be a number, got 'a'"),
    ("leaky_relu(None)", "negative_slope must be a number, got None"),
    ("leaky_relu(True)", "negative_slope must be a number, got True"),
    ("celu(0)", "alpha must be > 0, got 0"),
    ("Hardtanh(2, 1)", "min_val must be <= max_val, got 2 and 1"),
    ("leaky_relu(1, True, 3)", "more than leaky_relu has"),
    ("leaky_relu(0.1, negative_slope=3)", "gives negative_slope twice"),
    ("leaky_relu(alpha=0.1, negative_slope=3)", "negative_slope is given twice"),
    ("relu(6)", "inplace must be True or False"),
    ("GELU(approximate='foo')", 'approximate must be "none" or "tanh", got \'foo\''),
    ("Softplus(threshold=2)", "threshold must be 20 or more, where softplus needs none, got 2"),
    ("Softmax(dim=None)", "dim=None leaves the axis to PyTorch"),
    ("leaky_relu(__import__('os'))", "must be literals"),
    ("leaky_relu(1 + 1 if x else 2)", "must be literals"),
    ("leaky_relu(**{'alpha': 1})", "must be literals"),
    ("leaky_relu(*[1])", "must be literals"),
    ("leaky_relu(alpha=1, alpha=1)", "must be literals"),
    ("leaky_relu(", "must be literals"),
    ("leaky_relu(0.2)()", "must be literals"),
    ("relu(0) + f(1)", "must be literals"),
    ("relu('\\d')\x00", "must be literals"),
    ("relu(" + "(" * 500 + ")" * 500 + ")", "must be literals"),
    ("(0.2)", "is unknown"),
    ("lekyrelu(0.2)", "the nearest are leaky_relu"),
    ("torch.nn.RELU", "the nearest are ELU, SELU, ReLU"),
    ("torch.nn.sparsemax", "numact has no activation of torch by that name"),
    ("mxnet.relu", "the library of 'mxnet.relu' is unknown; numact knows the names of torch, keras"),
    ("gelu_10", "gelu clipped to [-10, 10]; the nearest are gelu"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED, ids=[text[:40] for text, _ in REFUSED])
def test_refused(text: str, message: str) -> None:
    """What cannot be is refused by a ValueError that says what is wrong with it."""
    with pytest.raises(ValueError, match=r"^get: ") as caught:
        numact.get(text)
    assert message in str(caught.value)
    assert shown(text) in str(caught.value)
