"""``stancekit import``; the word is taken in Python."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["EXAMPLE", "import_"]

EXAMPLE = "Example: stancekit import examples/annotated.json -o labelled.csv"


def import_(
    exports: Annotated[list[Path], typer.Argument(help="What the tool exported: .json, .csv, …")],
    output: Annotated[Path, typer.Option("--output", "-o", help="File of labelled statements.")],
    tool: Annotated[
        str | None,
        typer.Option(
            "--format", help="label-studio, doccano, argilla or prodigy; guessed when clear."
        ),
    ] = None,
    topic: Annotated[
        str | None,
        typer.Option(
            "--topic", "-t", help="What the stance is toward, where an item has no topic."
        ),
    ] = None,
) -> None:
    """Read labels back from an annotation tool.

    A label is taken where more than half of the annotators give it; the others go to
    OUTPUT.undecided.jsonl, items that cannot be used to OUTPUT.errors.jsonl.
    """
    from stancekit.annotation.collect import collect

    done = collect(exports, output, tool=tool, topic=topic)
    labels = ", ".join(f"{n} {label}" for label, n in done.labels.items())
    print(f"statements labelled: {sum(done.labels.values())}" + (f": {labels}" if labels else ""))
    if done.undecided:
        print(f"without a majority: {done.undecided}, see {done.undecided_path}")
    if done.unanswered:
        print(f"not labelled by anybody: {done.unanswered}")
    if done.errors:
        print(f"items that could not be used: {done.errors}, see {done.errors_path}")
    for name, answers in done.annotators.items():
        print(f"annotator {name}: {answers} answers")
    if done.compared:
        alpha = "not defined" if done.alpha != done.alpha else f"{done.alpha:.3f}"
        print(f"Krippendorff's alpha: {alpha} (statements with several answers: {done.compared})")
    print(f"written to {done.output}")


# What the command is called.
import_.__name__ = "import"
