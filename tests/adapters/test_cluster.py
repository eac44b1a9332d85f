"""Processes of dask with data larger than the memory of each: the example, and bits."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

distributed = pytest.importorskip("distributed")
import dask.array as da  # noqa: E402

import numact  # noqa: E402
from numact.adapters import dask as adapter  # noqa: E402

EXAMPLE = Path(__file__).parents[2] / "examples" / "dask_inference.py"
pytestmark = [
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(not EXAMPLE.exists(), reason="the examples are not beside the tests"),
]
LIMIT, ROWS = "400MB", 240_000  # of 2 KB


@pytest.fixture(scope="module")
def example() -> ModuleType:
    """The example as a module."""
    spec = importlib.util.spec_from_file_location("dask_inference", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def samples(example: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An array on disk that is larger than the memory of a worker."""
    folder = tmp_path_factory.mktemp("store") / "samples"
    example.store(folder, ROWS)
    assert sum(file.stat().st_size for file in folder.glob("*.npy")) > 400e6
    return folder


def test_example(example: Any, samples: Path, tmp_path: Path) -> None:
    """Two processes compute all of it, as one computes a chunk in memory."""
    output = tmp_path / "probabilities.npy"
    example.infer(samples, output, 2, LIMIT, quiet=True)
    probabilities = np.load(output, mmap_mode="r")
    assert probabilities.shape == (ROWS, example.CLASSES)
    for k in (0, 7, 29):
        block = np.load(samples / f"{k}.npy")
        want = example.network(block, example.weights())
        start = k * example.CHUNK
        np.testing.assert_allclose(probabilities[start : start + len(block)], want, rtol=1e-4, atol=1e-7)


def test_bits_in_processes(samples: Path) -> None:
    """What the processes compute has the bits of memory; an axis that is divided is joined across them."""
    stack: Any = da.from_npy_stack
    x = stack(str(samples))
    memory = np.load(samples / "3.npy")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, memory_limit=LIMIT, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster),
    ):
        part = slice(3 * 8192, 4 * 8192)
        for function in (numact.gelu, numact.softmax, numact.norm.layer_norm, numact.log_softmax):
            np.testing.assert_array_equal(function(x)[part].compute(), function(memory))
        down = adapter.softmax(x, axis=0)
        np.testing.assert_allclose(down.sum(axis=0).compute(), 1, rtol=1e-4)
        assert down[:5].compute().shape == (5, 512)
