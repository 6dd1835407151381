"""The statements of a pool that a model is least sure of, and the choice among them."""

from __future__ import annotations

import heapq
import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from stancekit.diversity import embed, spread
from stancekit.records import Example, Prediction
from stancekit.rows import Row, as_text

__all__ = ["Candidate", "Candidates", "Choice", "choose", "entropy", "margin"]

KEPT = 10  # candidates for each statement wanted: among so many there is room to differ
SHARE = 0.05  # of the statements wanted, from one document, while others have some to give
DECIMALS = 6  # of a rank: below that, processors differ


@dataclass(frozen=True, slots=True)
class Candidate:
    """A statement that may be suggested.

    Attributes:
        row: as it stands in the pool.
        example: what it asks, with its group if it has one.
        document: where it is from: its group, else its file.
        prediction: what the model says.
        lot: in [0, 1), drawn: the order among equals.
    """

    row: Row
    example: Example
    document: str
    prediction: Prediction
    lot: float

    @property
    def worth(self) -> float:
        """How unsure the model is, in [0, 1]: of all labels together and of the best two."""
        spread_out = entropy(self.prediction)
        return round((spread_out + 1 - margin(self.prediction)) / 2, DECIMALS)

    @property
    def rank(self) -> tuple[float, float]:
        """Sorts the most uncertain first."""
        return (-self.worth, self.lot)


def entropy(prediction: Prediction) -> float:
    """Of the probabilities, as a share of the largest there can be: 0 is sure, 1 is even."""
    values = [p for p in prediction.probabilities.values() if p > 0]
    return -sum(p * math.log(p) for p in values) / math.log(len(prediction.probabilities))


def margin(prediction: Prediction) -> float:
    """Between the two most probable labels, in [0, 1]: near 0 is a close call."""
    first, second = heapq.nlargest(2, prediction.probabilities.values())
    return first - second


class Candidates:
    """The most uncertain statements of a stream, of as many documents as there are.

    Holds at most twice what it keeps, which is ``KEPT`` times the count. A document keeps no more
    than twice its share while there are others, so that one long and difficult document does not
    push all others out.
    """

    def __init__(self, count: int, seed: int) -> None:
        self._most = KEPT * count
        self._share = 2 * _cap(count)
        self._random = random.Random(seed)
        self._held: dict[tuple[str, str, str | None], Candidate] = {}

    def add(self, row: Row, example: Example, prediction: Prediction) -> None:
        """Consider a row; of rows that ask the same, the first counts."""
        group = _cell(row, "group") or _cell(row, "doc")
        one = replace(example, group=group or None)
        found = Candidate(row, one, group or row.file, prediction, self._random.random())
        self._held.setdefault((example.statement, example.topic, example.speaker), found)
        if len(self._held) >= 2 * self._most:
            self._held = {
                (c.example.statement, c.example.topic, c.example.speaker): c for c in self.best()
            }

    def best(self) -> list[Candidate]:
        """Those to choose from, the most uncertain first."""
        of_document: Counter[str] = Counter()
        within: list[Candidate] = []
        beyond: list[Candidate] = []
        for one in sorted(self._held.values(), key=lambda c: c.rank):
            of_document[one.document] += 1
            (within if of_document[one.document] <= self._share else beyond).append(one)
        return sorted((within + beyond)[: self._most], key=lambda c: c.rank)


def _cap(count: int) -> int:
    """How many statements one document gives while others have some to give."""
    return max(1, math.ceil(SHARE * count))


def _cell(row: Row, name: str) -> str:
    value = row.values.get(name)
    return "" if value is None or value != value else as_text(value)


@dataclass(frozen=True, slots=True)
class Choice:
    """A candidate that was taken.

    Attributes:
        candidate: which.
        unlike: distance from the nearest taken before, in [0, 1]; 1 for the first.
    """

    candidate: Candidate
    unlike: float

    @property
    def reason(self) -> str:
        """Between which labels the model wavers."""
        values = self.candidate.prediction.probabilities
        first, second = heapq.nlargest(2, values, key=lambda name: values[name])
        return f"{first} {values[first]:.2f} or {second} {values[second]:.2f}"


def choose(candidates: Sequence[Candidate], count: int) -> list[Choice]:
    """Take candidates that the model is unsure of and that differ, the best first.

    Args:
        candidates: the most uncertain first.
        count: how many to take; all there are, if they are fewer.
    """
    if not candidates:
        return []
    number: dict[str, int] = {}
    documents = np.array([number.setdefault(c.document, len(number)) for c in candidates], np.intp)
    vectors = embed([c.example for c in candidates], [c.prediction for c in candidates])
    worth = np.array([c.worth for c in candidates])
    wanted = min(count, len(candidates))
    taken = spread(vectors, worth, documents, wanted, _cap(count))
    return [Choice(candidates[index], unlike) for index, unlike in taken]
