"""The installed stub says what is there at run time: names, parameters, defaults."""

import ast
import inspect
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import numact
from numact import ParametricUfunc
from numact._functions.ufuncs import PUBLIC

STUB = ast.parse(Path(numact.__file__).with_name("__init__.pyi").read_text())
CLASSES = {node.name: node for node in STUB.body if isinstance(node, ast.ClassDef)}
VARIABLES = {
    node.target.id: ast.unparse(node.annotation)
    for node in STUB.body
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
}
# `import name as name` exports a name; imports of other kinds do not.  Modules of the package come from ".".
IMPORTED = {
    alias.name: node.module
    for node in STUB.body
    if isinstance(node, ast.ImportFrom) and node.module is not None
    for alias in node.names
    if alias.asname == alias.name
}
DEFINED = {node.name: node for node in STUB.body if isinstance(node, ast.FunctionDef)}


def public(names: Any) -> set[str]:
    """Names without underscore in front."""
    return {name for name in names if not name.startswith("_")}


def test_names() -> None:
    """The stub declares the names that exist, no more and no fewer."""
    declared = public({*CLASSES, *VARIABLES, *IMPORTED, *DEFINED})
    existing = public(name for name in dir(numact) if not isinstance(getattr(numact, name), ModuleType))
    assert declared == existing == set(numact.__all__)
    assert "__version__" in VARIABLES


def test_all() -> None:
    """`from numact import *` gives type checkers what it gives at run time."""
    assigned = [node for node in STUB.body if isinstance(node, ast.Assign)]
    assert [ast.unparse(node.targets[0]) for node in assigned] == ["__all__"]
    everything = ast.literal_eval(assigned[0].value)
    assert sorted(everything) == sorted(numact.__all__)


@pytest.mark.parametrize("name", IMPORTED)
def test_imported(name: str) -> None:
    """What the stub takes from a module is what numact has."""
    assert getattr(import_module(IMPORTED[name]), name) is getattr(numact, name)


def value_of(node: ast.expr | None) -> Any:
    """A default that the stub writes down."""
    if node is None:
        return inspect.Parameter.empty
    return eval(compile(ast.Expression(node), "stub", "eval"), {"np": np})


def signature_of(node: ast.FunctionDef) -> inspect.Signature:
    """The signature that the stub declares, without self and annotations."""
    kinds, arguments = inspect.Parameter, node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [*[None] * (len(positional) - len(arguments.defaults)), *arguments.defaults]
    parameters = []
    for index, (argument, default) in enumerate(zip(positional, defaults, strict=True)):
        kind = kinds.POSITIONAL_ONLY if index < len(arguments.posonlyargs) else kinds.POSITIONAL_OR_KEYWORD
        parameters.append(kinds(argument.arg, kind, default=value_of(default)))
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        parameters.append(kinds(argument.arg, kinds.KEYWORD_ONLY, default=value_of(default)))
    if arguments.kwarg:
        parameters.append(kinds(arguments.kwarg.arg, kinds.VAR_KEYWORD))
    return inspect.Signature([parameter for parameter in parameters if parameter.name != "self"])


def without_annotations(signature: inspect.Signature) -> inspect.Signature:
    """The names, kinds and defaults of a signature."""
    parameters = signature.parameters.values()
    return inspect.Signature([parameter.replace(annotation=inspect.Parameter.empty) for parameter in parameters])


@pytest.mark.parametrize("name", PUBLIC)
def test_functions(name: str) -> None:
    """Ufuncs are declared as such; functions, and where there are parameters, with the signature at run time."""
    function = PUBLIC[name]
    if not isinstance(function, np.ufunc | ParametricUfunc):
        assert signature_of(DEFINED[name]) == without_annotations(inspect.signature(function))
        return
    if not isinstance(function, ParametricUfunc):
        assert VARIABLES[name] == "Final[np.ufunc]"
        return
    declared = CLASSES[VARIABLES[name].removeprefix("Final[").removesuffix("]")]
    assert [ast.unparse(base) for base in declared.bases] == ["ParametricUfunc"]
    (call,) = declared.body
    assert isinstance(call, ast.FunctionDef)
    assert call.name == "__call__"
    assert signature_of(call) == inspect.signature(function)


SNIPPET = """
from collections.abc import Callable
from typing import Any, assert_type

import numpy as np

import numact
from numact import *

x = np.ones(3, np.float32)
assert_type(numact.gelu, np.ufunc)
assert_type(numact.relu_grad_y, np.ufunc)
assert_type(numact.leaky_relu.ufunc, np.ufunc)
assert_type(numact.leaky_relu.defaults, dict[str, float | None])
assert_type(numact.catalogue(), list[numact.Activation])
assert_type(numact.catalogue()[0].parameters, tuple[tuple[str, float | None], ...])
assert_type(numact.get("swish_grad"), Callable[..., Any])
assert_type(numact.rrelu(x, rng=np.random.default_rng()), tuple[Any, Any])
assert_type(numact.rrelu(x, 0.1, 0.2, np.random.default_rng()), tuple[Any, Any])
assert_type(numact.prelu_grad(x, x, [0.1, 0.2, 0.3], 0), tuple[Any, Any])
assert_type(numact.show_config("dicts"), dict[str, Any])
numact.leaky_relu(x, 0.2, out=x)
numact.leaky_relu_grad(x, x, negative_slope=x, at_zero=0.5, where=x > 0)
assert_type(tanh, np.ufunc)

numact.nonsense  # type: ignore[attr-defined]
numact.leaky_relu.nonsense  # type: ignore[attr-defined]
numact.leaky_relu()  # type: ignore[call-arg]
numact.leaky_relu(x, 0.2, 0.3)  # type: ignore[call-arg]
numact.leaky_relu(x, negative_slope=print)  # type: ignore[arg-type]
assert_type(numact.rrelu(x), Any)
numact.get(1)  # type: ignore[arg-type]
"""


def test_types(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The types that the stub promises, and the mistakes that it shows."""
    api = pytest.importorskip("mypy.api")
    (tmp_path / "snippet.py").write_text(SNIPPET)
    monkeypatch.chdir(tmp_path)  # where no source of numact stands in the way of the installed package
    report, errors, code = api.run(["--strict", "--config-file=", "snippet.py"])
    assert code == 0, report + errors
