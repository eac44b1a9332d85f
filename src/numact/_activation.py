"""A row of the list of activations as Python sees it, and the documentation that follows from it."""

from dataclasses import dataclass

# Suffix of the ufunc's name, in the order of enum numact_kind.
SUFFIXES = ("", "_grad", "_grad_y", "_grad_at_zero")

DTYPES = (
    "Computes in float16, float32 and float64, and in bfloat16 where ml_dtypes is imported; integers and booleans "
    "become the smallest float of NumPy's that holds them, as in `numpy.exp`.  A Python number as parameter is rounded "
    "to the dtype of the arrays."
)


@dataclass(frozen=True, slots=True)
class Activation:
    """An activation function as the list in csrc/activations.h describes it.

    Attributes
    ----------
    name : str
        Name of the function in `numact`.
    parameters : tuple of (str, float)
        Names and defaults of the parameters.
    domain : str
        The values that parameters may take; "y: ..." where only the gradient from the output is limited.
    from_output : bool
        Whether ``NAME_grad_y`` exists.
    kink : bool
        Whether the derivative jumps at 0, so that the gradient takes ``at_zero=``.
    overflows : bool
        Whether finite input may overflow; NumPy then warns as usual.
    ulp, ulp_gradient : float
        Bounds of the error, in units in the last place.
    formula, derivative, range, kinks, notes : str
        What the function is, for readers: `kinks` lists the points where the derivative jumps.
    aliases : tuple of str
        Other names under which `numact.get` finds it.

    """

    name: str
    parameters: tuple[tuple[str, float], ...]
    domain: str
    from_output: bool
    kink: bool
    overflows: bool
    ulp: float
    ulp_gradient: float
    formula: str
    derivative: str
    range: str
    kinks: str
    aliases: tuple[str, ...]
    notes: str


def parse_parameters(text: str) -> tuple[tuple[str, float], ...]:
    """Split "alpha=1.0, beta=2.0" into names and defaults."""
    pairs = (item.split("=") for item in text.split(", ") if item)
    return tuple((name, float(default)) for name, default in pairs)


def document(activation: Activation, suffix: str) -> str:
    """The docstring (numpydoc) of one of an activation's functions."""
    row = activation
    if suffix == "":
        head = f"{row.formula}, element by element."
        operands = "x : array_like\n    Input."
        result = "y : ndarray or scalar\n    The activation, of the shape that the operands broadcast to."
        bound = row.ulp
    else:
        source = "y" if suffix == "_grad_y" else "x"
        head = f"Gradient of `{row.name}`: dy times the derivative, from the {'output' if source == 'y' else 'input'}."
        operands = (
            "dy : array_like\n    Gradient by the output.\n"
            f"{source} : array_like\n    {'Output' if source == 'y' else 'Input'} of the forward pass."
        )
        result = "dx : ndarray or scalar\n    Gradient by the input; ``out=dy`` computes it in place."
        bound = row.ulp_gradient
    for name, default in row.parameters:
        operands += f"\n{name} : array_like, default {default}\n    Parameter of the formula; an array broadcasts."
    if row.kink and suffix in ("_grad", "_grad_at_zero"):
        operands += "\nat_zero : array_like, optional\n    The derivative to take where x is 0."
    operands += "\nout, where, dtype, casting, order, subok\n    As in every `numpy.ufunc`."
    notes = [
        f"f(x) = {row.formula}",
        f"f'(x) = {row.derivative}",
        f"The error is at most {bound} ULP{' for dy = 1' if suffix else ''}, tails and subnormal results included; for "
        "float16 and bfloat16, which are computed in float32 and rounded once, 0.51 ULP.",
        DTYPES,
    ]
    if row.domain:
        notes.append(
            f"Allowed parameters: {row.domain.removeprefix('y: ')}"
            f"{' (gradient from the output)' if row.domain.startswith('y: ') else ''}."
        )
    if row.notes:
        notes.append(row.notes)
    sections = {"Parameters": operands, "Returns": result, "Notes": "\n\n".join(notes)}
    return "\n\n".join([head, *(f"{title}\n{'-' * len(title)}\n{text}" for title, text in sections.items())])
