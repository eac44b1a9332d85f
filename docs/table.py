"""Print the table of functions that stands in docs/functions.md, from the catalogue; with --write, put it there.

Run: python docs/table.py --write
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numact
from numact import Activation

PAGE = Path(__file__).parent / "functions.md"
# The table is between these lines.
BEGIN, END = "<!-- docs/table.py -->", "<!-- end -->"
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


def written(text: str) -> str:
    """The text of the page with the present table."""
    before, rest = text.split(f"{BEGIN}\n")
    _, after = rest.split(f"{END}\n")
    return f"{before}{BEGIN}\n{table()}\n{END}\n{after}"


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        print(table())
