"""What eight threads do at once, as a program: ``python concurrent_use.py SCENARIO alone`` or ``together``.

Eight tasks of one scenario are run, one after the other in one thread or all at once in eight, which switch as often as
the interpreter can.  The program prints a hash of the results of each.
"""

from __future__ import annotations

import hashlib
import importlib
import pickle
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

TASKS = 8
# What all tasks of a scenario use.
_shared: dict[str, Any] = {}
SIZE = 40_000  # several parts for the thread pool, and more than the block cache needs
Array = np.ndarray[Any, Any]


def flat(result: Any) -> Iterator[bytes]:
    """The bytes of a result, whatever it is made of."""
    if isinstance(result, tuple | list):
        for item in result:
            yield from flat(item)
    elif isinstance(result, np.ndarray | np.generic):
        yield str((result.dtype, result.shape)).encode()
        yield result.tobytes()
    elif hasattr(result, "packed"):  # a mask
        yield result.packed
    else:
        yield repr(result).encode()


def digest(results: list[Any]) -> str:
    """A hash of results."""
    found = hashlib.sha256()
    for part in flat(results):
        found.update(part)
    return found.hexdigest()


def run(task: Callable[[int], list[Any]], together: bool) -> list[str]:
    """The hash of each task; a failure of one is raised."""
    found = [""] * TASKS
    failures: list[BaseException] = []
    barrier = threading.Barrier(TASKS if together else 1)

    def work(k: int) -> None:
        try:
            barrier.wait()
            found[k] = digest(task(k))
        except BaseException as error:
            barrier.abort()
            failures.append(error)

    if together:
        threads = [threading.Thread(target=work, args=(k,)) for k in range(TASKS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    else:
        for k in range(TASKS):
            work(k)
    if failures:
        raise failures[0]
    return found


def numbers(k: int, shape: Any = SIZE, dtype: Any = np.float32) -> Array:
    """The numbers of a task."""
    found: Array = np.random.default_rng(k).standard_normal(shape).astype(dtype)
    return found


# First use


def call(name: str) -> Any:
    """The results of a public function, for small arrays."""
    import numact

    function: Any = getattr(numact, name)
    x, rows, dy = numbers(0, 96), numbers(0, (8, 12)), numbers(1, (8, 12))
    if hasattr(function, "nin"):  # as an ufunc has
        required = [0.5 for value in getattr(function, "defaults", {}).values() if value is None]
        return function(*(x,) * function.nin, *required)
    stem = name.partition("_grad")[0]
    operands: dict[str, Callable[[], Any]] = {
        "prelu": lambda: function(rows, 0.25),
        "prelu_grad": lambda: function(dy, rows, 0.25),
        "rrelu": lambda: function(rows, rng=np.random.default_rng(0)),
        "maxout": lambda: function(rows, 3),
        "maxout_grad": lambda: function(rows[:, :4], numact.maxout(rows, 3)[1], 3),
        "gumbel_softmax": lambda: function(rows, rng=np.random.default_rng(0)),
        "masked_grad": lambda: function(dy, numact.BitMask.pack(rows > 0)),
        "dropout": lambda: function(rows, rng=np.random.default_rng(0)),
        "bias_activation": lambda: function(rows, rows[0], "gelu"),
        "bias_activation_grad": lambda: function(dy, rows, rows[0], "gelu"),
        "softmax_cross_entropy": lambda: function(rows, np.arange(8)),
        "sigmoid_cross_entropy": lambda: function(rows, rows > 0),
    }
    if name in operands:
        return operands[name]()
    if name.endswith("_split_grad"):
        return function(dy[:, :6], rows)
    return function(dy, rows) if stem != name else function(rows)


def functions(k: int) -> list[Any]:
    """Every public function, its docstring and its pickle, each for the first time."""
    import numact

    other = ("get", "derivative", "catalogue", "num_threads", "set_num_threads", "get_num_threads", "get_include")
    names = [name for name in numact.__all__ if name[0].islower() and name not in (*other, "show_config")]
    found = []
    for name in names:
        found += [call(name), getattr(numact, name).__doc__]
        function = getattr(numact, name)
        assert pickle.loads(pickle.dumps(function)) is function, name
    return [len(names), *found]


def lookups(k: int) -> list[Any]:
    """Functions by their names, those of other libraries included, derivatives, the catalogue and the configuration."""
    import numact

    x = numbers(0, 50)
    texts = [
        "Hardswish",
        "LeakyReLU(alpha=0.2)",
        "keras.activations.leaky_relu",
        "jax.nn.gelu",
        "swish_grad",
        "gelu_new",
    ]
    found: list[Any] = [numact.get(text)(*(x,) * (2 if "grad" in text else 1)) for text in texts]
    found += [numact.get(alias).__name__ for row in numact.catalogue() for alias in (row.name, *row.aliases)]
    found += [numact.derivative(name)(x) for name in ("gelu", "silu", "elu", "relu", "tanh")]
    for wrong in ("no such", "torch.xielu"):
        try:
            numact.get(wrong)
        except ValueError as error:
            found.append(str(error))
    return [*found, numact.show_config("dicts")["level"], repr(numact.elu), str(numact.relu_masked), numact.__version__]


def modules(k: int) -> list[Any]:
    """The modules that an import of the package leaves out, and what they compute."""
    import numact

    x = numbers(0, (16, 24))
    return [
        numact.norm.layer_norm(x),
        numact.norm.rms_norm(x, activation="gelu"),
        numact.norm.batch_norm_train(x, None, None)[0],
        numact.init.gain("gelu"),
        numact.init.he_normal((7, 5), rng=np.random.default_rng(0)),
        numact.diagnostics.summary(x),
        numact.diagnostics.saturation(x, -1, 1),
        numact.memory.stats()["limit"],
        importlib.import_module("numact.adapters").__name__,
        numact.BitMask.pack(x > 0),
    ]


def foreign(k: int) -> list[Any]:
    """Masked arrays and subclasses, and the arrays of the libraries that are installed."""
    import numact

    class Own(np.ndarray[Any, Any]):
        """A type that no function has met."""

    x = numbers(0, (6, 8))
    masked = np.ma.masked_array(x, x > 1)
    results = [numact.softmax(masked), numact.gelu(masked), numact.dropout(masked, 0.5, np.random.default_rng(0))[0]]
    found = [item for result in results for item in (result.filled(0), result.mask)]
    found += [np.asarray(numact.relu(x.view(Own))), np.asarray(numact.softmax(x.view(Own)))]
    for library, make in (("pandas", "DataFrame"), ("xarray", "DataArray")):
        try:
            kind = getattr(importlib.import_module(library), make)
        except ImportError:
            continue
        result = numact.softmax(kind(x))
        assert type(result) is kind
        found.append(np.asarray(result))
    return found


def bfloat16(k: int) -> list[Any]:
    """Half of the threads make ufuncs while the others import ml_dtypes: every ufunc has its loop for bfloat16."""
    import numact

    names = [row.name for row in numact.catalogue() if row.family == "elementwise" and not row.parameters]
    if k % 2:
        for name in names:
            getattr(numact, name)
    import ml_dtypes

    x = numbers(0, 64).astype(ml_dtypes.bfloat16)
    found = [getattr(numact, name)(x) for name in names]
    assert all(result.dtype == x.dtype for result in found)
    return [result.view(np.uint16) for result in found]


# Settings


def threads(k: int) -> list[Any]:
    """Calls within blocks of `num_threads`, which overlap; at the end the number is that of the beginning."""
    import numact

    x, found = numbers(k), []
    for count in (1, 2, 3, 7, 2):
        with numact.num_threads(count):
            found.append(numact.mish(x))
            with numact.num_threads(1 + k):
                found.append(numact.softmax(x.reshape(-1, 40)))
    return found


def setting(k: int) -> list[Any]:
    """Calls while every thread sets the number of threads for all."""
    import numact

    x, found = numbers(k), []
    for count in range(1, 40):
        numact.set_num_threads(1 + (k + count) % 9)
        assert 1 <= numact.get_num_threads() <= 9
        found.append(numact.gelu(x))
    return found


def memory(k: int) -> list[Any]:
    """Large arrays within blocks of `reuse`, also one that all threads are in, and with `set_reuse`."""
    import numact

    common = _shared.setdefault("block", numact.memory.reuse("3MiB"))
    found: list[Any] = []
    for turn in range(12):
        with numact.memory.reuse(f"{1 + (k + turn) % 5} MiB"), common:
            x = np.full(SIZE, k, np.float64)
            y = numact.tanh(x)
            found.append(y[: 4 * k + 1])
            del x, y
        numact.memory.set_reuse("2MiB")
        z = np.full(SIZE, turn, np.float64)
        found.append(z.sum())
        del z
        numact.memory.set_reuse(None)
    return found


# Masks and random numbers


def masks(k: int) -> list[Any]:
    """Masks packed, unpacked, combined, pickled, and written in place; one that all threads read."""
    import numact

    common = numact.BitMask.pack(numbers(99) > 0)
    found: list[Any] = []
    for turn in range(10):
        x = numbers(k + turn)
        y, mask = numact.leaky_relu_masked(x, 0.1, out=x)
        assert y is x
        again = numact.BitMask.pack(mask.unpack())
        assert again == mask
        assert pickle.loads(pickle.dumps(mask)) == mask
        dx = numact.masked_grad(y, mask & common | ~mask, off=0.1, out=y)
        found += [dx.copy(), mask, mask.count(), numact.masked_grad(dx, common)]
    return found


def dropout(k: int) -> list[Any]:
    """Dropout, each thread with its own generator."""
    import numact

    rng, x = np.random.default_rng(k), numbers(k)
    return [numact.dropout(x, p, rng) for p in (0.1, 0.5, 0.9, 0.25, 0.5) for _ in range(4)]


def generator(k: int) -> list[Any]:
    """Dropout with one generator for all: no random word is given twice or lost."""
    import numact

    rng = _shared.setdefault("rng", np.random.default_rng(7))
    drawn = _shared.setdefault("drawn", [])
    for _ in range(20):
        drawn.append(numact.dropout(np.ones(640), 0.5, rng)[1].packed)
    return []


# Statistics and normalisation


def monitor(k: int) -> list[Any]:
    """A monitor for each thread, with the bits of one alone, and one for all, which is read meanwhile."""
    import numact
    from numact.diagnostics import ActivationMonitor

    own = ActivationMonitor(window=5, max_history=8)
    common = _shared.setdefault("monitor", ActivationMonitor(window=1000, max_history=4))
    found = []
    for turn in range(20):
        x = numbers(100 * k + turn, (32, 50))
        x[:, 7] = -1
        found.append(own.forward("own", "relu", x))
        common.forward("shared", numact.relu, x)
        common.update(f"of {k}", x)
        common.to_json()
        common.advice()
        pickle.loads(pickle.dumps(common)).to_dict()
    merged = ActivationMonitor(window=1000)
    merged.merge(common)
    return [*found, own.to_json(), own.dead_units("own")]


def statistics(k: int) -> list[Any]:
    """Statistics of arrays of which some are read by all threads."""
    from numact import diagnostics

    found: list[Any] = []
    for turn in range(10):
        for x in (numbers(k + turn, (200, 300)), numbers(99, (200, 300))):
            found += [diagnostics.summary(x), diagnostics.dead_units(x, axis=0), diagnostics.sparsity(x)]
    return found


def norms(k: int) -> list[Any]:
    """Normalisation with statistics that run along, and the gradients."""
    from numact import norm

    mean, var = np.zeros(30), np.ones(30)
    weight, bias = numbers(1, 30), numbers(2, 30)
    found: list[Any] = []
    for turn in range(10):
        x, dy = numbers(k + turn, (400, 30)), numbers(turn, (400, 30))
        y, saved = norm.batch_norm_train(x, mean, var, weight, bias, activation="relu", batches=None)
        found += [y, norm.batch_norm_grad(dy, x, saved, weight), norm.batch_norm(x, mean, var, weight, bias)]
        found += [norm.layer_norm(x, weight, bias), norm.layer_norm_grad(dy, x, weight), norm.rms_norm(x, weight)]
        found += [norm.group_norm(x, 5, weight, bias), norm.group_norm_grad(dy, x, 5, weight)]
    return [*found, mean, var]


# What holds at the end, of counts that all tasks have changed


def check(name: str) -> None:
    """Fail unless what the tasks shared is as it must be."""
    import numact

    if name == "memory":
        counts = numact.memory.stats()
        made = counts.pop("reused") + counts.pop("allocated")
        assert made == TASKS * 12 * 3, made  # two arrays of each turn in the blocks, one with set_reuse
        assert not any(counts.values()), counts
    if name == "generator":
        rng = np.random.default_rng(7)
        wanted = [numact.dropout(np.ones(640), 0.5, rng)[1].packed for _ in range(TASKS * 20)]
        assert sorted(_shared["drawn"]) == sorted(wanted)
    if name == "monitor":
        records = _shared["monitor"].to_dict()
        assert {layer: record["updates"] for layer, record in records.items()} == {
            "shared": 20 * TASKS,
            **{f"of {k}": 20 for k in range(TASKS)},
        }
        assert sum(record["size"] for record in records["shared"]["history"]) == 20 * TASKS * 32 * 50
        assert np.flatnonzero(_shared["monitor"].dead_units("shared")).tolist() == [7]


FIRST_USE = (functions, lookups, modules, foreign, bfloat16)
USE = (threads, setting, memory, masks, dropout, generator, monitor, statistics, norms)


def main(name: str, how: str) -> None:
    """Run a scenario and print the hashes."""
    sys.setswitchinterval(1e-6)
    task: Callable[[int], list[Any]] = globals()[name]
    before = None
    if task in USE:
        import numact
        from numact._kernels import core

        core.force_workers(True)
        numact.set_num_threads(2)
        before = numact.get_num_threads()
    for found in run(task, how == "together"):
        print(found)
    check(name)
    if before is not None and name != "setting":
        import numact

        assert numact.get_num_threads() == before, numact.get_num_threads()


if __name__ == "__main__":
    main(*sys.argv[1:])
