"""Question 4: are ReLU layers sparse, and does that make dropout superfluous."""

from typing import Any

from numact.diagnostics.statistics import sparsity
from numact.study.data import Data
from numact.study.experiments import question as q
from numact.study.networks import Design, Network
from numact.study.statistics import Effect
from numact.study.training import run

KINDS: dict[str, dict[str, float]] = {"relu": {}, "relu, dropout": {"dropout": 0.3}, "relu, L1": {"l1": 1e-3}}


def conditions(settings: q.Settings, data: Data) -> list[q.Record]:
    """Without and with dropout and an L1 penalty."""
    return [{"kind": kind, "epochs": settings.epochs * 2} for kind in KINDS]


def measure(condition: q.Record, data: Data, seed: int) -> q.Record:
    """Train three layers of 128 units, and count zeros after each epoch."""
    options: Any = KINDS[condition["kind"]]

    def zeros(network: Network) -> dict[str, Any]:
        network.forward(data.x)
        return {"sparsity": [sparsity(layer.output) for layer in network.activations]}

    _, history = run(Design("relu", depth=3, width=128, **options), data, seed, epochs=condition["epochs"], watch=zeros)
    return {"sparsity": history.watched["sparsity"], "score": history.score, "loss": history.loss}


def last(record: q.Record) -> float:
    """The share of zeros over all layers at the end."""
    return q.mean(record["sparsity"][-1])


def answer(records: list[q.Record]) -> q.Answer:
    """How sparse the layers are, and whether dropout still helps."""
    effects, plots, table = [], [], [("data", "network", "zeros at the end", "training loss", "test score")]
    for data in q.data_of(records):
        found = {kind: q.of(records, data, kind=kind) for kind in KINDS}
        plain, dropped, penalised = found.values()
        for kind, some in found.items():
            loss, score = q.mean(r["loss"][-1] for r in some), q.mean(r["score"][-1] for r in some)
            table.append((data, kind, f"{q.mean(map(last, some)):.2f}", f"{loss:.2g}", f"{score:.3f}"))
        inside = tuple(min(last(record) - 0.5, 0.9 - last(record)) for record in plain)
        effects.append(Effect("zeros within 50 to 90 %: distance to the nearer end", data, "share", inside, 0.0))
        values = q.differences(plain, dropped, lambda record: q.mean(record["score"][-3:]))
        effects.append(Effect("test score without dropout minus with it", data, "score", values, -0.005))
        values = tuple(-value for value in q.differences(penalised, plain, last))
        effects.append(Effect("zeros that an L1 penalty adds, negated", data, "share", values, -0.05))
        lines = (
            q.curve(kind, some, lambda record: [q.mean(layers) for layers in record["sparsity"]])
            for kind, some in found.items()
        )
        plots.append(q.Plot(data, "epoch", "share of zeros", tuple(lines)))
    return q.Answer(tuple(effects), tuple(plots), tuple(table))


QUESTION = q.Question(
    number=4,
    title="Are ReLU layers sparse, and does that replace dropout?",
    claim="50 to 90 % of the outputs of ReLU layers are 0; this acts like an L1 penalty and makes dropout superfluous.",
    source="Glorot, Bordes and Bengio, Deep Sparse Rectifier Neural Networks, 2011",
    method="""Three hidden layers of 128 units, He's gain, momentum 0.9, rate 0.05, batches of 64.
ReLU alone; with dropout of 0.3 behind each activation; with an L1 penalty of 0.001 on the activations.
After each epoch the share of outputs that are exactly 0, over the training samples, layer by layer.
Effect 1: the distance of the share at the end from 50 % and 90 %, positive if it lies between.
Effect 2: test score without dropout minus with it, mean of the last three epochs; superfluous if above -0.005.
Effect 3: the share of zeros that the penalty adds; ReLU has done its work already if that is less than 5 %.""",
    limits="A layer may be sparse for each sample without any unit being superfluous. Networks that overfit more than "
    "these may need dropout although they are sparse.",
    functions=("diagnostics.sparsity", "dropout", "relu_masked"),
    snippet="""y, mask = numact.relu_masked(np.linspace(-1, 1, 100))
print(numact.diagnostics.sparsity(y))""",
    conditions=conditions,
    measure=measure,
    answer=answer,
)
