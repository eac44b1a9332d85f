"""Question 2: does ReLU train faster than saturating units."""

from math import log2

from numact.study.data import Data
from numact.study.experiments import question as q
from numact.study.networks import Design
from numact.study.statistics import Effect
from numact.study.training import run

ACTIVATIONS = ("relu", "tanh", "sigmoid")
RATES = (0.01, 0.05, 0.2)
LEAST = 0.15  # log2 of the epochs: a tenth fewer
ERROR = {True: 0.02, False: 0.3}  # share of wrong classes; mean squared error of numbers of variance 1


def conditions(settings: q.Settings, data: Data) -> list[q.Record]:
    """Every activation with every learning rate, fully connected, and convolutional where the data are images."""
    kinds = (False, True) if data.is_image and data.classes and not settings.quick else (False,)
    return list(q.crossed(activation=ACTIVATIONS, rate=RATES, convolutional=kinds, epochs=(settings.epochs * 2,)))


def measure(condition: q.Record, data: Data, seed: int) -> q.Record:
    """Train until the error is reached."""
    convolutional = condition["convolutional"]
    design = Design(condition["activation"], depth=1 if convolutional else 3, convolutional=convolutional)
    error = ERROR[bool(data.classes)]
    _, history = run(design, data, seed, epochs=condition["epochs"], rate=condition["rate"], stop_at=error)
    return {"epochs": min(history.epochs_to(error), 2.0 * condition["epochs"]), "error": history.error}


def fewest(records: list[q.Record]) -> dict[int, float]:
    """The fewest epochs of any rate, for each seed."""
    found: dict[int, float] = {}
    for record in records:
        found[record["seed"]] = min(record["epochs"], found.get(record["seed"], float("inf")))
    return found


def at_best_rate(label: str, records: list[q.Record]) -> q.Curve:
    """The errors with the rate that takes the fewest epochs on average."""
    by_rate = {rate: [r for r in records if r["condition"]["rate"] == rate] for rate in RATES}
    rate = min(RATES, key=lambda rate: q.mean(record["epochs"] for record in by_rate[rate]))
    return q.curve(f"{label}, rate {rate:g}", by_rate[rate], lambda record: record["error"])


def answer(records: list[q.Record]) -> q.Answer:
    """How many times as many epochs the saturating units take."""
    effects, plots, table = [], [], [("data", "network", "activation", "epochs, best rate")]
    for data in q.data_of(records):
        for convolutional in (False, True):
            kind = "convolutional" if convolutional else "fully connected"
            found = {a: q.of(records, data, activation=a, convolutional=convolutional) for a in ACTIVATIONS}
            if not found["relu"]:
                continue
            epochs = {activation: fewest(some) for activation, some in found.items()}
            for activation in ACTIVATIONS:
                table.append((data, kind, activation, f"{q.mean(epochs[activation].values()):.1f}"))
                if activation != "relu":
                    values = tuple(log2(epochs[activation][seed] / n) for seed, n in epochs["relu"].items())
                    name = f"epochs of {activation} over those of relu, {kind}"
                    effects.append(Effect(name, data, "log2", values, LEAST))
            lines = tuple(at_best_rate(activation, found[activation]) for activation in ACTIVATIONS)
            plots.append(q.Plot(f"{data}, {kind}", "epoch", "training error", lines))
    return q.Answer(tuple(effects), tuple(plots), tuple(table))


QUESTION = q.Question(
    number=2,
    title="Does ReLU train faster than saturating units?",
    claim="A network of ReLUs reaches a training error in several times fewer epochs than one of tanh or sigmoid.",
    source="Krizhevsky, Sutskever and Hinton, ImageNet Classification, 2012: about six times, on CIFAR-10",
    method="""Fully connected: three hidden layers of 64 units. Convolutional, where the data are images: two 3 x 3
convolutions of 8 and 16 channels, each with its activation and 2 x 2 pooling, and a layer of 64 units.
Weights by the gain of the activation; stochastic gradient descent, momentum 0.9, batches of 64.
Learning rates 0.01, 0.05 and 0.2; for each seed and activation the best counts, so that none is at a disadvantage.
Epochs until the error on the training batches is at most 2 % (0.3 of the variance for numbers);
where it is never reached, twice the number of epochs that were allowed.
Effect: log2 of the epochs of tanh or sigmoid over those of ReLU, seed by seed.""",
    limits="Small data and small networks: on CIFAR-10 with four convolutions the factor may differ. Epochs are not "
    "seconds: see question 7.",
    functions=("relu", "tanh", "sigmoid", "init.gain"),
    snippet="""print(round(numact.init.gain("relu"), 3), round(numact.init.gain("tanh"), 3))""",
    conditions=conditions,
    measure=measure,
    answer=answer,
)
