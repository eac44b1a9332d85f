"""Question 3: do gradients vanish with sigmoid and tanh, and not with ReLU."""

from math import log10
from typing import Any

import numpy as np

from numact.study.data import Data
from numact.study.experiments import question as q
from numact.study.layers import Dense
from numact.study.networks import Design, Network
from numact.study.statistics import Effect

DEPTH = 50
ACTIVATIONS = ("sigmoid", "tanh", "relu")
INITIALISATIONS = ("xavier", "he")


def conditions(settings: q.Settings, data: Data) -> list[q.Record]:
    """Every activation with both initialisations."""
    return list(q.crossed(activation=ACTIVATIONS, initialisation=INITIALISATIONS))


def measure(condition: q.Record, data: Data, seed: int) -> q.Record:
    """The norm of the gradient by each layer's weights, before any training."""
    initialisation: Any = condition["initialisation"]
    design = Design(condition["activation"], depth=DEPTH, initialisation=initialisation, dtype="float64")
    network = Network(design, data.x.shape[1], data.classes, np.random.default_rng(seed))
    _, grad = network.loss(network.forward(data.x[:256], training=True), data.y[:256])
    network.backward(grad)
    dense = [layer for layer in network.layers if isinstance(layer, Dense)][:-1]
    return {"norms": [float(np.linalg.norm(layer.gradients[0])) for layer in dense]}


def lost(record: q.Record) -> float:
    """log10 of the gradient of the last hidden layer over that of the second: the first has another width."""
    norms = record["norms"]
    return log10(q.least(norms[-1], 1e-300)) - log10(q.least(norms[1], 1e-300))


def smallest(candidates: list[list[q.Record]]) -> list[q.Record]:
    """The condition that loses least."""
    return min(candidates, key=lambda found: q.mean(abs(lost(record)) for record in found))


def answer(records: list[q.Record]) -> q.Answer:
    """How many powers of ten of the gradient are lost on the way to the first layers."""
    effects, plots, table = [], [], [("data", "activation", "weights", "powers of ten lost over 48 layers")]
    for data in q.data_of(records):
        relu = q.of(records, data, activation="relu", initialisation="he")
        lines = []
        for activation in ACTIVATIONS:
            candidates = [q.of(records, data, activation=activation, initialisation=i) for i in INITIALISATIONS]
            for initialisation, found in zip(INITIALISATIONS, candidates, strict=True):
                lines.append(q.curve(f"{activation}, {initialisation}", found, lambda record: record["norms"]))
                table.append((data, activation, initialisation, f"{q.mean(map(lost, found)):.1f}"))
            if activation != "relu":
                values = q.differences(smallest(candidates), relu, lost)
                effects.append(Effect(f"what {activation} loses beyond relu with He", data, "log10", values, 1.0))
        values = tuple(-abs(lost(record)) for record in relu)
        effects.append(Effect("what relu with He loses or gains, negated", data, "log10", values, -1.0))
        plots.append(q.Plot(data, "layer", "norm of the gradient by its weights", tuple(lines), log_y=True))
    return q.Answer(tuple(effects), tuple(plots), tuple(table))


QUESTION = q.Question(
    number=3,
    title="Do gradients vanish with sigmoid and tanh, and not with ReLU?",
    claim="In deep networks gradients vanish with sigmoid and tanh; with ReLU they do not.",
    source="Hochreiter, 1991; Glorot and Bengio, 2010; He et al., 2015",
    method="""50 hidden layers of 64 units in float64, biases 0, no training.
Weights by Xavier (variance 2 / (fan in + fan out)) and He (2 / fan in), normal, layer by layer.
256 training samples, the loss of the untrained network, one backward pass.
The norm of the gradient by the weights of each layer.
Lost: log10 of the norm in the last hidden layer over that in the second.
Effect 1: what sigmoid or tanh lose, with the better of both initialisations, minus what ReLU with He loses.
Effect 2: ReLU with He loses or gains less than one power of ten.""",
    limits="Gradients at the start say nothing about their size later in training, nor whether normalisation or skip "
    "connections would have mended them.",
    functions=("init.he_normal", "init.xavier_normal", "init.gain"),
    snippet="""weights = numact.init.he_normal((64, 64), rng=0)
print(round(float(weights.var() * 64), 1))""",
    conditions=conditions,
    measure=measure,
    answer=answer,
)
