"""What goes to an annotation tool and what comes back, whichever tool it is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from stancekit.errors import RecordError
from stancekit.records import Example, LabelSet, Prediction

__all__ = ["QUESTION", "Format", "Marked", "Task", "one_label", "optional", "part", "question_of"]

# What the question is called in tasks we write; exports of other projects may call it otherwise.
QUESTION = "label"

T = TypeVar("T")
NAMES: dict[type, str] = {dict: "an object", list: "a list", str: "a string"}


@dataclass(frozen=True, slots=True)
class Task:
    """One statement for people to label.

    Attributes:
        example: statement, topic, and maybe speaker and group; no label.
        prediction: what a model says; tools show it as a suggestion, never as an answer.
        model: the name of that model.
        reason: why this statement was chosen.
    """

    example: Example
    prediction: Prediction
    model: str
    reason: str


@dataclass(frozen=True, slots=True)
class Marked:
    """One item of an export.

    Attributes:
        fields: the columns ``statement`` (or ``text``), ``topic``, ``speaker`` and ``group``, those
            it has, among others.
        votes: annotator and label of each answer; empty where nobody has answered.
    """

    fields: Mapping[str, Any]
    votes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Format:
    """How one tool writes and is written to.

    Attributes:
        name: as on the command line.
        extension: of a file of tasks: ``.json`` for one list, ``.jsonl`` for an object a line.
        write: a task as the tool imports it; the labels are the choices to offer.
        setup: files that set up a project for these tasks: extension, to stand in place of that of
            the tasks, to text.
        recognises: whether an item of an export is this tool's.
        read: an item of an export; the second argument stands in where the item does not name its
            annotator. Raises ``RecordError`` if it is not as the tool writes it or if an answer has
            several labels.
    """

    name: str
    extension: str
    write: Callable[[Task, LabelSet], dict[str, Any]]
    setup: Callable[[LabelSet], dict[str, str]]
    recognises: Callable[[Mapping[str, Any]], bool]
    read: Callable[[Mapping[str, Any], str], Marked]


def part(values: Mapping[str, Any], name: str, wanted: type[T]) -> T:
    """One part of an item, of the type it must have.

    Raises:
        RecordError: it is not there or of another type.
    """
    value = values.get(name)
    if not isinstance(value, wanted):
        raise RecordError(
            name,
            f"{value!r:.40}" if name in values else "nothing of that name",
            NAMES[wanted],
            "export again, or name the tool with --format",
        )
    return value


def optional(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object in an item, empty where there is none.

    Raises:
        RecordError: it is something else.
    """
    return {} if values.get(name) is None else part(values, name, dict)


def question_of(names: Collection[str]) -> str:
    """Which of several questions asks for the stance: ``label``, or the only one.

    Raises:
        RecordError: there are several, and none of that name.
    """
    if QUESTION in names:
        return QUESTION
    if len(names) != 1:
        raise RecordError(
            "questions", ", ".join(map(repr, sorted(names))), f"one, or one named '{QUESTION}'"
        )
    return next(iter(names))


def one_label(labels: object) -> tuple[str, ...]:
    """The label of one answer, from the list of those ticked; empty where none was.

    Raises:
        RecordError: several labels, or something that is no list of labels.
    """
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise RecordError("label", f"{labels!r:.40}", "a list of labels")
    if len(labels) > 1:
        raise RecordError("label", f"{len(labels)} in one answer ({', '.join(labels)})", "one")
    return tuple(labels)
