"""LeCun initialisation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from numact._functions.public import set_module
from numact.init.arguments import Gain, Layout, Random, Shape
from numact.init.draws import draw_normal, draw_uniform

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray


@set_module("numact.init")
def lecun_normal(
    shape: Shape, rng: Random = None, dtype: DTypeLike = np.float64, gain: Gain = 1.0, layout: Layout = "in_out"
) -> NDArray[Any]:
    """Normal weights with the standard deviation gain / sqrt(fan_in), for selu and linear layers.

    Parameters
    ----------
    shape, rng, dtype, layout
        As in `he_normal`.
    gain : float, str or (str, dict), default 1.0
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
    lecun_uniform : The same, uniform.

    Notes
    -----
    LeCun et al., Efficient BackProp, 1998.

    Examples
    --------
    >>> weights = numact.init.lecun_normal((784, 256), rng=0)

    """
    return draw_normal("lecun_normal", shape, rng, dtype, gain, "fan_in", layout)


@set_module("numact.init")
def lecun_uniform(
    shape: Shape, rng: Random = None, dtype: DTypeLike = np.float64, gain: Gain = 1.0, layout: Layout = "in_out"
) -> NDArray[Any]:
    """Uniform weights of the standard deviation of `lecun_normal`: from -b to b, b = gain sqrt(3 / fan_in).

    Parameters
    ----------
    shape, rng, dtype, layout
        As in `he_normal`.
    gain : float, str or (str, dict), default 1.0
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
    lecun_normal : The same, normal.

    Notes
    -----
    LeCun et al., Efficient BackProp, 1998.

    Examples
    --------
    >>> weights = numact.init.lecun_uniform((784, 256), rng=0)

    """
    return draw_uniform("lecun_uniform", shape, rng, dtype, gain, "fan_in", layout)
