"""`softmax`, `softmin`, `log_softmax`, and their gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numact._functions import ufuncs
from numact._functions.axis.operands import Array, as_mask, as_temperature, call

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def call_softmax(name: str, x: Any, axis: int, where: Any, temperature: Any, out: Any) -> Any:
    """Compute softmax or one of its relatives."""
    temperature = as_temperature(name, temperature, x)
    if where is None:
        return call(ufuncs.AXIS[name], (x, temperature), axis, out)
    return call(ufuncs.AXIS[name + "_where"], (x, as_mask(name, where, x), temperature), axis, out)


def call_softmax_grad(name: str, dy: Any, y: Any, axis: int, temperature: Any, out: Any) -> Any:
    """Compute the gradient of softmax or of one of its relatives."""
    return call(ufuncs.AXIS[name], (dy, y, as_temperature(name, temperature, y)), axis, out)


def softmax(
    x: ArrayLike,
    axis: int = -1,
    where: ArrayLike | None = None,
    temperature: ArrayLike = 1.0,
    out: Array | None = None,
) -> Any:
    """e^(x_i / T) / sum_j e^(x_j / T), along an axis.

    Parameters
    ----------
    x : array_like
        Input, at least one-dimensional.
    axis : int, default -1
        The axis along which the results sum to 1.
    where : array_like of bool, optional
        The entries that take part; broadcasts to `x`.  The others give 0, whatever they hold.
    temperature : array_like, default 1.0
        T > 0; an array broadcasts to the shape of `x` without `axis`.
    out : ndarray, optional
        Where the result goes; ``out=x`` computes in place.

    Returns
    -------
    y : ndarray
        The probabilities, of the shape of `x`.

    Raises
    ------
    ValueError
        For an axis out of range, a `where` that does not broadcast to `x`, or a temperature that is not above 0.
    TypeError
        For a `where` that is not boolean, or a dtype without loop.

    See Also
    --------
    softmax_grad : Its gradient, from the output.
    log_softmax : Its logarithm.
    softmin : The same of -x.
    sparsemax : With zeros for what is far below the maximum.

    Notes
    -----
    The error is at most 2 ULP, tails and subnormal results included; float16 is computed in float32 and rounded once,
    to at most 0.51 ULP.  A Python number as temperature does not influence the dtype, and is not rounded to float16.

    Entries of +inf share their row equally; a row that is masked everywhere, or -inf everywhere, gives 0; a NaN makes
    its row NaN.

    Examples
    --------
    >>> y = numact.softmax(x, axis=0, where=x > 0.2, temperature=0.5)

    """
    return call_softmax("softmax", x, axis, where, temperature, out)


def softmin(
    x: ArrayLike,
    axis: int = -1,
    where: ArrayLike | None = None,
    temperature: ArrayLike = 1.0,
    out: Array | None = None,
) -> Any:
    """`softmax` of -x, along an axis, without computing -x.

    Parameters
    ----------
    x : array_like
        Input, at least one-dimensional.
    axis, where, temperature, out
        As in `softmax`.

    Returns
    -------
    y : ndarray
        The probabilities, of the shape of `x`.

    Raises
    ------
    ValueError, TypeError
        As `softmax`.

    See Also
    --------
    softmin_grad : Its gradient, from the output.
    softmax : The same of x.

    Notes
    -----
    Errors are those of `softmax`, and so are infinities and NaN: entries of -inf share their row equally.

    Examples
    --------
    >>> y = numact.softmin(x, temperature=0.5)

    """
    return call_softmax("softmin", x, axis, where, temperature, out)


def log_softmax(
    x: ArrayLike,
    axis: int = -1,
    where: ArrayLike | None = None,
    temperature: ArrayLike = 1.0,
    out: Array | None = None,
) -> Any:
    """log(softmax(x)) = x_i / T - log sum_j e^(x_j / T), along an axis.

    Parameters
    ----------
    x : array_like
        Input, at least one-dimensional.
    axis, where, temperature, out
        As in `softmax`.

    Returns
    -------
    y : ndarray
        The logarithms of the probabilities, of the shape of `x`; -inf where masked.

    Raises
    ------
    ValueError, TypeError
        As `softmax`.

    See Also
    --------
    log_softmax_grad : Its gradient, from the output.
    softmax : The probabilities.
    logsumexp : The logarithm of the sum.

    Notes
    -----
    The error is at most 2 ULP, also where one entry has nearly all of the probability and its logarithm is tiny;
    float16 is computed in float32 and rounded once, to at most 0.51 ULP.

    Of k entries of +inf each gives log(1/k), the others of their row -inf; a row of -inf gives NaN.

    Examples
    --------
    >>> y = numact.log_softmax(x, axis=0)

    """
    return call_softmax("log_softmax", x, axis, where, temperature, out)


def softmax_grad(
    dy: ArrayLike, y: ArrayLike, axis: int = -1, temperature: ArrayLike = 1.0, out: Array | None = None
) -> Any:
    """Gradient of `softmax` from its output: y_i (dy_i - sum_j dy_j y_j) / T.

    Parameters
    ----------
    dy : array_like
        Gradient by the output.
    y : array_like
        Output of the forward pass; entries that were masked are 0, and so is their gradient.
    axis : int, default -1
        The axis of the forward pass.
    temperature : array_like, default 1.0
        T of the forward pass.
    out : ndarray, optional
        Where the result goes; ``out=dy`` computes in place.

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
    softmax : The function.

    Notes
    -----
    Sums are taken in float64 for float32 and float16, compensated for float64.  The error is at most 2 ULP, where terms
    cancel of the larger one; float16 is computed in float32 and rounded once.

    Examples
    --------
    >>> y = numact.softmax(x, temperature=0.5)
    >>> dx = numact.softmax_grad(dy, y, temperature=0.5, out=dy)

    """
    return call_softmax_grad("softmax_grad", dy, y, axis, temperature, out)


def softmin_grad(
    dy: ArrayLike, y: ArrayLike, axis: int = -1, temperature: ArrayLike = 1.0, out: Array | None = None
) -> Any:
    """Gradient of `softmin` from its output: -y_i (dy_i - sum_j dy_j y_j) / T.

    Parameters
    ----------
    dy, y, axis, temperature, out
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
    softmin : The function.

    Notes
    -----
    Errors are those of `softmax_grad`.

    Examples
    --------
    >>> y = numact.softmin(x)
    >>> dx = numact.softmin_grad(dy, y, out=dy)

    """
    return call_softmax_grad("softmin_grad", dy, y, axis, temperature, out)


def log_softmax_grad(
    dy: ArrayLike, y: ArrayLike, axis: int = -1, temperature: ArrayLike = 1.0, out: Array | None = None
) -> Any:
    """Gradient of `log_softmax` from its output: (dy_i - e^y_i sum_j dy_j) / T.

    Parameters
    ----------
    dy, y, axis, temperature, out
        As in `softmax_grad`.  Where entries were masked, and y is -inf, dy should be 0.

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
    log_softmax : The function.

    Notes
    -----
    Errors are those of `softmax_grad`.

    Examples
    --------
    >>> y = numact.log_softmax(x)
    >>> dx = numact.log_softmax_grad(dy, y, out=dy)

    """
    return call_softmax_grad("log_softmax_grad", dy, y, axis, temperature, out)
