"""Print the tables of docs/functions.md and docs/dense_layer.md: functions, names elsewhere, buffers of a layer.

With --write, put them there.

Run: python docs/table.py --write
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numact
from numact import Activation
from numact._functions.libraries import LIBRARIES
from numact._functions.names import FUNCTIONS, find

DOCS = Path(__file__).parent
# The tables are between these lines.
BEGIN, BEGIN_NAMES, END = "<!-- docs/table.py -->", "<!-- docs/table.py, names -->", "<!-- end -->"
BEGIN_BUFFERS = "<!-- docs/table.py, buffers -->"
HEADINGS = ("function", "parameters", "f(x)", "f'(x)", "`_grad_y`", "`_masked`", "error ≤ ULP")


def cells(row: Activation) -> Iterator[str]:
    """The cells of the line of one activation."""
    yield f"`{row.name}`" if row.family == "elementwise" else f"`{row.name}({', '.join(row.arguments)})`"
    yield ", ".join(f"`{name}`" if default is None else f"`{name}={default}`" for name, default in row.parameters)
    yield row.formula
    yield "; ".join(row.derivative.split("\n"))
    yield "yes" if row.from_output else ""
    yield "yes" if row.masked else ""
    yield f"{row.ulp:g}, gradient {row.ulp_gradient:g}"


def table() -> str:
    """The lines of the table."""
    lines = [HEADINGS, *(tuple(cells(row)) for row in numact.catalogue() if row.family != "axis")]
    escaped = ([cell.replace("|", "&#124;") for cell in line] for line in lines)
    heading, *rows = (f"| {' | '.join(line)} |" for line in escaped)
    return "\n".join([heading, "|---" * len(HEADINGS) + "|", *rows])


def names_table() -> str:
    """The lines of the table of names in other libraries, with the parameters where they are not those of numact."""
    found: dict[str, dict[str, list[str]]] = {name: {} for name in FUNCTIONS}
    for library, names in LIBRARIES.items():
        for name in (name for name in names if not name.endswith("_")):
            public, parameters = find(f"{library}.{name}")
            given = f" ({', '.join(f'{key}={value}' for key, value in parameters.items())})" if parameters else ""
            found[public].setdefault(library, []).append(f"`{name}`{given}")
    lines = [("numact", *LIBRARIES)]
    for public, cells in found.items():
        if cells:
            lines.append((f"`{public}`", *(", ".join(cells.get(library, ())) for library in LIBRARIES)))
    heading, *rows = (f"| {' | '.join(line)} |" for line in lines)
    return "\n".join([heading, "|---" * len(lines[0]) + "|", *rows])


def buffers_table() -> str:
    """The lines of the table of what the backward pass of each elementwise function can be computed from."""
    lines = ["| function | the output y | a bit mask | the input x |", "|---|---|---|---|"]
    for row in numact.catalogue():
        if row.family == "elementwise":
            y, mask = ("yes" if one else "" for one in (row.from_output, row.masked))
            only = "; ".join(rule.removeprefix("y: ") for rule in row.domain.split(", ") if rule.startswith("y: "))
            lines.append(f"| `{row.name}` | {y}{f', for {only}' if only and y else ''} | {mask} | yes |")
    return "\n".join(lines)


def written(text: str) -> str:
    """The text of a page with the present tables."""
    for begin, lines in ((BEGIN, table()), (BEGIN_NAMES, names_table()), (BEGIN_BUFFERS, buffers_table())):
        if f"{begin}\n" not in text:
            continue
        before, rest = text.split(f"{begin}\n")
        _, after = rest.split(f"{END}\n", 1)
        text = f"{before}{begin}\n{lines}\n{END}\n{after}"
    return text


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        for page in ("functions.md", "dense_layer.md"):
            DOCS.joinpath(page).write_text(written(DOCS.joinpath(page).read_text(encoding="utf-8")), encoding="utf-8")
    else:
        print(table(), names_table(), buffers_table(), sep="\n\n")
