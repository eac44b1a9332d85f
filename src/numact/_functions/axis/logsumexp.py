"""The logarithm of a sum of exponentials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numact._functions.axis.docstrings import documented
from numact._functions.axis.operands import call_where
from numact._functions.public import set_module

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from numact._functions.arguments import Array


@set_module("numact")
@documented
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
        The entries that take part; broadcasts to `x`.  The values of the others do not count.
    keepdims : bool, default False
        Whether the axis stays, with length 1.
    out : ndarray, optional
        Where the result goes.

    Returns
    -------
    y : ndarray or scalar
        The logarithms, of the shape of `x` without `axis`; -inf for an axis without entries.

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
    float32 and rounded once, to at most 0.51 ULP.

    Examples
    --------
    >>> y = numact.logsumexp(x, axis=0, keepdims=True)

    """
    return call_where("logsumexp", x, where, (), axis, out, keepdims=keepdims)
