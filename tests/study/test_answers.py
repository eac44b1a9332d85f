"""Statistics and the rule of verdicts; the questions; the store; the report and the command."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from support.browser import chromium, severe
from support.extras import require_study

import numact
from numact.commands.main import main

require_study()

from numact.study import runner  # noqa: E402
from numact.study.data import DataError  # noqa: E402
from numact.study.experiments import QUESTIONS, dead_units  # noqa: E402
from numact.study.experiments.question import Settings  # noqa: E402
from numact.study.report import html, results  # noqa: E402
from numact.study.statistics import Effect, Interval, interval, joined, judge  # noqa: E402
from numact.study.store import Store, key_of  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")
SMALL = Settings(seeds=2, epochs=2, quick=True)


def values(mean: float, count: int = 10, spread: float = 0.1) -> tuple[float, ...]:
    """Effects around a mean."""
    return tuple(mean + spread * np.linspace(-1, 1, count))


def test_rule() -> None:
    """Data that support a claim, contradict it, and leave it open."""
    assert judge(interval(values(1.0)), 0.5) == "supported"
    assert judge(interval(values(0.2)), 0.5) == "not supported"
    assert judge(interval(values(-1.0)), 0.5) == "not supported"
    assert judge(interval(values(0.5)), 0.5) == "open"
    assert judge(interval(values(1.0, count=3)), 0.5) == "open"
    assert judge(interval((1.0, float("nan"), *values(1.0))), 0.5) == "open"
    assert judge(interval(values(0.0)), 0.5, "within") == "supported"
    assert judge(interval(values(1.0)), 0.5, "within") == "not supported"
    assert judge(interval(values(0.5)), 0.5, "within") == "open"
    assert judge(interval((0.0,) * 10), 0.5, "within") == "supported"
    assert judge(Interval(-0.6, -0.7, -0.5, 1.0, 10), 0.5, "within") == "open"
    assert judge(Interval(0.6, 0.5, 0.7, 1.0, 10), 0.5, "within") == "open"
    assert judge(Interval(0.6, 0.5, 0.7, 1.0, 10), 0.5) == "open"
    assert joined(["supported", "supported"]) == "supported"
    assert joined(["supported", "open"]) == "open"
    assert joined(["supported", "open", "not supported"]) == "depends"
    assert joined(["not supported"]) == "not supported"


def test_intervals() -> None:
    """They hold the mean, repeat, and cover the true mean about as often as they say."""
    found = interval(values(1.0))
    assert found.low < found.mean < found.high
    assert found == interval(values(1.0))
    rng = np.random.default_rng(0)
    hits = sum((f := interval(rng.normal(size=20).tolist())).low <= 0 <= f.high for _ in range(100))
    assert 85 <= hits <= 100
    judged = Effect("a", "data", "unit", values(1.0), 0.5).judged()
    assert judged["verdict"] == "supported"
    assert judged["seeds"] == 10


@pytest.mark.parametrize("number", QUESTIONS)
def test_questions(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Each has all that a reader needs, its runs can be stored, and its answer has effects, plots and a table."""
    question = QUESTIONS[number]
    assert question.number == number
    assert question.title.endswith("?")
    assert len(question.method.splitlines()) <= 10
    assert all(len(line) < 130 for line in question.method.splitlines())
    for name in question.functions:
        place: Any = numact
        for part in name.split("."):
            place = getattr(place, part)
    exec(question.snippet, {"np": np, "numact": numact})
    assert capsys.readouterr().out
    records = [
        json.loads(json.dumps(runner.measured(task))) for task in runner.tasks([number], SMALL, [("wine", None)])
    ]
    answer = question.answer(records)
    assert answer.effects
    assert all(len(effect.values) == SMALL.seeds for effect in answer.effects)
    assert all(plot.curves for plot in answer.plots)
    assert len({len(line) for line in answer.table}) == 1
    assert len(answer.table) > 1


