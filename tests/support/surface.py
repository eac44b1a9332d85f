"""What numact offers to its users: every public callable, its parameters, and arguments that it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from inspect import Parameter, getattr_static, isfunction, signature
from typing import Any

import numpy as np

import numact
from numact import BitMask, ParametricUfunc

MODULES = ("numact", "numact.norm", "numact.init", "numact.diagnostics", "numact.memory", "numact.study")

# Records that numact fills in and hands out: they take what they are given, as any dataclass does.
RECORDS = {
    "numact.Activation",
    "numact.norm.BatchStatistics",
    "numact.diagnostics.Summary",
    "numact.study.Comparison",
    "numact.study.Data",
    "numact.study.DataError",
    "numact.study.History",
}

# The keywords of a ufunc besides out, with what they are by default.
OF_UFUNC: dict[str, Any] = {
    "where": True,
    "casting": "same_kind",
    "order": "K",
    "dtype": None,
    "subok": True,
    "signature": None,
}

SAMPLES, UNITS = 4, 6

GATED = [row for row in numact.catalogue() if row.family == "gated"]


def numbers(seed: int, *shape: int) -> Any:
    """Normal numbers, always the same."""
    return np.random.default_rng(seed).normal(size=shape)


# What the parameter of a name is given in a valid call; a parameter with a default that is not here is left out.
GIVEN: dict[str, Callable[[], Any]] = {
    "x": lambda: numbers(0, SAMPLES, UNITS),
    "dy": lambda: numbers(1, SAMPLES, UNITS),
    "y": lambda: numbers(2, SAMPLES, UNITS),
    "x1": lambda: numbers(0, SAMPLES, UNITS),
    "x2": lambda: numbers(1, SAMPLES, UNITS),
    "x3": lambda: numbers(2, SAMPLES, UNITS),
    "scores": lambda: numbers(0, SAMPLES, UNITS),
    "logits": lambda: numbers(0, SAMPLES, UNITS),
    "labels": lambda: np.arange(SAMPLES),
    "targets": lambda: np.full((SAMPLES, UNITS), 0.25),
    "weight": lambda: numbers(3, UNITS),
    "bias": lambda: numbers(4, UNITS),
    "mean": lambda: numbers(5, UNITS),
    "var": lambda: np.ones(UNITS),
    "running_mean": lambda: np.zeros(UNITS),
    "running_var": lambda: np.ones(UNITS),
    "activation": lambda: "relu",
    "function": lambda: "relu",
    "name": lambda: "relu",
    "layer": lambda: "first",
    "pieces": lambda: 2,
    "groups": lambda: 2,
    "which": lambda: np.zeros((SAMPLES, UNITS), np.intp),
    "mask": lambda: BitMask.pack(np.ones((SAMPLES, UNITS), np.bool_)),
    "bits": lambda: bytes(SAMPLES * UNITS // 8),
    "shape": lambda: (SAMPLES, UNITS),
    "threshold": lambda: 0.5,
    "value": lambda: -1.0,
    "sparsity": lambda: 0.5,
    "low": lambda: -1.0,
    "high": lambda: 1.0,
    "limit": lambda: "1 MiB",
    "n": lambda: 2,
    "rng": lambda: np.random.default_rng(0),
    "saved": lambda: numact.norm.BatchStatistics(np.zeros(UNITS), np.zeros(UNITS), np.ones(UNITS)),
    "ufunc": lambda: numact.leaky_relu.ufunc,
    "defaults": lambda: {"negative_slope": 0.1},
    "other": numact.diagnostics.ActivationMonitor,
    "rate": lambda: 0.05,
    "design": numact.study.Design,
    "inputs": lambda: UNITS,
    "outputs": lambda: 2,
    "X": lambda: numbers(0, 40, UNITS),
    "b": lambda: numbers(1, SAMPLES, UNITS),
    "indices": lambda: 0,
    "a": lambda: numbers(0, SAMPLES, UNITS),
    "path": lambda: "no such file.csv",
    "data": lambda: numact.study.prepare(numbers(0, 40, UNITS), np.arange(40) % 2),
    "seed": lambda: 0,
    "network": lambda: numact.study.Network(numact.study.Design(), UNITS, 2, np.random.default_rng(0)),
    "optimiser": lambda: numact.study.SGD(0.05),
    "epochs": lambda: 1,
}

# The same for one function.
OF_FUNCTION: dict[str, dict[str, Callable[[], Any]]] = {
    "numact.attention_softmax": {"mask": lambda: numbers(6, SAMPLES, UNITS)},
    "numact.init.truncated_normal": {"mean": lambda: 0.0},
    "numact.memory.set_reuse": {"limit": lambda: None},
    "numact.norm.layer_norm_grad": {"mean": lambda: numbers(5, SAMPLES, 1), "inv_std": lambda: np.ones((SAMPLES, 1))},
    "numact.ParametricUfunc.at": {"b": lambda: numbers(1, UNITS)},
    "numact.study.load": {"name": lambda: "digits"},
    "numact.study.compare": {
        "y": lambda: np.arange(40) % 2,
        "activations": lambda: ["relu"],
        "seeds": lambda: 1,
        "epochs": lambda: 1,
    },
    "numact.study.prepare": {
        "x": lambda: numbers(0, 40, UNITS),
        "y": lambda: np.arange(40) % 2,
        "name": lambda: "data",
    },
    **{f"numact.{row.name}_split_grad": {"dy": lambda: numbers(1, SAMPLES, UNITS // 2)} for row in GATED},
}


def _monitor() -> Any:
    """A monitor that knows a layer."""
    monitor = numact.diagnostics.ActivationMonitor()
    monitor.update("first", numbers(2, SAMPLES, UNITS))
    return monitor


# Where an instance comes from whose methods are called.
INSTANCES: dict[str, Callable[[], Any]] = {
    "numact.BitMask": lambda: BitMask.pack(np.ones((SAMPLES, UNITS), np.bool_)),
    "numact.ParametricUfunc": lambda: numact.leaky_relu_grad,
    "numact.diagnostics.ActivationMonitor": _monitor,
}


@dataclass(frozen=True)
class Call:
    """A public callable with the names of its parameters."""

    path: str
    function: Callable[..., Any]
    positional: tuple[str, ...]  # that have no default, or are by position only
    keywords: dict[str, Any]  # the others, and their defaults

    @property
    def module(self) -> str:
        """The module that has it."""
        return next(module for module in reversed(MODULES) if self.path.startswith(f"{module}."))

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of all parameters."""
        return (*self.positional, *self.keywords)

    def valid(self) -> dict[str, Any]:
        """Arguments of a valid call, by name; new objects each time."""
        own = OF_FUNCTION.get(self.path, {})
        found = {}
        for name in self.parameters:
            if name in own or name in GIVEN:
                if name in self.keywords and self.keywords[name] is not None and name not in own:
                    continue
                found[name] = own.get(name, GIVEN.get(name))()  # type: ignore[misc]
            elif name in self.positional:
                raise LookupError(f"{self.path}: tests/support/surface.py must say what {name} is in a valid call")
        return found

    def __call__(self, arguments: dict[str, Any]) -> Any:
        """Call with arguments by name."""
        given = [arguments[name] for name in self.positional]
        return self.function(*given, **{k: v for k, v in arguments.items() if k not in self.positional})


