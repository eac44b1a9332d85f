"""The examples in the docstrings of the adapters run, and give the output that they show."""

import doctest
import inspect
import os
from importlib import import_module

import numpy as np
import pytest

import numact

LIBRARIES = ("keras", "sklearn", "thinc", "onnx", "xarray", "dask", "torch", "jax", "autograd")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("library", LIBRARIES)
def test_examples(library: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Every public function and class of an adapter has one."""
    monkeypatch.setenv("KERAS_BACKEND", os.environ.get("KERAS_BACKEND", "numpy"))
    pytest.importorskip(library, reason=f"NOT TESTED HERE: needs {library}")
    adapter = import_module(f"numact.adapters.{library}")
    tried = 0
    for name, thing in vars(adapter).items():
        text = inspect.getdoc(thing) if callable(thing) and not name.startswith("_") else None
        if not text or getattr(thing, "__module__", "") != adapter.__name__ or "Examples\n" not in text:
            continue
        example = doctest.DocTestParser().get_doctest(text, {"np": np, "numact": numact}, name, None, None)
        assert any(one.want for one in example.examples), name
        failed = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example).failed
        assert failed == 0, capsys.readouterr().out
        tried += 1
    assert tried
