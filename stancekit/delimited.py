"""Files of delimited cells under a header: csv and tsv."""

from __future__ import annotations

import csv
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping

from stancekit.errors import FileError, RecordError
from stancekit.lines import LONGEST_ROW, physical_lines, raw_text, too_long, undecodable
from stancekit.rows import (
    BadRow,
    Columns,
    Row,
    Sink,
    Survey,
    as_text,
    refuse_duplicates,
    survey,
)
from stancekit.sources import Source, StreamBroken

__all__ = ["CsvReader", "CsvWriter", "TsvReader", "TsvWriter"]

# csv.field_size_limit belongs to the whole process: it is raised under this lock, for the reading
# of one row, and put back.
LIMIT_LOCK = threading.Lock()


class _Feed:
    """Gives lines to a csv parser, and can take back those of a row that turned out broken."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self._again: deque[bytes] = deque()
        self.taken: list[bytes] = []  # since the last row
        self.line = 1  # number of the first line in ``taken``
        self.broken: StreamBroken | None = None  # the end of the lines is no end
        self._size = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        try:
            line = self._again.popleft() if self._again else next(self._lines)
        except StreamBroken as error:
            self.broken = error
            raise StopIteration from None
        self.taken.append(line)
        self._size += len(line)
        if self._size > LONGEST_ROW:
            raise too_long()
        # Broken bytes pass through, so that quotes and line ends around them keep their meaning.
        return line.decode("utf-8", "replace")

    def forget(self, lines: int | None = None) -> None:
        """Start a new row after all lines taken, or after the first few of them."""
        done = len(self.taken) if lines is None else lines
        self._again.extendleft(reversed(self.taken[done:]))
        self.line += done
        self.taken = []
        self._size = 0


class CsvReader:
    """Comma-separated rows under a header; quoted cells may hold line ends; all cells are text.

    Lines without anything on them are passed over. When a row breaks the rules of quoting, its
    first line is the bad row and reading goes on with the next: a quotation mark left open does
    not take the rows after it along.
    """

    delimiter = ","

    def __init__(self, source: Source) -> None:
        self._source = source
        place = f"{source.name}, header"
        self._header: list[str] = []
        for _, _, cells in self._records():
            if isinstance(cells, RecordError):
                raise FileError(place, cells.found, cells.wanted, cells.next_step)
            self._header = cells
            break
        if not any(self._header):
            raise FileError(place, "nothing", "a line of column names")
        refuse_duplicates(self._header, place)

    def survey(self) -> Survey:
        return survey(self, {name: {"text"} for name in self._header})

    def __iter__(self) -> Iterator[Row | BadRow]:
        file = self._source.name
        records = self._records()
        next(records)
        for line, raw, cells in records:
            if isinstance(cells, RecordError):
                yield BadRow(file, line, cells, raw)
            elif len(cells) != len(self._header):
                wanted = f"{len(self._header)}, as in the header"
                yield BadRow(file, line, RecordError("row", f"{len(cells)} cells", wanted), raw)
            else:
                yield Row(file, line, dict(zip(self._header, cells, strict=True)), raw)

    def _records(self) -> Iterator[tuple[int, str | None, list[str] | RecordError]]:
        """First line, raw text, and cells or what is wrong with them; the header comes first."""
        feed = _Feed(physical_lines(self._source))
        parser = csv.reader(feed, delimiter=self.delimiter, strict=True)
        while True:
            try:
                cells = _with_long_cells(parser.__next__)
            except StopIteration:
                if feed.broken:
                    yield feed.line, None, feed.broken
                return
            except csv.Error as error:
                wrong = RecordError("row", str(error), "cells quoted by the rules of csv")
                yield feed.line, raw_text(feed.taken[0]), wrong
                feed.forget(1)
            except RecordError as error:
                yield feed.line, raw_text(feed.taken[0]), error
                feed.forget(1)
            else:
                if cells:
                    lines = b"".join(feed.taken)
                    yield feed.line, raw_text(lines), _undecodable_in(lines) or cells
                feed.forget()


def _undecodable_in(lines: bytes) -> RecordError | None:
    try:
        lines.decode()
    except UnicodeDecodeError as error:
        return undecodable(error)
    return None


def _with_long_cells(parse: Callable[[], list[str]]) -> list[str]:
    with LIMIT_LOCK:
        before = csv.field_size_limit(LONGEST_ROW)
        try:
            return parse()
        finally:
            csv.field_size_limit(before)


class TsvReader(CsvReader):
    """As ``CsvReader``, with tabs."""

    delimiter = "\t"


class _Cells:
    """Takes rows from the csv module, which ends them in CR LF, and ends them in LF."""

    def __init__(self, file: Sink) -> None:
        self._file = file

    def write(self, line: str) -> None:
        self._file.write(line[:-2].encode() + b"\n")


class CsvWriter:
    """A header and comma-separated rows.

    Strings are written as they are, None and absent columns as nothing, lists and objects as JSON.
    """

    delimiter = ","

    def __init__(
        self, file: Sink, columns: Columns, metadata: Mapping[str, str] | None = None
    ) -> None:
        self._names = list(columns)
        # The csv module quotes a cell with a carriage return only if its own line end has one.
        self._csv = csv.writer(_Cells(file), delimiter=self.delimiter, lineterminator="\r\n")
        self._csv.writerow(self._names)

    def write(self, row: Row) -> None:
        self._csv.writerow([as_text(row.values.get(name)) for name in self._names])

    def finish(self) -> None:
        """Nothing is held back."""


class TsvWriter(CsvWriter):
    """As ``CsvWriter``, with tabs."""

    delimiter = "\t"
