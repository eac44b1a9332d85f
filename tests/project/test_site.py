"""The documentation site: it builds without warnings, and its pages work in a browser, on a desk and on a phone."""

import importlib.util
import re
import runpy
import subprocess
import sys
import threading
import tomllib
import warnings
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.browser import chromium, severe

import numact

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
NEEDED = 'NOT TESTED HERE: needs Sphinx and selenium, pip install ".[docs,dashboard]", chromium and its driver'
WIDTHS = {"desk": 1280, "phone": 390}
# A page of each kind.
PAGES = [
    *(
        "index",
        "start",
        "guide",
        "functions",
        "dense_layer",
        "choosing",
        "migration",
        "proof",
        "trust",
        "accuracy",
        "speed",
    ),
    *("adapters", "code", "contributing", "adding", "changelog", "benchmarks", "gallery/index", "gallery/gelu"),
    *("gallery/leaky_relu", "gallery/swiglu", "gallery/softmax", "reference/index", "reference/numact.gelu"),
    *("reference/numact.softmax", "reference/numact.BitMask", "reference/numact.norm.batch_norm_train"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built with warnings as errors and references that must lead somewhere."""
    for name in ("sphinx", "myst_parser", "pydata_sphinx_theme", "latex2mathml", "sphinx_design", "numpydoc"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(NEEDED)
    html = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "-n", "-q", "-b", "html", "-d", str(html / ".doctrees")]
    process = subprocess.run([*command, str(DOCS), str(html)], capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stdout + process.stderr
    return html


@pytest.fixture(scope="module")
def served(site: Path) -> Iterator[str]:
    """The address of the site."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module", params=WIDTHS)
def browser(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A browser of one width."""
    driver = chromium(device={"width": WIDTHS[request.param], "height": 900, "pixelRatio": 1.0})
    yield driver
    driver.quit()


@pytest.mark.parametrize("page", PAGES)
def test_page(browser: Any, served: str, page: str) -> None:
    """No errors in the console, every image loads, and nothing scrolls sideways but tables and code."""
    browser.get(f"{served}/{page}.html")
    assert not severe(browser)
    broken = "return [...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src)"
    assert browser.execute_script(broken) == []
    wide = "return document.documentElement.scrollWidth - window.innerWidth"
    assert browser.execute_script(wide) <= 0


def test_search(browser: Any, served: str) -> None:
    """The search finds a function without a network."""
    wait = pytest.importorskip("selenium.webdriver.support.wait")
    browser.get(f"{served}/search.html?q=leaky_relu")
    found = "return [...document.querySelectorAll('#search-results li a')].map(a => a.href)"
    links = wait.WebDriverWait(browser, 30).until(lambda driver: driver.execute_script(found))
    assert any("numact.leaky_relu" in link for link in links)


def test_links(site: Path) -> None:
    """Every link within the site leads to a page, and to a place in it."""
    pages = {page: page.read_text(encoding="utf-8") for page in site.rglob("*.html")}
    assert len(pages) > 200
    for page, text in pages.items():
        for link in re.findall(r'<a\b[^>]*\bhref="([^"]+)"', text):
            if re.match(r"\w+:|dashboard/", link):  # test_dashboard.py builds the dashboard
                continue
            path, _, place = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            assert target.exists(), f"{page.name}: {link}"
            if place and target in pages:
                assert f'id="{place}"' in pages[target], f"{page.name}: {link}"


def test_gallery_has_every_activation(site: Path) -> None:
    """Each activation has its page in the gallery and a card that leads to it, with or without an entry."""
    cards = (site / "gallery" / "index.html").read_text(encoding="utf-8")
    for row in numact.catalogue():
        page = (site / "gallery" / f"{row.name}.html").read_text(encoding="utf-8")
        assert "<math" in page
        assert f'href="{row.name}.html"' in cards


# What the pages are made of.


def test_gallery_entries() -> None:
    """Each entry has formulas, advice and where it was published."""
    entries = tomllib.loads((DOCS / "gallery.toml").read_text(encoding="utf-8"))
    for name, entry in entries.items():
        assert hasattr(numact, name)
        assert set(entry) == {"group", "f", "derivative", "choose", "avoid", "paper", "url"}
        assert all(entry.values())
        for text in (entry["choose"], entry["avoid"]):
            assert text.endswith(".")
            for reference in re.findall(r"`([a-z_]+)`", text):
                assert hasattr(numact, reference) or numact.get(reference) is not None, reference


def idioms() -> list[Any]:
    """The rows of the page of idioms."""
    pytest.importorskip("scipy")
    return list(runpy.run_path(str(DOCS / "migration.py"))["ROWS"])


@pytest.mark.parametrize("row", idioms(), ids=lambda row: row.idiom)
def test_idioms(row: Any) -> None:
    """Both expressions of a row give the same, to the rounding of the first."""
    names = runpy.run_path(str(DOCS / "migration.py"))["names"]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = eval(row.idiom, names)
    after = eval(row.instead, names)
    assert f"`{row.idiom.replace('|', '&#124;')}`" in (DOCS / "migration.md").read_text(encoding="utf-8")
    if "rand" in row.idiom:
        assert abs((before != 0).mean() - (after != 0).mean()) < 0.01
        return
    tolerance = 1e-3 if "tanh(np.sqrt" in row.idiom else 3e-5
    np.testing.assert_allclose(after, before, rtol=tolerance, atol=tolerance)
