"""Whether a statement can be understood alone."""

# ruff: noqa: RUF001  (quotation marks are data here)

from __future__ import annotations

import re

from stancekit.reading.sentences import Span
from stancekit.reading.verbs import REPORTING
from stancekit.reading.words import word_set

__all__ = ["needs_context"]

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
OPENING = 4  # words, speaker and verb left out, in which a pronoun points outside
BARE = 2  # words; no more are an answer to something
REACH = 160  # characters that are looked at
# Point to something said before; with a noun after them (``this toll``) they may too.
POINTING = word_set(
    """he him his she her it its they them their this that these those such so there neither
    both ones otherwise it's that's they're he's she's"""
)
# Open an answer or a sequel.
SEQUEL = word_set("yes no not never nor but and or because absolutely certainly perhaps maybe then")


def needs_context(text: str, statement: Span, mention: Span | None) -> bool:
    """Whether a pronoun near a statement's beginning, or its shortness, sends the reader back.

    The words that name the speaker, and the verb of saying, do not count.
    """
    end = min(statement.end, statement.start + REACH)
    kept: list[str] = []
    after_verb = False
    for match in WORD.finditer(text, statement.start, end):
        if mention is not None and mention.start <= match.start() < mention.end:
            continue
        word = match.group().lower().replace("’", "'")
        if word in REPORTING or word == "told":
            after_verb = True
            continue
        if after_verb and word == "that":
            after_verb = False  # a conjunction, no pronoun
            continue
        after_verb = False
        kept.append(word)
        if len(kept) == OPENING:
            break
    if not kept:
        return False
    bare = len(kept) <= BARE and end == statement.end
    return bare or kept[0] in SEQUEL or any(word in POINTING for word in kept)
