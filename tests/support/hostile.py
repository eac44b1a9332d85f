"""Values that no function expects: of every kind of Python and NumPy, and objects that raise, lie or call numact."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

import numact

# Plain values ---------------------------------------------------------------------------------------------------------


class IntSubclass(int):
    """An int of another class."""


class FloatSubclass(float):
    """A float of another class."""


class StrSubclass(str):
    """A str of another class."""


VALUES: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "False": lambda: False,
    "True": lambda: True,
    "Ellipsis": lambda: ...,
    "NotImplemented": lambda: NotImplemented,
    "0": lambda: 0,
    "-1": lambda: -1,
    "7": lambda: 7,
    "2**31": lambda: 2**31,
    "2**63": lambda: 2**63,
    "-2**63": lambda: -(2**63),
    "2**64": lambda: 2**64,
    "2**100": lambda: 2**100,
    "10**400": lambda: 10**400,
    "10**5000": lambda: 10**5000,
    "IntSubclass(1)": lambda: IntSubclass(1),
    "0.0": lambda: 0.0,
    "-0.0": lambda: -0.0,
    "0.5": lambda: 0.5,
    "-1.5": lambda: -1.5,
    "5e-324": lambda: 5e-324,
    "1e-320": lambda: 1e-320,
    "1e-40": lambda: 1e-40,
    "1e39": lambda: 1e39,
    "1.7e308": lambda: 1.7e308,
    "nan": lambda: float("nan"),
    "inf": lambda: float("inf"),
    "-inf": lambda: -float("inf"),
    "FloatSubclass(1)": lambda: FloatSubclass(1),
    "1j": lambda: 1j,
    "Decimal": lambda: Decimal("0.5"),
    "Decimal NaN": lambda: Decimal("NaN"),
    "Decimal sNaN": lambda: Decimal("sNaN"),
    "Fraction": lambda: Fraction(1, 2),
    "Fraction huge": lambda: Fraction(10**400, 3),
    "''": lambda: "",
    "text": lambda: "nonsense",
    "text of a number": lambda: "1",
    "text with NUL": lambda: "re\0lu",
    "text of a surrogate": lambda: "\ud800",
    "text of braces": lambda: "{0.__class__} %s %(x)d {",
    "text, long": lambda: "x" * 100000,
    "text of parentheses": lambda: "leaky_relu(" + "(" * 5000,
    "StrSubclass": lambda: StrSubclass("relu"),
    "b''": lambda: b"",
    "bytes": lambda: b"relu\xff",
    "bytearray": lambda: bytearray(b"\0" * 8),
    "memoryview": lambda: memoryview(b"\0" * 8),
    "[]": lambda: [],
    "()": lambda: (),
    "{}": lambda: {},
    "set": lambda: {1, 2},
    "dict": lambda: {"a": 1},
    "list of None": lambda: [None],
    "ragged": lambda: [[1.0], [1.0, 2.0]],
    "nested 70": lambda: _nested(70),
    "recursive list": lambda: _recursive(),
    "list of text": lambda: ["a", "b"],
    "list of huge": lambda: [2**100, 1],
    "(0, 0)": lambda: (0, 0),
    "(0, -1)": lambda: (0, -1),
    "(0, -2)": lambda: (0, -2),
    "(None, 0)": lambda: (None, 0),
    "(1, 2, 3)": lambda: (1, 2, 3),
    "(2**62, 4)": lambda: (2**62, 4),
    "(0, 2**62)": lambda: (0, 2**62),
    "(-1, 4)": lambda: (-1, 4),
    "(2**40, 2**40)": lambda: (2**40, 2**40),
    "1 repeated 100 times": lambda: (1,) * 100,
    "(relu, {})": lambda: ("relu", {}),
    "(leaky_relu, nonsense)": lambda: ("leaky_relu", {"slope": 1}),
    "(leaky_relu, NaN)": lambda: ("leaky_relu", {"negative_slope": float("nan")}),
    "(leaky_relu, text)": lambda: ("leaky_relu", {"negative_slope": "a"}),
    "(hard_tanh, wrong)": lambda: ("hard_tanh", {"min_val": 2.0}),
    "(softmax, {})": lambda: ("softmax", {}),
    "threshold": lambda: "threshold",
    "softmax": lambda: "softmax",
    "softmax itself": lambda: numact.softmax,
    "relu_masked": lambda: "relu_masked",
    "gelu_grad": lambda: "gelu_grad",
    "swiglu": lambda: "swiglu",
    "generator": lambda: (k for k in range(3)),
    "range": lambda: range(3),
    "slice": lambda: slice(None),
    "class": lambda: int,
    "function": lambda: len,
    "lambda": lambda: lambda *_: 1,
    "object": object,
    "module": lambda: np,
    "exception": lambda: ValueError("x"),
    "date": lambda: datetime.datetime(2000, 1, 1),
    "dtype": lambda: np.dtype(np.float32),
    "Generator": lambda: np.random.default_rng(0),
    "BitMask": lambda: numact.BitMask.pack([True, False]),
}


def _nested(depth: int) -> Any:
    value: Any = 1.0
    for _ in range(depth):
        value = [value]
    return value


def _recursive() -> Any:
    value: list[Any] = []
    value.append(value)
    return value


# Arrays that are no numbers, or oddly laid out ------------------------------------------------------------------------


def _scalar(kind: str) -> Any:
    return np.ones((), kind)[()]


def _arrays() -> dict[str, Callable[[], Any]]:
    found: dict[str, Callable[[], Any]] = {}
    for kind in ("?", "b", "B", "h", "H", "i", "I", "l", "L", "q", "Q", "e", "f", "d", "g", "F", "D", "G"):
        found[f"scalar {kind}"] = partial(_scalar, kind)
        found[f"0-d {kind}"] = partial(np.ones, (), kind)
        found[f"(4, 6) {kind}"] = partial(np.ones, (4, 6), kind)
        found[f"(6,) {kind}"] = partial(np.ones, 6, kind)
    for kind in ("U3", "S3", "V8", "M8[s]", "m8[s]", "O", "f4,i4", ">f4", ">f8", ">i4"):
        found[f"(4, 6) {kind}"] = partial(np.zeros, (4, 6), kind)
        found[f"0-d {kind}"] = partial(np.zeros, (), kind)
        found[f"scalar {kind}"] = partial(_scalar, kind)
    found["StringDType"] = lambda: np.array(["a", "b"], np.dtypes.StringDType())
    found["object of None"] = lambda: np.full((4, 6), None)
    found["object of text"] = lambda: np.full((4, 6), "a", object)
    found["object of huge"] = lambda: np.full((4, 6), 2**100, object)
    found["NaN (4, 6)"] = lambda: np.full((4, 6), np.nan)
    found["NaN (6,)"] = lambda: np.full(6, np.nan)
    found["-inf (4, 6)"] = lambda: np.full((4, 6), -np.inf)
    found["-1 (6,)"] = lambda: np.full(6, -1.0)
    found["huge (4, 6)"] = lambda: np.full((4, 6), 1e308)
    found["subnormal (4, 6)"] = lambda: np.full((4, 6), 5e-324)
    found["read-only (4, 6)"] = lambda: _read_only(np.ones((4, 6)))
    found["unaligned (4, 6)"] = lambda: np.zeros(4 * 6 * 8 + 1, np.uint8)[1:].view(np.float64).reshape(4, 6)
    found["negative strides (4, 6)"] = lambda: np.ones((4, 6))[::-1, ::-1]
    found["transposed (4, 6)"] = lambda: np.ones((6, 4)).T
    found["every second (4, 6)"] = lambda: np.ones((8, 12))[::2, ::2]
    found["stride 0 (4, 6)"] = lambda: np.lib.stride_tricks.as_strided(np.ones(1), (4, 6), (0, 0))
    found["overlapping (4, 6)"] = lambda: np.lib.stride_tricks.as_strided(np.ones(9), (4, 6), (8, 8))
    found["matrix (4, 6)"] = lambda: np.ones((4, 6)).view(np.matrix)
    found["recarray"] = lambda: np.rec.array([(1, 2.0)], dtype=[("a", int), ("b", float)])
    found["masked (4, 6)"] = lambda: np.ma.array(np.ones((4, 6)), mask=np.eye(4, 6, dtype=np.bool_))
    found["masked nothing (4, 6)"] = lambda: np.ma.array(np.ones((4, 6)))
    found["np.ma.masked"] = lambda: np.ma.masked
    found["64 dimensions"] = lambda: np.ones((1,) * 64)
    found["64 dimensions, last 6"] = lambda: np.ones((*(1,) * 63, 6))
    found["16 of 2"] = lambda: np.lib.stride_tricks.as_strided(np.ones(1), (2,) * 16, (0,) * 16)
    found["empty (0,)"] = lambda: np.ones(0)
    found["empty (0, 6)"] = lambda: np.ones((0, 6))
    found["empty (4, 0)"] = lambda: np.ones((4, 0))
    found["empty (0, 2**40)"] = lambda: np.ones((0, 2**40))
    found["empty (2**60, 0)"] = lambda: np.ones((2**62, 0), np.int8)
    found["empty (2**31, 0, 2**29)"] = lambda: np.ones((2**31, 0, 2**29), np.int8)
    found["2**40 equal"] = lambda: np.broadcast_to(np.float64(1), (2**40,))
    found["(2**20, 2**20) equal"] = lambda: np.broadcast_to(np.float32(1), (2**20, 2**20))
    found["2**59 equal"] = lambda: np.broadcast_to(np.int8(1), (2**59,))
    return found


def _read_only(array: Any) -> Any:
    array.flags.writeable = False
    return array


ARRAYS = _arrays()
# Of these more elements than there is memory for are one number.
EQUAL = {name for name in ARRAYS if name.endswith(" equal")}
