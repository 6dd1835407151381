"""Interviews and transcripts: paragraphs that open with ``Name:``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from stancekit.reading.sentences import Span

__all__ = ["turns"]

LABEL = re.compile(
    r"([^\W\d_a-z][^\n:.!?\"“”«»,;()]{0,60}(?:\.[^\n:.!?\"“”«»,;()]{0,40})?):\s+(?=\S)"
)
MOST_WORDS = 6  # in a label


def turns(text: str, paragraphs: Sequence[Span]) -> dict[int, Span]:
    """Who holds the floor, for each paragraph that is a turn: its number to its label's span.

    One labelled paragraph proves nothing (``Note: …``). At least two labels that each come twice
    make a conversation, and then every labelled paragraph of it is a turn.
    """
    labels: dict[int, Span] = {}
    for number, (start, end) in enumerate(paragraphs):
        found = LABEL.match(text, start, end)
        if found is not None and len(found.group(1).split()) <= MOST_WORDS:
            labels[number] = Span(*found.span(1))
    counts = Counter(text[span.start : span.end] for span in labels.values())
    if sum(count > 1 for count in counts.values()) < 2:
        return {}
    return labels
