"""The pages for readers: their examples run, their commands parse, and what they name exists."""

import re
import shlex
from pathlib import Path

import pytest

import numact
from numact.commands.parser import parser

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
# That of the adapters needs other libraries: tests/adapters/test_page.py.
EXAMPLES = [
    page for page in PAGES if "```python\nimport" in page.read_text(encoding="utf-8") and page.stem != "adapters"
]
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
beside_sources = pytest.mark.skipif(not (ROOT / "src").exists(), reason="NOT TESTED HERE: away from the sources")


@pytest.mark.parametrize("page", EXAMPLES, ids=lambda page: page.stem)
def test_examples(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The examples of a page run one after the other, and print what stands below them."""
    if "sklearn" in page.read_text(encoding="utf-8"):
        pytest.importorskip("sklearn", reason='NOT TESTED HERE: needs pip install ".[demo]"')
    if "numact.study" in page.read_text(encoding="utf-8"):
        pytest.importorskip("scipy", "1.15")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```\n(?:\n```\n(.*?)```\n)?", page.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, object] = {}
    with numact.num_threads(numact.get_num_threads()):
        for code, shown in blocks:
            exec(code, names)
            printed = capsys.readouterr().out
            assert not shown or printed == shown


def test_every_example_is_tested() -> None:
    """The pages with examples are those that are known to have some."""
    guides = [
        "choosing",
        "dense_layer",
        "masks",
        "migration",
        "normalisation",
        "reproducibility",
        "start",
        "threads",
        "training",
    ]
    assert [page.stem for page in EXAMPLES] == ["README", *guides]


@every_page
def test_commands(page: Path) -> None:
    """Every `python -m numact` of a page has arguments that the command takes."""
    for arguments in re.findall(r"python -m numact( [^`#>\n]*)", page.read_text(encoding="utf-8")):
        parser().parse_args(shlex.split(arguments))


@beside_sources
@every_page
def test_links(page: Path) -> None:
    """Every link to a file leads to one."""
    for link in re.findall(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        made = link.startswith(("gallery/", "reference/"))  # by the build of the site, whose links test_site.py follows
        assert made or (page.parent / link).exists(), link


@beside_sources
@every_page
def test_paths(page: Path) -> None:
    """Files that a page names exist, and hold the function that is named beside them."""
    text = page.read_text(encoding="utf-8")
    for path in re.findall(r"`((?:csrc|src|tests|docs|benchmarks)/[\w./-]*)`", text):
        assert (ROOT / path).exists(), path
    for path, name in re.findall(r"`((?:csrc|src|tests)/[\w/.]+\.\w+)`, `(\w+)`", text):
        assert re.search(rf"\b{name}\b", (ROOT / path).read_text(encoding="utf-8")), f"{name} is not in {path}"
