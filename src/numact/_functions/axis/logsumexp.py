"""The logarithm of a sum of exponentials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from numact._functions import ufuncs
from numact._functions.arguments import (
    boolean,
    broadcast_mask,
    broadcast_shapes,
    check_out,
    check_real,
    float_dtype,
    single_out,
)
from numact._functions.axes import as_axes
from numact._functions.axis.docstrings import documented
from numact._functions.axis.operands import call_where, in_rows, reduced
from numact._functions.public import set_module

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from numact._functions.arguments import Array, Out


@set_module("numact")
@documented
def logsumexp(
    x: ArrayLike,
    axis: int | tuple[int, ...] | None = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    out: Out = None,
    *,
    b: ArrayLike | None = None,
    return_sign: bool = False,
) -> Any:
    """Logarithm of sum_j e^x_j, or of sum_j b_j e^x_j, along an axis.

    Parameters
    ----------
    x : array_like
        Input.  Masked entries of a masked array take no part.
    axis : int, tuple of int or None, default -1
        The axis or axes that are summed over; None: all.
    where : array_like of bool, optional
        The entries that take part; broadcasts to `x`.  The values of the others do not count.
    keepdims : bool, default False
        Whether the axes stay, with length 1.
    out : ndarray, tuple of one ndarray or `...`, optional
        Where the result goes.
    b : array_like, optional
        Factors of the exponentials, which may be 0 or negative; broadcasts with `x`.
    return_sign : bool, default False
        Whether to return the logarithm of the absolute value of the sum, and its sign.

    Returns
    -------
    y : ndarray or scalar
        The logarithms, of the shape of `x` without `axis`; -inf for an axis without entries; NaN for a negative sum,
        unless `return_sign`.
    sign : ndarray or scalar
        1, 0 or -1, if `return_sign`.

    Raises
    ------
    {raises}

    See Also
    --------
    log_softmax : The entries minus this.
    softmax : Its gradient by the entries.

    Notes
    -----
    The error is at most 1 ULP, also where the largest entry m cancels log sum_j e^(x_j - m); float16 is computed in
    float32 and rounded once, to at most 0.51 ULP.  With `b` the sum is NumPy's, in float64.

    The parameters `b` and `return_sign` are those of `scipy.special.logsumexp`, whose default axis is None.

    Examples
    --------
    >>> x = np.array([[1.0, 2.0, 3.0], [0.5, -1.0, 0.0]])
    >>> numact.logsumexp(x)
    array([3.40760596, 1.10413061])
    >>> numact.logsumexp(x, axis=0, keepdims=True)
    array([[1.47407698, 2.04858735, 3.04858735]])

    """
    if type(keepdims) is not bool or type(return_sign) is not bool:  # a call costs as much as a short row
        keepdims = boolean("logsumexp", "keepdims", keepdims)
        return_sign = boolean("logsumexp", "return_sign", return_sign)
    if b is None:
        y = call_where("logsumexp", x, where, (), axis, out, keepdims)
        return (y, np.where(np.isneginf(y), 0, np.ones_like(y))[()]) if return_sign else y
    if isinstance(x, np.ma.MaskedArray) or isinstance(b, np.ma.MaskedArray):
        raise TypeError("logsumexp: x and b must not be masked where b is given: give where=~x.mask")
    y, sign = _weighted(np.asarray(x), np.asarray(b), axis, where, keepdims)
    if not return_sign:
        y = np.where(sign < 0, np.nan, y)
    array, array_wanted = single_out("logsumexp", out)
    dtype = float_dtype(np.asanyarray(x).dtype)
    if array is not None:
        check_out("logsumexp", array, y.shape, dtype)
        np.copyto(array, y, casting="same_kind")
        y = array
    else:
        y = y.astype(dtype)
        y = y if array_wanted else y[()]
    return (y, sign.astype(dtype)[()]) if return_sign else y


def _weighted(x: Array, b: Array, axis: Any, where: Any, keepdims: bool) -> tuple[Any, Any]:
    """Logarithm and sign of sum_j b_j e^x_j in float64; the largest entry is subtracted before."""
    for name, array in (("x", x), ("b", b)):
        check_real("logsumexp", name, array.dtype)
    shape = broadcast_shapes(x.shape, b.shape)
    axes = tuple(range(len(shape))) if axis is None else as_axes("logsumexp", axis, len(shape))
    takes_part = np.broadcast_to(b != 0, shape)
    if where is not None:
        takes_part = takes_part & broadcast_mask("logsumexp", where, shape)
    # Contiguous rows, so that the sums do not depend on the layout.
    wide, factors, takes_part = (
        np.array(in_rows(array, shape, axes, reduced(shape, axes)), order="C")
        for array in (x.astype(np.float64), b, takes_part)
    )
    top = np.max(wide, -1, where=takes_part, initial=-np.inf)
    shift = np.where(np.isfinite(top), top, 0)
    with np.errstate(all="ignore"):
        terms = np.where(takes_part, factors * ufuncs.RAW["exponential"](wide - shift[..., None]), 0)
        total = np.sum(terms, -1).reshape(reduced(shape, axes, keepdims))
        return np.log(abs(total)) + shift.reshape(total.shape), np.sign(total)
