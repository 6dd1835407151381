"""New model against old on the same rows: better, no worse, worse, or too few rows to tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from stancekit.calibration import check_pairs
from stancekit.evaluation import Interval, confusions, f1_scores, interval, resample
from stancekit.records import Example, LabelSet, Prediction

__all__ = ["Verdict", "compare"]

RESAMPLES = 1000  # settle each end of an interval to about 2% of its width
MARGIN = 0.02  # of macro-F1: what a user of the model would hardly notice


@dataclass(frozen=True, slots=True)
class Verdict:
    """How two models compare.

    Attributes:
        words: ``better``, ``no worse``, ``worse`` or ``not told apart``.
        n: rows.
        old: macro-F1 of the old model, with its 95% interval.
        new: that of the new one.
        difference: new minus old, on the same draws of rows.
        per_label: label to the difference of its F1.
    """

    words: str
    n: int
    old: Interval
    new: Interval
    difference: Interval
    per_label: dict[str, Interval]

    @property
    def better(self) -> bool:
        return self.words == "better"

    def to_dict(self) -> dict[str, Any]:
        """Numbers, strings and dicts only, ready for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        width = max(map(len, ["macro-F1", *self.per_label]))
        lines = [
            f"{self.words} (n = {self.n})",
            f"{'macro-F1':<{width}}  old {self.old}  new {self.new}  difference "
            f"{signed(self.difference)}",
            *(
                f"{label:<{width}}  F1 difference {signed(one)}"
                for label, one in self.per_label.items()
            ),
        ]
        return "\n".join(lines)


def compare(
    examples: Sequence[Example],
    old: Sequence[Prediction],
    new: Sequence[Prediction],
    labels: LabelSet,
    seed: int = 0,
) -> Verdict:
    """Score two models on the same draws of the same rows (paired bootstrap over groups).

    ``better``: the 95% interval of the difference lies above 0. ``no worse``: it lies above minus
    0.02 of macro-F1. ``worse``: it lies below 0. Otherwise the rows do not tell.

    Args:
        examples: rows with gold labels of the set.
        old: the old model's answers, one a row, over the same labels in any order.
        new: the new model's.
        labels: the labels.
        seed: of the draws.

    Raises:
        InputError: lengths that differ, or no rows.
        RecordError: a row without a gold label, or a label outside the set.
    """
    check_pairs(old, examples)
    check_pairs(new, examples)
    groups = [e.group for e in examples]
    gold = np.array([labels.index(str(e.label)) for e in examples])
    answers = [np.array([labels.index(p.label) for p in one]) for one in (old, new)]
    # Shape (groups, 2, gold, predicted).
    counts = np.stack([confusions(groups, gold, one, len(labels)) for one in answers], axis=1)
    scores = f1_scores(counts.sum(axis=0))
    draws = f1_scores(resample(counts, np.random.default_rng(seed), RESAMPLES))
    means, drawn = scores.mean(axis=-1), draws.mean(axis=-1)
    difference = interval(means[1] - means[0], drawn[:, 1] - drawn[:, 0])
    return Verdict(
        words=_words(difference),
        n=len(examples),
        old=interval(means[0], drawn[:, 0]),
        new=interval(means[1], drawn[:, 1]),
        difference=difference,
        per_label={
            name: interval(scores[1, i] - scores[0, i], draws[:, 1, i] - draws[:, 0, i])
            for i, name in enumerate(labels.names)
        },
    )


def _words(difference: Interval) -> str:
    if difference.low > 0:
        return "better"
    if difference.high < 0:
        return "worse"
    return "no worse" if difference.low >= -MARGIN else "not told apart"


def signed(one: Interval) -> str:
    return f"{one.value:+.3f} [{one.low:+.3f}, {one.high:+.3f}]"
