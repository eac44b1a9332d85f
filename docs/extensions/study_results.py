"""What `python -m numact study` found, from docs/study.json, as a part of the page on choosing an activation."""

import json
from pathlib import Path
from typing import Any

from gallery import table, write
from sphinx.application import Sphinx

DOCS = Path(__file__).parents[1]
PLACE = DOCS / "study"


def section(question: dict[str, Any]) -> str:
    """The part of a question."""
    number = question["number"]
    parts = [f"### {number}. {question['title']}\n", f"> {question['claim']}\n>\n> {question['source']}\n"]
    parts.append(f"**{question['verdict'].capitalize()}.**\n")
    head = ("effect", "data", "mean", "95 % interval", "threshold", "verdict")
    lines = [
        (
            f"{e['name']} ({e['unit']})" if e["unit"] else e["name"],
            e["data"],
            f"{e['mean']:+.3g}",
            f"{e['low']:+.3g} to {e['high']:+.3g}",
            f"±{e['threshold']}" if e["kind"] == "within" else f"> {e['threshold']}",
            e["verdict"],
        )
        for e in question["effects"]
    ]
    parts.append(table(head, *lines) + "\n")
    for k, plot in enumerate(question["plots"]):
        write(PLACE / f"{number}-{k}.svg", plot)
        parts.append(f"```{{image}} study/{number}-{k}.svg\n:alt: {question['title']}\n:class: dark-light curve\n```\n")
    method = "\n".join(f"- {line}" for line in question["method"])
    parts.append(f":::{{dropdown}} The experiment\n{method}\n:::\n")
    parts.append(f"**What it cannot say.** {question['limits']}\n")
    names = ", ".join(f"[`{f}`](reference/numact.{f}.rst)" for f in question["functions"])
    parts.append(f"In numact: {names}.\n")
    return "\n".join(parts)


def make(app: Sphinx) -> None:
    """Write the part and its plots."""
    PLACE.mkdir(exist_ok=True)
    found = json.loads((DOCS / "study.json").read_text(encoding="utf-8"))
    verdicts = table(
        ("", "question", "verdict"), *((str(q["number"]), q["title"], q["verdict"]) for q in found["questions"])
    )
    where = f"numact {found['numact']}, NumPy {found['numpy']}, {found['machine']}: `{found['command']}`."
    text = "\n".join([where, "", found["rule"], "", verdicts, "", *map(section, found["questions"])])
    write(PLACE / "results.md", text + "\n")


def setup(app: Sphinx) -> dict[str, Any]:
    """Make the part before Sphinx looks for it."""
    app.connect("builder-inited", make)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
