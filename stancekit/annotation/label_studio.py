"""Label Studio: tasks with predictions out; JSON, JSON-MIN and CSV exports in.

A JSON export has every annotation of a task in one item; the other two have an item an annotation.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import quoteattr

from stancekit.annotation.tasks import QUESTION, Format, Marked, Task, one_label, part, question_of
from stancekit.errors import RecordError
from stancekit.records import LabelSet

__all__ = ["LABEL_STUDIO"]


def write(task: Task, labels: LabelSet) -> dict[str, Any]:
    example = task.example
    return {
        "data": {
            "statement": example.statement,
            "topic": example.topic,
            # Every variable of the labeling configuration must be there, and be text.
            "speaker": example.speaker or "",
            **({} if example.group is None else {"group": example.group}),
            "reason": task.reason,
        },
        "predictions": [
            {
                "model_version": task.model,
                "score": task.prediction.confidence,
                "result": [
                    {
                        "from_name": QUESTION,
                        "to_name": "statement",
                        "type": "choices",
                        "value": {"choices": [task.prediction.label]},
                    }
                ],
            }
        ],
    }


def setup(labels: LabelSet) -> dict[str, str]:
    """The labeling configuration, to be pasted under Settings, Labeling Interface, Code."""
    choices = "\n".join(f"    <Choice value={quoteattr(name)}/>" for name in labels.names)
    return {
        ".config.xml": f"""<View>
  <Header value="Where does the speaker stand on: $topic"/>
  <Header value="Speaker: $speaker" size="5"/>
  <Text name="statement" value="$statement"/>
  <Choices name="{QUESTION}" toName="statement" choice="single" showInline="true">
{choices}
  </Choices>
</View>
"""
    }


def recognises(values: Mapping[str, Any]) -> bool:
    return isinstance(values.get("data"), dict) or "annotation_id" in values


def read(values: Mapping[str, Any], annotator: str) -> Marked:
    if "data" not in values:
        return _read_flat(values, annotator)
    votes = []
    for annotation in part(values, "annotations", list):
        if not isinstance(annotation, dict):
            raise RecordError("annotations", f"{annotation!r:.40}", "a list of objects")
        if not annotation.get("was_cancelled"):
            who = _name(annotation.get("completed_by"), annotator)
            votes += [(who, label) for label in _label(part(annotation, "result", list))]
    return Marked(part(values, "data", dict), tuple(votes))


def _label(result: list[Any]) -> tuple[str, ...]:
    """The label of one annotation, from its regions; comments, ratings and the like are no label.

    A choice about the whole task is one region, so a second region of that name is another answer.
    """
    choices: dict[str, list[Any]] = {}
    for region in result:
        if not isinstance(region, dict):
            raise RecordError("result", f"{region!r:.40}", "a list of objects")
        if region.get("type") == "choices":
            ticked = part(part(region, "value", dict), "choices", list)
            choices.setdefault(part(region, "from_name", str), []).extend(ticked)
    return one_label(choices[question_of(choices)]) if choices else ()


def _read_flat(values: Mapping[str, Any], annotator: str) -> Marked:
    """An item of JSON-MIN or a row of CSV: the data, with the answers among them."""
    # Cells of a CSV are text; this one is "True" or "False" there.
    if str(values.get("was_cancelled")).lower() == "true":
        return Marked(values, ())
    answer = values.get(QUESTION)
    if isinstance(answer, str) and answer.startswith('{"choices"'):
        # Several labels in one answer, in a CSV.
        try:
            answer = json.loads(answer)
        except ValueError:
            raise RecordError(QUESTION, f"{answer!r:.40}", "the name of a label") from None
    if isinstance(answer, dict):
        answer = answer.get("choices")
    if QUESTION not in values:
        # The tool leaves out what was not answered, and so would another name of the question.
        known = {"statement", "topic", "speaker", "group", "reason", *_OWN}
        others = sorted(name for name in values if name not in known)
        if others:
            raise RecordError(
                "item",
                f"no '{QUESTION}' among {', '.join(map(repr, others))}",
                f"the answer under '{QUESTION}'",
                "export as JSON, where the answers can be told from the data",
            )
    ticked = answer if isinstance(answer, list) else [answer] if answer else []
    who = _name(values.get("annotator"), annotator)
    return Marked(values, tuple((who, label) for label in one_label(ticked)))


# What the tool itself adds to the data of a task, in JSON-MIN and CSV.
_OWN = {
    *("id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time"),
    *("was_cancelled", "agreement"),
}


def _name(completed_by: object, annotator: str) -> str:
    """An annotator's address, else number; older and newer versions say it differently."""
    if isinstance(completed_by, dict):
        completed_by = completed_by.get("email") or completed_by.get("id")
    return annotator if completed_by in (None, "") else str(completed_by)


LABEL_STUDIO = Format("label-studio", ".json", write, setup, recognises, read)
