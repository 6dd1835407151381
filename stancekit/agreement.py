"""Several annotators, one label: the majority, and how far they agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from math import nan

__all__ = ["krippendorff_alpha", "majority"]


def majority(labels: Sequence[str]) -> list[str]:
    """The label that more than half of some answers give.

    Half is not enough: two against one against one leaves as many who disagree as agree.

    Args:
        labels: one an answer, at least one.

    Returns:
        The label alone or, where no label has a majority, all that were given, the most frequent
        first: one label means decided.
    """
    counts = Counter(labels).most_common()
    if 2 * counts[0][1] > len(labels):
        return [counts[0][0]]
    return [label for label, _ in counts]


def krippendorff_alpha(units: Iterable[Sequence[Hashable]]) -> float:
    """Krippendorff's alpha for nominal data: 1 is full agreement, 0 that of chance.

    Computed from the coincidences of values within units, as in Krippendorff, "Computing
    Krippendorff's Alpha-Reliability" (2011), section C; missing answers are simply not there.

    Args:
        units: the answers to each question; those to which there is one answer do not count.

    Returns:
        At most 1, below 0 where annotators disagree by more than chance; NaN where there is nothing
        to compare: no unit with two answers, or a single value in all of them.
    """
    totals: Counter[Hashable] = Counter()
    disagreement = 0.0
    for unit in units:
        if len(unit) < 2:
            continue
        counts = Counter(unit)
        totals.update(counts)
        # Ordered pairs of different values, each weighed so that an answer counts once however
        # many others there are to its question.
        differing = len(unit) ** 2 - sum(count**2 for count in counts.values())
        disagreement += differing / (len(unit) - 1)
    answers = totals.total()
    by_chance = answers**2 - sum(count**2 for count in totals.values())
    if not by_chance:
        return nan
    return 1 - (answers - 1) * disagreement / by_chance
