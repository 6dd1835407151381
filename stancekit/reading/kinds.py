"""What kind of speech a sentence is, and what is no speech at all."""

# ruff: noqa: RUF001  (quotation marks are data here)

from __future__ import annotations

from collections.abc import Sequence

from stancekit.reading.attribution import is_title
from stancekit.reading.phrases import QUOTE, Token
from stancekit.reading.quotes import Quotation
from stancekit.reading.subjects import Cue
from stancekit.reading.verbs import LOOSE, SAYING
from stancekit.records import Kind

__all__ = ["goes_on_reporting", "is_spoken", "kind_of", "says_nothing"]

SCARE_WORDS = 3  # a quotation of so few words marks a term, unless somebody says it
RECIPIENT = 9  # tokens from a verb to its quotation: told reporters in Oslo on Friday: "…"
# Verbs that a report shifts into: what "will" be, a speaker said "would" be.
SHIFTED = frozenset(["would", "could"])
OPENING = 12  # tokens of a sentence in which its main verb is sought
QUOTE_HEAD = 200  # characters of a quotation that are looked at


def is_spoken(text: str, quotation: Quotation) -> bool:
    """Whether a quotation is more than a term or a title."""
    end = min(quotation.end, quotation.start + QUOTE_HEAD)
    words = text[quotation.start : end].strip("\"'“”‘’").split()
    return len(words) > SCARE_WORDS and not is_title(words)


def goes_on_reporting(row: Sequence[Token]) -> bool:
    """Whether a sentence after a report carries it on: ``… he said. The rest would follow.``"""
    return any(token.low in SHIFTED for token in row[:OPENING])


def says_nothing(row: Sequence[Token], cue: Cue) -> bool:
    """``Lund continued:`` only announces what the next paragraph quotes; ``What they say``."""
    if len(row) - (cue.last - cue.first) <= 1 and all(token.text != QUOTE for token in row):
        return True
    return (
        row[-1].text == ":"
        and len(row) - cue.last <= RECIPIENT
        and all(token.text != QUOTE for token in row)
        and cue.first <= 1
    )


def kind_of(row: Sequence[Token], cue: Cue) -> Kind:
    """Direct where the quotation is all that is said, mixed where it is a part."""
    quoted = [place for place, token in enumerate(row) if token.text == QUOTE]
    if not quoted:
        return "indirect"
    if quoted[0] == 0 and cue.first <= 2:
        return "direct"
    for place in quoted:
        gap = row[cue.verb + 1 : place]
        if place > cue.verb and row[cue.verb].low in SAYING | LOOSE and len(gap) <= RECIPIENT:
            closes = place >= len(row) - 2
            if not gap or ((gap[-1].text in (",", ":") or gap[-1].low == "that") and closes):
                return "direct" if closes else "mixed"
    return "mixed"
