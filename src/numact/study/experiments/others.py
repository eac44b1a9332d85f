"""Question 8: why not the identity, or the square of the positive part."""

from numact.study.data import Data
from numact.study.experiments import question as q
from numact.study.networks import Design
from numact.study.statistics import Effect
from numact.study.training import run

ACTIVATIONS = ("relu", "identity", "relu_squared")
RATES = (0.005, 0.05)
LEAST = 0.005  # of the test score


def conditions(settings: q.Settings, data: Data) -> list[q.Record]:
    """Every activation with two learning rates."""
    return list(q.crossed(activation=ACTIVATIONS, rate=RATES, epochs=(settings.epochs,)))


def measure(condition: q.Record, data: Data, seed: int) -> q.Record:
    """Train three layers of 64 units."""
    _, history = run(
        Design(condition["activation"], depth=3), data, seed, epochs=condition["epochs"], rate=condition["rate"]
    )
    return {"loss": history.loss, "score": history.score}


def better(records: list[q.Record]) -> list[q.Record]:
    """Of each seed the run whose last training loss is lower."""
    found: dict[int, q.Record] = {}
    for record in records:
        loss = record["loss"][-1]
        known = found.get(record["seed"])
        if known is None or loss < known["loss"][-1] or known["loss"][-1] != known["loss"][-1]:
            found[record["seed"]] = record
    return [found[seed] for seed in sorted(found)]


def answer(records: list[q.Record]) -> q.Answer:
    """Scores beside ReLU's."""
    effects, plots, table = [], [], [("data", "activation", "training loss", "test score")]
    for data in q.data_of(records):
        found = {activation: better(q.of(records, data, activation=activation)) for activation in ACTIVATIONS}
        for activation, some in found.items():
            loss, score = q.mean(r["loss"][-1] for r in some), q.mean(r["score"][-1] for r in some)
            table.append((data, activation, f"{loss:.2g}", f"{score:.3f}"))
            if activation != "relu":
                values = q.differences(found["relu"], some, lambda record: q.mean(record["score"][-3:]))
                effects.append(Effect(f"test score of relu minus that of {activation}", data, "score", values, LEAST))
        lines = tuple(q.curve(activation, some, lambda r: r["score"]) for activation, some in found.items())
        plots.append(q.Plot(data, "epoch", "test score", lines))
    return q.Answer(tuple(effects), tuple(plots), tuple(table))


QUESTION = q.Question(
    number=8,
    title="Why not the identity, or the square of the positive part?",
    claim="A network of identities is linear and learns less than one of ReLUs; the square of the positive part is no "
    "better than ReLU.",
    source="Textbooks; So et al., Primer, 2021, found the square better in transformers",
    method="""Three hidden layers of 64 units, weights by the gain of the activation, momentum 0.9, batches of 64.
ReLU, the identity, and relu_squared, with the learning rates 0.005 and 0.05;
for each seed and activation the run with the lower last training loss counts.
Effect: test score, mean of the last three epochs, of ReLU minus that of the other.""",
    limits="Where the classes are nearly linearly separable, the identity must do as well. Transformers, in which the "
    "square was found to be better, are not tested.",
    functions=("identity", "relu_squared", "relu"),
    snippet="""print(numact.relu_squared(np.array([-1.0, 0.5, 3.0])))""",
    conditions=conditions,
    measure=measure,
    answer=answer,
)
