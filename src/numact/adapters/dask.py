"""Functions of numact along an axis that is divided into chunks, lazily and by a tree of partial results.

``numact.softmax`` and its kin take lazy arrays, too, and give the bits that they give in memory: for that the axis
becomes one chunk.  These functions leave it divided, so that an axis may be longer than the memory of a worker.  Each
chunk is reduced to a few numbers in float64, those are joined eight at a time, and each chunk is computed from its own
part and the whole.  The results differ from those in memory by rounding: of float32 softmax is within 4 ULP,
log_softmax and logsumexp within 2 ULP of the larger of result and maximum, norms within 1; of float64 a rounding of the
distance between the maxima of chunks is added.  Where the axis is one chunk, they are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from numact._functions.arguments import float_dtype, number_between
from numact._functions.axes import as_axes
from numact._functions.names import FUNCTIONS
from numact._kernels import core
from numact.adapters._require import require
from numact.norm.batch import batch_norm
from numact.norm.rows import row_moments

array: Any = require("dask", "dask.array", "dask", "2024.1", "3000.0")

JOINED = 8  # partial results that are joined at a time
IN_CACHE = 1 << 19  # bytes of a chunk that are taken through several steps at a time


def _checked(function: str, x: Any, axis: Any) -> tuple[Any, int]:
    """The lazy array, and its axis."""
    if not isinstance(x, array.Array):
        raise TypeError(f"{function}: x must be a dask array, got {type(x).__name__}: numact.{function} takes others")
    if x.dtype.kind not in "fiub" or x.dtype.itemsize > 8:
        raise TypeError(f"{function}: x must be floating-point numbers, integers or booleans, got {x.dtype}")
    (found,) = as_axes(function, axis, x.ndim)
    return x.astype(float_dtype(x.dtype)), found


def _reduced(x: Any, axis: int, reduce: Callable[[Any, int], Any], join: Callable[[Any, int], Any]) -> tuple[Any, Any]:
    """The partial results of chunks, their numbers along a new last axis, and the joined one."""
    count = reduce(np.ones((1,) * x.ndim, x.dtype), axis).shape[-1]
    parts = _map(x, reduce, axis, (count,), new_axis=[x.ndim])
    whole = parts
    while whole.shape[axis] > 1:
        whole = _map(whole.rechunk({axis: JOINED}), join, axis)
    return parts, whole


def _by_rows(x: Any, axis: int, mean: Any, deviation: Any, weight: Any, bias: Any, out: Any = None) -> Any:
    """(x - mean) / deviation * weight + bias, rounded once; each is a number, or one for each row along the axis."""
    rows = tuple(k for k in range(x.ndim) if k != axis)
    shape = tuple(x.shape[k] for k in rows)
    given = (mean, np.square(deviation), weight, bias)
    centre, variance, scale, shift = (
        np.broadcast_to(np.squeeze(value, axis) if np.ndim(value) else value, shape) for value in given
    )
    return batch_norm(x, centre, variance, scale, shift, 0.0, rows, out=out)


def _map(x: Any, function: Callable[[Any, int], Any], axis: int, *more: tuple[int, ...], **options: Any) -> Any:
    """Call a function with each chunk, of which it leaves one element along the axis."""
    chunks = [tuple(1 for _ in lengths) if k == axis else lengths for k, lengths in enumerate(x.chunks)]
    meta = np.empty((0,) * (x.ndim + len(more)), np.float64)
    return x.map_blocks(function, axis, chunks=(*chunks, *more), meta=meta, **options)


# Exponentials: a number near the maximum, the sum of e^((x - number) / T), and how many entries are +inf.


def _as_used(temperature: float, x: Any) -> float:
    """The temperature as the kernels use it: rounded to the dtype in which they compute."""
    return temperature if float_dtype(x.dtype).itemsize == 8 else float(np.float32(temperature))


def _distance(a: Any, b: Any, temperature: float) -> Any:
    """(a - b) / T, -inf where a is, also if b is."""
    with np.errstate(all="ignore"):
        return np.where(np.isneginf(a), -np.inf, (a - b) / temperature)


def _sum_exponentials(temperature: float, x: Any, axis: int) -> Any:
    """The number is T times the logarithm of the sum, or for float64, whose digits it would not have, the maximum."""
    along = next((k for k in range(x.ndim) if k != axis and x.shape[k] > 1), axis)
    if along != axis and x.nbytes > IN_CACHE:
        parts = np.array_split(x, -(-x.nbytes // IN_CACHE), along)
        return np.concatenate([_sum_exponentials(temperature, part, axis) for part in parts if part.size], along)
    with np.errstate(all="ignore"):
        if x.dtype == np.float64:
            number = x.max(axis, keepdims=True)
            below = x - np.where(np.isneginf(number), 0, number)
        else:
            below = x.astype(np.float64)
        if temperature != 1:
            below /= temperature
        total = FUNCTIONS["logsumexp"](below, axis=axis, keepdims=True)
        if x.dtype == np.float64:
            total = np.exp(total)
        else:
            number, total = total * temperature, np.ones_like(total)
    infinite = np.isposinf(number)
    if infinite.any():
        infinite = np.isposinf(x).sum(axis, keepdims=True)
    return np.stack([number, total, infinite], -1, dtype=np.float64)


def _join_exponentials(temperature: float, parts: Any, axis: int) -> Any:
    largest, total, infinite = (parts[..., k] for k in range(3))
    common = largest.max(axis, keepdims=True)
    with np.errstate(all="ignore"):
        joined = (total * np.exp(_distance(largest, common, temperature))).sum(axis, keepdims=True)
    return np.stack([common, joined, infinite.sum(axis, keepdims=True)], -1)


def _finish_softmax(temperature: float, axis: int, x: Any, part: Any, whole: Any) -> Any:
    with np.errstate(all="ignore"):
        share = np.exp(_distance(part[..., 0], whole[..., 0], _as_used(temperature, x))) * part[..., 1] / whole[..., 1]
        share = np.where(np.isneginf(part[..., 0]), whole[..., 0] * 0, share)  # NaN if the row has one
        share = np.where(np.isneginf(whole[..., 0]), 0, share)
        share = np.where(np.isposinf(whole[..., 0]), part[..., 2] / np.maximum(whole[..., 2], 1), share)
    local = FUNCTIONS["softmax"](x, axis=axis, temperature=temperature)
    return _by_rows(local, axis, 0.0, 1.0, share, -0.0, out=local)


def _logarithm(whole: Any) -> Any:
    """The logarithm of the sum of e^x."""
    with np.errstate(all="ignore"):
        return np.where(np.isinf(whole[..., 0]), whole[..., 0], whole[..., 0] + np.log(whole[..., 1]))


def _finish_log_softmax(temperature: float, axis: int, x: Any, part: Any, whole: Any) -> Any:
    largest, total, count = (whole[..., k] for k in range(3))
    with np.errstate(all="ignore"):
        y = _by_rows(x, axis, largest, _as_used(temperature, x), 1.0, -np.log(total))
        if np.isposinf(largest).any():
            infinite = np.where(np.isposinf(x), -np.log(np.maximum(count, 1)), -np.inf)
            y = np.where(np.isposinf(largest), infinite, y).astype(x.dtype)
    return y


def _exponentials(name: str, x: Any, axis: Any, temperature: Any, finish: Callable[..., Any]) -> Any:
    x, axis = _checked(name, x, axis)
    temperature = number_between(name, "temperature", temperature, *core.FACTORS)
    if x.numblocks[axis] == 1:
        return FUNCTIONS[name](x, axis=axis, temperature=temperature)
    join = partial(_join_exponentials, _as_used(temperature, x))
    parts, whole = _reduced(x, axis, partial(_sum_exponentials, _as_used(temperature, x)), join)
    return _finished(partial(finish, temperature, axis), x, parts, whole)


def _finished(finish: Callable[..., Any], x: Any, parts: Any, whole: Any, *vectors: Any) -> Any:
    """The result, chunk by chunk."""
    index = tuple(range(x.ndim))
    operands = [x, index, parts, (*index, x.ndim), whole, (*index, x.ndim)]
    for vector in vectors:
        operands += [vector, None if vector is None else index]
    meta = np.empty((0,) * x.ndim, x.dtype)
    return array.blockwise(finish, index, *operands, meta=meta, align_arrays=False, concatenate=True)


def softmax(x: Any, axis: int = -1, temperature: float = 1.0) -> Any:
    """`numact.softmax` along an axis that may be divided.

    Parameters
    ----------
    x : dask.array.Array
        Input.
    axis : int, default -1
        The axis along which the function is taken.
    temperature : float, default 1.0
        T > 0.

    Returns
    -------
    dask.array.Array
        Of the shape and chunks of x.

    Raises
    ------
    ValueError
        For an axis that is out of range, and a temperature that is not above 0.
    TypeError
        If x is not lazy, or no array of real numbers.

    See Also
    --------
    numact.softmax : With one chunk along the axis; the bits of an array in memory.

    Notes
    -----
    float32 is within 4 ULP of the true value.

    Examples
    --------
    >>> import dask.array
    >>> x = dask.array.from_array(np.array([[1.0, 2.0, 3.0, 4.0]]), chunks=(1, 2))
    >>> numact.adapters.dask.softmax(x).compute()
    array([[0.0320586 , 0.08714432, 0.23688282, 0.64391426]])

    """
    return _exponentials("softmax", x, axis, temperature, _finish_softmax)


def log_softmax(x: Any, axis: int = -1, temperature: float = 1.0) -> Any:
    """`numact.log_softmax` along an axis that may be divided.

    Parameters
    ----------
    x : dask.array.Array
        Input.
    axis : int, default -1
        The axis along which the function is taken.
    temperature : float, default 1.0
        T > 0.

    Returns
    -------
    dask.array.Array
        Of the shape and chunks of x.

    Raises
    ------
    ValueError
        For an axis that is out of range, and a temperature that is not above 0.
    TypeError
        If x is not lazy, or no array of real numbers.

    See Also
    --------
    numact.log_softmax : With one chunk along the axis; the bits of an array in memory.

    Examples
    --------
    >>> import dask.array
    >>> x = dask.array.from_array(np.array([[1.0, 2.0, 3.0, 4.0]]), chunks=(1, 2))
    >>> numact.adapters.dask.log_softmax(x).compute()
    array([[-3.4401897, -2.4401897, -1.4401897, -0.4401897]])

    """
    return _exponentials("log_softmax", x, axis, temperature, _finish_log_softmax)


def logsumexp(x: Any, axis: int = -1, keepdims: bool = False) -> Any:
    """`numact.logsumexp` along an axis that may be divided.

    Parameters
    ----------
    x : dask.array.Array
        Input.
    axis : int, default -1
        The axis that is reduced.
    keepdims : bool, default False
        Whether the axis is kept, with the length 1.

    Returns
    -------
    dask.array.Array
        Of the shape of x without the axis.

    Raises
    ------
    ValueError
        For an axis that is out of range.
    TypeError
        If x is not lazy, or no array of real numbers.

    See Also
    --------
    numact.logsumexp : With one chunk along the axis; the bits of an array in memory.

    Examples
    --------
    >>> import dask.array
    >>> x = dask.array.from_array(np.array([[1.0, 2.0, 3.0, 4.0]]), chunks=(1, 2))
    >>> numact.adapters.dask.logsumexp(x).compute()
    array([4.4401897])

    """
    x, axis = _checked("logsumexp", x, axis)
    if x.numblocks[axis] == 1:
        return FUNCTIONS["logsumexp"](x, axis=axis, keepdims=keepdims)
    _, whole = _reduced(x, axis, partial(_sum_exponentials, 1.0), partial(_join_exponentials, 1.0))
    result = whole.map_blocks(_logarithm, dtype=np.float64, drop_axis=[x.ndim]).astype(x.dtype)
    return result if keepdims else result.squeeze(axis)


# Moments: number, mean and squared deviations, joined by Chan, Golub and LeVeque (1979).


def _moments(x: Any, axis: int) -> Any:
    count, mean, squares = row_moments("layer_norm", x, axis)
    return np.stack([np.full_like(mean, count), mean, squares], -1)


def _join_moments(parts: Any, axis: int) -> Any:
    count, mean, deviations = (parts[..., k] for k in range(3))
    total = count.sum(axis, keepdims=True)
    with np.errstate(all="ignore"):
        common = (count * mean).sum(axis, keepdims=True) / total
        squares = deviations.sum(axis, keepdims=True) + (count * np.square(mean - common)).sum(axis, keepdims=True)
    return np.stack([total, common, squares], -1)


def _finish_norm(centred: bool, eps: float, axis: int, x: Any, part: Any, whole: Any, weight: Any, bias: Any) -> Any:
    count, mean, squares = (whole[..., k] for k in range(3))
    with np.errstate(all="ignore"):
        variance = squares / count
        if not centred:
            variance, mean = variance + np.square(mean), 0.0
        y = _by_rows(x, axis, mean, np.sqrt(variance + eps), 1.0, -0.0)
        return y if weight is None else (y * weight + bias).astype(x.dtype)


def _norm(name: str, x: Any, weight: Any, bias: Any, eps: Any, axis: Any) -> Any:
    x, axis = _checked(name, x, axis)
    eps = number_between(name, "eps", eps, 0, np.finfo(np.float64).max)
    vectors: list[Any] = []
    shape = tuple(-1 if k == axis else 1 for k in range(x.ndim))
    chunks = tuple(x.chunks[k] if k == axis else 1 for k in range(x.ndim))
    for key, value, default in (("weight", weight, 1.0), ("bias", bias, -0.0)):
        vector = np.full(x.shape[axis], default) if value is None else np.asarray(value, np.float64)
        if vector.shape != (x.shape[axis],):
            raise ValueError(f"{name}: {key} must be of shape {(x.shape[axis],)}, got {vector.shape}")
        vectors.append(array.from_array(vector.reshape(shape), chunks=chunks))
    if weight is None and bias is None:
        vectors = [None, None]
    parts, whole = _reduced(x, axis, _moments, _join_moments)
    return _finished(partial(_finish_norm, name == "layer_norm", eps, axis), x, parts, whole, *vectors)


def layer_norm(x: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5, axis: int = -1) -> Any:
    """`numact.norm.layer_norm` along an axis that may be divided.

    Parameters
    ----------
    x : dask.array.Array
        Input.
    weight, bias : array_like, optional
        Scale and shift of each position along the axis, in memory; by default 1 and 0.
    eps : float, default 1e-5
        Added to the variance, at least 0.
    axis : int, default -1
        The axis over which mean and variance are taken.

    Returns
    -------
    dask.array.Array
        Of the shape and chunks of x.

    Raises
    ------
    ValueError
        For an axis that is out of range, a weight or bias of another shape, and a negative eps.
    TypeError
        If x is not lazy, or no array of real numbers.

    See Also
    --------
    numact.norm.layer_norm : With one chunk along the axis; the bits of an array in memory.

    Examples
    --------
    >>> import dask.array
    >>> x = dask.array.from_array(np.array([[1.0, 2.0, 3.0, 4.0]]), chunks=(1, 2))
    >>> numact.adapters.dask.layer_norm(x).compute()
    array([[-1.34163542, -0.44721181,  0.44721181,  1.34163542]])

    """
    return _norm("layer_norm", x, weight, bias, eps, axis)


def rms_norm(x: Any, weight: Any = None, eps: float = 1e-6, axis: int = -1) -> Any:
    """`numact.norm.rms_norm` along an axis that may be divided.

    Parameters
    ----------
    x : dask.array.Array
        Input.
    weight : array_like, optional
        Scale of each position along the axis, in memory; by default 1.
    eps : float, default 1e-6
        Added to the mean square, at least 0.
    axis : int, default -1
        The axis over which the mean square is taken.

    Returns
    -------
    dask.array.Array
        Of the shape and chunks of x.

    Raises
    ------
    ValueError
        For an axis that is out of range, a weight of another shape, and a negative eps.
    TypeError
        If x is not lazy, or no array of real numbers.

    See Also
    --------
    numact.norm.rms_norm : With one chunk along the axis; the bits of an array in memory.

    Examples
    --------
    >>> import dask.array
    >>> x = dask.array.from_array(np.array([[1.0, 2.0, 3.0, 4.0]]), chunks=(1, 2))
    >>> numact.adapters.dask.rms_norm(x).compute()
    array([[0.36514835, 0.73029669, 1.09544504, 1.46059339]])

    """
    return _norm("rms_norm", x, weight, None, eps, axis)
