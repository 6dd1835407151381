"""``stancekit train``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from stancekit.cli import labelled
from stancekit.cli.options import AsJson, json_text
from stancekit.cli.training import TrainingDisplay, quiet

__all__ = ["EXAMPLE", "train"]

EXAMPLE = "Example: stancekit train examples/labelled.csv -o my-model"
NOT_BETTER = 3  # exit code


def train(
    data: labelled.Paths,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the new model.")],
    dev: labelled.Dev = None,
    base: labelled.Base = None,
    map_label: labelled.Map = None,
    polarity: labelled.Polarity = None,
    topic: labelled.TopicForAll = None,
    epochs: Annotated[float | None, typer.Option(help="Passes over the rows, at most.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="The highest it gets.")] = None,
    batch: Annotated[int | None, typer.Option(help="Rows a step.")] = None,
    frozen_layers: Annotated[
        int | None, typer.Option(help="Lowest layers that keep their weights.")
    ] = None,
    patience: Annotated[
        int, typer.Option(help="Epochs without a better dev score before it stops; 0: never.")
    ] = 2,
    class_weights: Annotated[bool, typer.Option(help="Let rows of rare labels count more.")] = True,
    rehearsal: Annotated[
        int, typer.Option(help="Rows of the bundled model's own training to mix in.")
    ] = 0,
    seed: Annotated[int, typer.Option(help="Of the split, the order of rows and dropout.")] = 13,
    require_better: Annotated[
        bool, typer.Option("--require-better", help="Exit with 3 unless it is better.")
    ] = False,
    as_json: AsJson = False,
    statement_column: labelled.StatementColumn = "statement",
    topic_column: labelled.TopicColumn = "topic",
    speaker_column: labelled.SpeakerColumn = "speaker",
    label_column: labelled.LabelColumn = "label",
    group_column: labelled.GroupColumn = "group",
) -> None:
    """Train a model on labelled rows, and say whether it is better than the one before.

    The rows are checked first. An interrupted run goes on when the same command is given again.
    """
    from stancekit.finetune import Options, carry_out, prepare
    from stancekit.finetune.training import recipe_of

    columns = (statement_column, topic_column, speaker_column, label_column, group_column)
    rows = labelled.read_data(data, columns, map_label or [], topic)
    held = labelled.read_data(dev, columns, map_label or [], topic) if dev else None
    labels = labelled.label_set(polarity or [])
    recipe = recipe_of(
        base,
        epochs=epochs,
        learning_rate=learning_rate,
        batch=batch,
        frozen_layers=frozen_layers,
        seed=seed,
    )
    options = Options(recipe, patience, class_weights, rehearsal)
    plan = prepare(rows, dev=held, base=base, labels=labels, seed=seed)
    if not as_json:
        print(f"{plan}\n", flush=True)
    quiet()
    try:
        with TrainingDisplay() as watch:
            trained = carry_out(plan, output, options, watch)
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
        sys.exit(130)
    print(json_text(trained.to_dict()) if as_json else trained)
    if require_better and not (trained.verdict and trained.verdict.better):
        sys.exit(NOT_BETTER)
