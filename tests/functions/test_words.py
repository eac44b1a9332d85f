"""Keywords of other libraries: the message says what numact calls them."""

import copy
import inspect
import pickle
import re
from collections.abc import Callable
from types import MethodType
from typing import Any

import numpy as np
import pytest

import numact
from numact._functions.names import FUNCTIONS
from numact._functions.public import PublicFunction
from numact._functions.words import ADVICE, WORDS
from numact.commands.inputs import parameter_sets

X = np.linspace(-2, 2, 6, dtype=np.float32).reshape(2, 3)
COMPANIONS = {
    f"{module}.{name}": getattr(getattr(numact, module), name)
    for module in ("norm", "init", "diagnostics")
    for name in getattr(numact, module).__all__
}
# Function, the keyword of another library, and what the message says.
SAID = [
    ("leaky_relu", "alpha", "numact calls it negative_slope"),
    ("leaky_relu", "slope", "numact calls it negative_slope"),
    ("leaky_relu_grad", "alpha", "numact calls it negative_slope"),
    ("leaky_relu_grad_y", "alpha", "numact calls it negative_slope"),
    ("leaky_relu_masked", "alpha", "numact calls it negative_slope"),
    ("general_relu", "alpha", "numact calls it negative_slope"),
    ("prelu", "alpha", "numact calls it weight"),
    ("hard_tanh", "min", "numact calls it min_val"),
    ("hard_tanh_masked", "max_value", "numact calls it max_val"),
    ("clipped_linear", "alpha", "numact calls it slope"),
    ("clipped_linear", "beta", "numact calls it offset"),
    ("hard_shrink", "threshold", "numact calls it lambd"),
    ("soft_shrink_grad", "threshold", "numact calls it lambd"),
    ("threshold", "default_value", "numact calls it value"),
    ("swish", "alpha", "numact calls it beta"),
    ("softmax", "dim", "numact calls it axis"),
    ("log_softmax_grad", "dim", "numact calls it axis"),
    ("logsumexp", "dim", "numact calls it axis"),
    ("sparsemax", "dim", "numact calls it axis"),
    ("softmax", "mask", "numact calls it where"),
    ("softmax", "logits", "numact calls it x"),
    ("softmax", "tau", "numact calls it temperature"),
    ("softmax", "dtype", "convert x, as in x.astype(dtype)"),
    ("gumbel_softmax", "temperature", "numact calls it tau"),
    ("gumbel_softmax", "key", "numact calls it rng"),
    ("glu_split", "dim", "numact calls it axis"),
    ("swiglu_split_grad", "dim", "numact calls it axis"),
    ("glu", "axis", "use glu_split for both halves in one array"),
    ("glu_grad", "dim", "use glu_split_grad for both halves in one array"),
    ("dropout", "rate", "numact calls it p"),
    ("dropout", "seed", "numact calls it rng"),
    ("dropout", "training", "call it in training only, y = x in evaluation"),
    ("dropout", "keep_prob", "give p=1 - keep_prob"),
    ("rrelu", "training", "give rng= in training, and none in evaluation"),
    ("gelu", "approximate", 'use gelu_tanh for approximate="tanh", gelu is exact'),
    ("gelu_grad", "approximate", 'use gelu_tanh_grad for approximate="tanh", gelu is exact'),
    ("gelu_tanh", "approximate", 'it is that of approximate="tanh", gelu is exact'),
    ("geglu_split", "approximate", 'use geglu_tanh_split for approximate="tanh", geglu is exact'),
    ("relu", "inplace", "use out=x"),
    ("relu", "negative_slope", "use leaky_relu, or general_relu"),
    ("relu", "max_value", "use general_relu"),
    ("relu", "input", "numact takes it by position"),
    ("relu", "x", "numact takes it by position"),
    ("relu_grad", "inplace", "use out=dy"),
    ("relu_grad_y", "output", "numact takes it by position"),
    ("relu_masked", "inplace", "use out=x"),
    ("masked_grad", "grad", "numact calls it dy"),
    ("softplus", "threshold", "the formula is accurate for all x and needs none"),
    ("silu", "beta", "use swish"),
    ("norm.layer_norm", "gamma", "numact calls it weight"),
    ("norm.layer_norm", "beta", "numact calls it bias"),
    ("norm.layer_norm", "epsilon", "numact calls it eps"),
    ("norm.layer_norm", "normalized_shape", "give the axes as axis="),
    ("norm.rms_norm", "scale", "numact calls it weight"),
    ("norm.rms_norm_grad", "dim", "numact calls it axis"),
    ("norm.batch_norm", "running_mean", "numact calls it mean"),
    ("norm.batch_norm", "variance", "numact calls it var"),
    ("norm.batch_norm", "training", "use batch_norm_train in training"),
    ("norm.batch_norm_train", "moving_mean", "numact calls it running_mean"),
    ("norm.batch_norm_train", "offset", "numact calls it bias"),
    ("init.he_normal", "seed", "numact calls it rng"),
    ("init.he_normal", "nonlinearity", "numact calls it gain"),
    ("init.orthogonal", "generator", "numact calls it rng"),
    # merely misspelt
    ("leaky_relu", "negativ_slope", "did you mean negative_slope?"),
    ("softmax", "Axis", "did you mean axis?"),
    ("relu", "outt", "did you mean out?"),
    ("norm.layer_norm", "wieght", "did you mean weight?"),
    ("hard_tanh_masked", "min_vall", "did you mean min_val?"),
    # nothing like it
    ("softmax", "nonsense", "it takes x, axis, where, temperature, "),
]


