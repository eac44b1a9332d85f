"""The reference: a page for each public object, whose docstring numpydoc renders.

The functions of numact are ufuncs and objects that are called like functions, which Sphinx does not recognise as such.
"""

import ast
import inspect
import re
from pathlib import Path
from textwrap import indent
from typing import Any

import numpy as np
from gallery import entries, public, write
from numpydoc.docscrape_sphinx import SphinxClassDoc, SphinxDocString
from sphinx.application import Sphinx

import numact
from numact import ParametricUfunc
from numact._functions.names import MODULES

PLACE = Path(__file__).parents[1] / "reference"
CONFIG = {"show_class_members": False, "show_inherited_class_members": False}
PLACES = {
    "norm": "Normalisation: `numact.norm`",
    "init": "Initial weights: `numact.init`",
    "diagnostics": "Diagnostics: `numact.diagnostics`",
    "memory": "Memory: `numact.memory`",
    "study": "Experiments: `numact.study`",
}


def signature(thing: Any) -> str:
    """How it is called."""
    if isinstance(thing, np.ufunc):
        operands = ", ".join(argument_names(thing))
        return f"({operands}, /, out=None, *, where=True, casting='same_kind', order='K', dtype=None, subok=True)"
    try:
        found = inspect.signature(thing)
    except (TypeError, ValueError):
        return "()"
    plain = [p.replace(annotation=inspect.Parameter.empty) for p in found.parameters.values() if p.name != "self"]
    return str(found.replace(parameters=plain, return_annotation=inspect.Signature.empty))


def argument_names(ufunc: np.ufunc) -> list[str]:
    """The operands of a ufunc as its docstring names them."""
    text = inspect.cleandoc(ufunc.__doc__ or "").partition("Parameters\n----------\n")[2]
    return re.findall(r"(?m)^(\w+) : ", text)[: ufunc.nin]


def docstring(thing: Any) -> str:
    """The docstring, without the signature that NumPy puts in front of a ufunc's."""
    text = inspect.cleandoc(thing.__doc__ or "")
    return text.partition("\n\n")[2] if isinstance(thing, np.ufunc) else text


def rendered(thing: Any, place: str) -> str:
    """A docstring as reStructuredText; single backticks are links where they name something public, else literals."""
    text = docstring(thing)
    if inspect.isclass(thing):
        return linked(str(SphinxClassDoc(thing, text, config=CONFIG)), place)
    return linked(str(SphinxDocString(text, config=CONFIG)), place)


def linked(text: str, place: str) -> str:
    """A rendered docstring whose names in single backticks are links or literals."""
    known = public()

    def link(match: re.Match[str]) -> str:
        name = match[1].removeprefix("numact.")
        for candidate in (f"{place}.{name}" if place else name, name):
            if candidate in known:
                return f":py:obj:`{match[1]} <numact.{candidate}>`"
        return f"``{match[1]}``"

    text = re.sub(r":(?:py:)?obj:`([\w.]+)(?: <[\w.]+>)?`", r"`\1`", text)
    text = re.sub(r"(?<![`:\w])`([^`<>\n]+)`(?![`_])", link, text)
    return escaped(text)


def escaped(text: str) -> str:
    """A text whose bars are no substitutions."""
    pieces = re.split(r"(``.*?``|>>> .*)", text)
    return "".join(piece if k % 2 else piece.replace("|", "\\|") for k, piece in enumerate(pieces))


def entry(name: str, thing: Any, place: str) -> str:
    """The directive that describes an object, with its methods."""
    module = f"numact.{place}" if place else "numact"
    if inspect.isclass(thing):
        parts = [
            f".. py:class:: {name}{signature(thing)}\n   :module: {module}\n\n{indent(rendered(thing, place), '   ')}"
        ]
        for method, function in vars(thing).items():
            if method.startswith("_") or not getattr(function, "__doc__", None):
                continue
            kind = "property" if isinstance(function, property) else "method"
            call = "" if kind == "property" else signature(function)
            if isinstance(function, classmethod | staticmethod):
                call = signature(function.__func__).replace("(cls, ", "(").replace("(cls)", "()")
            if kind == "method" and not callable(function) and not isinstance(function, classmethod | staticmethod):
                continue
            text = f".. py:{kind}:: {method}{call}\n\n{indent(rendered(function, place), '   ')}"
            parts.append(indent(text, "   "))
        return "\n\n".join(parts)
    return f".. py:function:: {name}{signature(thing)}\n   :module: {module}\n\n{indent(rendered(thing, place), '   ')}"


def summary(thing: Any) -> str:
    """The first sentence of a docstring, for a list."""
    text = docstring(thing).partition("\n\n")[0].replace("\n", " ")
    return escaped(re.sub(r"`([^`]+)`", r"``\1``", text))


