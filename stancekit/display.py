"""What the command line shows people, built but not printed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from stancekit.records import LabelSet, Prediction, Statement

if TYPE_CHECKING:
    from rich.table import Table

    from stancekit.archive import Progress

__all__ = [
    *("UNNAMED", "Answer", "on_topic", "one_line", "prediction_line", "progress_line", "record"),
    *("statement_record", "statement_table"),
]

Answer = tuple[Statement, Prediction]
UNNAMED = "(not named)"
# Green for, red against, yellow in between: what people expect; grey for no stance.
POSITIVE, NEGATIVE, BETWEEN, SILENT = "green", "red", "yellow", "bright_black"


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
        "mention": statement.mention,
        "speaker_confidence": statement.confidence,
        "context": statement.context,
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


def on_topic(answers: Sequence[Answer], labels: LabelSet) -> tuple[list[Answer], list[Answer]]:
    """The attributed statements that take a stance toward the topic, and those that take none."""
    stances: list[Answer] = []
    others: list[Answer] = []
    for statement, prediction in answers:
        if statement.kind != "narration":
            worth = labels.polarity[labels.index(prediction.label)]
            (others if worth is None else stances).append((statement, prediction))
    return stances, others


def statement_table(answers: Sequence[Answer], labels: LabelSet) -> Table:
    """Speaker, stance, confidence and statement of each answer."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=True)
    table.add_column("speaker", overflow="fold", ratio=2)
    table.add_column("stance", no_wrap=True)
    table.add_column("conf.", justify="right", no_wrap=True)
    table.add_column("statement", overflow="fold", ratio=5)
    for statement, prediction in answers:
        table.add_row(
            # Text, not str: brackets in a name or quotation are not markup.
            Text(statement.speaker or UNNAMED),
            Text(prediction.label, style=_colour(prediction.label, labels)),
            f"{prediction.confidence:.2f}",
            Text(one_line(statement.text)),
        )
    return table


def one_line(text: str) -> str:
    """The text with each stretch of white space made a space."""
    return " ".join(text.split())


def _colour(label: str, labels: LabelSet) -> str:
    worth = labels.polarity[labels.index(label)]
    if worth is None:
        return SILENT
    return BETWEEN if worth == 0 else POSITIVE if worth > 0 else NEGATIVE
