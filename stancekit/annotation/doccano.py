"""doccano, text classification: jsonl out; jsonl, json and csv exports in.

An export of a project whose annotators work apart has a file an annotator, named after them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from stancekit.annotation.tasks import Format, Marked, Task, one_label
from stancekit.errors import RecordError
from stancekit.records import LabelSet

__all__ = ["DOCCANO"]


def write(task: Task, labels: LabelSet) -> dict[str, Any]:
    example = task.example
    return {
        "text": example.statement,
        # A label given here would be exported again as if somebody had chosen it. Beside the text
        # the tool shows all other columns.
        "label": [],
        "topic": example.topic,
        "speaker": example.speaker or "",
        **({} if example.group is None else {"group": example.group}),
        "suggestion": f"{task.prediction.label} {task.prediction.confidence:.2f}",
        "reason": task.reason,
    }


def setup(labels: LabelSet) -> dict[str, str]:
    """The labels, to be loaded under Labels, Actions, Import Labels."""
    listed = [{"text": name, "suffixKey": str(i)} for i, name in enumerate(labels.names[:10])]
    listed += [{"text": name} for name in labels.names[10:]]
    return {".labels.json": json.dumps(listed, ensure_ascii=False, indent=2) + "\n"}


def recognises(values: Mapping[str, Any]) -> bool:
    others = {"answer", "_task_hash", "annotation_id", "annotator"}
    return {"id", "text", "label"} <= values.keys() and not others & values.keys()


def read(values: Mapping[str, Any], annotator: str) -> Marked:
    labels = values.get("label")
    if labels is None or isinstance(labels, str):
        # In a csv several labels stand in one cell with number signs between them.
        labels = labels.split("#") if labels else []
    if isinstance(labels, list) and any(isinstance(label, list) for label in labels):
        raise RecordError(
            "label", f"{labels!r:.40}", "labels of whole texts", "make it a classification project"
        )
    return Marked(values, tuple((annotator, label) for label in one_label(labels)))


DOCCANO = Format("doccano", ".jsonl", write, setup, recognises, read)
