"""Orthogonal initialisation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from numact._functions.public import set_module
from numact.init.arguments import Gain, Layout, Random, Shape, as_dtype, as_factor, as_generator, as_shape, fans_of

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray


@set_module("numact.init")
def orthogonal(
    shape: Shape, rng: Random = None, dtype: DTypeLike = np.float64, gain: Gain = 1.0, layout: Layout = "in_out"
) -> NDArray[Any]:
    """Weights that are gain times a random orthogonal matrix.

    Parameters
    ----------
    shape, rng, dtype, layout
        As in `he_normal`.
    gain : float, str or (str, dict), default 1.0
        As in `he_normal`.

    Returns
    -------
    ndarray
        The weights.  As a matrix from inputs (times the size of the kernel) to outputs, the smaller of both numbers of
        rows and columns are orthogonal to one another, and of length gain.

    Raises
    ------
    ValueError, TypeError
        As `he_normal`.

    Notes
    -----
    The factor Q of a normal matrix, its signs chosen so that all orthogonal matrices are equally likely; computed in
    float64.

    Saxe et al., Exact Solutions to the Nonlinear Dynamics of Learning in Deep Linear Neural Networks, 2014.

    Examples
    --------
    >>> weights = numact.init.orthogonal((256, 256), rng=0, gain="tanh")

    """
    lengths, factor, kind = as_shape("orthogonal", shape), as_factor("orthogonal", gain), as_dtype("orthogonal", dtype)
    fan_in, fan_out = fans_of("orthogonal", lengths, layout)
    columns = lengths[-1] if layout == "in_out" else math.prod(lengths[1:])
    rows = math.prod(lengths) // columns if columns else 0
    generator = as_generator("orthogonal", rng)
    if not fan_in * fan_out:
        return np.zeros(lengths, kind)
    normal = generator.standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(normal)
    q *= np.where(np.diagonal(r) < 0, -factor, factor)
    return (q if rows >= columns else q.T).reshape(lengths).astype(kind)
