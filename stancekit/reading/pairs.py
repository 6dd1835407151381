"""``Both governments``: of the two places that were named together before."""

from __future__ import annotations

import re
from collections.abc import Container

from stancekit.reading.namesakes import key

__all__ = ["STATES", "both_states"]

# What stands for two places, and how those are then called.
STATES = {
    "both countries": "{} and {}",
    "both governments": "governments of {} and {}",
    "the two countries": "{} and {}",
    "the two governments": "governments of {} and {}",
}
PAIR = re.compile(r"\b([^\W\d_a-z][^\W\d_]{2,}) and ([^\W\d_a-z][^\W\d_]{2,})\b")
REACH = 300  # characters in which the two are looked for


def both_states(low: str, text: str, place: int, people: Container[str]) -> str | None:
    """``governments of Denmark and Sweden``; None where no two places were named together.

    Args:
        low: one of ``STATES``.
        text: the whole text.
        place: where it stands.
        people: keys of those known by name, who have no governments.
    """
    pairs = PAIR.findall(text, max(0, place - REACH), place)
    places = [pair for pair in pairs if not any(key(name) in people for name in pair)]
    return STATES[low].format(*places[-1]) if places else None
