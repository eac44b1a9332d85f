"""The gallery: a page for each activation, made of its row in the catalogue, docs/gallery.toml and stored figures."""

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import curves
import numpy as np
from sphinx.application import Sphinx

import numact
from numact import Activation
from numact._functions.libraries import LIBRARIES
from numact._functions.names import FUNCTIONS, find

DOCS = Path(__file__).parents[1]
PLACE = DOCS / "gallery"
FIGURES = DOCS.parent / "benchmarks" / "beside_others.json"
LIBRARY_NAMES = {"torch": "PyTorch", "jax": "JAX", "onnxruntime": "ONNX Runtime", "numpy": "NumPy", "numact": "numact"}


def entries() -> dict[str, dict[str, str]]:
    """What docs/gallery.toml says, by function; of an activation without an entry the formulas of its row."""
    found: dict[str, dict[str, str]] = tomllib.loads((DOCS / "gallery.toml").read_text(encoding="utf-8"))
    for name, row in rows().items():
        formulas = {"f": row.formula, "derivative": row.derivative.replace("\n", "; ")}
        plain = {key: rf"\text{{{text}}}" for key, text in formulas.items()}
        found.setdefault(name, {"group": "Further functions", **plain})
    return found


def rows() -> dict[str, Activation]:
    """The rows of the catalogue by name."""
    return {row.name: row for row in numact.catalogue()}


def table(*lines: tuple[str, ...]) -> str:
    """A table of Markdown, whose first line is its head."""
    head, *body = (f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines)
    return "\n".join([head, "|---" * len(lines[0]) + "|", *body])


def number(value: float) -> str:
    """A value as in a formula."""
    if np.isinf(value):
        return "∞" if value > 0 else "-∞"
    return f"{value:.4g}"


def values_of(row: Activation) -> dict[str, float]:
    """The parameters with which a page shows an activation."""
    return {name: 1.0 if default is None else default for name, default in row.parameters} | curves.CHOSEN.get(
        row.name, {}
    )


def facts(row: Activation) -> Iterator[tuple[str, str]]:
    """What a reader looks up."""
    if row.parameters:
        defaults = ("required" if default is None else f"{default:g}" for _, default in row.parameters)
        names = (f"`{name}` ({default})" for (name, _), default in zip(row.parameters, defaults, strict=True))
        yield "parameters", ", ".join(names)
    if row.domain:
        yield "allowed", row.domain.replace("y: ", "from the output: ")
    yield "range", row.range
    if row.family == "elementwise":
        function: Callable[..., Any] = getattr(numact, row.name)
        parameters = {name: default for name, default in values_of(row).items() if np.isfinite(default)}
        at = np.array([-np.inf, 0.0, np.inf])
        with np.errstate(all="ignore"):
            found = function(at, **parameters)
        yield "limits", ", ".join(f"f({number(x)}) = {number(y)}" for x, y in zip(at, found, strict=True))
    yield "derivative jumps at", kinks(row) if row.kinks else "nowhere"
    forms = [f"`{row.name}_grad`", *([f"`{row.name}_grad_y`, from the output"] if row.from_output else [])]
    forms += [f"`{row.name}_masked`, from a bit mask"] if row.masked else []
    yield "gradients", ", ".join(forms) if row.ulp_gradient else "none"
    yield (
        "bounds of the error",
        f"{row.ulp:g} ULP" + (f", gradient {row.ulp_gradient:g} ULP" if row.ulp_gradient else ""),
    )


def kinks(row: Activation) -> str:
    """Where the derivative jumps, and its value there."""
    values = values_of(row)
    found = []
    for point in row.kinks.split(", "):
        sign, name = (-1, point[1:]) if point.startswith("-") else (1, point)
        known = values.get(name) if not re.fullmatch(r"[\d.]+", name) else float(name)
        if known is None or row.family != "elementwise" or not np.isfinite(known):
            found.append(point)
            continue
        x = np.array([sign * known])
        slope = getattr(numact, f"{row.name}_grad")(np.ones(1), x, **values)[0]
        found.append(f"{point}, where it is {number(slope)}")
    chosen = "; `at_zero=` takes another" if row.kink else ""
    return "; ".join(found) + chosen


def accuracy() -> dict[str, tuple[str, ...]]:
    """The lines of float32 in docs/accuracy.md by function: error, correctly rounded, inputs, other libraries."""
    text = (DOCS / "accuracy.md").read_text(encoding="utf-8").partition("## float32\n")[2].partition("\n## ")[0]
    found = {}
    for line in re.findall(r"(?m)^\| `\w.*$", text):
        name, _, _, error, rounded, inputs, *others = (cell.strip() for cell in line.strip("|").split("|"))
        found[name.strip("`")] = (error, rounded, inputs, *others)
    return found


def accuracy_section(name: str, measured: dict[str, tuple[str, ...]]) -> str:
    """The largest errors, beside other libraries."""
    lines = [(f"`{f}`", *measured[f]) for f in (name, f"{name}_grad", f"{name}_grad_y") if f in measured]
    if not lines:
        return ""
    head = ("float32, ULP", "largest error", "correctly rounded", "inputs tried", "PyTorch", "JAX", "ONNX Runtime")
    return (
        f"## Accuracy\n\n{table(head, *lines)}\n\nAll figures, and how they were found: [accuracy](../accuracy.md).\n"
    )


