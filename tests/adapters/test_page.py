"""The examples of docs/adapters.md run."""

import os
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "adapters.md"
LIBRARIES = ("keras", "sklearn", "thinc", "onnx", "xarray", "dask", "torch", "jax", "autograd")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(not PAGE.exists(), reason="the pages are not beside the tests")
def test_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    """One after the other."""
    monkeypatch.setenv("KERAS_BACKEND", os.environ.get("KERAS_BACKEND", "numpy"))
    for library in LIBRARIES:
        pytest.importorskip(library)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 6
    names: dict[str, object] = {}
    for code in blocks:
        exec(code, names)
