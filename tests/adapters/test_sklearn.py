"""numact behind scikit-learn's perceptrons, and the transformer."""

import pickle
import threading
import warnings
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn", minversion="1.6")

from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier, MLPRegressor, _base
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import numact
from numact.adapters import sklearn as adapter

pytestmark = pytest.mark.filterwarnings("ignore")  # of models that have not converged
X, Y = load_digits(return_X_y=True)
X = X[:400] / 16
Y = Y[:400]


def state() -> tuple[Any, ...]:
    """What the adapter changes."""
    classes = (MLPClassifier, MLPRegressor)
    return (
        dict(_base.ACTIVATIONS),
        dict(_base.DERIVATIVES),
        *(cls._parameter_constraints["activation"] for cls in classes),
    )


@pytest.mark.parametrize("activation", ["identity", "relu", "tanh", "logistic"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=str)
def test_same_estimators(activation: str, dtype: Any) -> None:
    """The activations of scikit-learn give the same probabilities, to rounding."""
    x = X.astype(dtype)
    model = MLPClassifier((32, 16), activation=activation, max_iter=8, random_state=0)
    want = model.fit(x, Y).predict_proba(x)
    with adapter.accelerate():
        got = model.fit(x, Y).predict_proba(x)
    np.testing.assert_allclose(got, want, atol=1e-4 if dtype == np.float32 else 1e-10)


@pytest.mark.parametrize("activation", ["leaky_relu", "elu", "softplus", "celu"])
def test_further_activations(activation: str) -> None:
    """Further activations are trained, by the right gradient; without the adapter they are unknown."""
    with adapter.accelerate():
        model = MLPClassifier((32,), activation=activation, max_iter=60, random_state=0).fit(X, Y)
        assert model.score(X, Y) > 0.85
        regressor = MLPRegressor(hidden_layer_sizes=(8,), activation=activation, max_iter=5, random_state=0).fit(X, Y)
        assert regressor.predict(X).shape == Y.shape
        again = pickle.loads(pickle.dumps(model))
        np.testing.assert_array_equal(again.predict(X), model.predict(X))
    with pytest.raises(KeyError, match=activation):
        model.predict(X)
    with pytest.raises(ValueError, match="'activation' parameter"):
        MLPClassifier(activation=activation).fit(X, Y)


def test_refused_with_the_reason() -> None:
    """A derivative that needs the input, and a name that nobody knows."""
    with adapter.accelerate():
        with pytest.raises(ValueError, match=r"gelu cannot be .*needs the input"):
            MLPClassifier(activation="gelu").fit(X, Y)
        with pytest.raises(ValueError, match="'activation' parameter"):
            MLPClassifier(activation="nonsense").fit(X, Y)


def test_undone() -> None:
    """Behind blocks all is as before: nested, after an exception, beside a permanent use, from several threads."""
    before = state()
    with adapter.accelerate(), adapter.accelerate():
        assert state() != before
    assert state() == before
    with pytest.raises(ZeroDivisionError), adapter.accelerate():
        1 / 0  # noqa: B018
    assert state() == before
    adapter.enable()
    adapter.enable()
    with adapter.accelerate():
        pass
    assert state() != before
    adapter.disable()
    adapter.disable()
    assert state() == before

    def use() -> None:
        for _ in range(200):
            with adapter.accelerate():
                assert "elu" in _base.ACTIVATIONS

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert state() == before


@parametrize_with_checks(  # type: ignore[untyped-decorator, unused-ignore]
    [adapter.ActivationTransformer(), adapter.ActivationTransformer("softmax")]
)
def test_estimator_checks(estimator: Any, check: Any) -> None:
    """The checks that scikit-learn has for transformers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


def test_transformer() -> None:
    """In a pipeline, with parameters and names of other libraries; bad ones are refused."""
    scaled = StandardScaler().fit_transform(X)
    pipeline = make_pipeline(StandardScaler(), adapter.ActivationTransformer("LeakyReLU", {"negative_slope": 0.2}))
    np.testing.assert_array_equal(pipeline.fit_transform(X), numact.leaky_relu(scaled, 0.2))
    for wrong, message in (("swiglu", "function of one array"), ("nonsense", "name 'nonsense' is unknown")):
        with pytest.raises(ValueError, match=message):
            adapter.ActivationTransformer(wrong).fit(X)
