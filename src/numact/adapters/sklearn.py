"""numact behind the multi-layer perceptrons of scikit-learn, and activations as steps of a pipeline.

Results agree with those of scikit-learn to rounding (in float64 to about 1e-15 of the largest): numact's are nearer to
the true values, and the same on every machine.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np

from numact._functions import catalogue, names
from numact._functions.names import FUNCTIONS
from numact.adapters._patch import Accelerated, Patch, Replacement
from numact.adapters._require import require

sklearn: Any = require("sklearn", "sklearn", "scikit-learn", "1.6", "2.0")
_base: Any = require("sklearn", "sklearn.base", "scikit-learn", "1.6", "2.0")
_validation: Any = require("sklearn", "sklearn.utils.validation", "scikit-learn", "1.6", "2.0")

_Mixin: Any = type("_Mixin", (_base.OneToOneFeatureMixin, _base.TransformerMixin), {})

# Those of scikit-learn by our names.
OWN = {"logistic": "sigmoid", "tanh": "tanh", "relu": "relu"}


def _in_place(name: str) -> Callable[[Any], None]:
    function = FUNCTIONS[name]

    def activation(X: Any) -> None:
        function(X, out=X)

    return activation


def _derivative(name: str) -> Callable[[Any, Any], None]:
    gradient = FUNCTIONS[f"{name}_grad_y"]

    def derivative(Z: Any, delta: Any) -> None:
        gradient(delta, Z, out=delta)

    return derivative


def _softmax(X: Any) -> None:
    FUNCTIONS["softmax"](X, axis=1, out=X)


@cache
def _allowed() -> tuple[str, ...]:
    """The elementwise activations of which the derivative follows from the output, and that need no parameter."""
    return tuple(
        row.name
        for row in catalogue.catalogue()
        if row.family == "elementwise"
        and f"{row.name}_grad_y" in FUNCTIONS
        and None not in dict(row.parameters).values()
    )


def _options(base: Any) -> Any:
    """What ``activation=`` may be; says why where another activation of numact is given."""

    class Options(base):  # type: ignore[misc]
        def is_satisfied_by(self, value: Any) -> bool:
            if isinstance(value, str) and value not in self.options and f"{value}_grad" in FUNCTIONS:
                raise ValueError(
                    f"{value} cannot be the activation of a multi-layer perceptron: scikit-learn keeps the outputs of "
                    f"layers only, and the derivative of {value} needs the input, or it has a parameter without default"
                )
            return bool(super().is_satisfied_by(value))

    return Options({"identity", *OWN, *_allowed()})


def _replacements() -> list[Replacement]:
    from importlib import import_module

    base = import_module("sklearn.neural_network._base")
    mlp = import_module("sklearn.neural_network._multilayer_perceptron")
    allowed = [_options(import_module("sklearn.utils._param_validation").StrOptions)]
    ours = {**{name: name for name in _allowed() if name != "identity"}, **OWN}
    replaced: list[Replacement] = [(base.ACTIVATIONS, theirs, _in_place(name)) for theirs, name in ours.items()]
    replaced += [(base.DERIVATIVES, theirs, _derivative(name)) for theirs, name in ours.items()]
    replaced.append((base.ACTIVATIONS, "softmax", _softmax))
    if "exp" in base.ACTIVATIONS:
        replaced.append((base.ACTIVATIONS, "exp", _in_place("exponential")))
    for cls in (mlp.BaseMultilayerPerceptron, mlp.MLPClassifier, mlp.MLPRegressor):
        replaced.append((cls._parameter_constraints, "activation", allowed))
    return replaced


_PATCH = Patch(_replacements)


def accelerate() -> Accelerated:
    """Put numact behind MLPClassifier and MLPRegressor for a block, and allow more activations in it.

    Returns
    -------
    context manager

    See Also
    --------
    enable : The same for good.
    ActivationTransformer : An activation as a step of a pipeline.

    Notes
    -----
    Replaced are logistic, tanh, relu, their derivatives, softmax and exp.  ``activation=`` may also be "leaky_relu",
    "elu" and every other elementwise activation whose derivative follows from the output; they have their default
    parameters.  For others, such as "gelu", `fit` raises ValueError: scikit-learn overwrites the input with the output.

    All threads of the process see it.  Blocks may be nested, and overlap in several threads; behind the last one all is
    as before, also after an exception.

    An estimator with one of the further activations needs the block, or `enable`, where it is fitted and where it
    predicts, also after it has been unpickled in another process; otherwise scikit-learn raises KeyError.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> with numact.adapters.sklearn.accelerate():
    ...     classifier = MLPClassifier(activation="leaky_relu", max_iter=1000, random_state=0).fit(X, y)
    ...     print(classifier.score(X, y) > 0.9)
    True

    """
    return Accelerated(_PATCH)


# The same for good.
enable, disable = _PATCH.enable, _PATCH.disable


class ActivationTransformer(_Mixin, _base.BaseEstimator):  # type: ignore[misc]
    """An elementwise activation, or one along the features, as a step of a pipeline.

    Parameters
    ----------
    activation : str, default "relu"
        A name that `numact.get` knows.
    parameters : dict of str to float, optional
        Parameters of the activation, such as ``{"negative_slope": 0.2}``.

    Attributes
    ----------
    n_features_in_ : int
        The number of features that `fit` has seen.
    feature_names_in_ : ndarray of str
        Their names, if all are strings.

    Raises
    ------
    ValueError
        When it is fitted, for a name that is not of a function of one array.

    See Also
    --------
    accelerate : numact behind multi-layer perceptrons.

    Examples
    --------
    >>> transformer = numact.adapters.sklearn.ActivationTransformer("leaky_relu", {"negative_slope": 0.2})
    >>> transformer.fit_transform([[-1.0, 2.0]])
    array([[-0.2,  2. ]])

    """

    def __init__(self, activation: str = "relu", parameters: dict[str, float] | None = None) -> None:
        self.activation = activation
        self.parameters = parameters

    def _function(self) -> Callable[[Any], Any]:
        name, parameters = names.find(self.activation)
        row = next((row for row in catalogue.catalogue() if row.name == name), None)
        if row is None or row.family == "gated" or name == "maxout":
            raise ValueError(
                f"ActivationTransformer: activation must be a function of one array, got {self.activation!r}"
            )
        return partial(FUNCTIONS[name], **{**parameters, **(self.parameters or {})})

    def fit(self, X: Any, y: Any = None) -> ActivationTransformer:
        """Check the data and the parameters.

        Parameters
        ----------
        X : array_like of shape (n_samples, n_features)
            The samples.
        y : object, optional
            Not used.

        Returns
        -------
        ActivationTransformer
            Itself.

        """
        array = _validation.validate_data(self, X, dtype=[np.float64, np.float32])
        self._function()(array[:1])
        return self

    def transform(self, X: Any) -> Any:
        """Compute the activation.

        Parameters
        ----------
        X : array_like of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of shape (n_samples, n_features)

        """
        _validation.check_is_fitted(self, "n_features_in_")
        return self._function()(_validation.validate_data(self, X, dtype=[np.float64, np.float32], reset=False))
