"""Who is said to say it: one sentence's cue and the noun phrase that is its source.

A cue is a reporting verb with what may stand before and after it, ``according to``, or a report
that hangs on the sentence's subject (``…, adding that``). Of several, the one on which the
sentence turns wins.
"""

from __future__ import annotations

from collections.abc import Sequence

from stancekit.reading.names import BODY_WORDS, ROLES
from stancekit.reading.phrases import (
    MAX_PHRASE,
    QUOTE,
    Token,
)
from stancekit.reading.sentences import Span
from stancekit.reading.subjects import Cue, after, around, before, hanging
from stancekit.reading.verbs import (
    GERUNDS,
    HOLDING,
    JUDGING,
    LOOSE,
    NOUNS,
    REPORTING,
    SAYING,
)
from stancekit.reading.words import (
    ADVERBS,
    BEING,
    DETERMINERS,
    FINITE,
    PERSON_PRONOUNS,
    PREPOSITIONS,
    RELATIVE,
)

__all__ = ["find_cue"]

LONG_QUOTE = 16  # characters; a shorter quotation at the start of a sentence may be a title


def find_cue(row: Sequence[Token]) -> Cue | None:
    """The attribution that covers most of a sentence; None for the writer's own words."""
    best: Cue | None = None
    best_score = 0
    if len(row) > 2 and row[0].text == QUOTE and row[0].end - row[0].start > LONG_QUOTE:
        best = _unnamed_verb(row)
    for verb, token in enumerate(row):
        low = token.low
        if verb and token.text[0].isupper() and low != "according":
            continue
        if low in NOUNS and not _is_verb(row, verb):
            continue
        if low in REPORTING:
            cue = around(row, verb)
            score = _score(row, verb, cue) if cue is not None else 0
        elif low == "according" and verb + 1 < len(row) and row[verb + 1].low == "to":
            cue = after(row, verb, verb + 2)
            score = 3
        elif low in GERUNDS and verb > 1 and row[verb - 1].text == ",":
            cue, score = hanging(row, verb), 1
        elif low in GERUNDS and verb > 1 and row[verb - 1].low in BEING:
            cue, score = before(row, verb - 1), 2
        else:
            continue
        if cue is not None and score > best_score:
            best, best_score = cue, score
    return best


def _unnamed_verb(row: Sequence[Token]) -> Cue | None:
    """``"…," Lund laughs``: after a quotation, a name or pronoun and any verb."""
    end = 1
    while end < len(row) and end < MAX_PHRASE and row[end].text[0].isupper():
        end += 1
    if end == 1 and row[end].low in ("he", "she", "they"):
        end = 2
    if end == 1 or end >= len(row) or not row[end].text[0].islower():
        return None
    if row[end].low in FINITE | PREPOSITIONS or not row[end].low.endswith(("s", "d")):
        return None
    return Cue(Span(row[1].start, row[end - 1].end), end, 1, end + 1)


def _is_verb(row: Sequence[Token], place: int) -> bool:
    """Whether a word that is a noun as well is a verb here, by the words beside it."""
    left = row[place - 1] if place else None
    right = row[place + 1].low if place + 1 < len(row) else "."
    if left is None or left.low in DETERMINERS | PREPOSITIONS | BEING | {"to"}:
        return False
    if left.low in (PERSON_PRONOUNS - {"one"}) | RELATIVE | ADVERBS | FINITE | {"and"}:
        return True
    takes = {"that", "the", "a", "an", "to", "on", "for", "their", "his", "her", "its", "it", "out"}
    fits = left.text[0].isupper() or left.low.endswith("s") or left.low in ROLES | BODY_WORDS
    return (
        fits
        and left.text[0].isalnum()
        and not left.low.endswith("'s")
        and (
            right in takes - ({"for", "on", "to"} if row[place].low.endswith("s") else set())
            or right in (QUOTE, ":")
            or right in PERSON_PRONOUNS
        )
    )


def _score(row: Sequence[Token], verb: int, cue: Cue) -> int:
    """How likely the cue is the one that the sentence turns on; 0 refuses it."""
    low = row[verb].low
    right = row[verb + 1].low if verb + 1 < len(row) else "."
    left = row[cue.first - 1].low if cue.first > 0 else ""
    touches = QUOTE in (right, left) or (left == "," and cue.first > 1)
    clause = right in (",", ":", "that", "there", "whether") or right in PERSON_PRONOUNS
    near_quote = any(token.text == QUOTE for token in row[verb + 1 : verb + 9])
    score = 0
    if low in SAYING:
        score = 4
    elif low in LOOSE:
        score = 3 if touches or clause or near_quote or right in DETERMINERS else 0
        if low in ("hold", "holds", "held", "show", "shows", "put", "puts", "offer", "run"):
            score = score if touches or near_quote or right == "that" else 0
    elif low in JUDGING or low in HOLDING:
        score = 2
    if score and (touches or near_quote):
        score += 2
    if score and (cue.first > 0 and row[cue.first - 1].low in ("that", "if", "whether")):
        score = 1
    return score
