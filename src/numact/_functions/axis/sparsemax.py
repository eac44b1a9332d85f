"""Projections onto the probability simplex with exact zeros: sparsemax, its gradient, and hardmax."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numact._functions.axis.docstrings import documented
from numact._functions.axis.operands import call, call_where
from numact._functions.public import set_module

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from numact._functions.arguments import Out


@set_module("numact")
@documented
def sparsemax(
    x: ArrayLike, axis: int | tuple[int, ...] | None = -1, where: ArrayLike | None = None, out: Out = None
) -> Any:
    """max(x_i - tau, 0), with the tau for which the results along an axis sum to 1.

    Parameters
    ----------
    {parameters}

    Returns
    -------
    y : ndarray
        The point of the probability simplex that is nearest to the row; many entries are 0.

    Raises
    ------
    {raises}

    See Also
    --------
    sparsemax_grad : Its gradient, from the output.
    softmax : Gives every entry a positive probability.

    Notes
    -----
    The error is at most 2 ULP of 1; float16 is computed in float32 and rounded once.  Infinite and NaN entries act as
    in `softmax`, and masked ones give 0.

    Martins and Astudillo, 2016.

    Examples
    --------
    >>> x = np.array([[1.0, 2.0, 3.0], [0.5, -1.0, 0.0]])
    >>> numact.sparsemax(x)
    array([[0.  , 0.  , 1.  ],
           [0.75, 0.  , 0.25]])

    """
    return call_where("sparsemax", x, where, (), axis, out)


@set_module("numact")
@documented
def sparsemax_grad(dy: ArrayLike, y: ArrayLike, axis: int | tuple[int, ...] | None = -1, out: Out = None) -> Any:
    """Gradient of `sparsemax` from its output: where y > 0, dy minus its mean over these entries; else 0.

    Parameters
    ----------
    {parameters}

    Returns
    -------
    dx : ndarray
        Gradient by the input.

    Raises
    ------
    {raises}

    See Also
    --------
    sparsemax : The function.

    Notes
    -----
    Error bounds are those of `softmax_grad`.  The derivative jumps where an entry enters or leaves the support, the
    entries with y > 0.

    Examples
    --------
    >>> y = numact.sparsemax([[0.9, 1.0, -3.0]])
    >>> numact.sparsemax_grad(np.array([[0.0, 1.0, 0.0]]), y)
    array([[-0.5,  0.5,  0. ]])

    """
    return call("sparsemax_grad", (dy, y), axis, out)


@set_module("numact")
@documented
def hardmax(x: ArrayLike, axis: int | tuple[int, ...] | None = -1, out: Out = None) -> Any:
    """1 at the first maximum along an axis, else 0.

    Parameters
    ----------
    {parameters}

    Returns
    -------
    y : ndarray
        One-hot rows, of the shape of `x`; a NaN makes its row NaN.

    Raises
    ------
    {raises}

    See Also
    --------
    softmax : Smooth, with a gradient.
    sparsemax : Continuous, with exact zeros.

    Notes
    -----
    The result is exact.  Its derivative is 0 wherever it exists.

    Examples
    --------
    >>> x = np.array([[1.0, 2.0, 3.0], [0.5, -1.0, 0.0]])
    >>> numact.hardmax(x)
    array([[0., 0., 1.],
           [1., 0., 0.]])

    """
    return call("hardmax", (x,), axis, out)
