"""`sparsemax`, its gradient, and `hardmax`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numact._functions import ufuncs
from numact._functions.axis.operands import Array, as_mask, call

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def sparsemax(x: ArrayLike, axis: int = -1, where: ArrayLike | None = None, out: Array | None = None) -> Any:
    """max(x_i - tau, 0), with the tau for which the results along an axis sum to 1.

    Parameters
    ----------
    x : array_like
        Input, at least one-dimensional.
    axis, where, out
        As in `softmax`.

    Returns
    -------
    y : ndarray
        The point of the probability simplex that is nearest to the row; many entries are 0.

    Raises
    ------
    ValueError, TypeError
        As `softmax`.

    See Also
    --------
    sparsemax_grad : Its gradient, from the output.
    softmax : Without zeros.

    Notes
    -----
    The error is at most 2 ULP of 1; float16 is computed in float32 and rounded once.  Infinite and NaN entries act as
    in `softmax`.

    Martins and Astudillo, 2016.

    Examples
    --------
    >>> y = numact.sparsemax(x, axis=0)

    """
    if where is None:
        return call(ufuncs.AXIS["sparsemax"], (x,), axis, out)
    return call(ufuncs.AXIS["sparsemax_where"], (x, as_mask("sparsemax", where, x)), axis, out)


def hardmax(x: ArrayLike, axis: int = -1, out: Array | None = None) -> Any:
    """1 at the first maximum along an axis, else 0.

    Parameters
    ----------
    x : array_like
        Input, at least one-dimensional.
    axis, out
        As in `softmax`.

    Returns
    -------
    y : ndarray
        One-hot rows, of the shape of `x`; a NaN makes its row NaN.

    Raises
    ------
    ValueError, TypeError
        As `softmax`.

    See Also
    --------
    softmax : The smooth one, which has a gradient.
    sparsemax : Between the two.

    Notes
    -----
    The result is exact.  Its derivative is 0 wherever it exists.

    Examples
    --------
    >>> y = numact.hardmax(x, axis=0)

    """
    return call(ufuncs.AXIS["hardmax"], (x,), axis, out)


def sparsemax_grad(dy: ArrayLike, y: ArrayLike, axis: int = -1, out: Array | None = None) -> Any:
    """Gradient of `sparsemax` from its output: where y > 0, dy less its mean over these entries; else 0.

    Parameters
    ----------
    dy, y, axis, out
        As in `softmax_grad`.

    Returns
    -------
    dx : ndarray
        Gradient by the input.

    Raises
    ------
    ValueError, TypeError
        As `softmax`.

    See Also
    --------
    sparsemax : The function.

    Notes
    -----
    Errors are those of `softmax_grad`.  The derivative jumps where an entry enters the support or leaves it.

    Examples
    --------
    >>> y = numact.sparsemax(x)
    >>> dx = numact.sparsemax_grad(dy, y, out=dy)

    """
    return call(ufuncs.AXIS["sparsemax_grad"], (dy, y), axis, out)
