"""Minutes of meetings: reported speech with hardly a verb of saying.

Once somebody has introduced a paper or made a point, the rest of the paragraph is theirs; what
was resolved is the committee's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from stancekit.reading.names import is_body
from stancekit.reading.phrases import Token
from stancekit.reading.sentences import Span
from stancekit.reading.words import word_set

__all__ = ["OFFICERS", "are_minutes", "committee", "decides", "takes_the_floor"]

# What the head of minutes has, and nothing else does.
HEAD = re.compile(
    r"^\W{0,4}(?:(?:draft )?minutes|in attendance|members present|apologies(?: for absence)?)\b"
    r"|\bminutes of\b",
    re.IGNORECASE | re.MULTILINE,
)
HEAD_LENGTH = 1500  # characters in which it stands
HEAD_LINES = 5
# Begin a report without being one.
FLOOR = word_set(
    """addressed briefed introduced outlined presented rose spoke summarised summarized updated
    reminded explained"""
)
# What minutes call whoever of the staff brought a paper, once they have given the post.
OFFICERS = ("the officer", "the officers", "officers")
DECIDED = word_set("recommended resolved agreed ordered decided")
SOON = 8  # tokens


def are_minutes(text: str) -> bool:
    """Whether a text is the minutes of a meeting, by its head."""
    return HEAD.search(text[:HEAD_LENGTH]) is not None


def committee(text: str, paragraphs: Sequence[Span]) -> Span | None:
    """The line at the head that names who met; the last such, which is the narrowest body."""
    found = None
    for span in paragraphs[:HEAD_LINES]:
        line = text[span.start : span.end]
        if len(line) <= 80 and ":" not in line and is_body(line) and not HEAD.match(line):
            found = span
    return found


def takes_the_floor(row: Sequence[Token]) -> bool:
    """``Mrs Lomax addressed the panel.``"""
    return any(token.low in FLOOR for token in row[1:SOON])


def decides(row: Sequence[Token]) -> bool:
    """``Resolved (4-2): that the toll be dropped.``"""
    return (
        bool(row)
        and row[0].low in DECIDED
        and any(token.low in ("that", "to") for token in row[1 : SOON + 1])
    )