def _call(path: str, function: Callable[..., Any]) -> Call:
    """What a callable takes; the signature of a ufunc is not there in every version of NumPy."""
    if isinstance(function, np.ufunc):
        operands = ("x",) if function.nin == 1 else tuple(f"x{k + 1}" for k in range(function.nin))
        return Call(path, function, operands, {"out": None, **OF_UFUNC})
    positional: list[str] = []
    keywords: dict[str, Any] = {}
    for name, parameter in signature(function).parameters.items():
        if parameter.kind is Parameter.VAR_POSITIONAL:  # all of it goes to NumPy
            continue
        if parameter.kind is Parameter.VAR_KEYWORD:
            keywords |= OF_UFUNC if isinstance(function, ParametricUfunc) else {}
        elif parameter.default is Parameter.empty or parameter.kind is Parameter.POSITIONAL_ONLY:
            positional.append(name)
        else:
            keywords[name] = parameter.default
    return Call(path, function, tuple(positional), keywords)


def _method(make: Callable[[], Any], name: str) -> Callable[..., Any]:
    """A method of a new instance each time."""

    def call(*given: Any, **keywords: Any) -> Any:
        return getattr(make(), name)(*given, **keywords)

    return call


def calls() -> Iterator[Call]:
    """Every public callable that takes arguments, the methods of the public classes included."""
    for module_name in MODULES:
        module = import_module(module_name)
        for name in module.__all__:
            path, found = f"{module_name}.{name}", getattr(module, name)
            if callable(found) and path not in RECORDS:
                yield from (call for call in [_call(path, found)] if call.parameters)
            for method in (name for name in dir(found) if not name.startswith("_")) if path in INSTANCES else ():
                if isfunction(getattr_static(found, method)):
                    bound = getattr(INSTANCES[path](), method)
                    call = _call(f"{path}.{method}", bound)
                    if call.parameters:
                        yield replace(call, function=_method(INSTANCES[path], method))
