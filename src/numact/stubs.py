"""Print numact/__init__.pyi from the list in csrc/activations.h; the build writes it into the package."""

import re
from collections.abc import Iterator

HEAD = """\
from typing import Any, Final, Literal, overload

import numpy as np
from numpy.typing import ArrayLike

from numact._activation import Activation as Activation
from numact._axis import gumbel_softmax as gumbel_softmax
from numact._axis import hardmax as hardmax
from numact._axis import log_softmax as log_softmax
from numact._axis import log_softmax_grad as log_softmax_grad
from numact._axis import logsumexp as logsumexp
from numact._axis import maxout as maxout
from numact._axis import maxout_grad as maxout_grad
from numact._axis import softmax as softmax
from numact._axis import softmax_grad as softmax_grad
from numact._axis import softmin as softmin
from numact._axis import softmin_grad as softmin_grad
from numact._axis import sparsemax as sparsemax
from numact._axis import sparsemax_grad as sparsemax_grad
from numact._core import catalogue as catalogue
from numact._parametric import ParametricUfunc as ParametricUfunc

__version__: Final[str]
__all__: list[str]

@overload
def show_config(mode: Literal["stdout"] = "stdout") -> None: ...
@overload
def show_config(mode: Literal["dicts"]) -> dict[str, Any]: ...
"""

ROW = re.compile(r'ROW\((\w+), \d+, "([^"]*)", "[^"]*", (\w+), (\w+),')


def functions(name: str, parameters: str, source: str, kink: str) -> Iterator[str]:
    """The declarations of one activation's functions."""
    pairs = [item.split("=") for item in parameters.split(", ") if item]
    for suffix, operands in (("", "x"), ("_grad", "dy x"), ("_grad_y", "dy y")):
        if suffix == "_grad_y" and source != "FROM_OUTPUT":
            continue
        at_zero = suffix == "_grad" and kink == "KINK"
        if not pairs and not at_zero:
            yield f"{name}{suffix}: Final[np.ufunc]"
            continue
        arguments = [f"{operand}: ArrayLike" for operand in operands.split()]
        arguments += ["/", *(f"{parameter}: ArrayLike = {default}" for parameter, default in pairs)]
        if at_zero:
            arguments += ["*", "at_zero: ArrayLike | None = None"]
        class_name = "_" + (name + suffix).title().replace("_", "")
        yield f"class {class_name}(ParametricUfunc):"
        yield f"    def __call__(self, {', '.join(arguments)}, **keywords: Any) -> Any: ..."
        yield f"{name}{suffix}: Final[{class_name}]"


def stub(activations: str) -> str:
    """The text of __init__.pyi for the text of csrc/activations.h."""
    rows = ROW.findall(activations)
    return "\n".join([HEAD, *(line for row in rows for line in functions(*row)), ""])
