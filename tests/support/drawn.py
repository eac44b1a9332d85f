"""Strategies of Hypothesis for calls: numbers, shapes, layouts in memory, results that overlap, threads, allocators.

Numbers come from a drawn seed, not from Hypothesis element by element, which would take a hundred times as long; so
that a failing example is made smaller in its shape, layout and kind of numbers.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from math import prod
from typing import Any

import ml_dtypes
import numpy as np
from hypothesis import strategies as st
from support.cases import DTYPES, Array, assert_same_bits, samples, specials

import numact
from numact._kernels import core

__all__ = ["ALL_DTYPES", "BFLOAT16", "Draw", "axes_of", "count"]

BFLOAT16 = ml_dtypes.bfloat16
ALL_DTYPES = (*DTYPES, BFLOAT16)
INTEGERS = (np.bool_, np.int8, np.uint8, np.int16, np.int32, np.int64)
KINDS = ("moderate", "moderate", "wide", "special", "whole", "equal")
# Above the fewest elements for which threads are used; at most so many are drawn.
MANY = (8200, 30_000)

_count = 0


def count() -> int:
    """How many examples this process has drawn."""
    return _count


@dataclass(frozen=True)
class Layout:
    """How an array lies in memory: the order of its axes, steps (backwards if negative), byte order."""

    order: tuple[int, ...]
    steps: tuple[int, ...]
    swapped: bool = False
    unaligned: bool = False

    def empty(self, shape: Sequence[int], dtype: Any) -> tuple[Array, Array]:
        """An array of this layout, and the bytes in which it lies, which are all 0xA5."""
        kind = np.dtype(dtype).newbyteorder() if self.swapped and dtype is not BFLOAT16 else np.dtype(dtype)
        in_memory = [shape[axis] * abs(self.steps[axis]) for axis in self.order]
        start = 1 if self.unaligned else kind.alignment
        size = prod(in_memory) * kind.itemsize
        memory = np.full(start + size + 8, 0xA5, np.uint8)
        whole = memory[start : start + size].view(kind).reshape(in_memory)
        view = whole.transpose(np.argsort(self.order)) if self.order else whole
        return view[(..., *(slice(None, None, step) for step in self.steps))], memory


@dataclass
class Placed:
    """An array among the bytes around it, as they were before the call."""

    array: Array
    memory: Array
    before: Array = field(init=False)

    def __post_init__(self) -> None:
        self.before = self.memory.copy()


class Draw:
    """One example: what is drawn for a call, and the check of what the call leaves behind."""

    def __init__(self, data: Any) -> None:
        global _count
        _count += 1
        self.draw: Callable[[st.SearchStrategy[Any]], Any] = data.draw
        self._placed: list[Placed] = []
        self._results: list[tuple[Array, Array]] = []

    # Plain choices

    def one_of(self, choices: Sequence[Any]) -> Any:
        """One of the choices."""
        return self.draw(st.sampled_from(choices))

    def integer(self, least: int, most: int) -> int:
        """An integer, both ends included."""
        return int(self.draw(st.integers(least, most)))

    def happens(self, one_in: int) -> bool:
        """True once in so many times; false where an example is made smaller."""
        return self.integer(0, one_in - 1) == one_in - 1

    def generator(self) -> np.random.Generator:
        """A generator with a drawn seed."""
        return np.random.default_rng(self.integer(0, 2**32 - 1))

    # Shapes and numbers

    def shape(self, dimensions: tuple[int, int] = (0, 4), many: bool = True) -> tuple[int, ...]:
        """A shape; zeros and long axes among them, and once in a while enough elements for threads."""
        number = self.integer(*dimensions)
        longest = (300, 300, 40, 9, 6, 4, 3)[number]
        shape = [
            0 if self.happens(40) else self.integer(1, longest) if self.happens(2) else self.integer(1, 5)
            for _ in range(number)
        ]
        if many and number and self.happens(25):
            axis = self.integer(0, number - 1)
            others = prod(length for k, length in enumerate(shape) if k != axis)
            if others:
                shape[axis] = self.integer(*MANY) // others + 1
        return tuple(shape)

    def numbers(self, shape: Sequence[int], dtype: Any, kinds: Sequence[str] = KINDS) -> Array:
        """Numbers of a drawn kind: around 0, of every magnitude, with infinities and NaN, whole, all equal."""
        kind, rng = self.one_of(kinds), self.generator()
        size = prod(shape)
        if np.dtype(dtype).kind in "biu" and dtype is not BFLOAT16:
            return rng.integers(0, 2 if dtype is np.bool_ else 100, shape).astype(dtype)
        computed = np.float32 if dtype is BFLOAT16 else dtype
        if kind == "wide":
            values = rng.choice(_wide(computed), size)
        elif kind == "special":
            values = np.where(rng.random(size) < 0.3, rng.choice(specials(computed), size), rng.normal(size=size))
        elif kind == "whole":
            values = rng.integers(-4, 5, size)
        else:
            values = rng.normal(0, self.one_of((1, 1, 3, 20)), 1 if kind == "equal" else size)
            values = np.broadcast_to(values, size)
        with np.errstate(all="ignore"):
            return np.asarray(values).astype(computed).astype(dtype).reshape(shape)

    def broadcastable(self, shape: Sequence[int]) -> tuple[int, ...]:
        """A shape that broadcasts to the given one: some axes of length 1, some of the first left out."""
        kept = [length if self.integer(0, 3) else 1 for length in shape]
        return tuple(kept[self.integer(0, len(kept)) if self.happens(3) else 0 :])

    # Arrays

    def layout(self, dimensions: int, swap: bool = True) -> Layout:
        """A layout: half of the time contiguous."""
        order, steps = tuple(range(dimensions)), (1,) * dimensions
        if self.happens(2):
            return Layout(order, steps)
        if self.happens(2):
            order = tuple(self.draw(st.permutations(order)))
        steps = tuple(self.one_of((1, 1, 1, 2, -1, -2, 3)) for _ in range(dimensions))
        return Layout(order, steps, swap and self.happens(6), self.happens(10))

    def place(self, values: Any, swap: bool = True, broadcast: Sequence[int] | None = None) -> Array:
        """An array of these values in a drawn layout; may be read-only, or broadcast to the given shape."""
        values = np.asarray(values)
        array, memory = self.layout(values.ndim, swap).empty(values.shape, values.dtype.type)
        array[...] = values
        self._placed.append(Placed(array, memory))
        if broadcast is not None and self.happens(4):
            return np.broadcast_to(array, tuple(broadcast))
        if self.happens(10):
            array.flags.writeable = False
        return array

    def _place_of(
        self, like: Any, operand: Array | None = None, dtypes: Sequence[Any] = ()
    ) -> tuple[Any, Array | None]:
        """A place for a result of the shape and dtype of `like`, and the operand, which may have moved beside it.

        The place may be None, an array in a drawn layout, the operand itself, or memory that overlaps it; of another
        one of `dtypes` once in a while.  Only an operand of the shape and dtype of the result is shared.
        """
        like = np.asarray(like)
        shared = operand is not None and operand.shape == like.shape and operand.dtype == like.dtype
        kind = self.one_of(["none", "placed", "placed", *(["same", "shifted"] if shared else [])])
        if kind == "none":
            return None, operand
        dtype = like.dtype.type
        if kind == "placed":
            if dtypes and self.happens(6):
                dtype = self.one_of(dtypes)
            array, memory = self.layout(like.ndim).empty(like.shape, dtype)
            array[...] = self.numbers(like.shape, dtype, ("whole",))
        else:
            assert operand is not None
            values = operand.copy()
            more = 0 if kind == "same" or not like.ndim else self.integer(1, 2)
            shape = (like.shape[0] + more, *like.shape[1:]) if like.ndim else ()
            whole, memory = self.layout(like.ndim, swap=False).empty(shape, dtype)
            whole[...] = 0
            parts = [whole[more:], whole[: shape[0] - more]] if more else [whole, whole]
            operand, array = reversed(parts) if self.happens(2) else parts
            operand[...] = values
            if more and self.happens(3):
                array = array[::-1]
        self._placed.append(Placed(array, memory))
        self._results.append((array, array.copy()))
        return array, operand

    def mask(self, shape: Sequence[int], one_in: int = 3) -> Array | None:
        """A boolean mask in a drawn layout that broadcasts to the shape, or none."""
        if not self.happens(one_in):
            return None
        small = self.broadcastable(shape)
        values = self.generator().random(small) < self.one_of((0.0, 0.3, 0.7, 1.0))
        return self.place(values, swap=False, broadcast=shape)

    # The call

    @contextmanager
    def surroundings(self) -> Iterator[None]:
        """Some threads, which are made to take part or not, and perhaps the cache of large blocks."""
        threads, reused = self.one_of((1, 1, 2, 3)), self.happens(8)
        core.force_workers(threads > 1 and self.happens(2))
        try:
            with numact.num_threads(threads), numact.memory.reuse("64MiB") if reused else nullcontext():
                yield
        finally:
            core.force_workers(False)

    def check(
        self,
        function: Callable[..., Any],
        operands: Sequence[Any],
        wants: Any,
        *,
        share: Sequence[int] = (),
        dtypes: Sequence[Any] = (),
        masked: bool = False,
        **keywords: Any,
    ) -> None:
        """Call a function with drawn places for its results, and assert that these are as wanted, and nothing else.

        Parameters
        ----------
        function : callable
            Takes the operands, the keywords, `out=`, and `where=` if `masked`.
        operands : sequence
            Placed operands.
        wants : array or tuple of arrays
            The results of one plain call.
        share : sequence of int
            The operands whose memory the first result may share.
        dtypes : sequence of dtype
            Other dtypes that the results may be cast to.
        masked : bool
            Whether the function takes `where=`; what it leaves out must be as it was.
        **keywords
            Other keywords of the call.

        """
        several = isinstance(wants, tuple)
        wants, operands, places = wants if several else (wants,), list(operands), []
        for k, want in enumerate(wants):
            shared = self.one_of(share) if share and k == 0 else None
            place, moved = self._place_of(want, None if shared is None else operands[shared], dtypes)
            if shared is not None:
                operands[shared] = moved
            places.append(place)
        mask: Any = None
        if masked and all(place is not None for place in places):
            mask = self.mask(np.shape(wants[0]))
        if mask is not None:
            keywords["where"] = mask
        if any(place is not None for place in places):
            keywords["out"] = tuple(places) if several or self.happens(2) else places[0]
        with self.surroundings():
            got = function(*operands, **keywords)
        self.compare(got if several else (got,), wants, places, True if mask is None else mask)

    def compare(self, got: Sequence[Any], wants: Sequence[Any], places: Sequence[Any] = (), mask: Any = True) -> None:
        """Assert that results are as wanted, in their places, and that no other byte has changed."""
        places = places or [None] * len(wants)
        for result, want, place in zip(got, wants, places, strict=True):
            if place is None:
                assert type(result) is type(want)
                assert_same_bits(result, want)
                continue
            assert result is place
            (before,) = (values for array, values in self._results if array is place)
            expected = before.astype(before.dtype.newbyteorder("="))
            with np.errstate(all="ignore"):
                np.copyto(expected, want, casting="same_kind", where=mask)
            assert_same_bits(place.astype(expected.dtype), expected)
        for array, values in self._results:
            array[...] = values
        for placed in self._placed:
            assert placed.memory.tobytes() == placed.before.tobytes(), "bytes beside the results have changed"


def _wide(dtype: Any) -> Array:
    """Numbers of every magnitude, without the infinities and NaN that are drawn apart."""
    found = samples(dtype)
    return found[np.isfinite(found)]


def axes_of(draw: Draw, dimensions: int, kinds: Sequence[str] = ("one", "one", "one", "tuple", "all")) -> Any:
    """An argument `axis=`: an axis, from either end, a tuple of axes, or None for all."""
    kind = draw.one_of(kinds)
    if kind == "one":
        return draw.integer(-dimensions, dimensions - 1)
    if kind == "all":
        return None
    number = draw.integer(1, dimensions)
    axes = draw.draw(st.permutations(range(dimensions)))[:number]
    return tuple(axis - dimensions if draw.happens(2) else axis for axis in axes)
