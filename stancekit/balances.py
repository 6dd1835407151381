"""Where each speaker stands over an article, and over several."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from stancekit.reading.namesakes import key, same_person
from stancekit.records import Article, LabelSet, Prediction, Statement

__all__ = ["Balance", "balances", "merged"]


@dataclass(frozen=True, slots=True)
class Balance:
    """Where one speaker stands.

    Attributes:
        speaker: name.
        counts: label to number of statements, in the model's order, zeros left out.
        n: statements that show a stance.
        score: their mean score in [-1, 1]; None without any.
        label: the label most of them have, of several the most probable one; None without any.
    """

    speaker: str
    counts: dict[str, int]
    n: int
    score: float | None
    label: str | None

    def __str__(self) -> str:
        shares = ", ".join(f"{n} {label}" for label, n in self.counts.items())
        if self.score is None:
            return f"{self.speaker}: no stance ({shares})"
        return f"{self.speaker}: {self.label}, mean score {self.score:+.2f} ({shares})"

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "speaker": self.speaker,
            "counts": self.counts,
            "n": self.n,
            "score": self.score,
            "label": self.label,
        }


def balances(answers: Iterable[tuple[Statement, Prediction]], labels: LabelSet) -> list[Balance]:
    """A balance for each speaker, in order of first appearance."""
    said: dict[str, list[Prediction]] = {}
    for statement, prediction in answers:
        if statement.speaker is not None:
            said.setdefault(statement.speaker, []).append(prediction)
    return [_balance(speaker, predictions, labels) for speaker, predictions in said.items()]


def merged(
    articles: Sequence[tuple[Article, Sequence[tuple[Statement, Prediction]]]], labels: LabelSet
) -> list[Balance]:
    """A balance for each speaker over several articles, in order of first appearance.

    Names are one person's where a surname and no given name differ (``Solheim`` and ``Ingrid
    Solheim``), and are shown in full. A description (``a spokesman``, ``residents``) may be
    anybody's in another article: each article's stays apart, its source in brackets.
    """
    said: dict[str, list[Prediction]] = {}
    people: dict[str, list[str]] = {}  # surname to the names that share it
    for number, (article, answers) in enumerate(articles, start=1):
        for statement, prediction in answers:
            name = statement.speaker
            if name is None:
                continue
            if name[0].isupper():
                name = _known_as(name, people, said)
            else:
                name = f"{name} ({article.source or number})"
            said.setdefault(name, []).append(prediction)
    return [_balance(speaker, predictions, labels) for speaker, predictions in said.items()]


def _known_as(name: str, people: dict[str, list[str]], said: dict[str, list[Prediction]]) -> str:
    """The fullest name so far of whoever has this one; the others are moved under it."""
    shelf = people.setdefault(key(name), [])
    words = name.lower().split()
    fits = [other for other in shelf if same_person(words, other.lower().split())]
    if len(fits) != 1:
        # Nobody yet, or two people of one surname: then a surname alone is nobody's but its own.
        if name not in shelf:
            shelf.append(name)
        return name
    other = fits[0]
    if len(name) <= len(other):
        return other
    shelf[shelf.index(other)] = name
    # In place of the shorter name, so that the order of first appearance holds.
    moved = {name if known == other else known: said[known] for known in said}
    said.clear()
    said.update(moved)
    return name


def _balance(speaker: str, predictions: Sequence[Prediction], labels: LabelSet) -> Balance:
    counted = Counter(p.label for p in predictions)
    stances = [p for p in predictions if labels.polarity[labels.index(p.label)] is not None]
    weights = {
        name: (counted[name], sum(p.probabilities[name] for p in stances))
        for name in {p.label for p in stances}
    }
    return Balance(
        speaker,
        {name: counted[name] for name in labels.names if counted[name]},
        len(stances),
        sum(p.score for p in stances) / len(stances) if stances else None,
        max(sorted(weights), key=weights.__getitem__) if weights else None,
    )
