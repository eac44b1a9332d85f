"""Training: mini-batches in random order, and what is recorded epoch by epoch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import numpy as np

from numact._functions.arguments import as_generator, boolean, number
from numact._kernels.messages import shown
from numact.study.checks import count, instance
from numact.study.data import Data
from numact.study.networks import Design, Network
from numact.study.optimisers import SGD, Adam


@dataclass
class History:
    """What a training run has seen, a value for each epoch.

    Attributes
    ----------
    loss : list of float
        Mean loss of the training batches; NaN where it overflowed.
    error : list of float
        Share of wrong classes, or mean squared error, of the training batches.
    score : list of float
        Accuracy, or R^2, on the test samples.
    seconds : float
        Time of all epochs, without the evaluations.
    watched : dict
        What `watch` returned, by name.

    """

    loss: list[float] = field(default_factory=list)
    error: list[float] = field(default_factory=list)
    score: list[float] = field(default_factory=list)
    seconds: float = 0.0
    watched: dict[str, list[Any]] = field(default_factory=dict)

    def epochs_to(self, error: float) -> float:
        """The first epoch, from 1 on, whose training error is at most this; infinite if there is none."""
        return next((k for k, value in enumerate(self.error, 1) if value <= error), float("inf"))


def train(
    network: Network,
    data: Data,
    optimiser: SGD | Adam,
    epochs: int,
    rng: np.random.Generator,
    *,
    batch: int = 64,
    watch: Callable[[Network], dict[str, Any]] | None = None,
    stop_at: float | None = None,
) -> History:
    """Train a network, and record its epochs.

    Parameters
    ----------
    network : Network
        Changed in place.
    data : Data
        What it learns from and is tested on.
    optimiser : SGD or Adam
        Changes the weights.
    epochs : int
        How often every sample is seen.
    rng : numpy.random.Generator
        The order of the samples.
    batch : int, default 64
        Samples of a step.
    watch : callable, optional
        Called with the network after each epoch; returns numbers by name, which the history keeps.
    stop_at : float, optional
        The training error at which training ends before the last epoch.

    Returns
    -------
    History

    """
    for name, value, kind in (
        ("network", network, Network),
        ("data", data, Data),
        ("optimiser", optimiser, (SGD, Adam)),
    ):
        instance("train", name, value, kind)
    epochs, batch, rng = (
        count("train", "epochs", epochs, 0),
        count("train", "batch", batch, 1),
        as_generator("train", rng),
    )
    if watch is not None and not callable(watch):
        raise TypeError(f"train: watch must be None or a function, got {shown(watch)}")
    stop_at = None if stop_at is None else number("train", "stop_at", stop_at)
    history = History()
    with np.errstate(all="ignore"):
        for _ in range(epochs):
            start, losses, errors = perf_counter(), [], []
            order = rng.permutation(len(data.x))
            for first in range(0, len(order) - min(batch, len(order)) + 1, batch):
                chosen = order[first : first + batch]
                outputs = network.forward(data.x[chosen], training=True)
                loss, grad = network.loss(outputs, data.y[chosen])
                losses.append(loss)
                errors.append(float(np.mean(outputs.argmax(1) != data.y[chosen])) if network.outputs else loss)
                network.backward(grad)
                optimiser.step(network.parameters, network.gradients)
            history.seconds += perf_counter() - start
            history.loss.append(float(np.mean(losses)))
            history.error.append(float(np.mean(errors)))
            history.score.append(network.score(data.x_test, data.y_test))
            watched = watch(network) if watch else {}
            for name, value in instance("train", "what watch returns", watched, dict).items():
                history.watched.setdefault(name, []).append(value)
            if stop_at is not None and history.error[-1] <= stop_at:
                break
    return history


def run(
    design: Design,
    data: Data,
    seed: int,
    *,
    epochs: int = 20,
    rate: float = 0.05,
    adam: bool = False,
    **options: Any,
) -> tuple[Network, History]:
    """Make a network and train it: the same bits each time for the same seed, whatever the number of threads.

    Parameters
    ----------
    design : Design
        What the network is made of.
    data : Data
        What it learns from.
    seed : int
        Of the weights, the order of the samples and dropout.
    epochs, rate, adam
        How long, with which learning rate, and whether by Adam.
    **options
        Passed on to `train`.

    Returns
    -------
    network : Network
    history : History

    """
    instance("run", "data", data, Data)
    children = np.random.SeedSequence(count("run", "seed", seed, 0)).spawn(2)
    weights, order = (np.random.default_rng(child) for child in children)
    network = Network(design, data.x.shape[1], data.classes, weights)
    optimiser = Adam(rate) if boolean("run", "adam", adam) else SGD(rate)
    return network, train(network, data, optimiser, epochs, order, **options)
