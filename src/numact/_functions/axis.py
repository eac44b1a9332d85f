"""The functions along an axis: thin checks around the generalised ufuncs of csrc/axis.h."""

from __future__ import annotations

from collections.abc import Callable
from operator import index
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from numact._functions import ufuncs

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Array: TypeAlias = "NDArray[Any]"

# Beyond these float32 does not hold the temperature and its reciprocal to all digits.  As Python numbers they would be
# rounded to float16, to 0 and infinity.
COLDEST, HOTTEST = np.float64(1e-28), np.float64(1e28)

# Temperature 1 in a dtype that raises no other.
ONE = np.array(1, np.float16)


def _is_half(dtype: Any) -> bool:
    """Tell whether a dtype is float16, or the bfloat16 of ml_dtypes."""
    return dtype == np.float16 or getattr(dtype, "name", None) == "bfloat16"


def _float_dtype(dtype: Any) -> Any:
    """Get the dtype of the result: float types are kept, others promote."""
    return dtype if dtype.kind == "f" or _is_half(dtype) else np.result_type(dtype, np.float32)


def _as_temperature(function: str, value: Any, x: Any, name: str = "temperature") -> Any:
    """Check a temperature; a Python number becomes an array that does not influence the dtype of the result."""
    if type(value) is float and value == 1:
        return ONE
    array = np.asanyarray(value)
    if array.dtype.kind not in "fiu" and not _is_half(array.dtype):
        raise TypeError(f"{function}: {name} must be a real number or an array of them, got {value!r}")
    allowed = (array >= COLDEST) & (array <= HOTTEST)
    if not allowed.all():
        wrong = array if array.ndim == 0 else array[~allowed].flat[0]
        raise ValueError(f"{function}: {name} must be > 0, from {COLDEST:g} to {HOTTEST:g}, got {wrong}")
    if isinstance(value, float | int) and getattr(x, "dtype", np.dtype(np.float64)).kind in "biuf":
        return np.array(value, np.result_type(np.float32, getattr(x, "dtype", np.float64)))
    return value


def _as_mask(function: str, where: Any, x: Any) -> Array:
    """Check a mask, and lay it on x."""
    mask = np.asanyarray(where)
    shape = np.shape(x)
    if mask.dtype != np.bool_:
        raise TypeError(f"{function}: where must be boolean, got {mask.dtype}")
    try:
        return np.broadcast_to(mask, shape)
    except ValueError:
        raise ValueError(f"{function}: where must broadcast to the shape {shape}, got the shape {mask.shape}") from None


def _call(ufunc: np.ufunc, operands: tuple[Any, ...], axis: int, out: Any, **keywords: Any) -> Any:
    """Call a ufunc; float16 and bfloat16 are computed in float32 and rounded once, as silently as the other dtypes."""
    dtype = getattr(operands[0], "dtype", None)
    if not _is_half(dtype):
        return ufunc(*operands, axis=axis, out=out, **keywords)
    with np.errstate(all="ignore"):
        result = ufunc(*operands, axis=axis, out=out, casting="same_kind", **keywords)
        return result.astype(dtype) if out is None and result.dtype == np.float32 else result


def _softmax(name: str, x: Any, axis: int, where: Any, temperature: Any, out: Any) -> Any:
    """Compute softmax or one of its relatives."""
    temperature = _as_temperature(name, temperature, x)
    if where is None:
        return _call(ufuncs.AXIS[name], (x, temperature), axis, out)
    return _call(ufuncs.AXIS[name + "_where"], (x, _as_mask(name, where, x), temperature), axis, out)


def _softmax_grad(name: str, dy: Any, y: Any, axis: int, temperature: Any, out: Any) -> Any:
    """Compute the gradient of softmax or of one of its relatives."""
    return _call(ufuncs.AXIS[name], (dy, y, _as_temperature(name, temperature, y)), axis, out)


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
    return _softmax("softmax", x, axis, where, temperature, out)


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
    return _softmax("softmin", x, axis, where, temperature, out)


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
    return _softmax("log_softmax", x, axis, where, temperature, out)


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
        return _call(ufuncs.AXIS["logsumexp"], (x,), axis, out, keepdims=keepdims)
    mask = _as_mask("logsumexp", where, x)
    return _call(ufuncs.AXIS["logsumexp_where"], (x, mask), axis, out, keepdims=keepdims)


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
        return _call(ufuncs.AXIS["sparsemax"], (x,), axis, out)
    return _call(ufuncs.AXIS["sparsemax_where"], (x, _as_mask("sparsemax", where, x)), axis, out)


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
    return _call(ufuncs.AXIS["hardmax"], (x,), axis, out)


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
    return _softmax_grad("softmax_grad", dy, y, axis, temperature, out)


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
    return _softmax_grad("softmin_grad", dy, y, axis, temperature, out)


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
    return _softmax_grad("log_softmax_grad", dy, y, axis, temperature, out)


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
    return _call(ufuncs.AXIS["sparsemax_grad"], (dy, y), axis, out)


