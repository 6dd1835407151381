"""Topics from a file."""

from __future__ import annotations

from pathlib import Path

from stancekit.errors import FileError
from stancekit.files import read
from stancekit.formats import extensions
from stancekit.rows import BadRow, Row, display

__all__ = ["read_topics"]


def read_topics(path: str | Path) -> list[str]:
    """The topics of a file, in order: lines of a text file, or a column ``topic`` of any other.

    Spaces around a topic are dropped, and blank lines passed over.

    Raises:
        FileError: no such file or kind, no topic in it, or a row without one.
    """
    path = Path(path)
    renamed = {"statement": "topic"} if extensions(path.name)[0] == ".txt" else {}
    topics = []
    for row in read(path, renamed=renamed):
        wrong = row.error if isinstance(row, BadRow) else None
        if isinstance(row, Row):
            value = row.values.get("topic")
            if isinstance(value, str) and value.strip():
                topics.append(value.strip())
                continue
        place = f"{display(path)}, line {row.line}"
        found = "no topic" if wrong is None else wrong.found
        wanted = "a topic, as text" if wrong is None else wrong.wanted
        raise FileError(place, found, wanted, "fix or remove the row")
    if not topics:
        raise FileError(display(path), "no topic", "at least one")
    return topics