def find(name: str) -> Any:
    """A public function by its path in numact."""
    return COMPANIONS[name] if name in COMPANIONS else getattr(numact, name)


def operands(name: str, word: str) -> list[Any]:
    """Arrays for a call; none where the keyword stands for one."""
    if word in ("input", "x", "logits", "output", "grad"):
        return [X] if "grad" in name else []
    return [X] * (2 if "grad" in name or name in ("glu", "prelu") else 1)


@pytest.mark.parametrize(("name", "word", "said"), SAID)
def test_said(name: str, word: str, said: str) -> None:
    """The message names the function, the keyword, and what numact has instead."""
    function = find(name)
    start = f"{name.rpartition('.')[2]}() got an unexpected keyword argument {word!r}"
    with pytest.raises(TypeError) as caught:
        function(*operands(name, word), **{word: X})
    assert re.match(re.escape(start) + r"[:;] " + re.escape(said), str(caught.value))
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("name", [*FUNCTIONS, *COMPANIONS])
def test_unknown_keyword(name: str) -> None:
    """Every function refuses a keyword that nobody has, in the same words."""
    function = find(name)
    if inspect.isclass(function) or any(
        parameter.kind is inspect.Parameter.VAR_KEYWORD
        and (parameter.name == "parameters" or not name.startswith(tuple(FUNCTIONS)))
        for parameter in (() if isinstance(function, np.ufunc) else inspect.signature(function).parameters.values())
    ):
        return
    message = rf"^{function.__name__}\(\) got an unexpected keyword argument 'qqqq'; it takes "
    with pytest.raises(TypeError, match=message):
        function(X, qqqq=1)


@pytest.mark.parametrize("own", sorted({own for own, _, _ in WORDS}))
def test_no_own_word(own: str) -> None:
    """A function that has a parameter by a name is never told that this is called otherwise."""
    for name in [*FUNCTIONS, *COMPANIONS]:
        function = find(name)
        if (
            not inspect.isclass(function)
            and own in parameters_of(function)
            and "parameters" not in parameters_of(function)
        ):
            with pytest.raises((TypeError, ValueError)) as caught:
                function(X, **{own: X}, qqqq=1)
            assert f"argument {own!r}" not in str(caught.value)


def parameters_of(function: Any) -> set[str]:
    """The keywords of a function."""
    found = inspect.signature(function).parameters.values() if not isinstance(function, np.ufunc) else ()
    return {parameter.name for parameter in found if parameter.kind is not inspect.Parameter.POSITIONAL_ONLY}


