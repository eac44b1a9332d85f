"""Question 6: does the derivative at exactly 0 make a difference."""

import numpy as np

from numact.study.data import Data
from numact.study.experiments import question as q
from numact.study.layers import Array, Dense
from numact.study.networks import Design, Network
from numact.study.statistics import Effect
from numact.study.training import run

CHOICES = (0.0, 0.5, 1.0)
DTYPES = ("float32", "float16", "bfloat16")
LEAST = 0.01  # of the test score


def conditions(settings: q.Settings, data: Data) -> list[q.Record]:
    """The three conventions."""
    return [{"at_zero": choice, "epochs": settings.epochs} for choice in CHOICES]


def rounded(x: Array, dtype: str) -> Array:
    """Numbers of float32 rounded to the digits of a dtype, as float32."""
    if dtype != "bfloat16":
        return x.astype(dtype).astype(np.float32)
    bits = x.astype(np.float32).view(np.uint32)
    even = (bits + 0x7FFF + (bits >> 16 & 1)) & np.uint32(0xFFFF0000)
    return even.view(np.float32)


def zeros(network: Network, data: Data) -> dict[str, float]:
    """The share of inputs of the activations that are exactly 0, where each product is rounded to a dtype."""
    found = {}
    for dtype in DTYPES:
        x, count, size = rounded(data.x, dtype), 0, 0
        for layer in [layer for layer in network.layers if isinstance(layer, Dense)][:-1]:
            z = rounded(rounded(x, dtype) @ rounded(layer.parameters[0], dtype), dtype)
            z = rounded(z + rounded(layer.parameters[1], dtype), dtype)
            count, size = count + int((z == 0).sum()), size + z.size
            x = np.maximum(z, 0)
        found[dtype] = count / size
    return found


def measure(condition: q.Record, data: Data, seed: int) -> q.Record:
    """Train three layers of 64 units."""
    design = Design("relu", depth=3, at_zero=condition["at_zero"])
    network, history = run(design, data, seed, epochs=condition["epochs"])
    return {"loss": history.loss, "score": history.score, "zeros": zeros(network, data)}


def answer(records: list[q.Record]) -> q.Answer:
    """How often inputs are 0, and whether scores differ."""
    effects, plots, table = [], [], [("data", "derivative at 0", "test score", *(f"zeros, {d}" for d in DTYPES))]
    for data in q.data_of(records):
        found = {choice: q.of(records, data, at_zero=choice) for choice in CHOICES}
        for choice, some in found.items():
            shares = (f"{q.mean(record['zeros'][dtype] for record in some):.1e}" for dtype in DTYPES)
            table.append((data, f"{choice:g}", f"{q.mean(r['score'][-1] for r in some):.3f}", *shares))
            if choice:
                values = q.differences(some, found[0.0], lambda record: q.mean(record["score"][-3:]))
                name = f"test score with {choice:g} minus with 0"
                effects.append(Effect(name, data, "score", values, LEAST, "within"))
        lines = tuple(q.curve(f"{choice:g}", some, lambda r: r["loss"]) for choice, some in found.items())
        plots.append(q.Plot(data, "epoch", "training loss", lines, log_y=True))
    return q.Answer(tuple(effects), tuple(plots), tuple(table))


QUESTION = q.Question(
    number=6,
    title="Does the derivative at exactly 0 matter?",
    claim="Whether the derivative of ReLU at exactly 0 is 0, 0.5 or 1 makes no practical difference.",
    source="Bertoin et al., Numerical Influence of ReLU'(0) on Backpropagation, 2021",
    method="""Three hidden layers of 64 units, momentum 0.9, rate 0.05, batches of 64, float32.
The gradient of ReLU with the derivative 0, 0.5 and 1 at 0 (`at_zero=`); all share seeds.
After training: the share of inputs of the activations that are exactly 0 over the training samples,
in float32, and where inputs, weights and products are rounded to float16 and bfloat16.
Effect: test score, mean of the last three epochs, with 0.5 or 1 minus that with 0; no difference: within 0.01.""",
    limits="Training itself is in float32, where zeros are rare; in half precision on other hardware they are more "
    "frequent, as the table shows. Inputs that are 0 by construction (padding) are another matter.",
    functions=("relu_grad",),
    snippet="""print(numact.relu_grad(np.ones(3), np.array([-1.0, 0.0, 1.0]), at_zero=0.5))""",
    conditions=conditions,
    measure=measure,
    answer=answer,
)