def test_vanishing_gradients() -> None:
    """Sigmoid and tanh are compared with ReLU by the better initialisation, seed by seed, and ReLU with one."""
    lost = {"sigmoid": {"xavier": 9, "he": 7}, "tanh": {"xavier": 2, "he": 4}, "relu": {"xavier": 5, "he": 1}}
    records = [
        {
            "data": "wine",
            "condition": {"activation": activation, "initialisation": initialisation},
            "seed": seed,
            "norms": [1.0, 1.0, 10.0 ** (powers + seed)],
        }
        for activation, found in lost.items()
        for initialisation, powers in found.items()
        for seed in (0, 1)
    ]
    answer = QUESTIONS[3].answer(records)
    effects = {effect.name: (np.round(effect.values, 9).tolist(), effect.threshold) for effect in answer.effects}
    assert effects == {
        "what sigmoid loses beyond relu with He": ([6, 6], 1),
        "what tanh loses beyond relu with He": ([1, 1], 1),
        "what relu with He loses or gains, negated": ([-1, -2], -1),
    }


def test_sparse_layers() -> None:
    """Zeros count by their distance to 50 and 90 %, dropout and the penalty by what they change, with their limits."""
    figures = {"relu": (0.6, 0.9), "relu, dropout": (0.5, 0.8), "relu, L1": (0.7, 0.85)}
    records = [
        {"data": "wine", "condition": {"kind": kind}, "seed": seed, "loss": [1.0, 0.5], "score": [0.1] + 3 * [score]}
        | {"sparsity": [[0.0, 0.0], [zeros, zeros]]}
        for kind, (zeros, score) in figures.items()
        for seed in (0, 1)
    ]
    found = [(np.round(effect.values, 9).tolist(), effect.threshold) for effect in QUESTIONS[4].answer(records).effects]
    assert found == [([0.1, 0.1], 0.0), ([0.1, 0.1], -0.005), ([-0.1, -0.1], -0.05)]


@pytest.mark.parametrize(("name", "share"), [("relu", 0.5), ("tanh", 0.75)])
def test_idle_units(name: str, share: float) -> None:
    """A unit of ReLU is idle if it is always 0, one of tanh if it is always the same; both if not finite."""
    output = np.array([[0.0, 1.0, 1.0, np.inf], [0.0, 1.0, 2.0, 1.0]])
    assert dead_units.idle(SimpleNamespace(name=name, output=output)) == share


class Killed(Exception):
    """The program is killed."""


@pytest.mark.parametrize("moment", [0, 1, 7])
def test_resuming(moment: int, tmp_path: Path) -> None:
    """A study that was killed at any moment goes on, and its report is that of one that was not."""
    runs = runner.tasks([3, 6], SMALL, [("wine", None)])
    described = {"seeds": 2}

    def kill(done: int, total: int) -> None:
        if done == moment:
            raise Killed

    def finish(path: Path) -> str:
        with Store(path, described) as store:
            runner.run_all(runs, store, 0, lambda done, total: None)
            found = results([store.records[key_of(task)] for task in runs], "command", "1")
        return html(found) + json.dumps(found)

    whole = finish(tmp_path / "whole.jsonl")
    path = tmp_path / "killed.jsonl"
    with pytest.raises(Killed), Store(path, described) as store:
        runner.run_all(runs, store, 0, kill)
    with path.open("a") as half:
        half.write('{"question": 3, "da')  # what was being written
    assert finish(path) == whole
    with pytest.raises(ValueError, match="holds results of other settings"):
        Store(path, {"seeds": 3})


