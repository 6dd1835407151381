"""Copies of training rows in which the statement does not name the topic.

People quoted in an article say "it" and "this plan": the topic was named a sentence earlier. Rows
made to be labelled alone nearly always name it, and a model that saw only those takes a statement
without the topic's words for one about something else.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from stancekit.records import Example

# What stands in for a topic that was named before; "it" is by far the commonest.
STAND_INS = ("it", "it", "it", "this", "that", "the plan", "the idea", "this move")
ARTICLE = r"(?:\b(?:the|a|an|this|that|these|those|its|their|his|her|our)\s+)?"
FEWEST_WORDS = 4  # left of a statement besides the stand-in; fewer say too little


def unnamed(rows: Sequence[Example], seed: int) -> list[Example]:
    """A copy of each row whose statement names its topic, with a stand-in for the name."""
    rng = random.Random(seed)
    made = []
    for row in rows:
        words = re.findall(r"\w+", re.sub(r"^(?:the|a|an)\s+", "", row.topic, flags=re.IGNORECASE))
        if not words:
            continue
        name = re.compile(
            ARTICLE + r"\b" + r"\W{1,2}".join(map(re.escape, words)) + r"\b", re.IGNORECASE
        )
        statement, found = name.subn(rng.choice(STAND_INS), row.statement)
        if found and len(statement.split()) >= FEWEST_WORDS + found:
            statement = statement[0].upper() + statement[1:]
            made.append(Example(statement, row.topic, row.speaker, row.label, row.group))
    return made
