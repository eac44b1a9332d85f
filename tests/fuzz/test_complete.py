"""Every public function is drawn by some test of this folder."""

from pathlib import Path

from support.cases import FUNCTIONS
from support.gated_cases import ROWS as GATED

import numact
from numact import diagnostics, init, norm

# What is no function of arrays, or is the subject of tests/study, tests/project and tests/kernels.
OTHERS = {
    *("Activation", "ParametricUfunc", "catalogue", "get", "get_include", "get_num_threads", "num_threads"),
    *("set_num_threads", "show_config", "BatchStatistics", "gain", "second_moment", "ActivationMonitor", "Summary"),
}
FOUND = {function.name for function in FUNCTIONS} | {
    f"{row.name}{kind}{suffix}" for row in GATED for kind in ("", "_split") for suffix in ("", "_grad")
}


def test_every_function() -> None:
    """A new function must be drawn, too: each name stands in a test, or comes from the lists of activations."""
    texts = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    texts += Path(__file__).parent.joinpath("../support/plain_axis.py").read_text()
    names = {name for module in (numact, norm, init, diagnostics) for name in module.__all__}
    missing = [name for name in sorted(names - FOUND - OTHERS) if name not in texts]
    assert missing == []
