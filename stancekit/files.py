"""Files <-> records: the door through which files come in, and the records made from rows.

formats.py says which format a name stands for, and how to add one.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from stancekit import formats
from stancekit.errors import FileError, RecordError
from stancekit.expand import STANDARD_INPUT, expand
from stancekit.formats import READERS, WRITERS
from stancekit.landing import Output, writing
from stancekit.records import Example
from stancekit.renamed import RenamedReader
from stancekit.rows import Reader, Row, Writer, display
from stancekit.sidecars import read_metadata, sidecar
from stancekit.sources import spooled, stored

__all__ = [
    "LONGEST_STATEMENT",
    "READERS",
    "STANDARD_INPUT",
    "WRITERS",
    "Output",
    "expand",
    "read",
    "read_examples",
    "read_metadata",
    "sidecar",
    "to_example",
    "writer_for",
    "writing",
]

# Characters: twice a book chapter, some hundred windows of the model. What is longer is no
# statement, and would hold up the rows beside it.
LONGEST_STATEMENT = 100_000


def read(
    path: str | Path,
    *,
    renamed: Mapping[str, str] | None = None,
    format: str = "jsonl",
    spool: Path | None = None,
) -> Reader:
    """Open a file for reading, in the format its extension names; ``-`` is standard input.

    Args:
        renamed: column in the file to the name its rows shall have, ``{"text": "statement"}``.
            With it, the file is surveyed at once.
        format: of standard input, as an extension without its dot: ``jsonl``, ``csv.gz``, …
        spool: folder with room for a copy of standard input, which is read to its end here; the
            system's own by default.

    Raises:
        FileError: unknown extension, no such file, a folder, an unreadable file, a broken header,
            or a file that is not what its extension says; or a column to be renamed is not there,
            or its new name is another's. Iterating raises it too, when the file becomes unreadable
            half-way; a row that cannot be read is a ``BadRow`` instead.
    """
    path = Path(path)
    name = path.name
    if path == STANDARD_INPUT:
        name = f"-.{format}"
        source = spooled(sys.stdin.buffer, "standard input", _kind(name), spool)
    else:
        _check_file(path)
        source = stored(path, _kind(name))
    reader = formats.reader(source, name)
    return RenamedReader(reader, renamed, source.name) if renamed else reader


def _kind(name: str) -> str:
    return formats.extensions(name)[0].removeprefix(".")


def writer_for(path: str | Path) -> Callable[..., Writer]:
    """What makes the writer for a file of this name, given what ``rows.Writer`` takes.

    Raises:
        FileError: unknown extension.
    """
    return formats.writer_for(Path(path).name, display(Path(path)))


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise FileError(display(path), "a folder", "a file", "name the files in it")
    if not path.exists():
        raise FileError(display(path), "no such file", "a file", "check the path")


def to_example(row: Row, topic: str | None = None) -> Example:
    """The decision a row asks for, from its columns ``statement``, ``topic`` and ``speaker``.

    Args:
        topic: stands in where the row's own topic is absent or empty.

    Raises:
        RecordError: the statement or the topic is absent, empty or not text; or the statement is
            longer than ``LONGEST_STATEMENT``; or one of the three has a zero character.
    """
    if "statement" not in row.values:
        raise RecordError("statement", "no such column", "a column 'statement'")
    asked = _cell(row, "topic")
    if asked is None or (isinstance(asked, str) and not asked.strip()):
        asked = "" if topic is None else topic
    example = Example(_cell(row, "statement"), asked, _cell(row, "speaker"))
    if len(example.statement) > LONGEST_STATEMENT:
        raise RecordError(
            "statement",
            f"{len(example.statement):,} characters",
            f"at most {LONGEST_STATEMENT:,}",
            "split it into statements, or look for a missing line end or quote",
        )
    return example


def _cell(row: Row, name: str) -> Any:
    value = row.values.get(name)
    if isinstance(value, str) and "\0" in value:
        raise RecordError(name, "a zero character", "text", "look for binary data in the file")
    if name in row.exact and value is not None:
        raise RecordError(name, str(row.exact[name].type), "a string")
    # Tables written by way of floating-point columns have NaN where nothing was.
    return None if isinstance(value, float) and math.isnan(value) else value


def read_examples(path: str | Path, *, renamed: Mapping[str, str] | None = None) -> list[Example]:
    """Read rows for training or evaluation, all at once.

    Columns ``statement``, ``topic``, ``speaker``, ``label`` and ``group`` are read, the others
    ignored. Empty cells of the last three mean none. A group may be a number.

    Args:
        renamed: as in ``read``.

    Raises:
        FileError: as ``read``; or a row is bad: the first such is named, by file and line.
    """
    examples = []
    for row in read(path, renamed=renamed):
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
