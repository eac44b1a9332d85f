"""What users of NumPy and SciPy write, what to write instead, and what it gains: docs/migration.md, of these rows.

Each row is computed both ways by a test.  Run, to measure again: python docs/migration.py --write
"""

import sys
import warnings
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import numact

PAGE = Path(__file__).with_suffix(".md")
BEGIN, END = "<!-- docs/migration.py -->", "<!-- end -->"
ROUNDS = 15
LEAST = 0.005  # seconds of a measurement


class Row(NamedTuple):
    """An idiom, and its replacement, both expressions of the names below."""

    idiom: str
    instead: str
    better: str  # apart from the time


def names() -> dict[str, Any]:
    """What the expressions use: arrays of (256, 512) float32, and what belongs to them."""
    from scipy import special

    rng = np.random.default_rng(0)
    x, dy = (rng.normal(0, 2, (256, 512)).astype(np.float32) for _ in range(2))
    return {
        "np": np,
        "numact": numact,
        "special": special,
        "x": x,
        "dy": dy,
        "y": numact.softmax(x),
        "scores": x,
        "d": 64,
        "mask": np.where(rng.random(x.shape) < 0.8, 0, -np.inf).astype(np.float32),
        "labels": rng.integers(0, 512, 256),
        "rows": np.arange(256),
        "mean": x.mean(0),
        "var": x.var(0),
        "bias": dy[0],
        "rng": rng,
    }


ROWS = [
    Row("1 / (1 + np.exp(-x))", "numact.sigmoid(x)", "no overflow warning, correct in the tails"),
    Row("x * (x > 0)", "numact.relu(x)", "no NaN for -inf"),
    Row("np.maximum(x, 0)", "numact.relu(x)", "NaN passes as NumPy's"),
    Row("np.maximum(0.01 * x, x)", "numact.leaky_relu(x)", ""),
    Row("np.where(x > 0, x, np.exp(x) - 1)", "numact.elu(x)", "no cancellation near 0, no overflow warning"),
    Row("x / (1 + np.exp(-x))", "numact.silu(x)", "no overflow warning"),
    Row(
        "0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))",
        "numact.gelu(x)",
        "the exact function; `gelu_tanh` is this one",
    ),
    Row("0.5 * x * (1 + special.erf(x / np.sqrt(2)))", "numact.gelu(x)", "correct in the tail"),
    Row("np.log(1 + np.exp(x))", "numact.softplus(x)", "no overflow"),
    Row("np.logaddexp(0, x)", "numact.softplus(x)", ""),
    Row("x * np.tanh(np.log1p(np.exp(x)))", "numact.mish(x)", "no overflow"),
    Row("np.clip(x, 0, 6)", "numact.relu6(x)", ""),
    Row("dy * (x > 0)", "numact.relu_grad(dy, x)", "0 also where dy is infinite"),
    Row("dy * (1 - np.tanh(x) ** 2)", "numact.tanh_grad(dy, x)", "no cancellation for large x"),
    Row(
        "dy * (1 / (1 + np.exp(-x))) * (1 - 1 / (1 + np.exp(-x)))",
        "numact.sigmoid_grad(dy, x)",
        "from the output: `sigmoid_grad_y(dy, y)`",
    ),
    Row(
        "np.exp(x - x.max(-1, keepdims=True)) / np.exp(x - x.max(-1, keepdims=True)).sum(-1, keepdims=True)",
        "numact.softmax(x)",
        "rows of -inf, masks by `where=`",
    ),
    Row(
        "special.softmax(scores / np.sqrt(np.float32(d)) + mask, axis=-1)",
        "numact.attention_softmax(scores, scale=d**-0.5, mask=mask)",
        "rows that are masked altogether give 0",
    ),
    Row(
        "np.log(np.exp(x - x.max(-1, keepdims=True)).sum(-1)) + x.max(-1)",
        "numact.logsumexp(x)",
        "",
    ),
    Row(
        "np.stack([(np.diag(p) - np.outer(p, p)) @ g for p, g in zip(y[:16], dy[:16])])",
        "numact.softmax_grad(dy[:16], y[:16])",
        "no Jacobian",
    ),
    Row(
        "-np.log(special.softmax(x, axis=-1)[rows, labels]).mean()",
        "numact.softmax_cross_entropy(x, labels)",
        "no log of 0; `return_grad=True`",
    ),
    Row(
        "(x - x.mean(0, keepdims=True)) / np.sqrt(x.var(0, keepdims=True) + 1e-5)",
        "numact.norm.batch_norm_train(x, None, None)[0]",
        "no cancellation when the mean is large",
    ),
    Row("(x - mean) / np.sqrt(var + 1e-5)", "numact.norm.batch_norm(x, mean, var)", ""),
    Row(
        "(x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)",
        "numact.norm.layer_norm(x)",
        "`activation=` in the same pass",
    ),
    Row("np.maximum(x + bias, 0)", "numact.bias_activation(x, bias, 'relu')", "in place with `out=x`"),
    Row("special.expit(x)", "numact.sigmoid(x)", ""),
    Row("special.log_expit(x)", "numact.log_sigmoid(x)", ""),
    Row("special.softmax(x, axis=-1)", "numact.softmax(x)", ""),
    Row("special.log_softmax(x, axis=-1)", "numact.log_softmax(x)", ""),
    Row("special.logsumexp(x, axis=-1)", "numact.logsumexp(x)", ""),
    Row("special.ndtr(x)", "numact.ndtr(x)", ""),
    Row("special.erf(x)", "numact.erf(x)", ""),
    # Its random numbers are others, of the same distribution: the test compares the share that is kept.
    Row("x * (np.random.rand(*x.shape) > 0.5) / 0.5", "numact.dropout(x, 0.5, rng)[0]", "one bit per element is kept"),
]


def table() -> str:
    """The lines of the table, measured in turn."""
    from timing import best  # beside this script

    given = names()
    lines = ["| you write | write | gain | and |", "|---|---|--:|---|"]
    with warnings.catch_warnings(), np.errstate(all="ignore"), numact.num_threads(1):
        warnings.simplefilter("ignore")
        for row in ROWS:
            calls = [partial(eval, compile(text, text, "eval"), given) for text in row[:2]]
            pairs = [tuple(best(call, LEAST) for call in calls) for _ in range(ROUNDS)]
            before, after = (min(times) for times in zip(*pairs, strict=True))
            idiom, instead = (text.replace("|", "&#124;") for text in row[:2])
            lines.append(f"| `{idiom}` | `{instead}` | {before / after:.1f} | {row.better} |")
            print(lines[-1], flush=True)
    return "\n".join(lines)


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        before, rest = PAGE.read_text(encoding="utf-8").split(f"{BEGIN}\n")
        _, after = rest.split(f"{END}\n", 1)
        PAGE.write_text(f"{before}{BEGIN}\n{table()}\n{END}\n{after}", encoding="utf-8")
    else:
        table()
