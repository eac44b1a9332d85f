"""He initialisation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from numact._functions.public import set_module
from numact.init.arguments import Gain, Layout, Mode, Random, Shape
from numact.init.draws import draw_normal, draw_uniform

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray


@set_module("numact.init")
def he_normal(
    shape: Shape,
    rng: Random = None,
    dtype: DTypeLike = np.float64,
    gain: Gain = "relu",
    mode: Mode = "fan_in",
    layout: Layout = "in_out",
) -> NDArray[Any]:
    """Normal weights with the standard deviation gain / sqrt(fan), for relu and its relatives.

    Parameters
    ----------
    shape : sequence of int
        Shape of the weights, two numbers or more.
    rng : numpy.random.Generator, int or None, optional
        Generator to draw from, the seed of a new one, or None for one that differs every time.
    dtype : dtype, default float64
        float16, float32, float64, or bfloat16 of ml_dtypes; the first and the last are drawn in float32 and rounded.
    gain : float, str or (str, dict), default "relu"
        Factor, or the name of the activation that follows, with its parameters if they are not the defaults:
        ``("leaky_relu", {"negative_slope": 0.2})``.
    mode : {"fan_in", "fan_out", "fan_avg"}, default "fan_in"
        Whether to keep the scale of the activations, of the gradients, or something between.
    layout : {"in_out", "out_in"}, default "in_out"
        "in_out": the last two dimensions are inputs and outputs, as in ``x @ weights`` and in Keras and JAX; those
        before are the kernel of a convolution.  "out_in": the first two are outputs and inputs, as in PyTorch; the
        kernel is behind.

    Returns
    -------
    ndarray
        The weights.

    Raises
    ------
    ValueError
        For a shape of fewer than two or of negative numbers, a gain that is not finite and positive, a name that is
        unknown, or another mode or layout.
    TypeError
        For a dtype that is none of these, or arguments of other types.

    See Also
    --------
    he_uniform : The same, uniform.
    gain : Factors for all activations.

    Notes
    -----
    The fan is the number of inputs, or outputs, times the size of the kernel; fan_avg is the mean of both.

    He et al., Delving Deep into Rectifiers, 2015.

    Examples
    --------
    >>> weights = numact.init.he_normal((784, 256), rng=0, dtype=np.float32)
    >>> kernel = numact.init.he_normal((64, 3, 5, 5), gain="gelu", layout="out_in")

    """
    return draw_normal("he_normal", shape, rng, dtype, gain, mode, layout)


@set_module("numact.init")
def he_uniform(
    shape: Shape,
    rng: Random = None,
    dtype: DTypeLike = np.float64,
    gain: Gain = "relu",
    mode: Mode = "fan_in",
    layout: Layout = "in_out",
) -> NDArray[Any]:
    """Uniform weights of the standard deviation of `he_normal`: from -b to b, b = gain sqrt(3 / fan).

    Parameters
    ----------
    shape, rng, dtype, gain, mode, layout
        As in `he_normal`.

    Returns
    -------
    ndarray
        The weights.

    Raises
    ------
    ValueError, TypeError
        As `he_normal`.

    See Also
    --------
    he_normal : The same, normal.

    Notes
    -----
    He et al., Delving Deep into Rectifiers, 2015.  PyTorch's kaiming_uniform_.

    Examples
    --------
    >>> weights = numact.init.he_uniform((784, 256), rng=0, gain=("leaky_relu", {"negative_slope": 0.2}))

    """
    return draw_uniform("he_uniform", shape, rng, dtype, gain, mode, layout)
