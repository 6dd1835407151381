"""Noun phrases in a sentence: where one begins, and which one opens the sentence.

The sentence is a row of tokens in which each quotation is a single one, so nothing inside a
quotation is ever taken for the writer's words. There is no grammar here, only neighbours.
"""

# ruff: noqa: RUF001  (quotation marks and dashes are data here)

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from stancekit.reading.names import BODY_WORDS, ROLES
from stancekit.reading.sentences import Span
from stancekit.reading.verbs import EVIDENCE, NOUNS, REPORTING
from stancekit.reading.words import (
    ADVERBS,
    BEING,
    CALENDAR,
    CLAUSE,
    DETERMINERS,
    FINITE,
    NOBODY,
    NOT_VERBS,
    PERSON_PRONOUNS,
    PREPOSITIONS,
    PRONOUNS,
    QUANTIFIERS,
    RELATIVE,
)

__all__ = [
    "MAX_PHRASE",
    "QUOTE",
    "REACH",
    "Token",
    "is_name",
    "is_verb",
    "leading_phrase",
    "phrase_start",
    "tokens",
]

TOKEN = re.compile(r"[^\W_]+(?:[-'’.&/][^\W_]+)*['’]?|--|[^\w\s\u00ad\u200b-\u200f\u2060\ufeff]")
# Certainly no part of a noun phrase; a word that names a role or a body as well may be.
VERBS = FINITE | (REPORTING - ROLES - BODY_WORDS)
MOST_TOKENS = 400  # a longer sentence is no prose, and its cue is sought in its beginning
COUNTED = ("people", "police", "percent", "cent")  # speak without an article: 59 percent said
REACH = 30  # tokens from a verb to the far end of its subject
MAX_PHRASE = 12  # tokens in a noun phrase after its verb
QUOTE = "“”"  # the text of a token that stands for a whole quotation


class Token(NamedTuple):
    """A word, a mark or a whole quotation (text ``QUOTE``), with its offsets."""

    text: str
    low: str
    start: int
    end: int


def tokens(text: str, span: Span, quoted: Sequence[tuple[int, int]]) -> list[Token]:
    """The tokens of a sentence, each quotation as one.

    Args:
        text: the whole text.
        span: the sentence.
        quoted: (start, end) of the quotations that lie in it, in order.
    """
    row: list[Token] = []
    position = span.start
    for start, end in [*quoted, (span.end, span.end)]:
        for match in TOKEN.finditer(text, position, max(position, start)):
            if len(row) >= MOST_TOKENS:
                return row
            word = match.group()
            row.append(Token(word, word.lower().replace("’", "'"), *match.span()))
        if end > start:
            row.append(Token(QUOTE, QUOTE, start, end))
        position = end
    # A full stop inside the sentence belongs to an abbreviation.
    if all(token.text != "." for token in row[:-1]):
        return row
    joined: list[Token] = []
    for place, token in enumerate(row):
        if token.text == "." and joined and place < len(row) - 1 and joined[-1].end == token.start:
            before = joined.pop()
            token = Token(before.text + ".", before.low, before.start, token.end)
        joined.append(token)
    return joined


def phrase_start(row: Sequence[Token], last: int) -> int | None:
    """Where the noun phrase that ends at ``last`` begins; None when nothing fit stands there."""
    if last < 0 or row[last].low in NOBODY:
        return None
    if row[last].low in PERSON_PRONOUNS:
        if row[last].low == "one" and last > 0 and row[last - 1].low in ("no", "any", "every"):
            return None
        return last if row[last].low in PRONOUNS or row[last].low == "one" else None
    floor = max(-1, last - REACH)
    place = last
    while place > floor:
        token = row[place]
        if token.low in RELATIVE:
            if place - 1 > floor and row[place - 1].text == ",":
                break
            start = phrase_start(row, place - 1) if place > 0 else None
            return start
        if token.low == "that" and place > 0 and place < last:
            if row[place - 1].low in REPORTING or not row[place - 1].text[0].isalnum():
                break
            if row[place + 1].low in DETERMINERS | QUANTIFIERS | PERSON_PRONOUNS:
                break  # "an open secret that several of them": a clause of its own
            return phrase_start(row, place - 1)
        if (
            token.low in DETERMINERS - {"that", "this", "these", "those"}
            and place - 1 > floor
            and row[place - 1].text[0].isalnum()
            and row[place - 1].low not in PREPOSITIONS | NOT_VERBS
            and not _in_relative(row, place)
        ):
            place -= 1
            break  # a determiner after anything else starts the phrase
        if not token.text[0].isalnum() and token.text not in ("&", "(", ")", "/"):
            break
        if token.low == "according":
            return place + 2 if place + 2 <= last else None
        if token.low in VERBS and (token.low not in NOUNS or is_verb(row, place)):
            # "A diplomat who has followed the talks": the subject comes before the clause.
            if (
                place > 1
                and row[place - 1].low in RELATIVE | {"that"}
                and row[place - 2].text[0].isalnum()
                and row[place - 2].low not in REPORTING
            ):
                return phrase_start(row, place - 2)
            break
        between_names = (
            token.low == "or"
            and 0 < place < last
            and row[place - 1].text[0].isupper()
            and row[place + 1].text[0].isupper()
        )
        if between_names:
            place -= 1
            continue
        if token.low in CLAUSE or (token.low in PERSON_PRONOUNS - {"one"} and place < last):
            break
        place -= 1
    first = place + 1
    first = _trim_joined(row, first, last)
    first = _trim_preposition(row, first, last)
    if first > last:
        return None
    words = row[first : last + 1]
    if any(_is_nominal(word) for word in words):
        return first
    return first if words[-1].low.endswith("s") or words[-1].low in COUNTED else None


