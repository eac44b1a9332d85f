"""The `_split` forms of gated functions: of one array that holds both arguments, as its halves along an axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from numact._functions.arguments import (
    call_with_out,
    check_integer,
    check_out_shape,
    check_writeable,
    integer,
    overrides_ufuncs,
    single_out,
)
from numact._functions.axes import as_axis
from numact._functions.docstrings import EXAMPLE_INPUTS
from numact._functions.public import set_module

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from numact._functions.arguments import Array
    from numact._functions.catalogue import Activation

DOCUMENTATION = """\
`{row.name}` of the halves of one array: {row.formula}.

Parameters
----------
x : array_like
    Both arguments concatenated along `axis`, which has even length: {row.arguments[0]}, then {row.arguments[1]}.
axis : int, default -1
    The axis that is halved.
out : ndarray, tuple of one ndarray or `...`, optional
    Array to write into: of the shape of x, but half as long along `axis`.

Returns
-------
y : ndarray
    `out`, or a new array.

Raises
------
ValueError
    If x does not have the axis or its length is odd, or if `out` has another shape.  Nothing is written then.
TypeError
    If axis is not an integer or `out` is not an array.

See Also
--------
{row.name}_split_grad : Its gradient.
{row.name} : The same of two arrays.

Notes
-----
The halves are not copied; error bounds and dtypes are those of `{row.name}`.{note}

Examples
--------
>>> numact.{row.name}_split(np.array([-1.0, 0.0, 2.0, 1.0, 2.0, 3.0]))
{example!r}
"""

DOCUMENTATION_GRAD = """\
Gradient of `{row.name}_split`: both gradients of `{row.name}`, as halves of one array.

Parameters
----------
dy : array_like
    Gradient by the output: of the shape of x, but half as long along `axis`, or broadcast to it.
x : array_like
    Input of the forward pass.
axis : int, default -1
    The axis that was halved.
out : ndarray, tuple of one ndarray or `...`, optional
    Array to write into, of the shape of x; ``out=x`` computes in place.

Returns
-------
dx : ndarray
    `out`, or a new array: first the gradient by {row.arguments[0]}, then the one by {row.arguments[1]}.

Raises
------
ValueError
    If x does not have the axis or its length is odd, if dy does not broadcast to a half, or if `out` has another shape.
    Nothing is written then.
TypeError
    If axis is not an integer or `out` is not an array.

See Also
--------
{row.name}_split : The function.
{row.name}_grad : The same of two arrays.

Notes
-----
The gradients are written into the halves of the result, without a copy; error bounds and dtypes are those of
`{row.name}_grad`.

Examples
--------
>>> x = np.array([-1.0, 0.0, 2.0, 1.0, 2.0, 3.0])
>>> numact.{row.name}_split_grad(np.ones(3), x)
{example!r}
"""

# The functions of other libraries that are the same.
NOTES = {"glu": "\n\nThis is PyTorch's ``F.glu(x, dim=axis)``."}


def halves(function: str, x: Array, axis: int) -> tuple[Array, Array]:
    """The halves of x along the axis, as views."""
    axis = integer(function, "axis", axis)  # first, for it may be code that changes x
    position = as_axis(function, axis, x.ndim)
    length = x.shape[position]
    if length % 2:
        raise ValueError(f"{function}: x must have an even length along axis {axis}, got {length} in shape {x.shape}")
    before = (slice(None),) * position
    return x[(*before, slice(length // 2))], x[(*before, slice(length // 2, None))]


def split_functions(row: Activation, forward: np.ufunc, gradient: np.ufunc) -> dict[str, Callable[..., Array]]:
    """The functions NAME_split and NAME_split_grad of a gated function, by name."""
    name, name_grad = f"{row.name}_split", f"{row.name}_split_grad"

    def split(x: ArrayLike, axis: int = -1, out: Any = None) -> Array:
        array: Any = x if overrides_ufuncs(x) and hasattr(x, "shape") else np.asanyarray(x)
        first, second = halves(name, array, axis)
        if (given := single_out(name, out)[0]) is not None:
            check_out_shape(name, given, first.shape)
        result: Array = call_with_out(name, forward, (first, second), out)
        return result

    def split_grad(dy: ArrayLike, x: ArrayLike, axis: int = -1, out: Any = None) -> Array:
        x = np.asanyarray(x)
        check_integer(name_grad, "dy", dy)
        given: Any = dy if type(dy) in (float, int) else np.asanyarray(dy)  # Python numbers do not promote
        first, second = halves(name_grad, x, axis)
        out, _ = single_out(name_grad, out)
        if out is not None:
            check_out_shape(name_grad, out, x.shape)
            check_writeable(name_grad, out)
        shape = np.shape(given)
        if not broadcasts(shape, first.shape):
            raise ValueError(f"{name_grad}: dy must broadcast to a half of x, {first.shape}, got shape {shape}")
        if out is None:
            operands = (getattr(given, "dtype", type(given)), x.dtype, x.dtype)
            out = np.empty_like(x, gradient.resolve_dtypes((*operands, None, None))[-1])
        result: Array = out
        gradient(given, first, second, out=halves(name_grad, result, axis))
        return result

    functions: dict[str, Callable[..., Array]] = {}
    x = np.concatenate(EXAMPLE_INPUTS)
    y, dx = split(x), split_grad(np.ones(3), x)
    for function, own, text, example in (
        (split, name, DOCUMENTATION, y),
        (split_grad, name_grad, DOCUMENTATION_GRAD, dx),
    ):
        function.__name__ = function.__qualname__ = own
        function.__doc__ = text.format(row=row, note=NOTES.get(row.name, ""), example=example)
        functions[own] = set_module("numact")(function)
    return functions


def broadcasts(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    """Whether an array of the one shape broadcasts to the other."""
    return len(shape) <= len(to) and all(a in (1, b) for a, b in zip(shape[::-1], to[::-1], strict=False))
