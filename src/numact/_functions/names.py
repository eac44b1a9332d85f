"""The public functions by all their names: where each is defined, and `numact.get`."""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from numact._functions import ufuncs
from numact._functions.lazy import Lazy
from numact._functions.public import set_module

# The functions that are not ufuncs, by the module of this package that defines them.
MODULES = {
    "prelu": ("prelu", "prelu_grad"),
    "rrelu": ("rrelu", "rrelu_grad"),
    "axis.softmax": ("softmax", "softmin", "log_softmax", "softmax_grad", "softmin_grad", "log_softmax_grad"),
    "axis.logsumexp": ("logsumexp",),
    "axis.sparsemax": ("sparsemax", "hardmax", "sparsemax_grad"),
    "axis.maxout": ("maxout", "maxout_grad"),
    "axis.gumbel": ("gumbel_softmax",),
    "masks.masked": (*(f"{name}_masked" for name, _, _, masked in ufuncs.OUTLINE if masked), "masked_grad"),
    "masks.dropout": ("dropout",),
}
_MODULE_OF = {name: module for module, functions in MODULES.items() for name in functions}


def _find(name: str) -> Callable[..., Any]:
    """The function of a public name; its module is imported when the first of its functions is read."""
    if (module := _MODULE_OF.get(name)) is None:
        return ufuncs.PUBLIC[name]
    found: Callable[..., Any] = getattr(import_module(f"numact._functions.{module}"), name)
    return found


FUNCTIONS: Lazy[Callable[..., Any]] = Lazy([*ufuncs.PUBLIC, *_MODULE_OF], _find)

_IGNORED = str.maketrans("", "", "_- ")


def plain(name: str) -> str:
    """The name without case, underscores, hyphens and spaces, which do not count."""
    return name.casefold().translate(_IGNORED)


def names() -> list[tuple[str, str]]:
    """All pairs of a name, aliases included, and the public name for which it stands."""
    pairs = [(name, name) for name in FUNCTIONS]
    from numact._functions.catalogue import catalogue

    for row in catalogue():
        for suffix in ("", "_grad", "_grad_y"):
            if row.name + suffix in FUNCTIONS:
                pairs += [(alias + suffix, row.name + suffix) for alias in row.aliases]
    return pairs


@cache
def _by_plain_name() -> dict[str, str]:
    return {plain(name): public for name, public in names()}


@set_module("numact")
def get(name: str | Callable[..., Any]) -> Callable[..., Any]:
    """Find a function of numact by its name or by the name that another library gives it.

    Parameters
    ----------
    name : str or function of numact
        A name, such as "gelu", "hardswish", "LeakyReLU", "gelu_new" or "silu_grad": case, underscores, hyphens and
        spaces do not count.  A function of numact is returned as it is.

    Returns
    -------
    numpy.ufunc, ParametricUfunc or function
        The function of that name in `numact`.

    Raises
    ------
    ValueError
        If no function has the name; the message lists similar names.
    TypeError
        If name is neither a string nor a function of numact.

    See Also
    --------
    catalogue : All activations; other names of each are in its field ``aliases``.

    Notes
    -----
    A name stands for a formula.  The parameters have the defaults of numact; those of other libraries may differ.

    Examples
    --------
    >>> y = numact.get("Hardswish")(x)

    """
    if isinstance(name, str):
        if (public := _by_plain_name().get(plain(name))) is None:
            raise ValueError(_unknown(name))
        return FUNCTIONS[public]
    own = getattr(name, "__name__", "")
    if own not in FUNCTIONS or FUNCTIONS[own] is not name:
        raise TypeError(f"get: name must be a string or a function of numact, got {name!r}")
    return name


def _unknown(name: str) -> str:
    """The message for an unknown name."""
    from difflib import get_close_matches  # slow to import

    known = _by_plain_name()
    similar = dict.fromkeys(known[near] for near in get_close_matches(plain(name), known, 5))
    nearest = f"the nearest are {', '.join(similar)}; " if similar else ""
    return f"get: name {name!r} is unknown; {nearest}[row.name for row in numact.catalogue()] lists all activations"
