# ruff: noqa: RUF001  (quotation marks and dashes are data here)
"""When two mentions are one speaker's: the word a name is kept under, and what names agree in."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["JOINT", "key", "same_person"]

# Two names joined: they speak together, and are no one of the two.
JOINT = re.compile(
    r"(?:[Tt]he )?[^\W\d_a-z][^,]{0,60}? and (?:the )?[^\W\d_a-z][^\s,]*(?: [^\W\d_a-z][^\s,]*)*$"
)


def key(name: str) -> str:
    """The word by which a later short mention would call them."""
    if " and " in name and JOINT.match(name):
        return name.lower()
    word = name.lower().split()[-1]
    for ending in ("'s", "’s", "'", "’"):
        word = word.removesuffix(ending)
    return word.rstrip(".")


def same_person(a: Sequence[str], b: Sequence[str]) -> bool:
    """Whether two names of one surname may be one person's: no given name or initial differs."""
    if a[-1] != b[-1]:
        return False
    if len(a) == 1 or len(b) == 1:
        return True
    x, y = a[0].rstrip("."), b[0].rstrip(".")
    return x == y or (min(len(x), len(y)) == 1 and x[0] == y[0]) or a[0] in b or b[0] in a
