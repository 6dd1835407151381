"""``stancekit predict``."""

from __future__ import annotations

from typing import Annotated

import typer

from stancekit.cli.options import (
    AsJson,
    Device,
    EngineName,
    Model,
    Threads,
    Topic,
    json_text,
    open_model,
)

__all__ = ["EXAMPLE", "predict"]

EXAMPLE = 'Example: stancekit predict "Let us wait for the talks." --topic "missile defence"'


def predict(
    statement: Annotated[str, typer.Argument(help="A sentence or short passage.")],
    topic: Topic,
    speaker: Annotated[
        str | None, typer.Option("--speaker", "-s", help="Whose stance is asked for.")
    ] = None,
    as_json: AsJson = False,
    model: Model = None,
    engine: EngineName = None,
    device: Device = None,
    threads: Threads = None,
) -> None:
    """The stance of one statement toward a topic."""
    from stancekit.display import prediction_line, record

    prediction = open_model(model, engine, device, threads).predict(statement, topic, speaker)
    print(json_text(record(prediction)) if as_json else prediction_line(prediction))
