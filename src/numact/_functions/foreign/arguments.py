"""The arguments of a call: what they are, where a parameter is, along which axes a function computes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from numact._functions.axes import as_axes
from numact._functions.docstrings import parameter_names

if TYPE_CHECKING:
    from collections.abc import Callable

# Of these every row along the axis is computed by itself, so that dask may divide the other axes.
BY_ROWS = {"softmax", "softmin", "log_softmax", "sparsemax", "hardmax", "logsumexp"}
BY_ROWS |= {"layer_norm", "rms_norm", "batch_norm"}
BY_ROWS |= {f"{name}_grad" for name in ("softmax", "softmin", "log_softmax", "sparsemax")}
BY_ROWS |= {"attention_softmax", "attention_softmax_grad"}
# These reduce the axes.
REDUCTIONS = {"logsumexp"}
# These call ufuncs, which keep what their operands are.
OF_UFUNCS = {"prelu"}
# These know what a mask is; of the elementwise ones every element is computed by itself.
MASK_AWARE = BY_ROWS - {"layer_norm", "rms_norm", "batch_norm", "attention_softmax", "attention_softmax_grad"}
MASK_AWARE |= OF_UFUNCS | {"prelu_grad", "maxout", "maxout_grad"}
MASK_AWARE |= {"gumbel_softmax"}
ELEMENTWISE = {"dropout", "rrelu", "rrelu_grad", "masked_grad"}


def kind_of(cls: type) -> str | None:
    """The library of the class of an argument, "masked" for masked arrays; None for what needs no care."""
    if issubclass(cls, np.ma.MaskedArray):
        return "masked"
    for base in cls.__mro__:
        library = base.__module__.partition(".")[0]
        if (library, base.__name__) in KINDS:
            return library
    return None


KINDS = {
    *(("dask", "Array"), ("xarray", "DataArray"), ("xarray", "Variable"), ("xarray", "Dataset")),
    *(("pandas", "Series"), ("pandas", "DataFrame"), ("pandas", "Index")),
}


def refusal(function: Callable[..., Any], value: Any, advice: str) -> TypeError:
    """The exception for an argument that cannot be kept."""
    cls = type(value)
    library = cls.__module__.partition(".")[0]
    return TypeError(f"{function.__name__}: cannot keep a {library}.{cls.__name__}: {advice}")


def replaced(given: tuple[Any, ...], keywords: dict[str, Any], replace: Callable[[Any], Any]) -> Any:
    """The arguments with some replaced."""
    return tuple(map(replace, given)), {name: replace(value) for name, value in keywords.items()}


def first_of(kind: str, given: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    """The first argument of a kind."""
    return next(value for value in (*given, *keywords.values()) if kind_of(type(value)) == kind)


def argument(function: Callable[..., Any], given: tuple[Any, ...], keywords: dict[str, Any], name: str) -> Any:
    """The value of a parameter in a call; None if it is not given."""
    if name in keywords:
        return keywords[name]
    names = parameter_names(function)
    position = names.index(name) if name in names else len(given)
    return given[position] if position < len(given) else None


def axes_of(
    function: Callable[..., Any], given: tuple[Any, ...], keywords: dict[str, Any], ndim: int
) -> tuple[int, ...]:
    """The axes along which a call of a function by rows computes."""
    names = parameter_names(function)  # those that may be given by position
    defaults = dict(zip(names[::-1], (function.__defaults__ or ())[::-1], strict=False))
    defaults |= function.__kwdefaults__ or {}
    position = names.index("axis") if "axis" in names else len(given)
    axis = keywords["axis"] if "axis" in keywords else given[position] if position < len(given) else defaults["axis"]
    return tuple(range(ndim)) if axis is None else as_axes(function.__name__, axis, ndim)


def wrapped(results: Any, shape: tuple[int, ...], wrap: Callable[[Any], Any]) -> Any:
    """The results, those of a shape wrapped; None if the first is an array of another shape."""
    several = results if isinstance(results, tuple) else (results,)
    first = several[0]
    if (isinstance(first, np.ndarray | np.generic) or hasattr(first, "__dask_graph__")) and np.shape(first) != shape:
        return None
    found = tuple(wrap(r) if isinstance(r, np.ndarray) and r.shape == shape else r for r in several)
    return found if isinstance(results, tuple) else found[0]
