"""``rng=`` of everything that draws: what `numpy.random.default_rng` takes, and a RandomState."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import numact
from numact import init

X = np.ones((6, 8), np.float32)
DRAWN: dict[str, Callable[[Any], Any]] = {
    "dropout": lambda rng: numact.dropout(X, 0.5, rng)[0],
    "rrelu": lambda rng: numact.rrelu(-X, rng=rng)[0],
    "gumbel_softmax": lambda rng: numact.gumbel_softmax(X, rng=rng),
    "sparse": lambda rng: init.sparse((6, 8), 0.5, rng),
} | {
    name: lambda rng, name=name: getattr(init, name)((6, 8), rng)
    for name in init.__all__
    if name not in ("gain", "second_moment", "sparse")
}

every_function = pytest.mark.parametrize("name", DRAWN)


@every_function
def test_seeds(name: str) -> None:
    """Seeds, sequences of them, bit generators and generators of the same state draw the same."""
    want = DRAWN[name](np.random.default_rng(7))
    for rng in (7, np.int64(7), np.random.SeedSequence(7), np.random.PCG64(7)):
        np.testing.assert_array_equal(DRAWN[name](rng), want)
    np.testing.assert_array_equal(DRAWN[name]([1, 2]), DRAWN[name](np.random.default_rng([1, 2])))
    assert np.any(DRAWN[name](8) != want)


@every_function
def test_state(name: str) -> None:
    """A generator and a RandomState go on; None draws anew each time."""
    for rng in (np.random.default_rng(0), np.random.RandomState(0)):
        first, second = DRAWN[name](rng), DRAWN[name](rng)
        assert np.any(first != second)
    np.testing.assert_array_equal(DRAWN[name](np.random.RandomState(3)), DRAWN[name](np.random.RandomState(3)))
    if name != "rrelu":  # which has its mean slope for None
        assert np.any(DRAWN[name](None) != DRAWN[name](None))


@every_function
@pytest.mark.parametrize("wrong", [1.5, "seed", np.random, -1, {}], ids=str)
def test_errors(name: str, wrong: Any) -> None:
    """What is none of these is refused by name."""
    with pytest.raises((TypeError, ValueError), match=f"{name}: rng must be None, a seed"):
        DRAWN[name](wrong)
