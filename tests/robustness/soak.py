"""Training under pressure has the bits of training alone: ``python tests/robustness/soak.py --minutes 30 [--seed N]``.

First two small networks are trained one after the other, by one thread, in a process that does nothing else.  Then,
until the time is over, both are trained at once in two threads: their batches come from processes that are forked for
every epoch, and compute with numact, too; other threads compute and change the number of threads; other processes take
and give back memory and keep all processors busy.  After every epoch the weights, running statistics and records of the
monitor must have the hash that they had alone.  The exit code says whether they had.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import hashlib
import multiprocessing
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

# The bits of a product of matrices depend on the number of threads; those of numact do not.
os.environ.update(OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import numpy as np

import numact
from numact import norm
from numact._kernels import core
from numact.diagnostics import ActivationMonitor

Array = np.ndarray[Any, Any]
SAMPLES, INPUTS, UNITS, CLASSES = 512, 32, 192, 10  # of a batch; arrays of 384 KiB, which `reuse` keeps
TRAININGS = 2
LOADERS = 2  # processes for each training
RATE = np.float32(0.05)
HANGS = 600  # seconds for an epoch, after which the program shows where it is and ends
SETTING = (1, 2, 3, 8)  # numbers of threads

fork = multiprocessing.get_context("fork")


def batch(seed: int, epoch: int, index: int) -> tuple[Array, Array]:
    """The inputs and labels of a batch."""
    rng = np.random.default_rng([seed, epoch, index])
    x = rng.standard_normal((SAMPLES, INPUTS), np.float32)
    teacher = np.random.default_rng(seed).standard_normal((INPUTS, CLASSES)).astype(np.float32)
    labels = numact.softmax(numact.tanh(x @ teacher)).argmax(axis=1)
    x, _ = numact.dropout(x, 0.1, rng)
    wide = numact.gelu(np.repeat(x, UNITS // INPUTS, axis=1))  # large enough for threads and the cache of blocks
    return wide[:, :: UNITS // INPUTS].copy(), labels


class Network:
    """An MLP of two hidden layers, and what it has learnt."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.rng = np.random.default_rng(seed + 1)
        shapes = ((INPUTS, UNITS), (UNITS, UNITS), (UNITS, CLASSES))
        self.weights = [numact.init.he_normal(shape, dtype=np.float32, rng=rng) for shape in shapes]
        self.biases = [np.zeros(UNITS, np.float32), np.zeros(CLASSES, np.float32)]
        self.scales = [np.ones(UNITS, np.float32), np.ones(UNITS, np.float32)]
        self.shifts = [np.zeros(UNITS, np.float32), np.zeros(UNITS, np.float32)]
        self.mean, self.var = np.zeros(UNITS), np.ones(UNITS)
        self.monitor = ActivationMonitor(window=20, max_history=64)

    def step(self, x: Array, labels: Array) -> None:
        """Learn a batch."""
        first, second, last = self.weights
        z = x @ first
        h = numact.bias_activation(z, self.biases[0], "gelu")
        n = norm.layer_norm(h, self.scales[0], self.shifts[0])
        d, kept = numact.dropout(n, 0.2, self.rng, out=n)
        a = d @ second
        y, saved = norm.batch_norm_train(a, self.mean, self.var, self.scales[1], self.shifts[1])
        r, positive = numact.leaky_relu_masked(y, 0.1, out=y)
        t = self.monitor.forward("hidden", "tanh", r)
        self.monitor.update("input", d)
        logits = t @ last + self.biases[1]
        _, dy = numact.softmax_cross_entropy(logits, labels, return_grad=True)

        dt = numact.tanh_grad_y(dy @ last.T, t)
        dr = numact.masked_grad(dt, positive, off=0.1, out=dt)
        da, scale, shift = norm.batch_norm_grad(dr, a, saved, self.scales[1])
        dd = da @ second.T
        dn = numact.masked_grad(dd, kept, on=1 / (1 - 0.2), out=dd)
        dh, scale_0, shift_0 = norm.layer_norm_grad(dn, h, self.scales[0])
        dz, bias = numact.bias_activation_grad(dh, z, self.biases[0], "gelu")
        for value, gradient in (
            *zip(self.weights, (x.T @ dz, d.T @ da, t.T @ dy), strict=True),
            *zip(self.biases, (bias, dy.sum(axis=0)), strict=True),
            *zip(self.scales, (scale_0, scale), strict=True),
            *zip(self.shifts, (shift_0, shift), strict=True),
        ):
            value -= RATE * gradient.astype(np.float32)

    def hash(self) -> str:
        """The hash of everything that it has learnt."""
        found = hashlib.sha256(self.monitor.to_json().encode())
        for array in (*self.weights, *self.biases, *self.scales, *self.shifts, self.mean, self.var):
            assert np.isfinite(array).all()
            found.update(array.tobytes())
        return found.hexdigest()


