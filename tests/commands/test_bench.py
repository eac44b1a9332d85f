"""``python -m numact bench``: what it measures, prints, draws and returns.  No figure of a real clock is judged."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.processes import run

import numact
from numact.commands.baseline import BASELINES
from numact.commands.bench import measure, peers
from numact.commands.bench.report import report
from numact.commands.main import main
from numact.commands.selection import functions

KEYS = {"function", "dtype", "elements_per_second", "copy", "share_of_copy", "ratio_numpy", "fastest_peer"}
KEYS |= {"ratio_peer"}
PEERS = list(peers.PEERS)
EVERY = functions([], ("elementwise",), "measured")


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure hardly at all, and without the libraries that happen to be installed."""
    monkeypatch.setattr(measure, "ROUNDS", (1, 1))
    monkeypatch.setattr(measure, "LEAST", 0.0)
    monkeypatch.setattr(peers, "PEERS", {})


def results(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """Run the command, which must succeed, and give the JSON that it prints."""
    assert main(["bench", "--json", "--size", "64", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def test_default(capsys: pytest.CaptureFixture[str]) -> None:
    """Without names it measures all that NumPy has, too, in float32, with the threads that are set."""
    found = results(capsys)
    with_y = [f"{name}_grad_y" for name, plain in BASELINES.items() if plain.gradient_y]
    names = [row["function"] for row in found["results"]]
    assert sorted(names) == sorted([*BASELINES, *(f"{name}_grad" for name in BASELINES), *with_y])
    assert (found["size"], found["threads"], found["peers"]) == (64, numact.get_num_threads(), [])
    assert found["numpy"] == np.__version__
    for row in found["results"]:
        assert set(row) == KEYS
        assert row["dtype"] == "float32"
        assert list(row["elements_per_second"]) == ["numact", "numpy"]
        assert row["copy"] > 0
        assert row["share_of_copy"] == pytest.approx(row["elements_per_second"]["numact"] / row["copy"])
        assert row["fastest_peer"] is row["ratio_peer"] is None


def test_choice(capsys: pytest.CaptureFixture[str]) -> None:
    """Functions, types and threads can be chosen; what NumPy lacks has no ratio; the threads are restored."""
    before = numact.get_num_threads()
    found = results(capsys, "--function", "mish,threshold_grad", "--dtype", "float16,float64", "--threads", "3")
    assert found["threads"] == 3
    assert numact.get_num_threads() == before
    names = [(row["function"], row["dtype"]) for row in found["results"]]
    assert names == [
        (name, kind) for kind in ("float16", "float64") for name in ("mish", "mish_grad", "threshold_grad")
    ]
    assert all(row["ratio_numpy"] is None for row in found["results"])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_every_function(dtype: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every function of the catalogue can be measured in every type."""
    names = ",".join(function.name for function in EVERY)
    assert len(results(capsys, "--dtype", dtype, "--function", names)["results"]) == len(EVERY)


@pytest.mark.parametrize("function", EVERY, ids=lambda function: function.name)
def test_same_function(function: Any) -> None:
    """What is measured beside numact computes the same, and numact writes into an array that exists."""
    found = measure.calls(function, np.float32, 1000, {})
    got = found["numact"]()
    assert got is found["numact"]()
    if "numpy" in found:
        np.testing.assert_allclose(found["numpy"](), got, rtol=1e-4, atol=5e-3 if "gelu" in function.name else 1e-5)
    else:
        base = BASELINES.get(function.row.name)
        assert base is None or (function.suffix == "_grad_y" and base.gradient_y is None)


def test_interleaved_medians(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rounds are interleaved, the least number of them is kept, and one slow call changes nothing."""
    now, order = [0.0], []
    monkeypatch.setattr(measure, "clock", lambda: now[0])
    monkeypatch.setattr(measure, "ROUNDS", (5, 101))

    def call(name: str, seconds: float) -> Any:
        def body() -> None:
            order.append(name)
            now[0] += 100 if len(order) == 15 else seconds

        return body

    assert measure.seconds({"copy": call("copy", 1), "numact": call("numact", 2)}) == {"copy": 1, "numact": 2}
    assert order == ["copy", "copy", "numact", "numact"] * 6


def test_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is short is repeated, and the rounds end when the seconds are over, or at the most."""
    now, count = [0.0], [0]
    monkeypatch.setattr(measure, "clock", lambda: now[0])
    monkeypatch.setattr(measure, "LEAST", 10.0)

    def body() -> None:
        count[0] += 1
        now[0] += 1

    for rounds, limit, done in (((2, 7), 1e9, 7), ((2, 100), 30, 3), ((4, 100), 0, 4)):
        monkeypatch.setattr(measure, "ROUNDS", rounds)
        monkeypatch.setattr(measure, "SECONDS", limit)
        count[0] = 0
        assert measure.seconds({"copy": body}) == {"copy": 1}
        assert count[0] == 2 + 11 * done


def test_speed() -> None:
    """The ratios are those of the rates."""
    gelu = EVERY[[function.name for function in EVERY].index("gelu")]
    line = measure.speed(gelu, "float32", 100, {"copy": 1.0, "numact": 2.0, "numpy": 8.0, "torch": 3.0, "jax": 5.0})
    assert line.elements_per_second == {"numact": 50, "numpy": 12.5, "torch": pytest.approx(100 / 3), "jax": 20}
    assert (line.copy, line.share_of_copy, line.ratio_numpy, line.fastest_peer) == (100, 0.5, 4, "torch")
    assert line.ratio_peer == pytest.approx(1.5)


def test_peers(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A library that is installed is measured where it has the function; one that is not is left out."""
    asked = []

    def here(threads: int) -> peers.Bind:
        asked.append(threads)
        return lambda name, dy, x, out: (lambda: None) if name in ("mish", "relu") else None

    def missing(threads: int) -> peers.Bind:
        raise ModuleNotFoundError("No module named 'missing'")

    monkeypatch.setattr(peers, "PEERS", {"here": here, "missing": missing})
    found = results(capsys, "--threads", "1")
    assert asked == [1]
    assert found["peers"] == ["here"]
    rows = {row["function"]: row for row in found["results"]}
    assert rows["mish"]["fastest_peer"] == rows["relu"]["fastest_peer"] == "here"
    assert rows["relu"]["ratio_numpy"] is not None
    assert rows["gelu"]["fastest_peer"] is None
    assert "mish_grad" not in rows
    assert main(["bench", "--size", "64", "--function", "relu"]) == 0
    text = capsys.readouterr().out
    assert any(line.startswith("relu ") and " here " in line for line in text.splitlines())
    assert "Other libraries: here." in text
    assert " in float32; a gradient" in text


def test_rates_are_in_millions() -> None:
    """The table says million elements per second, of numact, NumPy, the copy and the fastest peer."""
    row = measure.Speed("relu", "float32", {"numact": 5e9, "numpy": 2.5e8, "torch": 1e9}, 6e9, 0.83, 20.0, "torch", 5.0)
    text = report([row], 64, 1, ["torch"])
    assert "relu                float32       5,000     83 %      250  20.00      1,000 torch         5.00" in text
    assert "6,000 in float32" in text


def test_names_of_peers() -> None:
    """The tables of other libraries hold functions of the catalogue only."""
    names = {function.name for function in EVERY}
    assert names.issuperset([*peers.TORCH, *peers.JAX, *peers.ONNX])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--function", "nonsense"], "--function: 'nonsense' is none of the functions that can be measured: relu, "),
        (["--function", "softmax"], "'softmax' is none"),
        (["--dtype", "float80"], "--dtype: must be one of float16, bfloat16, float32, float64; got 'float80'"),
        (["--threads", "5000"], "--threads: must be from 1 to 1024; got 5000"),
        (["--plot", "speed.txt"], "--plot must end with ."),
        (["--plot", "no/folder/speed.png"], "--plot: there is no folder 'no/folder'"),
    ],
)
def test_usage(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What does not exist gives 2, and a message with what does, before anything is measured."""
    assert main(["bench", *arguments]) == 2
    out, error = capsys.readouterr()
    assert message in error
    assert not out


@pytest.mark.parametrize("arguments", [["--nonsense"], ["--size", "0"], ["--size", "many"], ["--threads", "0"]])
def test_options(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown option or a wrong value gives 2 and the usage."""
    with pytest.raises(SystemExit) as caught:
        main(["bench", *arguments])
    assert caught.value.code == 2
    assert "usage: python -m numact" in capsys.readouterr().err


def test_plot(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The picture has panels for the forward pass and the gradients of each type, with a line for the copy."""
    from numact.commands.bench import plot

    file = tmp_path / "speed.png"
    found = results(capsys, "--function", "relu,gelu,mish", "--dtype", "float32,float64", "--plot", str(file))
    assert file.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    rows = [measure.Speed(**row) for row in found["results"]]
    figure = plot.draw(rows, 64, 1)
    assert [axis.get_title("left") for axis in figure.axes] == [
        f"{kind}, {dtype}" for dtype in ("float32", "float64") for kind in ("forward", "gradient")
    ]
    forward = figure.axes[0]
    assert [label.get_text() for label in forward.get_yticklabels()] == ["relu", "gelu", "mish"]
    widths = [patch.get_width() for patch in forward.patches]  # type: ignore[attr-defined]
    drawn = [
        rate / 1e9
        for row in rows
        if row.dtype == "float32" and "_grad" not in row.function
        for rate in (row.elements_per_second.get(library, 0) for library in ("numact", "numpy"))
    ]
    assert widths == pytest.approx(drawn)
    assert len(forward.lines) == 1
    assert plot.LIBRARIES.keys() == {"numact", "numpy", *PEERS}


def test_without_packages() -> None:
    """It needs nothing but NumPy; the picture says what to install, and `import numact` loads nothing of this."""
    blocked = "import sys; sys.modules.update(dict.fromkeys(['matplotlib', 'rich', 'torch', 'jax', 'onnxruntime']));"
    code = "from numact.commands.main import main; print(main(['bench', '--size', '64', '--function', 'relu'{}]))"
    process = run(blocked + code.format(""))
    assert process.stdout.endswith("\n0\n")
    assert "none installed of torch, jax, onnxruntime" in process.stdout
    process = run(blocked + code.format(", '--plot', 'speed.png'"))
    assert process.stdout == "2\n"
    assert 'pip install "numact[plot]"' in process.stderr
    modules = "'numact.commands', 'numact.commands.bench.peers', 'matplotlib'"
    assert run(f"import sys, numact; print(sys.modules.keys() & {{{modules}}})").stdout.strip() == "set()"
