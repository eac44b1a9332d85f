"""The C interface finds every function by its name and type, and nothing else."""

import ctypes
from functools import cache
from typing import Any

import pytest

from numact._kernels import core

CAPSULE = b"numact._kernels.core.C_API"
INTEGERS = ctypes.c_int * 64  # more than either of the two structures takes
# Not those of masks, of indices and of limits.
OTHERS = ("attention_softmax", "attention_softmax_bias")
ROWS = [n for n in core.axis_bounds() if not n.endswith("_where") and not n.startswith("maxout") and n not in OTHERS]


class Interface(ctypes.Structure):
    """The functions of numact_api.h that find."""

    _fields_ = (
        ("version", ctypes.c_int),
        ("find", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.c_char, ctypes.c_void_p)),
        ("compute", ctypes.c_void_p),
        ("find_rows", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.c_char, ctypes.c_void_p)),
    )


@cache
def interface() -> Any:
    """The structure that the capsule holds."""
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
    return Interface.from_address(pointer(core.C_API, CAPSULE))


def found(function: Any, name: str, kind: str) -> tuple[bool, int]:
    """Whether there is a function, and how many inputs it says it has."""
    target = INTEGERS()
    missing = function(name.encode(), kind.encode(), ctypes.byref(target))
    assert missing in (0, -1)
    return missing == 0, target[0]


@pytest.mark.parametrize("kind", ["f", "d", "e", "E"])
@pytest.mark.parametrize("name", ["gelu", "gelu_grad", "tanh_grad_y", "swiglu"])
def test_elementwise(name: str, kind: str) -> None:
    """An elementwise function in four types."""
    assert found(interface().find, name, kind) == (True, 1 if name == "gelu" else 2)


@pytest.mark.parametrize("kind", ["f", "d"])
@pytest.mark.parametrize("name", ROWS)
def test_along_rows(name: str, kind: str) -> None:
    """A function along rows in two types: a temperature is no input."""
    there, inputs = found(interface().find_rows, name, kind)
    assert there
    assert inputs == (2 if name.endswith("_grad") else 1)


@pytest.mark.parametrize(
    "name", ["", "gel", "gelu_", "softma", "softmax ", "Softmax", "maxout", "softmax_where", *OTHERS]
)
@pytest.mark.parametrize("kind", ["f", "d", "e", "E", "g", "?", "\0"])
def test_nothing_else(name: str, kind: str) -> None:
    """A name or a type that there is not, a function of masks or indices: -1, and nothing is written."""
    for function in (interface().find, interface().find_rows):
        assert found(function, name, kind) == (False, 0)
    if kind not in "fd":
        assert found(interface().find_rows, "softmax", kind) == (False, 0)
    if kind not in "fdeE":
        assert found(interface().find, "gelu", kind) == (False, 0)
