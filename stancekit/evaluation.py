"""Predictions beside gold labels: a report of how good they are, and how sure one can be of it."""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stancekit.calibration import brier, check_pairs, ece
from stancekit.errors import InputError, RecordError
from stancekit.records import Example, LabelSet, Prediction

__all__ = [
    *("Interval", "LabelScore", "Report", "data_hash", "evaluate"),
    *("confusions", "f1_scores", "interval", "resample"),
]

Ints = NDArray[np.int64]
TAILS = (2.5, 97.5)  # percent; an interval of 95%, as sacrebleu and most papers give it
HASH = r"\b([0-9a-f]{12})[0-9a-f]{52}\b"  # a signature shows 48 bits: enough to tell sets apart
WIDTH = 80  # columns of a terminal
NAME_WIDTH = 24  # columns for a label's name in the report; the rest of it is cut off


@dataclass(frozen=True, slots=True)
class Interval:
    """A score and the 95% interval around it, all in [0, 1].

    Attributes:
        value: the score on the rows as they are.
        low: 2.5th percentile of the score over resamples.
        high: 97.5th percentile.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True, slots=True)
class LabelScore:
    """One label against all others; each score in [0, 1], and 0 where it would divide by 0.

    Attributes:
        precision: share of the rows predicted so that are so.
        recall: share of the rows that are so that were predicted so.
        f1: their harmonic mean.
        support: gold rows of the label.
    """

    precision: float
    recall: float
    f1: Interval
    support: int


@dataclass(frozen=True, slots=True)
class Report:
    """How good a set of predictions is.

    Attributes:
        n: rows.
        groups: groups of rows that share a text or a frame; a row without a group is its own.
        accuracy: share of rows predicted right.
        macro_f1: mean F1 over every label of the set, one that occurs nowhere counting 0
            (scikit-learn: ``f1_score(average="macro", labels=<the set>, zero_division=0)``).
        macro_f1_stance: the same mean over the labels that have a polarity; rows of the others
            still count against them when predicted so. None when all labels have a polarity.
        per_label: label to its scores, in the order of the set.
        confusion: counts, (gold label) x (predicted label), both in the order of the set.
        ece: expected calibration error of the confidence, 15 bins, in [0, 1] (Guo et al. 2017).
        brier: squared error of the probabilities, summed over labels, mean over rows, in [0, 2].
        signature: one line that says what was scored and how, for printing beside the score.
    """

    n: int
    groups: int
    accuracy: Interval
    macro_f1: Interval
    macro_f1_stance: Interval | None
    per_label: Mapping[str, LabelScore]
    confusion: tuple[tuple[int, ...], ...]
    ece: float
    brier: float
    signature: str

    def to_dict(self) -> dict[str, Any]:
        """Numbers, strings, lists and dicts only, ready for JSON; ``labels`` holds their order."""
        confusion = [list(row) for row in self.confusion]
        return asdict(self) | {"labels": list(self.per_label), "confusion": confusion}

    def __str__(self) -> str:
        """Plain text of 80 columns for up to a dozen labels; the signature may be longer."""
        lines = [f"macro-F1           {self.macro_f1}"]
        if self.macro_f1_stance is not None:
            lines.append(f"macro-F1 (stance)  {self.macro_f1_stance}")
        lines += [
            f"accuracy           {self.accuracy}",
            f"95% intervals; {self.n} rows in {self.groups} groups",
            "",
            *_label_table(self.per_label),
            "",
            *_confusion_table(list(self.per_label), self.confusion),
            "",
            f"calibration error  {self.ece:.3f}",
            f"Brier score        {self.brier:.3f}",
            "",
            self.signature,
        ]
        return "\n".join(lines)


def evaluate(
    examples: Sequence[Example],
    predictions: Sequence[Prediction],
    labels: LabelSet,
    *,
    recipe: Mapping[str, str],
    seed: int = 0,
    resamples: int = 1000,
) -> Report:
    """Score predictions against gold labels.

    Intervals are percentile bootstrap (Efron and Tibshirani 1993, chapter 13) over groups, not
    rows: rows of a group share a text, so they say less than as many independent rows would
    (cluster bootstrap; Field and Welsh 2007). A label with few rows drops out of some resamples
    and then scores 0 there, which pulls the low end of macro-F1 down, as it should.

    Args:
        examples: rows with a gold label; at least one.
        predictions: one an example, in the same order, over the labels of the set.
        labels: the labels and their order.
        recipe: facts for the signature, such as data and model hash, engine, dtype, version;
            64-digit hashes are shortened. The order is kept, but for ``version``, which is last.
        seed: of the resampling; the same rows, in any order, then give the same intervals.
        resamples: how many; 1,000 settle each end to about 2% of the interval's width.

    Raises:
        InputError: no rows, lengths that differ, no resamples, or a recipe that would garble the
            signature.
        RecordError: a row (counted from 1) without a gold label, with one that is not in the set,
            or with probabilities over other labels.
    """
    check_pairs(predictions, examples)
    if resamples < 1:
        raise InputError("resamples", str(resamples), "at least 1")
    gold = np.array([_gold(i, e, labels) for i, e in enumerate(examples, start=1)])
    probabilities = np.array([_ordered(i, p, labels) for i, p in enumerate(predictions, start=1)])
    predicted = np.array([labels.index(p.label) for p in predictions])
    by_group = confusions([e.group for e in examples], gold, predicted, len(labels))
    total = by_group.sum(axis=0)
    draws = resample(by_group, np.random.default_rng(seed), resamples)

    f1, f1_draws = f1_scores(total), f1_scores(draws)
    stances = [i for i, worth in enumerate(labels.polarity) if worth is not None]
    right = np.trace(draws, axis1=1, axis2=2) / draws.sum(axis=(1, 2))
    hits, support, claimed = np.diagonal(total), total.sum(axis=1), total.sum(axis=0)
    return Report(
        n=len(gold),
        groups=len(by_group),
        accuracy=interval(hits.sum() / len(gold), right),
        macro_f1=interval(f1.mean(), f1_draws.mean(axis=1)),
        macro_f1_stance=(
            interval(f1[stances].mean(), f1_draws[:, stances].mean(axis=1))
            if 0 < len(stances) < len(labels)
            else None
        ),
        per_label={
            name: LabelScore(
                precision=float(hits[i] / max(claimed[i], 1)),
                recall=float(hits[i] / max(support[i], 1)),
                f1=interval(f1[i], f1_draws[:, i]),
                support=int(support[i]),
            )
            for i, name in enumerate(labels.names)
        },
        confusion=tuple(tuple(row) for row in total.tolist()),
        ece=ece(np.array([p.confidence for p in predictions]), gold == predicted),
        brier=brier(probabilities, gold),
        signature=_signature(recipe, len(gold), len(by_group), seed, resamples),
    )


def data_hash(examples: Sequence[Example]) -> str:
    """SHA-256, 64 hex digits, of the statements, topics, speakers and labels in their order.

    What is hashed is JSON in ASCII without spaces: an array of rows, each an array of those four.
    The group is left out, since it changes how rows are split and not what they say.
    """
    rows = [[e.statement, e.topic, e.speaker, e.label] for e in examples]
    return hashlib.sha256(json.dumps(rows, separators=(",", ":")).encode()).hexdigest()


def _gold(number: int, example: Example, labels: LabelSet) -> int:
    """Position of the gold label of the row with this number."""
    if example.label in labels.names:
        return labels.index(example.label)
    plain = {name.lower(): name for name in labels.names}
    close = difflib.get_close_matches(str(example.label).lower(), plain, n=1)
    raise RecordError(
        f"row {number}",
        f"label {example.label!r}",
        f"one of {', '.join(labels.names)}",
        f"did you mean '{plain[close[0]]}'?" if close else "",
    )


def _ordered(number: int, prediction: Prediction, labels: LabelSet) -> list[float]:
    """Probabilities of the row with this number, in the order of the set."""
    if set(prediction.probabilities) != set(labels.names):
        raise RecordError(
            f"row {number}",
            f"probabilities of {', '.join(prediction.probabilities)}",
            f"those of {', '.join(labels.names)}",
            "predict and evaluate with the same labels",
        )
    return [prediction.probabilities[name] for name in labels.names]


def confusions(groups: Sequence[str | None], gold: Ints, predicted: Ints, size: int) -> Ints:
    """Counts of shape (groups, gold, predicted), groups in order of appearance; None is its own."""
    keys = [row if group is None else group for row, group in enumerate(groups)]
    place = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    counts = np.zeros((len(place), size, size), dtype=np.int64)
    np.add.at(counts, (np.array([place[key] for key in keys]), gold, predicted), 1)
    return counts


def resample(by_group: Ints, rng: np.random.Generator, resamples: int) -> Ints:
    """Counts of shape (groups, ...) to (resamples, ...): sums over as many groups drawn again."""
    groups, *shape = by_group.shape
    # Groups with the same counts are interchangeable: drawing kinds of group by how common they
    # are is the same law, far fewer draws, and leaves the order of rows without influence.
    kinds, common = np.unique(by_group.reshape(groups, -1), axis=0, return_counts=True)
    # One resample at a time: all at once would take resamples x groups numbers of memory.
    sums = [rng.multinomial(groups, common / groups) @ kinds for _ in range(resamples)]
    return np.stack(sums).reshape(resamples, *shape)


def f1_scores(confusion: Ints) -> NDArray[np.float64]:
    """F1 of each label, shape (..., labels), of counts of shape (..., gold, predicted)."""
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    either = confusion.sum(axis=-1) + confusion.sum(axis=-2)
    scores: NDArray[np.float64] = 2 * hits / np.maximum(either, 1)
    return scores


def interval(value: Any, draws: NDArray[np.float64]) -> Interval:
    """A value with the 95% interval of its draws, of shape (resamples,)."""
    low, high = np.percentile(draws, TAILS)
    return Interval(float(value), float(low), float(high))


def _signature(recipe: Mapping[str, str], n: int, groups: int, seed: int, resamples: int) -> str:
    """``macro_f1|n:…|groups:…|<recipe>|seed:…|resamples:…|version:…``, as sacrebleu writes it."""
    for key, value in recipe.items():
        if key in ("n", "groups", "seed", "resamples") or not re.fullmatch(r"[^|:\s]+", key):
            raise InputError("recipe", f"the name {key!r}", "one word that is not given already")
        if not isinstance(value, str) or not re.fullmatch(r"[^|\r\n]+", value):
            raise InputError(f"recipe {key}", repr(value), "a string without '|' or a line break")
    facts = {"n": n, "groups": groups, **recipe, "seed": seed, "resamples": resamples}
    if "version" in facts:
        facts["version"] = facts.pop("version")
    line = "|".join(["macro_f1", *(f"{key}:{value}" for key, value in facts.items())])
    return re.sub(HASH, r"\1", line)


def _label_table(scores: Mapping[str, LabelScore]) -> list[str]:
    """A line a label: precision, recall, F1 with its interval, support."""
    names = [name[:NAME_WIDTH] for name in scores]
    width = max(map(len, ["label", *names]))
    return [f"{'label':<{width}}  precision  recall  {'F1':<20}  support"] + [
        f"{name:<{width}}  {s.precision:>9.3f}  {s.recall:>6.3f}  {s.f1!s:<20}  {s.support:>7}"
        for name, s in zip(names, scores.values(), strict=True)
    ]


def _confusion_table(names: list[str], counts: Sequence[Sequence[int]]) -> list[str]:
    """Counts with gold labels down the side and predicted ones across."""
    numbered = [f"{i} {name}" for i, name in enumerate(names, start=1)]
    numbers = [row.split()[0] for row in numbered]
    table: list[str] = []
    # Names that do not fit across give way to their numbers.
    for heads, rows in ((names, names), (numbers, numbered)):
        sides = ["gold \\ predicted", *(row[:NAME_WIDTH] for row in rows)]
        side = max(map(len, sides))
        cell = max(len(str(value)) for line in (heads, *counts) for value in line) + 2
        table = [
            f"{first:<{side}}" + "".join(f"{value:>{cell}}" for value in line)
            for first, line in zip(sides, (heads, *counts), strict=True)
        ]
        if len(table[0]) <= WIDTH:
            break
    return table
