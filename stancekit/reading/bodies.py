"""The longer names of institutions: ``the bank``, of which the article said more before."""

# ruff: noqa: RUF001  (quotation marks are data here)

from __future__ import annotations

import re

from stancekit.reading.names import BODY_WORDS
from stancekit.reading.words import (
    CLAUSE,
    DETERMINERS,
    FINITE,
    PREPOSITIONS,
    QUANTIFIERS,
    word_set,
)

__all__ = ["LOOK_BACK", "fuller"]

LOOK_BACK = 4000  # characters in which a body's longer name is looked for
# Not the first half of a body's longer name: "its own bank", "another bank".
NO_HALF = (
    DETERMINERS
    | PREPOSITIONS
    | CLAUSE
    | FINITE
    | QUANTIFIERS
    | word_set("and own same other new old whole entire former said s")
)


def fuller(text: str, word: str, place: int) -> str:
    """``central bank`` for ``bank`` where the article spoke of one; else the word itself.

    Args:
        text: the whole text.
        word: the last word of a body's name.
        place: where it stands.
    """
    if word.lower() not in BODY_WORDS:
        return word
    start = max(0, place - LOOK_BACK)
    for match in re.finditer(rf"([^\W\d_]+) {re.escape(word)}\b(?!['’])", text[start:place]):
        half = match.group(1)
        if half.islower() and half not in NO_HALF and not half.endswith(("ly", "ed", "ing")):
            return f"{half} {word}"
    return word
