"""The functions of numact inside JAX, with gradients: under jit, grad and vmap, by callbacks to the CPU.

Values and gradients have the bits that numact has everywhere.  Reverse mode is defined, by `jax.custom_vjp`: what needs
forward mode, such as `jax.jacfwd` and second derivatives, raises TypeError.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from numact.adapters._differentiable import Differentiable, find
from numact.adapters._require import require

jax: Any = require("jax", "jax", "jax", "0.4.34", "1.0")


def _callback(function: Callable[..., Any], like: Any, *operands: Any) -> Any:
    """Call a function with arrays; it returns one of the shape and dtype of another."""
    result = jax.ShapeDtypeStruct(like.shape, like.dtype)

    def call(*arrays: Any) -> Any:
        return np.asarray(function(*map(np.asarray, arrays)), like.dtype)

    return jax.pure_callback(call, result, *operands, vmap_method="broadcast_all")


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _apply(function: _Hashable, x: Any) -> Any:
    return _callback(function.function.forward, x, x)


def _forward(function: _Hashable, x: Any) -> tuple[Any, Any]:
    y = _apply(function, x)
    return y, y if function.function.along_axis else x


def _backward(function: _Hashable, saved: Any, dy: Any) -> tuple[Any]:
    return (_callback(lambda dy, saved: function.function.backward(dy, saved, saved), saved, dy, saved),)


_apply.defvjp(_forward, _backward)


class _Hashable:
    """A function, as JAX needs what is not differentiated."""

    def __init__(self, function: Differentiable) -> None:
        self.function = function
        self._key = function.name, tuple(function.parameters.items())

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Hashable) and self._key == other._key


def apply(function: str | Callable[..., Any], x: Any, **parameters: Any) -> Any:
    """Compute a function of numact on an array of JAX.

    Parameters
    ----------
    function : str or function of numact
        An elementwise activation, softmax, softmin, log_softmax or sparsemax, by a name that `numact.get` knows.
    x : jax.Array
        Of floating-point numbers.
    **parameters : float
        Parameters of the function; ``axis=`` and ``temperature=`` of those along an axis.

    Returns
    -------
    jax.Array
        Of the shape and dtype of x.

    Raises
    ------
    ValueError
        For a function that is unknown or none of these, and an axis that x does not have.
    TypeError
        For what is no array of floating-point numbers, and a parameter that the function does not have.

    Notes
    -----
    The result and the gradient are those of ``numact.NAME`` and ``numact.NAME_grad``, bit for bit.  JAX calls them by
    ``jax.pure_callback``, which copies the arrays to and from NumPy.

    Examples
    --------
    >>> import jax
    >>> gradient = jax.grad(lambda x: numact.adapters.jax.apply("gelu", x).sum())
    >>> np.asarray(gradient(jax.numpy.array([-1.0, 0.0, 1.0])))
    array([-0.08331547,  0.5       ,  1.0833155 ], dtype=float32)

    """
    x = jax.numpy.asarray(x)
    if not jax.numpy.issubdtype(x.dtype, jax.numpy.floating):
        raise TypeError(f"apply: x must be an array of floating-point numbers, got dtype {x.dtype}")
    found = find("apply", function, parameters)
    if found.along_axis:
        axis = found.parameters["axis"]
        if not isinstance(axis, int) or not -x.ndim <= axis < x.ndim:
            raise ValueError(f"apply: axis must be an integer from {-x.ndim} to {x.ndim - 1}, got {axis!r}")
        # from the end: vmap puts its own axis in front
        found = found._replace(parameters={**found.parameters, "axis": axis if axis < 0 else axis - x.ndim})
    return _apply(_Hashable(found), x)
