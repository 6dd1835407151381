"""Who stands where: the stance of statements toward topics, offline, on an ordinary CPU."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from stancekit.errors import (
    CheckpointError,
    FileError,
    InputError,
    MissingExtraError,
    RecordError,
    StancekitError,
)
from stancekit.reading import read
from stancekit.records import Article, Example, LabelSet, Prediction, Statement

if TYPE_CHECKING:
    from stancekit.model import StanceModel, load

__version__ = "0.1.0"

__all__ = [
    "Article",
    "CheckpointError",
    "Example",
    "FileError",
    "InputError",
    "LabelSet",
    "MissingExtraError",
    "Prediction",
    "RecordError",
    "StanceModel",
    "StancekitError",
    "Statement",
    "__version__",
    "load",
    "read",
]


def __getattr__(name: str) -> Any:
    # The model brings numpy and the tokenizer; reading an article should not wait for them.
    if name in ("StanceModel", "load"):
        return getattr(import_module("stancekit.model"), name)
    raise AttributeError(f"module 'stancekit' has no attribute {name!r}")
