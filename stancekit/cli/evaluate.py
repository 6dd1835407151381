"""``stancekit evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import stancekit
from stancekit.cli.options import AsJson, Device, EngineName, Model, Threads, json_text, open_model

__all__ = ["EXAMPLE", "evaluate"]

EXAMPLE = "Example: stancekit evaluate examples/labelled.csv"


def evaluate(
    data: Annotated[Path, typer.Argument(help="Rows with statement, topic, label; maybe speaker.")],
    as_json: AsJson = False,
    probes: Annotated[
        bool, typer.Option("--probes", help="Mask topics and speakers, and make small changes too.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the resampling behind the intervals.")] = 0,
    model: Model = None,
    engine: EngineName = None,
    device: Device = None,
    threads: Threads = None,
) -> None:
    """How good a model is on labelled rows, with intervals."""
    from stancekit import evaluation
    from stancekit.files import read_examples
    from stancekit.probes import probe

    examples = read_examples(data)
    loaded = open_model(model, engine, device, threads)
    predictions = loaded.predict_many(examples)
    report = evaluation.evaluate(
        examples,
        predictions,
        loaded.labels,
        recipe={
            "data": evaluation.data_hash(examples),
            "model": loaded.checkpoint.hash,
            "engine": loaded.engine.name,
            "dtype": loaded.engine.dtype,
            "version": stancekit.__version__,
        },
        seed=seed,
    )
    probed = probe(loaded, examples, predictions, seed) if probes else None
    if as_json:
        print(json_text(report.to_dict() | ({"probes": probed.to_dict()} if probed else {})))
    else:
        print(report if probed is None else f"{report}\n\n{probed}")
