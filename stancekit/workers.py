"""What runs on the machines of a cluster: reading tasks, and processes that score with one model.

What goes wrong with the input or the model is not raised there, where it would be retried and
wrapped, but sent along to be raised where the run was started.
"""

from __future__ import annotations

import pickle
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from stancekit import files
from stancekit.checkpoint import METADATA, Checkpoint
from stancekit.dedupe import Remembering
from stancekit.errors import InputError, StancekitError
from stancekit.inputs import Inputs
from stancekit.model import load
from stancekit.places import Folder, Place
from stancekit.rows import BadRow, Row, error_line
from stancekit.scoring import Layout, Scorer, Settings, score_chunk

__all__ = [
    *("ERROR", "ERRORS", "FileWorker", "ModelSource", "Receipt", "TableWorker"),
    *("opened", "packed", "read", "survey"),
]

SENT = 1024  # rows sent at a time
ERRORS = "_errors"  # readers of folders of data pass over names that begin so
ASKED = ("statement", "topic", "speaker")
ERROR = "error"  # the column of a dataset that says why a row has no answer
ARROW_TYPES = {"text": "string", "float": "float64", "int": "int64", "bool": "bool"}


@dataclass(frozen=True, slots=True)
class ModelSource:
    """How a worker gets its model.

    Attributes:
        files: what to ask the object store for: name to bytes of each file of the checkpoint.
        engine: as for ``stancekit.load``.
        device: likewise.
        threads: likewise.
    """

    files: Any
    engine: str | None
    device: str | None
    threads: int

    def open(self) -> Scorer | StancekitError:
        """The model, or why there is none."""
        import ray

        with tempfile.TemporaryDirectory(prefix="stancekit-") as folder:
            contents: Mapping[str, bytes] = ray.get(self.files)
            for name, content in contents.items():
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            try:
                model = load(folder, engine=self.engine, device=self.device, threads=self.threads)
            except StancekitError as error:
                return error
        return Remembering(model)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of some input rows.

    Attributes:
        rows: input rows.
        scored: output rows.
        errors: entries in the list of errors.
        labels: label to number of output rows, in the model's order, zeros included.
    """

    rows: int
    scored: int
    errors: int
    labels: dict[str, int]

    def __add__(self, other: Receipt) -> Receipt:
        return Receipt(
            self.rows + other.rows,
            self.scored + other.scored,
            self.errors + other.errors,
            {name: n + other.labels[name] for name, n in self.labels.items()},
        )


def packed(checkpoint: Checkpoint) -> dict[str, bytes]:
    """The files of a checkpoint, by name, as ``ModelSource`` wants them."""
    names = [METADATA, *filter(checkpoint.has, checkpoint.hashes)]
    return {name: (checkpoint.folder / name).read_bytes() for name in names}


def opened(sent: bytes) -> Any:
    """What a worker sent.

    Raises:
        StancekitError: it sent one.
    """
    value = pickle.loads(sent)
    if isinstance(value, StancekitError):
        raise value
    return value


def survey(place: Place, settings: Settings, renamed: Mapping[str, str]) -> bytes:
    """The columns of a file and the number of its rows, or what is wrong with it, pickled."""
    try:
        with _inputs(place, settings, renamed) as inputs:
            return pickle.dumps((inputs.columns[0], inputs.total))
    except StancekitError as error:
        return pickle.dumps(error)


def read(batch: Mapping[str, Sequence[Any]]) -> Iterator[pa.Table]:
    """The rows of a file, or what is wrong with it, pickled, in a column ``row``.

    Beside it stand the number of the file and that of the row in it, columns ``file`` and
    ``number``.

    Args:
        batch: one pickled tuple: number of the file, its ``Place``, the settings, and column in
            the file to the name its rows shall have.
    """
    number, place, settings, renamed = pickle.loads(batch["file"][0])
    first = 0
    try:
        with _inputs(place, settings, renamed) as inputs:
            rows = inputs.rows()
            while some := [replace(row, file=place.name) for row in islice(rows, SENT)]:
                yield _rows_table(number, first, some)
                first += len(some)
    except StancekitError as error:
        yield _rows_table(number, first, [error])


@contextmanager
def _inputs(place: Place, settings: Settings, renamed: Mapping[str, str]) -> Iterator[Inputs]:
    """One file, on this machine's disk; messages speak of the one the user named."""
    with place.at_hand() as path:
        try:
            yield Inputs([path], settings, renamed, format="", spool=None)
        except InputError as error:
            where = error.place.replace(str(path), place.name)
            raise type(error)(where, error.found, error.wanted, error.next_step) from None


