"""What a run measures and on what: sizes, model and texts, opened when they are wanted."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.speed.counting import Counting
from benchmarks.speed.rows import usable
from stancekit.checkpoint import Checkpoint
from stancekit.errors import InputError
from stancekit.model import StanceModel, load
from stancekit.records import Example
from training import manifest as manifests
from training.standoff import texts_of

SEED = 7


@dataclass(frozen=True)
class Sizes:
    """How much each section does.

    Attributes:
        archives: rows of each archive of distinct rows.
        repeating: rows of the archive that repeats itself.
        sample: dev rows a turn, for all that is measured in turns.
        zero_shot: of those, rows for the zero-shot classifier, which is slow.
        turns: of each comparison.
        singles: predictions one at a time.
        starts: fresh processes.
        peak_seconds: for each shape of each product.
    """

    archives: tuple[int, ...] = (10_000, 200_000)
    repeating: int = 30_000
    sample: int = 320
    zero_shot: int = 16
    turns: int = 3
    singles: int = 300
    starts: int = 5
    peak_seconds: float = 0.3


@dataclass(frozen=True)
class Setting:
    """One run of the benchmark.

    Attributes:
        texts: folder of real sentences.
        model: the model folder.
        engine: by name; None for the default one.
        device: for the torch engine.
        sizes: how much to measure.
        cross_encoder_python: an interpreter that has sentence-transformers.
    """

    texts: Path
    model: Path
    engine: str | None
    device: str | None
    sizes: Sizes
    cross_encoder_python: Path

    def open(self) -> tuple[StanceModel, Counting]:
        """The model, and the engine in it that counts."""
        model = load(self.model, engine=self.engine, device=self.device)
        counted = Counting(model.engine)
        return StanceModel(model.checkpoint, counted), counted

    @cached_property
    def header(self) -> dict[str, Any]:
        """Which model and engine: what must be the same for sections to stand in one file."""
        engine = load(self.model, engine=self.engine, device=self.device).engine
        facts = ("name", "device", "dtype", "threads", "batch_tokens")
        return {
            "model": Checkpoint.read(self.model).hash,
            "engine": {name: getattr(engine, name) for name in facts},
            "gpu": gpu(),
        }

    @cached_property
    def dev(self) -> list[Example]:
        """Labelled dev rows, distinct, in random order."""
        rows = list(dict.fromkeys(row.example for row in manifests.load(self.texts).dev))
        random.Random(SEED).shuffle(rows)
        return rows

    @cached_property
    def sample(self) -> list[Example]:
        """The dev rows that comparisons run on."""
        return self.dev[: self.sizes.sample]

    @cached_property
    def statements(self) -> list[str]:
        """All texts of the folder that can be a statement."""
        found = usable(list(texts_of(self.texts).values()))
        if not found:
            raise InputError(
                str(self.texts), "no texts", "JSON lines with a statement each, in any subfolder"
            )
        return found

    @cached_property
    def topics(self) -> list[str]:
        """The topics of dev."""
        return list(dict.fromkeys(row.topic for row in self.dev))


def gpu() -> str | None:
    """Name of the GPU that torch would use; None where there is none."""
    try:
        import torch
    except ImportError:
        return None
    return torch.cuda.get_device_name() if torch.cuda.is_available() else None


def engine_arguments(setting: Setting) -> Sequence[str]:
    """The setting's model and engine as arguments for a process of its own."""
    chosen = {"--model": setting.model.absolute(), "--engine": setting.engine}
    chosen |= {"--device": setting.device}
    return [str(part) for name, value in chosen.items() if value for part in (name, value)]
