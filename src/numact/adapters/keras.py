"""numact behind the NumPy backend of Keras: activations, softmax, the losses from logits, batch normalisation.

What changes are functions of ``keras.src.backend.numpy.nn``, a private module, so that only the versions of Keras are
supported that have been tried.  Results agree with those of Keras to rounding: numact's are nearer to the true values
(within 1.5 ULP, sigmoid and its kin 2, softmax 2), and the same on every machine.  Where Keras computes in another
dtype than that of x, as it does for integers, its own functions stay in use.  They differ by more than rounding in one
function: `sparsemax`, of which Keras gives zeros for (1, 0.9, 0.8, -3).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from numact._functions.arguments import is_half
from numact._functions.names import FUNCTIONS
from numact.adapters._patch import Accelerated, Patch, Replacement
from numact.adapters._require import require
from numact.norm.batch import batch_norm

keras: Any = require("keras", "keras", "keras", "3.10", "3.16")

# The functions that differ in name alone; parameters stand in the same order.
SAME = {
    **{name: name for name in ("relu", "relu6", "sigmoid", "sparse_sigmoid", "tanh", "softplus", "softsign")},
    **{name: name for name in ("soft_shrink", "sparse_plus", "silu", "squareplus", "log_sigmoid", "hard_sigmoid")},
    **{name: name for name in ("elu", "selu", "celu", "hard_tanh", "hard_shrink", "threshold")},
    "tanh_shrink": "tanhshrink",
    "hard_silu": "hard_swish",
    "leaky_relu": "leaky_relu",
}
ALONG_AXIS = ("softmax", "log_softmax", "sparsemax")


def _is_float(x: Any) -> bool:
    """Whether a value is an array of a dtype that numact computes in."""
    return isinstance(x, np.ndarray) and (x.dtype.kind == "f" or is_half(x.dtype)) and x.dtype.itemsize <= 8


def _elementwise(name: str, theirs: Callable[..., Any]) -> Callable[..., Any]:
    """The function of a name in Keras, computed by numact for floats and numbers as parameters."""
    ours, signature = FUNCTIONS[SAME[name]], inspect.signature(theirs)
    as_tensor = _conversion(theirs, *(0.0, 0.0) if name == "threshold" else ())

    plain = len(signature.parameters) == 1

    def function(*given: Any, **named: Any) -> Any:
        if plain and len(given) == 1 and not named:
            x = as_tensor(given[0])
            return np.asarray(ours(x)) if _is_float(x) else theirs(x)
        bound = signature.bind(*given, **named)
        bound.apply_defaults()
        x, *values = bound.args
        x = as_tensor(x)
        if _is_float(x) and not any(np.ndim(value) for value in values):
            try:
                return np.asarray(ours(x, *map(float, values)))
            except ValueError:
                return theirs(x, *values)  # of a parameter that numact does not allow, such as an alpha below 0
        return theirs(x, *values)

    return _named(function, theirs)


def _along_axis(name: str, theirs: Callable[..., Any]) -> Callable[..., Any]:
    ours = FUNCTIONS[name]
    as_tensor = _conversion(theirs)

    def function(x: Any, axis: Any = -1) -> Any:
        x = as_tensor(x)
        return np.asarray(ours(x, axis=axis)) if _is_float(x) else theirs(x, axis=axis)

    return _named(function, theirs)


def _gelu(theirs: Callable[..., Any]) -> Callable[..., Any]:
    exact, approximate_gelu = FUNCTIONS["gelu"], FUNCTIONS["gelu_tanh"]
    as_tensor = _conversion(theirs)

    def function(x: Any, approximate: bool = True) -> Any:
        x = as_tensor(x)
        if not _is_float(x):
            return theirs(x, approximate)
        return np.asarray(approximate_gelu(x) if approximate else exact(x))

    return _named(function, theirs)


def _glu(theirs: Callable[..., Any]) -> Callable[..., Any]:
    ours = FUNCTIONS["glu_split"]
    as_tensor = _conversion(theirs)

    def function(x: Any, axis: int = -1) -> Any:
        x = as_tensor(x)
        if not _is_float(x) or x.shape[axis] % 2:
            return theirs(x, axis)  # which raises for an odd length
        return np.asarray(ours(x, axis=axis))

    return _named(function, theirs)


def _batch_normalization(theirs: Callable[..., Any]) -> Callable[..., Any]:
    def function(
        x: Any, mean: Any, variance: Any, axis: int, offset: Any = None, scale: Any = None, epsilon: float = 1e-3
    ) -> Any:
        others = [value for value in (mean, variance, offset, scale) if value is not None]
        plain = _is_float(x) and all(isinstance(value, np.ndarray) and value.dtype == x.dtype for value in others)
        if not plain or np.any(variance < 0):
            return theirs(x, mean, variance, axis, offset, scale, epsilon)
        return batch_norm(x, mean, variance, scale, offset, float(epsilon), axis)

    return _named(function, theirs)


def _named(function: Callable[..., Any], theirs: Callable[..., Any]) -> Callable[..., Any]:
    function.__name__ = function.__qualname__ = theirs.__name__
    return function


def _conversion(theirs: Callable[..., Any], *parameters: float) -> Callable[[Any], Any]:
    """What a function of Keras does with its input first: most of them take float64 as the default dtype of Keras."""
    convert: Callable[[Any], Any] = import_module("keras.src.backend.numpy.core").convert_to_tensor
    narrows = theirs(np.zeros((2, 2), np.float64), *parameters).dtype != np.float64

    def as_tensor(x: Any) -> Any:
        # Keras copies every array here, which nobody sees.
        return x if type(x) is np.ndarray and not (narrows and x.dtype == np.float64) else convert(x)

    return as_tensor


def _replacements() -> list[Replacement]:
    if (backend := keras.backend.backend()) != "numpy":
        raise RuntimeError(
            f"numact.adapters.keras: the backend of Keras must be numpy, got {backend}: "
            "set the environment variable KERAS_BACKEND=numpy before Keras is imported"
        )
    nn = import_module("keras.src.backend.numpy.nn")
    makers: dict[str, Callable[[Callable[..., Any]], Callable[..., Any]]] = {
        **{name: lambda theirs, name=name: _elementwise(name, theirs) for name in SAME},  # type: ignore[misc]
        **{name: lambda theirs, name=name: _along_axis(name, theirs) for name in ALONG_AXIS},  # type: ignore[misc]
        "gelu": _gelu,
        "glu": _glu,
        "batch_normalization": _batch_normalization,
    }
    return [(nn, name, make(getattr(nn, name))) for name, make in makers.items()]


_PATCH = Patch(_replacements)


def accelerate() -> Accelerated:
    """Put numact behind the NumPy backend of Keras for a block.

    Returns
    -------
    context manager

    Raises
    ------
    RuntimeError
        When the block is entered, if the backend of Keras is another one.

    See Also
    --------
    enable : The same for good.

    Notes
    -----
    27 activations, softmax included, and batch_normalization are replaced; losses from logits and attention call those.
    All threads of the process see it.  Blocks may be nested, and overlap in several threads; behind the last one all
    is as before, also after an exception.

    Examples
    --------
    >>> import keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation="gelu")])
    >>> with numact.adapters.keras.accelerate():
    ...     y = model(np.zeros((3, 4), np.float32))
    >>> y.shape
    (3, 2)

    """
    return Accelerated(_PATCH)


# The same for good.
enable, disable = _PATCH.enable, _PATCH.disable
