"""The functions of numact as primitives of HIPS autograd, with gradients.

Values and gradients have the bits that numact has everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from numact.adapters._differentiable import Differentiable, find
from numact.adapters._require import require

_extend: Any = require("autograd", "autograd.extend", "autograd", "1.6", "2.0")


@cache
def _primitive(name: str, along_axis: bool, parameters: tuple[tuple[str, Any], ...]) -> Any:
    function = Differentiable(name, along_axis, dict(parameters))
    primitive = _extend.primitive(function.forward)
    gradient = _extend.primitive(lambda dy, x, y: function.backward(dy, x, y))
    _extend.defvjp(primitive, lambda y, x: lambda dy: gradient(dy, x, y))
    return primitive


def apply(function: str | Callable[..., Any], x: Any, **parameters: Any) -> Any:
    """Compute a function of numact on an array of autograd; it can be differentiated once.

    Parameters
    ----------
    function : str or function of numact
        An elementwise activation, softmax, softmin, log_softmax or sparsemax, by a name that `numact.get` knows.
    x : array_like
        The input, also one that is traced.
    **parameters : float
        Parameters of the function; ``axis=`` and ``temperature=`` of those along an axis.

    Returns
    -------
    ndarray
        Of the shape and dtype of x.

    Raises
    ------
    ValueError
        For a function that is unknown or none of these.
    TypeError
        For a parameter that the function does not have.

    Notes
    -----
    The result and the gradient are those of ``numact.NAME`` and ``numact.NAME_grad``, bit for bit.  A second derivative
    raises NotImplementedError.

    Examples
    --------
    >>> import autograd
    >>> slope = autograd.grad(lambda x: numact.adapters.autograd.apply("mish", x).sum())
    >>> slope(np.array([-1.0, 0.0, 1.0]))
    array([0.05921676, 0.6       , 1.04903622])

    """
    found = find("apply", function, parameters)
    return _primitive(found.name, found.along_axis, tuple(found.parameters.items()))(x)
