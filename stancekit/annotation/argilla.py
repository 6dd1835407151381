"""Argilla: records with suggestions out; nested and flattened records in.

The tasks are a file for ``dataset.records.from_json``; ``dataset.records.to_json`` writes the
nested form and ``to_list(flatten=True)`` the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from stancekit.annotation.tasks import (
    QUESTION,
    Format,
    Marked,
    Task,
    one_label,
    optional,
    part,
    question_of,
)
from stancekit.errors import RecordError
from stancekit.records import LabelSet
from stancekit.rows import to_json

__all__ = ["ARGILLA"]

RESPONSES = ".responses"
# A draft is not an answer yet, and a discarded record was answered by nobody.
SUBMITTED = (None, "submitted")


def write(task: Task, labels: LabelSet) -> dict[str, Any]:
    example = task.example
    named = {} if example.speaker is None else {"speaker": example.speaker}
    grouped = {} if example.group is None else {"group": example.group}
    decision = to_json([example.statement, example.topic, example.speaker])
    return {
        # The same decision has the same id, so that adding it again changes nothing.
        "id": hashlib.sha256(decision.encode()).hexdigest()[:32],
        "fields": {"statement": example.statement, "topic": example.topic, **named},
        "metadata": {**grouped, "reason": task.reason},
        "suggestions": {
            QUESTION: {
                "value": task.prediction.label,
                "score": task.prediction.confidence,
                "agent": task.model,
            }
        },
        "responses": {},
        "vectors": {},
    }


def setup(labels: LabelSet) -> dict[str, str]:
    return {}  # a dataset's settings are made in Python


def recognises(values: Mapping[str, Any]) -> bool:
    nested = isinstance(values.get("fields"), dict) and "responses" in values
    return nested or any(name.endswith((RESPONSES, ".suggestion")) for name in values)


def read(values: Mapping[str, Any], annotator: str) -> Marked:
    if "fields" not in values:
        return _read_flat(values, annotator)
    fields = part(values, "fields", dict) | optional(values, "metadata")
    answered = {q: a for q, a in optional(values, "responses").items() if a}
    if not answered:
        return Marked(fields, ())
    votes: list[tuple[str, str]] = []
    for response in part(answered, question_of(answered), list):
        if not isinstance(response, dict):
            raise RecordError("responses", f"{response!r:.40}", "a list of objects")
        if response.get("status") in SUBMITTED:
            votes += _vote(response.get("value"), response.get("user_id"), annotator)
    return Marked(fields, tuple(votes))


def _read_flat(values: Mapping[str, Any], annotator: str) -> Marked:
    """A record whose fields and answers stand side by side, answers and users in step."""
    answered = {name for name in values if name.endswith(RESPONSES) and values[name]}
    if not answered:
        return Marked(values, ())
    name = question_of({name.removesuffix(RESPONSES) for name in answered}) + RESPONSES
    answers = part(values, name, list)
    nobody = {part_of: [None] * len(answers) for part_of in (f"{name}.users", f"{name}.status")}
    said = nobody | {key: values[key] for key in nobody if values.get(key) is not None}
    users, states = (part(said, key, list) for key in nobody)
    if not len(answers) == len(users) == len(states):
        raise RecordError(name, f"{len(answers)} answers of {len(users)} users", "an answer a user")
    votes: list[tuple[str, str]] = []
    for answer, user, state in zip(answers, users, states, strict=True):
        if state in SUBMITTED:
            votes += _vote(answer, user, annotator)
    return Marked(values, tuple(votes))


def _vote(value: object, user: object, annotator: str) -> list[tuple[str, str]]:
    # A question with one label has a string, one with several a list.
    ticked = value if isinstance(value, list) else [] if value in (None, "") else [value]
    return [(str(user or annotator), label) for label in one_label(ticked)]


ARGILLA = Format("argilla", ".json", write, setup, recognises, read)
