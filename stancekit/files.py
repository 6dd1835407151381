"""Files <-> records: which format an extension stands for, and the records made from rows.

To add a format, write a reader and a writer (``rows.Reader`` and ``rows.Writer``) and put their
names in ``READERS`` and ``WRITERS``. lines.py has jsonl, delimited.py csv and tsv,
tables.py parquet.
"""

from __future__ import annotations

import math
import os
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from stancekit.delimited import CsvReader, CsvWriter, TsvReader, TsvWriter
from stancekit.errors import FileError, RecordError
from stancekit.lines import JsonlReader, JsonlWriter
from stancekit.records import Article, Example
from stancekit.rows import Columns, Reader, Row, Writer, display

__all__ = [
    "READERS",
    "WRITERS",
    "Output",
    "read",
    "read_article",
    "read_examples",
    "to_example",
    "writer_for",
]

T = TypeVar("T")


def _parquet_reader(path: Path) -> Reader:
    from stancekit.tables import ParquetReader

    return ParquetReader(path)


def _parquet_writer(file: BinaryIO, columns: Columns) -> Writer:
    from stancekit.tables import ParquetWriter

    return ParquetWriter(file, columns)


READERS: dict[str, Callable[[Path], Reader]] = {
    ".jsonl": JsonlReader,
    ".csv": CsvReader,
    ".tsv": TsvReader,
    ".parquet": _parquet_reader,
}
WRITERS: dict[str, Callable[[BinaryIO, Columns], Writer]] = {
    ".jsonl": JsonlWriter,
    ".csv": CsvWriter,
    ".tsv": TsvWriter,
    ".parquet": _parquet_writer,
}


def read(path: str | Path) -> Reader:
    """Open a file for reading, in the format its extension names.

    Raises:
        FileError: unknown extension, no such file, a folder, an unreadable file, a broken header,
            or a file that is not what its extension says. Iterating raises it too, when the file
            becomes unreadable half-way; a row that cannot be read is a ``BadRow`` instead.
    """
    path = Path(path)
    _check_file(path)
    return _by_extension(READERS, path)(path)


def writer_for(path: str | Path) -> Callable[[BinaryIO, Columns], Writer]:
    """What makes the writer for a file of this name.

    Raises:
        FileError: unknown extension.
    """
    return _by_extension(WRITERS, Path(path))


def _by_extension(formats: Mapping[str, T], path: Path) -> T:
    try:
        return formats[path.suffix.lower()]
    except KeyError:
        raise FileError(
            display(path),
            f"the extension '{path.suffix}'" if path.suffix else "no extension",
            f"one of {', '.join(formats)}",
            "rename or convert the file",
        ) from None


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise FileError(display(path), "a folder", "a file", "name the files in it")
    if not path.exists():
        raise FileError(display(path), "no such file", "a file", "check the path")


class Output:
    """A file that appears whole or not at all.

    It is written beside its place under a temporary name; ``land`` moves it there, in one step
    that leaves either the old file or the new one. ``discard`` removes it again, unless it landed.

    Attributes:
        path: where it lands; links are followed.
        file: to be written to.

    Raises:
        FileError: the place is a folder or a device, or its folder is missing or not writable.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(os.path.realpath(path))
        if self.path.exists() and not self.path.is_file():
            what = "a folder" if self.path.is_dir() else "a device"
            raise FileError(display(Path(path)), what, "a place for a file", "name a file")
        name = f".{self.path.name}.{secrets.token_hex(4)}.tmp"
        self._temporary = self.path.with_name(name)
        with writing(self.path):
            self.file: BinaryIO = self._temporary.open("xb")

    def land(self) -> None:
        """Put the file in its place, safe from a power cut."""
        with writing(self.path):
            self.file.flush()
            os.fsync(self.file.fileno())
            self.file.close()
            os.replace(self._temporary, self.path)
            # Windows has no folders to open; there, replace alone must do.
            if hasattr(os, "O_DIRECTORY"):
                folder = os.open(self.path.parent, os.O_DIRECTORY)
                try:
                    os.fsync(folder)
                finally:
                    os.close(folder)

    def discard(self) -> None:
        """Leave nothing behind but what has landed."""
        # A full disk fails once more when the file is closed.
        with suppress(OSError):
            self.file.close()
        self._temporary.unlink(missing_ok=True)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the operating system's refusal to write into a ``FileError`` that names the file."""
    try:
        yield
    except OSError as error:
        raise FileError(
            display(path),
            error.strerror or str(error),
            "a file that can be written",
            "check that its folder exists, is yours to write to and has room",
        ) from None


def to_example(row: Row, topic: str | None = None) -> Example:
    """The decision a row asks for, from its columns ``statement``, ``topic`` and ``speaker``.

    Args:
        topic: stands in where the row's own topic is absent or empty.

    Raises:
        RecordError: the statement or the topic is absent, empty or not text.
    """
    if "statement" not in row.values:
        raise RecordError("statement", "no such column", "a column 'statement'")
    asked = _cell(row, "topic")
    if asked is None or (isinstance(asked, str) and not asked.strip()):
        asked = "" if topic is None else topic
    return Example(_cell(row, "statement"), asked, _cell(row, "speaker"))


def _cell(row: Row, name: str) -> Any:
    value = row.values.get(name)
    if name in row.exact and value is not None:
        raise RecordError(name, str(row.exact[name].type), "a string")
    # Tables written by way of floating-point columns have NaN where nothing was.
    return None if isinstance(value, float) and math.isnan(value) else value


def read_examples(path: str | Path) -> list[Example]:
    """Read rows for training or evaluation, all at once.

    Columns ``statement``, ``topic``, ``speaker``, ``label`` and ``group`` are read, the others
    ignored. Empty cells of the last three mean none. A group may be a number.

    Raises:
        FileError: as ``read``; or a row is bad: the first such is named, by file and line.
    """
    examples = []
    for row in read(path):
        try:
            if not isinstance(row, Row):
                raise row.error
            asked = to_example(row)
            label, group = _cell(row, "label"), _cell(row, "group")
            if not isinstance(label, str | None):
                raise RecordError("label", f"{label!r:.40}", "the name of a label")
            group = None if group is None else str(group)
            examples.append(
                Example(asked.statement, asked.topic, asked.speaker, label or None, group or None)
            )
        except RecordError as error:
            place = f"{row.file}, line {row.line}, {error.place}"
            raise FileError(
                place, error.found, error.wanted, error.next_step or "fix or remove the row"
            ) from None
    return examples


def read_article(path: str | Path) -> Article:
    """Read a plain text in UTF-8, with or without byte-order mark; ``-`` is standard input.

    Line ends stay as they are, so that offsets in the article are offsets in the file.

    Raises:
        FileError: no such file, a folder, an unreadable file, or not plain text in UTF-8.
    """
    if str(path) == "-":
        place, data = "standard input", sys.stdin.buffer.read()
    else:
        path = Path(path)
        place = display(path)
        _check_file(path)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise FileError(place, error.strerror or str(error), "a readable file") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileError(
            place,
            f"a byte that is not UTF-8 (0x{error.object[error.start]:02x})",
            "plain text in UTF-8",
            "convert it, for example with iconv",
        ) from None
    if "\0" in text:
        raise FileError(
            place, "binary data (a zero byte)", "plain text in UTF-8", "extract the text first"
        )
    return Article(text, place)
