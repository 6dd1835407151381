"""Rows in memory, in the shapes that data tools hold them in, as examples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from stancekit.errors import InputError, RecordError
from stancekit.records import Example

__all__ = ["examples"]

COLUMNS = ("statement", "topic", "speaker")


def examples(X: Any, topic: str | None) -> list[Example]:
    """The questions that rows ask, whichever way they are given.

    Args:
        X: a sequence of statements, of tuples (statement, topic, speaker) that may be shorter, or
            of dicts with these keys; an array with these columns in this order; or a data frame
            with columns of these names. Other keys and columns are ignored.
        topic: of rows that have none.

    Raises:
        InputError: it is none of these.
        RecordError: a statement or topic is empty or broken; the message gives the row, from 1.
    """
    if hasattr(X, "columns"):
        names = [name for name in COLUMNS if name in X.columns]
        if names[:1] != ["statement"]:
            found = ", ".join(map(repr, X.columns))
            raise InputError("X", f"the columns {found}", "a column 'statement'")
        parts: Iterable[dict[str, Any]] = (
            dict(zip(names, row, strict=True))
            for row in zip(*(list(X[name]) for name in names), strict=True)
        )
    elif isinstance(X, str | Mapping) or not hasattr(X, "__len__"):
        raise InputError("X", type(X).__name__, "a sequence of rows", "put it in a list")
    else:
        parts = (_parts(row, number) for number, row in enumerate(X, start=1))
    return [_example(part, number, topic) for number, part in enumerate(parts, start=1)]


def _parts(row: Any, number: int) -> dict[str, Any]:
    if isinstance(row, str):
        return {"statement": row}
    if isinstance(row, Mapping):
        return {name: row[name] for name in COLUMNS if name in row}
    if isinstance(row, Sequence | np.ndarray) and 1 <= len(row) <= len(COLUMNS):
        return dict(zip(COLUMNS, row, strict=False))
    raise InputError(
        f"row {number}",
        f"{type(row).__name__} ({row!r:.40})",
        "a statement, a (statement, topic) pair or a dict with these",
    )


def _example(parts: Mapping[str, Any], number: int, topic: str | None) -> Example:
    # Data frames have NaN where nothing was.
    values: dict[str, Any] = {n: None if value != value else value for n, value in parts.items()}
    asked = values.get("topic") or topic
    try:
        return Example(values.get("statement", ""), asked or "", values.get("speaker"))
    except RecordError as error:
        raise RecordError(
            f"row {number}, {error.place}", error.found, error.wanted, error.next_step
        ) from None
