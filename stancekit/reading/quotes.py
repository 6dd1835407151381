"""Where a text quotes.

Straight and curly, double and single marks and guillemets are read by their neighbours, because
newsrooms mix them; a mark inside a word is an apostrophe. Only outermost quotations are reported:
what a speaker quotes stays inside the speaker's own words.
"""

# ruff: noqa: RUF001  (quotation marks and dashes are data here)

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Quotation", "quotations"]


class Quotation(NamedTuple):
    """One quotation within one paragraph.

    Attributes:
        start: offset of the opening mark, or of the paragraph where the mark is missing.
        end: offset one past the closing mark, or the paragraph's end where it is missing.
        closed: False when the quotation runs on past the paragraph, or its closing mark is lost.
        continues: True when it carries on a quotation left open by the paragraph before.
    """

    start: int
    end: int
    closed: bool
    continues: bool


DOUBLE = '"“”„‟«»＂'
SINGLE = "'‘’‚‹›`´"
OPENERS = "“„‟‘‚‹"
MARKS = re.compile(f"[{DOUBLE}{SINGLE}]+")
# Words that lose their first letters; the mark before them opens nothing.
ELISION = re.compile(
    r"['‘’](?:\d0s|\d\d(?!\w)|(?:tis|twas|em|til|till|cause|bout|round|n|cos|ere|im)\b)",
    re.IGNORECASE,
)
BEFORE_OPENING = "([{-–—/:;,=>…"


class _Mark(NamedTuple):
    start: int
    end: int
    double: bool
    opens: bool
    closes: bool


def quotations(text: str, paragraphs: Sequence[tuple[int, int]]) -> list[list[Quotation]]:
    """The outermost quotations of each paragraph, in order.

    Args:
        text: the whole text.
        paragraphs: (start, end) of each paragraph, in order.

    Returns:
        One list a paragraph.
    """
    found: list[list[Quotation]] = []
    left_open: bool | None = None  # whether the open quotation is double; None when none is open
    for number, (start, end) in enumerate(paragraphs):
        reopens = None
        if number + 1 < len(paragraphs):
            reopens = _opening(text, *paragraphs[number + 1])
        spans = _in_paragraph(text, start, end, left_open, reopens)
        found.append(spans)
        left_open = None
        if spans and not spans[-1].closed:
            left_open = any(mark in DOUBLE for mark in text[spans[-1].start : spans[-1].start + 2])
    return found


def _opening(text: str, start: int, end: int) -> bool | None:
    """Whether the paragraph starts with a double mark (True), a single one (False) or none."""
    run = MARKS.match(text, start, end)
    if run is None or run.end() == end or text[run.end()].isspace():
        return None
    return run.group()[0] in DOUBLE


def _in_paragraph(
    text: str, start: int, end: int, left_open: bool | None, reopens: bool | None
) -> list[Quotation]:
    marks = _marks(text, start, end)
    if not marks:
        return []
    found, depth = _match(text, marks, start, end, left_open, reopens, nested=True)
    if depth > 1:
        # A mark is missing: trust each opening mark to end what was open before it.
        found, _ = _match(text, marks, start, end, left_open, reopens, nested=False)
    return found


def _marks(text: str, start: int, end: int) -> list[_Mark]:
    marks = []
    for run in MARKS.finditer(text, start, end):
        a, b = run.span()
        before = text[a - 1] if a > start else " "
        after = text[b] if b < end else " "
        group = run.group()
        double = any(mark in DOUBLE for mark in group[:4]) or group in ("''", "``")
        if not double and before.isalnum() and after.isalnum():
            continue  # an apostrophe
        if not double and ELISION.match(text, b - 1):
            continue
        opens = (before.isspace() or before in BEFORE_OPENING) and not after.isspace()
        closes = not before.isspace() and not after.isalnum()
        if group[0] in OPENERS and after.isalnum():
            opens, closes = True, False
        elif group[-1] in "”’" and not before.isspace() and not opens:
            closes = True
        elif not opens and not closes and before in ".,!?…" and after.isalnum():
            opens = closes = True  # the space between two sentences is missing
        if opens or closes:
            marks.append(_Mark(a, b, double, opens, closes))
    return marks


def _match(
    text: str,
    marks: Sequence[_Mark],
    start: int,
    end: int,
    left_open: bool | None,
    reopens: bool | None,
    *,
    nested: bool,
) -> tuple[list[Quotation], int]:
    """Pair the marks of one paragraph.

    Returns:
        The quotations, and how many marks were still open at the end.
    """
    found: list[Quotation] = []
    opened: _Mark | None = None
    depth = 0
    weak = -1  # end of the last mark that may close a single quotation or be a plural's apostrophe
    last_closer = max((i for i, m in enumerate(marks) if not m.double and m.closes), default=-1)
    continues = False
    for i, mark in enumerate(marks):
        if opened is None:
            if i == 0 and left_open is not None and mark.double == left_open:
                if mark.start == start:
                    opened, depth, continues, weak = mark, 1, True, -1
                    continue
                if mark.closes and not mark.opens:
                    found.append(Quotation(start, mark.end, True, True))
                    continue
            if mark.opens:
                if mark.double or last_closer > i or reopens is False:
                    opened, depth, continues, weak = mark, 1, False, -1
            elif mark.double and not found and text[mark.start - 1] in ".,!?…":
                found.append(Quotation(start, mark.end, True, False))  # its opening mark is lost
        elif mark.double != opened.double:
            continue
        elif mark.closes and not (mark.opens and depth == 1 and not nested):
            if not mark.double and _may_be_plural(text, mark, end):
                weak = mark.end
                continue
            depth -= 1
            if depth == 0:
                found.append(Quotation(opened.start, mark.end, True, continues))
                opened = None
        elif mark.double and nested:
            depth += 1
        else:
            close = weak if weak > 0 else mark.start
            found.append(Quotation(opened.start, close, weak > 0, continues))
            opened, depth, continues, weak = mark, 1, False, -1
    if opened is not None:
        if weak > 0 and reopens is not False:
            found.append(Quotation(opened.start, weak, True, continues))
        else:
            found.append(Quotation(opened.start, end, False, continues))
    return found, depth


def _may_be_plural(text: str, mark: _Mark, end: int) -> bool:
    """Whether a single closing mark may be the apostrophe of ``the ministers' talks``."""
    if text[mark.start - 1] not in "sSn" or mark.end >= end:
        return False
    return text[mark.end].isspace() and mark.end + 1 < end and text[mark.end + 1].islower()
