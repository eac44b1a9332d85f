"""How the modules of the package depend on each other: downward only, and on the module that defines a thing."""

import ast
from importlib.util import find_spec
from pathlib import Path

import pytest

spec = find_spec("numact")
assert spec is not None
assert spec.origin is not None
ROOT = Path(spec.origin).parent
MODULES = sorted(ROOT.rglob("*.py"))
# The package itself uses what is below it; the entry of the command line hands over to commands.
ABOVE = {"__init__.py", "__main__.py", "_moved.py"}
# From the bottom up: a module imports from its own folder and from those before it.
LAYERS = ["_kernels", "_functions", "init norm diagnostics", "commands"]


def imported(module: Path) -> set[str]:
    """The modules of numact that a module imports anywhere, also within functions."""
    found = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return {name for name in found if name.split(".")[0] == "numact"}


def layer(folder: str) -> int:
    """How high a folder stands."""
    return next(k for k, folders in enumerate(LAYERS) if folder in folders.split())


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(ROOT)))
def test_direction(module: Path) -> None:
    """No import upward, none from a neighbour on the same floor, none of the package itself."""
    folder, *rest = module.relative_to(ROOT).parts
    if folder in ABOVE and not rest:
        return
    for name in imported(module):
        assert name != "numact", f"{module} imports numact itself"
        other = name.split(".")[1]
        assert other == folder or layer(other) < layer(folder), f"{module} imports {name}"


@pytest.mark.parametrize("name", ["norm", "init", "diagnostics"])
def test_public_names(name: str) -> None:
    """`dir` of a companion shows what is public, and nothing else."""
    from importlib import import_module

    companion = import_module(f"numact.{name}")
    assert dir(companion) == sorted(companion.__all__)