def is_verb(row: Sequence[Token], place: int) -> bool:
    """Whether a word that is a noun as well is a verb here, by the words beside it."""
    left = row[place - 1] if place else None
    right = row[place + 1].low if place + 1 < len(row) else "."
    if left is None or left.low in DETERMINERS | PREPOSITIONS | BEING | {"to"}:
        return False
    if left.low in (PERSON_PRONOUNS - {"one"}) | RELATIVE | ADVERBS | FINITE | {"and"}:
        return True
    if left.text == "," and right in (QUOTE, "that"):
        return True  # "its chairman, Bo Ek, calls"
    if left.text[0].isupper() and not left.low.endswith("s"):
        following = row[place + 1].text if place + 1 < len(row) else "."
        if row[place].low.endswith("s") and (right == "to" or row[place].low == "calls"):
            return True  # "Holt hopes to", "Holt calls on"
        if row[place].low in ("hopes", "fears", "claims") and following[0].isupper():
            return True
    if left.low in EVIDENCE and row[place].low in ("show", "shows"):
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


def _in_relative(row: Sequence[Token], place: int) -> bool:
    """Whether ``place`` lies in a relative clause that no comma cuts off."""
    for back in range(place - 1, max(0, place - 6), -1):
        if not row[back].text[0].isalnum():
            return False
        if row[back].low in RELATIVE or (
            row[back].low == "that" and row[back - 1].low not in REPORTING
        ):
            return row[back - 1].text[0].isalnum()
    return False


def leading_phrase(row: Sequence[Token]) -> tuple[int, int] | None:
    """The noun phrase that a sentence opens with, as (first, end) places; None without one."""
    first = 0
    while first < len(row) and not row[first].text[0].isalnum() and row[first].text != QUOTE:
        first += 1
    if first < len(row) and row[first].low in PREPOSITIONS | CLAUSE:
        comma = next((i for i, token in enumerate(row[:REACH]) if token.text == ","), None)
        if comma is None:
            return None
        first = comma + 1
    elif first + 2 < len(row) and row[first].low.endswith("ly") and row[first + 1].text == ",":
        first += 2
    if first >= len(row):
        return None
    if row[first].low in PRONOUNS:
        return first, first + 1
    end = first
    while end < len(row) and end - first < MAX_PHRASE:
        token = row[end]
        if not token.text[0].isalnum():
            break
        if token.low in VERBS or token.low in CLAUSE or token.low in RELATIVE:
            break
        if (
            end > first
            and token.text[0].islower()
            and (token.low.endswith("ed") or token.low in ADVERBS or token.low in CALENDAR)
        ):
            break
        if (
            token.text[0].islower()
            and row[first].low not in DETERMINERS
            and token.low not in ROLES
            and token.low not in ("of", "de", "van", "von", "der", "al", "and")
        ):
            break
        end += 1
    if end == first or not any(_is_nominal(word) for word in row[first:end]):
        return None
    # "The minister, Bo Ek, has": the name goes with its description.
    if end < len(row) and row[end].text == "," and not is_name(row, first, end):
        name = end + 1
        while name < len(row) and name - end < 6 and row[name].text[0].isupper():
            name += 1
        if name - end > 1 and name < len(row) and row[name].text == ",":
            end = name
    return first, end


def is_name(row: Sequence[Token], first: int, end: int) -> bool:
    words = row[first:end]
    return (
        0 < len(words) <= 8
        and words[0].text[0].isupper()
        and words[0].low not in DETERMINERS | QUANTIFIERS
        and not any(word.text[0].islower() and word.low in ROLES for word in words)
    )


def _is_nominal(word: Token) -> bool:
    return (
        word.text[0].isupper()
        or word.low in DETERMINERS
        or word.low in QUANTIFIERS
        or word.low in ROLES
        or word.low in BODY_WORDS
    )


def _trim_joined(row: Sequence[Token], first: int, last: int) -> int:
    """Keep ``A and B`` where both are names or both have articles; else only what follows."""
    for place in range(last, first - 1, -1):
        if row[place].low == "and" and place < last:
            left = row[first:place]
            right = row[place + 1]
            if not left:
                return place + 1
            alike = (
                len(left) <= 8
                and left[0].text[0].isupper()
                and left[0].low not in PREPOSITIONS
                and (left[-1].text[0].isupper() or left[0].low in DETERMINERS)
                and (
                    right.text[0].isupper()
                    or right.low in DETERMINERS
                    or left[-1].text[0].islower()
                )
            )
            return first if alike else place + 1
    return first


def _trim_preposition(row: Sequence[Token], first: int, last: int) -> int:
    """Cut ``On Tuesday`` from ``On Tuesday the minister``."""
    if first > last or row[first].low not in PREPOSITIONS | CALENDAR | {"still", "meanwhile"}:
        return first
    for place in range(last, first, -1):
        if row[place].low in DETERMINERS and row[place - 1].low not in PREPOSITIONS:
            return place
    place = last
    while place > first and row[place].text[0].isupper() and row[place].low not in CALENDAR:
        place -= 1
    return place + 1
