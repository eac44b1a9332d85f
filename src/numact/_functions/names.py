"""The public functions by all their names: where each is defined, and `numact.get`."""

from collections.abc import Callable
from functools import cache, lru_cache, partial
from importlib import import_module
from typing import Any

from numact._functions import ufuncs
from numact._functions.arguments import naming
from numact._functions.lazy import Lazy
from numact._functions.public import set_module
from numact._kernels.messages import shown

# The functions that are not ufuncs, by the module of this package that defines them.
MODULES = {
    "prelu": ("prelu", "prelu_grad"),
    "rrelu": ("rrelu", "rrelu_grad"),
    "axis.softmax": ("softmax", "softmin", "log_softmax", "softmax_grad", "softmin_grad", "log_softmax_grad"),
    "axis.attention": ("attention_softmax", "attention_softmax_grad"),
    "axis.logsumexp": ("logsumexp",),
    "axis.sparsemax": ("sparsemax", "hardmax", "sparsemax_grad"),
    "axis.maxout": ("maxout", "maxout_grad"),
    "axis.gumbel": ("gumbel_softmax",),
    "masks.masked": (*(f"{name}_masked" for name, _, _, masked in ufuncs.OUTLINE if masked), "masked_grad"),
    "masks.dropout": ("dropout",),
    "bias": ("bias_activation", "bias_activation_grad"),
    "losses": ("softmax_cross_entropy", "sigmoid_cross_entropy"),
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


@cache
def _by_foreign_name() -> dict[str, set[str]]:
    """What the names of other libraries, without case and the like, stand for there."""
    from numact._functions.libraries import LIBRARIES

    found: dict[str, set[str]] = {}
    for library in LIBRARIES.values():
        for name, text in library.items():
            found.setdefault(plain(name), set()).add(text)
    return found


@set_module("numact")
def get(name: str | Callable[..., Any]) -> Callable[..., Any]:
    """Find a function of numact by its name or by the name that another library gives it.

    Parameters
    ----------
    name : str or function of numact
        A name, such as "gelu", "hardswish", "LeakyReLU", "gelu_new" or "silu_grad": case, underscores, hyphens and
        spaces do not count.  Parameters in parentheses, such as "leaky_relu(0.2)" or "LeakyReLU(alpha=0.2)", may have
        the names that other libraries give them.  With a library in front, as in "keras.activations.leaky_relu", the
        name means what it means there.  A function of numact, or a functools.partial of one, is returned as it is.

    Returns
    -------
    numpy.ufunc, ParametricUfunc, function or functools.partial
        The function of that name in `numact`; a partial of it that has the parameters, if there are any.

    Raises
    ------
    ValueError
        If no function has the name, and the message lists similar names; if the function does not have a parameter, or
        does not allow its value.
    TypeError
        If name is neither a string nor a function of numact.

    See Also
    --------
    catalogue : All activations; other names of each are in its field ``aliases``.

    Notes
    -----
    A name alone stands for a formula, and the parameters have the defaults of numact.  Where those of a library or its
    formula differ, the library in front makes the difference: "leaky_relu" has the slope 0.01, "keras.leaky_relu" 0.2;
    "hard_sigmoid" has the slope 1/6, "onnx.HardSigmoid" 0.2; "gelu" is exact, "jax.nn.gelu" is `gelu_tanh`; "glu" takes
    two arrays, "torch.nn.GLU" is `glu_split`.  The libraries are torch, keras, jax, onnx, transformers, sklearn and
    thinc.

    ``inplace`` is ignored; "Softplus(beta=2, threshold=20)" is `softplus`, which needs no threshold.

    Examples
    --------
    >>> x = np.array([-4.0, -1.0, 0.0, 1.0])
    >>> numact.get("Hardswish")(x)
    array([-0.        , -0.33333333,  0.        ,  0.66666667])
    >>> numact.get("LeakyReLU(alpha=0.2)")(x)
    array([-0.8, -0.2,  0. ,  1. ])

    """
    public, parameters = find(name)
    if not isinstance(name, str):
        return name
    return partial(FUNCTIONS[public], **parameters) if parameters else FUNCTIONS[public]


def find(name: Any) -> tuple[str, dict[str, Any]]:
    """The public name of the function that `get` finds, and the parameters that it has."""
    if isinstance(name, str):
        public, pairs = _find_text(name)
        return public, dict(pairs)
    function, parameters = name, {}
    if isinstance(name, partial) and not name.args:
        function, parameters = name.func, name.keywords
    own = getattr(function, "__name__", "")
    if own not in FUNCTIONS or FUNCTIONS[own] is not function:
        raise TypeError(f"get: name must be a string or a function of numact, got {shown(name)}")
    return own, dict(parameters)


def find_argument(function: str, argument: str, value: Any) -> tuple[str, dict[str, Any]]:
    """What `find` finds of an argument of a function, which the messages name."""
    with naming(function, argument):
        return find(value)


@lru_cache(maxsize=1024)
def _find_text(text: str) -> tuple[str, tuple[tuple[str, Any], ...]]:
    """The public name and the parameters of a name with or without library and parameters."""
    if (public := _by_plain_name().get(plain(text))) is not None:
        return public, ()
    from numact._functions.spelled import bind, read

    head, positional, keywords = read(text)
    public, given = _find_head(head, text)
    if positional or keywords:
        public, given = bind(FUNCTIONS, public, given, positional, keywords, text)
    return public, tuple(given.items())


def _find_head(head: str, text: str) -> tuple[str, dict[str, Any]]:
    """The same of a name without parameters; library defaults are the only ones."""
    library, dot, rest = head.partition(".")
    if dot:
        return _find_in(library.casefold(), rest.rpartition(".")[2], text)
    wanted = plain(head)
    if (public := _by_plain_name().get(wanted)) is not None:
        return public, {}
    meanings = _by_foreign_name().get(wanted, set())
    if len(meanings) == 1:
        return find(*meanings)
    for suffix in ("_grad_y", "_grad"):
        if wanted.endswith(plain(suffix)) and _by_foreign_name().get(stem := wanted.removesuffix(plain(suffix))):
            public, given = _find_head(stem, text)
            if public + suffix in FUNCTIONS:
                return public + suffix, given
    from numact._functions.libraries import MISSING

    for library, missing in MISSING.items():
        if name := {plain(name): name for name in missing}.get(wanted):
            raise ValueError(_missing(MISSING[library][name], library, name, text))
    known = {name: name for name in _by_foreign_name()} | _by_plain_name()
    raise ValueError(
        f"get: name {shown(text)} is unknown; {_nearest(wanted, known)}"
        "[row.name for row in numact.catalogue()] lists all activations"
    )


def _find_in(library: str, name: str, text: str) -> tuple[str, dict[str, Any]]:
    """The same of the name of one library, as it is spelled there."""
    from numact._functions.libraries import LIBRARIES, MISSING

    if library == "numact" and name in FUNCTIONS:
        return name, {}
    if (known := LIBRARIES.get(library)) is None:
        raise ValueError(
            f"get: the library of {shown(text)} is unknown; "
            f"numact knows the names of {', '.join(LIBRARIES)}, and its own"
        )
    if name in known:
        return find(known[name] or plain(name))
    if name in MISSING.get(library, {}):
        raise ValueError(_missing(MISSING[library][name], library, name, text))
    raise ValueError(
        f"get: name {shown(text)} is unknown; {_nearest(name, {name: name for name in known})}"
        f"numact has no activation of {library} by that name"
    )


def _missing(reason: str, library: str, name: str, text: str) -> str:
    """The message for a name that is known, but not computed."""
    nearest = _nearest(plain(name), _by_plain_name()).removesuffix("; ")
    return f"get: numact has no {shown(text)}, which {library} has: {reason}; {nearest}".removesuffix("; ")


def _nearest(name: str, known: dict[str, str]) -> str:
    """The part of a message that lists similar names; empty if there are none."""
    from difflib import get_close_matches  # slow to import

    similar = dict.fromkeys(known[near] for near in get_close_matches(name, known, 5))
    return f"the nearest are {', '.join(similar)}; " if similar else ""
