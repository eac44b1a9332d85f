"""Question 1: ReLU's output is not centred: does it hurt, and does normalisation before it mend it."""

from math import log10

import numpy as np

from numact.study.data import Data
from numact.study.experiments import question as q
from numact.study.networks import Design, Network
from numact.study.statistics import Effect
from numact.study.training import run

KINDS = (("relu", "none"), ("relu", "batch"), ("relu", "layer"), ("tanh", "none"))
LEAST = 0.05  # log10 of the loss: a factor of 1.12


def conditions(settings: q.Settings, data: Data) -> list[q.Record]:
    """ReLU without and with normalisation, and tanh."""
    kinds = (kind for kind in KINDS if not settings.quick or kind[1] != "layer")
    return [{"activation": activation, "norm": norm, "epochs": settings.epochs} for activation, norm in kinds]


def centres(network: Network, data: Data) -> list[float]:
    """The mean of each layer's output over its deviation, over the training samples."""
    network.forward(data.x)
    outputs = [np.asarray(layer.output, np.float64) for layer in network.activations]
    return [float(abs(y.mean()) / (y.std() or 1)) for y in outputs]


def measure(condition: q.Record, data: Data, seed: int) -> q.Record:
    """Train four layers of 64 units."""
    design = Design(condition["activation"], depth=4, norm=condition["norm"])
    network, history = run(design, data, seed, epochs=condition["epochs"], rate=0.02)
    return {"loss": history.loss, "score": history.score[-1], "centre": centres(network, data)}


def answer(records: list[q.Record]) -> q.Answer:
    """Whether normalisation lowers the training loss, and how far from 0 the outputs are."""
    effects, plots, table = [], [], [("data", "network", "mean over deviation", "last loss", "test score")]
    for data in q.data_of(records):
        plain = q.of(records, data, activation="relu", norm="none")
        lines = []
        for activation, norm in KINDS:
            found = q.of(records, data, activation=activation, norm=norm)
            if not found:
                continue
            label = activation if norm == "none" else f"{activation} behind {norm} norm"
            lines.append(q.curve(label, found, lambda record: record["loss"]))
            centre = q.mean(q.mean(record["centre"]) for record in found)
            last, score = q.mean(r["loss"][-1] for r in found), q.mean(r["score"] for r in found)
            table.append((data, label, f"{centre:.2f}", f"{last:.2g}", f"{score:.3f}"))
            if norm != "none":
                values = q.differences(plain, found, lambda r: log10(q.least(r["loss"][-1], 1e-6)))
                effects.append(Effect(f"last loss without over with {norm} norm", data, "log10", values, LEAST))
        tanh = q.of(records, data, activation="tanh", norm="none")
        values = q.differences(plain, tanh, lambda r: q.mean(r["centre"]))
        effects.append(Effect("mean output of relu beyond that of tanh", data, "deviations", values, 0.1))
        plots.append(q.Plot(data, "epoch", "training loss", tuple(lines), log_y=True))
    return q.Answer(tuple(effects), tuple(plots), tuple(table))


QUESTION = q.Question(
    number=1,
    title="Does ReLU's non-zero mean hurt?",
    claim="The expected output of ReLU is not zero, that of tanh is; this slows training, and normalisation just "
    "before the nonlinearity mends it.",
    source="LeCun et al., Efficient BackProp, 1998; Clevert et al., 2016; Ioffe and Szegedy, 2015",
    method="""Four hidden layers of 64 units, weights by the gain of the activation, cross entropy or squared error.
Stochastic gradient descent, momentum 0.9, rate 0.02, batches of 64; all conditions share seeds.
ReLU alone, ReLU behind batch normalisation, ReLU behind layer normalisation, tanh alone.
After training: the mean of each layer's output over the training samples, divided by its deviation.
Effect 1: log10 of the last training loss of ReLU alone minus that with normalisation.
Effect 2: the mean output of ReLU, in deviations, minus that of tanh.""",
    limits="Normalisation changes more than the mean: scale and effective learning rate as well. A loss that is lower "
    "with it does not show that the mean was the cause.",
    functions=("norm.batch_norm_train", "norm.layer_norm", "diagnostics.summary", "elu"),
    snippet="""x = np.random.default_rng(0).normal(size=(64, 8)).astype(np.float32)
y, saved = numact.norm.batch_norm_train(x, None, None, activation="relu")
print(y.mean() > 0.3)""",
    conditions=conditions,
    measure=measure,
    answer=answer,
)
