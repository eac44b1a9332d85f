"""Dropout, with the bit mask of the elements that it keeps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from numact._functions.arguments import as_generator, number_between
from numact._functions.axes import as_axes
from numact._functions.masks.bit_mask import BitMask
from numact._functions.masks.loops import LOOPS, Pass, empty_bits
from numact._functions.public import set_module
from numact._kernels import core

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from numact._functions.arguments import Out, Random


@set_module("numact")
def dropout(
    x: ArrayLike,
    p: float = 0.5,
    rng: Random = None,
    out: Out = None,
    *,
    shared_axes: int | tuple[int, ...] | None = None,
) -> tuple[Any, BitMask]:
    """Set random elements to 0, each with the probability p, and divide the others by 1 - p.

    Parameters
    ----------
    x : array_like
        Input, of any shape.
    p : float, default 0.5
        The probability of an element to become 0, from 0 to 1.
    rng : None, int, sequence of int, SeedSequence, BitGenerator, Generator or RandomState, optional
        Source of the random bits, as `numpy.random.default_rng` takes it: a generator, whose state advances, or a seed.
        By default, every call gives other bits.
    out : ndarray, tuple of one ndarray or `...`, optional
        Array to write y into, of the shape of x; it may be x, which computes in place.
    shared_axes : int or tuple of int, optional
        The axes along which all elements are kept or dropped together, such as (2, 3) for whole channels of images:
        those where Keras's noise_shape is 1.

    Returns
    -------
    y : ndarray or scalar
        x / (1 - p) where the element is kept, else 0, also for NaN and infinities; of the shape of x.
    mask : BitMask
        The elements that were kept, of the shape of x also with shared_axes.

    Raises
    ------
    ValueError
        Unless 0 <= p <= 1, for an axis that x does not have, or if out has another shape or is read-only.  Nothing is
        written or drawn then.
    TypeError
        If p is not a number, if rng is none of these, if x has neither floating-point numbers,
        integers nor booleans, or if out is not an array or has a dtype to which y does not cast.

    See Also
    --------
    masked_grad : The gradient, ``masked_grad(dy, mask, on=1 / (1 - p))``.
    BitMask : The class of masks.

    Notes
    -----
    The mean of y is x, so that evaluation needs no dropout and no scaling.

    An element is kept if a random 32-bit number is less than 2^32 (1 - p), rounded: the error of the probability is at
    most 2^-33.  Each 64-bit word of the generator gives one bit, the highest first, of the numbers of 64 elements in C
    order.  Words are drawn until all 64 comparisons are decided: one if p is 1/2, about 7 otherwise, none if p is 0 or
    1.  So the mask depends only on the generator, p and the number of elements, not on dtype, strides, threads or
    processor.  Elements that share a decision along `shared_axes` count as one.

    The factor 1 / (1 - p) has the dtype of y, and is float32 beside float16 and bfloat16.
    Strides and subclasses of arrays are treated as in `relu_masked`.

    Srivastava et al., 2014.

    Examples
    --------
    >>> y, mask = numact.dropout(np.ones((2, 4)), 0.25, rng=np.random.default_rng(0))
    >>> y
    array([[0.        , 1.33333333, 1.33333333, 1.33333333],
           [1.33333333, 1.33333333, 1.33333333, 1.33333333]])
    >>> numact.masked_grad(np.ones((2, 4)), mask, on=1 / (1 - 0.25))
    array([[0.        , 1.33333333, 1.33333333, 1.33333333],
           [1.33333333, 1.33333333, 1.33333333, 1.33333333]])

    """
    p = number_between("dropout", "p", p, 0, 1)
    generator = rng if type(rng) is np.random.Generator else as_generator("dropout", rng)
    threshold, factors = round((1 - p) * 2**32), (1 / (1 - p) if p < 1 else 0.0, 0.0)
    if shared_axes is None:
        found = LOOPS["masked_grad"].random(x, out, factors, BitMask, threshold, generator.bit_generator)
        if found is not None:
            return found
    array = np.asarray(x)
    none = shared_axes is None or (isinstance(shared_axes, tuple) and not shared_axes)
    shared = () if none else as_axes("dropout", shared_axes, array.ndim, name="shared_axes")
    work = Pass("dropout", "x", array, out)  # only now: the axes may be code that changes x
    shape = work.source.shape
    drawn = tuple(1 if axis in shared else length for axis, length in enumerate(shape))
    bits = empty_bits(drawn)
    core.random_bits(bits, math.prod(drawn), threshold, generator.bit_generator)
    if shared:
        kept = np.unpackbits(bits, count=math.prod(drawn), bitorder="little").reshape(drawn)
        bits = np.packbits(np.broadcast_to(kept, shape).ravel(), bitorder="little")
    return work.run("masked_grad", bits, factors), BitMask._of(bits, shape)
