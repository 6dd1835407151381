"""A row of a file: what stands in its columns, where it stands, and how it is written as text.

Every format is read into these records and written from them, so no format knows another.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from stancekit.errors import FileError, RecordError

__all__ = [
    "BadRow",
    "Columns",
    "Reader",
    "Row",
    "Sink",
    "Survey",
    "Writer",
    "as_text",
    "changed",
    "display",
    "error_line",
    "kind",
    "refuse_duplicates",
    "refused",
    "survey",
    "to_json",
]

RAW_LENGTH = 1000  # characters of a row's raw text kept for the list of errors

# Column name to every kind of value seen in it, in order of first appearance. A kind is one of the
# words of ``kind`` below or, from a parquet file, an Arrow type.
Columns = dict[str, set[object]]


@dataclass(frozen=True, slots=True)
class Row:
    """One row that could be read.

    Attributes:
        file: the file it stands in.
        line: 1-based physical line on which it starts; in parquet, the number of the row.
        values: every column of the row, as values JSON can hold.
        raw: how it stands in the file, cut to ``RAW_LENGTH``; None in a binary format.
        exact: the columns whose type JSON lacks (timestamps, lists, bytes, …), once more and
            unchanged, as Arrow arrays of length one.
    """

    file: str
    line: int
    values: dict[str, Any]
    raw: str | None = None
    exact: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BadRow:
    """One row that cannot be used, and why; file, line and raw as in ``Row``."""

    file: str
    line: int
    error: RecordError
    raw: str | None = None


@dataclass(frozen=True, slots=True)
class Survey:
    """What a file holds, learnt before its rows are used: its columns, and rows good and bad."""

    columns: Columns
    rows: int


class Reader(Protocol):
    """An open-and-checked file; each iteration reads it afresh, a bounded piece at a time."""

    def __iter__(self) -> Iterator[Row | BadRow]: ...

    def survey(self) -> Survey:
        """Columns and number of rows; may read the file once through."""
        ...


class Sink(Protocol):
    """Where bytes are put one after the other: a binary file, say, open for writing."""

    def write(self, data: bytes, /) -> object: ...


class Writer(Protocol):
    """Writes rows to a binary file that somebody else opens and closes.

    Metadata, on how the rows came about, stands in the file where the format has a place for it
    (see sidecars.py for the others).
    """

    def __init__(
        self, file: Sink, columns: Columns, metadata: Mapping[str, str] | None = None
    ) -> None: ...

    def write(self, row: Row) -> None:
        """Add one row; it may lack columns but has none beyond those announced."""
        ...

    def finish(self) -> None:
        """Write what is still held back."""
        ...


def display(path: Path) -> str:
    """A path as printable text, also where the file system holds bytes that are no text."""
    return os.fsencode(path).decode("utf-8", "replace")


def refuse_duplicates(names: list[str], place: str) -> None:
    """Raise ``FileError`` if two columns share a name: one of them would be lost."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise FileError(
            place,
            f"more than one column named {', '.join(map(repr, twice))}",
            "different names",
            "rename or remove one",
        )


def changed(file: str, line: int, found: str) -> FileError:
    """The error for a place in a file that is not what its survey announced."""
    return FileError(
        f"{file}, line {line}",
        found,
        "the file as it was when the run began",
        "leave input files alone while they are read",
    )


def kind(value: object) -> str:
    """What sort of JSON value this is, as far as the type of a column depends on it."""
    match value:
        case bool():
            return "bool"
        case int():
            if abs(value) <= 2**53:  # a float64 holds it exactly
                return "int"
            return "long" if -(2**63) <= value < 2**63 else "huge"
        case float():
            return "float"
        case str():
            return "text"
    return "nested"


def survey(rows: Iterable[Row | BadRow], columns: Columns) -> Survey:
    """Read rows once through, adding to ``columns`` the names and kinds met."""
    count = 0
    for row in rows:
        count += 1
        if isinstance(row, Row):
            for name, value in row.values.items():
                kinds = columns.setdefault(name, set())
                if value is not None:
                    kinds.add(kind(value))
    return Survey(columns, count)


def to_json(value: object) -> str:
    """A value as JSON; NaN and infinities, for which JSON has no word, become null."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), ensure_ascii=False)


def refused(row: Row, error: RecordError) -> BadRow:
    """A row that could be read but not used."""
    raw = to_json(row.values)[:RAW_LENGTH] if row.raw is None else row.raw
    return BadRow(row.file, row.line, error, raw)


def error_line(row: BadRow) -> bytes:
    """A row that cannot be used, as a line of the list of errors."""
    line = {"file": row.file, "line": row.line, "reason": str(row.error), "raw": row.raw}
    return to_json(line).encode("utf-8", "replace") + b"\n"


def _finite(value: object) -> object:
    match value:
        case float():
            return value if math.isfinite(value) else None
        case dict():
            return {name: _finite(part) for name, part in value.items()}
        case list():
            return [_finite(part) for part in value]
    return value


def as_text(value: object) -> str:
    """A value as the text of a cell: strings as they are, None as nothing, the rest as JSON.

    NaN and infinities standing alone are written NaN, Infinity and -Infinity, which readers of
    tables know as numbers.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return json.dumps(value) if isinstance(value, float) else to_json(value)
