"""The ufuncs of the level in use as attributes, by which they are pickled, and the functions that `numact` exports."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from numact._functions.lazy import Lazy
from numact._functions.parametric import ParametricUfunc
from numact._kernels import core, targets

OUTLINE = core.outline()
ROWS = {name: suffixes for name, _, suffixes, _ in OUTLINE}
# The elements from which on `copy` is faster than NumPy.
LEAST_COPY = 4096
GATED = [name for name, family, _, _ in OUTLINE if family == "gated"]


def set_owner(ufunc: np.ufunc, module: str) -> np.ufunc:
    """Tell pickle the module of a ufunc, for which it searches otherwise; NumPy before 2.2 has no place for it."""
    with suppress(AttributeError):
        ufunc.__module__ = module
    return ufunc


def _make(name: str) -> np.ufunc:
    from numact._functions.catalogue import activation
    from numact._functions.docstrings import document

    def written(fields: dict[str, Any], suffix: str, ufunc: np.ufunc) -> str:
        row = activation(fields)
        return document(row, suffix, ufunc, RAW[row.name] if suffix else ufunc)

    ufunc = core.build(targets.LEVEL, (name,), written)[name]
    return set_owner(ufunc, __name__)


def _make_public(name: str) -> np.ufunc | ParametricUfunc | Callable[..., Any]:
    """The function of a name: what is called so in the tables, with defaults, or for arrays that hold two halves."""
    from numact._functions import catalogue

    stem, gradient, output = name.partition("_grad")
    if stem not in ROWS:
        from numact._functions.gated import split_functions

        row = catalogue.row(stem.removesuffix("_split"))
        return split_functions(row, RAW[row.name], RAW[f"{row.name}_grad"])[name]
    row, ufunc = catalogue.row(stem), RAW[name]
    at_zero = RAW.get(f"{name}_at_zero")
    if not row.parameters and at_zero is None:
        return set_owner(ufunc, "numact")
    return ParametricUfunc(ufunc, dict(row.parameters), catalogue.rules(row.domain, gradient + output), at_zero)


def _explain(function: Any, keywords: tuple[str, ...]) -> str | None:
    from numact._functions.words import explain

    return explain(function, keywords)


def _call_foreign(function: Callable[..., Any], given: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    from numact._functions.foreign import call

    return call(function, given, keywords)


def _kind_of(cls: type) -> str | None:
    from numact._functions.foreign import kind_of

    return kind_of(cls)


core.explain_with(_explain)
core.foreign_with(_call_foreign, _kind_of)
RAW: Lazy[np.ufunc] = Lazy([name + suffix for name, suffixes in ROWS.items() for suffix in suffixes], _make)
AXIS: dict[str, np.ufunc]  # made by __getattr__
PUBLIC: Lazy[np.ufunc | ParametricUfunc | Callable[..., Any]] = Lazy(
    [
        *(name for name in RAW if not name.endswith("_at_zero")),
        *(f"{name}_split{suffix}" for name in GATED for suffix in ("", "_grad")),
    ],
    _make_public,
)


def copy(source: Any, target: Any) -> None:
    """Copy an array to another one of its shape, in threads and block by block where their layouts differ."""
    if source.dtype == target.dtype and source.dtype.isnative and source.size >= LEAST_COPY:
        RAW["identity"](source, out=target)
    else:
        np.copyto(target, source, casting="same_kind")


def __getattr__(name: str) -> Any:
    if name == "AXIS":
        return globals().setdefault(name, core.build_axis(targets.LEVEL))
    if name in RAW:
        return RAW[name]
    # Not for the names with two underscores that an import asks for.
    if not name.startswith("_") and name in (axis := __getattr__("AXIS")):
        return axis[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
