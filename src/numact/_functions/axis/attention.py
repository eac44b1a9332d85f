"""softmax of the scores of attention, with scale, mask and causal triangle in one pass, and its gradient."""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from numact._functions import ufuncs
from numact._functions.arguments import (
    BOOL,
    Array,
    check_out,
    check_real,
    float_dtype,
    is_half,
    number_between,
    single_out,
)
from numact._functions.axes import as_axis
from numact._functions.axis.operands import call, narrowed, widened
from numact._functions.parameters import FLOAT32, FLOAT64
from numact._functions.public import set_module
from numact._kernels import core, targets
from numact._kernels.messages import shown

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from numact._functions.arguments import Out

# The limit of rows of which every entry takes part.
EVERY = sys.maxsize


@set_module("numact")
def attention_softmax(
    scores: ArrayLike,
    *,
    scale: float | None = None,
    mask: ArrayLike | None = None,
    causal: bool = False,
    axis: int = -1,
    out: Out = None,
) -> Any:
    """softmax(scale scores + mask) along an axis, in the dtype of the scores.

    Parameters
    ----------
    scores : array_like
        Products of queries and keys, of shape (..., queries, keys).
    scale : float, optional
        What the scores are multiplied by, > 0, such as ``1 / np.sqrt(head_size)``; 1 by default.
    mask : array_like of bool or float, optional
        Booleans say which entries take part; floats are added, -inf masks an entry.  Broadcasts to `scores`, and does
        not influence the dtype of the result.
    causal : bool, default False
        Whether a query takes part in the keys up to its own position only.  The last query stands at the last key, as
        where keys of earlier calls are cached.
    axis : int, default -1
        The axis of the keys; the last one of the others is that of the queries.
    out : ndarray, tuple of one ndarray or `...`, optional
        Where the result goes; ``out=scores`` computes in place.

    Returns
    -------
    y : ndarray
        The weights of attention, of the shape and dtype of `scores`; 0 where masked, also in a row without any entry.

    Raises
    ------
    ValueError
        If scale is not from 1e-28 to 1e28, mask does not broadcast to scores, or axis is out of range.
    TypeError
        If scores are neither floating-point numbers, integers nor booleans, or are masked, mask is neither boolean nor
        floating-point, or causal is not boolean.
    MemoryError
        If there is none for rows that are not contiguous; out may then be written in part.

    See Also
    --------
    attention_softmax_grad : Its gradient, from the output.
    softmax : Without scale and mask; has a temperature, the reciprocal of the scale.

    Notes
    -----
    The error is at most 2 ULP, as that of `softmax`: scale scores + mask is computed to twice the digits of the dtype,
    for scale and mask rounded to it (to float32 for float16 and bfloat16, whose results are rounded once).  An entry
    behind -inf in mask has no influence, whatever its score is.  Entries of +inf share the probability of their row
    equally.

    Masked entries behind the causal triangle are not computed.

    Vaswani et al., Attention Is All You Need, 2017; biases: Press et al., Train Short, Test Long (ALiBi), 2022.

    Examples
    --------
    >>> scores = np.array([[1.0, 2.0, 3.0], [0.0, 4.0, 1.0], [2.0, 2.0, 0.0]])
    >>> numact.attention_softmax(scores, scale=0.5, causal=True)
    array([[1.        , 0.        , 0.        ],
           [0.11920292, 0.88079708, 0.        ],
           [0.4223188 , 0.4223188 , 0.1553624 ]])

    """
    name = "attention_softmax"
    given = np.asarray(scores)
    check_real(name, "scores", given.dtype)
    dtype = given.dtype if given.dtype is FLOAT32 else float_dtype(given.dtype)
    computed = FLOAT64 if dtype.itemsize > FLOAT32.itemsize else FLOAT32
    limit = EVERY if causal is False else _limit(name, causal, given.shape, axis)
    kernel: str = name
    operands: tuple[Any, ...] = _as_scale(name, scale), limit
    if mask is not None:
        bias = _as_mask(name, mask, given.shape, computed)
        kernel, operands = f"{name}_{'where' if bias.dtype is BOOL else 'bias'}", (bias, *operands)
    found = core.call_axis(targets.LEVEL, kernel, (given, *operands), axis, out, False)
    if found is not None:
        return found
    result, _ = single_out(name, out)
    if result is not None:
        check_out(name, result, given.shape, dtype)
    axis = as_axis(name, axis, given.ndim, "scores")
    with np.errstate(all="ignore"):
        wide = widened(given).astype(computed, copy=False)
        found = core.call_axis(targets.LEVEL, kernel, (wide, *operands), axis, None, False)
        if found is None:
            found = ufuncs.AXIS[kernel](wide, *operands, axis=axis)
        found = narrowed(found, dtype)
    if result is None:
        return found
    np.copyto(result, found, casting="same_kind")
    return result


