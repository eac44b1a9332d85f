"""Print numact/__init__.pyi from the lists in csrc/activations.h and gated.h; the build writes it into the package."""

import re
from collections.abc import Iterator

HEAD = """\
from typing import Any, Final, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from numact._activation import Activation as Activation
from numact._core import catalogue as catalogue
from numact._parametric import ParametricUfunc as ParametricUfunc

__version__: Final[str]
__all__: list[str]

@overload
def show_config(mode: Literal["stdout"] = "stdout") -> None: ...
@overload
def show_config(mode: Literal["dicts"]) -> dict[str, Any]: ...
"""

GATED_ROW = re.compile(r'ROW\((\w+), "\w+, \w+",')
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


def gated_functions(name: str) -> Iterator[str]:
    """The declarations of one gated function's functions."""
    keywords = "axis: int = -1, out: NDArray[Any] | None = None"
    yield f"{name}: Final[np.ufunc]"
    yield f"{name}_grad: Final[np.ufunc]"
    yield f"def {name}_split(x: ArrayLike, {keywords}) -> NDArray[Any]: ..."
    yield f"def {name}_split_grad(dy: ArrayLike, x: ArrayLike, {keywords}) -> NDArray[Any]: ..."


def stub(activations: str, gated: str) -> str:
    """The text of __init__.pyi for the texts of csrc/activations.h and csrc/gated.h."""
    lines = [line for row in ROW.findall(activations) for line in functions(*row)]
    lines += [line for name in GATED_ROW.findall(gated) for line in gated_functions(name)]
    return "\n".join([HEAD, *lines, ""])
