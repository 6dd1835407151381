"""Whom a pronoun may mean: somebody it agrees with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stancekit.reading.names import is_group
from stancekit.reading.phrases import Token, leading_phrase
from stancekit.reading.roster import Speaker
from stancekit.reading.sentences import Span

__all__ = ["GENDERED", "meant", "opener"]

GENDERED = {"he": "m", "she": "f"}


def meant(low: str, candidates: Iterable[Speaker]) -> Speaker | None:
    """The first of the candidates that a subject pronoun agrees with; a gender is settled by it."""
    wanted = GENDERED.get(low)
    for candidate in candidates:
        if wanted:
            person = candidate.person and not candidate.body and not candidate.group
            if person and candidate.gender in (None, wanted):
                candidate.gender = wanted
                return candidate
        elif candidate.body or (low != "it" and candidate.group):
            return candidate
    return None


def opener(low: str, text: str, row: Sequence[Token]) -> Span | None:
    """Whoever opens a sentence without being named, if a pronoun further on may mean them.

    ``The mediators will meet, their …``; ``The minister's reply was lost, but … he …``.

    Args:
        low: the pronoun, as a subject.
        text: the whole text.
        row: the sentence up to the pronoun.
    """
    phrase = leading_phrase(row)
    if phrase is None:
        return None
    first, end = phrase
    start = row[first].start
    if low == "they":
        return Span(start, row[end - 1].end) if is_group(text[start : row[end - 1].end]) else None
    if row[first].low != "the":
        return None
    owners = [token for token in row[first:end] if token.low.endswith("'s")]
    return Span(start, owners[0].end - 2) if owners else None
