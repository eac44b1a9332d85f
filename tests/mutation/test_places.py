"""The script of mutation testing changes code, and nothing else; what it lists as equivalent is still there."""

import ast
import random
import tomllib
from pathlib import Path

import pytest
from mutation.places import SHARES, Place, places, plan, python_edits, shares, token_edits

CHECKOUT = Path(__file__).parents[2]
EQUIVALENT = Path(__file__).with_name("equivalent.toml")
of_checkouts = pytest.mark.skipif(
    not (CHECKOUT / "src").exists() or not (CHECKOUT / "csrc").exists(),
    reason="the sources are not here, only the installed package",
)

C = """/* a < b */
#define LIMIT (1 < 2) /* of
   two lines: c < d */
static int f(const char *x, int n)
{
    char text[4] = "e < f"; // g < h
    if (n < 3) return swap(n, 4);
    return n - 0x1p-3 > -1 && !*x;
}
"""
C_CHANGES = {
    "if (n <= 3) return swap(n, 4);": "bound",
    "if (n < 4) return swap(n, 4);": "constant",
    "if (n < 3) return swap(n, 5);": "constant",
    "if (n < 3) return swap(4, n);": "swapped arguments",
    "if (0 && (n < 3)) return swap(n, 4);": "removed check",
    "return n + 0x1p-3 > -1 && !*x;": "sign",
    "return n - 0x2p-3 > -1 && !*x;": "constant",
    "return n - 0x1p-3 >= -1 && !*x;": "bound",
    "return n - 0x1p-3 > 1 && !*x;": "sign",
    "return n - 0x1p-3 > -2 && !*x;": "constant",
    "return n - 0x1p-3 > -1 || !*x;": "connective",
    "return n - 0x1p-3 > -1 && *x;": "negation",
}
CYTHON = '''# a < b
cdef extern from "c.h":
    int limit(int a, int b) except -1
cdef int f(int *x, int n) except -1:
    """Whether c < d."""
    cdef int y[4]
    return <int>x[0] if n is not None else -n
'''
CYTHON_CHANGES = {
    "return <int>x[1] if n is not None else -n": "constant",
    "return <int>x[0] if n is not None else n": "sign",
}
PYTHON = '''"""a < b"""
LIMIT: int | None = 2
def f(x: int | str = 1) -> int | None:
    """c < d"""
    if x < LIMIT and x not in (3,):
        raise ValueError(f"{x - 1} < {LIMIT}")
    return g(x, -x)[: x % 2]
'''
PYTHON_CHANGES = {
    "LIMIT: int | None = 3": "constant",
    "def f(x: int | str = 2) -> int | None:": "constant",
    "if x <= LIMIT and x not in (3,):": "bound",
    "if x < LIMIT or x not in (3,):": "connective",
    "if x < LIMIT and x in (3,):": "comparison",
    "if x < LIMIT and x not in (4,):": "constant",
    "if False:": "removed check",
    "return g(-x, x)[: x % 2]": "swapped arguments",
    "return g(x, x)[: x % 2]": "sign",
    "return g(x, -x)[: x * 2]": "operator",
    "return g(x, -x)[: x % 3]": "constant",
    "return g(x, -x)[: (x % 2) + 1]": "off by one",
}


@pytest.mark.parametrize(
    ("language", "text", "wanted"),
    [("C", C, C_CHANGES), ("Cython", CYTHON, CYTHON_CHANGES), ("Python", PYTHON, PYTHON_CHANGES)],
)
def test_changes(language: str, text: str, wanted: dict[str, str]) -> None:
    """All changes of a small file, none in comments, texts, annotations, declarations and lines of the preprocessor."""
    found = {}
    for edit in python_edits(text) if language == "Python" else token_edits(text, language):
        changed = text[: edit.start] + edit.new + text[edit.end :]
        (line,) = set(changed.splitlines()) - set(text.splitlines())
        found[line.strip()] = edit.kind
    assert found == wanted


def test_shares() -> None:
    """The folders get what their sizes say, and all of it together."""
    assert shares({"a": 100, "b": 25, "c": 1}, 16) == {"a": 10, "b": 5, "c": 1}
    assert sum(shares({"a": 7, "b": 5, "c": 3}, 10).values()) == 10


@of_checkouts
def test_the_same_seed_has_the_same_plan() -> None:
    """A seed decides the places, and Python is still Python after each."""
    found = list(places(CHECKOUT))
    drawn: list[list[Place]] = [[], [], []]
    for places_of, seed in zip(drawn, (1, 1, 2), strict=True):
        for count, each in plan(found, 200, seed).values():
            places_of += [place for _, place in zip(range(count), each, strict=False)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert {language: sum(place.language == language for place in drawn[0]) for language in SHARES} == SHARES
    for place in random.Random(1).sample([place for place in found if place.language == "Python"], 200):
        ast.parse(place.applied((CHECKOUT / place.path).read_text()))


@of_checkouts
def test_equivalent_changes() -> None:
    """Every change that is listed as equivalent can still be made, and says why it is equivalent."""
    known = {(place.path, place.before, place.after) for place in places(CHECKOUT)}
    for each in tomllib.loads(EQUIVALENT.read_text())["equivalent"]:
        assert (each["path"], each["before"], each["after"]) in known, f"is no longer there: {each}"
        assert len(each["reason"].split()) > 3, each
