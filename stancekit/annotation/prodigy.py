"""Prodigy: tasks of its ``choice`` interface out; what ``db-out`` writes in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stancekit.annotation.tasks import Format, Marked, Task, one_label, optional, part
from stancekit.errors import RecordError
from stancekit.records import LabelSet

__all__ = ["PRODIGY"]

ANSWERS = ("accept", "reject", "ignore")


def write(task: Task, labels: LabelSet) -> dict[str, Any]:
    example = task.example
    suggestion = f"{task.prediction.label} {task.prediction.confidence:.2f}"
    return {
        "text": example.statement,
        "options": [{"id": name, "text": name} for name in labels.names],
        "topic": example.topic,
        "speaker": example.speaker,
        **({} if example.group is None else {"group": example.group}),
        # Shown below the text. The suggestion is not ticked beforehand: pressing "accept" without
        # reading would then give the model's own answer back to it.
        "meta": {
            "topic": example.topic,
            **({} if example.speaker is None else {"speaker": example.speaker}),
            "suggestion": suggestion,
            "reason": task.reason,
        },
    }


def setup(labels: LabelSet) -> dict[str, str]:
    return {}  # the options are in each task


def recognises(values: Mapping[str, Any]) -> bool:
    return "text" in values and values.get("answer") in ANSWERS


def read(values: Mapping[str, Any], annotator: str) -> Marked:
    fields = {**optional(values, "meta"), **values}
    answer = values.get("answer")
    if answer not in ANSWERS:
        raise RecordError(
            "answer", f"{answer!r:.40}", f"one of {', '.join(ANSWERS)}", "export with db-out"
        )
    if answer != "accept":
        # What a statement is not does not say which of the other labels it has.
        return Marked(fields, ())
    if "accept" in values:
        labels = one_label(part(values, "accept", list))
    else:
        labels = (part(values, "label", str),)  # the binary interface: is it this label?
    who = values.get("_annotator_id") or values.get("_session_id") or annotator
    return Marked(fields, tuple((str(who), label) for label in labels))


PRODIGY = Format("prodigy", ".jsonl", write, setup, recognises, read)