def test_tables() -> None:
    """Functions of the tables exist, or are those of a companion that may have them."""
    stems = {name for _, _, functions in WORDS for name in functions.split()}
    stems |= {name for _, functions, _, _ in ADVICE for name in functions.split()}
    known = {*FUNCTIONS, *(name.rpartition(".")[2] for name in COMPANIONS)}
    assert stems <= known
    assert all(bool(functions) != bool(needed) for _, functions, needed, _ in ADVICE)


@pytest.mark.parametrize("own", ["leaky_relu", "hard_tanh", "celu"])
def test_ways_to_give_parameters(own: str) -> None:
    """Parameters for a fused activation and a gain are explained too."""
    with pytest.raises(TypeError, match=rf"{own} has no parameter qqqq; it takes "):
        numact.norm.layer_norm(X, activation=(own, {"qqqq": 1.0}))
    with pytest.raises(TypeError, match=r"leaky_relu has no parameter alpha: numact calls it negative_slope"):
        numact.norm.layer_norm(X, activation=("leaky_relu", {"alpha": 1.0}))
    with pytest.raises(TypeError, match=r"leaky_relu has no parameter alpha: numact calls it negative_slope"):
        numact.init.gain("leaky_relu", alpha=1.0)
    with pytest.raises(TypeError, match=r"relu has no parameter negative_slope: use leaky_relu"):
        numact.init.gain("relu", negative_slope=1.0)


OTHER_ERRORS: list[tuple[str, Callable[[], Any]]] = [
    (r"missing 1 required positional argument: 'x'", lambda: numact.softmax(axis=0)),  # type: ignore[call-arg]
    (r"multiple values for argument 'axis'", lambda: numact.softmax(X, 0, axis=0)),  # type: ignore[misc]
    (r"not supported for the input types", lambda: numact.relu(np.array(["a"]), where=True)),
    (r"takes from 1 to 2 positional", lambda: numact.relu(out=None)),
    (r"needs a value for the parameter 'value'", lambda: numact.threshold(X, threshold=1.0)),  # type: ignore[call-arg]
]


@pytest.mark.parametrize(("message", "call"), OTHER_ERRORS, ids=[message for message, _ in OTHER_ERRORS])
def test_other_errors(message: str, call: Callable[[], Any]) -> None:
    """Errors that no keyword is to blame for are as they were."""
    with pytest.raises(TypeError, match=message) as caught:
        call()
    assert "unexpected" not in str(caught.value)


@pytest.mark.parametrize("name", [*FUNCTIONS, *COMPANIONS])
def test_functions_are_what_they_were(name: str) -> None:
    """Name, module, pickles, signature: those of the function."""
    function = find(name)
    module = f"numact.{name.partition('.')[0]}" if "." in name else "numact"
    assert pickle.loads(pickle.dumps(function)) is function
    assert copy.deepcopy(function) is copy.copy(function) is function
    if isinstance(function, PublicFunction):
        assert function.__name__ == function.__qualname__ == name.rpartition(".")[2]
        assert function.__module__ == module
        assert repr(function) == f"<function {module}.{function.__name__}>"
        assert inspect.isroutine(function)
        assert inspect.unwrap(function).__code__ is function.__code__
        assert inspect.signature(function) == inspect.signature(function.__wrapped__)
        assert inspect.getsource(function).count("def ") >= 1
        assert function.__doc__ == function.__wrapped__.__doc__


def test_functions_as_methods() -> None:
    """A class that has a function as an attribute has it as a method."""

    class Layer(np.ndarray[Any, np.dtype[Any]]):
        probabilities = numact.softmax

    layer = X.view(Layer)
    assert isinstance(layer.probabilities, MethodType)
    assert Layer.probabilities is numact.softmax
    np.testing.assert_array_equal(layer.probabilities(axis=0), numact.softmax(X, axis=0))


def test_parameters_are_not_taken_for_words() -> None:
    """The keywords that a function has go through."""
    for row in numact.catalogue():
        if row.family != "elementwise":
            continue
        for values in parameter_sets(row):
            given = dict(zip((name for name, _ in row.parameters), values, strict=True))
            getattr(numact, row.name)(X, **given, out=np.empty_like(X), where=X > 0, casting="same_kind")
