"""What all threads of a process share: every variable of a module, a class or a file in C that changes after an import.

Found in the sources: what is bound once and never written by a function, such as a table, is a constant and not listed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

# What makes an object that does not change, or, `require`, a module.
IMMUTABLE = {
    *("compile", "maketrans", "frozenset", "tuple", "TypeVar", "namedtuple", "dtype", "array", "float", "int"),
    *("object", "level", "outline", "require", "fromkeys", "type", "map", "sqrt", "mpf", "taylor"),
    *("_same", "_function"),
    *("Question", "Settings"),  # frozen
}
DISPLAYS = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
# The methods that change a container.
MUTATORS = {
    *("append", "extend", "insert", "remove", "pop", "popitem", "clear", "sort", "reverse", "add", "discard"),
    *("update", "setdefault", "move_to_end", "appendleft", "set"),
}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def of_python(path: Path, module: str) -> Iterator[str]:
    """The names of a module's variables that change, and of its caches, as ``module.name``."""
    tree = ast.parse(path.read_text())
    top = list(_statements(tree.body))
    bound = {name for statement in top for name in _bound(statement)}
    for statement in top:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and _is_alive(statement.value):
            yield from (f"{module}.{name}" for name in _bound(statement))
        if isinstance(statement, ast.ClassDef):
            for inner in statement.body:
                if isinstance(inner, ast.Assign | ast.AnnAssign) and isinstance(inner.value, DISPLAYS):
                    yield from (f"{module}.{statement.name}.{name}" for name in _bound(inner))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if any(_called(decorator) in ("cache", "lru_cache") for decorator in node.decorator_list):
                yield f"{module}.{node.name}"
            defaults = [*node.args.defaults, *node.args.kw_defaults]
            if any(isinstance(default, DISPLAYS) for default in defaults):
                yield f"{module}.{node.name}()"
    for function in (node for node in ast.walk(tree) if isinstance(node, FUNCTIONS)):
        local = _locals(function)
        for node in ast.walk(function):
            if isinstance(node, ast.Global):
                yield from (f"{module}.{name}" for name in node.names)
            for name in _written(node):
                if name in ("globals()", "sys.meta_path", "sys.modules", "os.environ"):
                    yield f"{module}: {name}"
                elif name in bound and name not in local:
                    yield f"{module}.{name}"


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module, those within if, try and with included."""
    for statement in body:
        yield statement
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for field in ("body", "orelse", "finalbody"):
                yield from _statements(getattr(statement, field, []))
            for handler in getattr(statement, "handlers", []):
                yield from _statements(handler.body)


def _bound(statement: ast.stmt) -> list[str]:
    """The names that an assignment, a definition or an import binds."""
    if isinstance(statement, ast.Assign):
        return [node.id for target in statement.targets for node in ast.walk(target) if isinstance(node, ast.Name)]
    if isinstance(statement, ast.AnnAssign | ast.AugAssign):
        return [statement.target.id] if isinstance(statement.target, ast.Name) else []
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.ImportFrom) and (statement.module or "").startswith("numact"):
        return [alias.asname or alias.name for alias in statement.names]
    return []


def _called(node: ast.AST | None) -> str:
    """The last name of what is called, or of an expression that is a name."""
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Subscript):
        node = node.value
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _is_alive(value: ast.expr | None) -> bool:
    """Whether a value is an object that may change by itself, such as a lock or a lazy mapping; displays are tables."""
    return isinstance(value, ast.Call) and _called(value) not in IMMUTABLE and not _called(value).startswith("build_")


def _locals(function: ast.AST) -> set[str]:
    """The names that are local in a function."""
    arguments = {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}
    stored = {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    shared = {name for node in ast.walk(function) if isinstance(node, ast.Global) for name in node.names}
    return (arguments | stored) - shared


def _written(node: ast.AST) -> Iterator[str]:
    """The names of the objects that a node writes into: an item, an attribute, or by a method."""
    if isinstance(node, ast.Subscript | ast.Attribute) and not isinstance(node.ctx, ast.Load):
        yield ast.unparse(node.value)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MUTATORS:
        yield ast.unparse(node.func.value)


def of_cython(path: Path) -> Iterator[str]:
    """The variables of a file of the bridge that change, and its classes, as ``file: name``."""
    text = path.read_text()
    for line in text.splitlines():
        if found := re.match(r"cdef class (\w+)", line):
            yield f"{path.name}: {found[1]}"
        if re.match(r"cdef (class|extern|enum|struct|inline)\b", line) or not re.match(r"cdef |\w+ = ", line):
            continue
        if "(" in line.partition("=")[0]:  # a function
            continue
        for part in re.sub(r"[(\[{].*?(?=, \w+ = |$)", "", line.partition("#")[0]).split(","):
            declared, equals, _ = part.partition("=")
            name = re.findall(r"\w+", declared)[-1]
            changes = rf"^[ \t]+{name}(\.\w+)*(\[.*\])?\s*[|+]?=[^=]|^{name}\.\w+ = |\b{name}\.({'|'.join(MUTATORS)})\("
            if not equals or name != name.upper() or re.search(changes, text, re.M):
                yield f"{path.name}: {name}"


def of_c(path: Path) -> Iterator[str]:
    """The variables of a file in C that are not constant, of functions included, as ``file: name``."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text(), flags=re.S)
    text = re.sub(r"\\\n", " ", text)
    # A structure that is declared with the variable.
    text = re.sub(r"(static(?: const)? struct(?: \w+)?) \{[^{}]*\}", r"\1", text)
    for match in re.finditer(r"\bstatic\s+([^;={(]*?)\s*(?=[;={(])", text, re.M):
        declared = re.sub(r"\[[^]]*\]", "", match[1])
        following = text[match.end()]
        if following == "(" or re.search(r"\b(inline|always_inline)\b", declared):
            continue
        _, star, behind = declared.rpartition("*")
        constant = re.search(r"\bconst\b", behind if star else declared)
        if not constant:
            names = [re.findall(r"\w+", part)[-1] for part in declared.split(",")]
            yield from (f"{path.name}: {name}" for name in names)
