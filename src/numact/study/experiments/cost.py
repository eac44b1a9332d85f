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

OTHERS = ("leaky_relu", "elu")
SIZE = 1 << 18
ROUNDS = 5
LEAST = 0.15  # log2 of the time: a tenth


def conditions(settings: q.Settings, data: Data) -> list[q.Record]:
    """Each activation beside ReLU; of training a few epochs, which only have to be timed."""
    return [{"activation": activation, "epochs": max(3, settings.epochs // 4)} for activation in OTHERS]


def alone(activations: tuple[str, ...], rng: np.random.Generator) -> list[float]:
    """The least time of a forward and a backward pass over 262,144 numbers, of each in turn."""
    x = rng.normal(size=SIZE).astype(np.float32)
    y, dx, dy = np.empty_like(x), np.empty_like(x), np.ones_like(x)
    least = [float("inf")] * len(activations)
    for _ in range(10 * ROUNDS):
        for k, activation in enumerate(activations):
            forward, backward, start = FUNCTIONS[activation], FUNCTIONS[f"{activation}_grad"], perf_counter()
            forward(x, out=y)
            backward(dy, x, out=dx)
            least[k] = min(least[k], perf_counter() - start)
    return least


def epochs(activations: tuple[str, ...], data: Data, seed: int, count: int) -> list[float]:
    """The least time of an epoch of three layers of 128 units, of each in turn."""
    least = [float("inf")] * len(activations)
    for _ in range(ROUNDS):
        for k, activation in enumerate(activations):
            _, history = run(Design(activation, depth=3, width=128), data, seed, epochs=count)
            least[k] = min(least[k], history.seconds / count)
    return least


def measure(condition: q.Record, data: Data, seed: int) -> q.Record:
    """Times of ReLU and of the other activation, in turn."""
    pair = ("relu", condition["activation"])
    return {
        "alone": alone(pair, np.random.default_rng(seed)),
        "epoch": epochs(pair, data, seed, condition["epochs"]),
        "elements": 3 * 128 * (len(data.x) // 64 * 64),
    }


def ratio(records: list[q.Record], what: str) -> tuple[float, ...]:
    """log2 of the time of the other over that of ReLU."""
    return tuple(log2(record[what][1] / record[what][0]) for record in records)


def answer(records: list[q.Record]) -> q.Answer:
    """Times beside ReLU's."""
    effects, plots = [], []
    table = [("data", "activation", "forward and backward, us", "epoch, ms", "share of the epoch")]
    for data in q.data_of(records):
        found = {activation: q.of(records, data, activation=activation) for activation in OTHERS}
        lines = []
        for name, some, k in (("relu", found["elu"], 0), *((name, some, 1) for name, some in found.items())):
            passes, epoch = q.mean(r["alone"][k] for r in some), q.mean(r["epoch"][k] for r in some)
            share = q.mean(r["alone"][k] * r["elements"] / SIZE / r["epoch"][k] for r in some)
            table.append((data, name, f"{passes * 1e6:.0f}", f"{epoch * 1e3:.2f}", f"{share:.1%}"))
            times = tuple(tuple(r[what][k] * 1e3 for r in some) for what in ("alone", "epoch"))
            lines.append(q.Curve(name, (1, 2), times))
        effects.append(Effect("time of elu over relu, alone", data, "log2", ratio(found["elu"], "alone"), LEAST))
        effects.append(Effect("epoch with elu over one with relu", data, "log2", ratio(found["elu"], "epoch"), LEAST))
        leaky = tuple(-value for value in ratio(found["leaky_relu"], "alone"))
        effects.append(Effect("time of leaky_relu over relu, negated", data, "log2", leaky, -LEAST))
        plots.append(q.Plot(data, "1: alone, 2: an epoch", "ms", tuple(lines), log_y=True))
    return q.Answer(tuple(effects), tuple(plots), tuple(table))


QUESTION = q.Question(
    number=7,
    title="Is ELU expensive, and leaky ReLU not?",
    claim="ELU costs much more than ReLU because of its exponential; leaky ReLU costs the same.",
    source="Clevert et al., 2016, section 4; a common reason to prefer ReLU",
    method="""Alone: forward and backward pass over 262,144 float32 numbers into existing memory, the least of 50.
In training: the time of an epoch of three hidden layers of 128 units, batches of 64, the least of 5 runs.
ReLU and the other are measured in turn, a pair for each seed; nothing else runs meanwhile.
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