def _rows_table(file: int, first: int, rows: Sequence[Row | BadRow | StancekitError]) -> pa.Table:
    columns = {
        "file": pa.array([file] * len(rows), pa.int64()),
        "number": pa.array(range(first, first + len(rows)), pa.int64()),
        "row": pa.array([pickle.dumps(row) for row in rows], pa.large_binary()),
    }
    return pa.table(columns)


class FileWorker:
    """Scores what ``read`` sends, and writes it.

    Each batch becomes a part, and a list of errors if it has any, both named after its first row:
    a batch that is done again, because a machine was lost, is written over, never beside.
    """

    def __init__(
        self, model: ModelSource, settings: Settings, layout: Layout, output: str, kind: str
    ) -> None:
        self._model = model.open()
        self._settings = settings
        self._layout = layout
        self._folder = Folder(output)
        self._kind = kind

    def __call__(self, batch: pa.Table) -> pa.Table:
        """One row, whose ``receipt`` is a pickled ``Receipt`` or what went wrong."""
        receipt: Receipt | StancekitError
        try:
            rows = [opened(row) for row in batch["row"].to_pylist()]
            first = min(zip(batch["file"].to_pylist(), batch["number"].to_pylist(), strict=True))
            receipt = self._score(rows, "part-{:05}-{:010}".format(*first))
        except StancekitError as error:
            receipt = error
        return pa.table({"receipt": pa.array([pickle.dumps(receipt)], pa.large_binary())})

    def _score(self, rows: Sequence[Row | BadRow], name: str) -> Receipt:
        if isinstance(self._model, StancekitError):
            raise self._model
        outcomes = score_chunk(rows, self._model, self._settings, self._layout)
        good = [row for row in outcomes if isinstance(row, Row)]
        bad = [row for row in outcomes if isinstance(row, BadRow)]
        if bad:
            lines = b"".join(map(error_line, bad))
            self._folder.write(f"{ERRORS}/{name}.errors.jsonl", lambda file: file.write(lines))
        if good:
            self._folder.write(f"{name}.{self._kind}", lambda file: self._fill(file, good))
        counts = Counter(row.values["label"] for row in good)
        labels = {label: counts[label] for label in self._model.labels.names}
        return Receipt(len(rows), len(good), len(bad), labels)

    def _fill(self, file: BinaryIO, rows: Iterable[Row]) -> None:
        writer = files.writer_for(f"part.{self._kind}")(file, self._layout.columns)
        for row in rows:
            writer.write(row)
        writer.finish()


class TableWorker:
    """Scores a batch of a dataset: the table as it is, with the columns of the answers."""

    def __init__(self, model: ModelSource, settings: Settings, layout: Layout) -> None:
        self._model = model.open()
        self._settings = settings
        self._layout = layout

    def __call__(self, batch: pa.Table) -> pa.Table:
        """The input columns, those that scoring adds, and ``error``.

        Raises:
            StancekitError: there is no model.
        """
        if isinstance(self._model, StancekitError):
            raise self._model
        columns = {n: _cells(batch[n]) for n in ASKED if n in batch.column_names}
        rows = [
            Row("the dataset", i, {name: cells[i] for name, cells in columns.items()})
            for i in range(batch.num_rows)
        ]
        outcomes = score_chunk(rows, self._model, self._settings, self._layout)
        kept = batch.take([outcome.line for outcome in outcomes])
        table = {new: kept[name] for name, new in self._layout.names.items()}
        for name, kinds in self._layout.columns.items():
            # With several topics, the input's own column of topics is filled too.
            if name not in table or (name == "topic" and self._settings.names_topics):
                own = table[name].to_pylist() if name in table else [None] * len(outcomes)
                values = [
                    outcome.values[name] if isinstance(outcome, Row) else value
                    for outcome, value in zip(outcomes, own, strict=True)
                ]
                (kind,) = kinds & ARROW_TYPES.keys()
                table[name] = pa.array(values, ARROW_TYPES[str(kind)])
        reasons = [str(one.error) if isinstance(one, BadRow) else None for one in outcomes]
        return pa.table(table | {ERROR: pa.array(reasons, pa.string())})


def _cells(column: pa.ChunkedArray) -> list[Any]:
    """Values of a column; text that is broken stays bytes, which scoring then refuses by row."""
    try:
        return list(column.to_pylist())
    except UnicodeDecodeError:
        return [_cell(value) for value in column]


def _cell(value: pa.Scalar) -> Any:
    try:
        return value.as_py()
    except UnicodeDecodeError:
        return value.as_buffer().to_pybytes()
