"""Documentation: every public function says all that a user needs; the table in the README is that of the catalogue."""

import doctest
import inspect
import math
import re
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.cases import name_of

import numact
from numact import Activation, ParametricUfunc
from numact._functions import ufuncs
from numact._functions.catalogue import rules
from numact._functions.names import FUNCTIONS

ROOT = Path(__file__).parents[2]
ORDER = ["Parameters", "Attributes", "Returns", "Raises", "See Also", "Notes", "Examples"]
UFUNCS = {name: function for name, function in FUNCTIONS.items() if isinstance(function, np.ufunc | ParametricUfunc)}
OTHERS = sorted({*numact.__all__} - {*UFUNCS})
ROWS = [row for row in numact.catalogue() if row.family != "axis"]
ARGUMENTS = {row.name: row.arguments for row in ROWS}
every_function = pytest.mark.parametrize("name", FUNCTIONS)
DEFAULT_PRINTING: Any = {"precision": 8, "suppress": False, "threshold": 1000, "linewidth": 75}
every_row = pytest.mark.parametrize("row", ROWS, ids=name_of)


def sections(name: str) -> dict[str, str]:
    """The parts of a docstring by their titles; "" is what stands before."""
    text = inspect.cleandoc(getattr(numact, name).__doc__)
    parts = re.split(r"(?m)^(\w[\w ]+)\n(-+)\n", text)
    found = {"": parts[0]}
    for title, line, body in zip(*(iter(parts[1:]),) * 3, strict=True):
        assert len(line) == len(title)
        assert title not in found
        found[title] = body
    return found


def described(text: str) -> dict[str, str]:
    """The entries of a section "Parameters": "x : array_like" by name; several names may share an entry."""
    entries = {}
    for line in re.findall(r"(?m)^\S.*$", text):
        names, _, kind = line.partition(" : ")
        entries.update(dict.fromkeys((name.strip() for name in names.split(",")), kind))
    return entries


@every_function
def test_sections(name: str) -> None:
    """All sections are there, in the order of numpydoc, each with something in it."""
    found = sections(name)
    titles = [title for title in found if title]
    assert titles == [title for title in ORDER if title in titles]
    assert {"Parameters", "Returns", "Raises", "See Also", "Notes", "Examples"} <= set(titles)
    assert all(found[title].strip() for title in titles)
    function = getattr(numact, name)
    text = function.__doc__
    lines = text.splitlines()[isinstance(function, np.ufunc) :]  # the first line of a ufunc's is NumPy's
    assert max(map(len, lines)) <= 130
    assert not re.search(r"[ \t]\n|\n\n\n", text)


@every_row
def test_the_derivative_at_zero_has_an_example(row: Activation) -> None:
    """The gradient of an activation with a kink at 0, and of no other, shows `at_zero=`."""
    for suffix in ("", "_grad"):
        assert ("at_zero=0.5" in sections(row.name + suffix)["Examples"]) == (row.kink and suffix == "_grad")


@pytest.mark.parametrize("name", OTHERS)
def test_others(name: str) -> None:
    """What is no ufunc has a summary and describes every parameter and what it returns."""
    thing, found = getattr(numact, name), sections(name)
    assert found[""].strip().split("\n")[0].endswith((".", ":"))
    if inspect.isclass(thing):
        described_names = described(found["Attributes"])
        assert {field for field in getattr(thing, "__dataclass_fields__", ())} <= described_names.keys()
        return
    assert found["Returns"].strip()
    parameters = inspect.signature(thing).parameters
    assert [name.lstrip("*") for name in described(found.get("Parameters", ""))] == list(parameters)


@pytest.mark.parametrize("name", UFUNCS)
def test_parameters(name: str) -> None:
    """Operands, parameters with their defaults and keywords are described, in the order of the call."""
    function: Any = UFUNCS[name]
    entries = described(sections(name)["Parameters"])
    if isinstance(function, ParametricUfunc):
        parameters = [
            parameter.replace("keywords", "**keywords") for parameter in inspect.signature(function).parameters
        ]
        assert sorted(entries) == sorted(parameters)
        assert list(entries)[: function.nin + len(function.defaults)] == parameters[: function.ufunc.nin]
        for parameter, default in function.defaults.items():
            assert entries[parameter] == ("array_like" if default is None else f"array_like, default {default}")
    else:
        stem, gradient, source = name.partition("_grad")
        arrays = ("y",) if source == "_y" else ARGUMENTS[stem]
        assert list(entries) == [*(["dy"] if gradient else []), *arrays, "out", "**keywords"]
    for word in ("where", "dtype", "casting", "order", "subok"):
        assert re.search(rf"\b{word}\b", function.__doc__)


