"""The public functions by all their names: `numact.get`."""

from collections.abc import Callable
from functools import cache
from typing import Any

from numact._functions import axis, prelu, rrelu, ufuncs
from numact._functions.lazy import Lazy

COMPOSED: dict[str, Callable[..., Any]] = {
    function.__name__: function for function in (prelu.prelu, prelu.prelu_grad, rrelu.rrelu, rrelu.rrelu_grad)
}
for _function in COMPOSED.values():
    _function.__module__ = "numact"  # where it is public, and where a pickle looks for it
MASKED = [*(f"{name}_masked" for name, _, _, masked in ufuncs.OUTLINE if masked), "masked_grad", "dropout"]


def _find(name: str) -> Callable[..., Any]:
    if name in MASKED:
        from numact._functions import masks

        return masks.PUBLIC[name]
    return COMPOSED.get(name) or axis.PUBLIC.get(name) or ufuncs.PUBLIC[name]


FUNCTIONS: Lazy[Callable[..., Any]] = Lazy([*ufuncs.PUBLIC, *COMPOSED, *axis.PUBLIC, *MASKED], _find)

_IGNORED = str.maketrans("", "", "_- ")


def plain(name: str) -> str:
    """The name without what does not count: case, underscores, hyphens, spaces."""
    return name.casefold().translate(_IGNORED)


def names() -> list[tuple[str, str]]:
    """Every name, its aliases included, and the public name that it stands for."""
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
        For a name that no function has; the message lists similar ones.
    TypeError
        If name is neither a string nor a function of numact.

    See Also
    --------
    catalogue : All activations; other names of each are in its field ``aliases``.

    Notes
    -----
    A name stands for a formula.  Parameters keep the defaults of numact, which other libraries may have chosen
    otherwise.

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
    """The message for a name that does not exist."""
    from difflib import get_close_matches  # an import would feel it

    known = _by_plain_name()
    similar = dict.fromkeys(known[near] for near in get_close_matches(plain(name), known, 5))
    nearest = f"the nearest are {', '.join(similar)}; " if similar else ""
    return f"get: name {name!r} is unknown; {nearest}[row.name for row in numact.catalogue()] lists all activations"
