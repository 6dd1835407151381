"""Labelled rows and where each stands: from files, from a data set on disk, or from examples."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from stancekit.errors import FileError, InputError, MissingExtraError, RecordError
from stancekit.files import read, to_example
from stancekit.records import Example
from stancekit.rows import BadRow, Row, display

__all__ = ["Columns", "Data", "Labelled", "labelled", "read_labelled"]


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns are called in the user's files."""

    statement: str = "statement"
    topic: str = "topic"
    speaker: str = "speaker"
    label: str = "label"
    group: str = "group"


@dataclass(frozen=True, slots=True)
class Labelled:
    """An example with its label, and where it stands: ``rows.csv, line 7``."""

    example: Example
    place: str

    @property
    def label(self) -> str:
        return str(self.example.label)


@dataclass(frozen=True, slots=True)
class Data:
    """All that was read.

    Attributes:
        rows: those with a statement, a topic and a label, in their order.
        bad: what is wrong with each row that cannot be used.
        unlabelled: rows without a label, left out.
        sources: names of the files or data sets.
    """

    rows: tuple[Labelled, ...]
    bad: tuple[RecordError, ...] = ()
    unlabelled: int = 0
    sources: tuple[str, ...] = ()

    @property
    def examples(self) -> list[Example]:
        return [row.example for row in self.rows]


def labelled(examples: Sequence[Example]) -> Data:
    """Examples made elsewhere; one stands at ``row N``, counted from 1."""
    rows = [
        Labelled(example, f"row {number}")
        for number, example in enumerate(examples, start=1)
        if example.label is not None
    ]
    return Data(tuple(rows), unlabelled=len(examples) - len(rows))


def read_labelled(
    paths: Sequence[str | Path],
    *,
    columns: Columns | None = None,
    renamed: Mapping[str, str] | None = None,
    topic: str | None = None,
) -> Data:
    """Read rows to train on, or to check.

    Args:
        paths: files of any kind that ``stancekit.files.read`` takes, or folders that ``datasets``
            saved with ``save_to_disk``.
        columns: what the columns are called there.
        renamed: label in the files to the label it stands for.
        topic: stands in where a row has none.

    Raises:
        FileError: a file cannot be read at all, or lacks the column of statements or labels.
        InputError: a label to be renamed that no row has.
        MissingExtraError: a data set on disk without the package that reads it.
    """
    columns, renamed = columns or Columns(), renamed or {}
    rows: list[Labelled] = []
    bad: list[RecordError] = []
    unlabelled, met = 0, set()
    for path in map(Path, paths):
        for row in _rows(path):
            if isinstance(row, BadRow):
                bad.append(_at(row, row.error))
                continue
            _check_columns(row, columns)
            try:
                example = _example(_ours(row, columns), topic)
            except RecordError as error:
                bad.append(_at(row, error))
                continue
            if example.label is None:
                unlabelled += 1
                continue
            met.add(example.label)
            name = renamed.get(example.label, example.label)
            known = Example(example.statement, example.topic, example.speaker, name, example.group)
            rows.append(Labelled(known, f"{row.file}, line {row.line}"))
    for name in renamed:
        if name not in met:
            raise InputError(
                "map", f"the label {name!r}, which no row has", f"one of {', '.join(sorted(met))}"
            )
    names = tuple(Path(path).name for path in paths)
    return Data(tuple(rows), tuple(bad), unlabelled, names)


def _rows(path: Path) -> Iterator[Row | BadRow]:
    if not path.is_dir():
        yield from read(path)
        return
    splits = path / "dataset_dict.json"
    if splits.is_file():
        names = sorted(part.name for part in path.iterdir() if (part / "state.json").is_file())
        raise FileError(
            display(path),
            f"a data set of several splits ({', '.join(names)})",
            "one split",
            f"name it: {display(path / names[0])}" if names else "save it again",
        )
    if not (path / "dataset_info.json").is_file() or not (path / "state.json").is_file():
        raise FileError(
            display(path),
            "a folder without dataset_info.json and state.json",
            "a file, or a data set saved to disk",
            "name the files in it",
        )
    try:
        import datasets
    except ImportError:
        raise MissingExtraError("datasets", "train") from None
    try:
        table = datasets.load_from_disk(str(path))
    except Exception as error:  # the library's own errors share no public base
        raise FileError(display(path), str(error)[:120], "a data set that can be opened") from None
    names_of = {
        name: feature.names
        for name, feature in table.features.items()
        if isinstance(feature, datasets.ClassLabel)
    }
    for number, values in enumerate(table, start=1):
        for name, names in names_of.items():
            place = values[name]
            values[name] = names[place] if place is not None and place >= 0 else None
        yield Row(display(path), number, values)


def _at(row: Row | BadRow, error: RecordError) -> RecordError:
    place = f"{row.file}, line {row.line}, {error.place}"
    step = error.next_step or "fix or remove the row"
    return RecordError(place, error.found, error.wanted, step)


def _check_columns(row: Row, columns: Columns) -> None:
    for name, column in (("statement", columns.statement), ("label", columns.label)):
        if column not in row.values:
            raise FileError(
                f"{row.file}, line {row.line}",
                f"the columns {', '.join(row.values)}",
                f"a column '{column}'",
                f"say which it is with --{name}-column",
            )


def _ours(row: Row, columns: Columns) -> Row:
    """The row with our names for its columns, and none of the others."""
    theirs = {field.name: getattr(columns, field.name) for field in fields(columns)}
    values = {ours: row.values[name] for ours, name in theirs.items() if name in row.values}
    exact = {ours: row.exact[name] for ours, name in theirs.items() if name in row.exact}
    return Row(row.file, row.line, values, row.raw, exact)


def _example(row: Row, topic: str | None) -> Example:
    asked = to_example(row, topic)
    label, group = _name(row, "label"), _name(row, "group")
    return Example(asked.statement, asked.topic, asked.speaker, label, group)


def _name(row: Row, column: str) -> str | None:
    """A name, or a whole number that stands for one; None where the cell is empty."""
    value: Any = row.values.get(column)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    # Whole numbers in a column with gaps come as 1.0.
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if column in row.exact or isinstance(value, bool) or not isinstance(value, str | int):
        raise RecordError(column, f"{value!r:.40}", f"the name of a {column}")
    return str(value).strip() or None
