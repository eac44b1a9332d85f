"""Question 7: is ELU expensive, and leaky ReLU not."""

from math import log2
from time import perf_counter

import numpy as np

from numact._functions.names import FUNCTIONS
from numact.study.data import Data
from numact.study.experiments import question as q
from numact.study.networks import Design
from numact.study.statistics import Effect
from numact.study.training import run

ACTIVATIONS = ("relu", "leaky_relu", "elu")
SIZE = 1 << 18
LEAST = 0.15  # log2 of the time: a tenth


def conditions(settings: q.Settings, data: Data) -> list[q.Record]:
    """Every activation: alone, and in training; of these few epochs, which only have to be timed."""
    return [{"activation": activation, "epochs": max(3, settings.epochs // 4)} for activation in ACTIVATIONS]


def seconds(activation: str, rng: np.random.Generator) -> float:
    """The least time of a forward and a backward pass over 262,144 numbers."""
    x = rng.normal(size=SIZE).astype(np.float32)
    y, dx, dy = np.empty_like(x), np.empty_like(x), np.ones_like(x)
    forward, backward, times = FUNCTIONS[activation], FUNCTIONS[f"{activation}_grad"], []
    for _ in range(15):
        start = perf_counter()
        forward(x, out=y)
        backward(dy, x, out=dx)
        times.append(perf_counter() - start)
    return min(times)


def measure(condition: q.Record, data: Data, seed: int) -> q.Record:
    """Time the activation alone, and an epoch of three layers of 128 units."""
    alone = seconds(condition["activation"], np.random.default_rng(seed))
    _, history = run(Design(condition["activation"], depth=3, width=128), data, seed, epochs=condition["epochs"])
    elements = 3 * 128 * (len(data.x) // 64 * 64)
    epoch = history.seconds / condition["epochs"]
    return {"alone": alone, "epoch": epoch, "share": min(1.0, alone * elements / SIZE / epoch)}


def answer(records: list[q.Record]) -> q.Answer:
    """Times beside ReLU's."""
    effects, plots, table = (
        [],
        [],
        [("data", "activation", "forward and backward, us", "epoch, ms", "share of the epoch")],
    )
    for data in q.data_of(records):
        found = {activation: q.of(records, data, activation=activation) for activation in ACTIVATIONS}
        for activation, some in found.items():
            alone, epoch = q.mean(r["alone"] for r in some), q.mean(r["epoch"] for r in some)
            share = q.mean(r["share"] for r in some)
            table.append((data, activation, f"{alone * 1e6:.0f}", f"{epoch * 1e3:.1f}", f"{share:.1%}"))
        elu = q.differences(found["elu"], found["relu"], lambda record: log2(record["alone"]))
        effects.append(Effect("time of elu over relu, alone", data, "log2", elu, LEAST))
        epochs = q.differences(found["elu"], found["relu"], lambda record: log2(record["epoch"]))
        effects.append(Effect("epoch with elu over one with relu", data, "log2", epochs, LEAST))
        leaky = q.differences(found["leaky_relu"], found["relu"], lambda record: log2(record["alone"]))
        effects.append(Effect("time of leaky_relu over relu, negated", data, "log2", tuple(-v for v in leaky), -LEAST))
        lines = tuple(
            q.Curve(a, (1, 2), tuple(zip(*((r["alone"] * 1e3, r["epoch"] * 1e3) for r in some), strict=True)))
            for a, some in found.items()
        )
        plots.append(q.Plot(data, "1: alone, 2: epoch", "ms", lines, log_y=True))
    return q.Answer(tuple(effects), tuple(plots), tuple(table))


QUESTION = q.Question(
    number=7,
    title="Is ELU expensive, and leaky ReLU not?",
    claim="ELU costs much more than ReLU because of its exponential; leaky ReLU costs the same.",
    source="Clevert et al., 2016, section 4; a common reason to prefer ReLU",
    method="""Alone: forward and backward pass over 262,144 float32 numbers into existing memory, the least of 15.
In training: the time of an epoch of three hidden layers of 128 units, batches of 64.
Nothing else runs meanwhile; one pair of measurements for each seed.
Share: the time of the activation alone, for as many numbers as an epoch has, over that of the epoch.
Effect: log2 of the time of ELU over ReLU, alone and in the epoch; of leaky ReLU over ReLU, which should be none.""",
    limits="These are numact's kernels on one machine; with expressions of NumPy ELU takes ten times as long as ReLU. "
    "Small batches measure the cost of calls as well.",
    functions=("elu", "leaky_relu", "bias_activation"),
    snippet="""y = numact.bias_activation(np.zeros((2, 3)), np.ones(3), "elu")
print(y.shape)""",
    conditions=conditions,
    measure=measure,
    answer=answer,
    alone=True,
)