@set_module("numact")
def attention_softmax_grad(
    dy: ArrayLike, y: ArrayLike, *, scale: float | None = None, axis: int = -1, out: Out = None
) -> Any:
    """Gradient of `attention_softmax` by the scores, from its output: scale y_i (dy_i - sum_j dy_j y_j).

    Parameters
    ----------
    dy : array_like
        Gradient by the output.
    y : array_like
        Output of the forward pass.
    scale : float, optional
        Scale of the forward pass; 1 by default.
    axis : int, default -1
        The axis of the forward pass.
    out : ndarray, tuple of one ndarray or `...`, optional
        Where the result goes; ``out=dy`` computes in place.

    Returns
    -------
    dx : ndarray
        Gradient by the scores; 0 where they were masked.

    Raises
    ------
    ValueError
        If scale is not from 1e-28 to 1e28, or axis is out of range.
    TypeError
        If an operand is neither floating-point numbers, integers nor booleans.
    MemoryError
        If there is none for rows that are not contiguous; out may then be written in part.

    See Also
    --------
    attention_softmax : The function.
    softmax_grad : The same with a temperature.

    Notes
    -----
    Error bounds are those of `softmax_grad`.  With scale 1 the result is the gradient by a mask of floats, to be summed
    over the axes along which that was broadcast.

    Examples
    --------
    >>> y = numact.attention_softmax(np.array([[1.0, 2.0, 3.0]]), scale=0.5)
    >>> numact.attention_softmax_grad(np.array([[0.0, 1.0, 0.0]]), y, scale=0.5)
    array([[-0.02861894,  0.10641329, -0.07779435]])

    """
    name = "attention_softmax_grad"
    return call(name, (dy, y, _as_scale(name, scale)), axis, out)


def _as_scale(function: str, scale: Any) -> float:
    """A scale as a float; 1 for None."""
    return 1.0 if scale is None else number_between(function, "scale", scale, *core.FACTORS)


def _as_mask(function: str, mask: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """A mask of booleans, or of floats in the dtype in which the scores are computed, in the shape of the scores."""
    array = np.asarray(mask)
    if array.dtype != np.bool_:
        if array.dtype.kind != "f" and not is_half(array.dtype):
            raise TypeError(f"{function}: mask must be booleans or floating-point numbers, got {array.dtype}")
        with np.errstate(over="ignore"):
            array = array.astype(dtype, copy=False)
    try:
        return np.broadcast_to(array, shape)
    except ValueError:
        raise ValueError(
            f"{function}: mask must broadcast to the shape of scores, {shape}, got the shape {array.shape}"
        ) from None


def _limit(function: str, causal: Any, shape: tuple[int, ...], axis: Any) -> int | Array:
    """How many keys each query takes part in: one number, or one for each query."""
    if not isinstance(causal, bool | np.bool_):
        raise TypeError(f"{function}: causal must be a boolean, got {shown(causal)}")
    of_keys = as_axis(function, axis, len(shape), "scores")
    others = shape[:of_keys] + shape[of_keys + 1 :]
    return _triangle(others[-1], shape[of_keys]) if causal and others else EVERY


@lru_cache(maxsize=4)
def _triangle(queries: int, keys: int) -> Array:
    """The number of keys up to the position of each query, the last of which is that of the last key."""
    return np.clip(np.arange(1, queries + 1) + (keys - queries), 0, keys)
