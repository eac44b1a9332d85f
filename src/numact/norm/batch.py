"""Batch normalisation with given statistics, with those of the batch, and the gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from numact._functions.arguments import boolean, integer
from numact._functions.axes import as_integers
from numact._functions.public import set_module
from numact._kernels import core, targets
from numact._kernels.messages import shown
from numact.norm.arguments import (
    Activation,
    as_activation,
    as_number,
    as_operands,
    as_running,
    as_variance,
    as_vector,
    as_weight_gradient,
    float_array,
)
from numact.norm.layout import Array, Axis, Doubles, Result, channel_layout
from numact.norm.task import run, zero_sums

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from numact._functions.arguments import Out


@set_module("numact.norm")
class BatchStatistics(NamedTuple):
    """Statistics of a batch, which `batch_norm_train` saves for `batch_norm_grad`.

    Attributes
    ----------
    mean : ndarray of float64
        Mean of each channel, rounded to float32 where the input has no more digits.
    mean_lo : ndarray of float64
        Low part of the mean, which is ``mean + mean_lo``.
    inverse_std : ndarray of float64
        1 / sqrt(variance + eps) of each channel, with the biased variance.

    """

    mean: Doubles
    mean_lo: Doubles
    inverse_std: Doubles


def apply_batch(x: Array, result: Result, vectors: dict[str, Doubles], fused: tuple[str, Array] | None) -> Array:
    """Normalise, scale and shift each channel with the given vectors, and apply the activation."""
    run("batch", result.layout, {"x": x, "out": result.target}, vectors, activation=fused)
    return result.finish()


def scale_of(inverse_std: Doubles, weight: Doubles) -> Doubles:
    """Factor of x - mean; weights of any size may overflow."""
    with np.errstate(all="ignore"):
        return inverse_std * weight


def inverse_std_of(variance: Doubles, eps: float) -> Doubles:
    """1 / sqrt(variance + eps), which is infinite where both are 0."""
    with np.errstate(all="ignore"):
        return np.asarray(1 / np.sqrt(variance + eps))


@set_module("numact.norm")
def batch_norm(
    x: ArrayLike,
    mean: ArrayLike,
    var: ArrayLike,
    weight: ArrayLike | None = None,
    bias: ArrayLike | None = None,
    eps: float = 1e-5,
    axis: Axis = 1,
    activation: Activation = None,
    out: Out = None,
) -> Array:
    """(x - mean) / sqrt(var + eps) * weight + bias, with the given mean and variance of each channel.

    Parameters
    ----------
    x : array_like
        Input, of any shape; integers and booleans are taken as `numpy.exp` takes them.
    mean, var : array_like
        Mean and variance of each channel, of the shape that x has along `axis`, or with 1 for the other axes, as
        ``keepdims=True`` gives them.
    weight, bias : array_like, optional
        Scale and shift of each channel, of the same shape; by default 1 and 0.
    eps : float, default 1e-5
        Added to the variance, at least 0.
    axis : int or tuple of int, default 1
        The axes of the channels.
    activation : str, function, functools.partial or (function, dict), optional
        An elementwise function of numact that is applied to the result, such as ``"relu"``, `numact.silu` or
        ``("leaky_relu", {"negative_slope": 0.2})``.
    out : ndarray, tuple of one ndarray or `...`, optional
        Array for the result; ``out=x`` computes in place.

    Returns
    -------
    y : ndarray
        `out`, or a new array of the shape and dtype of `x`.

    Raises
    ------
    ValueError
        For shapes that do not fit, an axis that is out of range or named twice, a negative variance, an eps that is
        negative, infinite or NaN, and an unknown activation.
    TypeError
        For operands that are not real numbers, and an `out` of a dtype that cannot hold the result.

    See Also
    --------
    batch_norm_train : With the statistics of x itself.

    Notes
    -----
    Computed in float64 and rounded once.  Statistics and weights of any dtype are used as they are; the result has the
    dtype of `x`.

    Ioffe and Szegedy, Batch Normalization, 2015.

    Examples
    --------
    >>> x = np.array([[1.0, 10.0], [3.0, 30.0]])
    >>> numact.norm.batch_norm(x, [2.0, 20.0], [1.0, 100.0], activation="relu")
    array([[0.        , 0.        ],
           [0.999995  , 0.99999995]])

    """
    function = "batch_norm"
    if activation is None and type(eps) is float and 0 <= eps < np.inf and type(axis) is int:
        found = _plain(x, mean, var, weight, bias, eps, axis, out)
        if found is not None:
            return found
    axis = as_integers(function, axis)
    array = float_array(function, "x", x)
    layout, shape = channel_layout(function, array, axis)
    means = as_vector(function, "mean", mean, shape, layout.kept)
    variance = as_variance(function, "var", var, shape, layout.kept)
    weights = as_vector(function, "weight", weight, shape, layout.kept, 1.0)
    shift = as_vector(function, "bias", bias, shape, layout.kept, -0.0)
    scale = scale_of(inverse_std_of(variance, as_number(function, "eps", eps)), weights)
    fused = as_activation(function, activation, array.dtype)
    result = Result(function, out, array, layout)
    vectors = {"mean": means, "mean_lo": np.zeros_like(means), "scale": scale, "shift": shift}
    return apply_batch(result.input(array), result, vectors, fused)


def _plain(x: Any, mean: Any, var: Any, weight: Any, bias: Any, eps: float, axis: int, out: Any) -> Array | None:
    """The same of a contiguous array, in whatever order its axes lie in memory; None for other arguments."""
    found = core.normalise_plain_channels(targets.LEVEL, x, mean, var, weight, bias, eps, axis, out)
    if found is not None or type(x) is not np.ndarray or x.flags.c_contiguous or not -x.ndim <= axis < x.ndim:
        return found
    order = sorted(range(x.ndim), key=lambda k: -x.strides[k])
    moved, place = x.transpose(order), order.index(axis % x.ndim)
    found = core.normalise_plain_channels(
        targets.LEVEL, moved, mean, var, weight, bias, eps, place, moved if out is x else out
    )
    if found is None:
        return None
    return x if out is x else found.transpose(np.argsort(order))


def as_share(function: str, momentum: Any, batches: Any) -> float:
    """The share of the new statistics in the running ones."""
    if momentum is not None:
        return as_number(function, "momentum", momentum, 1.0)
    if batches is None:
        raise TypeError(f"{function}: batches must be given where momentum is None")
    if (count := integer(function, "batches", batches)) < 0:
        raise ValueError(f"{function}: batches must be >= 0, got {batches}")
    return 1 / (count + 1)


@set_module("numact.norm")
def batch_norm_train(
    x: ArrayLike,
    running_mean: Array | None,
    running_var: Array | None,
    weight: ArrayLike | None = None,
    bias: ArrayLike | None = None,
    momentum: float | None = 0.1,
    eps: float = 1e-5,
    axis: Axis = 1,
    activation: Activation = None,
    out: Out = None,
    *,
    batches: int | None = None,
    unbiased: bool = True,
) -> tuple[Array, BatchStatistics]:
    """`batch_norm` with the mean and variance of x itself, which also update running statistics.

    Parameters
    ----------
    x : array_like
        Input, of any shape; integers and booleans are taken as `numpy.exp` takes them.
    running_mean, running_var : ndarray of float, or None
        Running statistics of each channel, of the shape that x has along `axis`: updated in place, each to
        ``(1 - momentum) * running + momentum * new``.
    weight, bias : array_like, optional
        Scale and shift of each channel, of the same shape; by default 1 and 0.
    momentum : float or None, default 0.1
        Share of the new statistics, in [0, 1], as in PyTorch.  Keras, ONNX and others call 1 minus this the momentum:
        their 0.99 is 0.01 here.  None: the running statistics are the mean over all batches; this needs `batches`.
    eps : float, default 1e-5
        Added to the variance, at least 0.
    axis : int or tuple of int, default 1
        The axes of the channels.
    activation : str, function, functools.partial or (function, dict), optional
        As in `batch_norm`.
    out : ndarray, tuple of one ndarray or `...`, optional
        Array for the result; ``out=x`` computes in place, but overwrites the x that `batch_norm_grad` needs.
    batches : int, optional
        The number of batches that the running statistics hold already, from 0 on, for a momentum of None.
    unbiased : bool, default True
        Whether the running variance is the unbiased one, over n - 1, as in PyTorch; Keras and ONNX have the biased one,
        over n, by which y is normalised in either case.

    Returns
    -------
    y : ndarray
        `out`, or a new array of the shape and dtype of `x`.
    saved : BatchStatistics
        Statistics of x, for `batch_norm_grad`.

    Raises
    ------
    ValueError
        As `batch_norm`; for a momentum outside [0, 1], negative `batches`, and if a channel has fewer than two values.
    TypeError
        As `batch_norm`; for running statistics that are not arrays of floats.

    See Also
    --------
    batch_norm : With given statistics.
    batch_norm_grad : The gradients.

    Notes
    -----
    y is normalised by the biased variance, as in the paper and in PyTorch.  Each sample has statistics of its own, the
    squares about its own mean while it is in the cache, which are joined by sums without cancellation.

    Ioffe and Szegedy, Batch Normalization, 2015.

    Examples
    --------
    >>> x = np.array([[1.0, 10.0], [3.0, 30.0], [8.0, 20.0]])
    >>> running_mean, running_var = np.zeros(2), np.ones(2)
    >>> y, saved = numact.norm.batch_norm_train(x, running_mean, running_var)
    >>> y.round(4)
    array([[-1.019 , -1.2247],
           [-0.3397,  1.2247],
           [ 1.3587,  0.    ]])
    >>> running_mean
    array([0.4, 2. ])

    """
    function = "batch_norm_train"
    axis = as_integers(function, axis)
    array = float_array(function, "x", x)
    layout, shape = channel_layout(function, array, axis)
    share, eps = as_share(function, momentum, batches), as_number(function, "eps", eps)
    unbiased = boolean(function, "unbiased", unbiased)
    old_mean = None if running_mean is None else as_running(function, "running_mean", running_mean, shape, layout.kept)
    old_var = None if running_var is None else as_running(function, "running_var", running_var, shape, layout.kept)
    if running_var is not None:
        as_variance(function, "running_var", running_var, shape, layout.kept)
    weights = as_vector(function, "weight", weight, shape, layout.kept, 1.0)
    shift = as_vector(function, "bias", bias, shape, layout.kept, -0.0)
    fused = as_activation(function, activation, array.dtype)
    samples, channels, positions = layout.split
    count = samples * positions
    if count < 2:
        raise ValueError(f"{function}: x must have more than 1 value per channel, got {count} in shape {array.shape}")
    result = Result(function, out, array, layout)
    source = result.input(array)
    sums = zero_sums(samples, channels)
    run("moments", layout, {"x": source}, sums)
    run("join_moments", layout, {"x": source}, sums)
    mean, mean_lo, squares, _ = sums["total"]
    inverse_std = inverse_std_of(squares / count, eps)
    vectors = {"mean": mean, "mean_lo": mean_lo, "scale": scale_of(inverse_std, weights), "shift": shift}
    y = apply_batch(source, result, vectors, fused)
    saved = BatchStatistics(*(vector[:channels].reshape(shape) for vector in (mean, mean_lo, inverse_std)))
    new_mean = saved.mean + saved.mean_lo
    new_var = (squares / (count - 1 if unbiased else count))[:channels].reshape(shape)
    updates = []
    with np.errstate(all="ignore"):
        for target, old, new in ((running_mean, old_mean, new_mean), (running_var, old_var, new_var)):
            if target is not None and old is not None:
                joined = ((1 - share) * old + share * new).reshape(target.shape)
                updates.append((target, joined.astype(target.dtype)))
    found = y, saved
    for target, joined in updates:  # last, when no memory can be lacking: both are updated, or none
        target[...] = joined
    return found


@set_module("numact.norm")
def batch_norm_grad(
    dy: ArrayLike, x: ArrayLike, saved: BatchStatistics, weight: ArrayLike | None = None, axis: Axis = 1
) -> tuple[Array, Array, Array]:
    """Gradients of `batch_norm_train` without activation, by the input, the weight and the bias.

    Parameters
    ----------
    dy : array_like
        Gradient by the output, of the shape of x.
    x : array_like
        Input of the forward pass.
    saved : BatchStatistics
        The second result of the forward pass.
    weight : array_like, optional
        As in the forward pass.
    axis : int or tuple of int, default 1
        As in the forward pass.

    Returns
    -------
    dx : ndarray
        Gradient by x.
    dweight, dbias : ndarray
        Gradients by weight and bias, of the shape of the channels; their dtype is that of weight if that is an array of
        floats, else that of dx.

    Raises
    ------
    ValueError, TypeError
        As `batch_norm`; and for a dy of another shape than x.

    See Also
    --------
    batch_norm_train : The function.

    Notes
    -----
    With xhat = (x - mean) inverse_std, and sums and means over each channel: dweight = sum dy xhat, dbias = sum dy,
    dx = weight inverse_std (dy - mean(dy) - xhat mean(dy xhat)).

    With an activation, dy is the gradient by the input of the activation: ``numact.relu_grad_y(dy, y)`` from the output
    y of the forward pass.

    Ioffe and Szegedy, Batch Normalization, 2015.

    Examples
    --------
    >>> x = np.array([[1.0, 10.0], [3.0, 30.0], [8.0, 20.0]])
    >>> y, saved = numact.norm.batch_norm_train(x, None, None)
    >>> dy = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    >>> dx, dweight, dbias = numact.norm.batch_norm_grad(dy, x, saved)
    >>> dx.round(4)
    array([[ 0.1089,  0.0204],
           [-0.1524,  0.0204],
           [ 0.0435, -0.0408]])
    >>> dweight.round(4)
    array([-1.019 ,  1.2247])
    >>> dbias
    array([1., 1.])

    """
    function = "batch_norm_grad"
    axis = as_integers(function, axis)
    array, gradient = as_operands(function, dy, x)
    layout, shape = channel_layout(function, array, axis)
    if not isinstance(saved, tuple) or len(saved) != 3:
        raise TypeError(f"{function}: saved must be the BatchStatistics of batch_norm_train, got {shown(saved)}")
    named = zip(BatchStatistics._fields, saved, strict=True)
    mean, mean_lo, inverse_std = (
        as_vector(function, f"saved.{name}", value, shape, layout.kept) for name, value in named
    )
    weights = as_vector(function, "weight", weight, shape, layout.kept, 1.0)
    samples, channels, positions = layout.split
    count = samples * positions
    if count == 0:
        raise ValueError(f"{function}: x must not be empty, got shape {array.shape}")
    result = Result(function, None, array, layout)
    arrays = {"x": layout.read(array), "dy": layout.read(gradient), "out": result.target}
    vectors, sums = {"mean": mean, "mean_lo": mean_lo}, zero_sums(samples, channels)
    run("gradient_sums", layout, arrays, vectors | sums)
    run("join_sums", layout, arrays, sums)
    sum_dy, sum_product = sums["total"][:2]
    with np.errstate(all="ignore"):
        vectors |= {
            "scale": inverse_std * weights,
            "dy_mean": sum_dy / count,
            "slope": sum_product * inverse_std * inverse_std / count,
        }
        dweight = as_weight_gradient(sum_product * inverse_std, weight, shape, array.dtype)
    run("batch_grad", layout, arrays, vectors)
    return result.finish(), dweight, as_weight_gradient(sum_dy, weight, shape, array.dtype)
