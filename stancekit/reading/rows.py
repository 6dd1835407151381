"""Statements and what was predicted of them, as flat rows for a table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stancekit.records import Prediction, Statement

__all__ = ["as_rows"]


def as_rows(answers: Iterable[tuple[Statement, Prediction]]) -> list[dict[str, Any]]:
    """What ``model.read`` returns as dicts of plain values, as ``pandas.DataFrame`` takes them.

    Returns:
        One dict a statement, in order: ``statement``, ``speaker`` (or None), ``kind``, ``start``,
        ``end``, ``speaker_confidence`` in [0, 1], ``context`` (or None); then ``label``,
        ``confidence``, ``score``, a ``p_`` column for each label, and ``windows``, as in scored
        files.
    """
    return [
        {
            "statement": statement.text,
            "speaker": statement.speaker,
            "kind": statement.kind,
            "start": statement.start,
            "end": statement.end,
            "speaker_confidence": statement.confidence,
            "context": statement.context,
            "label": prediction.label,
            "confidence": prediction.confidence,
            "score": prediction.score,
            **{f"p_{name}": p for name, p in prediction.probabilities.items()},
            "windows": prediction.windows,
        }
        for statement, prediction in answers
    ]
