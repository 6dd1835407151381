"""Files made of lines: the physical lines themselves, rows of one line each, and jsonl.

A line ends at a line feed and nowhere else: not at U+2028, nor at a carriage return alone. One
broken row costs that row only, however it is broken.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, ClassVar

from stancekit.errors import FileError, RecordError
from stancekit.rows import RAW_LENGTH, BadRow, Columns, Row, Sink, Survey, survey, to_json
from stancekit.sources import Source, StreamBroken, unreadable

__all__ = [
    "LONGEST_ROW",
    "JsonlReader",
    "JsonlWriter",
    "LineReader",
    "physical_lines",
    "raw_text",
    "too_long",
    "undecodable",
]

# 16 MiB a row, in bytes: ten times the longest book chapter, and little enough to hold in memory
# when a quotation mark is never closed or a file has no line ends at all.
LONGEST_ROW = 16 * 2**20

SIGNATURES = {
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    b"\x1f\x8b": "a gzip archive",
    b"\x28\xb5\x2f\xfd": "a zstd archive",
    b"PK\x03\x04": "a zip archive or spreadsheet",
    b"PAR1\x15": "a parquet file",
}
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


def physical_lines(source: Source) -> Iterator[bytes]:
    """Lines with their ends; of one over ``LONGEST_ROW``, that much and one byte more.

    A byte-order mark is passed over.

    Raises:
        FileError: the file cannot be read, or starts as no UTF-8 text does.
        StreamBroken: an archive is broken here; the line it broke off in is not given.
    """
    try:
        with source.open() as file:
            start = file.peek(5)
            if start.startswith(BYTE_ORDER_MARK):
                file.read(len(BYTE_ORDER_MARK))
            for signature, name in SIGNATURES.items():
                if start.startswith(signature):
                    raise FileError(
                        source.name,
                        name,
                        f"{source.kind} in UTF-8",
                        "convert it, or give it the extension it should have",
                    )
            while line := file.readline(LONGEST_ROW + 1):
                yield line
                rest = line
                while len(rest) > LONGEST_ROW and not rest.endswith(b"\n"):
                    rest = file.readline(LONGEST_ROW + 1)
    except OSError as error:
        raise unreadable(source.name, error) from None


def raw_text(lines: bytes) -> str:
    """Lines as ``Row.raw`` has them: cut short, with replacement characters for broken bytes."""
    return lines[: 4 * RAW_LENGTH].decode("utf-8", "replace").rstrip("\r\n")[:RAW_LENGTH]


def undecodable(error: UnicodeDecodeError) -> RecordError:
    """What is wrong with a row that is not UTF-8."""
    return RecordError(
        "row",
        f"a byte that is not UTF-8 (0x{error.object[error.start]:02x})",
        "UTF-8",
        "convert the file from its real encoding",
    )


def too_long() -> RecordError:
    """What is wrong with a row over ``LONGEST_ROW``."""
    return RecordError(
        "row", f"more than {LONGEST_ROW:,} bytes", "a row", "look for a missing line end or quote"
    )


class LineReader(ABC):
    """Rows of one line each; blank lines are passed over."""

    columns: ClassVar[Columns] = {}  # that are there before any row is read

    def __init__(self, source: Source) -> None:
        self._source = source
        # An unreadable file is refused at once; an archive broken in its first line is not one.
        with suppress(StreamBroken):
            next(physical_lines(source), None)

    @abstractmethod
    def parse(self, text: str) -> dict[str, Any]:
        """The columns of one line.

        Raises:
            RecordError: it cannot be read.
        """

    def survey(self) -> Survey:
        return survey(self, {name: set(kinds) for name, kinds in self.columns.items()})

    def __iter__(self) -> Iterator[Row | BadRow]:
        file = self._source.name
        number = 0
        try:
            for number, line in enumerate(physical_lines(self._source), 1):
                if line.isspace():
                    continue
                try:
                    values = self.parse(self._decoded(line))
                except RecordError as error:
                    yield BadRow(file, number, error, raw_text(line))
                else:
                    yield Row(file, number, values, raw_text(line))
        except StreamBroken as error:
            yield BadRow(file, number + 1, error)

    def _decoded(self, line: bytes) -> str:
        if len(line) > LONGEST_ROW:
            raise too_long()
        try:
            return line.decode()
        except UnicodeDecodeError as error:
            raise undecodable(error) from None


class JsonlReader(LineReader):
    """One JSON object a line."""

    def parse(self, text: str) -> dict[str, Any]:
        try:
            value = json.loads(text)
            if SURROGATE_ESCAPE.search(text):
                json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            broken = error.object[error.start]
            raise RecordError(
                "row", f"half a character ({broken!a})", "whole characters", "write it again"
            ) from None
        except (ValueError, RecursionError) as error:
            raise RecordError("row", f"broken JSON ({error})", "one JSON object a line") from None
        if not isinstance(value, dict):
            raise RecordError("row", f"a JSON {type(value).__name__}", "one JSON object a line")
        return value


class JsonlWriter:
    """One JSON object a line, with the columns the row has; NaN and infinities become null."""

    def __init__(
        self, file: Sink, columns: Columns, metadata: Mapping[str, str] | None = None
    ) -> None:
        self._file = file

    def write(self, row: Row) -> None:
        self._file.write(to_json(row.values).encode() + b"\n")

    def finish(self) -> None:
        """Nothing is held back."""
