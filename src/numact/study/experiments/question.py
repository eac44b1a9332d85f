"""What every question has: its claim, its experiment as independent runs, and how their records become an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from numact.study.data import Data
from numact.study.statistics import Effect

Record = dict[str, Any]


@dataclass(frozen=True)
class Settings:
    """How much is run.

    Attributes
    ----------
    seeds : int
        Paired seeds of each condition.
    epochs : int
        Of a training run.
    quick : bool
        Whether conditions that only illustrate are left out.

    """

    seeds: int
    epochs: int
    quick: bool


@dataclass(frozen=True)
class Curve:
    """A line of a plot: for each x the values of all seeds."""

    label: str
    x: tuple[float, ...]
    values: tuple[tuple[float, ...], ...]  # by x, then by seed


@dataclass(frozen=True)
class Plot:
    """A plot of lines with intervals."""

    title: str
    x_label: str
    y_label: str
    curves: tuple[Curve, ...]
    log_y: bool = False


@dataclass(frozen=True)
class Answer:
    """What the records of a question say."""

    effects: tuple[Effect, ...]
    plots: tuple[Plot, ...]
    table: tuple[tuple[str, ...], ...]  # the first line is the head


@dataclass(frozen=True)
class Question:
    """A claim, and the experiment that tests it.

    Attributes
    ----------
    number, title, claim, source
        What is claimed, in one sentence, and by whom.
    method : str
        The experiment, in at most ten lines that a reader could repeat.
    limits : str
        What the experiment cannot say.
    functions : tuple of str
        The functions of numact that act on it.
    snippet : str
        How to use them; it runs.
    conditions : callable
        From settings and data to the conditions, each a dict that JSON can hold.
    measure : callable
        From a condition, the data and a seed to a record.
    answer : callable
        From all records, each with "data", "condition" and "seed" beside what was measured, to the answer.
    alone : bool
        Whether it measures time, so that its runs must not run beside others.

    """

    number: int
    title: str
    claim: str
    source: str
    method: str
    limits: str
    functions: tuple[str, ...]
    snippet: str
    conditions: Callable[[Settings, Data], Iterable[Record]]
    measure: Callable[[Record, Data, int], Record]
    answer: Callable[[list[Record]], Answer]
    alone: bool = False


def crossed(**values: Iterable[Any]) -> Iterator[Record]:
    """All combinations of values, by name."""
    for combination in product(*values.values()):
        yield dict(zip(values, combination, strict=True))


def of(records: list[Record], data: str, **condition: Any) -> list[Record]:
    """The records of a data set whose condition has these values, in the order of the seeds."""
    found = [
        record
        for record in records
        if record["data"] == data and all(record["condition"].get(key) == value for key, value in condition.items())
    ]
    return sorted(found, key=lambda record: int(record["seed"]))


def data_of(records: list[Record]) -> list[str]:
    """The data sets, in alphabetical order."""
    return sorted({record["data"] for record in records})


def differences(first: list[Record], second: list[Record], value: Callable[[Record], float]) -> tuple[float, ...]:
    """The differences of two conditions, seed by seed."""
    others = {record["seed"]: value(record) for record in second}
    return tuple(value(record) - others[record["seed"]] for record in first if record["seed"] in others)


def curve(label: str, records: list[Record], values: Callable[[Record], list[float]]) -> Curve:
    """A line of what records hold for each epoch or layer, numbered from 1 on."""
    rows = [values(record) for record in records]
    length = min(map(len, rows), default=0)
    return Curve(label, tuple(range(1, length + 1)), tuple(tuple(row[k] for row in rows) for k in range(length)))


def mean(values: Iterable[float]) -> float:
    """The mean; NaN of nothing."""
    found = list(values)
    return sum(found) / len(found) if found else float("nan")


def least(value: float, bound: float = 1e-12) -> float:
    """A value that has a logarithm."""
    return max(value, bound)
