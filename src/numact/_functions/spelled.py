"""Names with parameters, such as "LeakyReLU(alpha=0.2)": how they are read, and what the parameters are in numact."""

import ast
import warnings
from collections.abc import Callable, Mapping
from inspect import signature
from math import inf, nan
from numbers import Real
from typing import Any

import numpy as np

from numact._functions.parametric import ParametricUfunc
from numact._functions.words import hint, own_word, split_suffix
from numact._kernels.messages import shown

# What a name does not give: operands, and where the result goes.
OPERANDS = frozenset({"x", "dy", "y", "which", "mask", "out"})
# Parameters by position after those of numact, as PyTorch's layers have them.
FURTHER = {"gelu": ("approximate",), "gelu_tanh": ("approximate",), "softplus": ("threshold",), "glu": ("dim",)}
# Words of a text that are no literals.
CONSTANTS = {"inf": inf, "nan": nan}
# From this threshold on PyTorch's softplus and Thinc's mish are those of numact, to float32.
LARGE = 20


def read(text: str) -> tuple[str, list[Any], dict[str, Any]]:
    """The name, and the parameters by position and by keyword; they must be literals."""
    head, parenthesis, rest = text.partition("(")
    if not parenthesis:
        return text, [], {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            call = ast.parse(f"f({rest}", mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or not rest.endswith(")"):
            raise ValueError("no call")
        positional = [_literal(node) for node in call.args]
        keywords = {keyword.arg: _literal(keyword.value) for keyword in call.keywords if keyword.arg}
        if len(keywords) < len(call.keywords):
            raise ValueError("a keyword twice, or **")
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        raise ValueError(
            f"get: the parameters of {shown(text)} must be literals, by position or as name=value, in parentheses"
        ) from None
    return head.strip(), positional, keywords


def _literal(node: ast.expr) -> Any:
    """The value of a literal; inf and nan are what repr prints for the numbers."""
    sign = -1 if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else 1
    name = node.operand if isinstance(node, ast.UnaryOp) and sign < 0 else node
    if isinstance(name, ast.Name) and name.id in CONSTANTS:
        return sign * CONSTANTS[name.id]
    value = ast.literal_eval(node)
    hash(value)
    return value


def bind(
    functions: Mapping[str, Callable[..., Any]],
    public: str,
    defaults: dict[str, Any],
    positional: list[Any],
    keywords: dict[str, Any],
    text: str,
) -> tuple[str, dict[str, Any]]:
    """The function that computes what a name with parameters means, and the parameters by its names.

    Parameters
    ----------
    functions : mapping of str to callable
        All functions by their names.
    public : str
        The function that the name alone stands for.
    defaults : dict
        The parameters that the name alone stands for.
    positional, keywords : list and dict
        The parameters in the name.
    text : str
        The name as it is given, for messages.

    Returns
    -------
    public : str
        The function.
    parameters : dict
        Its parameters.

    Raises
    ------
    ValueError
        For a parameter that the function does not have, or a value that it does not allow.

    """
    stem, suffix = split_suffix(public)
    keywords = dict(keywords)
    order = [*_parameters(functions[public]), *FURTHER.get(stem, ()), "inplace"]
    if len(positional) > len(order):
        raise ValueError(f"get: {shown(text)} has {len(positional)} parameters by position, more than {public} has")
    for name, value in zip(order, positional, strict=False):
        if name in keywords:
            raise ValueError(f"get: {shown(text)} gives {name} twice")
        keywords[name] = value
    if not isinstance(keywords.pop("inplace", False), bool):
        raise ValueError(f"get: {shown(text)}: inplace must be True or False")
    try:
        stem, keywords = _meaning(functions, stem, suffix, keywords)
        return stem + suffix, _own_parameters(functions[stem + suffix], stem + suffix, defaults, keywords)
    except (TypeError, ValueError) as error:
        raise ValueError(f"get: {shown(text)}: {error}") from None


def _parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names of the parameters that a name may give, in the order of the call."""
    if isinstance(function, ParametricUfunc):
        return tuple(function.defaults)
    if isinstance(function, np.ufunc):
        return ()
    return tuple(name for name in signature(function).parameters if name not in OPERANDS)


def _own_parameters(
    function: Callable[..., Any], public: str, defaults: dict[str, Any], keywords: dict[str, Any]
) -> dict[str, Any]:
    """The parameters by their own names, checked."""
    names = _parameters(function)
    found: dict[str, Any] = {}
    for word, value in keywords.items():
        own = word if word in names else own_word(public, names, word)
        if own is None:
            raise ValueError(f"{public} has no parameter {word}{hint(public, names, word)}")
        if own in found:
            raise ValueError(f"{own} is given twice")
        if word == "dim" and value is None:
            raise ValueError("dim=None leaves the axis to PyTorch, and must be a number here")
        found[own] = value
    found = defaults | found
    if isinstance(function, ParametricUfunc):
        for name, value in found.items():
            _number(name, value)
        if None not in {**function.defaults, **found}.values():
            function.values(**found)
    return found


def _number(name: str, value: Any) -> float:
    """The value, which must be a number."""
    if not isinstance(value, Real) or isinstance(value, bool):
        raise ValueError(f"{name} must be a number, got {shown(value)}")
    return float(value)


# Words that choose a function


def _meaning(
    functions: Mapping[str, Callable[..., Any]], stem: str, suffix: str, keywords: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    """The function that is meant where a parameter is one that it does not have, but another does."""
    names = _parameters(functions[stem + suffix])
    foreign = any(word not in names and own_word(stem, names, word) is None for word in keywords)
    found = MEANINGS[stem](dict(keywords)) if foreign and stem in MEANINGS else None
    return found if found is not None and found[0] + suffix in functions else (stem, keywords)


Meaning = tuple[str, dict[str, Any]] | None


def _gelu(keywords: dict[str, Any]) -> Meaning:
    """PyTorch, ONNX and JAX choose the formula by a parameter."""
    if "approximate" not in keywords:
        return None
    value = keywords.pop("approximate")
    if value in ("none", False):
        return "gelu", keywords
    if value in ("tanh", True):
        return "gelu_tanh", keywords
    raise ValueError(f'approximate must be "none" or "tanh", got {shown(value)}')


def _relu(keywords: dict[str, Any]) -> Meaning:
    """Keras has the parameters of general_relu, PyTorch none."""
    names = ("negative_slope", "max_value", "threshold")
    given = {own_word("general_relu", names, word) or word: value for word, value in keywords.items()}
    if given.get("max_value", inf) is None:
        del given["max_value"]
    changed = any(name not in names or value != 0 for name, value in given.items())
    return ("general_relu", given) if changed else ("relu", {})


def _threshold(stem: str) -> Callable[[dict[str, Any]], Meaning]:
    """A threshold beyond which f(x) = x, large enough not to matter."""

    def drop(keywords: dict[str, Any]) -> Meaning:
        if "threshold" not in keywords:
            return None
        if _number("threshold", threshold := keywords.pop("threshold")) < LARGE:
            raise ValueError(f"threshold must be {LARGE} or more, where {stem} needs none, got {threshold}")
        return stem, keywords

    return drop


def _line(stem: str) -> Callable[[dict[str, Any]], Meaning]:
    """A function whose general form has the parameters slope and offset: alpha and beta in ONNX."""

    def general(keywords: dict[str, Any]) -> Meaning:
        names = ("slope", "offset")
        given = {own_word(stem, names, word) or word: value for word, value in keywords.items()}
        return stem, {"slope": 1 / 6, "offset": 0.5, **given}

    return general


MEANINGS: dict[str, Callable[[dict[str, Any]], Meaning]] = {
    "gelu": _gelu,
    "gelu_tanh": _gelu,
    "relu": _relu,
    "softplus": _threshold("softplus"),
    "mish": _threshold("mish"),
    "hard_sigmoid": _line("clipped_linear"),
    "hard_swish": _line("clipped_swish"),
    "glu": lambda keywords: ("glu_split", keywords),
    "prelu": lambda keywords: ("prelu", {word: keywords[word] for word in keywords if word != "num_parameters"}),
}
