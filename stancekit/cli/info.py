"""``stancekit info``."""

from __future__ import annotations

import stancekit
from stancekit.cli.options import AsJson, Device, EngineName, Model, Threads, json_text, open_model

__all__ = ["EXAMPLE", "info"]

EXAMPLE = "Example: stancekit info --json"


def info(
    as_json: AsJson = False,
    model: Model = None,
    engine: EngineName = None,
    device: Device = None,
    threads: Threads = None,
) -> None:
    """Which model, labels, engine, threads and device are used."""
    loaded = open_model(model, engine, device, threads)
    checkpoint, runner = loaded.checkpoint, loaded.engine
    facts = {
        "version": stancekit.__version__,
        "model": str(checkpoint.folder),
        "hash": checkpoint.hash,
        "labels": dict(zip(checkpoint.labels.names, checkpoint.labels.polarity, strict=True)),
        "window": checkpoint.window,
        "temperature": round(checkpoint.temperature, 3),
        "engine": runner.name,
        "device": runner.device,
        "dtype": runner.dtype,
        "threads": runner.threads,
    }
    if as_json:
        print(json_text(facts))
        return
    facts["labels"] = ", ".join(
        f"{name} ({'no stance' if worth is None else f'{worth:+g}'})"
        for name, worth in zip(checkpoint.labels.names, checkpoint.labels.polarity, strict=True)
    )
    for name, value in facts.items():
        print(f"{name:<12} {value}")
