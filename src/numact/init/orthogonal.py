"""Orthogonal initialisation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from numact._functions.arguments import Random, as_generator
from numact._functions.public import set_module
from numact.init.arguments import Gain, Layout, Shape, as_dtype, as_factor, as_shape, fans_of
from numact.init.docstrings import documented

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray


@set_module("numact.init")
@documented
def orthogonal(
    shape: Shape,
    rng: Random = None,
    dtype: DTypeLike = np.float64,
    gain: Gain = 1.0,
    layout: Layout = "in_out",
    *,
    groups: int = 1,
) -> NDArray[Any]:
    """Weights that are gain times a random orthogonal matrix.

    Parameters
    ----------
    {parameters}

    Returns
    -------
    ndarray
        The weights.  As a matrix of inputs (times the size of the kernel) by outputs, its rows or columns, whichever
        are fewer, are orthogonal to each other and of length gain; with groups, those of each group.

    Raises
    ------
    {raises}

    Notes
    -----
    The factor Q of the QR decomposition of a normal matrix, with the signs for which every orthogonal matrix is equally
    likely (Mezzadri, 2007); computed in float64.

    Saxe et al., Exact Solutions to the Nonlinear Dynamics of Learning in Deep Linear Neural Networks, 2014.

    Examples
    --------
    >>> weights = numact.init.orthogonal((64, 64), rng=0)
    >>> np.allclose(weights @ weights.T, np.eye(64))
    True

    """
    lengths, factor, kind = as_shape("orthogonal", shape), as_factor("orthogonal", gain), as_dtype("orthogonal", dtype)
    fan_in, fan_out = fans_of("orthogonal", lengths, layout, groups)
    generator = as_generator("orthogonal", rng)
    if not fan_in * fan_out:
        return np.zeros(lengths, kind)
    outputs = -1 if layout == "in_out" else 0
    part = list(lengths)
    part[outputs] //= groups
    weights = np.concatenate([draw(generator, tuple(part), outputs) for _ in range(groups)], axis=outputs)
    weights *= factor
    return weights.astype(kind, copy=False)


def draw(generator: np.random.Generator, shape: tuple[int, ...], outputs: int) -> NDArray[np.float64]:
    """A random orthogonal matrix in a shape whose first axis, or last, counts the outputs."""
    columns = shape[-1] if outputs else math.prod(shape[1:])
    rows = math.prod(shape) // columns
    normal = generator.standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(normal)
    q *= np.where(np.diagonal(r) < 0, -1, 1)
    return (q if rows >= columns else q.T).reshape(shape)
