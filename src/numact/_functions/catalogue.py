"""The rows of the lists in csrc/formulas as Python sees them: `numact.catalogue`."""

from dataclasses import dataclass
from typing import Any

from numact._functions.public import set_module
from numact._kernels import core


@set_module("numact")
@dataclass(frozen=True, slots=True)
class Activation:
    """An activation function as the lists in csrc/formulas/activations.h and gated.h describe it.

    Attributes
    ----------
    name : str
        Name of the function in `numact`.
    family : str
        "elementwise": of one array; "gated": of two; "axis": of the entries along an axis of one, with the gradient
        ``NAME_grad(dy, y)`` from the output where `from_output` says so.
    arguments : tuple of str
        Names of the arrays, such as "x", or "gate" and "up".
    parameters : tuple of (str, float or None)
        Names and defaults of the parameters; None where a call must give it.
    domain : str
        Rules that the parameters obey, such as "alpha >= 0, lower <= upper"; those after "y: " concern the gradient
        from the output only.
    from_output : bool
        Whether ``NAME_grad_y`` exists.
    kink : bool
        Whether the derivative jumps at 0, so that the gradient takes ``at_zero=``.
    masked : bool
        Whether ``NAME_masked`` exists, which also gives the `BitMask` that `masked_grad` needs instead of x.
    overflows : bool
        Whether finite input may overflow; NumPy then warns as usual.
    ulp, ulp_gradient : float
        Bounds of the error, in units in the last place; 0 where there is no gradient.
    formula, derivative, range, kinks, notes : str
        What the function is, for readers: `kinks` lists the points where the derivative jumps, `derivative` has a line
        for each argument.
    aliases : tuple of str
        Other names under which `numact.get` finds it.

    """

    name: str
    family: str
    arguments: tuple[str, ...]
    parameters: tuple[tuple[str, float | None], ...]
    domain: str
    from_output: bool
    kink: bool
    masked: bool
    overflows: bool
    ulp: float
    ulp_gradient: float
    formula: str
    derivative: str
    range: str
    kinks: str
    aliases: tuple[str, ...]
    notes: str


def parse_parameters(text: str) -> tuple[tuple[str, float | None], ...]:
    """Split "alpha, beta=2.0" into names and defaults, None where there is no default."""
    pairs = (item.partition("=") for item in text.split(", ") if item)
    return tuple((name, float(default) if default else None) for name, _, default in pairs)


def rules(domain: str, suffix: str) -> str:
    """The rules of a domain that hold for a function: those after "y: " only for the gradient from the output."""
    texts = domain.split(", ")
    return ", ".join(text.removeprefix("y: ") for text in texts if suffix == "_grad_y" or not text.startswith("y: "))


def literal(value: float) -> str:
    """The number as Python code."""
    return "np.inf" if value == float("inf") else repr(value)


def activation(fields: dict[str, Any]) -> Activation:
    """The row whose fields the bridge has read: texts that list several things come apart."""
    fields["arguments"] = tuple(fields["arguments"].split(", "))
    fields["parameters"] = parse_parameters(fields["parameters"])
    fields["aliases"] = tuple(fields["aliases"].split(", ")) if fields["aliases"] else ()
    return Activation(**fields)


def row(name: str) -> Activation:
    """The row of an elementwise or gated activation; KeyError if there is none of this name."""
    return activation(core.row(name))


@set_module("numact")
def catalogue() -> list[Activation]:
    """List of all activations.

    They stand in the order of the lists: elementwise, gated, along an axis.

    Returns
    -------
    list of Activation
        Name, family, parameters with defaults, formula, derivative and error bounds of each.

    See Also
    --------
    get : The function of a name.

    Examples
    --------
    >>> [row.name for row in numact.catalogue() if row.kink]
    ['relu', 'relu6', 'leaky_relu', 'elu', 'selu']

    """
    return [activation(fields) for fields in core.rows()]
