"""Whose a reporting verb is: its subject, before it, after it or across a clause."""

# ruff: noqa: RUF001  (quotation marks and dashes are data here)

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from stancekit.reading.names import ROLES
from stancekit.reading.phrases import (
    MAX_PHRASE,
    QUOTE,
    REACH,
    Token,
    is_name,
    is_verb,
    leading_phrase,
    phrase_start,
)
from stancekit.reading.sentences import Span
from stancekit.reading.verbs import EVIDENCE, INVERTING, NOUNS, REPORTING
from stancekit.reading.words import (
    ADVERBS,
    BEING,
    CALENDAR,
    DETERMINERS,
    ENDS_PHRASE,
    FINITE,
    PERSON_PRONOUNS,
    PREPOSITIONS,
    RELATIVE,
)

LIKE_ADVERBS = ("family", "ally", "assembly", "monopoly", "early")
NO_NAME = PREPOSITIONS | CALENDAR  # words with a capital that are no part of one: On Monday

__all__ = ["Cue", "after", "around", "before", "hanging"]


class Cue(NamedTuple):
    """A sentence's attribution.

    Attributes:
        source: where the words that name the source stand, as offsets.
        verb: place of the reporting word among the sentence's tokens.
        first: place of the first token of the attribution.
        last: place one past its last token.
    """

    source: Span
    verb: int
    first: int
    last: int


def around(row: Sequence[Token], verb: int) -> Cue | None:
    """The subject before the verb or, failing that, after it."""
    neighbour = row[verb - 1].text if verb else ""
    if neighbour == ",":
        cue = before(row, verb)
        if cue is not None:
            return cue
    if (
        row[verb].low in INVERTING
        and neighbour in (",", QUOTE, "-", "–", "—")
        and verb > 0
        and verb + 1 < len(row)
        and _starts_phrase(row[verb + 1])
    ):
        cue = after(row, verb, verb + 1)
        if cue is not None and row[cue.last - 1].low != "it":
            return cue
    return before(row, verb)


def _starts_phrase(token: Token) -> bool:
    if token.text[0].islower() and token.low.endswith("ly") and token.low not in LIKE_ADVERBS:
        return False
    return (
        token.text[0].isupper()
        or token.low in DETERMINERS - {"that"}
        or token.low in ("he", "she", "they", "one", "another")
        or token.low in ROLES
        or (
            (token.text[0].isalpha() and token.low not in ENDS_PHRASE | PREPOSITIONS | {"it"})
            and token.low not in ADVERBS
        )
    )


def after(row: Sequence[Token], verb: int, first: int) -> Cue | None:
    """A cue whose source follows: ``said the mayor``, ``according to the mayor``."""
    last = first
    while last < len(row) and last - first < MAX_PHRASE:
        token = row[last]
        licensed = token.low == "by" and last > first and row[last - 1].low.endswith("ed")
        if licensed:
            last += 1
            continue
        if not token.text[0].isalnum() or token.low in ENDS_PHRASE or token.low in FINITE:
            break
        if token.low in PERSON_PRONOUNS and last > first:
            if token.low in ("he", "she") and row[last - 1].low in EVIDENCE:
                first, last = last, last + 1  # "according to a letter she sent"
            break
        last += 1
        if token.low in ("he", "she", "they", "one"):
            break
    if last == first:
        return None
    # "said its chairman, Bo Ek": a description, then the name.
    if (
        last + 1 < len(row)
        and row[last].text == ","
        and (row[first].low in DETERMINERS or row[first].text[0].islower())
        and any(token.low in ROLES for token in row[first:last])
    ):
        name = last + 1
        while name < len(row) and name - last < 6 and row[name].text[0].isupper():
            name += 1
        if name - last > 2 and row[last + 1].low not in CALENDAR:
            last = name
    return Cue(Span(row[first].start, row[last - 1].end), verb, verb, last)


def before(row: Sequence[Token], verb: int) -> Cue | None:
    """A cue whose source comes first: ``the mayor also said``, ``Lund, the mayor, said``."""
    place = verb - 1
    while place >= 0 and (
        (row[place].low in ADVERBS and not (row[place].low == "both" and place == 0))
        or (row[place].low.endswith("ly") and row[place].text[0].islower())
        or (row[place].low in BEING and row[verb].low in ("quoted", "expected"))
    ):
        place -= 1
    if place < 0:
        return None
    last = row[place]
    if last.low in BEING or last.low in PREPOSITIONS or last.low in DETERMINERS - {"this", "that"}:
        return None
    if last.low in ("and", "but"):
        earlier = _shared_subject(row, place)
        return None if earlier is None else Cue(earlier, verb, verb, verb + 1)
    if last.low in RELATIVE:
        return _antecedent(row, place, verb)
    if last.text in (",", ")", "–", "—", "-", "--"):
        return _past_apposition(row, place, verb)
    if not last.text[0].isalnum():
        return None
    first = phrase_start(row, place)
    return None if first is None else _cue(row, first, place + 1, verb)


