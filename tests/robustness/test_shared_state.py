"""Every variable that threads share is in the table of docs/trust.md, with the reason why they may."""

import re
from functools import cache
from pathlib import Path

import pytest
from support import shared_state

import numact

ROOT = Path(__file__).parents[2]
PACKAGE = Path(numact.__file__).parent
PAGE = ROOT / "docs" / "trust.md"


def listed() -> set[str]:
    """The names in the first column of the table."""
    section = PAGE.read_text().split("\n## Shared state\n")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return {name for cell in rows for name in re.findall(r"`([^`]+)`", cell)}


@cache
def of_the_package() -> set[str]:
    """What the modules in Python share."""
    return {
        name
        for path in PACKAGE.rglob("*.py")
        for name in shared_state.of_python(path, ".".join(path.relative_to(PACKAGE).with_suffix("").parts))
    }


@cache
def of_the_bridge() -> set[str]:
    """What the bridge shares; the wheel does not have its source."""
    folder = ROOT / "src" / "numact" / "_kernels"
    return {name for path in (*folder.glob("*.pyx"), *folder.glob("*.pxi")) for name in shared_state.of_cython(path)}


@cache
def of_the_runtime() -> set[str]:
    """What the files in C share."""
    return {name for path in (ROOT / "csrc").rglob("*.[ch]") for name in shared_state.of_c(path)}


def test_what_python_shares_is_listed() -> None:
    """A cache, a lazy mapping, a lock, a global or a container that functions write into is in the table."""
    assert of_the_package() - listed() == set()


def test_what_the_bridge_shares_is_listed() -> None:
    """A global of Cython that is not a constant, and every extension type, is in the table."""
    if not (found := of_the_bridge()):
        pytest.skip("the sources of the bridge are not here")
    assert found - listed() == set()


def test_what_the_runtime_shares_is_listed() -> None:
    """A static variable of C that is not const is in the table."""
    assert of_the_runtime() - listed() == set()


def test_nothing_else_is_listed() -> None:
    """The table has no row for what is no longer there."""
    bridge = of_the_bridge() or {name for name in listed() if re.match(r"\w+\.p[yx][xi]: ", name)}
    assert listed() - of_the_package() - bridge - of_the_runtime() == set()


PYTHON = """
from functools import cache
_cached: dict[str, int] = {}
TABLE = {"a": 1}
class Kind:
    instances = []
@cache
def slow(): ...
def fill(key, seen=[]):
    global _count
    _count = len(_cached)
    _cached[key] = TABLE["a"]
def local(TABLE):
    TABLE["a"] = 2
_lazy = Lazy([])
"""

CYTHON = """
cdef const numact_level *LEVELS = numact_levels()
cdef list _kept = []
cdef dict TABLE = {}
cdef int _number = -1
cdef int LEAST = 1, MOST = 2
cdef int number(int x) except -1:
    MOST = x
cdef class Kind:
    cdef int field
def grow():
    TABLE["a"] = 1
"""

C = """
static const double coefficients[] = {1, 2};
static const struct numact_level *level;
static const char *const name = "a";
static int count(void) { static unsigned calls; return (int)calls++; }
static struct { int a, b; } pool = {1, 2};
static struct block *first, *last;
static inline int twice(int x) { return 2 * x; }
"""


def test_the_finder(tmp_path: Path) -> None:
    """It finds what is shared and changes, in each language, and nothing else."""
    files = {"a.py": PYTHON, "a.pyx": CYTHON, "a.c": C}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    found = set(shared_state.of_python(tmp_path / "a.py", "a"))
    assert found == {"a._cached", "a.Kind.instances", "a.slow", "a.fill()", "a._count", "a._lazy"}
    found = set(shared_state.of_cython(tmp_path / "a.pyx"))
    assert found == {f"a.pyx: {name}" for name in ("_kept", "TABLE", "_number", "MOST", "Kind")}
    found = set(shared_state.of_c(tmp_path / "a.c"))
    assert found == {f"a.c: {name}" for name in ("level", "calls", "pool", "first", "last")}
