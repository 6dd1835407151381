"""What a score hides: whether topic and speaker are heeded, and what small changes upset.

A model that guesses from the tone of a statement alone can score well where most statements have
one topic. These probes take away or change what such a model would not miss, or would trip over.
"""

# ruff: noqa: RUF001  (quotation marks and dashes are data here)

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple, Protocol

import numpy as np

from stancekit.calibration import check_pairs
from stancekit.errors import InputError
from stancekit.evaluation import Interval, confusions, evaluate, interval, resample
from stancekit.reading.names import parse
from stancekit.records import Example, LabelSet, Prediction

__all__ = [
    *("PERTURBATIONS", "Changed", "Measured", "Model", "ProbeReport", "flip_pairs", "masked_topic"),
    *("perturbed", "probe", "share", "speaker_pairs", "without_speaker"),
]

STAND_IN = "this"  # asks of nothing in particular, and is no word that a topic consists of
TYPO_EVERY = 8  # words
RESAMPLES = 1000  # settle each end of an interval to about 2% of its width
# Unknown to any encoder, and borne by women and men alike: pronouns nearby still fit.
NAMES = ("Robin Tarvell", "Sasha Okrend", "Kim Aldressen", "Noor Velmar")

WORD = re.compile(r"\w+")
CLOSING = "\"'”’»)"
# Before an opening mark: nothing, white space, a bracket or a dash.
OPENS = r"(?<![^\s(\[{–—-])"


class Model(Protocol):
    """Anything that predicts over a set of labels, as ``StanceModel`` does."""

    @property
    def labels(self) -> LabelSet: ...

    def predict_many(self, rows: Iterable[Example], /) -> list[Prediction]: ...


class Changed(NamedTuple):
    """Copies of some rows, changed, and the positions of the originals, both of one length."""

    rows: list[Example]
    positions: list[int]


