"""Xavier (Glorot) initialisation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from numact._functions.public import set_module
from numact.init.arguments import Gain, Layout, Random, Shape
from numact.init.draws import draw_normal, draw_uniform

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray


@set_module("numact.init")
def xavier_normal(
    shape: Shape, rng: Random = None, dtype: DTypeLike = np.float64, gain: Gain = 1.0, layout: Layout = "in_out"
) -> NDArray[Any]:
    """Normal weights with the standard deviation gain sqrt(2 / (fan_in + fan_out)), for tanh and its relatives.

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
    xavier_uniform : The same, uniform.

    Notes
    -----
    Glorot and Bengio, Understanding the Difficulty of Training Deep Feedforward Neural Networks, 2010.

    Examples
    --------
    >>> weights = numact.init.xavier_normal((784, 256), rng=0, gain="tanh")

    """
    return draw_normal("xavier_normal", shape, rng, dtype, gain, "fan_avg", layout)


@set_module("numact.init")
def xavier_uniform(
    shape: Shape, rng: Random = None, dtype: DTypeLike = np.float64, gain: Gain = 1.0, layout: Layout = "in_out"
) -> NDArray[Any]:
    """Uniform weights of the standard deviation of `xavier_normal`: up to b = gain sqrt(6 / (fan_in + fan_out)).

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
    xavier_normal : The same, normal.

    Notes
    -----
    Glorot and Bengio, Understanding the Difficulty of Training Deep Feedforward Neural Networks, 2010.

    Examples
    --------
    >>> weights = numact.init.xavier_uniform((784, 256), rng=0)

    """
    return draw_uniform("xavier_uniform", shape, rng, dtype, gain, "fan_avg", layout)
