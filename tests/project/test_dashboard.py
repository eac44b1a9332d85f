"""What is made from the stored figures: the pages of `asv publish` draw in a browser, without a network; the picture.

Run in a git checkout with all commits: the results belong to commits.
"""

import runpy
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from support.browser import chromium, severe

import numact

NEEDED = 'NOT TESTED HERE: needs asv and selenium, pip install ".[dashboard]"'
asv_results = pytest.importorskip("asv.results", reason=NEEDED)
wait = pytest.importorskip("selenium.webdriver.support.wait", reason=NEEDED)

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"
SECONDS = 20  # for a page to draw, at most
# Of each plot its series without missing values, and how many pixels its canvas has, and how many of them are painted.
PLOTS = """$("PLACES").get().filter(place => $(place).data("plot")).map(place => {
    const canvas = $(place).find("canvas.flot-base")[0];
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    return {
        series: $(place).data("plot").getData().map(series => series.data.filter(point => point[1] !== null)),
        pixels: canvas.width * canvas.height,
        painted: pixels.filter((byte, k) => k % 4 == 3 && byte > 0).length,
    };
})"""


def program(name: str) -> str:
    """Where this program is; without it, nothing can be tested."""
    if (found := shutil.which(name)) is None:
        pytest.skip(f"NOT TESTED HERE: needs {name} (Debian: chromium, chromium-driver, git)")
    return found


def git(*arguments: str) -> list[str]:
    """The words that git prints; without a repository, nothing can be tested."""
    process = subprocess.run([program("git"), *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if process.returncode:
        pytest.skip(f"NOT TESTED HERE: needs a git checkout; {process.stderr.strip()}")
    return process.stdout.split()


@pytest.fixture(scope="module")
def results() -> list[Any]:
    """The stored results, if git knows their commits."""
    found = list(asv_results.iter_results(str(RESULTS)))
    missing = {result.commit_hash for result in found} - set(git("rev-list", "--first-parent", "HEAD"))
    if len(missing) == len(found) or (missing and git("rev-parse", "--is-shallow-repository") == ["true"]):
        pytest.skip("NOT TESTED HERE: needs a git checkout with the commits that have results")
    assert not missing, "results of commits that HEAD does not come from"
    return found


@pytest.fixture(scope="module")
def pages(results: list[Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `asv publish` writes."""
    if not (ROOT / "benchmarks" / "dashboard" / "node_modules").exists():
        pytest.skip("NOT TESTED HERE: needs the libraries of the pages, npm ci --prefix benchmarks/dashboard")
    html = tmp_path_factory.mktemp("dashboard") / "html"
    command = [sys.executable, "-m", "asv", "publish", "--html-dir", str(html)]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stdout + process.stderr
    assert "Couldn't find" not in process.stdout, process.stdout
    return html


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without a line for each."""

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def address(pages: Path) -> Iterator[str]:
    """Where the pages are served."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(pages))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser without a screen that reaches this machine only."""
    driver = chromium("--window-size=1300,4000")  # the grid draws what is in sight
    yield driver
    driver.quit()


def drawn(browser: Any, address: str, script: str, count: int) -> list[Any]:
    """Open a page and wait until the script finds so many things; the console must have no errors."""
    browser.get("about:blank")  # else a page that differs by its fragment only would not be loaded
    browser.get(address)
    wait.WebDriverWait(browser, SECONDS).until(
        lambda driver: driver.execute_script(f"return window.$ && $.active === 0 && ({script}).length === {count}"),
        f"there are not {count} of {script} at {address}",
    )
    assert not severe(browser)
    found: list[Any] = browser.execute_script(f"return {script}")
    return found


def plots(browser: Any, address: str, places: str, count: int) -> list[Any]:
    """What Flot drew: the series of so many plots, where a value is not missing."""
    found = drawn(browser, address, PLOTS.replace("PLACES", places), count)
    for plot in found:
        assert 0 < plot["painted"] < plot["pixels"]
        assert any(plot["series"])
    return [plot["series"] for plot in found]


def test_grid(results: list[Any], address: str, browser: Any) -> None:
    """The grid has a plot for every benchmark with results, and for no other."""
    names = {name for result in results for name in result.get_all_result_keys()}
    assert len(drawn(browser, address, '$(".benchmark-plot").get()', len(names))) == len(names)
    series = plots(browser, address, ".benchmark-plot", len(names))
    assert max(len(one) for (one,) in series) == len(results)


def test_graph(results: list[Any], address: str, browser: Any) -> None:
    """The page of a benchmark shows the stored figures of all commits."""
    name = "history.Rates.track_elements_forward"
    (series,) = plots(browser, f"{address}#{name}", "#main-graph", 1)
    newest = max(results, key=lambda result: result.date)
    params = newest.get_result_params(name)
    stored = newest.get_result_value(name, params)[:: len(params[2])]  # of the smallest size, which is shown at first
    assert [one[-1][1] for one in series] == pytest.approx(stored[: len(series)])
    assert {len(one) for one in series} == {len(results)}


def test_list(results: list[Any], address: str, browser: Any) -> None:
    """The list has a row for every combination of parameters that was measured last."""
    newest = max(results, key=lambda result: result.date)
    rows = sum(
        len(newest.get_result_value(name, newest.get_result_params(name))) for name in newest.get_all_result_keys()
    )
    drawn(browser, f"{address}#/summarylist", '$("#summarylist-body tbody tr").get()', rows)


def test_suite() -> None:
    """The suite can be loaded, and its names, which come from the sources, are those of the catalogue."""
    lists = "*listed('formulas/activations.h'), *listed('formulas/gated.h')"
    code = f"from benchmarks import listed; print({lists})"
    process = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert process.stdout.split() == [row.name for row in numact.catalogue() if row.family != "axis"]
    command = [sys.executable, "-m", "asv", "check", "--python=same"]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stdout + process.stderr


def test_picture() -> None:
    """The README's picture has a gradient beside every activation."""
    pytest.importorskip("matplotlib")
    figure = runpy.run_path(str(ROOT / "docs" / "plot_speed.py"))["picture"]()
    forward, gradient = ([label.get_text() for label in axis.get_yticklabels()] for axis in figure.axes)
    assert [name.partition("_grad")[0] for name in gradient] == forward
    assert len(forward) > 9
    legend = {text.get_text() for text in figure.legends[0].get_texts()}
    assert legend == {"numact", "NumPy", "PyTorch", "JAX", "ONNX Runtime", "np.copyto"}
