"""The text of numact/__init__.pyi, from the lists in csrc/formulas: the build writes it into the package."""

import re
from collections.abc import Iterator

HEAD = """\
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import diagnostics as diagnostics
from . import init as init
from . import memory as memory
from . import norm as norm
from . import study as study
from numact._functions.catalogue import Activation as Activation
from numact._functions.axis.attention import attention_softmax as attention_softmax
from numact._functions.axis.attention import attention_softmax_grad as attention_softmax_grad
from numact._functions.axis.gumbel import gumbel_softmax as gumbel_softmax
from numact._functions.axis.sparsemax import hardmax as hardmax
from numact._functions.axis.softmax import log_softmax as log_softmax
from numact._functions.axis.softmax import log_softmax_grad as log_softmax_grad
from numact._functions.axis.logsumexp import logsumexp as logsumexp
from numact._functions.axis.maxout import maxout as maxout
from numact._functions.axis.maxout import maxout_grad as maxout_grad
from numact._functions.axis.softmax import softmax as softmax
from numact._functions.axis.softmax import softmax_grad as softmax_grad
from numact._functions.axis.softmax import softmin as softmin
from numact._functions.axis.softmax import softmin_grad as softmin_grad
from numact._functions.axis.sparsemax import sparsemax as sparsemax
from numact._functions.axis.sparsemax import sparsemax_grad as sparsemax_grad
from numact._functions.bias import bias_activation as bias_activation
from numact._functions.bias import bias_activation_grad as bias_activation_grad
from numact._functions.derivative import derivative as derivative
from numact._functions.losses import sigmoid_cross_entropy as sigmoid_cross_entropy
from numact._functions.losses import softmax_cross_entropy as softmax_cross_entropy
from numact._functions.prelu import prelu as prelu
from numact._functions.prelu import prelu_grad as prelu_grad
from numact._functions.rrelu import rrelu as rrelu
from numact._functions.rrelu import rrelu_grad as rrelu_grad
from numact._functions.catalogue import catalogue as catalogue
from numact._functions.masks.bit_mask import BitMask as BitMask
from numact._functions.masks.dropout import dropout as dropout
from numact._functions.masks.masked import masked_grad as masked_grad
from numact._functions.names import get as get
from numact._functions.parametric import ParametricUfunc as ParametricUfunc
from numact._kernels.config import get_include as get_include
from numact._kernels.config import show_config as show_config
from numact._kernels.threads import get_num_threads as get_num_threads
from numact._kernels.threads import num_threads as num_threads
from numact._kernels.threads import set_num_threads as set_num_threads

__version__: Final[str]
"""

GATED_ROW = re.compile(r"ROW\((\w+), \w+_BOUND,")
# A row up to the next one: name, FROM_OUTPUT or FROM_INPUT, KINK or SMOOTH, and the fields, in any order.
ROW = re.compile(r"\bROW\((\w+), \d+, (\w+), (\w+), \w+, \w+,(.*?)(?=\bROW\(|\n\n)", re.DOTALL)
PARAMETERS = re.compile(r'\.parameters = "([^"]*)"')
MASK = re.compile(r"MASK\((\w+), \d+\)")
# What HEAD declares, but for __version__.
PUBLIC = re.compile(r"^(?:from numact.* as|def) (\w+)", re.MULTILINE)


def rows(activations: str) -> Iterator[tuple[str, str, str, str]]:
    """The name, source, kink and parameters with their defaults of each row of the list."""
    for name, source, kink, fields in ROW.findall(activations):
        parameters = PARAMETERS.search(fields)
        yield name, source, kink, parameters[1] if parameters else ""


def functions(name: str, source: str, kink: str, parameters: str) -> Iterator[tuple[str, list[str]]]:
    """The names of one activation's functions, and their declarations."""
    declared = [parameter(*item.partition("=")) for item in parameters.split(", ") if item]
    for suffix, operands in (("", "x"), ("_grad", "dy x"), ("_grad_y", "dy y")):
        if suffix == "_grad_y" and source != "FROM_OUTPUT":
            continue
        at_zero = suffix == "_grad" and kink == "KINK"
        if not declared and not at_zero:
            yield name + suffix, [f"{name}{suffix}: Final[np.ufunc]"]
            continue
        arguments = [*(f"{operand}: ArrayLike" for operand in operands.split()), "/", *declared]
        arguments += ["*", "out: Any = None", *(["at_zero: ArrayLike | None = None"] if at_zero else [])]
        class_name = "_" + (name + suffix).title().replace("_", "")
        yield (
            name + suffix,
            [
                f"class {class_name}(ParametricUfunc):",
                f"    def __call__(self, {', '.join(arguments)}, **keywords: Any) -> Any: ...",
                f"{name}{suffix}: Final[{class_name}]",
            ],
        )


def parameter(name: str, equals: str, default: str) -> str:
    """The declaration of one parameter; without default, a call must give it."""
    return f"{name}: ArrayLike" + (f" = {default.replace('inf', 'np.inf')}" if equals else "")


def masked_function(name: str, parameters: str) -> tuple[str, list[str]]:
    """The name of the form of an activation that also gives a bit mask, and its declaration."""
    declared = [item.replace("=", ": float = ") for item in parameters.split(", ") if item]
    arguments = ", ".join(["x: ArrayLike", *declared, "out: Any = None"])
    return f"{name}_masked", [f"def {name}_masked({arguments}) -> tuple[Any, BitMask]: ..."]


def gated_functions(name: str) -> Iterator[tuple[str, list[str]]]:
    """The names of one gated function's functions, and their declarations."""
    keywords = "axis: int = -1, out: NDArray[Any] | None = None"
    for suffix in ("", "_grad"):
        yield name + suffix, [f"{name}{suffix}: Final[np.ufunc]"]
    yield f"{name}_split", [f"def {name}_split(x: ArrayLike, {keywords}) -> NDArray[Any]: ..."]
    operands = "dy: ArrayLike, x: ArrayLike"
    yield f"{name}_split_grad", [f"def {name}_split_grad({operands}, {keywords}) -> NDArray[Any]: ..."]


def stub(activations: str, gated: str) -> str:
    """The text of __init__.pyi for the texts of csrc/formulas/activations.h and gated.h."""
    declared = dict(pair for row in rows(activations) for pair in functions(*row))
    parameters = {name: text for name, _, _, text in rows(activations)}
    declared |= dict(masked_function(name, parameters[name]) for name in MASK.findall(activations))
    declared |= dict(pair for name in GATED_ROW.findall(gated) for pair in gated_functions(name))
    names = sorted({*PUBLIC.findall(HEAD), *declared})
    everything = ["__all__ = [", *(f'    "{name}",' for name in names), "]"]
    return "\n".join([HEAD, *everything, "", *(line for lines in declared.values() for line in lines), ""])
