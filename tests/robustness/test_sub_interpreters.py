"""A sub-interpreter refuses numact in clear words, and the main interpreter computes on."""

import sys

import pytest
from support import processes

CODE = """
import sys
if sys.version_info >= (3, 13):
    import _interpreters as interpreters
    create = lambda kind: interpreters.create(kind)
else:
    import _xxsubinterpreters as interpreters
    create = lambda kind: interpreters.create(isolated=kind == "isolated")

IMPORT = '''
try:
    import numact
except ImportError as error:
    assert error.name == "numact" and str(error).startswith(
        "numact cannot be imported in a sub-interpreter: like NumPy, it works in the main interpreter"), error
else:
    raise AssertionError("imported")
import sys
assert "numact" not in sys.modules and "numpy" not in sys.modules
'''

if BEFORE:
    import numact
first, second = create(KIND), create(KIND)
for interpreter in (first, second, first):
    failure = interpreters.run_string(interpreter, f"import sys; sys.path[:] = {sys.path!r}\\n{IMPORT}")
    assert failure is None, failure

import numact
import numpy as np

x = np.linspace(-3, 3, 100_000)
assert np.array_equal(numact.relu(x), np.maximum(x, 0))
assert numact.softmax(x).sum().round(9) == 1
interpreters.destroy(first)
assert numact.norm.layer_norm(x).shape == x.shape
interpreters.destroy(second)
print("computed")
"""


@pytest.mark.parametrize("before", [False, True], ids=["main imports later", "main has imported"])
@pytest.mark.parametrize("kind", ["legacy", "isolated"])
def test_refused(kind: str, before: bool) -> None:
    """Whatever its kind, and whether the main interpreter has imported numact before or does so afterwards."""
    if sys.implementation.name != "cpython":
        pytest.skip("sub-interpreters are those of CPython")
    code = f"KIND, BEFORE = {kind!r}, {before!r}\n{CODE}"
    assert processes.run(code, timeout=900).stdout == "computed\n"
