"""Objects whose special methods raise, lie, call numact or change the other arguments, as every argument."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from numbers import Real
from typing import Any

import numpy as np
import pytest
from support.attempts import Attempt, Own, failures
from support.surface import SAMPLES, Call, calls

import numact
from numact import ParametricUfunc

SPECIAL = (
    *("__array__", "__array_ufunc__", "__array_function__", "__index__", "__float__", "__int__", "__bool__", "__len__"),
    *("__getitem__", "__iter__", "__eq__", "__hash__", "__repr__", "__lt__", "__ge__", "__add__", "__mul__"),
)
ATTRIBUTES = ("__array_interface__", "__array_struct__", "dtype", "shape", "ndim", "__array_priority__", "__name__")
# One in so many is tried with an elementwise function in the short tier.
THINNED = 4
# Samples with which an array has pages of its own, so that what reads it after it was made smaller crashes.
MANY = 20_000


def _raise(*_: Any, **__: Any) -> Any:
    raise Own("raised on purpose")


def _made(**methods: Any) -> Any:
    """An object of a class with these methods."""
    return type("Hostile", (), methods)()


def _maker(methods: dict[str, Any], kind: Callable[..., Any] = _made) -> Callable[[dict[str, Any]], Any]:
    """What makes an object with these methods, whatever the other arguments are."""
    return lambda _: kind(**methods)


def _returning(value: Any) -> Callable[..., Any]:
    """A method that returns a value, or the object itself for an ellipsis."""
    return lambda self, *_, **__: self if value is ... else value


def raising() -> dict[str, Callable[[dict[str, Any]], Any]]:
    """Objects of which one method or attribute raises, or all."""
    found: dict[str, Callable[[dict[str, Any]], Any]] = {}
    for name in SPECIAL:
        found[f"{name} raises"] = _maker({name: _raise})
    for name in ATTRIBUTES:
        found[f"{name} raises"] = _maker({name: property(_raise)})
    found["everything raises"] = lambda _: _made(**dict.fromkeys(SPECIAL, _raise))
    found["__float__ of a number raises"] = lambda _: _real(__float__=_raise)
    return found


def _real(**methods: Any) -> Any:
    cls = type("HostileNumber", (), methods)
    Real.register(cls)
    return cls()


class Changing:
    """An array of another shape and dtype each time that it is asked for."""

    def __init__(self) -> None:
        self.asked = 0

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        """The next array."""
        self.asked += 1
        shapes = ((SAMPLES, 6), (6,), (), (3, 5), (0, 6))
        return np.ones(shapes[self.asked % len(shapes)], ("f8", "f4", "f2", "i4")[self.asked % 4])

    def __index__(self) -> int:
        self.asked += 1
        return (1, -1, 2**100, 0)[self.asked % 4]

    def __len__(self) -> int:
        self.asked += 1
        return self.asked

    def __float__(self) -> float:
        self.asked += 1
        return (0.5, float("nan"), -1.0, 1e300)[self.asked % 4]


def _interface(**fields: Any) -> Any:
    return _made(__array_interface__={"version": 3, "shape": (6,), "typestr": "<f8", **fields})


def lying() -> dict[str, Callable[[dict[str, Any]], Any]]:
    """Objects whose methods return what they should not."""
    returned = {
        "text": "nonsense",
        "None": None,
        "NotImplemented": NotImplemented,
        "a list": [1.0, 2.0],
        "itself": ...,
        "2**100": 2**100,
        "-1": -1,
        "NaN": float("nan"),
    }
    found: dict[str, Callable[[dict[str, Any]], Any]] = {}
    for name in SPECIAL[:10]:
        for what, value in returned.items():
            found[f"{name} returns {what}"] = _maker({name: _returning(value)})
    for what, value in returned.items():
        found[f"__float__ of a number returns {what}"] = _maker({"__float__": _returning(value)}, _real)
        for name in ATTRIBUTES:
            found[f"{name} is {what}"] = _maker({name: value})
    found["dtype is float32"] = _maker({"dtype": np.dtype(np.float32)})
    found["dtype of an array is float32"] = _maker(
        {"dtype": np.dtype(np.float32), "__array__": _returning(np.zeros((SAMPLES, 6), np.float32))}
    )
    for kind in ("U3", "O", "V8", "c16", "M8[s]", "g"):
        found[f"__array__ of {kind}"] = _maker({"__array__": _returning(np.zeros((SAMPLES, 6), kind))})
    found["another array each time"] = lambda _: Changing()
    found["sequence that ends early"] = lambda _: _made(__len__=lambda _: 1000, __getitem__=_end)
    found["interface without data"] = lambda _: _interface()
    found["interface of a negative shape"] = lambda _: _interface(shape=(-1,), data=b"\0" * 48)
    found["interface of a wrong type"] = lambda _: _interface(typestr="nonsense", data=b"\0" * 48)
    return found


def _end(_: Any, place: Any) -> float:
    if isinstance(place, int) and place < 2:
        return 1.0
    raise IndexError


def _converted(action: Callable[[], Any]) -> Any:
    """An object that does something when it is converted to an array, a number or a boolean."""

    def array(self: Any, dtype: Any = None, copy: Any = None) -> Any:
        action()
        return np.ones(6)

    def value(self: Any) -> int:
        action()
        return 1

    return _made(__array__=array, __index__=value, __float__=value, __bool__=lambda self: bool(value(self)))


def _compute(arguments: dict[str, Any]) -> None:
    """Compute with numact in all its ways, in the out= of the call where there is one."""
    out = arguments.get("out")
    x = np.linspace(-1, 1, 24).reshape(SAMPLES, 6)
    numact.gelu(x, out=out if isinstance(out, np.ndarray) and out.shape == x.shape else None)
    numact.softmax(x)
    numact.norm.layer_norm(x, activation="relu")
    threads = numact.get_num_threads()
    numact.set_num_threads(3)
    with numact.memory.reuse("1 MiB"):
        numact.gelu(np.ones(300_000))
    numact.set_num_threads(threads)


def entering() -> dict[str, Callable[[dict[str, Any]], Any]]:
    """Objects that call numact when they are converted."""
    return {"numact in the conversion": lambda arguments: _converted(lambda: _compute(arguments))}


CHANGES: dict[str, Callable[[Any], Any]] = {
    "made smaller": lambda array: array.resize((1,) * array.ndim, refcheck=False),
    "another shape": lambda array: setattr(array, "shape", (-1,)),
    "another dtype": lambda array: setattr(array, "dtype", np.dtype(("u1", (array.itemsize,))).base),
    "read-only": lambda array: setattr(array.flags, "writeable", False),
}


def changing() -> dict[str, Callable[[dict[str, Any]], Any]]:
    """Objects whose conversion changes all arrays among the other arguments."""

    def make(change: Callable[[Any], Any]) -> Callable[[dict[str, Any]], Any]:
        def act(arguments: dict[str, Any]) -> None:
            for value in arguments.values():
                if type(value) is np.ndarray and value.flags.owndata:
                    with suppress(ValueError, AttributeError):
                        change(value)

        return lambda arguments: _converted(lambda: act(arguments))

    return {f"others {name}": make(change) for name, change in CHANGES.items()}


KINDS = {"raising": raising, "lying": lying, "entering": entering, "changing": changing}


def grown(value: Any) -> Any:
    """An array with many samples."""
    if isinstance(value, np.ndarray) and value.shape[:1] == (SAMPLES,):
        return np.repeat(value, MANY // SAMPLES, axis=0)
    return value


def attempts(kind: str, every: str) -> Iterator[Attempt]:
    """Calls of all functions with one argument that is an object of the kind, and an out= where there may be one."""
    for call in calls():
        if call.module == "numact.study" or call.path == "numact.ParametricUfunc":
            continue
        thinned = int(every) if isinstance(call.function, np.ufunc | ParametricUfunc) else 1
        for parameter in call.parameters:
            for name, make in KINDS[kind]().items():
                label = f"{call.path}({parameter}={name})"
                if zlib.crc32(label.encode()) % thinned:
                    continue
                arguments = call.valid()
                if kind == "changing":
                    arguments = {key: grown(value) for key, value in arguments.items()}
                if "out" in call.parameters and "x" in arguments and parameter != "out" and thinned == 1:
                    arguments["out"] = np.zeros_like(arguments["x"])
                arguments[parameter] = make(arguments)
                yield Attempt(
                    label,
                    _bound(call, arguments),
                    arguments if kind in ("raising", "lying") else {},
                    also=(IndexError, RuntimeError, RecursionError, NotImplementedError)
                    if call.path.startswith(("numact.BitMask.sum", "numact.ParametricUfunc."))
                    else (),
                    changes=call.path in ("numact.set_num_threads", "numact.memory.set_reuse"),
                )


def _bound(call: Call, arguments: dict[str, Any]) -> Callable[[], Any]:
    return lambda: call(arguments)


@pytest.mark.parametrize("kind", KINDS)
def test_objects(kind: str) -> None:
    """Their own exceptions pass through; none crashes, and nothing has changed when a call fails."""
    assert failures(__file__, "attempts", kind, str(THINNED)) == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_objects_everywhere(kind: str) -> None:
    """The same of every object for every elementwise function."""
    assert failures(__file__, "attempts", kind, "1") == []
