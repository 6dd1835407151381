"""What the command line shows people, built but not printed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stancekit.records import LabelSet, Prediction, Statement

if TYPE_CHECKING:
    from rich.table import Table

    from stancekit.archive import Progress

__all__ = [
    *("Balance", "balances", "prediction_line", "progress_line", "record"),
    *("statement_record", "statement_table"),
]

# Green for, red against, yellow in between: what people expect; grey for no stance.
POSITIVE, NEGATIVE, BETWEEN, SILENT = "green", "red", "yellow", "bright_black"


@dataclass(frozen=True, slots=True)
class Balance:
    """Where one speaker stands over an article.

    Attributes:
        speaker: name.
        counts: label to number of statements, in the model's order, zeros left out.
        score: mean score in [-1, 1] over the statements that show a stance; None without any.
    """

    speaker: str
    counts: dict[str, int]
    score: float | None

    def __str__(self) -> str:
        shares = ", ".join(f"{n} {label}" for label, n in self.counts.items())
        mean = "no stance" if self.score is None else f"mean score {self.score:+.2f}"
        return f"{self.speaker}: {mean} ({shares})"

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {"speaker": self.speaker, "counts": self.counts, "score": self.score}


def balances(answers: Iterable[tuple[Statement, Prediction]], labels: LabelSet) -> list[Balance]:
    """A balance for each speaker, in order of first appearance."""
    said: dict[str, list[Prediction]] = {}
    for statement, prediction in answers:
        if statement.speaker is not None:
            said.setdefault(statement.speaker, []).append(prediction)
    return [_balance(speaker, predictions, labels) for speaker, predictions in said.items()]


def _balance(speaker: str, predictions: Sequence[Prediction], labels: LabelSet) -> Balance:
    counted = Counter(p.label for p in predictions)
    stances = [p for p in predictions if labels.polarity[labels.index(p.label)] is not None]
    return Balance(
        speaker,
        {name: counted[name] for name in labels.names if counted[name]},
        sum(p.score for p in stances) / len(stances) if stances else None,
    )


def record(prediction: Prediction) -> dict[str, Any]:
    """A prediction as a dict ready for JSON."""
    return {
        "label": prediction.label,
        "confidence": round(prediction.confidence, 4),
        "score": round(prediction.score, 4),
        "probabilities": {name: round(p, 4) for name, p in prediction.probabilities.items()},
        "windows": prediction.windows,
    }


def statement_record(statement: Statement, prediction: Prediction) -> dict[str, Any]:
    """A statement of an article and its prediction as one dict ready for JSON."""
    return {
        "text": statement.text,
        "speaker": statement.speaker,
        "kind": statement.kind,
        "start": statement.start,
        "end": statement.end,
        **record(prediction),
    }


def prediction_line(prediction: Prediction) -> str:
    """The label and its confidence, then every probability."""
    every = "  ".join(f"{name} {p:.2f}" for name, p in prediction.probabilities.items())
    return f"{prediction.label} {prediction.confidence:.2f}   ({every})"


def progress_line(progress: Progress) -> str:
    """Rows done, rate and time left."""
    done = progress.rows - progress.before
    rate = done / progress.seconds if progress.seconds else 0.0
    left = progress.total - progress.rows
    ending = f", about {_duration(left / rate)} left" if rate and left else ""
    return f"{progress.rows} of {progress.total} rows, {rate:.0f} rows/s{ending}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def statement_table(answers: Sequence[tuple[Statement, Prediction]], labels: LabelSet) -> Table:
    """Speaker, stance, confidence and statement; narration is left out."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=True)
    table.add_column("speaker", overflow="fold", ratio=2)
    table.add_column("stance", no_wrap=True)
    table.add_column("conf.", justify="right", no_wrap=True)
    table.add_column("statement", overflow="fold", ratio=5)
    for statement, prediction in answers:
        if statement.kind == "narration":
            continue
        table.add_row(
            # Text, not str: brackets in a name or quotation are not markup.
            Text(statement.speaker or "(not named)"),
            Text(prediction.label, style=_colour(prediction.label, labels)),
            f"{prediction.confidence:.2f}",
            Text(" ".join(statement.text.split())),
        )
    return table


def _colour(label: str, labels: LabelSet) -> str:
    worth = labels.polarity[labels.index(label)]
    if worth is None:
        return SILENT
    return BETWEEN if worth == 0 else POSITIVE if worth > 0 else NEGATIVE
