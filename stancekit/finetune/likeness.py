"""Which statements are nearly the same, and which rows therefore belong together."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from stancekit.records import Example

__all__ = ["components", "near_identical", "plain_topic", "plain_words"]

ALIKE = 0.8  # shared share of all words: one word of ten may differ
SHINGLE = 3  # words in a row that two statements must share to be compared at all
COMMON = 100  # statements with the same three words; a stock phrase makes none of them alike


def plain_words(text: str) -> tuple[str, ...]:
    """The words of a text without case and punctuation."""
    return tuple(re.findall(r"\w+", text.lower()))


def plain_topic(topic: str) -> str:
    """What makes two topics the same: words, without articles."""
    return " ".join(word for word in plain_words(topic) if word not in {"the", "a", "an"})


def near_identical(statements: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of positions, the earlier first, of statements with nearly the same words.

    Of many that are alike, each is paired with at least one other, not with all.
    """
    texts = [plain_words(statement) for statement in statements]
    first: dict[tuple[str, ...], int] = {}
    pairs = []
    for i, text in enumerate(texts):
        if first.setdefault(text, i) != i:
            pairs.append((first[text], i))
    places: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for i in first.values():
        words = set(texts[i])
        shared = Counter(j for shingle in _shingles(texts[i]) for j in places[shingle] if j != i)
        for j in sorted(shared):
            other = set(texts[j])
            if len(words & other) >= ALIKE * len(words | other):
                pairs.append((j, i))
        for shingle in _shingles(texts[i]):
            if len(places[shingle]) < COMMON:
                places[shingle].append(i)
    return pairs


def components(examples: Sequence[Example], by_topic: bool = False) -> list[int]:
    """A number for each row; rows that must not be parted have the same.

    Those are rows of one group, rows whose statements are nearly the same and, if asked for, rows
    on one topic.
    """
    parent = list(range(len(examples)))

    def find(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    links: list[tuple[int, int]] = near_identical([e.statement for e in examples])
    links += _equal(e.group for e in examples)
    if by_topic:
        links += _equal(plain_topic(e.topic) for e in examples)
    for i, j in links:
        parent[find(j)] = find(i)
    return [find(i) for i in range(len(examples))]


def _shingles(words: tuple[str, ...]) -> set[tuple[str, ...]]:
    if len(words) < SHINGLE:
        return {words}
    return {words[i : i + SHINGLE] for i in range(len(words) - SHINGLE + 1)}


def _equal(values: Iterable[str | None]) -> list[tuple[int, int]]:
    first: dict[str, int] = {}
    return [(first.setdefault(v, i), i) for i, v in enumerate(values) if v is not None]
