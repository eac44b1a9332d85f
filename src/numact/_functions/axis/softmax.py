"""softmax, softmin and log_softmax, and their gradients from the output."""

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
def softmax(
    x: ArrayLike,
    axis: int | tuple[int, ...] | None = -1,
    where: ArrayLike | None = None,
    temperature: ArrayLike = 1.0,
    out: Out = None,
) -> Any:
    """e^(x_i / T) / sum_j e^(x_j / T), along an axis.

    Parameters
    ----------
    {parameters}

    Returns
    -------
    y : ndarray
        The probabilities, of the shape of `x`; 0 where masked.

    Raises
    ------
    {raises}

    See Also
    --------
    softmax_grad : Its gradient, from the output.
    log_softmax : Its logarithm.
    softmin : The same of -x.
    sparsemax : Gives exact zeros to entries far below the maximum.

    Notes
    -----
    The error is at most 2 ULP, tails and subnormal results included; float16 is computed in float32 and rounded once,
    to at most 0.51 ULP.  A scalar as temperature does not influence the dtype, and is not rounded to float16.

    Entries of +inf share the probability of their row equally.  A row that is masked everywhere, or -inf everywhere,
    gives 0.  A NaN makes its row NaN.

    Examples
    --------
    >>> x = np.array([[1.0, 2.0, 3.0], [0.5, -1.0, 0.0]])
    >>> numact.softmax(x)
    array([[0.09003057, 0.24472847, 0.66524096],
           [0.54654939, 0.12195165, 0.33149896]])
    >>> numact.softmax(x, axis=0, where=x > 0, temperature=0.5)
    array([[0.73105858, 1.        , 1.        ],
           [0.26894142, 0.        , 0.        ]])

    """
    return call_where("softmax", x, where, (temperature,), axis, out)


@set_module("numact")
@documented
def softmin(
    x: ArrayLike,
    axis: int | tuple[int, ...] | None = -1,
    where: ArrayLike | None = None,
    temperature: ArrayLike = 1.0,
    out: Out = None,
) -> Any:
    """`softmax` of -x, along an axis, without computing -x.

    Parameters
    ----------
    {parameters}

    Returns
    -------
    y : ndarray
        The probabilities, of the shape of `x`; 0 where masked.

    Raises
    ------
    {raises}

    See Also
    --------
    softmin_grad : Its gradient, from the output.
    softmax : The same of x.

    Notes
    -----
    Error bounds and special values are those of `softmax` of -x: entries of -inf share the probability of their row
    equally.

    Examples
    --------
    >>> x = np.array([[1.0, 2.0, 3.0], [0.5, -1.0, 0.0]])
    >>> numact.softmin(x, temperature=0.5)
    array([[0.86681333, 0.11731043, 0.01587624],
           [0.04201007, 0.84379473, 0.1141952 ]])

    """
    return call_where("softmin", x, where, (temperature,), axis, out)


@set_module("numact")
@documented
def log_softmax(
    x: ArrayLike,
    axis: int | tuple[int, ...] | None = -1,
    where: ArrayLike | None = None,
    temperature: ArrayLike = 1.0,
    out: Out = None,
) -> Any:
    """log(softmax(x)) = x_i / T - log sum_j e^(x_j / T), along an axis.

    Parameters
    ----------
    {parameters}

    Returns
    -------
    y : ndarray
        The logarithms of the probabilities, of the shape of `x`; -inf where masked.

    Raises
    ------
    {raises}

    See Also
    --------
    log_softmax_grad : Its gradient, from the output.
    softmax : The probabilities.
    logsumexp : The logarithm of the sum.

    Notes
    -----
    The error is at most 2 ULP, also where one entry has nearly all of the probability and its logarithm is tiny;
    float16 is computed in float32 and rounded once, to at most 0.51 ULP.

    If k entries of a row are +inf, each of them gives log(1/k) and the others -inf.  A row of -inf gives NaN.

    Examples
    --------
    >>> x = np.array([[1.0, 2.0, 3.0], [0.5, -1.0, 0.0]])
    >>> numact.log_softmax(x)
    array([[-2.40760596, -1.40760596, -0.40760596],
           [-0.60413061, -2.10413061, -1.10413061]])

    """
    return call_where("log_softmax", x, where, (temperature,), axis, out)


@set_module("numact")
@documented
def softmax_grad(
    dy: ArrayLike, y: ArrayLike, axis: int | tuple[int, ...] | None = -1, temperature: ArrayLike = 1.0, out: Out = None
) -> Any:
    """Gradient of `softmax` from its output: y_i (dy_i - sum_j dy_j y_j) / T.

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
    softmax : The function.

    Notes
    -----
    The sum is accumulated in float64 for float32 and float16, and compensated for float64.  The error is at most 2 ULP,
    where terms cancel of the larger one.  float16 is computed in float32 and rounded once.

    Where the forward pass masked an entry, y is 0, and so is dx.

    Examples
    --------
    >>> y = numact.softmax([[1.0, 2.0, 3.0]], temperature=0.5)
    >>> dy = np.array([[0.0, 1.0, 0.0]])
    >>> numact.softmax_grad(dy, y, temperature=0.5)
    array([[-0.0037249 ,  0.20709738, -0.20337249]])

    """
    return call("softmax_grad", (dy, y, temperature), axis, out)


@set_module("numact")
@documented
def softmin_grad(
    dy: ArrayLike, y: ArrayLike, axis: int | tuple[int, ...] | None = -1, temperature: ArrayLike = 1.0, out: Out = None
) -> Any:
    """Gradient of `softmin` from its output: -y_i (dy_i - sum_j dy_j y_j) / T.

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
    softmin : The function.

    Notes
    -----
    Error bounds and masked entries are those of `softmax_grad`.

    Examples
    --------
    >>> y = numact.softmin([[1.0, 2.0, 3.0]])
    >>> numact.softmin_grad(np.array([[0.0, 1.0, 0.0]]), y)
    array([[ 0.1628034 , -0.18483645,  0.02203304]])

    """
    return call("softmin_grad", (dy, y, temperature), axis, out)


@set_module("numact")
@documented
def log_softmax_grad(
    dy: ArrayLike, y: ArrayLike, axis: int | tuple[int, ...] | None = -1, temperature: ArrayLike = 1.0, out: Out = None
) -> Any:
    """Gradient of `log_softmax` from its output: (dy_i - e^y_i sum_j dy_j) / T.

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
    log_softmax : The function.

    Notes
    -----
    Error bounds are those of `softmax_grad`.  Where the forward pass masked an entry, y is -inf, and dy should be 0.

    Examples
    --------
    >>> y = numact.log_softmax([[1.0, 2.0, 3.0]])
    >>> numact.log_softmax_grad(np.array([[0.0, 1.0, 0.0]]), y)
    array([[-0.09003057,  0.75527153, -0.66524096]])

    """
    return call("log_softmax_grad", (dy, y, temperature), axis, out)