def _in_pieces(function: str, shape: tuple[int, ...], pieces: int, axis: int) -> tuple[tuple[int, ...], int]:
    """Split the axis of a shape into groups and pieces; return it with the new axis, that of the pieces."""
    axis, pieces, ndim = index(axis), index(pieces), len(shape)
    if not -ndim <= axis < ndim:
        raise ValueError(f"{function}: axis must be from {-ndim} to {ndim - 1} for {ndim} dimensions, got {axis}")
    axis %= ndim
    if pieces < 1 or shape[axis] % pieces:
        raise ValueError(
            f"{function}: pieces must be positive and divide the length {shape[axis]} of axis {axis}, got {pieces}"
        )
    return (*shape[:axis], shape[axis] // pieces, pieces, *shape[axis + 1 :]), axis + 1


def maxout(x: ArrayLike, pieces: int, axis: int = -1) -> tuple[Any, Any]:
    """Largest of every `pieces` adjacent entries along an axis.

    Parameters
    ----------
    x : array_like
        Input; the axis has the length c times `pieces`, and the entries of a group stand side by side: group k is
        ``x[k * pieces : (k + 1) * pieces]``.
    pieces : int
        Number of entries in a group.
    axis : int, default -1
        The axis that is divided into groups.

    Returns
    -------
    y : ndarray
        The maxima; the axis has the length c.
    which : ndarray of intp
        Where in its group each maximum stands: the first one, or the first NaN.

    Raises
    ------
    ValueError
        For an axis out of range, or if `pieces` is not positive or does not divide the length of the axis.

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
    >>> y, which = numact.maxout(x, 2)

    """
    array = np.asanyarray(x)
    shape, split = _in_pieces("maxout", array.shape, pieces, axis)
    y, which = ufuncs.AXIS["maxout"](array.reshape(shape), axis=split)
    return (y.astype(array.dtype) if _is_half(array.dtype) else y), which


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
    >>> y, which = numact.maxout(x, 2)
    >>> dx = numact.maxout_grad(np.ones((3, 2)), which, 2)

    """
    gradient, places = np.asanyarray(dy), np.asanyarray(which)
    if places.dtype.kind not in "iu":
        raise TypeError(f"maxout_grad: which must be integers, got {places.dtype}")
    if places.shape != gradient.shape:
        raise ValueError(f"maxout_grad: which must have the shape of dy, {gradient.shape}, got {places.shape}")
    if (pieces := index(pieces)) < 1:
        raise ValueError(f"maxout_grad: pieces must be positive, got {pieces}")
    wrong = (places < 0) | (places >= pieces)
    if wrong.any():
        raise ValueError(f"maxout_grad: which must be in [0, {pieces}), got {places[wrong].flat[0]}")
    _, split = _in_pieces("maxout_grad", gradient.shape, 1, axis)
    groups = gradient.shape
    dtype = _float_dtype(gradient.dtype)
    dx = np.empty((*groups[:split], pieces, *groups[split:]), dtype)
    ufuncs.AXIS["maxout_grad"](
        gradient, places.astype(np.intp, copy=False), out=dx, axes=[(), (), (split,)], casting="same_kind"
    )
    return dx.reshape((*groups[: split - 1], groups[split - 1] * pieces, *groups[split:]))


def gumbel_softmax(
    x: ArrayLike,
    tau: ArrayLike = 1.0,
    hard: bool = False,
    axis: int = -1,
    rng: np.random.Generator | None = None,
) -> Any:
    """`softmax` of (x + g) / tau along an axis, where g is Gumbel noise: a differentiable sample of a category.

    Parameters
    ----------
    x : array_like
        Unnormalised logarithms of the probabilities.
    tau : array_like, default 1.0
        The temperature, above 0: the lower, the nearer are the results to one-hot.
    hard : bool, default False
        Whether to return one-hot rows, 1 where the sample is largest; for the gradient use the soft one of the same
        `rng` state.
    axis : int, default -1
        The axis of the categories.
    rng : numpy.random.Generator, optional
        The source of the noise; a fresh one by default.

    Returns
    -------
    y : ndarray
        The sample, of the shape and dtype of `x`.

    Raises
    ------
    ValueError
        For an axis out of range, or a `tau` that is not above 0.
    TypeError
        For an `rng` that is not a Generator.

    See Also
    --------
    softmax : Without noise.
    softmax_grad : The gradient by x, from a soft sample, with tau as temperature.

    Notes
    -----
    The noise is ``rng.gumbel(size=x.shape)``.

    Jang et al., and Maddison et al., 2017.

    Examples
    --------
    >>> y = numact.gumbel_softmax(x, 0.5, rng=np.random.default_rng(0))

    """
    if rng is not None and not isinstance(rng, np.random.Generator):
        raise TypeError(f"gumbel_softmax: rng must be a numpy.random.Generator or None, got {rng!r}")
    array = np.asanyarray(x)
    temperature = _as_temperature("gumbel_softmax", tau, array, "tau")
    dtype = _float_dtype(array.dtype)
    noisy = (array + (rng or np.random.default_rng()).gumbel(size=array.shape)).astype(dtype)
    if hard:
        return _call(ufuncs.AXIS["hardmax"], (noisy,), axis, noisy)
    return _call(ufuncs.AXIS["softmax"], (noisy, temperature), axis, noisy)


PUBLIC: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        *(softmax, softmin, log_softmax, logsumexp, sparsemax, hardmax, maxout, gumbel_softmax),
        *(softmax_grad, softmin_grad, log_softmax_grad, sparsemax_grad, maxout_grad),
    )
}