def test_processes_give_the_same(tmp_path: Path) -> None:
    """The records do not depend on the number of processes."""
    runs = runner.tasks([6], Settings(seeds=1, epochs=1, quick=True), [("wine", None)])
    found = []
    for processes in (0, 1, 2):
        with Store(tmp_path / f"{processes}.jsonl", {}) as store:
            runner.run_all(runs, store, processes, lambda done, total: None)
            found.append(store.records)
    assert found[0] == found[1] == found[2]


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that was not made here: the report, JSON beside it, and again without a run."""
    from sklearn import datasets

    path = Path(datasets.__file__).parent / "data" / "iris.csv"
    lines = path.read_text().splitlines()
    table = tmp_path / "iris.csv"  # whose head is no head
    table.write_text("\n".join(["a,b,c,d,kind of iris", *lines[1:]]))
    output = tmp_path / "report.html"
    command = [
        "study",
        "--question",
        "3",
        "--seeds",
        "2",
        "--data",
        str(table),
        "--target",
        "kind of iris",
        "-o",
        str(output),
    ]
    assert main([*command, "--processes", "1"]) == 0
    printed = capsys.readouterr().out
    assert "3. Do gradients vanish" in printed
    text = output.read_text()
    assert "iris.csv" in text
    assert not re.search(r"""(src|href)=["'](?!#)""", text)  # nothing is loaded
    assert str(tmp_path) not in text
    assert json.loads(output.with_suffix(".json").read_text())["questions"][0]["number"] == 3
    before = output.read_text()
    assert main(command) == 0
    assert output.read_text() == before
    assert "--target 'kind of iris' -o report.html" in json.loads(output.with_suffix(".json").read_text())["command"]
    table.write_text(table.read_text().replace("5.1", "5.2"))
    assert main(command) == 2  # not the data of the runs that are there
    assert "holds results of other settings" in capsys.readouterr().err
    assert output.read_text() == before


def test_interrupt(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The exit code of an interrupt, and what to do next."""

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "run_all", interrupt)
    assert main(["study", "--question", "3", "-o", str(tmp_path / "report.html")]) == 130
    assert "the same command continues from here" in capsys.readouterr().err


def test_name_without_a_dot(tmp_path: Path) -> None:
    """What is not packaged is a file, and is refused by its name's end."""
    (tmp_path / "table").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"the name must end with"):
        runner.open_data(str(tmp_path / "table"), None)


def test_wrong_arguments(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line, and exit code 2."""
    output = str(tmp_path / "report.html")
    cases = {
        "there is no question 12; they are 1 to 9": ["--question", "12"],
        "study: --output must end with .html, .htm, got 'report.pdf'": ["-o", "report.pdf"],
        "there is no folder": ["-o", str(tmp_path / "none" / "report.html")],
        "--target belongs to --data": ["--target", "x", "-o", output],
        "none.csv: no such file": ["--data", "none.csv", "-o", output],
    }
    for message, arguments in cases.items():
        assert main(["study", *arguments]) == 2
        error = capsys.readouterr().err
        assert message in error
        assert len(error.splitlines()) == 1
    assert not (tmp_path / "report.html").exists()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium."""
    driver = chromium()
    yield driver
    driver.quit()


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_report_in_a_browser(browser: Any, tmp_path: Path, width: int, scheme: str) -> None:
    """Nothing scrolls sideways but tables, no errors, and text that differs from its background, light and dark."""
    runs = runner.tasks([3, 6], SMALL, [("wine", None)])
    path = tmp_path / "report.html"
    path.write_text(html(results([runner.measured(task) for task in runs], "command", "1")))
    emulate = browser.execute_cdp_cmd
    emulate(
        "Emulation.setDeviceMetricsOverride", {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": True}
    )
    emulate("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    browser.get(path.as_uri())
    assert not severe(browser)
    assert browser.execute_script("return document.documentElement.scrollWidth - window.innerWidth") <= 0
    ink, paper = browser.execute_script(
        "const s = getComputedStyle(document.body); return [s.color, s.backgroundColor].map(c => +c.match(/\\d+/)[0])"
    )
    assert (ink < 100 < 200 < paper) == (scheme == "light")
    assert abs(ink - paper) > 120
    assert browser.execute_script("return document.querySelectorAll('.plots svg').length") > 1
