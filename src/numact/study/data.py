"""Data sets: those that scikit-learn installs, and files of users, checked and scaled."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from numact._functions.arguments import choice
from numact._kernels.messages import shown
from numact.study.checks import count, instance, portion
from numact.study.layers import Array

MISSING = {"", "na", "n/a", "nan", "null", "none", "?", "-"}
MOST_CLASSES = 100
LEAST_SAMPLES = 20
FARTHEST = 5.0  # deviations; a feature that is nearly constant has outliers that no network stands


class DataError(ValueError):
    """What is wrong with data, in one line."""


@dataclass(frozen=True)
class Data:
    """A data set, split into a part to train on and one to test on.

    Attributes
    ----------
    name : str
        What it is called.
    x, y : ndarray
        Training samples of shape (samples, features), float32, each feature of mean 0 and deviation 1, cut off at
        5; and their
        classes from 0 on, or numbers of mean 0 and deviation 1.
    x_test, y_test : ndarray
        The same to test on, scaled by the training samples.
    classes : int
        The number of classes; 0 for numbers.

    """

    name: str
    x: Array
    y: Array
    x_test: Array
    y_test: Array
    classes: int

    @property
    def is_image(self) -> bool:
        """Whether the features may be a square image."""
        side = round(self.x.shape[1] ** 0.5)
        return bool(side * side == self.x.shape[1] and side % 4 == 0)


def packaged() -> dict[str, Callable[..., Any]]:
    """The data sets that scikit-learn installs, by name."""
    from sklearn import datasets

    names = ("digits", "breast_cancer", "wine", "diabetes")
    return {name: getattr(datasets, f"load_{name}") for name in names}


def load(name: str, seed: int = 0) -> Data:
    """A data set of scikit-learn, split at random: digits, breast_cancer, wine, or diabetes (numbers)."""
    x, y = packaged()[choice("load", "name", name, packaged())](return_X_y=True)
    return prepare(x, y, name, seed)


def prepare(x: Any, y: Any, name: str = "data", seed: int = 0, share: float = 0.25) -> Data:
    """Check arrays, split them at random, and scale the features.

    Parameters
    ----------
    x : array_like
        Numbers of shape (samples, features).
    y : array_like
        Integers, booleans or strings: classes; other numbers: what is to be predicted.
    name : str, default "data"
        What messages call it.
    seed : int, default 0
        Of the split.
    share : float, default 0.25
        Share of the samples to test on, from 0 to below 1; of both parts there is at least one sample.

    Returns
    -------
    Data

    Raises
    ------
    DataError
        For shapes that do not fit, text, missing values, a single class, or too few samples; it names where.

    """
    instance("prepare", "name", name, str)
    seed, share = count("prepare", "seed", seed, 0), portion("prepare", "share", share)
    x, y = np.asarray(x), np.asarray(y)
    if x.ndim != 2 or not x.shape[1] or y.ndim != 1 or len(x) != len(y):
        raise DataError(f"{name}: X must be (samples, features) and y (samples,), got {x.shape} and {y.shape}")
    if x.dtype.kind not in "biuf":
        raise DataError(f"{name}: X must be numbers, got {x.dtype}")
    if y.dtype.kind not in "biufUSOT":
        raise DataError(f"{name}: y must be integers, booleans, text or real numbers, got {y.dtype}")
    if len(x) < LEAST_SAMPLES:
        raise DataError(f"{name}: at least {LEAST_SAMPLES} samples are needed, got {len(x)}")
    x = x.astype(np.float64)
    if not np.isfinite(x).all():
        row, column = (int(k) for k in np.argwhere(~np.isfinite(x))[0])
        raise DataError(f"{name}: X must be finite, got {x[row, column]} in row {row}, column {column}")
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        row = int(np.flatnonzero(~np.isfinite(y))[0])
        raise DataError(f"{name}: y must be finite, got {y[row]} in row {row}")
    classes, labels = 0, y.astype(np.float64) if y.dtype.kind == "f" else y
    if y.dtype.kind != "f":
        values, labels = np.unique(y.astype(str) if y.dtype.kind in "OT" else y, return_inverse=True)
        classes = len(values)
        if classes > MOST_CLASSES and y.dtype.kind in "iu":
            classes, labels = 0, y.astype(np.float64)
        elif classes > MOST_CLASSES:
            raise DataError(f"{name}: y must have at most {MOST_CLASSES} classes, got {classes}")
    if (classes == 1) or (classes == 0 and np.ptp(labels) == 0):
        raise DataError(f"{name}: y must have two classes or more, got only {shown(y[0])}")
    order = np.random.default_rng(seed).permutation(len(x))
    cut = min(max(1, round(len(x) * share)), len(x) - 1)
    test, train = order[:cut], order[cut:]
    mean, deviation = x[train].mean(0), x[train].std(0)
    deviation[deviation == 0] = 1
    scaled = np.clip((x - mean) / deviation, -FARTHEST, FARTHEST).astype(np.float32)
    if not classes:
        labels = ((labels - labels[train].mean()) / (labels[train].std() or 1)).astype(np.float32)
    return Data(name, scaled[train], labels[train], scaled[test], labels[test], classes)


def read(path: str | Path, target: str | None = None, seed: int = 0) -> Data:
    """Read a CSV file with a head, or an NPZ file with arrays X and y.

    Parameters
    ----------
    path : str or path
        The file.
    target : str, optional
        The column, or array, that is to be predicted; by default the last column, or "y".
    seed : int, default 0
        Of the split.

    Returns
    -------
    Data
        Columns of text with at most 20 values become one column for each value.

    Raises
    ------
    DataError
        For a missing file, a missing column, missing or mixed values; it says what and where.

    """
    if not isinstance(path, str | Path):
        raise TypeError(f"read: path must be a string or a Path, got {shown(path)}")
    path = Path(path)
    if target is not None:
        instance("read", "target", target, str)
    count("read", "seed", seed, 0)
    if not os.path.exists(path):  # Path.exists raises for a name that is too long
        raise DataError(f"{str(path)[:200]}: no such file")
    if path.suffix.lower() == ".npz":
        return _read_npz(path, target or "y", seed)
    if path.suffix.lower() not in (".csv", ".tsv", ".txt"):
        raise DataError(f"{path}: the name must end with .csv, .tsv or .npz")
    return _read_csv(path, target, seed)


def _read_npz(path: Path, target: str, seed: int) -> Data:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise DataError(f"{path}: not an NPZ file of numbers: {error}") from None
    if target not in arrays or "X" not in arrays:
        raise DataError(f"{path}: needs the arrays X and {target}, has {', '.join(arrays) or 'none'}")
    return prepare(arrays["X"], arrays[target], path.name, seed)


def _read_csv(path: Path, target: str | None, seed: int) -> Data:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as UTF-8 text: {error}") from None
    sample = text[:8192]
    try:
        dialect: Any = csv.Sniffer().sniff(sample, delimiters=",;\t")
    except csv.Error:
        dialect = csv.excel
    if not any(mark in sample.partition("\n")[0] for mark in ",;\t"):
        dialect, text = csv.excel, "\n".join(",".join(line.split()) for line in text.splitlines())
    lines = [line for line in csv.reader(text.splitlines(), dialect) if line]
    if len(lines) < 2:
        raise DataError(f"{path}: needs a head and lines of data, has {len(lines)} lines")
    head = [name.strip() for name in lines[0]]
    for number, line in enumerate(lines[1:], 2):
        if len(line) != len(head):
            raise DataError(f"{path}: line {number} has {len(line)} values, the head {len(head)}")
    target = head[-1] if target is None else target
    if target not in head:
        raise DataError(f"{path}: there is no column {target!r}; columns: {', '.join(head[:20])}")
    columns = {name: [line[k].strip() for line in lines[1:]] for k, name in enumerate(head)}
    for name, values in columns.items():
        for row, value in enumerate(values, 2):
            if value.lower() in MISSING:
                raise DataError(f"{path}: line {row}, column {name!r}: the value is missing ({value!r})")
    features = [part for name, values in columns.items() if name != target for part in _numbers(path, name, values)]
    if not features:
        raise DataError(f"{path}: there is no column beside {target!r}")
    return prepare(np.stack(features, 1), _labels(columns[target]), path.name, seed)


def _numbers(path: Path, name: str, values: list[str]) -> list[Array]:
    """A column of numbers; of text, a column of 0 and 1 for each value."""
    numbers = [_number(value) for value in values]
    if all(value is not None for value in numbers):
        return [np.array(numbers, np.float64)]
    if any(value is not None for value in numbers):
        row = next(k for k, value in enumerate(numbers) if value is None)
        raise DataError(f"{path}: line {row + 2}, column {name!r}: {values[row]!r} among numbers")
    kinds = sorted(set(values))
    if len(kinds) > 20:
        raise DataError(f"{path}: column {name!r} is text with {len(kinds)} values; at most 20 become columns")
    return [np.array([value == kind for value in values], np.float64) for kind in kinds]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _labels(values: list[str]) -> Array:
    """The target: classes if it is text or few whole numbers, else numbers."""
    numbers = [_number(value) for value in values]
    if any(number is None for number in numbers):
        return np.array(values)
    array = np.array(numbers, np.float64)
    if (array == np.round(array)).all() and len(np.unique(array)) <= 20:
        return array.astype(np.int64)
    return array
