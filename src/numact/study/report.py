"""The report: one HTML file with plots, tables and verdicts, and the same as JSON."""

from __future__ import annotations

import io
import math
import platform
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import numpy as np

from numact.study.experiments import QUESTIONS
from numact.study.experiments.question import Answer, Plot, Question, Record
from numact.study.statistics import RULE, interval, joined

# Readable on light and on dark.
COLOURS = ("#2f7fd0", "#e08a2e", "#3a9a5b", "#b0569c", "#8a8f33", "#c4504a", "#4aa3a3", "#8d7cc3")
INK = "#80868c"


def results(records: list[Record], command: str, version: str) -> dict[str, Any]:
    """What a report says, for JSON."""
    questions = []
    for number, question in QUESTIONS.items():
        found = [record for record in records if record["question"] == number]
        if found:
            questions.append(_result(question, question.answer(_with_names(found))))
    return {
        "numact": version,
        "numpy": np.__version__,
        "machine": f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}",
        "command": command,
        "rule": RULE,
        "questions": questions,
    }


def _with_names(records: list[Record]) -> list[Record]:
    """Records whose data are called by the last part of a path, in a fixed order."""
    named = [record | {"data": str(record["data"]).replace("\\", "/").rpartition("/")[2]} for record in records]
    return sorted(named, key=lambda record: (record["data"], str(record["condition"]), record["seed"]))


def _result(question: Question, answer: Answer) -> dict[str, Any]:
    effects = [effect.judged() for effect in answer.effects]
    return {
        "number": question.number,
        "title": question.title,
        "claim": question.claim,
        "source": question.source,
        "method": question.method.splitlines(),
        "limits": question.limits,
        "functions": list(question.functions),
        "snippet": question.snippet,
        "reasons": _reasons(effects),
        "verdict": joined([effect["verdict"] for effect in effects]),
        "effects": effects,
        "table": [list(line) for line in answer.table],
        "plots": [svg(plot) for plot in answer.plots],
    }


def _reasons(effects: list[dict[str, Any]]) -> dict[str, list[str]]:
    """On what a verdict depends: the effects by theirs."""
    found: dict[str, list[str]] = {}
    for effect in effects:
        found.setdefault(effect["verdict"], []).append(f"{effect['name']} ({effect['data']})")
    return found


def html(found: dict[str, Any]) -> str:
    """The report as one file that needs nothing else."""
    import jinja2

    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["number"] = number
    source = files("numact.study").joinpath("report.html.jinja").read_text(encoding="utf-8")
    return environment.from_string(source).render(found)


def number(value: float) -> str:
    """A number of three digits, with its sign."""
    if not math.isfinite(value):
        return "∞" if value > 0 else "not finite"
    return f"{value:+.3g}"


def svg(plot: Plot) -> str:
    """A plot as SVG: the mean of each line, and the 95 % interval of the mean as a band."""
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    with mpl.rc_context({"svg.hashsalt": plot.title, "svg.fonttype": "path", "font.size": 10}):
        figure = Figure(figsize=(5.4, 4.0), layout="constrained")
        axis = figure.subplots()
        for colour, line in zip(COLOURS * 2, plot.curves, strict=False):
            mean, low, high = (
                zip(*(band(values) for values in line.values), strict=True) if line.values else ((), (), ())
            )
            axis.fill_between(line.x, low, high, color=colour, alpha=0.2, linewidth=0)
            axis.plot(
                line.x, mean, color=colour, linewidth=1.8, label=line.label, marker="." if len(line.x) < 3 else ""
            )
        axis.set_title(plot.title, color=INK, fontsize=11)
        axis.set_xlabel(plot.x_label, color=INK)
        axis.set_ylabel(plot.y_label, color=INK)
        if plot.log_y and any(v > 0 for line in plot.curves for values in line.values for v in values):
            axis.set_yscale("log")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.tick_params(which="both", colors=INK)
        for spine in axis.spines.values():
            spine.set_color(INK)
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(True, color=INK, alpha=0.2)
        figure.legend(frameon=False, labelcolor=INK, fontsize=9, loc="outside lower center", ncols=2)
        stream = io.StringIO()
        figure.savefig(
            stream, format="svg", transparent=True, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type"))
        )
    text = stream.getvalue()
    return text[text.index("<svg") :].replace("<svg ", f'<svg role="img" aria-label="{plot.title}" ', 1)


def band(values: Sequence[float]) -> tuple[float, float, float]:
    """The mean and its interval; NaN where it is not finite."""
    found = interval(values)
    if not all(map(math.isfinite, (found.mean, found.low, found.high))):
        return (math.nan,) * 3
    return found.mean, found.low, found.high
