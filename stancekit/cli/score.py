"""``stancekit score``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stancekit.cli.options import Device, EngineName, Model, Threads, open_model
from stancekit.cli.progress import ProgressDisplay

__all__ = ["EXAMPLE", "score"]

EXAMPLE = 'Example: stancekit score examples/archive.csv --topic "the tidal barrage" -o out.csv'


def score(
    inputs: Annotated[list[Path], typer.Argument(help="Files: .jsonl, .csv, .tsv, .parquet.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write; same kinds.")],
    topic: Annotated[
        str | None,
        typer.Option("--topic", "-t", help="What the stance is toward, where a row has no topic."),
    ] = None,
    max_error: Annotated[
        float | None,
        typer.Option(help="Mark answers as uncertain, to leave at most this share wrong."),
    ] = None,
    model: Model = None,
    engine: EngineName = None,
    device: Device = None,
    threads: Threads = None,
) -> None:
    """Score files of statements.

    Reads the columns statement, topic and speaker; writes all input columns, then the answer. Rows
    that cannot be scored go to OUTPUT.errors.jsonl with file, line and reason.
    """
    from stancekit import archive

    loaded = open_model(model, engine, device, threads)
    least = None if max_error is None else loaded.min_confidence(max_error)
    with ProgressDisplay() as show:
        summary = archive.score(
            inputs, output, loaded, topic=topic, min_confidence=least, progress=show
        )
    labels = ", ".join(f"{n} {label}" for label, n in summary.labels.items())
    print(
        f"rows scored: {summary.scored} in {summary.seconds:.1f} s "
        f"({summary.rows_per_second:.0f} rows/s): {labels}"
    )
    print(f"written to {summary.output}")
    if summary.errors:
        print(f"rows that could not be scored: {summary.errors}, see {summary.errors_path}")
