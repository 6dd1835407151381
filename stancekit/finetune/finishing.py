"""What a trained classifier needs to become a checkpoint: parity of the engines, calibration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stancekit.calibration import temperature
from stancekit.errors import StancekitError
from stancekit.evaluation import Report, data_hash, evaluate
from stancekit.model import StanceModel, load
from stancekit.records import Example

__all__ = ["Parity", "fitted_temperature", "parity", "report"]


@dataclass(frozen=True, slots=True)
class Parity:
    """Rows on which both engines ran, and rows that they label differently."""

    n: int
    flips: int

    def __str__(self) -> str:
        return (
            f"int8 ONNX against float32 torch (n={self.n}): {self.flips / self.n:.2%} of labels "
            "differ."
        )


def parity(folder: Path, rows: Sequence[Example], most: float) -> Parity:
    """Compare the engines on a checkpoint, and refuse one that they read too differently.

    Args:
        folder: the checkpoint; its temperature does not matter.
        rows: at least one.
        most: share of labels that may differ, in [0, 1]; one row may always.

    Raises:
        StancekitError: more labels than that differ.
    """
    labels = []
    for engine in ("onnx", "torch"):
        predictions = load(folder, engine=engine, device="cpu").predict_many(rows)
        labels.append([prediction.label for prediction in predictions])
    found = Parity(len(rows), sum(a != b for a, b in zip(*labels, strict=True)))
    if found.flips > max(1, math.floor(most * len(rows))):
        raise StancekitError(
            str(folder), str(found), f"at most {most:.0%}", "train with another seed"
        )
    return found


def fitted_temperature(model: StanceModel, rows: Sequence[Example]) -> float:
    """The temperature that suits held-out rows; each window of a long one counts as a row."""
    outputs = model.logits(rows)
    gold: NDArray[np.int64] = np.repeat(
        [model.labels.index(str(row.label)) for row in rows], [len(one) for one in outputs]
    )
    return temperature(np.concatenate(outputs), gold)


def report(model: StanceModel, rows: Sequence[Example], manifest: str) -> Report:
    """Scores of a model on labelled rows, with all that made them in the signature."""
    return evaluate(
        rows,
        model.predict_many(rows),
        model.labels,
        recipe={
            "data": data_hash(rows),
            "manifest": manifest,
            "engine": model.engine.name,
            "dtype": model.engine.dtype,
            "version": version("stancekit"),
        },
    )
