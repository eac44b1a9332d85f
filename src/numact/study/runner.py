"""Runs the experiments: independent runs over processes, with progress, and again from where they were interrupted."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from numact._kernels.config import version
from numact._kernels.threads import num_threads, set_num_threads
from numact.study.data import Data, load, packaged, read
from numact.study.experiments import QUESTIONS
from numact.study.experiments.question import Record, Settings
from numact.study.store import Store, key_of

FULL = Settings(seeds=20, epochs=30, quick=False)
QUICK = Settings(seeds=5, epochs=8, quick=True)
DATA = ("digits", "breast_cancer")
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMACT_NUM_THREADS")

Progress = Callable[[int, int], None]


def tasks(questions: list[int], settings: Settings, data: list[tuple[str, str | None]]) -> list[Record]:
    """All runs of some questions: a dict of question, data, target, condition and seed for each."""
    found = []
    for number in questions:
        for name, target in data:
            conditions = QUESTIONS[number].conditions(settings, open_data(name, target))
            common = {"question": number, "data": name, "target": target}
            found += [common | {"condition": c, "seed": seed} for c in conditions for seed in range(settings.seeds)]
    return found


_opened: dict[tuple[str, str | None], Data] = {}


def open_data(name: str, target: str | None) -> Data:
    """A data set by its name or path, read once in each process."""
    if (name, target) not in _opened:
        _opened[name, target] = load(name) if name in packaged() else read(name, target)
    return _opened[name, target]


def measured(task: Record) -> Record:
    """A run: the task with what was measured."""
    data = open_data(task["data"], task["target"])
    return task | QUESTIONS[task["question"]].measure(task["condition"], data, task["seed"])


def run_all(runs: list[Record], store: Store, processes: int, progress: Progress) -> None:
    """Run what the store does not have yet; runs that measure time come last, one by one.

    The runs are in processes of their own, in which everything has one thread; with 0 processes they are in this one.
    """
    left = [task for task in runs if key_of(task) not in store.records]
    done = len(runs) - len(left)
    progress(done, len(runs))
    for alone in (False, True):
        some = [task for task in left if QUESTIONS[task["question"]].alone == alone]
        for record in _over_processes(some, min(processes, 1) if alone else processes):
            store.add(record)
            done += 1
            progress(done, len(runs))


def _over_processes(runs: list[Record], processes: int) -> Iterator[Record]:
    """The records of runs, as they are finished."""
    if not processes or not runs:
        with one_thread():
            yield from map(measured, runs)
        return
    with one_thread(), ProcessPoolExecutor(processes, get_context("spawn"), set_num_threads, (1,)) as pool:
        waiting: set[Future[Record]] = set()
        rest = iter(runs)
        try:
            for task in rest:
                waiting.add(pool.submit(measured, task))
                if len(waiting) >= 4 * processes:
                    finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in finished)
            for future in waiting:
                yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread of numact here, and one of everything in processes that are started: the runs are small."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    try:
        with num_threads(1):
            yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


def fingerprint(name: str) -> str | None:
    """A hash of the file that data are read from; None for those of scikit-learn."""
    return None if name in packaged() else hashlib.sha256(Path(name).read_bytes()).hexdigest()


def store_of(output: Path, settings: Settings, data: list[tuple[str, str | None]]) -> Store:
    """The store beside a report; a file of data that has changed is other data."""
    described: dict[str, Any] = {
        "numact": version(),
        "epochs": settings.epochs,
        "quick": settings.quick,
        "data": [[*pair, fingerprint(pair[0])] for pair in data],
    }
    return Store(output.with_suffix(".results.jsonl"), described)
