"""What a run is about and how far it has come, as files that are whole or not there."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from stancekit.errors import FileError
from stancekit.parts import placed
from stancekit.rows import BadRow, Row, display

__all__ = ["State", "read_json", "refuse_changes", "write_json"]


@dataclass(frozen=True, slots=True)
class State:
    """How far a run has come.

    Attributes:
        pieces: pieces of the output that count.
        files: files of an output folder that are whole.
        rows: input rows done.
        scored: output rows.
        errors: bad rows.
        labels: label to number of output rows.
        finished: whether the output folder is whole.
    """

    pieces: int = 0
    files: int = 0
    rows: int = 0
    scored: int = 0
    errors: int = 0
    labels: dict[str, int] = field(default_factory=dict)
    finished: bool = False

    def after(self, read: int, outcomes: Sequence[Row | BadRow]) -> State:
        """The state one piece further on, which took ``read`` input rows."""
        scored = [row for row in outcomes if isinstance(row, Row)]
        labels = Counter(self.labels) + Counter(row.values["label"] for row in scored)
        return State(
            self.pieces + 1,
            self.files,
            self.rows + read,
            self.scored + len(scored),
            self.errors + len(outcomes) - len(scored),
            dict(sorted(labels.items())),
        )

    def write(self, path: Path) -> None:
        """Put it down, as ``State(**read_json(path))`` reads it."""
        write_json(path, asdict(self))


def refuse_changes(name: str, begun: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raise ``FileError`` if a run was begun with something else than what is asked for now.

    Args:
        name: of the output.
        begun: what the run is about, as ``read_json`` gives it.
        now: what is asked for.
    """
    for fact in (*begun, *now):
        # By way of JSON: a tuple is a list there.
        before, after = begun.get(fact), json.loads(json.dumps(now.get(fact)))
        if before != after:
            raise FileError(
                name,
                f"a run begun with {fact} {json.dumps(before, ensure_ascii=False)}",
                f"the same as now, {json.dumps(after, ensure_ascii=False)}",
                "go on with what it was begun with, or start over with --restart",
            )


def read_json(path: Path) -> dict[str, Any]:
    """What ``write_json`` wrote; empty if there is no such file.

    Raises:
        FileError: it is damaged.
    """
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise FileError(display(path), "damage", "the record of a run", "start over with --restart")
    return value


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a file whole or not at all."""
    with placed(path) as file:
        file.write(json.dumps(value, indent=1, ensure_ascii=False).encode("utf-8", "replace"))