@every_row
def test_contents(row: Activation) -> None:
    """Formula, derivative, range, kinks, bound, notes and other names; what raises; at_zero where there is a kink."""
    for suffix, bound in (("", row.ulp), ("_grad", row.ulp_gradient), ("_grad_y", row.ulp_gradient)):
        if row.name + suffix not in FUNCTIONS:
            continue
        found = sections(row.name + suffix)
        derivatives = row.derivative.split("\n")
        for word in (row.formula, *derivatives, row.range, row.kinks, row.notes, *row.aliases, f"{bound} ULP"):
            assert word in found["Notes"]
        assert ("at_zero" in found["Parameters"]) == (row.kink and suffix == "_grad")
        for rule in filter(None, rules(row.domain, suffix).split(", ")):
            assert rule in found["Raises"]
        assert ("ValueError" in found["Raises"]) == bool(rules(row.domain, suffix))
        for parameter, default in row.parameters:
            missing = re.search(rf"\b{parameter}\b", found["Raises"].split("ValueError")[0])
            assert bool(missing) == (default is None)


@every_function
def test_see_also(name: str) -> None:
    """The siblings are named, exist, and do not include the function itself."""
    siblings = re.findall(r"(?m)^(\w+) : ", sections(name)["See Also"])
    assert siblings
    assert name not in siblings
    assert set(siblings) <= set(numact.__all__)
    stem, gradient, source = name.partition("_grad")
    family = {stem, f"{stem}_grad", f"{stem}_grad_y", f"{stem}_split{gradient}{source}"}
    assert (family & FUNCTIONS.keys()) - {name} <= set(siblings)


PLACES: dict[str, Any] = {
    "numact": numact,
    **{name: getattr(numact, name) for name in ("norm", "init", "diagnostics", "memory")},
}
EVERYWHERE = [(place, name) for place, module in PLACES.items() for name in module.__all__]
# What is returned or given, but not called; and the place of a header, which differs.
WITHOUT = {"Activation", "ParametricUfunc", "BatchStatistics", "Summary", "show_config", "get_include"}


@pytest.mark.parametrize(("place", "name"), EVERYWHERE)
def test_examples(place: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The examples run, call the function itself, and give the output that they show."""
    if name in WITHOUT:
        return
    text = inspect.cleandoc(getattr(PLACES[place], name).__doc__)
    example = doctest.DocTestParser().get_doctest(text, {"np": np, "numact": numact}, name, None, None)
    public = f"numact.{name}" if place == "numact" else f"numact.{place}.{name}"
    assert any(re.search(rf"\b{re.escape(public)}\b", one.source) for one in example.examples)
    assert any(one.want for one in example.examples)
    with np.printoptions(**DEFAULT_PRINTING):
        results = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example)
    assert results.failed == 0, capsys.readouterr().out


@pytest.mark.parametrize("row", [row for row in ROWS if row.kink], ids=name_of)
def test_examples_of_the_derivative_at_zero(row: Activation, capsys: pytest.CaptureFixture[str]) -> None:
    """The ufunc behind `at_zero=`, which has no public name, shows the call of the public one."""
    text = inspect.cleandoc(ufuncs.RAW[f"{row.name}_grad_at_zero"].__doc__)
    example = doctest.DocTestParser().get_doctest(text, {"np": np, "numact": numact}, row.name, None, None)
    assert doctest.DocTestRunner().run(example) == (0, 2), capsys.readouterr().out


# The README


def test_table() -> None:
    """The table of functions is what docs/table.py prints: run python docs/table.py --write."""
    script = runpy.run_path(str(ROOT / "docs" / "table.py"))
    page = (ROOT / "docs/functions.md").read_text(encoding="utf-8")
    assert page == script["written"](page), "python docs/table.py --write brings it up to date"
    for row in ROWS:
        assert re.search(rf"\| `{row.name}\b.*` \| ", script["table"]())


def test_table_of_other_rows() -> None:
    """Parameters without default, infinite ones and bars of absolute values fit the table."""
    cells = runpy.run_path(str(ROOT / "docs" / "table.py"))["cells"]
    fields = {name: getattr(ROWS[0], name) for name in ROWS[0].__dataclass_fields__}
    row = Activation(**{**fields, "parameters": (("value", None), ("most", math.inf)), "from_output": False})
    assert list(cells(row))[1] == "`value`, `most=inf`"
    assert list(cells(row))[4] == ""
