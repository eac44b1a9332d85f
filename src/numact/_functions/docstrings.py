"""Docstrings (numpydoc): of elementwise and gated functions, made from their rows; and how others share sections."""

from collections.abc import Callable
from inspect import cleandoc
from typing import Any

import numpy as np

from numact._functions.catalogue import Activation, literal, rules

DTYPES = """\
Computes in float16, float32 and float64, and in bfloat16 where ml_dtypes is imported; integers and booleans become the
smallest float of NumPy's that holds them, as in `numpy.exp`.  A scalar of any kind as parameter does not influence the
dtype, an array does; beside float16 and bfloat16 parameters are float32."""


EXAMPLE_INPUT = np.array([-2.0, -0.5, 0.0, 0.5, 2.0])
EXAMPLE_INPUTS = np.array([-1.0, 0.0, 2.0]), np.array([1.0, 2.0, 3.0])


def document(activation: Activation, suffix: str, ufunc: np.ufunc, forward: np.ufunc) -> str:
    """The docstring (numpydoc) of one of an activation's functions; `forward` is the activation itself."""
    row = activation
    if suffix == "":
        head = f"{row.formula}, element by element."
    else:
        source = "output" if suffix == "_grad_y" else "input"
        head = f"Gradient of `{row.name}`: dy times the derivative, from the {source}."
    sections = {
        "Parameters": _parameters(row, suffix),
        "Returns": _returns(row, suffix),
        "Raises": _raises(row, suffix),
        "See Also": _see_also(row, suffix),
        "Notes": _notes(row, suffix),
        "Examples": _example(row, suffix, ufunc, forward),
    }
    return "\n\n".join([head, *(f"{title}\n{'-' * len(title)}\n{text}" for title, text in sections.items())])


def _parameters(row: Activation, suffix: str) -> str:
    if suffix:
        items = ["dy : array_like\n    Gradient by the output, of any shape that broadcasts with the other operands."]
        names, what = (("y",), "Output") if suffix == "_grad_y" else (row.arguments, "Input")
        items += [f"{name} : array_like\n    {what} of the forward pass." for name in names]
    else:
        kinds = "Input, of any shape; integers and booleans are taken as `numpy.exp` takes them."
        items = [f"{name} : array_like\n    {kinds}" for name in row.arguments]
    for name, default in row.parameters:
        kind = "array_like" if default is None else f"array_like, default {default}"
        items.append(f"{name} : {kind}\n    Parameter of the formula: a number, or an array that broadcasts.")
    if row.kink and suffix == "_grad":
        items.append("at_zero : array_like, optional\n    The derivative to take where x is 0.")
    if suffix == "_grad_at_zero":
        items.append("at_zero : array_like\n    The derivative to take where x is 0.")
    if suffix and len(row.arguments) > 1:
        items.append("out : tuple of two ndarray or None, optional\n    Arrays to write into; each may be an operand.")
    else:
        operand = "dy" if suffix else row.arguments[0]
        items.append(
            "out : ndarray, optional\n    Array to write into, of the shape of the result; "
            f"it may be {operand}, which computes in place."
        )
    items.append("**keywords\n    where, dtype, casting, order, subok, signature: as in every `numpy.ufunc`.")
    return "\n".join(items)


def _returns(row: Activation, suffix: str) -> str:
    results = {f"d{name}": f"Gradient by {name}" for name in row.arguments} if suffix else {"y": "The activation"}
    shape = "of the shape that the operands broadcast to."
    return "\n".join(f"{name} : ndarray or scalar\n    {what}, {shape}" for name, what in results.items())


def _raises(row: Activation, suffix: str) -> str:
    required = [name for name, default in row.parameters if default is None]
    missing = f", or without {' or '.join(required)}" if required else ""
    text = f"TypeError\n    For operands that are neither floating-point numbers, integers nor booleans{missing}."
    if allowed := rules(row.domain, suffix):
        text += f"\nValueError\n    Unless {allowed.replace(', ', ' and ')}."
    return text


