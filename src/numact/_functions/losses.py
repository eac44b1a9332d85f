"""Cross entropies, from the inputs of softmax and sigmoid, with their gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from numact._functions import ufuncs
from numact._functions.arguments import boolean, choice, float_dtype, is_half, number, number_between
from numact._functions.axes import as_axis
from numact._functions.axis import softmax as rows_of
from numact._functions.public import set_module

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from numact._functions.arguments import Array

REDUCTIONS = "none", "sum", "mean"


@set_module("numact")
def softmax_cross_entropy(
    logits: ArrayLike,
    labels: ArrayLike,
    axis: int = -1,
    *,
    weight: ArrayLike | None = None,
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    reduction: Literal["none", "sum", "mean"] = "mean",
    return_grad: bool = False,
) -> Any:
    """Cross entropy of softmax(logits) and labels: -log p of the right class, or -sum_c t_c log p_c.

    Parameters
    ----------
    logits : array_like
        Unnormalised logarithms of the probabilities.
    labels : array_like of int, or of float
        The right class of each sample, of the shape of `logits` without `axis`; or probabilities of all classes, of the
        shape of `logits`.
    axis : int, default -1
        The axis of the classes.
    weight : array_like, optional
        Weight of each class, of shape (classes,); by default 1.
    ignore_index : int, optional
        A label whose samples do not count.
    label_smoothing : float, default 0.0
        Share of the labels, from 0 to 1, that is spread evenly over all classes.
    reduction : {"none", "sum", "mean"}, default "mean"
        Whether to return the losses of all samples, their sum, or their mean.  The mean of labels that are classes is
        divided by the sum of their weights, as in PyTorch, that of probabilities by the number of samples.
    return_grad : bool, default False
        Whether to return the gradient by `logits` as well.

    Returns
    -------
    loss : ndarray or scalar
        Of the dtype of `logits`: for "none" of the shape without `axis`, else a scalar.
    grad : ndarray
        If `return_grad`: gradient of the loss, for "none" of the sum of the losses, by `logits`, of their shape.

    Raises
    ------
    ValueError
        For a label that is no class, shapes that do not fit, a label_smoothing outside [0, 1] and an unknown reduction.
    TypeError
        For logits, labels or weights that are not real numbers, and an ignore_index beside probabilities.

    See Also
    --------
    log_softmax : The logarithms of the probabilities.
    sigmoid_cross_entropy : For classes that do not exclude each other.

    Notes
    -----
    The loss of a class is that entry of `log_softmax`, with an error of at most 2 ULP, also where it is tiny; sums over
    classes and samples are taken in float64.  float16 and bfloat16 are computed in float32 and rounded once.  A label
    of probability 0 counts nothing where the logit is -inf.

    The formulas are those of PyTorch's ``cross_entropy``.

    Examples
    --------
    >>> logits = np.array([[2.0, -1.0, 0.5], [0.0, 3.0, 1.0]])
    >>> loss, grad = numact.softmax_cross_entropy(logits, [0, 1], reduction="none", return_grad=True)
    >>> loss
    array([0.2413113 , 0.16984602])
    >>> grad
    array([[-0.21440297,  0.03911257,  0.17529039],
           [ 0.04201007, -0.15620527,  0.1141952 ]])

    """
    name = "softmax_cross_entropy"
    # All arguments are converted before views are made: it may be code that changes the arrays among them.
    x, given = np.asarray(logits, order="C"), np.asarray(labels, order="C")  # so that no sum depends on the layout
    weights = None if weight is None else _real(name, "weight", weight)
    dtype = _check(name, "logits", x, reduction)
    return_grad = boolean(name, "return_grad", return_grad)
    smoothing = number_between(name, "label_smoothing", label_smoothing, 0, 1)
    if ignore_index is not None:
        number(name, "ignore_index", ignore_index)
    position = as_axis(name, axis, x.ndim, "logits")
    rows = np.ascontiguousarray(np.moveaxis(x, position, -1), _computed(dtype))
    weights = _class_weights(name, weights, rows.shape[-1])
    log_p = rows_of.log_softmax(rows)
    p = rows_of.softmax(rows) if return_grad else None
    if given.dtype.kind in "iu" and given.shape == rows.shape[:-1]:
        losses, factors, grad = _of_classes(name, log_p, p, given, weights, ignore_index, smoothing)
    else:
        if ignore_index is not None:
            raise TypeError(f"{name}: ignore_index is for labels that are integers, got {given.dtype}")
        if given.shape != x.shape or (given.dtype.kind not in "biuf" and not is_half(given.dtype)):
            raise ValueError(
                f"{name}: labels must be integers of shape {rows.shape[:-1]} or numbers of shape {x.shape}, "
                f"got {given.dtype} of shape {given.shape}"
            )
        targets = np.ascontiguousarray(np.moveaxis(given, position, -1), np.float64)
        losses, factors, grad = _of_probabilities(log_p, p, targets, weights, smoothing)
    total = float(factors.sum()) if reduction == "mean" else 1.0
    loss = _reduced(losses, reduction, total, dtype)
    if grad is None:
        return loss
    with np.errstate(all="ignore"):
        grad = np.asarray(np.moveaxis(grad / (total or 1.0), -1, position)).astype(dtype)
    return loss, grad


def _of_classes(
    function: str, log_p: Array, p: Array | None, labels: Array, weights: Array, ignored: int | None, smoothing: float
) -> tuple[Array, Array, Array | None]:
    """Losses of labels that are classes, the weights of the samples, and the gradient of the sum of the losses."""
    classes = log_p.shape[-1]
    counted = np.ones(labels.shape, np.bool_) if ignored is None else labels != ignored
    wrong = counted & ((labels < 0) | (labels >= classes))
    if wrong.any():
        place = tuple(map(int, np.argwhere(wrong)[0]))
        raise ValueError(f"{function}: labels must be in [0, {classes}), got {labels[place]} at {place}")
    index = np.where(counted, labels, 0)[..., None].astype(np.intp)
    right = np.take_along_axis(log_p, index, -1)
    factors = np.where(counted, weights[index[..., 0]], 0.0)
    with np.errstate(all="ignore"):
        losses = np.where(factors == 0, 0, -right[..., 0] * (factors if (factors != 1).any() else 1))
        if smoothing:
            spread = -np.where(weights == 0, 0, log_p.astype(np.float64) * weights).sum(-1) / classes
            losses = (1 - smoothing) * losses.astype(np.float64) + smoothing * np.where(counted, spread, 0)
        if p is None:
            return losses, factors, None
        grad = p.astype(np.float64)
        # p - 1 at the right class, without cancellation.
        np.put_along_axis(grad, index, np.expm1(right.astype(np.float64)), -1)
        grad *= ((1 - smoothing) * factors)[..., None]
        if smoothing:
            even = p.astype(np.float64) * weights.sum() - weights
            grad += smoothing / classes * np.where(counted[..., None], even, 0)
    return losses, factors, grad


def _of_probabilities(
    log_p: Array, p: Array | None, targets: Array, weights: Array, smoothing: float
) -> tuple[Array, Array, Array | None]:
    """The same of labels that are probabilities of all classes, in float64."""
    shares = ((1 - smoothing) * targets + smoothing / log_p.shape[-1]) * weights
    with np.errstate(all="ignore"):
        losses = -np.where(shares == 0, 0, shares * log_p).sum(-1)
        grad = None if p is None else p * shares.sum(-1, keepdims=True) - shares
    return losses, np.ones(losses.shape), grad


@set_module("numact")
def sigmoid_cross_entropy(
    logits: ArrayLike,
    targets: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    pos_weight: ArrayLike | None = None,
    label_smoothing: float = 0.0,
    reduction: Literal["none", "sum", "mean"] = "mean",
    return_grad: bool = False,
) -> Any:
    """Cross entropy of sigmoid(logits) and targets: -t log sigmoid(x) - (1 - t) log sigmoid(-x), element by element.

    Parameters
    ----------
    logits : array_like
        Inputs x of the sigmoid.
    targets : array_like
        Probabilities t, or 0 and 1, of the shape of `logits`.
    weight : array_like, optional
        Weight of each loss, broadcast to the shape of `logits`; by default 1.
    pos_weight : array_like, optional
        Weight of the first term, broadcast to the shape of `logits`; by default 1.
    label_smoothing : float, default 0.0
        Share of the targets, from 0 to 1, that becomes 1/2.
    reduction : {"none", "sum", "mean"}, default "mean"
        Whether to return all losses, their sum, or their mean.
    return_grad : bool, default False
        Whether to return the gradient by `logits` as well.

    Returns
    -------
    loss : ndarray or scalar
        Of the dtype of `logits`: for "none" of their shape, else a scalar.
    grad : ndarray
        If `return_grad`: gradient of the loss, for "none" of the sum of the losses, by `logits`.

    Raises
    ------
    ValueError
        For targets of another shape, weights that do not broadcast, a label_smoothing outside [0, 1] and an unknown
        reduction.
    TypeError
        For arguments that are not real numbers.

    See Also
    --------
    softplus : The loss of the target 0; of 1 that of -x.
    softmax_cross_entropy : For classes that exclude each other.

    Notes
    -----
    For targets from 0 to 1 both terms are positive, so that nothing cancels: they are computed in float64, and rounded
    once for float32, float16 and bfloat16; the error of float64 is at most 4 ULP.  Sums are taken in float64.

    The formulas are those of PyTorch's ``binary_cross_entropy_with_logits``.

    Examples
    --------
    >>> loss, grad = numact.sigmoid_cross_entropy([2.0, -1.0], [1, 0], reduction="none", return_grad=True)
    >>> loss
    array([0.12692801, 0.31326169])
    >>> grad
    array([-0.11920292,  0.26894142])

    """
    name = "sigmoid_cross_entropy"
    # All arguments are converted before views are made: it may be code that changes the arrays among them.
    x, t = np.asarray(logits, order="C"), _real(name, "targets", targets)  # so that no sum depends on the layout
    weights = 1.0 if weight is None else _real(name, "weight", weight)
    positive = 1.0 if pos_weight is None else _real(name, "pos_weight", pos_weight)
    dtype = _check(name, "logits", x, reduction)
    return_grad = boolean(name, "return_grad", return_grad)
    smoothing = number_between(name, "label_smoothing", label_smoothing, 0, 1)
    if t.shape != x.shape:
        raise ValueError(f"{name}: targets must have the shape of logits, {x.shape}, got {t.shape}")
    if smoothing:
        t = t * (1 - smoothing) + smoothing / 2
    weights, positive = _broadcast(name, "weight", weights, x.shape), _broadcast(name, "pos_weight", positive, x.shape)
    wide = x.astype(np.float64)
    softplus, sigmoid = ufuncs.PUBLIC["softplus"], ufuncs.PUBLIC["sigmoid"]
    with np.errstate(all="ignore"):
        first, second = t * positive, 1 - t
        losses = np.where(first == 0, 0, first * softplus(-wide)) + np.where(second == 0, 0, second * softplus(wide))
        losses = losses * weights
        total = float(losses.size or 1) if reduction == "mean" else 1.0
        loss = _reduced(losses, reduction, total, dtype)
        if not return_grad:
            return loss
        grad = (second * sigmoid(wide) - first * sigmoid(-wide)) * weights / total
        return loss, grad.astype(dtype)[()]


def _check(function: str, name: str, x: Array, reduction: Any) -> np.dtype[Any]:
    """The dtype of the results, after checks of the logits and the reduction."""
    choice(function, "reduction", reduction, REDUCTIONS)
    if x.dtype.kind not in "biuf" and not is_half(x.dtype):
        raise TypeError(f"{function}: {name} must be real numbers, got {x.dtype}")
    dtype: np.dtype[Any] = float_dtype(x.dtype)
    return dtype


def _computed(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype in which probabilities are computed."""
    return np.dtype(np.float64 if dtype == np.float64 else np.float32)


