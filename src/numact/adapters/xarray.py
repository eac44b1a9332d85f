"""The functions of numact along named dimensions: of DataArray, Variable, and every variable of a Dataset.

Coordinates, names and attributes are kept.  Each result has the bits that the function of the same name in `numact` has
for the axes of the dimensions; lazy arrays stay lazy, their dimensions along which a function computes become one chunk
(`numact.adapters.dask` computes along divided ones).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from numact._functions.names import FUNCTIONS
from numact.adapters._require import require
from numact.norm.layer import layer_norm as _layer_norm
from numact.norm.rms import rms_norm as _rms_norm

xarray: Any = require("xarray", "xarray", "xarray", "2024.1", "3000.0")


def _dims(function: str, x: Any, dim: Any) -> tuple[Hashable, ...]:
    """The dimensions that are meant: all for None."""
    if dim is None or dim is ...:
        return tuple(x.dims)
    dims = (dim,) if isinstance(dim, str) or dim in x.dims else tuple(dim)
    if missing := [one for one in dims if one not in x.dims]:
        raise ValueError(f"{function}: dim must name dimensions of x, {tuple(x.dims)}, got {missing[0]!r}")
    return dims


def _along(function: str, compute: Callable[..., Any], x: Any, dim: Any, options: dict[str, Any]) -> Any:
    """Call a function along dimensions."""
    if isinstance(x, xarray.Dataset):
        dims = set(_dims(function, x, dim))
        return x.map(
            lambda variable: (
                _along(function, compute, variable, [d for d in variable.dims if d in dims], options)
                if dims & set(variable.dims)
                else variable
            ),
            keep_attrs=True,
        )
    if not isinstance(x, xarray.DataArray | xarray.Variable):
        raise TypeError(f"{function}: x must be a DataArray, a Variable or a Dataset, got {type(x).__name__}")
    axes = tuple(x.get_axis_num(one) for one in _dims(function, x, dim))
    if isinstance(where := options.get("where"), xarray.DataArray | xarray.Variable):
        if extra := set(where.dims) - set(x.dims):
            raise ValueError(f"{function}: where must have dimensions of x, got {extra.pop()!r}")
        where = where.broadcast_like(x) if isinstance(x, xarray.DataArray) else where.set_dims(dict(x.sizes))
        options = {**options, "where": where.transpose(*x.dims).data}
    return compute(x, axis=axes if len(axes) != 1 else axes[0], **options)


def _function(name: str, compute: Callable[..., Any], summary: str, keywords: str, gives: str) -> Callable[..., Any]:
    def function(x: Any, dim: Any = None, **options: Any) -> Any:
        return _along(name, compute, x, dim, options)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""{summary}, along dimensions.

    Parameters
    ----------
    x : xarray.DataArray, Variable or Dataset
        Input; of a dataset, every variable that has one of the dimensions.
    dim : hashable, iterable of hashable or None, default None
        The dimensions along which the function is taken; None: all.
    **options : object
        {keywords}

    Returns
    -------
    xarray object
        {gives}

    Raises
    ------
    ValueError
        If x does not have a dimension, or an option is not allowed.
    TypeError
        If x is none of these.

    See Also
    --------
    numact.{"norm." if "norm" in name else ""}{name} : The function along an axis.

    Examples
    --------
    >>> import xarray
    >>> x = xarray.DataArray([[1.0, 2.0]], dims=("sample", "category"))
    >>> numact.adapters.xarray.{name}(x, dim="category").values
    {compute(np.array([[1.0, 2.0]]), axis=-1)!r}

    """
    return function


_WHERE = "``where=`` of booleans, which broadcasts by its dimensions"
_SAME = "Of the dimensions, coordinates and dtypes of x."

softmax = _function("softmax", FUNCTIONS["softmax"], "e^(x / T) over its sum", f"{_WHERE}; ``temperature=``.", _SAME)
softmin = _function("softmin", FUNCTIONS["softmin"], "`softmax` of -x", f"{_WHERE}; ``temperature=``.", _SAME)
log_softmax = _function(
    "log_softmax", FUNCTIONS["log_softmax"], "Logarithm of `softmax`", f"{_WHERE}; ``temperature=``.", _SAME
)
sparsemax = _function("sparsemax", FUNCTIONS["sparsemax"], "Projection on the simplex", f"{_WHERE}.", _SAME)
hardmax = _function("hardmax", FUNCTIONS["hardmax"], "1 at the first maximum, else 0", "None.", _SAME)
logsumexp = _function(
    "logsumexp",
    FUNCTIONS["logsumexp"],
    "Logarithm of the sum of exponentials",
    f"{_WHERE}; ``keepdims=``.",
    "Without the dimensions.",
)
layer_norm = _function("layer_norm", _layer_norm, "Layer normalisation", "``weight=``, ``bias=``, ``eps=``.", _SAME)
rms_norm = _function("rms_norm", _rms_norm, "Normalisation by the root mean square", "``weight=``, ``eps=``.", _SAME)