@dataclass
class Counts:
    """What has been done, by all threads."""

    epochs: int = 0
    batches: int = 0
    forks: int = 0
    calls: int = 0
    settings: int = 0
    failures: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, **numbers: int) -> None:
        """Add to some of the counts."""
        with self.lock:
            for name, number in numbers.items():
                setattr(self, name, getattr(self, name) + number)

    def fail(self, message: str) -> None:
        """Note a failure."""
        with self.lock:
            self.failures.append(message)


def load(connection: Connection, seed: int, epoch: int, indices: range) -> None:
    """What a forked process does: compute batches and send them."""
    signal.alarm(HANGS)
    numact.set_num_threads(2)
    with numact.memory.reuse("4MiB"):
        for index in indices:
            x, labels = batch(seed, epoch, index)
            connection.send_bytes(x.tobytes())
            connection.send_bytes(labels.tobytes())
    connection.close()


def loaded(seed: int, epoch: int, batches: int, counts: Counts) -> Iterator[tuple[Array, Array]]:
    """The batches of an epoch, from processes that are forked for it."""
    pipes = [fork.Pipe(duplex=False) for _ in range(LOADERS)]
    loaders = [
        fork.Process(target=load, args=(sender, seed, epoch, range(k, batches, LOADERS)), daemon=True)
        for k, (_, sender) in enumerate(pipes)
    ]
    for loader in loaders:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # a fork beside threads is what is tested
            loader.start()
    counts.add(forks=LOADERS)
    for index in range(batches):
        receiver = pipes[index % LOADERS][0]
        x = np.frombuffer(receiver.recv_bytes(), np.float32).reshape(SAMPLES, INPUTS)
        yield x, np.frombuffer(receiver.recv_bytes(), np.intp)
    for loader, pipe in zip(loaders, pipes, strict=True):
        loader.join()
        if loader.exitcode:
            counts.fail(f"a loader ended with {loader.exitcode}")
        for end in pipe:
            end.close()


def train(seed: int, epochs: int, batches: int) -> list[str]:
    """The hashes after each epoch of a training alone."""
    network, found = Network(seed), []
    for epoch in range(epochs):
        for index in range(batches):
            network.step(*batch(seed, epoch, index))
        found.append(network.hash())
    return found


def train_under_pressure(seed: int, want: list[str], batches: int, counts: Counts) -> None:
    """The same training with forked loaders; compares the hashes."""
    network = Network(seed)
    for epoch, wanted in enumerate(want):
        with numact.memory.reuse("16MiB"):
            for x, labels in loaded(seed, epoch, batches, counts):
                network.step(x, labels)
                counts.add(batches=1)
        counts.add(epochs=1)
        if network.hash() != wanted:
            counts.fail(f"seed {seed}: other bits after epoch {epoch}")
            return


def disturb(seed: int, stop: threading.Event, counts: Counts) -> None:
    """Compute, and change the number of threads, until it is time to stop."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((300, 500)).astype(np.float32)
    calls: list[Callable[[], Any]] = [
        lambda: numact.mish(x),
        lambda: numact.softmax(x),
        lambda: norm.rms_norm(x),
        lambda: numact.relu_masked(x)[1].packed,
        lambda: numact.elu(x[:, ::2]),
    ]
    want = [np.array(call()).tobytes() for call in calls]
    while not stop.is_set():
        numact.set_num_threads(int(rng.choice(SETTING)))
        k = int(rng.integers(len(calls)))
        with numact.memory.reuse(int(rng.integers(1 << 22))), numact.num_threads(int(rng.choice(SETTING))):
            if np.array(calls[k]()).tobytes() != want[k]:
                counts.fail(f"call {k} of a thread beside has other bits")
        counts.add(calls=1, settings=3)
        stop.wait(float(rng.uniform(0, 0.002)))


def free_memory() -> int:
    """Bytes that the machine can spare; a guess where it does not say."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) << 10
    return 1 << 30


