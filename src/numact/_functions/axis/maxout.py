"""maxout, the largest of adjacent entries, and its gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from numact._functions import ufuncs
from numact._functions.arguments import check_real, float_dtype, integer, is_half
from numact._functions.axes import as_axis
from numact._functions.public import set_module
from numact._kernels.messages import shown

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike


@set_module("numact")
def maxout(x: ArrayLike, pieces: int, axis: int = -1, *, index_dtype: DTypeLike = np.intp) -> tuple[Any, Any]:
    """Largest of every `pieces` adjacent entries along an axis.

    Parameters
    ----------
    x : array_like
        Input; the axis has the length c times `pieces`, and the entries of a group are adjacent: group k is
        ``x[k * pieces : (k + 1) * pieces]``.
    pieces : int
        Number of entries in a group.
    axis : int, default -1
        The axis that is divided into groups.
    index_dtype : dtype_like, default numpy.intp
        The dtype of the indices: intp or int32, which take half of the memory.

    Returns
    -------
    y : ndarray
        The maxima; the axis has the length c.
    which : ndarray of index_dtype
        Index of each maximum in its group: of the first one, or of the first NaN.

    Raises
    ------
    ValueError
        For an axis out of range, if `pieces` is not positive or does not divide the length of the axis, and for another
        `index_dtype`.

    See Also
    --------
    maxout_grad : Its gradient.

    Notes
    -----
    The results are exact, of the dtype of `x`; integers and booleans become the smallest float, from float32 on, that
    holds them.

    Goodfellow et al., 2013.

    Examples
    --------
    >>> x = np.array([[1.0, 5.0, 4.0, -2.0]])
    >>> y, which = numact.maxout(x, 2)
    >>> y
    array([[5., 4.]])
    >>> which
    array([[1, 0]])

    """
    array = np.asanyarray(x)
    shape, split = _in_pieces("maxout", array.shape, pieces, axis)
    if isinstance(array, np.ma.MaskedArray):
        # Masked entries are no candidates; a group of masked ones is masked.
        dtype = float_dtype(array.dtype)
        filled = np.where(np.ma.getmaskarray(array), np.array(-np.inf, dtype), array.data)
        y, which = maxout(filled, pieces, axis, index_dtype=index_dtype)
        mask = np.ma.getmaskarray(array).reshape(shape).all(split)
        return np.ma.array(y, mask=mask), np.ma.array(which, mask=mask)
    y, which = ufuncs.AXIS[f"maxout{_suffix('maxout', index_dtype)}"](array.reshape(shape), axis=split)
    return (y.astype(float_dtype(array.dtype)) if is_half(array.dtype) else y), which


@set_module("numact")
def maxout_grad(dy: ArrayLike, which: ArrayLike, pieces: int, axis: int = -1) -> Any:
    """Gradient of `maxout`: dy at the entry that was the largest, else 0.

    Parameters
    ----------
    dy : array_like
        Gradient by the output.
    which : array_like of int
        The second result of the forward pass, of the shape of `dy`.
    pieces : int
        Number of entries in a group.
    axis : int, default -1
        The axis that was divided into groups.

    Returns
    -------
    dx : ndarray
        Gradient by the input; the axis has `pieces` times the length that it has in `dy`.

    Raises
    ------
    ValueError
        For an axis out of range, `pieces` below 1, shapes that differ, or an index that is not in [0, pieces).
    TypeError
        For indices that are not integers.

    See Also
    --------
    maxout : The function.

    Notes
    -----
    The result is exact.

    Examples
    --------
    >>> y, which = numact.maxout(np.array([[1.0, 5.0, 4.0, -2.0]]), 2)
    >>> numact.maxout_grad(np.array([[10.0, 20.0]]), which, 2)
    array([[ 0., 10., 20.,  0.]])

    """
    if isinstance(dy, np.ma.MaskedArray) or isinstance(which, np.ma.MaskedArray):
        raise TypeError("maxout_grad: dy and which must not be masked: give dy.filled(0) and which.filled(0)")
    gradient, indices = np.asanyarray(dy), np.asanyarray(which)
    check_real("maxout_grad", "dy", gradient.dtype)
    if indices.dtype.kind not in "iu":
        raise TypeError(f"maxout_grad: which must be integers, got {indices.dtype}")
    if indices.shape != gradient.shape:
        raise ValueError(f"maxout_grad: which must have the shape of dy, {gradient.shape}, got {indices.shape}")
    if (pieces := integer("maxout_grad", "pieces", pieces)) < 1:
        raise ValueError(f"maxout_grad: pieces must be positive, got {shown(pieces)}")
    if indices.size and not (indices.min() >= 0 and indices.max() < pieces):
        wrong = indices[(indices < 0) | (indices >= pieces)]
        raise ValueError(f"maxout_grad: which must be in [0, {pieces}), got {wrong.flat[0]}")
    _, split = _in_pieces("maxout_grad", gradient.shape, 1, axis)
    groups = gradient.shape
    dx = np.empty((*groups[:split], pieces, *groups[split:]), float_dtype(gradient.dtype))
    if indices.dtype != np.int32:
        indices = indices.astype(np.intp, copy=False)
    ufuncs.AXIS[f"maxout_grad{_suffix('maxout_grad', indices.dtype)}"](
        gradient, indices, out=dx, axes=[(), (), (split,)], casting="same_kind"
    )
    return dx.reshape((*groups[: split - 1], groups[split - 1] * pieces, *groups[split:]))


def _suffix(function: str, index_dtype: DTypeLike) -> str:
    """What the name of the ufunc for indices of a dtype ends with."""
    try:
        dtype = np.dtype(index_dtype)
    except (TypeError, ValueError):
        raise TypeError(f"{function}: index_dtype must be intp or int32, got {shown(index_dtype)}") from None
    if dtype == np.intp:
        return ""
    if dtype != np.int32:
        raise ValueError(f"{function}: index_dtype must be intp or int32, got {dtype}")
    return "_int32"


def _in_pieces(function: str, shape: tuple[int, ...], pieces: int, axis: int) -> tuple[tuple[int, ...], int]:
    """A shape whose axis is split into groups and pieces, and the index of the axis of pieces in it."""
    axis = as_axis(function, axis, len(shape))
    pieces = integer(function, "pieces", pieces)
    if pieces < 1 or shape[axis] % pieces:
        raise ValueError(
            f"{function}: pieces must be positive and divide the length {shape[axis]} of axis {axis}, "
            f"got {shown(pieces)}"
        )
    return (*shape[:axis], shape[axis] // pieces, pieces, *shape[axis + 1 :]), axis + 1
