"""The demo: one small network per activation learns handwritten digits, with numact and with NumPy expressions."""

from __future__ import annotations

import itertools
import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits  # comes with scikit-learn

from numact._functions.catalogue import Activation as Row
from numact._functions.catalogue import catalogue
from numact._functions.masks.masked import masked_grad
from numact._functions.names import FUNCTIONS
from numact._kernels.config import show_config
from numact.commands.baseline import BASELINES
from numact.diagnostics import ActivationMonitor, dead_units, sparsity
from numact.init import he_normal

Float32 = npt.NDArray[np.float32]

LAYERS = (64, 256, 128, 10)
BATCH = 64
LEARNING_RATE = 1e-3
TOLERANCE = 2.0  # percentage points of accuracy by which the two paths may differ
ELEMENTS = 262_144
ROUNDS = 31


@dataclass(frozen=True)
class Activation:
    """An activation as the network calls it.

    `forward(x)` may overwrite x and returns y and what the gradient needs; `backward(dy, kept)` may overwrite dy.
    """

    forward: Callable[[Float32], tuple[Float32, Any]]
    backward: Callable[[Float32, Any], Float32]


def with_numact(row: Row) -> Activation:
    """Forward and backward in place; x is kept only if neither a bit mask nor the output suffices for the gradient."""
    name = row.name
    function = FUNCTIONS[name]
    if row.masked:
        masked = FUNCTIONS[f"{name}_masked"]
        off = dict(row.parameters).get("negative_slope") or 0.0
        return Activation(lambda x: masked(x, out=x), lambda dy, mask: masked_grad(dy, mask, off=off, out=dy))
    if row.from_output:
        gradient_y = FUNCTIONS[f"{name}_grad_y"]
        return Activation(lambda x: (y := function(x, out=x), y), lambda dy, y: gradient_y(dy, y, out=dy))
    gradient = FUNCTIONS[f"{name}_grad"]
    return Activation(lambda x: (function(x), x), lambda dy, x: gradient(dy, x, out=dy))


def with_numpy(name: str) -> Activation:
    """Call the expressions of `baseline`."""
    forward, gradient, gradient_y = BASELINES[name]
    if gradient_y is not None:
        return Activation(lambda x: (y := forward(x), y), gradient_y)
    return Activation(lambda x: (forward(x), x), gradient)


