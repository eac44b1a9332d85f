"""xarray and pandas: dimensions, coordinates, names and indices are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from numact._functions.foreign import call
from numact._functions.foreign.arguments import (
    REDUCTIONS,
    argument,
    axes_of,
    first_of,
    kind_of,
    refusal,
    replaced,
    wrapped,
)

if TYPE_CHECKING:
    from collections.abc import Callable

# xarray


def call_xarray(function: Callable[..., Any], given: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    first = first_of("xarray", given, keywords)
    if not hasattr(first, "dims") or not hasattr(first, "copy") or not hasattr(first, "data"):
        raise refusal(function, first, f"give its variables, as in x.map(numact.{function.__name__})")

    def data(value: Any) -> Any:
        if kind_of(type(value)) != "xarray":
            return value
        if value.shape == first.shape and value.dims != first.dims:
            raise refusal(function, value, f"its dimensions {value.dims} must be {first.dims}: transpose it before")
        return value.data

    arguments, named = replaced(given, keywords, data)
    results = call(function, arguments, named)
    if function.__name__ in REDUCTIONS:
        return _reduced_xarray(function, first, given, keywords, results)
    lazy = hasattr(results, "__dask_graph__") and results.shape == first.shape
    found = first.copy(data=results) if lazy else wrapped(results, first.shape, lambda array: first.copy(data=array))
    if found is None:
        raise refusal(function, first, "the result has another shape: give x.values")
    return found


def _reduced_xarray(
    function: Callable[..., Any], x: Any, given: tuple[Any, ...], keywords: dict[str, Any], result: Any
) -> Any:
    """A result without the dimensions of the axes, or with 1 for each and without their coordinates."""
    dims = [x.dims[k] for k in axes_of(function, given, keywords, x.ndim)]
    if argument(function, given, keywords, "out") is not None or isinstance(result, tuple):
        raise refusal(function, x, "with out= or return_sign= give x.values")
    if not argument(function, given, keywords, "keepdims"):
        return x.isel(dict.fromkeys(dims, 0), drop=True).copy(data=result)
    kept = x.isel({dim: [0] for dim in dims})
    coordinates = [dim for dim in dims if dim in getattr(kept, "coords", {})]
    return (kept.drop_vars(coordinates) if coordinates else kept).copy(data=result)


# pandas


def call_pandas(function: Callable[..., Any], given: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    first = first_of("pandas", given, keywords)

    def data(value: Any) -> Any:
        if kind_of(type(value)) != "pandas":
            return value
        if value.shape == first.shape and not _same_index(value, first):
            raise refusal(function, value, "the indices of the operands differ: align them before")
        return value.to_numpy()

    arguments, named = replaced(given, keywords, data)
    results = call(function, arguments, named)
    if function.__name__ in REDUCTIONS and first.ndim == 2 and isinstance(results, np.ndarray) and results.ndim == 1:
        (axis,) = axes_of(function, given, keywords, 2)
        return first.iloc[:, 0].__class__(results, index=first.columns if axis == 0 else first.index)
    if function.__name__ in REDUCTIONS and np.ndim(results) == 0 and not isinstance(results, tuple):
        return results
    found = wrapped(results, first.shape, lambda array: _like_pandas(first, array))
    if found is None:
        raise refusal(function, first, "the result has another shape: give x.to_numpy()")
    return found


def _same_index(a: Any, b: Any) -> bool:
    """Whether two objects of pandas have the same labels."""
    if not hasattr(a, "index"):
        return True
    return bool(a.index.equals(b.index)) and (a.ndim == 1 or bool(a.columns.equals(b.columns)))


def _like_pandas(like: Any, array: Any) -> Any:
    """An array with the labels of an object of pandas."""
    if not hasattr(like, "index"):
        return type(like)(array, name=like.name)
    labels = {"index": like.index, **({"columns": like.columns} if like.ndim == 2 else {"name": like.name})}
    return type(like)(array, **labels)
