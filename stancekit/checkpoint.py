"""The model folder: what is in it, and whether it can be trusted.

A checkpoint is a plain Hugging Face folder plus ``stancekit.json``, which says what Hugging Face
has no place for: polarity, template, window, temperature, and a hash of every file.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stancekit.encoding import OVERLAP, TEMPLATE
from stancekit.errors import CheckpointError
from stancekit.records import LabelSet

__all__ = ["FORMAT", "METADATA", "ONNX_WEIGHTS", "TOKENIZER", "TORCH_WEIGHTS", "Checkpoint"]

FORMAT = 1  # layout of stancekit.json
METADATA = "stancekit.json"
TOKENIZER = "tokenizer.json"
TORCH_WEIGHTS = "model.safetensors"
ONNX_WEIGHTS = "onnx/model_int8.onnx"
# Files of these kinds can run code when they are opened.
PICKLES = {".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib"}
AGAIN = "take the folder whole again"


@dataclass(frozen=True)
class Checkpoint:
    """A model folder whose description has been read and understood.

    Attributes:
        folder: where it is.
        labels: in the order of the model's outputs.
        window: longest input, in tokens.
        temperature: what logits are divided by before softmax; fitted on held-out rows.
        hashes: file name relative to the folder, to the SHA-256 of its bytes.
        facts: the whole of ``stancekit.json``.
    """

    folder: Path
    labels: LabelSet
    window: int
    temperature: float
    hashes: Mapping[str, str]
    facts: Mapping[str, Any]

    @classmethod
    def read(cls, folder: Path) -> Checkpoint:
        """Read ``stancekit.json`` and refuse what it does not describe.

        Raises:
            CheckpointError: no such folder, no or a broken description, a format or template of
                another version, or a pickle in the folder.
        """
        description = folder / METADATA
        if not folder.is_dir():
            raise CheckpointError(str(folder), "no such folder", "a model folder", "check the path")
        try:
            facts = json.loads(description.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise CheckpointError(
                str(folder), f"no {METADATA}", "a folder made by stancekit", "train one first"
            ) from None
        except (OSError, ValueError) as error:
            raise CheckpointError(str(description), str(error), "valid JSON", AGAIN) from None
        pickles = [p.name for p in sorted(folder.rglob("*")) if p.suffix.lower() in PICKLES]
        if pickles:
            raise CheckpointError(
                str(folder),
                f"the pickle {pickles[0]}",
                "weights as safetensors and ONNX only",
                "remove it: opening it could run code",
            )
        return cls._understand(folder, facts)

    @classmethod
    def _understand(cls, folder: Path, facts: Any) -> Checkpoint:
        place = str(folder / METADATA)
        upgrade = "use the version of stancekit that made it, or train again"
        try:
            for name, known in (("format", FORMAT), ("template", TEMPLATE)):
                if facts[name] != known:
                    raise CheckpointError(place, f"{name} {facts[name]!r}", f"{known}", upgrade)
            checkpoint = cls(
                folder=folder,
                labels=LabelSet(
                    tuple(label["name"] for label in facts["labels"]),
                    tuple(label["polarity"] for label in facts["labels"]),
                ),
                window=int(facts["window"]),
                temperature=float(facts["temperature"]),
                hashes={str(name): str(value) for name, value in facts["files"].items()},
                facts=facts,
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, CheckpointError):
                raise
            raise CheckpointError(place, f"{error!r}", "the fields of format 1", AGAIN) from None
        if not 0 < checkpoint.temperature < math.inf:
            raise CheckpointError(place, f"temperature {checkpoint.temperature}", "above 0", AGAIN)
        if checkpoint.window < 4 * OVERLAP:
            raise CheckpointError(
                place, f"window {checkpoint.window}", f"at least {4 * OVERLAP} tokens", AGAIN
            )
        return checkpoint

    def file(self, name: str) -> Path:
        """Path of one file of the checkpoint, after checking that it is the file described.

        Raises:
            CheckpointError: the file is missing, not described, or has other bytes.
        """
        path = self.folder / name
        if not path.is_file():
            raise CheckpointError(str(self.folder), f"no {name}", "all files of the model", AGAIN)
        if self.hashes.get(name) != hash_file(path):
            raise CheckpointError(
                str(path), "other bytes than stancekit.json records", "an unaltered file", AGAIN
            )
        return path

    def has(self, name: str) -> bool:
        """Whether the checkpoint describes and holds a file."""
        return name in self.hashes and (self.folder / name).is_file()

    @property
    def hash(self) -> str:
        """Twelve hex digits that name these weights: of the hashes of all files, in order."""
        lines = "\n".join(f"{name} {self.hashes[name]}" for name in sorted(self.hashes))
        return hashlib.sha256(lines.encode()).hexdigest()[:12]


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes, as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
