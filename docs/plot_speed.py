"""Draw docs/speed.png from the figures in benchmarks/beside_others.json: see benchmarks/README.md.

Run: pip install ".[docs]" && python docs/plot_speed.py
"""

import json
from pathlib import Path

from matplotlib.figure import Figure

from numact.commands.bench.measure import Speed
from numact.commands.bench.plot import draw

DOCS = Path(__file__).parent
FIGURES = DOCS.parent / "benchmarks" / "beside_others.json"
# Those of the picture; the gallery shows all.
DRAWN = ["relu", "leaky_relu", "elu", "sigmoid", "tanh", "softplus", "silu", "gelu", "gelu_tanh", "mish", "hard_swish"]
# Activations whose gradient PyTorch computes from the output; that of the others is from x.
FROM_OUTPUT = {"sigmoid", "tanh"}


def shown(function: str) -> bool:
    """Whether the picture has this function: one gradient for each activation."""
    name, gradient, from_output = function.partition("_grad")
    return name in DRAWN and (not gradient or bool(from_output) == (name in FROM_OUTPUT))


def picture() -> Figure:
    """The picture of the figures."""
    found = json.loads(FIGURES.read_text(encoding="utf-8"))
    speeds = [Speed(**result) for result in found["results"] if shown(result["function"])]
    return draw(speeds, found["size"], found["threads"])


if __name__ == "__main__":
    picture().savefig(DOCS / "speed.png", dpi=110)
