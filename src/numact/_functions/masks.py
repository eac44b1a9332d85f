"""Bit masks: activations that keep one bit per element for their gradient, and dropout."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from inspect import Parameter, Signature
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from numact._functions import ufuncs
from numact._functions.catalogue import Activation, literal, rules
from numact._functions.parametric import FLOAT16, FLOAT32, FLOAT64, Rule
from numact._kernels import core

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Array = np.ndarray[Any, np.dtype[Any]]

LOOPS = core.build_masked(ufuncs.LEVEL)


class BitMask(core.Bits):
    """One bit for each element of an array, eight to a byte; it does not change.

    Parameters
    ----------
    bits : bytes or array_like of uint8
        The elements in C order, eight to a byte, the first its lowest bit, as ``numpy.packbits(bitorder="little")``
        gives them; the bits behind the last element are 0.  They are copied.
    shape : int or tuple of int
        Shape of the array.

    Attributes
    ----------
    shape : tuple of int
        Shape of the array.
    size : int
        Number of elements.
    bits : ndarray of uint8
        The bytes, read-only.
    nbytes : int
        Number of bytes: an eighth of the number of elements, rounded up.

    Raises
    ------
    ValueError
        If the number of bytes is not that of the shape, if bits behind the last element are set, or if a length of the
        shape is negative.
    TypeError
        If bits are no bytes.

    See Also
    --------
    masked_grad : The gradient by a mask.
    dropout : Gives a random mask.

    Notes
    -----
    ``a & b``, ``a | b`` and ``~a`` combine masks of one shape, ``a == b`` tells whether shapes and bits are the same.
    Masks can be pickled.

    Examples
    --------
    >>> mask = numact.BitMask.pack([[True, False, True], [False, True, True]])
    >>> mask.bits
    array([53], dtype=uint8)

    """

    __slots__ = ()

    def __init__(self, bits: bytes | ArrayLike, shape: int | tuple[int, ...]) -> None:
        lengths = (operator.index(shape),) if not isinstance(shape, tuple) else tuple(map(operator.index, shape))
        if min(lengths, default=0) < 0:
            raise ValueError(f"BitMask: shape must not be negative, got {shape}")
        given = np.frombuffer(bits, np.uint8) if isinstance(bits, bytes | bytearray | memoryview) else np.asarray(bits)
        if given.dtype != np.uint8:
            raise TypeError(f"BitMask: bits must be bytes or an array of uint8, got the dtype {given.dtype}")
        size = math.prod(lengths)
        if given.shape != (-(-size // 8),):
            raise ValueError(f"BitMask: bits must have the shape {(-(-size // 8),)} for {lengths}, got {given.shape}")
        if size % 8 and given[-1] >> size % 8:
            raise ValueError(f"BitMask: bits behind the {size} of the shape {lengths} must be 0")
        super().__init__(given.tobytes(), lengths)

    @classmethod
    def pack(cls, array: ArrayLike) -> BitMask:
        """Make a mask of an array of booleans, of any shape.

        Parameters
        ----------
        array : array_like of bool
            What the bits say.

        Returns
        -------
        BitMask

        Raises
        ------
        TypeError
            For an array of another dtype.

        """
        booleans = np.asarray(array)
        if booleans.dtype != np.bool_:
            raise TypeError(f"BitMask.pack: array must be boolean, got the dtype {booleans.dtype}")
        return cls._of(np.packbits(booleans.ravel(), bitorder="little"), booleans.shape)

    @classmethod
    def _of(cls, bits: NDArray[np.uint8], shape: tuple[int, ...]) -> BitMask:
        """Make a mask of bytes that are right."""
        mask = cls.__new__(cls)
        core.Bits.__init__(mask, bits.tobytes(), shape)
        return mask

    @property
    def bits(self) -> NDArray[np.uint8]:
        """The bytes, read-only."""
        return np.ndarray((self.nbytes,), np.uint8, self.packed)

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Number of bytes."""
        return -(-self.size // 8)

    def unpack(self) -> NDArray[np.bool_]:
        """Make an array of booleans, of the shape of the mask."""
        return np.unpackbits(self.bits, count=self.size, bitorder="little").view(np.bool_).reshape(self.shape)

    def count(self) -> int:
        """Count the bits that are set."""
        return int(np.bitwise_count(self.bits).sum(dtype=np.intp))

    def _combined(self, other: object, combine: np.ufunc) -> BitMask:
        if not isinstance(other, BitMask):
            return NotImplemented  # type: ignore[no-any-return]
        if other.shape != self.shape:
            raise ValueError(f"BitMask: both masks must have one shape, got {self.shape} and {other.shape}")
        return self._of(combine(self.bits, other.bits), self.shape)

    def __and__(self, other: BitMask) -> BitMask:
        return self._combined(other, np.bitwise_and)

    def __or__(self, other: BitMask) -> BitMask:
        return self._combined(other, np.bitwise_or)

    def __invert__(self) -> BitMask:
        bits = np.invert(self.bits)
        if self.size % 8:
            bits[-1] &= (1 << self.size % 8) - 1
        return self._of(bits, self.shape)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BitMask):
            return NotImplemented
        return self.shape == other.shape and self.packed == other.packed

    def __hash__(self) -> int:
        return hash((self.shape, self.packed))

    def __reduce__(self) -> tuple[Any, ...]:
        return BitMask, (self.packed, self.shape)

    def __repr__(self) -> str:
        return f"<numact.BitMask of shape {self.shape}, {self.count()} of {self.size} bits set>"


