"""Records on disk, a line of JSON each, written as they come: an interrupted study continues."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

Record = dict[str, Any]


def key_of(record: Record) -> str:
    """What makes a record the only one of its kind: question, data, condition and seed."""
    return json.dumps([record[name] for name in ("question", "data", "condition", "seed")], sort_keys=True)


def write_whole(path: Path, text: str) -> None:
    """Write a file whole, or leave it as it was."""
    temporary = path.with_name(f"{path.name}.part")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


class Store:
    """A file of records.

    Parameters
    ----------
    path : path
        Its first line says what was run (`settings`); a file of other settings is an error.
    settings : dict
        What must be equal for records to belong together.

    Raises
    ------
    ValueError
        If the file holds records of other settings.

    """

    def __init__(self, path: Path, settings: Record) -> None:
        self.path = path
        self.records: dict[str, Record] = {}
        lines = list(_lines(path)) if path.exists() else []
        if lines and lines[0] != settings:
            raise ValueError(f"{path}: holds results of other settings: give another name with -o, or delete it")
        for record in lines[1:]:
            self.records[key_of(record)] = record
        # What a killed run left half-written is not kept.
        text = "".join(json.dumps(line) + "\n" for line in (settings, *self.records.values()))
        write_whole(path, text)
        self._file = path.open("a", encoding="utf-8")

    def add(self, record: Record) -> None:
        """Keep a record, on the disk as well."""
        self.records[key_of(record)] = record
        self._file.write(json.dumps(record) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def _lines(path: Path) -> Iterator[Record]:
    """The lines of a file that are whole."""
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            return
