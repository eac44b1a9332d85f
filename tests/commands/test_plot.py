"""The command ``python -m numact plot``."""

from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

from numact.commands.main import main

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_files(suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A picture with curves, derivatives and parameters; its path is printed."""
    path = tmp_path / f"curves.{suffix}"
    names = ["gelu", "LeakyReLU(alpha=0.2)", "threshold(0.5, -1)"]
    assert main(["plot", *names, "--grad", "--range", "-3", "3", "-o", str(path)]) == 0
    assert capsys.readouterr().out.strip() == str(path)
    assert path.stat().st_size > 5000
    if suffix == "svg":
        text = path.read_text()
        assert text.count("<!-- ") >= 6  # the texts, drawn as paths, are in comments
        for label in ("gelu", "leaky_relu(negative_slope=0.2)", "derivative"):
            assert label in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense"], "plot: get: name 'nonsense' is unknown"),
        (["softmax"], "plot: 'softmax' is no elementwise activation"),
        (["threshold"], "plot: threshold needs threshold and value, as in threshold(0.5, 0.5)"),
        (["gelu", "-o", "curves.gif"], "plot: --output must end with .png, .svg, .pdf, got 'curves.gif'"),
        (["gelu", "-o", "missing/curves.png"], "plot: --output: there is no folder 'missing'"),
        (["gelu", "--range", "3", "1"], "plot: --range must be two finite numbers, the lower one first, got 3 1"),
        (["gelu", "--range", "1", "1"], "plot: --range must be two finite numbers, the lower one first, got 1 1"),
        (["gelu", "--range", "0", "nan"], "plot: --range must be two finite numbers"),
    ],
)
def test_errors(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Wrong arguments give one line, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    assert main(["plot", *arguments]) == 2
    assert capsys.readouterr().err.startswith(message)
    assert not list(tmp_path.iterdir())
