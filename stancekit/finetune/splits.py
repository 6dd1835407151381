"""A split whose score does not flatter: what belongs together stays on one side."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stancekit.errors import InputError, MissingExtraError
from stancekit.finetune.likeness import components, plain_topic
from stancekit.records import Example, LabelSet

__all__ = ["Split", "given", "split"]

PARTS = 4  # dev is one of so many: with few labels, less of them would tell nothing
LEAST = 2 * PARTS  # things to part, so that one part can be like the others
LARGEST = 0.4  # share of the rows that one thing may hold; a larger one cannot be balanced
MOST_DEV = 0.4  # share of the rows that a part by topics may come to before groups part better


@dataclass(frozen=True, slots=True)
class Split:
    """Which rows are learnt from and which are kept to score with.

    Attributes:
        train: examples to learn from.
        dev: examples to score with.
        by: what keeps the sides apart, in words.
    """

    train: tuple[Example, ...]
    dev: tuple[Example, ...]
    by: str

    def table(self, labels: LabelSet) -> str:
        """What is on each side, a line a side under a head."""
        heads = ["side", "rows", "topics", "speakers", "groups", *labels.names]
        lines = [heads]
        for name, rows in (("train", self.train), ("dev", self.dev)):
            counts = Counter(row.label for row in rows)
            sizes = [
                len(rows),
                len({plain_topic(row.topic) for row in rows}),
                len({row.speaker for row in rows} - {None}),
                len({row.group for row in rows} - {None}),
            ]
            lines.append([name, *map(str, sizes), *(str(counts[label]) for label in labels.names)])
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(
                [line[0].ljust(widths[0])]
                + [cell.rjust(w) for cell, w in zip(line[1:], widths[1:], strict=True)]
            )
            for line in lines
        )


def given(train: Sequence[Example], dev: Sequence[Example]) -> Split:
    """The split somebody else made."""
    return Split(tuple(train), tuple(dev), "the split given")


def split(examples: Sequence[Example], seed: int) -> Split:
    """Keep about a quarter for dev, with each label as common there as in all.

    Whole topics are kept for dev where there are enough of them, so that its score is that of new
    topics. Rows of one group and nearly identical statements are never parted.

    Args:
        examples: rows with labels.
        seed: of the draw; the same rows in the same order give the same split.

    Raises:
        InputError: too few rows that can be parted.
        MissingExtraError: scikit-learn is not installed.
    """
    for by_topic in (True, False):
        together = components(examples, by_topic)
        sizes = Counter(together)
        if len(sizes) < LEAST or max(sizes.values()) > LARGEST * len(examples):
            continue
        dev = _draw([str(e.label) for e in examples], together, seed)
        if by_topic and not _usable(examples, dev):
            continue
        return Split(
            tuple(e for e, inside in zip(examples, dev, strict=True) if not inside),
            tuple(e for e, inside in zip(examples, dev, strict=True) if inside),
            "topics: none of dev is in training"
            if by_topic
            else "groups and like statements: too few topics to keep some of them for dev",
        )
    raise InputError(
        "rows",
        f"{len(set(together))} statements that can be parted, the largest part of them "
        f"{max(sizes.values())} of {len(examples)} rows",
        f"at least {LEAST}, none above {LARGEST:.0%} of the rows",
        "label more, or give dev rows of your own with --dev",
    )


def _draw(labels: Sequence[str], together: Sequence[int], seed: int) -> list[bool]:
    """Which rows are dev: of the parts that were drawn, the one that is most like the whole."""
    try:
        from sklearn.model_selection import StratifiedGroupKFold
    except ImportError:
        raise MissingExtraError("sklearn", "train") from None
    names = sorted(set(labels))
    kinds = np.array([names.index(label) for label in labels])
    usual = np.bincount(kinds, minlength=len(names)) / PARTS
    folds = StratifiedGroupKFold(PARTS, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # A label of fewer rows than parts is known, and said where rows are checked.
        warnings.simplefilter("ignore")
        parts = [part for _, part in folds.split(kinds, kinds, together)]
    off = [np.abs(np.bincount(kinds[part], minlength=len(names)) - usual).sum() for part in parts]
    chosen = set(parts[int(np.argmin(off))].tolist())
    return [i in chosen for i in range(len(labels))]


def _usable(examples: Sequence[Example], dev: Sequence[bool]) -> bool:
    """Whether both sides have every label, and dev is not most of it."""
    sides = [
        {e.label for e, inside in zip(examples, dev, strict=True) if inside == wanted}
        for wanted in (False, True)
    ]
    return sides[0] == sides[1] and sum(dev) <= MOST_DEV * len(dev)
