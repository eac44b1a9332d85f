"""The functions of numact that frameworks differentiate: each with its gradients, by a name that `numact.get` knows."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from numact._functions import catalogue, names
from numact._functions.names import FUNCTIONS
from numact._functions.parametric import ParametricUfunc

ALONG_AXIS = ("softmax", "softmin", "log_softmax", "sparsemax")


class Differentiable(NamedTuple):
    """A function of one array, and its gradient.

    Attributes
    ----------
    name : str
        Its name.
    along_axis : bool
        Whether it is one along an axis; otherwise it is elementwise.
    parameters : dict
        The parameters, and for functions along an axis the axis.

    """

    name: str
    along_axis: bool
    parameters: dict[str, Any]

    def forward(self, x: Any) -> Any:
        """The result."""
        return FUNCTIONS[self.name](x, **self.parameters)

    def backward(self, dy: Any, x: Any, y: Any) -> Any:
        """The gradient by x: from y along an axis, otherwise from x."""
        return FUNCTIONS[f"{self.name}_grad"](dy, y if self.along_axis else x, **self.parameters)


@cache
def _elementwise() -> frozenset[str]:
    return frozenset(row.name for row in catalogue.catalogue() if row.family == "elementwise")


def find(adapter: str, given: str | Callable[..., Any], parameters: dict[str, Any]) -> Differentiable:
    """The function of a name or a function of numact, with parameters that are numbers.

    Raises
    ------
    ValueError
        If there is none, or it is not elementwise nor one along an axis with a gradient.
    TypeError
        For a parameter that it does not have, or that is not a number.

    """
    name, named = names.find(given)
    named = {**named, **parameters}
    if name in ALONG_AXIS:
        allowed = {"axis", "temperature"} if name != "sparsemax" else {"axis"}
        if wrong := set(named) - allowed:
            raise TypeError(f"{adapter}: {name} has no parameter {wrong.pop()!r}, only {', '.join(sorted(allowed))}")
        return Differentiable(name, True, {"axis": -1, **named})
    if name not in _elementwise():
        raise ValueError(f"{adapter}: the function must be elementwise, or one of {', '.join(ALONG_AXIS)}; got {name}")
    function = FUNCTIONS[name]
    if isinstance(function, ParametricUfunc):
        values = function.values(**named)
        if any(not isinstance(value, int | float) for value in values):
            raise TypeError(f"{adapter}: parameters must be numbers, got {named!r}")
        named = dict(zip(dict(catalogue.row(name).parameters), map(float, values), strict=True))
    elif named:
        raise TypeError(f"{adapter}: {name} has no parameters, got {', '.join(named)}")
    return Differentiable(name, False, named)
