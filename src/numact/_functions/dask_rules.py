"""Lazy calls of functions that do not compute rows: several results, masks, sums, random numbers.

What a block needs nothing else for is computed block by block.  Sums over blocks, which must have the bits of arrays in
memory, are one task that reads all of them, and which runs only if the sums are computed.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from math import prod
from operator import itemgetter
from typing import Any

import numpy as np

from numact._functions.arguments import as_generator, float_dtype
from numact._functions.axes import as_axes
from numact._functions.foreign.arguments import kind_of, refusal
from numact._functions.masks.bit_mask import BitMask
from numact._functions.names import FUNCTIONS
from numact._kernels.messages import shown

PARAMETERS = "parameters"  # of an activation, in the signatures of bias_activation


@dataclass(frozen=True)
class Call:
    """A call of a function with a lazy argument."""

    function: Callable[..., Any]
    values: dict[str, Any]  # by the names of the parameters
    like: Any  # the lazy argument, whose shape and chunks the others follow

    def with_values(self, **values: Any) -> Call:
        """The call with some arguments replaced."""
        return Call(self.function, self.values | values, self.like)

    def refuse(self, advice: str) -> TypeError:
        """The exception for what a lazy call does not take."""
        return refusal(self.function, self.like, advice)

    def operands(self) -> dict[str, Any]:
        """The arguments that are arrays of as many dimensions, so that each block needs its part of them."""
        arrays = {name: value for name, value in self.values.items() if hasattr(value, "ndim")}
        return {name: value for name, value in arrays.items() if value.ndim == self.like.ndim > 0}

    def of_blocks(self, names: Iterable[str]) -> Callable[..., Any]:
        """The function of blocks of the arguments of these names; it holds the others."""
        names = tuple(names)
        function, rest = self.function, {name: value for name, value in self.values.items() if name not in names}

        def compute(*blocks: Any) -> Any:
            return call_with(function, rest | dict(zip(names, blocks, strict=True)))

        return compute


def call_with(function: Callable[..., Any], values: dict[str, Any]) -> Any:
    """Call a function with arguments by name."""
    values = dict(values)
    return function(**values.pop(PARAMETERS, {}), **values)


def bind(function: Callable[..., Any], given: tuple[Any, ...], keywords: dict[str, Any]) -> Call:
    """The arguments by name; at least one is lazy, and nothing else is written to."""
    bound = inspect.signature(function).bind(*given, **keywords)
    bound.apply_defaults()
    values = dict(bound.arguments)
    lazy = [value for value in (values.get("x"), *values.values()) if kind_of(type(value)) == "dask"]
    call = Call(function, values, max(lazy, key=lambda value: value.ndim))
    if values.pop("out", None) is not None:
        raise call.refuse("the result is lazy, and does not take out=")
    return call


def rule_of(name: str) -> Callable[[Call], Any] | None:
    """How a function is called lazily; None if it has no rule here."""
    if name.endswith("_masked"):
        return _masked
    if name.endswith("_split_grad"):
        return _split_gradient
    return RULES.get(name)


# Blocks, and tasks.


def _chunked(value: Any, like: Any) -> Any:
    """An operand divided like another, where it is as long."""
    array = import_module("dask.array")
    lengths = zip(value.shape, like.shape, like.chunks, strict=True)
    chunks = tuple(other if n == length else (n,) for n, length, other in lengths)
    if kind_of(type(value)) != "dask":
        return array.from_array(np.asarray(value), chunks=chunks)
    return value.rechunk(chunks)


def _short(call: Call, divided: Iterable[int]) -> Any:
    """The results for two entries along axes that may be divided: dtypes, the shapes of sums, and errors at once."""
    operands: dict[str, Any] = {}
    for name, value in call.operands().items():
        shape = tuple(min(n, 2) if k in divided else n for k, n in enumerate(value.shape))
        operands[name] = np.zeros(shape, value.dtype)
    for name, value in call.values.items():
        if isinstance(value, tuple) and any(kind_of(type(part)) == "dask" for part in value):  # of statistics
            operands[name] = type(value)(*(np.zeros(part.shape, part.dtype) for part in value))
    return call_with(call.function, call.values | operands)


def _by_blocks(
    call: Call,
    dtype: Any,
    whole: Iterable[int] = (),
    *,
    pick: Callable[[Any], Any] = lambda found: found,
    lengths: Mapping[int, Callable[[int], int]] | None = None,
) -> Any:
    """What `pick` takes of the results, block by block; the axes of `whole` are undivided."""
    like = call.like.rechunk(dict.fromkeys(whole, -1))
    operands = {name: _chunked(value, like) for name, value in call.operands().items()}

    compute, index = call.of_blocks(operands), tuple(range(like.ndim))
    pairs = [(operand, index) for operand in operands.values()]
    return _blockwise(lambda *parts: pick(compute(*parts)), index, pairs, dtype, lengths)


def _blockwise(
    block: Callable[..., Any], index: tuple[int, ...], operands: Iterable[Any], dtype: Any, lengths: Any = None
) -> Any:
    """The blocks of operands, each with its axes, as one array that has the axes of `index`."""
    pairs = [part for operand, axes in operands for part in (operand, axes)]
    return import_module("dask.array").blockwise(
        block,
        index,
        *pairs,
        dtype=dtype,
        meta=np.empty((0,) * len(index), dtype),
        adjust_chunks=lengths,
        align_arrays=False,
        concatenate=True,
    )


def _constant(length: int, _: int) -> int:
    return length


def _one_task(call: Call, *results: tuple[tuple[int, ...], Any]) -> list[Any]:
    """Results of given shapes and dtypes, of a task that has all operands in memory."""
    found = import_module("dask").delayed(call_with)(call.function, call.values)
    parts = [found] if len(results) == 1 else [found[k] for k in range(len(results))]
    array = import_module("dask.array")
    return [array.from_delayed(part, *result) for part, result in zip(parts, results, strict=True)]


# Masks.


def _masked(call: Call) -> tuple[Any, Any]:
    """NAME_masked: the mask is a lazy array of booleans."""
    y = _short(call, range(call.like.ndim))[0]
    mask = _by_blocks(call, np.bool_, pick=lambda found: found[1].unpack())
    return _by_blocks(call, y.dtype, pick=itemgetter(0)), mask


def _masked_gradient(call: Call) -> Any:
    function = call.function

    def packed(dy: Any, mask: Any, **factors: Any) -> Any:
        return function(dy, BitMask.pack(mask), **factors)

    mask = call.values["mask"]
    if not isinstance(mask, BitMask) and getattr(mask, "dtype", None) != np.bool_:
        raise TypeError(f"masked_grad: mask must be a BitMask, or lazy booleans, got {shown(mask)}")
    mask = mask.unpack() if isinstance(mask, BitMask) else mask
    if mask.shape != np.shape(call.values["dy"]):
        raise ValueError(f"masked_grad: mask must have the shape of dy, {call.values['dy'].shape}, got {mask.shape}")
    blocks = Call(packed, call.values | {"mask": mask}, call.like)
    return _by_blocks(blocks, float_dtype(call.values["dy"].dtype))


def _dropout(call: Call) -> tuple[Any, Any]:
    """The mask is drawn at once, with the bits and the state of the generator of arrays in memory."""
    x, p = call.values["x"], call.values["p"]
    _, mask = call_with(call.function, call.values | {"x": np.broadcast_to(np.float16(0), x.shape)})
    gradient = FUNCTIONS["masked_grad"]
    return gradient(x, mask, on=1 / (1 - p) if p < 1 else 0.0), mask


# Random numbers: each block draws from a child of the generator.


def _children(call: Call, blocks: Any) -> Any:
    """A seed for each block."""
    rng = call.values["rng"]
    sequence = as_generator(call.function.__name__, rng).bit_generator.seed_seq
    if isinstance(rng, np.random.RandomState) or not hasattr(sequence, "spawn"):
        raise call.refuse("rng must be a seed or a generator that was made from one")
    seeds = np.empty(prod(blocks.numblocks), object)
    seeds[:] = sequence.spawn(seeds.size)
    return import_module("dask.array").from_array(seeds.reshape(blocks.numblocks), chunks=1)


def _drawn(call: Call, x: Any, seeds: Any, dtype: Any, pick: Callable[[Any], Any] = lambda found: found) -> Any:
    """A function that draws, block by block of x; the same each time that it is computed."""
    compute, index = call.of_blocks(("x", "rng")), tuple(range(x.ndim))

    def block(x: Any, seed: Any) -> Any:
        return pick(compute(x, np.random.default_rng(seed.item())))

    return _blockwise(block, index, [(x, index), (seeds, index)], dtype)


def _rrelu(call: Call) -> Any:
    x, dtype = call.values["x"], _short(call.with_values(rng=None), range(call.like.ndim)).dtype
    if call.values["rng"] is None:
        return _by_blocks(call, dtype)
    seeds = _children(call, x)
    return tuple(_drawn(call, x, seeds, dtype, itemgetter(k)) for k in range(2))


def _gumbel(call: Call) -> Any:
    if np.ndim(call.values["tau"]):
        raise call.refuse("tau must be a number")
    x = call.values["x"].rechunk(dict.fromkeys(_axis(call), -1))
    return _drawn(call, x, _children(call, x), _short(call, range(x.ndim)).dtype)


# Gradients, with their sums.


def _others(call: Call, axes: Iterable[int]) -> set[int]:
    """All axes but these."""
    return set(range(call.like.ndim)) - set(axes)


def _gradient(call: Call, whole: Iterable[int], kept: Iterable[int] | None = None) -> tuple[Any, ...]:
    """The gradient by x in blocks, where axes may be divided, and by one task the sums, which have the axes `kept`."""
    x, divided = call.values["x"], _others(call, whole)
    examples = _short(call, divided if kept is None else _others(call, kept))
    dtypes = [(np.shape(one), np.asarray(one).dtype) for one in examples]
    sums = _one_task(call, (x.shape, dtypes[0][1]), *dtypes[1:])
    if not divided:
        return tuple(sums)
    lengths = {k: partial(_constant, x.shape[k]) for k in whole}
    return _by_blocks(call, dtypes[0][1], whole, pick=itemgetter(0), lengths=lengths), *sums[1:]


def _axis(call: Call) -> tuple[int, ...]:
    """The axes of the parameter `axis`."""
    axis = call.values["axis"]
    return tuple(range(call.like.ndim)) if axis is None else as_axes(call.function.__name__, axis, call.like.ndim)


def _row_gradient(call: Call) -> tuple[Any, ...]:
    return _gradient(call, _axis(call))


def _all_but_samples(call: Call) -> set[int]:
    """The axes of a sample, whose channels lie along `axis`."""
    sample = 1 if _axis(call) == (0,) else 0
    return _others(call, (sample,))


def _by_sample(call: Call) -> Any:
    whole = _all_but_samples(call)
    return _by_blocks(call, _short(call, _others(call, whole)).dtype, whole)


def _sample_gradient(call: Call) -> tuple[Any, ...]:
    return _gradient(call, _all_but_samples(call))


def _prelu_gradient(call: Call) -> tuple[Any, ...]:
    """A weight per channel is known to a block only if the axis is whole."""
    weight, axis = call.values["weight"], call.values["channel_axis"]
    if np.ndim(weight) == 0:
        return _gradient(call, ())
    return _gradient(call, range(call.like.ndim) if axis is None else as_axes("prelu_grad", axis, call.like.ndim))


def _batch_gradient(call: Call) -> tuple[Any, ...]:
    return _gradient(call, range(call.like.ndim), _axis(call))


def _batch_training(call: Call) -> tuple[Any, Any]:
    """The statistics need all samples: one task."""
    if call.values["running_mean"] is not None or call.values["running_var"] is not None:
        raise call.refuse("running statistics are written to: give None, and update them from the statistics returned")
    y, saved = _short(call, _others(call, _axis(call)))

    def flat(**values: Any) -> tuple[Any, ...]:
        y, saved = call.function(**values)
        return (y, *saved)

    results = [(call.like.shape, y.dtype), *((one.shape, one.dtype) for one in saved)]
    y, *statistics = _one_task(Call(flat, call.values, call.like), *results)
    return y, type(saved)(*statistics)


def _bias(call: Call) -> Any:
    """A gated activation halves the lengths along the axis."""
    (axis,) = _axis(call)
    example = _short(call, _others(call, (axis,)))
    return _by_blocks(call, example.dtype, (axis,), lengths={axis: partial(_constant, example.shape[axis])})


def _elementwise_gradient(call: Call) -> Any:
    return _by_blocks(call, _short(call, range(call.like.ndim)).dtype)


def _split_gradient(call: Call) -> Any:
    """The gradient dy has half the length of x along the axis."""
    x, (axis,) = call.values["x"], _axis(call)
    dtype = _short(call, _others(call, (axis,))).dtype
    return _by_blocks(call, dtype, (axis,), lengths={axis: partial(_constant, x.shape[axis])})


# Maxout.


def _maxout(call: Call) -> tuple[Any, Any]:
    """Chunks that cut groups are joined."""
    x, pieces = call.values["x"], call.values["pieces"]
    (along,) = _axis(call)
    if pieces < 1 or x.shape[along] % pieces:
        call_with(call.function, call.values | {"x": np.broadcast_to(np.zeros((), x.dtype), x.shape)})  # raises
    if any(length % pieces for length in x.chunks[along]):
        x = x.rechunk({along: max(max(x.chunks[along]) // pieces, 1) * pieces})
    found = Call(call.function, call.values | {"x": x, "axis": along}, x)
    fewer = {along: lambda length: length // pieces}
    dtypes = float_dtype(x.dtype), np.dtype(call.values["index_dtype"])
    y, which = (_by_blocks(found, dtype, pick=itemgetter(k), lengths=fewer) for k, dtype in enumerate(dtypes))
    return y, which


def _maxout_gradient(call: Call) -> Any:
    (along,) = _axis(call)
    pieces, dtype = call.values["pieces"], _short(call, range(call.like.ndim)).dtype
    return _by_blocks(call, dtype, lengths={along: lambda length: length * pieces})


# Losses.


def _loss(call: Call) -> Any:
    """Losses of samples by blocks; their sum and mean, and the gradient of those, by one task."""
    array = import_module("dask.array")
    names = [name for name in ("logits", "labels", "targets") if name in call.values]
    arrays: dict[str, Any] = {name: array.asarray(call.values[name]) for name in names}
    call, logits = call.with_values(**arrays), arrays["logits"]
    dtype, with_gradient = float_dtype(logits.dtype), call.values["return_grad"]
    none = {name: np.zeros((1,) * np.ndim(value), value.dtype) for name, value in arrays.items()}
    weights = {name: None for name in ("weight", "pos_weight") if name in call.values}
    call_with(call.function, call.values | none | weights)  # raises at once what does not depend on shapes
    if call.values["reduction"] != "none":
        found = _one_task(call, ((), dtype), *[(logits.shape, dtype)] * with_gradient)
        return tuple(found) if with_gradient else found[0]
    classes = _axis(call) if "axis" in call.values else ()
    like = logits.rechunk(dict.fromkeys(classes, -1))
    if not classes:
        given = {name: call.values[name] for name in weights}
        arrays |= {name: np.broadcast_to(value, like.shape) for name, value in given.items() if value is not None}
    every = tuple(range(like.ndim))
    samples = tuple(k for k in every if k not in classes)
    operands = []
    for part in map(array.asarray, arrays.values()):
        axes = every if part.ndim == like.ndim else samples
        operands.append((part.rechunk(tuple(like.chunks[k] for k in axes)), axes))
    compute = call.of_blocks(arrays)
    if not with_gradient:
        return _blockwise(compute, samples, operands, dtype)
    loss = _blockwise(lambda *parts: compute(*parts)[0], samples, operands, dtype)
    return loss, _blockwise(lambda *parts: compute(*parts)[1], every, operands, dtype)


RULES: dict[str, Callable[[Call], Any]] = {
    "masked_grad": _masked_gradient,
    "dropout": _dropout,
    "rrelu": _rrelu,
    "rrelu_grad": _elementwise_gradient,
    "gumbel_softmax": _gumbel,
    "prelu_grad": _prelu_gradient,
    "bias_activation": _bias,
    "bias_activation_grad": _row_gradient,
    "maxout": _maxout,
    "maxout_grad": _maxout_gradient,
    "softmax_cross_entropy": _loss,
    "sigmoid_cross_entropy": _loss,
    "layer_norm_grad": _row_gradient,
    "rms_norm_grad": _row_gradient,
    "group_norm": _by_sample,
    "instance_norm": _by_sample,
    "group_norm_grad": _sample_gradient,
    "instance_norm_grad": _sample_gradient,
    "batch_norm_grad": _batch_gradient,
    "batch_norm_train": _batch_training,
}
