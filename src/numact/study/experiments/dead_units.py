"""Question 5: do ReLU units die where leaky ReLU, PReLU and ELU do not."""

from typing import Any

import numpy as np

from numact.diagnostics.statistics import dead_units
from numact.study.data import Data
from numact.study.experiments import question as q
from numact.study.layers import PReLU
from numact.study.networks import Design, Network
from numact.study.statistics import Effect
from numact.study.training import run

ACTIVATIONS = ("relu", "leaky_relu", "prelu", "elu")
MISTUNED = ("leaky_relu(0.3)", "leaky_relu(1.5)")
REGIMES: dict[str, dict[str, Any]] = {
    "large rate": {"rate": 0.05, "adam": True},
    "large weights": {"rate": 0.01, "factor": 4.0},
}


def conditions(settings: q.Settings, data: Data) -> list[q.Record]:
    """Every activation with a rate or with weights that are too large, and mistuned slopes."""
    activations = ACTIVATIONS if settings.quick else (*ACTIVATIONS, *MISTUNED)
    return list(q.crossed(activation=activations, regime=REGIMES, epochs=(settings.epochs,)))


def idle(layer: Any) -> float:
    """The share of units through which nothing is learned: the same for all samples, or not finite."""
    lost = ~np.isfinite(layer.output).all(axis=0)
    still = dead_units(layer.output) if layer.name == "relu" else np.ptp(layer.output, axis=0) == 0
    return float(np.mean(lost | still))


def measure(condition: q.Record, data: Data, seed: int) -> q.Record:
    """Train three layers of 64 units; count the dead ones after each epoch."""
    options = dict(REGIMES[condition["regime"]])

    def count(network: Network) -> dict[str, Any]:
        network.forward(data.x)
        return {"dead": q.mean(idle(layer) for layer in network.activations)}

    design = Design(condition["activation"], depth=3, factor=options.pop("factor", 1.0))
    network, history = run(design, data, seed, epochs=condition["epochs"], watch=count, **options)
    slopes = [float(layer.parameters[0].mean()) for layer in network.layers if isinstance(layer, PReLU)]
    return {"dead": history.watched["dead"], "score": history.score, "slopes": slopes}


def answer(records: list[q.Record]) -> q.Answer:
    """How many units are dead at the end, and what that costs."""
    effects, plots, table = [], [], [("data", "trouble", "activation", "dead units", "test score", "learned slopes")]
    for data in q.data_of(records):
        for regime in REGIMES:
            found = {a: q.of(records, data, activation=a, regime=regime) for a in (*ACTIVATIONS, *MISTUNED)}
            found = {activation: some for activation, some in found.items() if some}
            for activation, some in found.items():
                slopes = " ".join(f"{q.mean(column):.2f}" for column in zip(*(r["slopes"] for r in some), strict=True))
                dead, score = q.mean(r["dead"][-1] for r in some), q.mean(r["score"][-1] for r in some)
                table.append((data, regime, activation, f"{dead:.2f}", f"{score:.3f}", slopes))
            for activation in ACTIVATIONS[1:]:
                values = q.differences(found["relu"], found[activation], lambda record: record["dead"][-1])
                effects.append(Effect(f"dead relus beyond dead {activation}s, {regime}", data, "share", values, 0.05))
            lines = tuple(q.curve(a, found[a], lambda record: record["dead"]) for a in ACTIVATIONS)
            plots.append(q.Plot(f"{data}, {regime}", "epoch", "share of dead units", lines))
    return q.Answer(tuple(effects), tuple(plots), tuple(table))


QUESTION = q.Question(
    number=5,
    title="Do ReLU units die, and others not?",
    claim="With a large learning rate or bad initial weights ReLU units die; leaky ReLU, PReLU and ELU units do not.",
    source="Maas et al., 2013; He et al., 2015; Lu et al., Dying ReLU and Initialization, 2019",
    method="""Three hidden layers of 64 units, batches of 64.
Trouble 1: Adam with the learning rate 0.05, fifty times the usual one.
Trouble 2: momentum 0.9, rate 0.01, initial weights four times as large as the gain says.
ReLU, leaky ReLU (0.01), PReLU (slopes learned from 0.25), ELU; leaky ReLU with the slopes 0.3 and 1.5 as well.
After each epoch the share of units that are 0 for all training samples (of the others: constant), or not finite:
runs that diverge count as dead.
Effect: the share of dead units of ReLU at the end minus that of the other, seed by seed.""",
    limits="Both troubles are exaggerated on purpose; with usual rates and weights hardly a unit dies. A unit that is "
    "dead for these samples may answer others.",
    functions=("diagnostics.dead_units", "leaky_relu", "prelu", "elu", "diagnostics.ActivationMonitor"),
    snippet="""y = numact.relu(np.array([[-1.0, 2.0], [-3.0, -1.0]]))
print(numact.diagnostics.dead_units(y))""",
    conditions=conditions,
    measure=measure,
    answer=answer,
)
