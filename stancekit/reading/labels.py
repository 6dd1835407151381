"""Speakers set before a colon, or in brackets after a quotation, with no verb of saying.

``Holt: Toll Is a Wall`` in a headline, ``Pilots' union: no comment yet`` in a list,
``"Not again" (chairman Bo Ek)`` under a picture. Interviews are read in turns.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from stancekit.reading.names import BODY_WORDS, ROLES
from stancekit.reading.phrases import QUOTE, Token, leading_phrase
from stancekit.reading.sentences import ITEM, Span
from stancekit.reading.verbs import EVIDENCE
from stancekit.reading.words import CALENDAR, PREPOSITIONS, word_set

__all__ = ["STANDS", "announced", "bracketed", "is_item", "labelled", "owner"]

MOST_LABEL = 8  # tokens before the colon
# Open a line and name nobody: what follows is the writer's.
NOT_SPEAKERS = word_set(
    """note notes update updated watch video photo photos picture caption breaking exclusive live
    related read more see also correction corrections editor's editors analysis opinion topics
    tags category source sources contact date time place venue subject re from to cc present
    apologies copyright advertisement share follow listen transcript warning tip question answer
    background context summary example conclusion according name age born
    occupation title website email phone"""
)
# What a list after a colon may be: ``The council's demands are:``.
STANDS = word_set(
    """position view views opinion demands demand proposal proposals recommendations conclusions
    findings principles policy priorities message answer response statement request requests
    advice argument arguments conditions objections concerns reasons points"""
)


def is_item(text: str, paragraph: Span) -> bool:
    """Whether a paragraph is a point of a list: bulleted, numbered or lettered."""
    return ITEM.match(text, paragraph.start, paragraph.end) is not None


def labelled(row: Sequence[Token]) -> tuple[Span, bool] | None:
    """The words before a colon that may name who says the rest.

    Returns:
        Where they stand, and whether they are sure to: a quotation follows, or they hold a role
        or a body. Otherwise only somebody named elsewhere should be believed.
    """
    first = 0
    while first < len(row) and not row[first].text[0].isalnum():
        if row[first].text == QUOTE:
            return None
        first += 1
    colon = next(
        (i for i, token in enumerate(row[: first + MOST_LABEL + 1]) if token.text == ":"), 0
    )
    if colon <= first or colon + 1 >= len(row) or row[colon].end == row[colon + 1].start:
        return None
    if row[first].text[0].islower() or row[first].text[0].isdigit():
        return None
    end = colon
    for place in range(first, colon):
        token = row[place]
        if place > first and token.low in PREPOSITIONS | {"to", "on", "("} and token.low != "of":
            end = min(end, place)  # "Holt to pilots: Pay up"
    names = row[first:end]
    if not names or any(t.low in NOT_SPEAKERS | CALENDAR for t in names):
        return None
    small = ROLES | BODY_WORDS | word_set("of the and for")
    if not all(t.text[0].isupper() or t.low in small for t in names):
        return None
    told = any(t.low in ROLES | BODY_WORDS | EVIDENCE for t in names)
    return Span(names[0].start, names[-1].end), told or row[colon + 1].text == QUOTE


def bracketed(row: Sequence[Token]) -> Span | None:
    """``"…" (chairman Bo Ek)``: the words in brackets after a quotation that ends a line."""
    if len(row) < 4 or row[-1].text != ")":
        return None
    opening = len(row) - 2
    while opening > 0 and row[opening].text != "(" and len(row) - opening <= MOST_LABEL:
        opening -= 1
    if opening <= 0 or row[opening].text != "(" or row[opening - 1].text != QUOTE:
        return None
    inside = row[opening + 1 : -1]
    if not inside or not any(t.text[0].isupper() for t in inside):
        return None
    return Span(inside[0].start, inside[-1].end)


def owner(row: Sequence[Token], first: int, last: int) -> Span:
    """The phrase from ``first`` to a possessive, without its ending."""
    short = 1 if row[last].low.endswith("s'") else 2
    return Span(row[first].start, row[last].end - short)


def announced(row: Sequence[Token]) -> Span | None:
    """``The Council's position is as follows:``: whose points the list holds."""
    phrase = leading_phrase(row)
    if phrase is None or row[-1].text != ":":
        return None
    first, end = phrase
    for place in range(first, min(end + 1, len(row) - 1)):
        if row[place].low.endswith(("'s", "s'")) and row[place + 1].low in STANDS:
            return owner(row, first, place)
    return None
