"""dask: results are lazy, with the bits of arrays in memory."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from numact._functions.arguments import float_dtype
from numact._functions.docstrings import parameter_names
from numact._functions.foreign.arguments import (
    BY_ROWS,
    OF_UFUNCS,
    REDUCTIONS,
    argument,
    axes_of,
    first_of,
    kind_of,
    refusal,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def call_dask(function: Callable[..., Any], given: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    """A lazy result: the axes along which the function computes become one chunk, each of the others stays divided."""
    x = first_of("dask", given, keywords)
    name = function.__name__
    if isinstance(function, np.ufunc):
        return _call_of_several_results(function, given, keywords)
    if name in OF_UFUNCS or name.endswith("_split"):
        return function(*given, **keywords)
    rules = import_module("numact._functions.dask_rules")  # it knows the functions, which know this module
    if rule := rules.rule_of(name):
        return rule(rules.bind(function, given, keywords))
    if name not in BY_ROWS:
        raise refusal(function, x, f"give x.map_blocks(numact.{name}, ...) where that is meant, or x.compute()")
    operands = [value for value in given if np.ndim(value) == x.ndim and hasattr(value, "shape")]
    if kind_of(type(given[0] if given else None)) != "dask" or any(o.shape != x.shape for o in operands):
        raise refusal(function, x, "all operands must have one shape, and the first one be lazy")
    if argument(function, given, keywords, "out") is not None or keywords.get("return_sign"):
        raise refusal(function, x, "it is lazy, and takes neither out= nor return_sign=")
    if np.ndim(argument(function, given, keywords, "temperature")) or keywords.get("b") is not None:
        raise refusal(function, x, "temperature must be a number, and b is not for lazy arrays")
    masking = "mask" if name == "attention_softmax" else "where"
    where = argument(function, given, keywords, masking)
    axes = axes_of(function, given, keywords, x.ndim)
    whole = set(axes)
    if keywords.get("causal"):  # a query needs its position: its axis is the last of the others
        whole |= {max(set(range(x.ndim)) - whole, default=axes[0])}
    x = x.rechunk(dict.fromkeys(whole, -1))
    blocks = [x, *(_as_lazy(operand, x) for operand in operands[1:])]
    rest, named = given[len(operands) :], dict(keywords)
    if where is not None:
        blocks.append(_as_lazy(where, x))
        rest = tuple(value for value in rest if value is not where)
        named.pop(masking, None)
    if any(kind_of(type(value)) == "dask" for value in (*rest, *named.values())):
        raise refusal(function, x, "weights must be NumPy arrays beside it")
    names = list(parameter_names(function)[len(operands) :])
    if where is not None and masking in names:
        names.remove(masking)
    named.update(zip(names, rest, strict=False))
    named["axis"] = axes if len(axes) > 1 else axes[0]
    dtype = float_dtype(x.dtype)

    def block(*parts: Any) -> Any:
        arrays, mask = (parts[:-1], {masking: parts[-1]}) if where is not None else (parts, {})
        return function(*arrays, **mask, **named)

    options: dict[str, Any] = {"dtype": dtype, "meta": np.empty((0,) * x.ndim, dtype)}
    if name in REDUCTIONS:
        if named.get("keepdims"):
            options["chunks"] = tuple((1,) if k in axes else chunks for k, chunks in enumerate(x.chunks))
        else:
            options |= {"drop_axis": list(axes), "meta": np.empty((0,) * (x.ndim - len(axes)), dtype)}
    return x.map_blocks(block, *blocks[1:], **options)


def _call_of_several_results(ufunc: np.ufunc, given: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    """The lazy results of a ufunc that has more than one."""
    dtypes = [getattr(value, "dtype", type(value)) for value in given]
    dtype = ufunc.resolve_dtypes((*dtypes, *(None,) * ufunc.nout))[-1]
    signature = f"{','.join(['()'] * ufunc.nin)}->{','.join(['()'] * ufunc.nout)}"
    options = {"output_dtypes": [dtype] * ufunc.nout, **keywords}
    return import_module("dask.array").apply_gufunc(ufunc, signature, *given, **options)


def _as_lazy(value: Any, like: Any) -> Any:
    """An array as one of dask, broadcast to the shape and divided as another."""
    if kind_of(type(value)) != "dask":
        array = import_module("dask.array")
        value = array.from_array(np.broadcast_to(np.asarray(value), like.shape), chunks=like.chunks)
    return value.rechunk(like.chunks)
