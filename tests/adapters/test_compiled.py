"""Compiled callers: the Cython example is built against the installed header, and gives the bits of Python."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import numact

pytest.importorskip("Cython")
EXAMPLE = Path(__file__).parents[2] / "examples" / "cython"
pytestmark = [
    pytest.mark.skipif(not EXAMPLE.exists(), reason="the examples are not beside the tests"),
    pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler"),
]


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The example, built."""
    folder = tmp_path_factory.mktemp("cython")
    for name in ("setup.py", "layer.pyx"):
        shutil.copy(EXAMPLE / name, folder)
    package = str(Path(numact.__file__).parents[1])
    code = (
        f"import sys, runpy; sys.path.insert(0, {package!r}); sys.argv = ['setup.py', 'build_ext', '--inplace']; "
        "runpy.run_path('setup.py', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    (built,) = folder.glob("layer*.so")
    spec = importlib.util.spec_from_file_location("layer", built)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_rows(layer: Any) -> None:
    """An elementwise function and one along rows."""
    x = np.random.default_rng(0).normal(size=(7, 33)).astype(np.float32)
    y = np.empty_like(x)
    layer.gelu_of_rows(x, y)
    np.testing.assert_array_equal(y, numact.softmax(numact.gelu(x)))
    layer.gelu_of_rows(x[:0], y[:0])
    with pytest.raises(ValueError, match="one shape"):
        layer.gelu_of_rows(x, y[:3])


def test_parameters(layer: Any) -> None:
    """A parameter, in place, and a gradient of two inputs; a missing parameter is noticed."""
    x = np.linspace(-3, 3, 20_000)
    y = x.copy()
    slopes = layer.leaky(y, 0.3)
    np.testing.assert_array_equal(y, numact.leaky_relu(x, 0.3))
    np.testing.assert_array_equal(slopes, numact.leaky_relu_grad(np.ones_like(x), x, 0.3))


def test_include() -> None:
    """The header is in the folder."""
    assert (Path(numact.get_include()) / "numact_api.h").exists()
