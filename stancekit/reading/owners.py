"""Whoever is called by whose they are: ``his lawyer``, ``their chairman's office``."""

# ruff: noqa: RUF001  (quotation marks are data here)

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["Owned", "belonging", "is_owned", "owned"]

OWNED = re.compile(r"(his|her|its|their) (?:own )?(\S.*)", re.IGNORECASE)
SUBJECTS = {"his": "he", "her": "she", "its": "it", "their": "they"}
POSSESSIVE = re.compile(r"(.+(?:['’]s|s['’])) (.+)")


class Owned(NamedTuple):
    """A phrase that opens with a possessive.

    Attributes:
        pronoun: the owner, as a subject: ``he``, ``she``, ``it``, ``they``.
        rest: what is the owner's.
    """

    pronoun: str
    rest: str


def owned(phrase: str) -> Owned | None:
    """The parts of ``his lawyer``; None for a phrase that opens otherwise."""
    found = OWNED.fullmatch(phrase)
    return None if found is None else Owned(SUBJECTS[found.group(1).lower()], found.group(2))


def is_owned(name: str) -> bool:
    """Whether a name says itself whose somebody is: a chain of owners helps nobody."""
    return POSSESSIVE.fullmatch(name) is not None or owned(name) is not None


def belonging(rest: str, owner: str, *, plural: bool, article: bool) -> str:
    """``Ida Lund's lawyer``; of ``chairman's office``, ``office of the board's chairman``.

    Args:
        rest: what belongs to somebody: ``lawyer``, ``chairman's office``.
        owner: who that is: ``Ida Lund``, ``board``.
        plural: whether those are several.
        article: whether the owner is one that is written with ``the``.
    """
    whose = f"{owner}'" if plural and owner.endswith("s") else f"{owner}'s"
    inner = POSSESSIVE.fullmatch(rest)
    if inner is None:
        return f"{whose} {rest}"
    middle, thing = inner.groups()
    middle = middle.removesuffix("'s").removesuffix("’s").rstrip("'’")
    return f"{thing} of {'the ' if article else ''}{whose} {middle}"
