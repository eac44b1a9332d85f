"""Question 9: does unbounded output explode without control."""

from math import log10

import numpy as np

from numact.study.data import Data
from numact.study.experiments import question as q
from numact.study.networks import Design, Network
from numact.study.statistics import Effect

DEPTH = 30
WEIGHTS = {"lecun": 1.0, "xavier": 1.0, "he": 1.0, "he, twice as large": 2.0}
ACTIVATIONS = ("relu", "relu6")


def conditions(settings: q.Settings, data: Data) -> list[q.Record]:
    """Both activations with all initial weights."""
    return list(q.crossed(activation=ACTIVATIONS, weights=WEIGHTS))


def measure(condition: q.Record, data: Data, seed: int) -> q.Record:
    """The root mean square of each layer's output, before any training."""
    kind = condition["weights"].partition(",")[0]
    design = Design(
        condition["activation"],
        depth=DEPTH,
        initialisation=kind,
        factor=WEIGHTS[condition["weights"]],
        dtype="float64",
    )
    network = Network(design, data.x.shape[1], data.classes, np.random.default_rng(seed))
    network.forward(data.x)
    return {"scale": [float(np.sqrt(np.mean(np.square(layer.output)))) for layer in network.activations]}


def growth(record: q.Record) -> float:
    """log10 of the size in the last layer over that in the first."""
    return log10(q.least(record["scale"][-1], 1e-300)) - log10(q.least(record["scale"][0], 1e-300))


def answer(records: list[q.Record]) -> q.Answer:
    """How many powers of ten activations grow or shrink."""
    effects, plots, table = [], [], [("data", "activation", "weights", "powers of ten over 29 layers")]
    for data in q.data_of(records):
        for activation in ACTIVATIONS:
            lines = []
            for weights in WEIGHTS:
                found = q.of(records, data, activation=activation, weights=weights)
                lines.append(q.curve(weights, found, lambda record: record["scale"]))
                table.append((data, activation, weights, f"{q.mean(map(growth, found)):+.1f}"))
            plots.append(q.Plot(f"{data}, {activation}", "layer", "root mean square", tuple(lines), log_y=True))
        large = q.of(records, data, activation="relu", weights="he, twice as large")
        effects.append(Effect("growth of relu with twice He", data, "log10", tuple(map(growth, large)), 1.0))
        kept = tuple(-abs(growth(r)) for r in q.of(records, data, activation="relu", weights="he"))
        effects.append(Effect("growth of relu with He, either way, negated", data, "log10", kept, -1.0))
        bounded = q.of(records, data, activation="relu6", weights="he, twice as large")
        values = tuple(-growth(record) for record in bounded)
        effects.append(Effect("growth of relu6 with twice He, negated", data, "log10", values, -1.0))
    return q.Answer(tuple(effects), tuple(plots), tuple(table))


QUESTION = q.Question(
    number=9,
    title="Does unbounded output explode without control?",
    claim="The activations of deep ReLU networks explode unless the initial weights fit; ReLU6 bounds them.",
    source="He et al., 2015; Krizhevsky, 2010",
    method="""30 hidden layers of 64 units in float64, biases 0, no training, all training samples.
Normal weights by LeCun (variance 1 / fan in), Xavier (2 / (fan in + fan out)), He (2 / fan in), and twice as
large as He's.
ReLU and ReLU6. The root mean square of each layer's output.
Growth: log10 of that of the last layer over that of the first.
Effect 1: ReLU grows by more than a power of ten with twice He's deviation.
Effect 2: with He it changes by less than one. Effect 3: ReLU6 grows by less than one, with twice He's deviation.""",
    limits="Trained weights are another matter. A bound keeps the size, but not the gradients: saturated units have "
    "none.",
    functions=("init.he_normal", "init.gain", "relu6", "norm.layer_norm"),
    snippet="""print(numact.relu6(np.array([-1.0, 3.0, 50.0])))""",
    conditions=conditions,
    measure=measure,
    answer=answer,
)
