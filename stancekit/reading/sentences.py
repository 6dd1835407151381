"""A text cut into paragraphs, and a paragraph into sentences.

Every span is a pair of offsets into the text as given, in code points, with no white space at its
ends. A quotation is never cut: ``"We came. We saw," she said.`` is one sentence, because who said
the first half is known only from the second.
"""

# ruff: noqa: RUF001  (quotation marks and dashes are data here)

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from stancekit.reading.quotes import Quotation
from stancekit.reading.verbs import SAYING
from stancekit.reading.words import word_set

__all__ = ["ITEM", "Span", "paragraphs", "sentences"]


class Span(NamedTuple):
    """A stretch of a text: offsets of the first character and one past the last."""

    start: int
    end: int


LINE = re.compile(r"[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
# Lines of a hard-wrapped text are never longer than this, in characters, nor its longest shorter.
WIDEST_WRAP = 100
NARROWEST_WRAP = 60

# Marks of a list item: a line that starts with one is never the continuation of another.
BULLETS = "•·*-–—‣◦▪"

# A place, perhaps a date, and a dash: LONDON, 3 May 2019 (Agency) - ...
DATELINE = re.compile(
    r"(?:[^\W\d_a-z][^\W\d_]{0,30}[^\S\r\n]){0,3}[A-ZÀ-ÖØ-Þ]{3,30}[^\n\r.!?\"“]{0,20}"
    r"(?:[\w.][^\n\r!?\"“–—]{0,60}?)?[^\S\r\n](?:--?|–|—)[^\S\r\n]+(?=\S)"
)

# How a point of a list begins: bulleted, numbered or lettered.
ITEM = re.compile(r"(?:[•·*‣◦▪–—-]|\(?(?:\d{1,2}|[a-z]|[ivx]{1,4})[.)])\s+(?=\S)")

STOP = re.compile(r"[.!?…]+[)\]'’”\"»]*(?=\s|$)")

# Never the last word of a sentence: what they shorten is followed by a name or a number.
TITLES = word_set(
    """adm brig capt cdr cmdr col cpl dr fr gen gov hon lieut lt maj messrs mr mrs ms mt pres
    prof pte rep reps rev sen sens sgt sr supt st vs fig e.g i.e cf approx no nos vol pp"""
)
# May be the last word; then the next one looks like the start of a sentence.
SHORTENED = word_set(
    """a.m p.m inc co corp ltd llc plc jr sr etc al bros dept est jan feb mar apr jun jul aug
    sept sep oct nov dec mon tue tues wed thu thur thurs fri sat sun ave blvd rd ph.d d.c
    u.s u.k u.n e.u u.s.a"""
)
STARTERS = word_set(
    """a after although an and as asked at both but by each even every few for from he her his
    how however i if in it its many meanwhile more most mr mrs ms no nobody none nor not now
    on one only others our people she since so some still such that the their then there
    these they this those though to under until we what when where while who why with yet
    you"""
)
NO_BREAK_BEFORE = re.compile(r"[^\W\d_]")
WORD_BEFORE = 24  # characters; longer words are no abbreviations
ATTRIBUTION_REACH = 120  # characters from a closing quote to the verb of its attribution
SPEECH = re.compile(r"[^\W\d_][\w'’.\-]*")


def paragraphs(text: str) -> list[Span]:
    """The paragraphs of a text, in order.

    A line is a paragraph, unless the text is hard-wrapped; then lines are joined where the next
    word would not have fitted on the line before.
    """
    found: list[Span] = []
    width = max((len(line.group()) for line in LINE.finditer(text)), default=0)
    wrapped = NARROWEST_WRAP <= width <= WIDEST_WRAP
    last_line_start = last_line_end = -1
    for line in LINE.finditer(text):
        span = _strip(text, line.start(), line.end())
        if span is None:
            continue
        gap = text[last_line_end : line.start()]
        if (
            wrapped
            and found
            and last_line_end >= 0
            and gap in ("\n", "\r\n", "\r")
            and _was_wrapped(text, found[-1].end - last_line_start, span, width)
        ):
            found[-1] = Span(found[-1].start, span.end)
        else:
            found.append(span)
        last_line_start, last_line_end = line.start(), line.end()
    return found


def _was_wrapped(text: str, length: int, following: Span, width: int) -> bool:
    if text[following.start] in BULLETS:
        return False
    word = re.compile(r"\S+").match(text, following.start, following.end)
    return word is not None and length + 1 + len(word.group()) > width


def _strip(text: str, start: int, end: int) -> Span | None:
    """The span without white space at its ends; None when nothing is left."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Span(start, end) if start < end else None


def sentences(text: str, paragraph: Span, quotations: Sequence[Quotation]) -> list[Span]:
    """The sentences of one paragraph, in order; together they cover all but its white space.

    Args:
        text: the whole text.
        paragraph: where the paragraph is.
        quotations: the paragraph's quotations, in order.
    """
    found: list[Span] = []
    start = paragraph.start
    dateline = DATELINE.match(text, paragraph.start, paragraph.end)
    cuts = _cuts(text, paragraph, quotations)
    if dateline is not None:
        cuts = _with(dateline.end(), cuts)
    for cut in cuts:
        if cut > start:
            span = _strip(text, start, cut)
            if span is not None:
                found.append(span)
            start = cut
    return found


def _with(first: int, cuts: Iterator[int]) -> Iterator[int]:
    yield first
    yield from cuts


def _cuts(text: str, paragraph: Span, quotations: Sequence[Quotation]) -> Iterator[int]:
    """Where sentences end, in order; the last is the paragraph's end."""
    position = paragraph.start
    item = ITEM.match(text, *paragraph)
    if item is not None:
        position = item.end()  # the stop in "1. A lower toll" ends nothing
    for quotation in quotations:
        yield from _plain_cuts(text, position, quotation.start, paragraph.end)
        position = max(position, quotation.end)
        if _closes_sentence(text, quotation, paragraph.end):
            yield position
    yield from _plain_cuts(text, position, paragraph.end, paragraph.end)
    yield paragraph.end


def _plain_cuts(text: str, start: int, end: int, paragraph_end: int) -> Iterator[int]:
    for stop in STOP.finditer(text, start, end):
        if stop.end() < paragraph_end and not text[stop.end()].isspace():
            continue  # the lookahead saw the end of the stretch, which is not the end of a word
        following = _skip_space(text, stop.end(), paragraph_end)
        if following == paragraph_end or _is_end(text, start, stop, following, paragraph_end):
            yield stop.end()


def _skip_space(text: str, position: int, end: int) -> int:
    while position < end and text[position].isspace():
        position += 1
    return position


def _is_end(text: str, start: int, stop: re.Match[str], following: int, end: int) -> bool:
    """Whether a stop followed by white space ends its sentence."""
    if text[following].islower():
        return False
    if not stop.group().startswith("."):
        return True
    if stop.group().startswith("..") and not text[following].isupper():
        return True
    word = _word_before(text, start, stop.start())
    lowered = word.lower()
    next_word = SPEECH.match(text, following, end)
    starter = next_word is not None and next_word.group().lower() in STARTERS
    if lowered in TITLES:
        # "No." and "St." are words too, before the start of something new.
        return lowered == "no" and not text[following].isdigit()
    if lowered in SHORTENED or re.fullmatch(r"(?:[a-z]\.)+[a-z]", lowered):
        return starter or text[following] in "\"“‘'«"
    if len(word) == 1 and word.isupper():
        return (starter and word != "I") or (word == "I" and starter)
    return True


def _word_before(text: str, start: int, end: int) -> str:
    position = end
    floor = max(start, end - WORD_BEFORE)
    while position > floor and (text[position - 1].isalnum() or text[position - 1] == "."):
        position -= 1
    return text[position:end]


def _closes_sentence(text: str, quotation: Quotation, end: int) -> bool:
    """Whether a sentence ends with the quotation."""
    following = _skip_space(text, quotation.end, end)
    if following == end:
        return False
    if following == quotation.end and text[following] not in "\"“‘'«":
        return False
    inner = text[max(quotation.start, quotation.end - 4) : quotation.end].rstrip("\"”’'»›“ ")
    if not inner.endswith((".", "!", "?", "…")):
        return False
    if not (
        text[following].isupper() or text[following] in "\"“‘'«[(" or text[following].isdigit()
    ):
        return not NO_BREAK_BEFORE.match(text, following) and text[following] not in ",;:-–—."
    return not _attribution_follows(text, following, end, inner[-1])


def _attribution_follows(text: str, start: int, end: int, stop: str) -> bool:
    """Whether the words after a closed quotation say whose it is: ``"Why?" Ms Lund asked.``"""
    words: list[str] = []
    reach = min(end, start + ATTRIBUTION_REACH)
    clause = re.compile(
        r"[^.!?,:;\"“‘«]*(?:\b(?:Mr|Mrs|Ms|Dr|Sen|Rep|Gov)\.[^.!?,:;\"“‘«]*)?"
    ).match(text, start, reach)
    if clause is None:
        return False
    words = [word.group() for word in SPEECH.finditer(clause.group())]
    for place, word in enumerate(words[1:9], start=1):
        if word in SAYING:
            rest = words[place + 1 :]
            if "that" in rest:
                return False
            # After a full stop only the bare form is believed: a new sentence is likelier.
            return len(rest) <= (0 if stop == "." else 8)
        if word in STARTERS and place > 1:
            return False
    return False
