"""Examples as the Trainer takes them: rows of token ids, and batches of rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stancekit.encoding import Encoder, Window
from stancekit.engines import pad
from stancekit.errors import InputError, RecordError
from stancekit.records import Example, LabelSet

if TYPE_CHECKING:
    import torch

__all__ = ["Collator", "feed", "pad_id"]


def feed(
    encoder: Encoder,
    examples: Sequence[Example],
    labels: LabelSet,
    targets: NDArray[np.float32] | None = None,
) -> list[dict[str, Any]]:
    """Training rows; a statement of several windows gives a row a window."""
    rows: list[dict[str, Any]] = []
    for number, (example, windows) in enumerate(
        zip(examples, encoder.encode(examples), strict=True), start=1
    ):
        if targets is not None:
            answer: int | list[float] = targets[number - 1].tolist()
        else:
            answer = _gold(example, labels, number)
        rows += [
            {
                "input_ids": window.ids.tolist(),
                "token_type_ids": window.types.tolist(),
                "labels": answer,
            }
            for window in windows
        ]
    return rows


def _gold(example: Example, labels: LabelSet, number: int) -> int:
    if example.label is None:
        raise InputError(f"example {number}", "no label", f"one of {', '.join(labels.names)}")
    if example.label not in labels.names:
        raise RecordError(
            f"example {number}", repr(example.label), f"one of {', '.join(labels.names)}"
        )
    return labels.index(example.label)


class Collator:
    """Pads a batch to its own longest row."""

    def __init__(self, pad_id: int, types: bool) -> None:
        self.pad_id = pad_id
        self.types = types

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
        import torch

        windows = [
            Window(np.asarray(row["input_ids"]), np.asarray(row["token_type_ids"])) for row in rows
        ]
        arrays = pad(windows, self.pad_id, types=self.types)
        batch = {name: torch.from_numpy(array) for name, array in arrays.items()}
        return batch | {"labels": torch.tensor([row["labels"] for row in rows])}


def pad_id(base: Path) -> int:
    import transformers

    return int(transformers.AutoConfig.from_pretrained(base).pad_token_id or 0)
