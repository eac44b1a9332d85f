"""Group and instance normalisation, and their gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from numact._functions.arguments import check_out_shape, integer, single_out
from numact._functions.axes import as_axis, as_integers
from numact._functions.public import set_module
from numact._kernels.messages import shown
from numact.norm.arguments import (
    Activation,
    as_activation,
    as_number,
    as_operands,
    as_vector,
    as_weight_gradient,
    float_array,
)
from numact.norm.batch import apply_batch, inverse_std_of, scale_of
from numact.norm.layout import Array, Doubles, Result, channel_layout
from numact.norm.task import PADDING, run, zero_sums

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from numact._functions.arguments import Out

# Stands for a weight of 0, by which the gradient of batch normalisation is divided; nothing is left of it in a sum.
NO_WEIGHT = 1e-150


@set_module("numact.norm")
def group_norm(
    x: ArrayLike,
    groups: int,
    weight: ArrayLike | None = None,
    bias: ArrayLike | None = None,
    eps: float = 1e-5,
    axis: int = 1,
    activation: Activation = None,
    out: Out = None,
) -> Array:
    """(x - mean) / sqrt(variance + eps) * weight + bias, with the mean and variance of each group of channels.

    Parameters
    ----------
    x : array_like
        Input, at least two-dimensional; the first axis that is not `axis` is that of samples, the rest are positions.
        Integers and booleans are taken as `numpy.exp` takes them.
    groups : int
        Number of groups, each of adjacent channels; it divides the number of channels.
    weight, bias : array_like, optional
        Scale and shift of each channel; by default 1 and 0.
    eps : float, default 1e-5
        Added to the variance, at least 0.
    axis : int, default 1
        The axis of the channels.
    activation : str, function, functools.partial or (function, dict), optional
        As in `layer_norm`.
    out : ndarray, tuple of one ndarray or `...`, optional
        Array for the result; ``out=x`` computes in place.

    Returns
    -------
    y : ndarray
        `out`, or a new array of the shape and dtype of `x`.

    Raises
    ------
    ValueError
        For a number of groups that is not positive or does not divide the channels, an empty x, and as `layer_norm`.
    TypeError
        As `layer_norm`.

    See Also
    --------
    group_norm_grad : Its gradients.
    instance_norm : With as many groups as channels.
    layer_norm : Over the channels of each position.

    Notes
    -----
    Mean and variance of each sample and group are taken as those of a channel in `batch_norm_train`, in float64.

    Wu and He, Group Normalization, 2018.

    Examples
    --------
    >>> x = np.array([[1.0, 3.0, 10.0, 30.0]])
    >>> numact.norm.group_norm(x, 2).round(4)
    array([[-1.,  1., -1.,  1.]])

    """
    return _forward("group_norm", x, groups, weight, bias, eps, axis, activation, out)


@set_module("numact.norm")
def instance_norm(
    x: ArrayLike,
    weight: ArrayLike | None = None,
    bias: ArrayLike | None = None,
    eps: float = 1e-5,
    axis: int = 1,
    activation: Activation = None,
    out: Out = None,
) -> Array:
    """(x - mean) / sqrt(variance + eps) * weight + bias, with the mean and variance of each sample and channel.

    Parameters
    ----------
    x : array_like
        As in `group_norm`.
    weight, bias : array_like, optional
        Scale and shift of each channel; by default 1 and 0.
    eps : float, default 1e-5
        Added to the variance, at least 0.
    axis : int, default 1
        The axis of the channels.
    activation : str, function, functools.partial or (function, dict), optional
        As in `layer_norm`.
    out : ndarray, tuple of one ndarray or `...`, optional
        Array for the result; ``out=x`` computes in place.

    Returns
    -------
    y : ndarray
        `out`, or a new array of the shape and dtype of `x`.

    Raises
    ------
    ValueError, TypeError
        As `group_norm`.

    See Also
    --------
    instance_norm_grad : Its gradients.
    group_norm : With several channels in a group.

    Notes
    -----
    Ulyanov, Vedaldi and Lempitsky, Instance Normalization, 2016.

    Examples
    --------
    >>> x = np.array([[[1.0, 3.0], [10.0, 30.0]]])
    >>> numact.norm.instance_norm(x).round(4)
    array([[[-1.,  1.],
            [-1.,  1.]]])

    """
    return _forward("instance_norm", x, None, weight, bias, eps, axis, activation, out)


@set_module("numact.norm")
def group_norm_grad(
    dy: ArrayLike, x: ArrayLike, groups: int, weight: ArrayLike | None = None, eps: float = 1e-5, axis: int = 1
) -> tuple[Array, Array, Array]:
    """Gradients of `group_norm` without activation, by the input, the weight and the bias.

    Parameters
    ----------
    dy : array_like
        Gradient by the output, of the shape of x.
    x : array_like
        Input of the forward pass.
    groups : int
        As in the forward pass.
    weight : array_like, optional
        As in the forward pass.
    eps : float, default 1e-5
        As in the forward pass.
    axis : int, default 1
        As in the forward pass.

    Returns
    -------
    dx : ndarray
        Gradient by x.
    dweight, dbias : ndarray
        Gradients by weight and bias, one for each channel; their dtype is that of weight if that is an array of floats,
        else that of dx.

    Raises
    ------
    ValueError, TypeError
        As `group_norm`; and for a dy of another shape than x.

    See Also
    --------
    group_norm : The function.

    Notes
    -----
    With xhat = (x - mean) / s, s = sqrt(variance + eps), g = dy weight, and means over each sample and group:
    dx = (g - mean(g) - xhat mean(g xhat)) / s, dweight = sum dy xhat and dbias = sum dy over samples and positions.

    Wu and He, Group Normalization, 2018.

    Examples
    --------
    >>> x = np.array([[1.0, 3.0, 8.0, 10.0, 30.0, 20.0]])
    >>> dy = np.array([[1.0, 0.0, 0.0, 0.0, 1.0, 0.0]])
    >>> dx, dweight, dbias = numact.norm.group_norm_grad(dy, x, 2)
    >>> dx.round(4)
    array([[ 0.1089, -0.1524,  0.0435,  0.0204,  0.0204, -0.0408]])
    >>> dweight.round(4)
    array([-1.019 ,  0.    ,  0.    ,  0.    ,  1.2247,  0.    ])

    """
    return _gradient("group_norm_grad", dy, x, groups, weight, eps, axis)


@set_module("numact.norm")
def instance_norm_grad(
    dy: ArrayLike, x: ArrayLike, weight: ArrayLike | None = None, eps: float = 1e-5, axis: int = 1
) -> tuple[Array, Array, Array]:
    """Gradients of `instance_norm` without activation, by the input, the weight and the bias.

    Parameters
    ----------
    dy : array_like
        Gradient by the output, of the shape of x.
    x : array_like
        Input of the forward pass.
    weight : array_like, optional
        As in the forward pass.
    eps : float, default 1e-5
        As in the forward pass.
    axis : int, default 1
        As in the forward pass.

    Returns
    -------
    dx : ndarray
        Gradient by x.
    dweight, dbias : ndarray
        As in `group_norm_grad`.

    Raises
    ------
    ValueError, TypeError
        As `group_norm_grad`.

    See Also
    --------
    instance_norm : The function.

    Notes
    -----
    The formulas are those of `group_norm_grad`, with one channel in each group.

    Ulyanov, Vedaldi and Lempitsky, Instance Normalization, 2016.

    Examples
    --------
    >>> x = np.array([[[1.0, 3.0, 8.0], [10.0, 30.0, 20.0]]])
    >>> dy = np.array([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    >>> dx, dweight, dbias = numact.norm.instance_norm_grad(dy, x)
    >>> dx.round(4)
    array([[[ 0.1089, -0.1524,  0.0435],
            [ 0.0204,  0.0204, -0.0408]]])
    >>> dweight.round(4)
    array([-1.019 ,  1.2247])

    """
    return _gradient("instance_norm_grad", dy, x, None, weight, eps, axis)


class Groups:
    """Channels in groups: x with the axis of channels as the second, and statistics of each sample and group."""

    def __init__(self, function: str, x: Array, groups: int | None, axis: Any, eps: float) -> None:
        self.axis = as_axis(function, axis, x.ndim)
        if x.ndim < 2:
            raise ValueError(f"{function}: x must have two dimensions or more, got shape {x.shape}")
        self.x = self.move(x)
        self.samples, self.channels = self.x.shape[:2]
        self.groups = self.channels if groups is None else groups
        if self.groups < 1 or self.channels % self.groups:
            raise ValueError(
                f"{function}: groups must be positive and divide the {self.channels} channels of x, got {shown(groups)}"
            )
        members = self.channels // self.groups
        # Statistics are those of channels in batch normalisation, with a channel for each sample and group.
        grouped = self.x.reshape(self.samples, self.groups, members, *self.x.shape[2:])
        layout, _ = channel_layout(function, grouped, (0, 1))
        self.count = layout.split[0] * layout.split[2]
        if self.x.size and self.count == 0:
            raise ValueError(f"{function}: x must not be empty, got shape {x.shape}")
        source, sums = layout.read(grouped), zero_sums(layout.split[0], layout.split[1])
        run("moments", layout, {"x": source}, sums)
        run("join_moments", layout, {"x": source}, sums)
        mean, mean_lo, squares, _ = sums["total"]
        inverse_std = inverse_std_of(squares / max(self.count, 1), eps)
        self.mean, self.mean_lo, self.inverse_std = (self.spread(v) for v in (mean, mean_lo, inverse_std))
        self.layout, self.shape = channel_layout(function, self.x, (0, 1))

    def move(self, array: Array) -> Array:
        """The array with the axis of channels as the second, behind that of samples."""
        return np.moveaxis(array, self.axis, 1)

    def back(self, array: Array) -> Array:
        """The array with the axis of channels in its place."""
        return np.moveaxis(array, 1, self.axis)

    def spread(self, vector: Doubles) -> Doubles:
        """A number for each sample and group as one for each sample and channel, with `PADDING`."""
        numbers = vector[: self.samples * self.groups].reshape(self.samples, self.groups)
        return pad(np.repeat(numbers, self.channels // self.groups, axis=1))

    def by_channel(self, function: str, name: str, value: Any, default: float) -> Doubles:
        """A number for each channel as one for each sample and channel, with `PADDING`."""
        kept = tuple(self.channels if k == self.axis else 1 for k in range(self.x.ndim))
        vector = as_vector(function, name, value, (self.channels,), kept, default)
        return pad(np.tile(vector[: self.channels], self.samples))


def pad(numbers: Array) -> Doubles:
    """Numbers as a flat float64 vector with `PADDING`."""
    return np.concatenate([np.ravel(numbers), np.zeros(PADDING)])


def _converted(function: str, groups: Any, eps: Any, axis: Any, *vectors: Any) -> tuple[Any, ...]:
    """The arguments beside x, before there are views of it: a conversion may be code that changes it."""
    arrays = (vector if vector is None else np.asarray(vector) for vector in vectors)
    number_of_groups = None if groups is None else integer(function, "groups", groups)
    return number_of_groups, as_number(function, "eps", eps), as_integers(function, axis), *arrays


def _forward(
    function: str, x: Any, groups: Any, weight: Any, bias: Any, eps: Any, axis: Any, activation: Any, out: Any
) -> Array:
    """Normalise each sample and group, scale and shift each channel, and apply the activation."""
    groups, eps, axis, weight, bias = _converted(function, groups, eps, axis, weight, bias)
    array = float_array(function, "x", x)
    fused = as_activation(function, activation, array.dtype)
    found = Groups(function, array, groups, axis, eps)
    weights = found.by_channel(function, "weight", weight, 1.0)
    shift = found.by_channel(function, "bias", bias, -0.0)
    given, _ = single_out(function, out)
    if given is not None:
        check_out_shape(function, given, array.shape)
    result = Result(function, None if given is None else found.move(given), found.x, found.layout)
    vectors = {"mean": found.mean, "mean_lo": found.mean_lo, "scale": scale_of(found.inverse_std, weights)}
    y = apply_batch(result.input(found.x), result, vectors | {"shift": shift}, fused)
    return found.back(y) if given is None else given


def _gradient(
    function: str, dy: Any, x: Any, groups: Any, weight: Any, eps: Any, axis: Any
) -> tuple[Array, Array, Array]:
    """Gradients by x, weight and bias: sums of each sample and channel first, which then are joined."""
    groups, eps, axis, weight = _converted(function, groups, eps, axis, weight)
    array, gradient = as_operands(function, dy, x)
    found = Groups(function, array, groups, axis, eps)
    weights = found.by_channel(function, "weight", weight, 1.0)
    layout = found.layout
    result = Result(function, None, found.x, layout)
    arrays = {"x": layout.read(found.x), "dy": layout.read(found.move(gradient)), "out": result.target}
    vectors, sums = {"mean": found.mean, "mean_lo": found.mean_lo}, zero_sums(layout.split[0], layout.split[1])
    run("gradient_sums", layout, arrays, vectors | sums)
    run("join_sums", layout, arrays, sums)
    table = (found.samples, found.channels)
    sum_dy, sum_product = (row[: found.samples * found.channels].reshape(table) for row in sums["total"][:2])
    with np.errstate(all="ignore"):
        factors = weights[: sum_dy.size].reshape(table)
        inverse_std = found.inverse_std[: sum_dy.size].reshape(table)
        kept = np.where(factors == 0, NO_WEIGHT, factors)
        by_group = (found.samples, found.groups, -1)
        mean_dy, mean_product = (
            found.spread((factors * total).reshape(by_group).sum(2).ravel() / max(found.count, 1))[: sum_dy.size]
            for total in (sum_dy, sum_product)
        )
        vectors |= {
            "scale": pad(inverse_std * kept),
            "dy_mean": pad(mean_dy.reshape(table) / kept),
            "slope": pad(mean_product.reshape(table) * inverse_std * inverse_std / kept),
        }
        dweight = (sum_product * inverse_std).sum(0)
    run("batch_grad", layout, arrays, vectors)
    dx = found.back(result.finish())
    shape = (found.channels,)
    dbias = as_weight_gradient(sum_dy.sum(0), weight, shape, array.dtype)
    return dx, as_weight_gradient(dweight, weight, shape, array.dtype), dbias
