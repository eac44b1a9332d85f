"""`dropout`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from numact._functions.masks.bit_mask import BitMask, empty_bits
from numact._functions.masks.work import Pass, as_number
from numact._kernels import core

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def dropout(x: ArrayLike, p: float = 0.5, rng: Any = None, out: Any = None) -> tuple[Any, BitMask]:
    """Set random elements to 0, each with the probability p, and divide the others by 1 - p.

    Parameters
    ----------
    x : array_like
        Input, of any shape.
    p : float, default 0.5
        The probability of an element to become 0, from 0 to 1.
    rng : numpy.random.Generator, or what numpy.random.default_rng takes, optional
        Source of the random bits: a generator, which goes on from where it is, or a seed.  Without it, every call gives
        other bits.
    out : ndarray, optional
        Array to write y into, of the shape of x; it may be x, which computes in place.

    Returns
    -------
    y : ndarray or scalar
        x / (1 - p) where kept, else 0 whatever x is; of the shape of x.
    mask : BitMask
        The elements that were kept.

    Raises
    ------
    ValueError
        Unless 0 <= p <= 1; for an out of another shape or one that is read-only.  Nothing is written or drawn then.
    TypeError
        If p is no number, for an rng that `numpy.random.default_rng` does not take, for an x that has neither
        floating-point numbers, integers nor booleans, and for an out that is no array or has a dtype that y does not
        cast to.

    See Also
    --------
    masked_grad : The gradient, ``masked_grad(dy, mask, on=1 / (1 - p))``.
    BitMask : What a mask is.

    Notes
    -----
    In evaluation there is nothing to do: the mean of y is x.

    An element is kept if a random number of 32 bits is less than 2^32 (1 - p), rounded: the probability is exact to
    2^-33.  The bits of these numbers, the highest first, come from words of 64 bits of the generator, a word for 64
    elements in C order, and no more words than it takes to decide: one if p is 1/2, about 7 otherwise, none if p is 0
    or 1.  So the mask depends on the generator, p and the number of elements only, not on dtype, strides, threads or
    processor.

    The factor 1 / (1 - p) is rounded to the dtype of y, and if it overflows float16 is the largest number instead.
    Strides and subclasses of arrays are treated as in `relu_masked`.

    Srivastava et al., 2014.

    Examples
    --------
    >>> y, mask = numact.dropout(np.ones((3, 4)), 0.25, rng=np.random.default_rng(0))
    >>> dx = numact.masked_grad(np.ones((3, 4)), mask, on=1 / (1 - 0.25))

    """
    p = as_number("dropout", "p", p)
    if not 0 <= p <= 1:
        raise ValueError(f"dropout: p must be from 0 to 1, got {p}")
    generator = np.random.default_rng(rng)
    work = Pass("dropout", "x", x, out)
    shape = work.source.shape
    bits = empty_bits(shape)
    core.random_bits(bits, math.prod(shape), round((1 - p) * 2**32), generator.bit_generator)
    factor = 1 / (1 - p) if p < 1 else 0.0
    if work.dtype == np.float16:
        factor = min(factor, 65504.0)
    return work.run("masked_grad", bits, [factor, 0.0]), BitMask._of(bits, shape)
