"""Cross entropies: drawn calls beside one plain call, and beside the expressions in float64."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_softmax
from support.drawn import ALL_DTYPES, Draw

import numact

MODERATE = ("moderate", "whole", "equal")
REDUCTIONS = ("none", "sum", "mean")


def assert_near(got: Any, want: Any, dtype: Any) -> None:
    """The loss is near the expression's, where that is a number of the dtype."""
    tolerance = {2: 2e-2 if str(np.dtype(dtype)) == "bfloat16" else 2e-3, 4: 1e-5, 8: 1e-12}[np.dtype(dtype).itemsize]
    np.testing.assert_allclose(np.asarray(got).astype(np.float64), np.asarray(want, np.float64), tolerance, tolerance)


@given(data=st.data())
def test_softmax_cross_entropy(data: Any) -> None:
    """The bits of plain arrays; values near those of the expression."""
    draw = Draw(data)
    dtype, shape = draw.one_of(ALL_DTYPES), tuple(length or 1 for length in draw.shape((1, 3)))
    axis, rng = draw.integer(0, len(shape) - 1), draw.generator()
    x, classes = draw.numbers(shape, dtype, MODERATE), shape[axis]
    others = tuple(length for k, length in enumerate(shape) if k != axis)
    options: dict[str, Any] = {
        "axis": axis - len(shape) if draw.happens(2) else axis,
        "reduction": draw.one_of(REDUCTIONS),
        "label_smoothing": draw.one_of((0.0, 0.0, 0.1)),
    }
    labels: Any = rng.integers(0, classes, others)
    soft = draw.happens(3)
    if soft:
        labels = np.moveaxis(rng.dirichlet(np.ones(classes), others), -1, axis)
    weight = rng.uniform(0.5, 2, classes) if draw.happens(3) else None
    plain = {**options, "weight": weight, "return_grad": True}
    want = numact.softmax_cross_entropy(np.array(x, order="C"), np.array(labels), **plain)
    with draw.surroundings():
        got = numact.softmax_cross_entropy(
            draw.place(x),
            draw.place(labels, swap=False),
            **options,
            weight=None if weight is None else draw.place(weight),
            return_grad=True,
        )
    draw.compare(got, want)
    if dtype in (np.float32, np.float64) and weight is None:
        logs = log_softmax(np.moveaxis(x, axis, -1).reshape(-1, classes).astype(np.float64), -1)
        shares = np.moveaxis(labels, axis, -1).reshape(-1, classes) if soft else np.eye(classes)[labels.ravel()]
        smoothing = options["label_smoothing"]
        losses = -((shares * (1 - smoothing) + smoothing / classes) * logs).sum(-1)
        true = {"none": losses.reshape(others), "sum": losses.sum(), "mean": losses.mean()}[options["reduction"]]
        assert_near(got[0], true, dtype)


@given(data=st.data())
def test_sigmoid_cross_entropy(data: Any) -> None:
    """The bits of plain arrays; values near those of the expression."""
    draw = Draw(data)
    dtype, shape = draw.one_of(ALL_DTYPES), tuple(length or 1 for length in draw.shape((0, 3)))
    x, rng = draw.numbers(shape, dtype, MODERATE), draw.generator()
    targets = (rng.random(shape) if draw.happens(2) else rng.integers(0, 2, shape)).astype(dtype)
    options: dict[str, Any] = {"reduction": draw.one_of(REDUCTIONS), "label_smoothing": draw.one_of((0.0, 0.0, 0.1))}
    if draw.happens(3):
        options["pos_weight"] = draw.one_of((0.5, 3.0))
    want = numact.sigmoid_cross_entropy(np.array(x, order="C"), np.array(targets), return_grad=True, **options)
    with draw.surroundings():
        got = numact.sigmoid_cross_entropy(draw.place(x), draw.place(targets), return_grad=True, **options)
    draw.compare(got, want)
    if dtype in (np.float32, np.float64):
        smoothing = options["label_smoothing"]
        share = targets.astype(np.float64) * (1 - smoothing) + smoothing / 2
        wide = x.astype(np.float64)
        losses = share * options.get("pos_weight", 1.0) * np.logaddexp(0, -wide) + (1 - share) * np.logaddexp(0, wide)
        true = {"none": losses, "sum": losses.sum(), "mean": losses.mean()}[options["reduction"]]
        assert_near(got[0], true, dtype)