def _cue(row: Sequence[Token], first: int, end: int, verb: int, begin: int | None = None) -> Cue:
    return Cue(
        Span(row[first].start, row[end - 1].end), verb, first if begin is None else begin, verb + 1
    )


def _shared_subject(row: Sequence[Token], place: int) -> Span | None:
    """``The chairman conceded the point but said``: the subject of an earlier reporting verb."""
    floor = max(0, place - REACH)
    for earlier in range(place - 1, floor, -1):
        if row[earlier].text in (QUOTE, ";"):
            return None
        if row[earlier].low in REPORTING and (
            row[earlier].low not in NOUNS or is_verb(row, earlier)
        ):
            cue = before(row, earlier) if row[earlier - 1].low != "and" else None
            return None if cue is None else cue.source
    # "The board met and said": the phrase that opens the sentence.
    phrase = leading_phrase(row[:place])
    return None if phrase is None else Span(row[phrase[0]].start, row[phrase[1] - 1].end)


def _antecedent(row: Sequence[Token], place: int, verb: int) -> Cue | None:
    """``Lund, who said``: whom the relative clause is about."""
    before = place - 1
    if before >= 0 and row[before].text == ",":
        before -= 1
    if before < 0 or not row[before].text[0].isalnum():
        return None
    first = phrase_start(row, before)
    if first is None:
        return None
    # "Lund, a retired judge, who said": the name that the description stands beside.
    if row[first].low in ("a", "an") and first >= 2 and row[first - 1].text == ",":
        name = first - 1
        while name > 0 and row[name - 1].text[0].isupper() and row[name - 1].low not in NO_NAME:
            name -= 1
        if is_name(row, name, first - 1):
            return _cue(row, name, first - 1, verb)
    return _cue(row, first, before + 1, verb)


def _past_apposition(row: Sequence[Token], place: int, verb: int) -> Cue | None:
    """The source before ``, the mayor,`` or ``(Greens)`` or ``, who farms near Lund,``."""
    if row[place].text == ")":
        opening = place - 1
        while opening > 0 and place - opening < REACH and row[opening].text != "(":
            opening -= 1
        if opening <= 0 or row[opening].text != "(":
            return None
        first = phrase_start(row, opening - 1)
        return None if first is None else _cue(row, first, opening, verb)
    mark = row[place].text
    commas = [place]
    back = place - 1
    while back >= 0 and place - back < 2 * REACH:
        text = row[back].text
        if text == mark:
            commas.append(back)
        elif text in (QUOTE, ";", ":"):
            break
        back -= 1
    if len(commas) < 2:
        return None
    # Parts between commas, the nearest first; the last one begins where the clause does.
    parts = [(commas[i + 1] + 1, commas[i]) for i in range(len(commas) - 1)]
    parts.append((back + 1, commas[-1]))
    head = 1
    first, end = parts[0]
    if not any(word.low in RELATIVE for word in row[first:end]) and any(
        word.low in FINITE for word in row[first:end]
    ):
        return None  # a clause, no apposition
    named = is_name(row, first, end)
    if named and any(word.low in ROLES for word in row[slice(*parts[1])]):
        description = phrase_start(row, parts[1][1] - 1)
        if description is not None:
            return _cue(row, description, end, verb)
    for number, (first, end) in enumerate(parts[:-1]):
        low = row[first].low if first < end else ""
        if low in RELATIVE or low[:1].isdigit():
            head = number + 1
            break
    else:
        first, end = parts[0]
        description = phrase_start(row, parts[1][1] - 1) if parts[1][1] > parts[1][0] else None
        if is_name(row, first, end) and description is not None:
            if not is_name(row, description, parts[1][1]):
                return _cue(row, description, end, verb)
            if len(parts) > 2:
                head = 1
        # "Lund, the member for Malmö, Skåne, said": a description with a comma in it.
        elif len(parts) > 2 and row[parts[1][0]].low in DETERMINERS:
            before = phrase_start(row, parts[2][1] - 1) if parts[2][1] else None
            if before is not None and is_name(row, before, parts[2][1]):
                return _cue(row, before, parts[2][1], verb)
    first, end = parts[head]
    if end <= first or not row[end - 1].text[0].isalnum():
        return None
    start = phrase_start(row, end - 1)
    if start is None:
        return None
    # The head may itself be a name that explains the part before it: "its chairman, Bo Ek, 61,".
    if head + 1 < len(parts) and is_name(row, start, end) and start == first:
        before_first, before_end = parts[head + 1]
        if before_end > before_first and row[before_first].low in DETERMINERS | {"a", "an"}:
            return _cue(row, start, end, verb, begin=before_first)
    return _cue(row, start, end, verb)


def hanging(row: Sequence[Token], verb: int) -> Cue | None:
    """``The board met, saying``: the report hangs on the subject that opens the sentence."""
    phrase = leading_phrase(row)
    if phrase is None or phrase[1] > verb:
        return None
    first, end = phrase
    return Cue(Span(row[first].start, row[end - 1].end), verb, verb, verb + 1)
