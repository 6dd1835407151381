"""Several inputs read as one: checked, surveyed, told apart from what they were before."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from stancekit.documents import read_article
from stancekit.errors import FileError, RecordError
from stancekit.files import STANDARD_INPUT, read
from stancekit.formats import extensions, is_readable
from stancekit.rows import RAW_LENGTH, BadRow, Reader, Row, Survey, changed, display
from stancekit.scoring import Settings, check_columns

__all__ = ["Inputs"]

HEAD = 2**16  # bytes at the start of a file that are compared, beside its size and time


class Inputs:
    """The rows of several files, one file after another.

    Each file is read once when this is made, for its columns and the number of its rows, and again
    for the rows. A file that cannot be read at all is one bad row, unless it is the only one.

    Args:
        paths: files; ``-`` is standard input, copied to a temporary file.
        settings: what will be asked of the rows.
        renamed: column in the files to the name its rows shall have.
        format: of standard input.
        spool: folder for the copy of standard input; None leaves it to the system.

    Attributes:
        columns: those of each file.
        total: rows in all files, bad ones included.

    Raises:
        FileError: a file is missing, of no known kind or lacks the columns it needs; or the only
            file cannot be read.
        InputError: rows without a topic, and none given.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        settings: Settings,
        renamed: Mapping[str, str],
        *,
        format: str,
        spool: Path | None,
    ) -> None:
        self._paths = paths
        self._readers: list[Reader] = []
        for path in paths:
            try:
                reader: Reader = _open(path, settings, renamed, format, spool)
            except FileError as error:
                if len(paths) == 1 or not _is_broken(path, settings):
                    raise
                reader = _BrokenFile(path, error)
            self._readers.append(reader)
        self._surveys = [reader.survey() for reader in self._readers]
        for path, survey in zip(paths, self._surveys, strict=True):
            check_columns(_name(path), survey.columns, settings.text_column, settings.topics)
        self.columns = [survey.columns for survey in self._surveys]
        self.total = sum(survey.rows for survey in self._surveys)

    def facts(self) -> dict[str, Any]:
        """What tells these inputs from others or from what they may become, ready for JSON."""
        return {
            f"input {_name(path)}": _fingerprint(path, reader)
            for path, reader in zip(self._paths, self._readers, strict=True)
        }

    def rows(self, first: int = 0) -> Iterator[Row | BadRow]:
        """The rows that were surveyed, without the first so many.

        Rows appended to a file since it was surveyed are left for another run.

        Raises:
            FileError: a file has become shorter, or has columns that it had not.
        """
        for path, reader, survey in zip(self._paths, self._readers, self._surveys, strict=True):
            if first >= survey.rows:
                first -= survey.rows
                continue
            count = first
            for row in islice(reader, first, survey.rows):
                count += 1
                for name in row.values if isinstance(row, Row) else ():
                    if name not in survey.columns:
                        raise changed(row.file, row.line, f"a new column {name!r}")
                yield row
            if count < survey.rows:
                raise changed(_name(path), count, f"the end of the file after {count:,} rows")
            first = 0


def _open(
    path: Path, settings: Settings, renamed: Mapping[str, str], format: str, spool: Path | None
) -> Reader:
    if settings.articles and extensions(path.name) == (".txt", ""):
        return _ArticleFile(path)
    return read(path, renamed=renamed, format=format, spool=spool)


def _is_broken(path: Path, settings: Settings) -> bool:
    """Whether it is the file that is at fault, not the call: its name, or that of a column."""
    if path == STANDARD_INPUT or not path.is_file() or not is_readable(path.name):
        return False
    try:
        _open(path, settings, {}, "", None)
    except FileError:
        return True
    return False


class _ArticleFile:
    """A plain text that is one article, as a file of one row."""

    def __init__(self, path: Path) -> None:
        self._path = path
        read_article(path)  # what is no text is refused at once

    def survey(self) -> Survey:
        return Survey({"text": {"text"}}, 1)

    def __iter__(self) -> Iterator[Row | BadRow]:
        text = read_article(self._path).text
        yield Row(display(self._path), 1, {"text": text}, text[:RAW_LENGTH])


class _BrokenFile:
    """A file that cannot be read, as one bad row on line 0."""

    def __init__(self, path: Path, error: FileError) -> None:
        wrong = RecordError("file", error.found, error.wanted, error.next_step)
        self._row = BadRow(display(path), 0, wrong)

    def survey(self) -> Survey:
        return Survey({}, 1)

    def __iter__(self) -> Iterator[Row | BadRow]:
        yield self._row


def _name(path: Path) -> str:
    return "standard input" if path == STANDARD_INPUT else display(path)


def _fingerprint(path: Path, reader: Reader) -> dict[str, Any]:
    if path == STANDARD_INPUT:
        # What comes down a pipe has no name and no time; only its rows can be compared.
        digest = hashlib.sha256()
        for row in reader:
            digest.update(repr((row.line, row.raw, getattr(row, "values", None))).encode())
        return {"sha256 of rows": digest.hexdigest()}
    status = os.stat(path)
    with path.open("rb") as file:
        head = hashlib.sha256(file.read(HEAD)).hexdigest()
    # Nanoseconds as text: JSON's readers need not have whole numbers of this size.
    return {"bytes": status.st_size, "modified": str(status.st_mtime_ns), "sha256 of head": head}
