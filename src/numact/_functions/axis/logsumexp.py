"""`logsumexp`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numact._functions import ufuncs
from numact._functions.axis.operands import Array, as_mask, call

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def logsumexp(
    x: ArrayLike,
    axis: int = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    out: Array | None = None,
) -> Any:
    """Logarithm of sum_j e^x_j, along an axis.

    Parameters
    ----------
    x : array_like
        Input, at least one-dimensional.
    axis : int, default -1
        The axis that is summed over.
    where : array_like of bool, optional
        The entries that take part; broadcasts to `x`.
    keepdims : bool, default False
        Whether the axis stays, with length 1.
    out : ndarray, optional
        Where the result goes.

    Returns
    -------
    y : ndarray or scalar
        The logarithms, of the shape of `x` without `axis`; -inf for an empty axis.

    Raises
    ------
    ValueError, TypeError
        As `softmax`.

    See Also
    --------
    log_softmax : The entries less this.
    softmax : Its gradient, by the entries.

    Notes
    -----
    The error is at most 1 ULP, also where the largest entry and the logarithm of the rest cancel; float16 is computed
    in float32 and rounded once, to at most 0.51 ULP.

    Examples
    --------
    >>> y = numact.logsumexp(x, axis=0, keepdims=True)

    """
    if where is None:
        return call(ufuncs.AXIS["logsumexp"], (x,), axis, out, keepdims=keepdims)
    mask = as_mask("logsumexp", where, x)
    return call(ufuncs.AXIS["logsumexp_where"], (x, mask), axis, out, keepdims=keepdims)
