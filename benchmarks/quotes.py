"""Articles whose statements and speakers people have marked, from two kinds of file.

PolNeAR, as JSON lines: ``text`` and ``attributions``, each with the offsets of its ``source``,
``cue`` and ``content`` (Newell, Margolin and Ruths 2018). Ours: ``text`` and ``statements``, each
with the words said (one stretch or several), the ``speaker`` by full name, the ``mention`` beside
the statement, and the ``kind``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stancekit.errors import FileError

__all__ = ["Gold", "Marked", "read_marked"]

MARKS = '"“”«»„'
KINDS = ("direct", "indirect", "mixed")
Spans = list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Gold:
    """One statement as marked.

    Attributes:
        spans: offsets of the words said.
        source: offsets of the words that name the speaker; empty where not marked.
        mention: those words; empty where the article leaves them out.
        speaker: full name; None where only the mention is marked.
        kind: direct, indirect or mixed.
    """

    spans: Spans
    source: Spans
    mention: str
    speaker: str | None
    kind: str


@dataclass(frozen=True, slots=True)
class Marked:
    """An article and what is said in it."""

    text: str
    statements: list[Gold]


def read_marked(path: Path) -> list[Marked]:
    """The articles of a file of either kind.

    Raises:
        FileError: the file cannot be read, or a line is of neither kind.
    """
    articles = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(str(path), str(error), "JSON lines in UTF-8") from None
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
            make = _polnear if "attributions" in row else _ours
            articles.append(make(row))
        except (ValueError, KeyError, TypeError) as error:
            place = f"{path}, line {number}"
            raise FileError(place, f"{type(error).__name__}: {error}", "a marked article") from None
    return articles


def _polnear(row: Mapping[str, Any]) -> Marked:
    text = row["text"]
    statements = []
    for marked in row["attributions"]:
        spans = [(start, end) for start, end in marked["content"]]
        source = [(start, end) for start, end in marked["source"]]
        mention = " ".join(text[start:end] for start, end in source)
        said = "".join(text[start:end] for start, end in spans)
        statements.append(Gold(spans, source, mention, None, _kind(said)))
    return Marked(text, statements)


def _kind(said: str) -> str:
    """Direct where quotation marks hold all of it, mixed where they stand in it."""
    bare = said.strip(" ,.")
    if bare[:1] in MARKS and bare[-1:] in MARKS and bare:
        return "direct"
    return "mixed" if any(mark in said for mark in MARKS) else "indirect"


def _ours(row: Mapping[str, Any]) -> Marked:
    text = row["text"]
    statements = []
    for marked in row["statements"]:
        parts = [marked["text"]] if isinstance(marked["text"], str) else marked["text"]
        spans = [(text.index(part), text.index(part) + len(part)) for part in parts]
        if marked["kind"] not in KINDS:
            raise ValueError(f"kind {marked['kind']!r}")
        mention = marked["mention"] or ""
        statements.append(Gold(spans, [], mention, marked["speaker"], marked["kind"]))
    return Marked(text, statements)