def press_on_memory(parent: int, seed: int) -> None:
    """Take and give back memory, up to an eighth of what is free, until the parent is gone."""
    rng = np.random.default_rng(seed)
    held: list[Array] = []
    while os.getppid() == parent:
        most = min(free_memory() // 8, 1 << 30)
        if held and (sum(array.nbytes for array in held) > most or rng.random() < 0.4):
            del held[int(rng.integers(len(held)))]
        else:
            with contextlib.suppress(MemoryError):
                held.append(np.ones(int(rng.integers(1, max(most // 4, 2))), np.uint8))
        time.sleep(0.002)


def press_on_processors(parent: int, seed: int) -> None:
    """Keep a processor busy, in bursts, until the parent is gone."""
    rng = np.random.default_rng(seed)
    while os.getppid() == parent:
        end = time.monotonic() + float(rng.uniform(0, 0.05))
        while time.monotonic() < end:
            pass
        time.sleep(float(rng.uniform(0, 0.005)))


@contextlib.contextmanager
def pressure(seed: int) -> Iterator[int]:
    """Processes that press on memory and processors; how many there are."""
    kinds = [press_on_memory] * 2 + [press_on_processors] * (os.cpu_count() or 1)
    presses = [fork.Process(target=kind, args=(os.getpid(), seed + k), daemon=True) for k, kind in enumerate(kinds)]
    for press in presses:
        press.start()
    try:
        yield len(presses)
    finally:
        for press in presses:
            press.kill()
            press.join()


def round_of(seeds: range, want: dict[int, list[str]], batches: int, forced: bool, counts: Counts) -> None:
    """Train all networks once at the same time, beside two threads that compute."""
    core.force_workers(forced)
    stop = threading.Event()
    beside = [threading.Thread(target=disturb, args=(seed, stop, counts), daemon=True) for seed in seeds]
    failed: list[BaseException] = []

    def work(seed: int) -> None:
        try:
            train_under_pressure(seed, want[seed], batches, counts)
        except BaseException as error:
            failed.append(error)

    trainings = [threading.Thread(target=work, args=(seed,), daemon=True) for seed in seeds]
    for thread in (*beside, *trainings):
        thread.start()
    for thread in trainings:
        thread.join()
    stop.set()
    for thread in beside:
        thread.join()
    core.force_workers(False)
    if failed:
        raise failed[0]


def soak(minutes: float, seed: int, epochs: int, batches: int) -> int:
    """Run it, and print what was done; the exit code."""
    start = time.monotonic()
    counts, rounds = Counts(), 0
    seeds = range(seed, seed + TRAININGS)
    with numact.num_threads(1):
        want = {each: train(each, epochs, batches) for each in seeds}
    print(f"alone: {TRAININGS} trainings of {epochs} epochs of {batches} batches", flush=True)
    said = 0.0
    with pressure(seed) as processes:
        while not counts.failures and (rounds < 2 or time.monotonic() - start < 60 * minutes):
            faulthandler.dump_traceback_later(HANGS * epochs, exit=True)
            round_of(seeds, want, batches, rounds % 2 == 0, counts)
            rounds += 1
            if time.monotonic() - said > 60:
                said = time.monotonic()
                print(f"{(said - start) / 60:.1f} minutes: {counts.epochs} epochs, {counts.forks} forks", flush=True)
    faulthandler.cancel_dump_traceback_later()
    held = {key: value for key, value in numact.memory.stats().items() if key not in ("reused", "allocated")}
    if any(held.values()):
        counts.fail(f"the cache of blocks is not empty: {held}")
    print(
        f"{counts.epochs} epochs, {counts.batches} batches, {counts.forks} forks, {rounds} rounds, "
        f"{counts.calls} calls beside, {counts.settings} settings of the number of threads, "
        f"{processes} processes that press, {(time.monotonic() - start) / 60:.1f} minutes"
    )
    print("\n".join(counts.failures) or "equal to the bit with the trainings alone")
    return 1 if counts.failures else 0


def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30, help="how long; two rounds at least")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=5, help="of a training")
    parser.add_argument("--batches", type=int, default=30, help="of an epoch")
    given = parser.parse_args()
    return soak(given.minutes, given.seed, given.epochs, given.batches)


if __name__ == "__main__":
    sys.exit(main())
