"""Inference of a network over an array on disk that is larger than memory, by several processes of dask.

Each process has its own limit of memory, far below the size of the array.  Every layer is written as for an array in
memory: numact's functions stay lazy, and compute chunk by chunk, with the bits that they have in memory.

Run: pip install "numact[dask]" && python examples/dask_inference.py --workers 2
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
from dask.distributed import Client, LocalCluster, progress

import numact

FEATURES, HIDDEN, CLASSES = 512, 256, 10
CHUNK = 8192  # rows


def store(folder: Path, rows: int) -> None:
    """Write random samples, chunk by chunk."""
    state = da.random.RandomState(0)
    samples = state.normal(size=(rows, FEATURES), chunks=(CHUNK, FEATURES)).astype(np.float32)
    da.to_npy_stack(str(folder), samples, axis=0)


def weights() -> dict[str, Any]:
    """The network's weights, which fit into memory."""
    rng = np.random.default_rng(1)
    shapes = {"w1": (FEATURES, HIDDEN), "w2": (HIDDEN, HIDDEN), "w3": (HIDDEN, CLASSES)}
    return {name: (rng.normal(size=shape) / np.sqrt(shape[0])).astype(np.float32) for name, shape in shapes.items()}


def network(x: Any, w: dict[str, Any]) -> Any:
    """Probabilities of the classes; x may be in memory or lazy."""
    h = numact.norm.layer_norm(numact.gelu(x @ w["w1"]))
    h = numact.norm.rms_norm(numact.leaky_relu(h @ w["w2"], 0.1))
    return numact.softmax(h @ w["w3"], temperature=0.5)


def infer(folder: Path, output: Path, workers: int, memory: str, quiet: bool) -> float:
    """Compute with a number of processes, write the probabilities, and return the seconds that it took."""
    with (
        LocalCluster(
            n_workers=workers, threads_per_worker=1, memory_limit=memory, dashboard_address="127.0.0.1:0"
        ) as cluster,
        Client(cluster) as client,
    ):
        if not quiet:
            print(f"{workers} workers of {memory}, dashboard at {client.dashboard_link}")
        x = da.from_npy_stack(str(folder))
        w = {name: da.from_array(value, chunks=-1) for name, value in weights().items()}
        probabilities = network(x, w)
        result = np.lib.format.open_memmap(output, "w+", np.float32, probabilities.shape)
        del result
        target = _Output(output)
        start = time.perf_counter()
        saved = client.compute(da.store(probabilities, target, lock=False, compute=False))
        if not quiet:
            progress(saved)
        saved.result()
        return time.perf_counter() - start


class _Output:
    """A file that each process opens for itself."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __setitem__(self, index: Any, value: Any) -> None:
        array = np.load(self.path, mmap_mode="r+")
        array[index] = value
        array.flush()


def main() -> None:
    """Read the arguments, write the samples, and compute with one worker and with several."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rows", type=int, default=600_000, help="samples of 2 KB each (default: %(default)s)")
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--memory", default="500MB", help="limit of each worker (default: %(default)s)")
    options.add_argument("--folder", type=Path, help="where the samples are, or are written (default: temporary)")
    options.add_argument("--quiet", action="store_true")
    given = options.parse_args()
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[variable] = "1"
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary) / "samples"
        if not folder.exists():
            store(folder, given.rows)
        size = sum(file.stat().st_size for file in folder.glob("*.npy"))
        for workers in dict.fromkeys((1, given.workers)):
            output = Path(temporary) / f"probabilities-{workers}.npy"
            seconds = infer(folder, output, workers, given.memory, given.quiet)
            rows = np.load(output, mmap_mode="r").shape[0]
            print(
                f"{workers} workers of {given.memory}: {size / 1e6:.0f} MB in {seconds:.1f} s, "
                f"{rows / seconds:,.0f} samples/s, {size / seconds / 1e6:.0f} MB/s"
            )


if __name__ == "__main__":
    main()