class Pass:
    """One pass over an array: what is read, what the loop writes, and where that goes; nothing is written yet.

    The loops want memory that is contiguous in C order, aligned, of the machine's byte order and of the dtype in which
    they compute.  An input that is not is copied, and computed in its copy; an output that is not, or that overlaps the
    input without being it, is filled from a temporary array.
    """

    __slots__ = ("dtype", "out", "source", "target")

    def __init__(self, function: str, name: str, x: ArrayLike, out: Any) -> None:
        array = np.asarray(x)
        self.out = out
        self.dtype = dtype = _float_dtype(function, name, array.dtype)
        if out is not None:
            _check_out(function, out, array.shape, dtype)
        self.source = array if _is_direct(array, dtype) else np.array(array, dtype, order="C")
        if out is not None and _is_direct(out, dtype) and (out is array or not np.may_share_memory(self.source, out)):
            self.target = out
        else:
            self.target = np.empty(array.shape, dtype) if self.source is array else self.source

    def run(self, loop: str, bits: Array, values: Sequence[float]) -> Any:
        """Compute, and return the result as a ufunc does."""
        rounded = tuple([float(np.array(value, self.dtype)) for value in values])
        LOOPS[loop](self.source, bits, self.target, rounded)
        if self.out is None:
            return self.target[()]
        if self.target is not self.out:
            np.copyto(self.out, self.target, casting="same_kind")
        return self.out


def _is_direct(array: Array, dtype: np.dtype[Any]) -> bool:
    """Whether a loop can read or write the array."""
    return array.dtype == dtype and array.flags.c_contiguous and array.flags.aligned


