"""What several commands take, and what each does with it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import stancekit

if TYPE_CHECKING:
    from stancekit.model import StanceModel

__all__ = [
    *("AsJson", "Device", "EngineName", "Model", "Threads", "Topic"),
    *("json_text", "open_model"),
]

Topic = Annotated[str, typer.Option("--topic", "-t", help="What the stance is toward.")]
Model = Annotated[
    Path | None, typer.Option("--model", help="A model folder; the bundled one by default.")
]
EngineName = Annotated[str | None, typer.Option("--engine", help="onnx or torch.")]
Device = Annotated[str | None, typer.Option("--device", help="cpu, cuda, cuda:1, mps.")]
Threads = Annotated[int | None, typer.Option("--threads", help="Processor threads to use.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON for programs.")]


def open_model(
    model: Path | None,
    engine: str | None = None,
    device: str | None = None,
    threads: int | None = None,
) -> StanceModel:
    if threads is not None:
        # The tokenizer has threads of its own, as many as it finds processors, and can be told
        # otherwise only so, before it starts them. A library must not; this process is our own.
        os.environ.setdefault("RAYON_NUM_THREADS", str(threads))
    return stancekit.load(model, engine=engine, device=device, threads=threads)


def json_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
