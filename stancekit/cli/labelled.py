"""What the commands on labelled data take, and how their words become records."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stancekit.errors import InputError
from stancekit.records import LabelSet

if TYPE_CHECKING:
    from stancekit.finetune.labelled import Data

__all__ = [
    *("Base", "Dev", "GroupColumn", "LabelColumn", "Map", "Paths", "Polarity", "SpeakerColumn"),
    *("StatementColumn", "TopicColumn", "TopicForAll", "label_set", "read_data"),
]

Paths = Annotated[
    list[Path],
    typer.Argument(help="Files of labelled rows, or folders of a Hugging Face data set."),
]
Dev = Annotated[
    list[Path] | None, typer.Option("--dev", help="Rows to score with, in place of a split.")
]
Base = Annotated[
    Path | None,
    typer.Option("--base", help="A Hugging Face folder to go on from; the bundled model else."),
]
Map = Annotated[
    list[str] | None, typer.Option("--map", help="Rename a label: favor=optimistic. Repeatable.")
]
Polarity = Annotated[
    list[str] | None,
    typer.Option(
        "--polarity", help="A label and its worth, -1 to 1 or none: favour=1. Repeatable."
    ),
]
TopicForAll = Annotated[
    str | None, typer.Option("--topic", "-t", help="The topic, where a row has none.")
]
StatementColumn = Annotated[str, typer.Option(help="Name of the column of statements.")]
TopicColumn = Annotated[str, typer.Option(help="Name of the column of topics.")]
SpeakerColumn = Annotated[str, typer.Option(help="Name of the column of speakers.")]
LabelColumn = Annotated[str, typer.Option(help="Name of the column of labels.")]
GroupColumn = Annotated[str, typer.Option(help="Name of the column of groups.")]


def read_data(
    paths: list[Path],
    columns: tuple[str, str, str, str, str],
    renamed: list[str],
    topic: str | None,
) -> Data:
    """Read rows; ``columns`` are those of statement, topic, speaker, label and group."""
    from stancekit.finetune.labelled import Columns, read_labelled

    pairs = dict(_pair("--map", text, "favor=optimistic") for text in renamed)
    return read_labelled(paths, columns=Columns(*columns), renamed=pairs, topic=topic)


def label_set(polarity: list[str]) -> LabelSet | None:
    """The labels named with ``--polarity``, in that order; None where none are."""
    if not polarity:
        return None
    pairs = [_pair("--polarity", text, "favour=1") for text in polarity]
    return LabelSet(tuple(name for name, _ in pairs), tuple(_worth(*pair) for pair in pairs))


def _worth(name: str, text: str) -> float | None:
    if text.lower() == "none":
        return None
    try:
        return float(text)
    except ValueError:
        raise InputError(f"--polarity {name}", repr(text), "-1 to 1, or none") from None


def _pair(option: str, text: str, example: str) -> tuple[str, str]:
    name, equals, value = text.rpartition("=")
    if not equals or not name.strip() or not value.strip():
        raise InputError(option, repr(text), f"two names with '=' between, such as {example}")
    return name.strip(), value.strip()