def _float_dtype(function: str, name: str, dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Get the dtype that the ufuncs compute in."""
    if dtype is FLOAT32 or dtype is FLOAT64 or dtype is FLOAT16:
        return dtype
    try:
        return ufuncs.RAW["relu"].resolve_dtypes((dtype, None))[0]
    except TypeError:
        raise TypeError(
            f"{function}: {name} must have one of the dtypes {', '.join(core.dtypes())}, or integers or booleans, "
            f"got {dtype}"
        ) from None


def _check_out(function: str, out: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Raise unless a result of the shape and dtype can be written to out."""
    if not isinstance(out, np.ndarray):
        raise TypeError(f"{function}: out must be an array of shape {shape}, got {out!r}")
    if out.shape != shape:
        raise ValueError(f"{function}: out must have the shape {shape}, got {out.shape}")
    if out.dtype is not dtype and not np.can_cast(dtype, out.dtype, "same_kind"):
        raise TypeError(f"{function}: out must have a dtype that {dtype} casts to, got {out.dtype}")
    if not out.flags.writeable:
        raise ValueError(f"{function}: out must be writeable, got a read-only array")


def _number(function: str, name: str, value: Any) -> float:
    """The value as a float, if it is a real number."""
    if type(value) is float:
        return value
    if not isinstance(value, Real):
        raise TypeError(f"{function}: {name} must be a number, got {value!r}")
    return float(value)


def _empty_bits(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    return np.empty(-(-math.prod(shape) // 8), np.uint8)


DOCUMENTATION = """\
`{row.name}` with a bit mask for its gradient: {row.formula}, element by element.

Parameters
----------
x : array_like
    Input, of any shape; integers and booleans are taken as `numpy.exp` takes them.
{parameters}out : ndarray, optional
    Array to write y into, of the shape of x; it may be x, which computes in place.

Returns
-------
y : ndarray or scalar
    `{row.name}` of x, bit for bit, of the shape of x.
mask : BitMask
    Where the derivative is 1: there `masked_grad` takes its first factor, elsewhere its second.

Raises
------
TypeError
    For an x that has neither floating-point numbers, integers nor booleans{no_number};
    for an out that is no array or has a dtype that y does not cast to.
ValueError
    For an out of another shape or one that is read-only{rules}.  Nothing is written then.

See Also
--------
masked_grad : The gradient from the mask.
{row.name} : The activation alone.
{row.name}_grad : The gradient from the input.
BitMask : What a mask is.

Notes
-----
The gradient is ``masked_grad(dy, mask{off})``, dy times the derivative: {row.derivative}.
With the mask neither x nor y need be kept: it has one bit for an element, where float32 has 32.

x and out may have any strides and byte order; the mask is always in C order.  Memory that is not contiguous in C
order is copied on the way, and a new y is contiguous.  Subclasses of arrays are taken as plain arrays, and out is
returned as it is.  A parameter is a number, rounded to the dtype of y.

Examples
--------
>>> y, mask = numact.{row.name}_masked(x{values})
>>> dx = numact.masked_grad(np.ones_like(y), mask{off_value})
"""


@core.called_by_vector
class MaskedActivation(core.MaskedCall):
    """NAME_masked of a row of the catalogue."""

    def __init__(self, row: Activation) -> None:
        self.__name__ = self.__qualname__ = name = f"{row.name}_masked"
        self.__module__ = "numact"
        super().__init__(LOOPS, name, tuple(value for _, value in row.parameters if value is not None), BitMask)
        self._names = names = tuple(parameter for parameter, _ in row.parameters)
        self._checks = [Rule(text, names) for text in rules(row.domain, "").split(", ") if text]
        kind = Parameter.POSITIONAL_OR_KEYWORD
        self.__signature__ = Signature(
            [
                Parameter("x", kind),
                *(Parameter(parameter, kind, default=default) for parameter, default in row.parameters),
                Parameter("out", kind, default=None),
            ]
        )
        allowed = rules(row.domain, "")
        other = "negative_slope" if "negative_slope" in names else ""
        self.__doc__ = DOCUMENTATION.format(
            row=row,
            parameters="".join(
                f"{parameter} : float, default {default}\n    Parameter of the formula.\n"
                for parameter, default in row.parameters
            ),
            no_number=f", or if {' or '.join(names)} is no number" if names else "",
            rules=f", and unless {allowed}" if allowed else "",
            off=f", off={other}" if other else "",
            off_value=", off=0.2" if other else "",
            values=", negative_slope=0.2"
            if other
            else "".join(f", {p}={literal(v or 0.0)}" for p, v in row.parameters),
        )

    def _compute(self, *given: Any, **keywords: Any) -> tuple[Any, BitMask]:
        """Any call, also those that the class below does by itself."""
        name = self.__name__
        try:
            bound = self.__signature__.bind(*given, **keywords)
        except TypeError as error:
            raise TypeError(f"{name}: {error}") from None
        bound.apply_defaults()
        x, *parameters, out = bound.args
        values = [_number(name, *pair) for pair in zip(self._names, parameters, strict=True)]
        for check in self._checks:
            check.check(name, values)
        work = Pass(name, "x", x, out)
        shape = work.source.shape
        bits = _empty_bits(shape)
        return work.run(name, bits, values), BitMask._of(bits, shape)

    def __reduce__(self) -> str:
        return self.__name__

    def __repr__(self) -> str:
        return f"<numact.MaskedActivation {self.__name__}{self.__signature__}>"


def masked_grad(dy: ArrayLike, mask: BitMask, on: float = 1.0, off: float = 0.0, out: Any = None) -> Any:
    """Gradient from a bit mask: dy times one of two factors.

    Parameters
    ----------
    dy : array_like
        Gradient by the output, of the shape of the mask.
    mask : BitMask
        What the forward pass returned.
    on, off : float, default 1.0 and 0.0
        The factors where the bit is set, and where it is not.
    out : ndarray, optional
        Array to write into, of the shape of dy; it may be dy, which computes in place.

    Returns
    -------
    dx : ndarray or scalar
        Gradient by the input, of the shape of dy.

    Raises
    ------
    TypeError
        If mask is no `BitMask` or a factor no number; for a dy that has neither floating-point numbers, integers nor
        booleans, and for an out that is no array or has a dtype that dx does not cast to.
    ValueError
        If mask or out has another shape than dy, or out is read-only.  Nothing is written then.

    See Also
    --------
    relu_masked, relu6_masked, hard_tanh_masked : Their gradient takes the default factors.
    leaky_relu_masked : Its gradient has the slope as `off`.
    dropout : Its gradient has 1 / (1 - p) as `on`.

    Notes
    -----
    A factor 0 selects: it gives 0 whatever dy is, NaN and infinities too.  A factor 1 gives dy itself.  With the
    factors of its activation the result is that of ``NAME_grad``, bit for bit, except that ``leaky_relu_grad``
    multiplies by a negative_slope of 0: a negative dy gives -0 there and an infinite one NaN.

    Factors are rounded to the dtype of dx.  A product that overflows is infinite, without a warning.  Strides and
    subclasses of arrays are treated as in `relu_masked`.

    Examples
    --------
    >>> y, mask = numact.leaky_relu_masked(np.linspace(-1, 1, 5), negative_slope=0.2)
    >>> dx = numact.masked_grad(np.ones(5), mask, off=0.2)

    """
    if not isinstance(mask, BitMask):
        raise TypeError(f"masked_grad: mask must be a BitMask, got {mask!r}")
    factors = _number("masked_grad", "on", on), _number("masked_grad", "off", off)
    if (found := LOOPS["masked_grad"].gradient(dy, out, factors, mask)) is not None:
        return found
    work = Pass("masked_grad", "dy", dy, out)
    if work.source.shape != mask.shape:
        raise ValueError(f"masked_grad: mask must have the shape of dy, {work.source.shape}, got {mask.shape}")
    return work.run("masked_grad", mask.bits, factors)


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
    p = _number("dropout", "p", p)
    if not 0 <= p <= 1:
        raise ValueError(f"dropout: p must be from 0 to 1, got {p}")
    generator = np.random.default_rng(rng)
    work = Pass("dropout", "x", x, out)
    shape = work.source.shape
    bits = _empty_bits(shape)
    core.random_bits(bits, math.prod(shape), round((1 - p) * 2**32), generator.bit_generator)
    factor = 1 / (1 - p) if p < 1 else 0.0
    if work.dtype == np.float16:
        factor = min(factor, 65504.0)
    return work.run("masked_grad", bits, [factor, 0.0]), BitMask._of(bits, shape)


PUBLIC: dict[str, Callable[..., Any]] = {
    **{f"{row.name}_masked": MaskedActivation(row) for row in core.catalogue() if row.masked},
    "masked_grad": masked_grad,
    "dropout": dropout,
}
