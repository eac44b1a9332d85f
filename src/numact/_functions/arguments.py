"""Checks of arguments that several functions share, with the messages of wrong ones.

Each check takes the name of the public function first, for the message, and either raises or returns the argument in
the form in which the caller needs it.
"""

from __future__ import annotations

from contextlib import contextmanager
from itertools import zip_longest
from numbers import Real
from operator import index
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from numact._kernels.messages import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from types import EllipsisType

    from numpy.typing import NDArray

Array: TypeAlias = "NDArray[Any]"
# ``rng=`` of what draws random numbers.
Random: TypeAlias = (
    "np.random.Generator | np.random.RandomState | np.random.BitGenerator | np.random.SeedSequence"
    " | int | Sequence[int] | NDArray[np.integer[Any]] | None"
)
# ``out=`` of one result, in NumPy's forms.
Out: TypeAlias = "Array | tuple[Array | None] | EllipsisType | None"

# dtypes

BOOL = np.dtype(np.bool_)

# Integers in a seed; an array that is broadcast may have any number.
MOST_SEEDS = 1 << 20


def overrides_ufuncs(value: Any) -> bool:
    """Whether a value is no array, but takes ufuncs over: NumPy asks it how to compute."""
    return hasattr(value, "__array_ufunc__") and not isinstance(value, np.ndarray | np.generic)


def is_half(dtype: Any) -> bool:
    """Whether a dtype is float16, or the bfloat16 of ml_dtypes."""
    return getattr(dtype, "itemsize", 0) == 2 and (dtype.kind == "f" or dtype.name == "bfloat16")


def check_real(function: str, name: str, dtype: Any) -> None:
    """Raise unless a dtype is one of real numbers."""
    if (dtype.kind not in "fiub" and not is_half(dtype)) or dtype.itemsize > 8:  # longdouble
        raise TypeError(f"{function}: {name} must be floating-point numbers, integers or booleans, got {dtype}")


def float_dtype(dtype: Any) -> Any:
    """The dtype of a result: floating-point dtypes are kept, others promote."""
    if dtype.kind == "f" or is_half(dtype):
        return dtype if dtype.isnative else dtype.newbyteorder("=")
    return np.result_type(dtype, np.float32)


# Messages


@contextmanager
def naming(function: str, argument: str) -> Iterator[None]:
    """Let the messages of what is called for an argument of a function name both."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{function}: {argument}: {error}") from None
    except TypeError as error:
        raise TypeError(f"{function}: {argument}: {error}") from None


# Numbers and generators


def number(function: str, name: str, value: Any) -> float:
    """The value of a real number, NumPy's scalars included."""
    if type(value) is float:
        return value
    try:
        if isinstance(value, Real):
            return float(value)
    except (TypeError, ValueError):
        pass
    except OverflowError:
        raise ValueError(f"{function}: {name} must be a number that float64 holds, got {shown(value)}") from None
    raise TypeError(f"{function}: {name} must be a number, got {shown(value)}")


def check_integer(function: str, name: str, value: Any) -> None:
    """Raise for a Python integer that is too large for float64."""
    if type(value) is int:
        number(function, name, value)


def number_between(function: str, name: str, value: Any, least: float, most: float) -> float:
    """The value of a real number in a closed interval."""
    found = number(function, name, value)
    if not least <= found <= most:
        raise ValueError(f"{function}: {name} must be from {least} to {most}, got {found}")
    return found


def as_generator(function: str, rng: Any) -> np.random.Generator:
    """The generator that ``rng=`` stands for: what `numpy.random.default_rng` takes, or a RandomState."""
    if isinstance(rng, np.random.RandomState):
        return np.random.Generator(rng._bit_generator)
    try:
        # NumPy says what other collections are: no seeds.
        return np.random.default_rng(_as_seed(rng) if isinstance(rng, list | tuple | range | np.ndarray) else rng)
    except (TypeError, ValueError, OverflowError) as error:
        cls = ValueError if isinstance(error, ValueError) else TypeError
        raise cls(
            f"{function}: rng must be None, a seed (an integer >= 0 or a sequence of them), a SeedSequence, a "
            f"BitGenerator, a Generator or a RandomState, got {shown(rng)}"
        ) from None


def _as_seed(seed: Any, levels: int = 16) -> Any:
    """The seed, sequences as lists: NumPy goes into sequences without end, and such as contain themselves crash it."""
    if isinstance(seed, np.ndarray):
        if max(seed.size, *seed.shape, 0) > MOST_SEEDS:
            raise ValueError(f"more than {MOST_SEEDS} integers")
        return np.asarray(seed)  # a row of a matrix is a matrix
    if isinstance(seed, str | bytes) or not (hasattr(seed, "__len__") and hasattr(seed, "__iter__")):
        return seed
    if not levels or len(seed) > MOST_SEEDS:
        raise ValueError("too many levels of sequences, or too many integers")
    return [_as_seed(one, levels - 1) for one in seed]