def page(name: str, thing: Any, place: str = "") -> str:
    """The page of an object."""
    title = f"numact.{place}.{name}" if place else f"numact.{name}"
    stem = re.sub(r"(_grad(_y)?|_masked|_split(_grad)?)$", "", name)
    drawn = f"Curve, figures and advice: :doc:`../gallery/{stem}`.\n" if not place and stem in entries() else ""
    return f"{title}\n{'=' * len(title)}\n\n{entry(name, thing, place)}\n\n{drawn}"


def listed(heading: str, names: list[str], place: str = "", *, imported: Any = numact) -> str:
    """A section with a table of objects, each with its summary, and the hidden list of their pages."""
    module = f"numact.{place}" if place else "numact"
    lines = [f"   * - :py:obj:`{name} <{module}.{name}>`\n     - {summary(getattr(imported, name))}" for name in names]
    table = ".. list-table::\n   :widths: 30 70\n\n" + "\n".join(lines)
    pages = "\n".join(f"   {module}.{name}" for name in names)
    return f"{heading}\n{'-' * len(heading)}\n\n{table}\n\n.. toctree::\n   :hidden:\n\n{pages}\n"


def sections() -> dict[str, list[str]]:
    """The names of `numact` by what they are."""
    others = {name for names in MODULES.values() for name in names}
    elementwise = [name for name in numact.__all__ if isinstance(getattr(numact, name), np.ufunc | ParametricUfunc)]
    gated = {row.name for row in numact.catalogue() if row.family == "gated"}
    is_gated = [name for name in numact.__all__ if re.sub(r"(_split)?(_grad)?$", "", name) in gated]
    masks = [*MODULES["masks.masked"], *MODULES["masks.dropout"], "BitMask"]
    along = [name for module, names in MODULES.items() if module.startswith("axis.") for name in names]
    layers = [*MODULES["prelu"], *MODULES["rrelu"], *MODULES["bias"]]
    found = {
        "Activations": [n for n in elementwise if "_grad" not in n and n not in is_gated],
        "Gradients of activations": [n for n in elementwise if "_grad" in n and n not in is_gated],
        "Gated functions": is_gated,
        "Functions along an axis": along,
        "With learned or random slopes, and with a bias": layers,
        "Bit masks and dropout": masks,
        "Losses": list(MODULES["losses"]),
    }
    taken = {name for names in found.values() for name in names}
    assert others <= taken, others - taken
    return found | {"Names, threads and configuration": [n for n in numact.__all__ if n not in taken]}


def adapters() -> dict[str, list[ast.FunctionDef | ast.ClassDef]]:
    """The public functions and classes of `numact.adapters`, read from the sources: their libraries may be missing."""
    found = {}
    for path in sorted(Path(numact.__file__).parent.joinpath("adapters").glob("[a-z]*.py")):
        nodes = ast.parse(path.read_text(encoding="utf-8")).body
        kinds = ast.FunctionDef | ast.ClassDef
        found[path.stem] = [n for n in nodes if isinstance(n, kinds) and n.name[0] != "_" and ast.get_docstring(n)]
    return found


def adapter_page(library: str, nodes: list[ast.FunctionDef | ast.ClassDef]) -> str:
    """The page of an adapter."""
    title, place = f"numact.adapters.{library}", f"adapters.{library}"
    parts = [f"{title}\n{'=' * len(title)}\n"]
    for node in nodes:
        text = indent(linked(str(SphinxDocString(ast.get_docstring(node) or "", config=CONFIG)), place), "   ")
        kind, call = ("class", "") if isinstance(node, ast.ClassDef) else ("function", f"({arguments_of(node)})")
        parts.append(f".. py:{kind}:: {node.name}{call}\n   :module: {title}\n\n{text}\n")
    return "\n".join(parts)


def arguments_of(node: ast.FunctionDef) -> str:
    """The parameters of a function, without annotations."""
    for argument in ast.walk(node.args):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    return ast.unparse(node.args)


def make(app: Sphinx) -> None:
    """Write all pages."""
    PLACE.mkdir(exist_ok=True)
    parts = ["Reference\n=========\n", "Every public function and class, by what it is for.\n"]
    for heading, names in sections().items():
        parts.append(listed(heading, names))
        for name in names:
            write(PLACE / f"numact.{name}.rst", page(name, getattr(numact, name)))
    for place, heading in PLACES.items():
        module = getattr(numact, place)
        parts.append(listed(heading.replace("`", ""), list(module.__all__), place, imported=module))
        for name in module.__all__:
            write(PLACE / f"numact.{place}.{name}.rst", page(name, getattr(module, name), place))
    heading, found = "Inside other libraries: numact.adapters", adapters()
    lists = "\n".join(f"   numact.adapters.{library}" for library in found)
    parts.append(f"{heading}\n{'-' * len(heading)}\n\n.. toctree::\n   :maxdepth: 1\n\n{lists}\n")
    for library, nodes in found.items():
        write(PLACE / f"numact.adapters.{library}.rst", adapter_page(library, nodes))
    write(PLACE / "index.rst", "\n".join(parts))


def setup(app: Sphinx) -> dict[str, Any]:
    """Make the pages before Sphinx looks for them."""
    app.connect("builder-inited", make)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