def _real(function: str, name: str, value: Any) -> Array:
    """Real numbers in float64."""
    array = np.asarray(value, order="C")
    if array.dtype.kind not in "biuf" and not is_half(array.dtype):
        raise TypeError(f"{function}: {name} must be real numbers, got {array.dtype}")
    return array.astype(np.float64)


def _class_weights(function: str, weights: Array | None, classes: int) -> Array:
    """A weight for each class."""
    if weights is None:
        return np.ones(classes)
    if weights.shape != (classes,):
        raise ValueError(f"{function}: weight must be of shape {(classes,)}, got {weights.shape}")
    return weights


def _broadcast(function: str, name: str, weights: Array | float, shape: tuple[int, ...]) -> Array:
    """Weights that broadcast to a shape."""
    try:
        return np.broadcast_to(weights, shape)
    except ValueError:
        raise ValueError(f"{function}: {name} must broadcast to {shape}, got {np.shape(weights)}") from None


def _reduced(losses: Array, reduction: str, total: float, dtype: np.dtype[Any]) -> Any:
    """The losses, their sum, or that over `total`; NaN for the mean of none."""
    with np.errstate(all="ignore"):
        if reduction == "none":
            return losses.astype(dtype)[()]
        found = losses.sum(dtype=np.float64)
        return np.float64(np.nan if reduction == "mean" and total == 0 else found / total).astype(dtype)
