"""The nouns of stancekit: frozen records, checked when they are made and trusted afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

from stancekit.errors import RecordError

__all__ = ["Article", "Example", "Kind", "LabelSet", "Prediction", "Statement"]

Kind = Literal["direct", "indirect", "mixed", "narration"]

# Probabilities arrive as float32; their sum may miss 1 by rounding, never by more than this.
SUM_TOLERANCE = 1e-3


def _check_text(value: object, name: str) -> None:
    """Refuse anything but a string with something to read in it."""
    if not isinstance(value, str):
        raise RecordError(name, f"{type(value).__name__} ({value!r:.40})", "a string")
    if not value or value.isspace():
        raise RecordError(name, "an empty string" if not value else "only white space", "some text")
    _check_encodable(value, name)


def _check_encodable(value: str, name: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise RecordError(
            name,
            f"a broken character at position {error.start} ({value[error.start]!a})",
            "valid Unicode text",
            "decode the source with its real encoding",
        ) from None


@dataclass(frozen=True, slots=True)
class Statement:
    """A stretch of an article and whose it is.

    ``text`` is ``article.text[start:end]``, unchanged.

    Attributes:
        text: the statement as it stands in the article.
        speaker: who says it, by the fullest name the article gives; None when the article leaves
            it open, and always None for narration.
        start: offset of the first character in the article, in code points.
        end: offset one past the last character.
        kind: ``direct`` (all quotation), ``indirect`` (reported without quotation marks),
            ``mixed`` (a report that quotes in part) or ``narration`` (the writer's own).
        mention: offsets of the words that name the speaker (``she``, ``the mayor``), in the
            statement or, where it carries on another, before it; None without a speaker.
        confidence: how far the speaker is to be believed, in [0, 1]; 0 without one.
        context: the sentence before, where a pronoun or a bare answer needs it; else None.
    """

    text: str
    speaker: str | None
    start: int
    end: int
    kind: Kind
    mention: tuple[int, int] | None = None
    confidence: float = 0.0
    context: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise RecordError("kind", repr(self.kind), f"one of {', '.join(get_args(Kind))}")
        if self.start < 0 or self.end - self.start != len(self.text):
            raise RecordError(
                "offsets",
                f"start {self.start}, end {self.end} for {len(self.text)} characters",
                "offsets that span the text",
            )
        if not 0 <= self.confidence <= 1:
            raise RecordError("confidence", repr(self.confidence), "a number in [0, 1]")


@dataclass(frozen=True, slots=True)
class Article:
    """A text to be read, and where it came from.

    Attributes:
        text: the whole text; may be empty.
        source: a path or identifier, used to name the article in tables and messages.
    """

    text: str
    source: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise RecordError("article", type(self.text).__name__, "a string")


@dataclass(frozen=True, slots=True)
class Example:
    """One decision to make or, with a label, one that was made: a statement toward a topic.

    Attributes:
        statement: 1 to about 120 words; longer ones are scored in windows.
        topic: a noun phrase or a claim.
        speaker: whose stance is asked for; None leaves it to the statement.
        label: the gold label, where there is one.
        group: rows of one group share a text or a frame and stay on one side of any split.
    """

    statement: str
    topic: str
    speaker: str | None = None
    label: str | None = None
    group: str | None = None

    def __post_init__(self) -> None:
        _check_text(self.statement, "statement")
        _check_text(self.topic, "topic")
        if self.speaker is not None:
            if not isinstance(self.speaker, str):
                raise RecordError("speaker", type(self.speaker).__name__, "a string or None")
            if not self.speaker or self.speaker.isspace():
                # An empty cell of a table means: no speaker given.
                object.__setattr__(self, "speaker", None)
            else:
                _check_encodable(self.speaker, "speaker")


@dataclass(frozen=True, slots=True)
class LabelSet:
    """The labels of a model, in the order of its outputs, with what each is worth.

    Attributes:
        names: at least two, all different.
        polarity: one a label: +1 for, 0 in between, -1 against (or steps between them);
            None for a label that shows no stance, which then adds nothing to a score.
    """

    names: tuple[str, ...]
    polarity: tuple[float | None, ...]

    def __post_init__(self) -> None:
        if len(self.names) < 2 or len(set(self.names)) != len(self.names):
            raise RecordError("labels", repr(self.names), "at least two different names")
        for name in self.names:
            _check_text(name, "label name")
        if len(self.polarity) != len(self.names):
            raise RecordError(
                "polarity", f"{len(self.polarity)} values", f"one a label, {len(self.names)} in all"
            )
        for value in self.polarity:
            if value is not None and not -1 <= value <= 1:
                raise RecordError("polarity", repr(value), "None or a number in [-1, 1]")

    def __len__(self) -> int:
        return len(self.names)

    def index(self, name: str) -> int:
        """Position of a label in the model's output.

        Raises:
            RecordError: the set has no such label.
        """
        try:
            return self.names.index(name)
        except ValueError:
            raise RecordError("label", repr(name), f"one of {', '.join(self.names)}") from None

    def score(self, probabilities: Sequence[float]) -> float:
        """Expected polarity, in [-1, 1]: the sum of probability times polarity."""
        return float(
            sum(
                p * worth
                for p, worth in zip(probabilities, self.polarity, strict=True)
                if worth is not None
            )
        )


@dataclass(frozen=True, slots=True)
class Prediction:
    """The stance of one statement toward one topic.

    Attributes:
        label: the most probable label.
        probabilities: label to calibrated probability, in the model's order; they sum to 1.
        score: in [-1, 1]: the sum of probability times polarity, for averages over time.
        windows: how many overlapping windows the statement took; 1 unless it was long.
    """

    label: str
    probabilities: Mapping[str, float]
    score: float
    windows: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "probabilities", MappingProxyType(dict(self.probabilities)))
        if self.label not in self.probabilities:
            raise RecordError("label", repr(self.label), f"one of {', '.join(self.probabilities)}")
        total = sum(self.probabilities.values())
        if not abs(total - 1) <= SUM_TOLERANCE:
            raise RecordError("probabilities", f"a sum of {total:.4f}", "a sum of 1")

    @property
    def confidence(self) -> float:
        """Probability of the label, in [0, 1]."""
        return self.probabilities[self.label]

    def __reduce__(self) -> tuple[type[Prediction], tuple[str, dict[str, float], float, int]]:
        # A read-only view does not pickle; predictions must, to cross between processes.
        return type(self), (self.label, dict(self.probabilities), self.score, self.windows)