@dataclass(frozen=True, slots=True)
class Measured:
    """A share or a macro-F1 with its 95% interval, and how many rows or pairs it is of.

    Attributes:
        n: rows or pairs.
        score: in [0, 1]; None when n is 0.
    """

    n: int
    score: Interval | None

    def __str__(self) -> str:
        return f"{self.score or 'nothing to measure'!s:<22}  n = {self.n}"


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """How much a model heeds what it is asked, and how little changes its mind.

    Attributes:
        as_is: macro-F1 on the rows as they are.
        topic_masked: macro-F1 with every topic replaced by "this": what is left of it is had
            without knowing the question.
        speaker_as_is: macro-F1 on the rows that have a speaker.
        speaker_masked: macro-F1 on the same rows without it.
        flip_pairs: share of ``flip_pairs`` with both rows right; 0 for a model that heeds
            neither topic nor speaker.
        speaker_pairs: share of ``speaker_pairs`` with both right; 0 for one that heeds no speaker.
        unchanged: kind of perturbation to the share of labels that stay as they were, right or
            wrong; n counts the rows that the kind changes.
        seed: of the perturbations and of the resampling behind the intervals.
    """

    as_is: Measured
    topic_masked: Measured
    speaker_as_is: Measured
    speaker_masked: Measured
    flip_pairs: Measured
    speaker_pairs: Measured
    unchanged: Mapping[str, Measured]
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """Numbers, strings and dicts only, ready for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        """Plain text of 80 columns, a line a measure."""
        measures = {
            "macro-F1": self.as_is,
            "  topic masked": self.topic_masked,
            "macro-F1, rows with a speaker": self.speaker_as_is,
            "  speaker masked": self.speaker_masked,
            "both right, topic flips": self.flip_pairs,
            "both right, speaker flips": self.speaker_pairs,
        } | {f"label unchanged, {kind}": one for kind, one in self.unchanged.items()}
        lines = [f"{name:<33}  {one}" for name, one in measures.items()]
        return "\n".join([*lines, f"95% intervals over groups; seed {self.seed}"])


def masked_topic(rows: Sequence[Example]) -> list[Example]:
    """The rows, asked of "this"; where a statement names its topic, it goes on naming it."""
    return [replace(row, topic=STAND_IN) for row in rows]


def without_speaker(rows: Sequence[Example]) -> Changed:
    """The rows that have a speaker, without it."""
    positions = [i for i, row in enumerate(rows) if row.speaker is not None]
    return Changed([replace(rows[i], speaker=None) for i in positions], positions)


def flip_pairs(rows: Sequence[Example]) -> list[tuple[int, int]]:
    """Positions of each two rows of one statement whose topics and gold labels both differ.

    Speakers are not compared. Topics that differ in case alone are one.
    """
    return _pairs(rows, lambda row: row.statement, lambda row: row.topic.casefold())


def speaker_pairs(rows: Sequence[Example]) -> list[tuple[int, int]]:
    """Positions of each two rows of one statement and topic whose speakers and labels differ.

    No speaker, which asks for the statement's own holder, differs from every speaker.
    """
    return _pairs(rows, lambda row: (row.statement, row.topic.casefold()), lambda row: row.speaker)


def _pairs(
    rows: Sequence[Example], same: Callable[[Example], Any], other: Callable[[Example], Any]
) -> list[tuple[int, int]]:
    together: defaultdict[Any, list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        together[same(row)].append(i)
    return [
        (i, j)
        for places in together.values()
        for at, i in enumerate(places)
        for j in places[at + 1 :]
        if rows[i].label != rows[j].label and other(rows[i]) != other(rows[j])
    ]


def share(hits: Sequence[bool], groups: Sequence[str | None], seed: int = 0) -> Measured:
    """Share of hits, each of a group or of None, its own; bootstrap as ``evaluation.evaluate``."""
    if not hits:
        return Measured(0, None)
    # A confusion table of which only one row is used: misses and hits.
    column = np.asarray(hits, dtype=np.int64)
    counts = confusions(groups, np.zeros_like(column), column, 2)[:, 0]
    draws = resample(counts, np.random.default_rng(seed), RESAMPLES)
    return Measured(len(hits), interval(column.mean(), draws[:, 1] / draws.sum(axis=1)))


def _typos(row: Example, rng: random.Random) -> Example:
    """Two neighbouring inner letters swapped in one word of eight, and in at least one."""
    asked = set(WORD.findall(f"{row.topic} {row.speaker or ''}".casefold()))
    words = list(WORD.finditer(row.statement))
    swaps = [(found, _swappable(found[0])) for found in words if found[0].casefold() not in asked]
    swaps = [(found, places) for found, places in swaps if places]
    chosen = rng.sample(swaps, min(len(swaps), max(1, round(len(words) / TYPO_EVERY))))
    letters = list(row.statement)
    for found, places in chosen:
        at = found.start() + rng.choice(places)
        letters[at], letters[at + 1] = letters[at + 1], letters[at]
    return replace(row, statement="".join(letters))


def _swappable(word: str) -> list[int]:
    """Places in a word whose letter can change places with the next: not first, last or equal."""
    inner = range(1, len(word) - 2) if word.isalpha() else range(0)
    return [i for i in inner if word[i] != word[i + 1]]


def _quote_marks(row: Example, rng: random.Random) -> Example:
    """Every mark straight, curly, or as guillemets: one of those that the statement is not in."""
    straight = re.sub("[‘’]", "'", re.sub("[“”„«»]", '"', row.statement))
    curly = re.sub(f'{OPENS}"', "“", straight).replace('"', "”")
    curly = re.sub("(?<![^\\s(\\[{–—“-])'", "‘", curly).replace("'", "’")
    guillemets = curly.replace("“", "«").replace("”", "»")
    others = [style for style in (straight, curly, guillemets) if style != row.statement]
    # Two styles are one where only apostrophes are marked.
    return replace(row, statement=rng.choice(others or [row.statement]))


def _speaker_renamed(row: Example, rng: random.Random) -> Example:
    """Another name for a named person, in statement and speaker; titles stay.

    Left alone are bodies and places, as far as words tell, so lone names without a title; and a
    row whose topic holds part of the name, which would then ask of another thing.
    """
    found = parse(row.speaker or "")
    old = found.name.split()
    named = rf"\b{re.escape(found.name)}\b"
    asked = set(WORD.findall(found.name)) & set(WORD.findall(row.topic))
    person = not found.body and (len(old) > 1 or (old and found.title))
    if not person or asked or not re.search(named, row.statement):
        return row
    if not re.search(f"{named}$", row.speaker or ""):
        return row
    present = set(WORD.findall(row.statement))
    new = rng.choice([name for name in NAMES if not set(name.split()) & present] or [found.name])

    def renamed(text: str) -> str:
        whole = re.sub(named, new if len(old) > 1 else new.split()[-1], text)
        return re.sub(rf"\b{re.escape(old[-1])}\b", new.split()[-1], whole)

    return replace(row, statement=renamed(row.statement), speaker=renamed(row.speaker or ""))


def _final_stop(row: Example, rng: random.Random) -> Example:
    """A last full stop taken away, or added; other endings stay."""
    said = row.statement.rstrip()
    without = re.sub(rf"(?<=[\w\]%{CLOSING}])\.(?=[{CLOSING}]*$)", "", said)
    if without == said and re.search(rf"[\w\]%)][{CLOSING}]*$", said):
        without = f"{said}."
    return replace(row, statement=without) if without != said else row


# A change that leaves the meaning, and so the gold label, as it was; a kind may leave a row alone.
PERTURBATIONS: dict[str, Callable[[Example, random.Random], Example]] = {
    "typos": _typos,
    "lower case": lambda row, _: replace(row, statement=row.statement.lower()),
    "upper case": lambda row, _: replace(row, statement=row.statement.upper()),
    "quote marks": _quote_marks,
    "repeated": lambda row, _: replace(row, statement=f"{row.statement} {row.statement}"),
    "speaker renamed": _speaker_renamed,
    "final stop": _final_stop,
    "spaces": lambda row, rng: replace(
        row,
        statement=re.sub(" ", lambda _: rng.choice(["\N{NO-BREAK SPACE}", "  "]), row.statement),
    ),
}


def perturbed(rows: Sequence[Example], kind: str, seed: int = 0) -> Changed:
    """The rows that a kind of ``PERTURBATIONS`` changes; topic, label and group never are.

    A row is changed in the same way wherever it stands, for one seed.

    Raises:
        InputError: an unknown kind.
    """
    if kind not in PERTURBATIONS:
        raise InputError("kind", repr(kind), f"one of {', '.join(PERTURBATIONS)}")
    change = PERTURBATIONS[kind]
    after = [change(row, random.Random(f"{seed} {row.statement}")) for row in rows]
    positions = [i for i, row in enumerate(rows) if after[i] != row]
    return Changed([after[i] for i in positions], positions)


def probe(
    model: Model, rows: Sequence[Example], predictions: Sequence[Prediction], seed: int = 0
) -> ProbeReport:
    """Probe a model on labelled rows; it predicts them about ten times over.

    Args:
        model: what is probed.
        rows: with a gold label each; at least one.
        predictions: the model's own of these rows, in order.
        seed: of the perturbations and the resampling.

    Raises:
        InputError, RecordError: as ``evaluation.evaluate``.
    """
    check_pairs(predictions, rows)

    def f1(examples: Sequence[Example], answers: Sequence[Prediction]) -> Measured:
        if not examples:
            return Measured(0, None)
        report = evaluate(examples, answers, model.labels, recipe={}, seed=seed)
        return Measured(report.n, report.macro_f1)

    def both_right(pairs: Sequence[tuple[int, int]]) -> Measured:
        # Rows of a group share a frame, so a pair says less than its statement suggests.
        units = [rows[i].group or rows[i].statement for i, _ in pairs]
        return share([right[i] and right[j] for i, j in pairs], units, seed)

    def unchanged(kind: str) -> Measured:
        changed = perturbed(rows, kind, seed)
        answers = zip(model.predict_many(changed.rows), changed.positions, strict=True)
        same = [answer.label == predictions[i].label for answer, i in answers]
        return share(same, [row.group for row in changed.rows], seed)

    right = [p.label == row.label for p, row in zip(predictions, rows, strict=True)]
    masked, silent = masked_topic(rows), without_speaker(rows)
    spoken = silent.positions
    return ProbeReport(
        as_is=f1(rows, predictions),
        topic_masked=f1(masked, model.predict_many(masked)),
        speaker_as_is=f1([rows[i] for i in spoken], [predictions[i] for i in spoken]),
        speaker_masked=f1(silent.rows, model.predict_many(silent.rows)),
        flip_pairs=both_right(flip_pairs(rows)),
        speaker_pairs=both_right(speaker_pairs(rows)),
        unchanged={kind: unchanged(kind) for kind in PERTURBATIONS},
        seed=seed,
    )
