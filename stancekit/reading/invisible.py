"""Characters that show nothing: left out before reading, and put back afterwards.

A byte-order mark, soft hyphens, zero-width spaces and marks of writing direction come with copied
and scanned text. They would hide the neighbours by which quotation marks and words are read.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import chain

from stancekit.records import Statement

__all__ = ["INVISIBLE", "restored", "visible"]

INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]+")


def visible(text: str) -> tuple[str, list[int]]:
    """The text without them, and where each character of it stood."""
    kept = []
    position = 0
    for match in INVISIBLE.finditer(text):
        kept.append(range(position, match.start()))
        position = match.end()
    kept.append(range(position, len(text)))
    return INVISIBLE.sub("", text), list(chain.from_iterable(kept))


def restored(statement: Statement, text: str, places: list[int]) -> Statement:
    """A statement of the visible text as one of the text itself."""
    start, end = places[statement.start], places[statement.end - 1] + 1
    mention = statement.mention
    if mention is not None:
        mention = places[mention[0]], places[mention[1] - 1] + 1
    return replace(statement, text=text[start:end], start=start, end=end, mention=mention)