def integer(function: str, name: str, value: Any) -> int:
    """The value of an integer."""
    try:
        return index(value)
    except TypeError:
        raise TypeError(f"{function}: {name} must be an integer, got {shown(value)}") from None


def boolean(function: str, name: str, value: Any) -> bool:
    """The value of a boolean; integers count as such."""
    if type(value) is bool:
        return value
    if not isinstance(value, int | np.bool_ | np.integer):
        raise TypeError(f"{function}: {name} must be a boolean, got {shown(value)}")
    return bool(value)


def choice(function: str, name: str, value: Any, allowed: Iterable[str]) -> str:
    """One of some words."""
    words = list(allowed)
    if not isinstance(value, str) or value not in words:
        raise ValueError(f"{function}: {name} must be one of {', '.join(words)}, got {shown(value)}")
    return value


# Masks and out=


def broadcast_mask(function: str, where: Any, shape: tuple[int, ...]) -> Array:
    """A boolean mask, broadcast to a shape."""
    mask: Array = np.asanyarray(where)
    if mask.dtype is BOOL and mask.shape == shape:
        return mask
    if mask.dtype != np.bool_:
        raise TypeError(f"{function}: where must be boolean, got {mask.dtype}")
    try:
        return np.broadcast_to(mask, shape)
    except ValueError:
        raise ValueError(f"{function}: where must broadcast to the shape {shape}, got the shape {mask.shape}") from None


def broadcast_shapes(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape to which some broadcast; NumPy's function of this name ends at 32 dimensions."""
    found = []
    for lengths in zip_longest(*(shape[::-1] for shape in shapes), fillvalue=1):
        longer = {length for length in lengths if length != 1}
        if len(longer) > 1:
            raise ValueError(f"operands could not be broadcast together with shapes {' '.join(map(str, shapes))}")
        found.append(longer.pop() if longer else 1)
    return tuple(found[::-1])


def single_out(function: str, out: Any) -> tuple[Any, bool]:
    """The array of ``out=`` in any form of NumPy's, or None; and whether it is `...`, which asks for an array."""
    if out is Ellipsis:
        return None, True
    if isinstance(out, tuple):
        if len(out) != 1:
            raise ValueError(f"{function}: out must be an array, a tuple of one or `...`, got a tuple of {len(out)}")
        (out,) = out
    if out is not None and not isinstance(out, np.ndarray):
        raise TypeError(f"{function}: out must be an array, a tuple of one or `...`, got {shown(out)}")
    return out, False


def two_outs(function: str, out: Any) -> tuple[Any, Any, bool]:
    """The arrays, or None, of ``out=`` of two results, of which one alone is for the first; and whether it is `...`."""
    if not isinstance(out, tuple) or len(out) == 1:
        first, array_wanted = single_out(function, out)
        return first, None, array_wanted
    if len(out) != 2 or any(one is not None and not isinstance(one, np.ndarray) for one in out):
        raise TypeError(f"{function}: out must be an array, a tuple of two of them or None, or `...`, got {shown(out)}")
    first, second = out
    return first, second, False


def call_with_out(function: str, ufunc: Callable[..., Any], operands: tuple[Any, ...], out: Any) -> Any:
    """Call a ufunc with ``out=`` in any form of NumPy's, of which NumPy before 2.3 does not know `...`."""
    array, array_wanted = single_out(function, out)
    if array is not None:
        check_writeable(function, array)
    try:
        return wanted_form(ufunc(*operands, out=array), array_wanted)
    except ValueError:
        if array is not None:  # NumPy's message of a wrong shape does not say which operand is out
            check_out_shape(function, array, broadcast_shapes(*map(np.shape, operands)), "have the shape")
        raise


def wanted_form(result: Any, array_wanted: bool) -> Any:
    """A result, as an array of no dimensions instead of a scalar where ``out=...`` asks for one."""
    return np.asarray(result) if array_wanted and isinstance(result, np.generic) else result


def check_out_shape(function: str, out: Any, shape: tuple[int, ...], must: str = "be of shape") -> None:
    """Raise unless out is an array of a shape."""
    if not isinstance(out, np.ndarray):
        raise TypeError(f"{function}: out must be an array of shape {shape}, got {shown(out)}")
    if out.shape != shape:
        raise ValueError(f"{function}: out must {must} {shape}, got {out.shape}")


def check_out(function: str, out: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Raise unless a result of a shape and a dtype can be written to out."""
    check_out_shape(function, out, shape, "have the shape")
    if out.dtype is not dtype and not np.can_cast(dtype, out.dtype, "same_kind"):
        raise TypeError(f"{function}: out must have a dtype that {dtype} casts to, got {out.dtype}")
    check_writeable(function, out)


def check_writeable(function: str, out: Array) -> None:
    """Raise if out is read-only."""
    if not out.flags.writeable:
        raise ValueError(f"{function}: out must be writeable, got a read-only array")
