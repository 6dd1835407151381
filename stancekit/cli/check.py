"""``stancekit check``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from stancekit.cli import labelled
from stancekit.cli.training import quiet

__all__ = ["EXAMPLE", "check"]

EXAMPLE = "Example: stancekit check examples/labelled.csv"


def check(
    data: labelled.Paths,
    dev: labelled.Dev = None,
    suspects: Annotated[
        int, typer.Option(help="List so many labels that are likeliest to be wrong.")
    ] = 0,
    base: labelled.Base = None,
    map_label: labelled.Map = None,
    polarity: labelled.Polarity = None,
    topic: labelled.TopicForAll = None,
    statement_column: labelled.StatementColumn = "statement",
    topic_column: labelled.TopicColumn = "topic",
    speaker_column: labelled.SpeakerColumn = "speaker",
    label_column: labelled.LabelColumn = "label",
    group_column: labelled.GroupColumn = "group",
) -> None:
    """What is wrong with labelled rows, before training on them.

    Errors, which would stop training, give exit code 2.
    """
    from stancekit.finetune.plan import inspect

    columns = (statement_column, topic_column, speaker_column, label_column, group_column)
    rows = labelled.read_data(data, columns, map_label or [], topic)
    held = labelled.read_data(dev, columns, map_label or [], topic) if dev else None
    labels = labelled.label_set(polarity or [])
    chosen, checked, _ = inspect(rows, dev=held, base=base, labels=labels)
    print(f"{checked}\n{chosen}")
    for error in checked.errors:
        print(f"error: {error}", file=sys.stderr)
    if checked.errors:
        sys.exit(2)
    if suspects:
        from stancekit.finetune.suspects import find_suspects

        quiet()
        found = find_suspects(checked.rows, chosen.labels, base, suspects)
        print(f"suspicious labels: {len(found)}, the likeliest to be wrong first")
        for one in found:
            print(one)