class Network:
    """A multilayer perceptron with softmax and cross-entropy, trained with Adam."""

    def __init__(self, activation: Activation, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.activation = activation
        shapes = list(itertools.pairwise(LAYERS))
        size = sum((fan_in + 1) * fan_out for fan_in, fan_out in shapes)
        # One vector for all layers; the arrays below are views of it.
        self.parameters, self.gradient, self.mean, self.square, self.scratch = np.zeros((5, size), np.float32)
        self.layers: list[tuple[Float32, Float32]] = []  # weights and biases
        self.gradients: list[tuple[Float32, Float32]] = []
        start = 0
        for fan_in, fan_out in shapes:
            middle, end = start + fan_in * fan_out, start + (fan_in + 1) * fan_out
            for vector, views in ((self.parameters, self.layers), (self.gradient, self.gradients)):
                views.append((vector[start:middle].reshape(fan_in, fan_out), vector[middle:end]))
            weights = self.layers[-1][0]
            weights[...] = he_normal((fan_in, fan_out), rng, np.float32)
            start = end
        self.steps = 0
        self.activation_seconds = 0.0

    def forward(self, x: Float32) -> tuple[Float32, list[tuple[Float32, Any]]]:
        """Return the logits, and for every hidden activation its output and what its gradient needs."""
        hidden: list[tuple[Float32, Any]] = []
        y = x
        for index, (weights, bias) in enumerate(self.layers):
            x = y @ weights
            x += bias
            if index < len(LAYERS) - 2:
                start = time.perf_counter()
                y, kept = self.activation.forward(x)
                self.activation_seconds += time.perf_counter() - start
                hidden.append((y, kept))
        return x, hidden

    def train(self, x: Float32, labels: npt.NDArray[np.int64]) -> None:
        logits, hidden = self.forward(x)
        logits -= logits.max(axis=1, keepdims=True)
        delta = np.exp(logits)
        delta /= delta.sum(axis=1, keepdims=True)
        delta[np.arange(len(labels)), labels] -= 1
        delta /= len(labels)

        inputs = [x] + [y for y, _ in hidden]
        for index in reversed(range(len(inputs))):
            np.matmul(inputs[index].T, delta, out=self.gradients[index][0])
            np.sum(delta, axis=0, out=self.gradients[index][1])
            if index:
                delta = delta @ self.layers[index][0].T
                start = time.perf_counter()
                delta = self.activation.backward(delta, hidden[index - 1][1])
                self.activation_seconds += time.perf_counter() - start
        self.adam()

    def adam(self) -> None:
        """Take one step, without a temporary array."""
        self.steps += 1
        gradient, scratch = self.gradient, self.scratch
        np.multiply(gradient, gradient, out=scratch)
        scratch -= self.square
        scratch *= 0.001
        self.square += scratch
        gradient -= self.mean
        gradient *= 0.1
        self.mean += gradient
        np.sqrt(self.square, out=scratch)
        scratch += 1e-8
        np.divide(self.mean, scratch, out=scratch)
        scratch *= LEARNING_RATE * math.sqrt(1 - 0.999**self.steps) / (1 - 0.9**self.steps)
        self.parameters -= scratch

    def accuracy(self, x: Float32, labels: npt.NDArray[np.int64]) -> float:
        return float(100 * np.mean(self.forward(x)[0].argmax(axis=1) == labels))


@dataclass
class Training:
    """One row of the first table; accuracies and sparsity in percent, times in milliseconds per epoch."""

    name: str
    accuracy_numact: float
    accuracy_numpy: float
    epoch_ms_numact: float
    epoch_ms_numpy: float
    epoch_ratio: float
    activation_ms_numact: float
    activation_ms_numpy: float
    activation_ratio: float
    sparsity: float
    dead_units: int
    hidden_units: int
    advice: list[str]


@dataclass
class Throughput:
    """One row of the second table: elements per second."""

    name: str
    forward_numact: float
    forward_numpy: float
    forward_ratio: float
    gradient_numact: float
    gradient_numpy: float
    gradient_ratio: float


def train(row: Row, data: list[Any], epochs: int, seed: int, step: Callable[[], None]) -> Training:
    """Train both networks on the same batches, in alternating epochs, so that both see the same load of the machine."""
    name = row.name
    x, x_test, labels, labels_test = data
    networks = [Network(with_numact(row), seed), Network(with_numpy(name), seed)]
    seconds: list[list[float]] = [[], []]
    within: list[list[float]] = [[], []]
    rng = np.random.default_rng(seed)
    for epoch in range(epochs):
        order = rng.permutation(len(x))
        for which in (0, 1) if epoch % 2 == 0 else (1, 0):
            network = networks[which]
            network.activation_seconds = 0.0
            start = time.perf_counter()
            for first in range(0, len(x), BATCH):
                batch = order[first : first + BATCH]
                network.train(x[batch], labels[batch])
            seconds[which].append(time.perf_counter() - start)
            within[which].append(network.activation_seconds)
        step()
    epoch_ms = [1e3 * float(np.median(times)) for times in seconds]
    activation_ms = [1e3 * float(np.median(times)) for times in within]
    monitor = ActivationMonitor()
    layers = [y for y, _ in networks[0].forward(x)[1]]
    for number, y in enumerate(layers, 1):
        monitor.update(f"{name}, layer {number}", y, activation=name)
    outputs = np.concatenate(layers, axis=1)
    return Training(
        name=name,
        accuracy_numact=networks[0].accuracy(x_test, labels_test),
        accuracy_numpy=networks[1].accuracy(x_test, labels_test),
        epoch_ms_numact=epoch_ms[0],
        epoch_ms_numpy=epoch_ms[1],
        epoch_ratio=epoch_ms[1] / epoch_ms[0],
        activation_ms_numact=activation_ms[0],
        activation_ms_numpy=activation_ms[1],
        activation_ratio=activation_ms[1] / activation_ms[0],
        sparsity=100 * sparsity(outputs),
        dead_units=int(dead_units(outputs).sum()),
        hidden_units=outputs.shape[1],
        advice=monitor.advice(),
    )


def measure(name: str, seed: int) -> Throughput:
    """Medians of interleaved rounds; numact writes into an existing array, the expressions allocate theirs."""
    rng = np.random.default_rng(seed)
    x = 3 * rng.standard_normal(ELEMENTS, dtype=np.float32)
    dy = rng.standard_normal(ELEMENTS, dtype=np.float32)
    out = np.empty_like(x)
    function, gradient = FUNCTIONS[name], FUNCTIONS[f"{name}_grad"]
    plain = BASELINES[name]
    calls: list[Callable[[], Any]] = [
        lambda: function(x, out=out),
        lambda: plain.forward(x),
        lambda: gradient(dy, x, out=out),
        lambda: plain.gradient(dy, x),
    ]
    seconds: list[list[float]] = [[] for _ in calls]
    for _ in range(ROUNDS):
        for call, times in zip(calls, seconds, strict=True):
            call()  # untimed: brings its own arrays into the cache
            start = time.perf_counter()
            call()
            times.append(time.perf_counter() - start)
    forward, forward_numpy, backward, backward_numpy = (ELEMENTS / float(np.median(times)) for times in seconds)
    return Throughput(
        name, forward, forward_numpy, forward / forward_numpy, backward, backward_numpy, backward / backward_numpy
    )


def empty_table(title: str, *headings: str) -> Table:
    table = Table(
        title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, show_edge=False, padding=0
    )
    table.add_column("\nactivation")
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def training_table(rows: list[Training], epochs: int) -> Table:
    table = empty_table(
        f"Handwritten digits, network {'-'.join(map(str, LAYERS))}, {epochs} epochs, float32\n",
        *("acc. %\nnumact", "\nNumPy"),
        *(" epoch\nnumact", "   ms\nNumPy", "\nratio"),
        *("activ.\nnumact", "   ms\nNumPy", "\nratio"),
        *("zeros\n%", " dead\nunits"),
    )
    for r in rows:
        table.add_row(
            *(r.name, f"{r.accuracy_numact:.1f}", f"{r.accuracy_numpy:.1f}"),
            *(f"{r.epoch_ms_numact:.1f}", f"{r.epoch_ms_numpy:.1f}", f"{r.epoch_ratio:.2f}"),
            *(f"{r.activation_ms_numact:.2f}", f"{r.activation_ms_numpy:.2f}", f"{r.activation_ratio:.1f}"),
            *(f"{r.sparsity:.1f}", str(r.dead_units)),
        )
    return table


def throughput_table(rows: list[Throughput]) -> Table:
    table = empty_table(
        f"Million elements per second, {ELEMENTS:,} float32\n",
        *("forward\nnumact", "\nNumPy", "\nratio", " gradient\nnumact", "\nNumPy", "\nratio"),
    )
    for r in rows:
        table.add_row(
            *(r.name, f"{r.forward_numact / 1e6:,.0f}", f"{r.forward_numpy / 1e6:,.0f}", f"{r.forward_ratio:.1f}"),
            *(f"{r.gradient_numact / 1e6:,.0f}", f"{r.gradient_numpy / 1e6:,.0f}", f"{r.gradient_ratio:.1f}"),
        )
    return table


def run(epochs: int, seed: int, as_json: bool) -> int:
    """Print both tables, or all figures as JSON; the exit code is 1 if the two accuracies differ, else 0."""
    console, progress_console = Console(), Console(stderr=True)
    rows = [row for row in catalogue() if row.name in BASELINES]
    digits = load_digits()
    x = (digits.data / 16 - 0.5).astype(np.float32)
    data = train_test_split(x, digits.target, test_size=0.25, random_state=0, stratify=digits.target)
    columns = (TextColumn("{task.description:<26}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    # One thread for the matrix products: two are slower for matrices this small, and far slower on a busy machine.
    with (
        threadpool_limits(1),
        np.errstate(all="ignore"),
        Progress(*columns, console=progress_console, transient=True) as progress,
    ):
        task = progress.add_task("", total=len(rows) * (epochs + 1))
        training, throughput = [], []
        for row in rows:
            progress.update(task, description=f"training with {row.name}")
            training.append(train(row, data, epochs, seed, lambda: progress.advance(task)))
        for row in rows:
            progress.update(task, description=f"timing {row.name}", advance=1)
            throughput.append(measure(row.name, seed))

    difference = max(abs(r.accuracy_numact - r.accuracy_numpy) for r in training)
    agree = difference <= TOLERANCE
    if as_json:
        config = show_config(mode="dicts")
        figures = {
            **{key: config[key] for key in ("version", "level", "numpy")},
            **{"epochs": epochs, "seed": seed, "elements": ELEMENTS, "agree": agree, "largest_difference": difference},
            "training": [asdict(r) for r in training],
            "throughput": [asdict(r) for r in throughput],
        }
        print(json.dumps(figures, indent=2))
        return 0 if agree else 1

    console.print(training_table(training, epochs))
    console.print(
        f"\nBoth start from the same weights; their accuracies differ by at most {difference:.1f} percentage points"
        + (", which is within noise." if agree else f", more than the {TOLERANCE:.0f} allowed: one of them is wrong."),
        style="none" if agree else "bold red",
    )
    console.print(
        "epoch ms: a whole epoch, most of it matrix products, which both share; activ. ms: the activations in it. "
        f"Zeros and dead units are those of the {training[0].hidden_units} hidden units over the training set.\n"
    )
    advice = [sentence for r in training for sentence in r.advice] or ["none: no layer is dead, saturated or off scale"]
    console.print("\n".join(["Advice of the monitor (numact.diagnostics):", *advice, ""]))
    console.print(throughput_table(throughput))
    console.print(
        "\nratio: times as fast as NumPy. numact computes the exact GELU, the expressions the approximation by tanh."
    )
    return 0 if agree else 1