def speed_section(name: str, figures: dict[str, Any]) -> str:
    """Elements per second beside other libraries."""
    found = {result["function"]: result["elements_per_second"] for result in figures["results"]}
    lines = []
    libraries = ["numact", "numpy", *figures["peers"]]
    for function in (name, f"{name}_grad", f"{name}_grad_y"):
        if function in found:
            speeds = (found[function].get(library) for library in libraries)
            lines.append((f"`{function}`", *(f"{speed / 1e9:.2f}" if speed else "" for speed in speeds)))
    if not lines:
        return ""
    head = ("float32, 10⁹ elements/s", *(LIBRARY_NAMES[library] for library in libraries))
    place = f"{figures['size']:,} elements, one thread, AVX-512, into existing memory where a library has `out=`"
    return f"## Speed\n\n{table(head, *lines)}\n\n{place}: [speed](../speed.md).\n"


def elsewhere(name: str) -> str:
    """Its names in other libraries."""
    found = []
    for library, names in LIBRARIES.items():
        for other in names:
            public, parameters = find(f"{library}.{other}")
            if public in (name, f"{name}_split") and not other.endswith("_"):
                given = f" ({', '.join(f'{key}={value}' for key, value in parameters.items())})" if parameters else ""
                found.append((library, f"`{other}`{given}"))
    if not found:
        return ""
    lines = [
        (library, ", ".join(dict.fromkeys(text for where, text in found if where == library))) for library in LIBRARIES
    ]
    return "## Names in other libraries\n\n" + table(("library", "name"), *(line for line in lines if line[1])) + "\n"


def page(name: str, entry: dict[str, str], row: Activation | None, measured: Any, figures: Any) -> str:
    """The page of a function."""
    formula, derivative = entry["f"], entry["derivative"]
    left = "f(x) = " if entry["group"] not in ("Gated", "Along an axis") else ""
    slope = "f'(x) = " if left and derivative != "f'(x)" else ""
    parts = [f"# {name}\n", f"```{{math}}\n{left}{formula}\n```\n"]
    if derivative != "f'(x)":
        parts.append(f"```{{math}}\n{slope}{derivative}\n```\n")
    if curves.has_curve(name):
        parts.append(f"```{{image}} {name}.svg\n:alt: {name} and its derivative\n:class: dark-light curve\n```\n")
    if row is not None:
        lines = "\n".join(f"* - {what}\n  - {fact}" for what, fact in facts(row))
        parts.append(f"```{{list-table}}\n:widths: 30 70\n\n{lines}\n```\n")
    if "choose" in entry:
        parts.append(f"**When to choose it.** {linked(entry['choose'])}\n\n**When not.** {linked(entry['avoid'])}\n")
        parts.append(f"**Published in** [{entry['paper']}]({entry['url']}).\n")
    elif row is not None:
        parts.append(f"{row.notes}\n")
    related = [f for f in (name, f"{name}_grad", f"{name}_grad_y", f"{name}_masked", f"{name}_split") if f in FUNCTIONS]
    parts.append("**Reference:** " + ", ".join(f"[{f}](../reference/numact.{f}.rst)" for f in related) + "\n")
    parts += [accuracy_section(name, measured), speed_section(name, figures), elsewhere(name)]
    return "\n".join(filter(None, parts))


def linked(text: str) -> str:
    """A text whose names of functions lead to their pages."""
    known = entries()

    def link(match: re.Match[str]) -> str:
        name = match[1]
        if name in known:
            return f"[{name}]({name}.md)"
        return f"[`{name}`](../reference/numact.{name}.rst)" if name in public() else match[0]

    return re.sub(r"`([\w.]+)`", link, text)


def public() -> set[str]:
    """The names that the reference has, as they follow ``numact.``."""
    return {*numact.__all__, *(f"{place}.{n}" for place in PLACES for n in getattr(numact, place).__all__)}


PLACES = ("norm", "init", "diagnostics", "memory", "study")


def index(found: dict[str, dict[str, str]]) -> str:
    """The page of cards."""
    parts = ["# Gallery\n", "Every function with its curve (blue) and its derivative (orange).\n"]
    for group in dict.fromkeys(entry["group"] for entry in found.values()):
        parts.append(f"## {group}\n\n::::{{grid}} 2 3 3 4\n:gutter: 2\n:class-container: gallery\n")
        for name, entry in found.items():
            if entry["group"] != group:
                continue
            top = f":img-top: {name}.svg\n:class-img-top: dark-light\n" if curves.has_curve(name) else ""
            parts.append(f":::{{grid-item-card}} {name}\n:link: {name}\n:link-type: doc\n{top}:::\n")
        parts.append("::::\n")
    names = "\n".join(found)
    return "\n".join([*parts, f"```{{toctree}}\n:hidden:\n\n{names}\n```\n"])


def write(path: Path, text: str) -> None:
    """Write a file unless it has this text, so that Sphinx reads only what changed."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def make(app: Sphinx) -> None:
    """Write all pages and pictures."""
    PLACE.mkdir(exist_ok=True)
    found, known, measured = entries(), rows(), accuracy()
    figures = json.loads(FIGURES.read_text(encoding="utf-8"))
    for name, entry in found.items():
        if curves.has_curve(name):
            write(PLACE / f"{name}.svg", curves.svg(name))
        write(PLACE / f"{name}.md", page(name, entry, known.get(name), measured, figures))
    write(PLACE / "index.md", index(found))


def setup(app: Sphinx) -> dict[str, Any]:
    """Make the pages before Sphinx looks for them."""
    app.connect("builder-inited", make)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
