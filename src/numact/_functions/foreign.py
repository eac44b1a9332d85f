"""Arrays of other libraries, and masked arrays, as arguments of the public functions that are written in Python.

A result of the shape of the argument becomes what the argument was: labels, index, mask and laziness are kept.  Where
that cannot be done, a TypeError says what to do instead; no argument is converted in silence.  No library is imported
here: a type is known by the module that defines it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from numact._functions.arguments import float_dtype
from numact._functions.axes import as_axes
from numact._functions.docstrings import parameter_names

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


def call(function: Callable[..., Any], given: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    """Call a function of which some arguments are of these kinds."""
    kinds = {kind_of(type(value)) for value in (*given, *keywords.values())} - {None}
    for kind in ("xarray", "pandas", "dask", "masked"):
        if kind in kinds:
            return globals()[f"_call_{kind}"](function, given, keywords)
    return function(*given, **keywords)


def refusal(function: Callable[..., Any], value: Any, advice: str) -> TypeError:
    """The exception for an argument that cannot be kept."""
    cls = type(value)
    library = cls.__module__.partition(".")[0]
    return TypeError(f"{function.__name__}: cannot keep a {library}.{cls.__name__}: {advice}")


def _replaced(given: tuple[Any, ...], keywords: dict[str, Any], replace: Callable[[Any], Any]) -> Any:
    """The arguments with some replaced."""
    return tuple(map(replace, given)), {name: replace(value) for name, value in keywords.items()}


def _first(kind: str, given: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    """The first argument of a kind."""
    return next(value for value in (*given, *keywords.values()) if kind_of(type(value)) == kind)


def _argument(function: Callable[..., Any], given: tuple[Any, ...], keywords: dict[str, Any], name: str) -> Any:
    """The value of a parameter in a call; None if it is not given."""
    if name in keywords:
        return keywords[name]
    names = parameter_names(function)
    position = names.index(name) if name in names else len(given)
    return given[position] if position < len(given) else None


def _axes(function: Callable[..., Any], given: tuple[Any, ...], keywords: dict[str, Any], ndim: int) -> tuple[int, ...]:
    """The axes along which a call of a function by rows computes."""
    names = parameter_names(function)  # those that may be given by position
    defaults = dict(zip(names[::-1], (function.__defaults__ or ())[::-1], strict=False))
    defaults |= function.__kwdefaults__ or {}
    position = names.index("axis") if "axis" in names else len(given)
    axis = keywords["axis"] if "axis" in keywords else given[position] if position < len(given) else defaults["axis"]
    return tuple(range(ndim)) if axis is None else as_axes(function.__name__, axis, ndim)


def _wrapped(results: Any, shape: tuple[int, ...], wrap: Callable[[Any], Any]) -> Any:
    """The results, those of a shape wrapped; None if the first is an array of another shape."""
    several = results if isinstance(results, tuple) else (results,)
    first = several[0]
    if (isinstance(first, np.ndarray | np.generic) or hasattr(first, "__dask_graph__")) and np.shape(first) != shape:
        return None
    found = tuple(wrap(r) if isinstance(r, np.ndarray) and r.shape == shape else r for r in several)
    return found if isinstance(results, tuple) else found[0]


# xarray


def _call_xarray(function: Callable[..., Any], given: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    first = _first("xarray", given, keywords)
    if not hasattr(first, "dims") or not hasattr(first, "copy") or not hasattr(first, "data"):
        raise refusal(function, first, f"give its variables, as in x.map(numact.{function.__name__})")

    def data(value: Any) -> Any:
        if kind_of(type(value)) != "xarray":
            return value
        if value.shape == first.shape and value.dims != first.dims:
            raise refusal(function, value, f"its dimensions {value.dims} must be {first.dims}: transpose it before")
        return value.data

    arguments, named = _replaced(given, keywords, data)
    results = call(function, arguments, named)
    if function.__name__ in REDUCTIONS:
        return _reduced_xarray(function, first, given, keywords, results)
    lazy = hasattr(results, "__dask_graph__") and results.shape == first.shape
    found = first.copy(data=results) if lazy else _wrapped(results, first.shape, lambda array: first.copy(data=array))
    if found is None:
        raise refusal(function, first, "the result has another shape: give x.values")
    return found


def _reduced_xarray(
    function: Callable[..., Any], x: Any, given: tuple[Any, ...], keywords: dict[str, Any], result: Any
) -> Any:
    """A result without the dimensions of the axes, or with 1 for each and without their coordinates."""
    dims = [x.dims[k] for k in _axes(function, given, keywords, x.ndim)]
    if _argument(function, given, keywords, "out") is not None or isinstance(result, tuple):
        raise refusal(function, x, "with out= or return_sign= give x.values")
    if not _argument(function, given, keywords, "keepdims"):
        return x.isel(dict.fromkeys(dims, 0), drop=True).copy(data=result)
    kept = x.isel({dim: [0] for dim in dims})
    coordinates = [dim for dim in dims if dim in getattr(kept, "coords", {})]
    return (kept.drop_vars(coordinates) if coordinates else kept).copy(data=result)


# pandas


def _call_pandas(function: Callable[..., Any], given: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    first = _first("pandas", given, keywords)

    def data(value: Any) -> Any:
        if kind_of(type(value)) != "pandas":
            return value
        if value.shape == first.shape and not _same_index(value, first):
            raise refusal(function, value, "the indices of the operands differ: align them before")
        return value.to_numpy()

    arguments, named = _replaced(given, keywords, data)
    results = call(function, arguments, named)
    if function.__name__ in REDUCTIONS and first.ndim == 2 and isinstance(results, np.ndarray) and results.ndim == 1:
        (axis,) = _axes(function, given, keywords, 2)
        return first.iloc[:, 0].__class__(results, index=first.columns if axis == 0 else first.index)
    if function.__name__ in REDUCTIONS and np.ndim(results) == 0 and not isinstance(results, tuple):
        return results
    found = _wrapped(results, first.shape, lambda array: _like_pandas(first, array))
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


# dask


def _call_dask(function: Callable[..., Any], given: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    """A lazy result: the axes along which the function computes become one chunk, each of the others stays divided."""
    x = _first("dask", given, keywords)
    name = function.__name__
    if isinstance(function, np.ufunc):
        return _call_of_several_results(function, given, keywords)
    if name in OF_UFUNCS or name.endswith("_split"):
        return function(*given, **keywords)
    if name == "maxout":
        return _lazy_maxout(function, *given, **keywords)
    if name not in BY_ROWS:
        raise refusal(function, x, f"give x.map_blocks(numact.{name}, ...) where that is meant, or x.compute()")
    operands = [value for value in given if np.ndim(value) == x.ndim and hasattr(value, "shape")]
    if kind_of(type(given[0] if given else None)) != "dask" or any(o.shape != x.shape for o in operands):
        raise refusal(function, x, "all operands must have one shape, and the first one be lazy")
    if _argument(function, given, keywords, "out") is not None or keywords.get("return_sign"):
        raise refusal(function, x, "it is lazy, and takes neither out= nor return_sign=")
    if np.ndim(_argument(function, given, keywords, "temperature")) or keywords.get("b") is not None:
        raise refusal(function, x, "temperature must be a number, and b is not for lazy arrays")
    masking = "mask" if name == "attention_softmax" else "where"
    where = _argument(function, given, keywords, masking)
    axes = _axes(function, given, keywords, x.ndim)
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
    from importlib import import_module

    dtypes = [getattr(value, "dtype", type(value)) for value in given]
    dtype = ufunc.resolve_dtypes((*dtypes, *(None,) * ufunc.nout))[-1]
    signature = f"{','.join(['()'] * ufunc.nin)}->{','.join(['()'] * ufunc.nout)}"
    options = {"output_dtypes": [dtype] * ufunc.nout, **keywords}
    return import_module("dask.array").apply_gufunc(ufunc, signature, *given, **options)


def _lazy_maxout(
    function: Callable[..., Any], x: Any, pieces: int, axis: int = -1, *, index_dtype: Any = np.intp
) -> tuple[Any, Any]:
    """The lazy results of maxout; chunks that cut groups are joined."""
    (along,) = as_axes("maxout", axis, x.ndim)
    if pieces < 1 or x.shape[along] % pieces:
        function(np.broadcast_to(np.zeros((), x.dtype), x.shape), pieces, axis)  # raises
    if any(length % pieces for length in x.chunks[along]):
        x = x.rechunk({along: max(max(x.chunks[along]) // pieces, 1) * pieces})
    chunks = tuple(
        tuple(length // pieces for length in lengths) if k == along else lengths for k, lengths in enumerate(x.chunks)
    )

    def one_of_both(block: Any, which: int) -> Any:
        return function(block, pieces, along, index_dtype=index_dtype)[which]

    dtypes = float_dtype(x.dtype), np.dtype(index_dtype)
    y, which = (
        x.map_blocks(one_of_both, which, chunks=chunks, meta=np.empty((0,) * x.ndim, dtype))
        for which, dtype in enumerate(dtypes)
    )
    return y, which


def _as_lazy(value: Any, like: Any) -> Any:
    """An array as one of dask, broadcast to the shape and divided as another."""
    if kind_of(type(value)) != "dask":
        from importlib import import_module

        array = import_module("dask.array")
        value = array.from_array(np.broadcast_to(np.asarray(value), like.shape), chunks=like.chunks)
    return value.rechunk(like.chunks)


# Masked arrays


def _call_masked(function: Callable[..., Any], given: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    name = function.__name__
    if name in MASK_AWARE or name.endswith("_split"):
        return function(*given, **keywords)
    masked = [value for value in (*given, *keywords.values()) if kind_of(type(value)) == "masked"]
    mask = np.ma.getmaskarray(masked[0])
    by_element = name in ELEMENTWISE or name.endswith(("_masked", "_split_grad"))
    if not by_element and any(np.ma.is_masked(value) for value in masked):
        raise TypeError(
            f"{name}: an operand is masked, and masked entries cannot be left out: give x.filled(...) or x.compressed()"
        )
    for value in masked[1:]:
        if value.shape == mask.shape:
            mask = mask | np.ma.getmaskarray(value)

    def data(value: Any) -> Any:
        return value.data if isinstance(value, np.ma.MaskedArray) else value

    arguments, named = _replaced(given, keywords, data)
    results = function(*arguments, **named)
    if name.endswith("_split_grad"):
        mask = _mask_of_halves(*(_argument(function, given, keywords, key) for key in ("dy", "x", "axis")))
    found = _wrapped(results, mask.shape, lambda array: np.ma.array(array, mask=mask))
    return results if found is None else found


def _mask_of_halves(dy: Any, x: Any, axis: int | None) -> Any:
    """Where a gradient of NAME_split is masked: in both halves where one of the operands is."""
    along = -1 if axis is None else axis
    first, second = np.split(np.ma.getmaskarray(np.ma.asanyarray(x)), 2, along)
    either = first | second | np.ma.getmaskarray(np.ma.asanyarray(dy))
    return np.concatenate([either, either], along)
