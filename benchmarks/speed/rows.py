"""What is scored: archives of distinct rows, archives that repeat, statements of a given length."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from stancekit.errors import InputError, RecordError
from stancekit.records import Example

REPEATED = 0.3  # share of rows of a wire archive that were there before


def usable(statements: Sequence[str]) -> list[str]:
    """The statements a row can be made of, each once, in order."""
    kept = []
    for statement in dict.fromkeys(statements):
        try:
            Example(statement, "a topic")
        except RecordError:
            continue
        kept.append(statement)
    return kept


def distinct(
    statements: Sequence[str], topics: Sequence[str], count: int, seed: int
) -> list[Example]:
    """Rows no two of which have both statement and topic in common, in random order.

    Raises:
        InputError: there are not as many pairs.
    """
    if count > len(statements) * len(topics):
        raise InputError(
            "rows",
            f"{len(statements):,} statements and {len(topics):,} topics",
            f"enough for {count:,} pairs of them",
            "give a folder with more texts, or ask for fewer rows",
        )
    rng = random.Random(seed)
    statements, topics = list(statements), list(topics)
    rng.shuffle(statements)
    rng.shuffle(topics)
    rows = [
        # One step further among the topics each time round, so that no pair comes twice.
        Example(statement, topics[(i + turn) % len(topics)])
        for turn, i, statement in _rounds(statements, count)
    ]
    rng.shuffle(rows)
    return rows


def repeating(rows: Sequence[Example], count: int, seed: int) -> list[Example]:
    """An archive of which ``REPEATED`` says something again, anywhere in it.

    Args:
        rows: distinct ones, enough for the rest.
        count: rows in all.
        seed: of the choice.
    """
    rng = random.Random(seed)
    first = list(rows[: count - round(count * REPEATED)])
    archive = first + rng.choices(first, k=count - len(first))
    rng.shuffle(archive)
    return archive


def of_words(statements: Sequence[str], topic: str, words: int, count: int) -> list[Example]:
    """Rows of that many words each, cut from the statements read on end, round and round."""
    text = [word for statement in statements for word in statement.split()]
    return [
        Example(" ".join(text[(i * words + k) % len(text)] for k in range(words)), topic)
        for i in range(count)
    ]


def _rounds(statements: Sequence[str], count: int) -> Iterator[tuple[int, int, str]]:
    for number in range(count):
        turn, i = divmod(number, len(statements))
        yield turn, i, statements[i]