def _see_also(row: Activation, suffix: str) -> str:
    family = {"": "The activation.", "_grad": "Its gradient, from the input."}
    if row.from_output:
        family["_grad_y"] = "Its gradient, from the output."
    family.pop(suffix, None)
    if row.family == "gated":
        family["_split" + suffix] = "The same of one array, whose halves are the two."
    items = [f"{row.name}{other} : {what}" for other, what in family.items()]
    return "\n".join([*items, "catalogue : All activations, with formulas and bounds of the error."])


def _notes(row: Activation, suffix: str) -> str:
    several = len(row.arguments) > 1
    derivatives = [f"df/d{argument}" for argument in row.arguments] if several else ["f'(x)"]
    notes = [
        f"f({', '.join(row.arguments)}) = {row.formula}",
        *map("{} = {}".format, derivatives, row.derivative.split("\n")),
        f"The values of f lie in {row.range}.",
    ]
    if row.kinks:
        choice = f"; at 0, ``{row.name}_grad`` takes another as ``at_zero=``" if row.kink else ""
        notes.append(f"The derivative jumps at {row.arguments[0]} = {row.kinks}, where it has the value above{choice}.")
    if suffix and (only_y := rules(row.domain, "_grad_y")) != rules(row.domain, ""):
        notes.append(f"From the output there is a derivative for {only_y} only.")
    notes.append(
        f"The error is at most {row.ulp_gradient if suffix else row.ulp} ULP{' for dy = 1' if suffix else ''}, "
        "tails and subnormal results included;\nfor float16 and bfloat16, which are computed in float32 and rounded "
        "once, 0.51 ULP."
    )
    notes.append(DTYPES)
    if row.notes:
        notes.append(row.notes)
    if row.aliases:
        notes.append(f"Other names, under which `get` finds it: {', '.join(row.aliases)}.")
    return "\n\n".join(notes)


def _example(row: Activation, suffix: str, ufunc: np.ufunc, forward: np.ufunc) -> str:
    """A call with its output, which the function computes."""
    parameters = {name: 1.0 if default is None else default for name, default in row.parameters}
    values, given = tuple(parameters.values()), "".join(f", {key}={literal(v)}" for key, v in parameters.items())
    inputs = EXAMPLE_INPUTS[: len(row.arguments)] if len(row.arguments) > 1 else (EXAMPLE_INPUT,)
    operands = ", ".join(row.arguments)
    lines = [f">>> {name} = {_array(value)}" for name, value in zip(row.arguments, inputs, strict=True)]
    call, (x, *_) = f"numact.{row.name}{suffix}", inputs
    if suffix == "":
        return "\n".join([*lines, f">>> {call}({operands}{given})", repr(ufunc(*inputs, *values))])
    dy = np.ones_like(x)
    if suffix == "_grad_y":
        y = forward(x, *values)
        lines += [f">>> y = numact.{row.name}({operands}{given})", f">>> {call}(np.ones_like(y), y{given})"]
        return "\n".join([*lines, repr(ufunc(dy, y, *values))])
    if len(inputs) > 1:
        names = [f"d{name}" for name in row.arguments]
        lines.append(f">>> {', '.join(names)} = {call}(np.ones_like({row.arguments[0]}), {operands})")
        results = zip(names, ufunc(dy, *inputs), strict=True)
        return "\n".join([*lines, *(f">>> {name}\n{result!r}" for name, result in results)])
    if suffix != "_grad":
        return "\n".join([*lines, f">>> dx = numact.{row.name}_grad(np.ones_like(x), x{given}, at_zero=0.5)"])
    dx = ufunc(dy, x, *values)
    lines += [f">>> {call}(np.ones_like(x), x{given})", repr(dx)]
    if row.kink:
        lines += [f">>> {call}(np.ones_like(x), x{given}, at_zero=0.5)", repr(np.where(x == 0, 0.5, dx))]
    return "\n".join(lines)


def _array(values: np.ndarray[Any, Any]) -> str:
    """The expression of an array."""
    return f"np.array({values.tolist()})"


def parameter_names(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names of the parameters of a Python function."""
    return function.__code__.co_varnames[: function.__code__.co_argcount]


def fill(function: Callable[..., Any], **sections: str) -> None:
    """Put texts into a docstring, each in place of its name in braces."""
    text = cleandoc(function.__doc__ or "")
    for name, section in sections.items():
        text = text.replace(f"{{{name}}}", section)
    function.__doc__ = text
