"""``stancekit suggest``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stancekit.cli.options import Device, EngineName, Model, Threads, open_model
from stancekit.cli.progress import ProgressDisplay

__all__ = ["EXAMPLE", "suggest"]

EXAMPLE = (
    'Example: stancekit suggest examples/archive.csv --topic "the tidal barrage" -n 5 -o next.csv'
)


def suggest(
    pool: Annotated[list[Path], typer.Argument(help="Files of statements, as for score.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="File of rows or tasks to write.")],
    count: Annotated[int, typer.Option("--count", "-n", help="How many statements.")] = 200,
    topic: Annotated[
        str | None,
        typer.Option("--topic", "-t", help="What the stance is toward, where a row has no topic."),
    ] = None,
    tool: Annotated[
        str | None,
        typer.Option(
            "--format", help="Tasks for label-studio, doccano, argilla or prodigy; else rows."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the order among equals.")] = 0,
    model: Model = None,
    engine: EngineName = None,
    device: Device = None,
    threads: Threads = None,
) -> None:
    """Choose statements to label next.

    Those the model is least sure of, unlike each other and of many documents, the best first. A
    file of rows has an empty column label to fill in; --format writes tasks for an annotation tool
    instead, and what sets up its project.
    """
    from stancekit.suggest import suggest as choose

    loaded = open_model(model, engine, device, threads)
    with ProgressDisplay() as show:
        done = choose(
            pool,
            output,
            loaded,
            count=count,
            topic=topic,
            seed=seed,
            tool=tool,
            model_name=f"stancekit {loaded.checkpoint.hash}",
            progress=show,
        )
    documents = f", from {done.documents} documents" if done.documents > 1 else ""
    print(f"suggested: {done.suggested} of {done.rows} rows{documents}")
    print(f"written to {done.output}")
    for path in done.setup_paths:
        print(f"to set up the project: {path}")
    if done.errors:
        print(f"rows that could not be used: {done.errors}, see {done.errors_path}")
