"""docs/trust.md: no row without a test, and no test that does not exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "trust.md"

if not PAGE.exists():
    pytest.skip("the pages are not here", allow_module_level=True)

TABLES = re.findall(r"\| what holds \| tests \|\n\|---\|---\|\n((?:\|.*\n)+)", PAGE.read_text())
ROWS = [row for table in TABLES for row in table.splitlines()]


def test_tables() -> None:
    """The page has its tables, and no row beside one."""
    assert re.findall(r"\n\n(\|.*)\n(?!\|---)", PAGE.read_text()) == []
    assert len(TABLES) >= 4
    assert len(ROWS) >= 30


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row)[2:60])
def test_row(row: str) -> None:
    """Every test of a row exists."""
    named = re.findall(r"`([^`: ]+): ([^`]+)`", row.rsplit("|", 2)[1])
    assert named, "a row without a test"
    for file, words in named:
        if file.startswith("tests/") or (ROOT / file).exists():  # beside an installed package there are no tools
            text = (ROOT / file).read_text()
            assert [word for word in words.split() if word not in text] == []
