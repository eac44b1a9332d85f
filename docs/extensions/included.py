"""Links of the pages to files beside docs/: to the page that includes the file."""

from typing import Any

from sphinx.application import Sphinx

PAGES = {
    "../CONTRIBUTING.md": "contributing.md",
    "CONTRIBUTING.md": "contributing.md",
    "../CHANGELOG.md": "changelog.md",
    "../benchmarks/README.md": "benchmarks.md",
    "../benchmarks/tried.md": "tried.md",
    "benchmarks/README.md": "benchmarks.md",
}


def replace(app: Sphinx, page: str, source: list[str]) -> None:
    """Let the links of a page lead to pages of the site."""
    for file, other in PAGES.items():
        source[0] = source[0].replace(f"]({file}", f"]({other}")


def replace_in_included(app: Sphinx, path: Any, page: str, source: list[str]) -> None:
    """The same for what a page includes, whose links start at its own folder."""
    source[0] = source[0].replace("](docs/", "](").replace("](../docs/", "](")
    replace(app, page, source)


def setup(app: Sphinx) -> dict[str, Any]:
    """Read pages through `replace`."""
    app.connect("source-read", replace)
    app.connect("include-read", replace_in_included)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
