"""`BitMask`: one bit for each element of an array."""

from __future__ import annotations

import math
import operator
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from numact._kernels import core
from numact._kernels.messages import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray


class BitMask(core.Bits):
    """One bit for each element of an array, eight to a byte; immutable.

    Parameters
    ----------
    bits : bytes or array_like of uint8
        The elements in C order, eight to a byte, the first in the lowest bit, as ``numpy.packbits(bitorder="little")``
        gives them; the padding bits after the last element are 0.  They are copied.
    shape : int or tuple of int
        Shape of the array.

    Attributes
    ----------
    shape : tuple of int
        Shape of the array.
    ndim, size : int
        Number of dimensions, and of elements.
    dtype : numpy.dtype
        That of the elements, bool.
    bits : ndarray of uint8
        The bytes, read-only.
    nbytes : int
        Number of bytes: an eighth of the number of elements, rounded up.

    Raises
    ------
    ValueError
        If the number of bytes does not fit the shape, if padding bits are set, or if a length in the shape is negative.
    TypeError
        If bits are neither bytes nor uint8.

    See Also
    --------
    masked_grad : The gradient from a mask.
    dropout : Returns a random mask.

    Notes
    -----
    ``a & b``, ``a | b``, ``a ^ b`` and ``~a`` combine masks of one shape; ``a == b`` compares shapes and bits.  Masks
    can be pickled, and are hashable.

    Beside an array a mask is the array of booleans that `unpack` makes: in ``booleans == mask``, ``booleans & mask``,
    ``x[mask]``, ``np.where(mask, 1.0, 0.0)`` and ``np.asarray(mask)``.  So it is in ``mask[...]``, in a loop over it,
    in ``mask * 2.0`` and for its methods sum, mean, any and all.  What else arrays have, such as reshape, a mask has
    not: take ``mask.unpack()``.

    Examples
    --------
    >>> mask = numact.BitMask.pack([[True, False, True], [False, True, True]])
    >>> mask.bits
    array([53], dtype=uint8)

    """

    __slots__ = ()
    __module__ = "numact"

    def __init__(self, bits: bytes | ArrayLike, shape: int | tuple[int, ...]) -> None:
        try:
            lengths = tuple(map(operator.index, shape if isinstance(shape, tuple) else (shape,)))
        except TypeError:
            raise TypeError(f"BitMask: shape must be an integer or a tuple of them, got {shown(shape)}") from None
        if not all(0 <= length <= sys.maxsize for length in lengths):
            raise ValueError(f"BitMask: shape must not be negative, nor above {sys.maxsize}, got {shown(shape)}")
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
        """Make a mask from an array of booleans, of any shape.

        Parameters
        ----------
        array : array_like of bool
            The elements.

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
        """Make a mask of bytes that need no check."""
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

    @property
    def dtype(self) -> np.dtype[np.bool_]:
        """The dtype of the elements, bool."""
        return np.dtype(np.bool_)

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """The elements as an array, which is always a new one."""
        if copy is False:
            raise ValueError("BitMask: a mask has no array of booleans that could be used without a copy")
        return self.unpack().astype(dtype or np.bool_, copy=False)

    def sum(self, axis: Any = None, dtype: Any = None, out: Any = None, **keywords: Any) -> Any:
        """Count the bits that are set, as `numpy.sum` counts those of the unpacked array.

        Parameters
        ----------
        axis : int, tuple of int or None, default None
            The axes along which they are counted; None: all.
        dtype, out, **keywords
            As in `numpy.sum`.

        Returns
        -------
        int or ndarray

        """
        if axis is None and dtype is None and out is None and not keywords:
            return self.count()
        return self.unpack().sum(axis, dtype, out, **keywords)

    def unpack(self) -> NDArray[np.bool_]:
        """Make an array of booleans, of the shape of the mask."""
        return np.unpackbits(self.bits, count=self.size, bitorder="little").view(np.bool_).reshape(self.shape)

    def count(self) -> int:
        """Count the bits that are set."""
        return int(np.bitwise_count(self.bits).sum(dtype=np.intp))

    def __getitem__(self, key: Any) -> Any:
        return self.unpack()[key[...] if isinstance(key, BitMask) else key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.unpack())

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("BitMask: a mask of no dimensions has no len()")
        return self.shape[0]

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ValueError(
                f"BitMask: the truth value of a mask of {self.size} elements is ambiguous: "
                "use mask.any(), mask.all() or mask.count()"
            )
        return self.count() == 1

    def mean(self, *given: Any, **keywords: Any) -> Any:
        """Mean of the elements, as that of `numpy.ndarray.mean`."""
        return self.unpack().mean(*given, **keywords)

    def any(self, *given: Any, **keywords: Any) -> Any:
        """Whether a bit is set, as `numpy.ndarray.any`."""
        return self.unpack().any(*given, **keywords)

    def all(self, *given: Any, **keywords: Any) -> Any:
        """Whether all bits are set, as `numpy.ndarray.all`."""
        return self.unpack().all(*given, **keywords)

    def __mul__(self, other: Any) -> Any:
        return np.multiply(self.unpack(), other)

    __rmul__ = __mul__

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            hint = ", take mask.unpack()" if hasattr(np.ndarray, name) else ""
            raise AttributeError(f"BitMask has no attribute {name!r}{hint}", name=name, obj=self)

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

    def __xor__(self, other: BitMask) -> BitMask:
        return self._combined(other, np.bitwise_xor)

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
