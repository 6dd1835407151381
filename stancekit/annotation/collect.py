"""From the exports of annotation tools to a file of labelled statements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stancekit.agreement import krippendorff_alpha, majority
from stancekit.annotation import Marked, format_of
from stancekit.annotation.exports import format_of_file, items
from stancekit.errors import InputError, RecordError
from stancekit.files import writer_for, writing
from stancekit.outputs import Outputs
from stancekit.records import Example
from stancekit.rows import RAW_LENGTH, BadRow, Columns, Row, as_text, error_line, to_json

__all__ = ["Collected", "collect"]

COLUMNS: Columns = {
    "statement": {"text"},
    "topic": {"text"},
    "speaker": {"text"},
    "label": {"text"},
    "group": {"text"},
    "annotators": {"int"},
    "agreement": {"float"},
    "votes": {"text"},
}


@dataclass(frozen=True, slots=True)
class Collected:
    """What was read from exports, and where it is.

    Attributes:
        labels: label to number of statements it was decided for, the most frequent first.
        undecided: statements with answers of which none has a majority.
        unanswered: statements that nobody has labelled.
        errors: items that could not be used.
        annotators: annotator to number of answers, the busiest first.
        alpha: Krippendorff's alpha over the statements with several answers; NaN if there are none
            or all their answers are the same.
        compared: how many statements those are.
        output: the labelled statements.
        undecided_path: the undecided, if any; None if none.
        errors_path: the items in error, if any; None if none.
    """

    labels: dict[str, int]
    undecided: int
    unanswered: int
    errors: int
    annotators: dict[str, int]
    alpha: float
    compared: int
    output: Path
    undecided_path: Path | None
    errors_path: Path | None


@dataclass(slots=True)
class _Decision:
    """One question and the answers to it."""

    group: str | None
    # Annotator and label. A set: an export read twice, or one that overlaps with another, adds
    # nothing; annotators who contradict themselves count on both sides.
    votes: dict[tuple[str, str], None] = field(default_factory=dict)

    def labels(self) -> list[str]:
        return [label for _, label in self.votes]


# (statement, topic, speaker)
Question = tuple[str, str, str | None]


def collect(
    inputs: Sequence[str | Path],
    output: str | Path,
    *,
    tool: str | None = None,
    topic: str | None = None,
) -> Collected:
    """Read what annotation tools export and write the statements on which annotators agree.

    Answers to the same statement, topic and speaker belong together, in whichever file they stand.
    A label is taken where more than half of the answers give it. The output has ``statement``,
    ``topic``, ``speaker``, ``label`` and ``group``, then ``annotators`` (how many), ``agreement``
    (share of the answers that give the label) and ``votes`` (annotator to labels, as JSON).
    Statements without a majority go to ``OUTPUT.undecided.jsonl`` with their votes, items that
    cannot be used to ``OUTPUT.errors.jsonl`` with file, line and reason.

    Where an export does not name annotators, the name of its file stands for one.

    Args:
        inputs: exports, in json, jsonl, csv or tsv.
        output: a jsonl, csv, tsv or parquet file; an older one is replaced.
        tool: the tool they come from, of ``annotation.FORMATS``; None guesses by what is in them.
        topic: of statements that come back without one.

    Raises:
        InputError: no inputs, an unknown tool, or an unusable topic.
        FileError: a file cannot be read or written, is broken, or of no known tool.
    """
    if isinstance(inputs, str | Path) or not inputs:
        raise InputError("inputs", repr(inputs), "a list of at least one file")
    if topic is not None:
        Example("A statement.", topic)
    output = Path(output)
    undecided_path = Path(f"{output}.undecided.jsonl")
    errors_path = Path(f"{output}.errors.jsonl")
    make_writer = writer_for(output)
    paths = [Path(path) for path in inputs]
    tools = [format_of(tool) if tool else format_of_file(path) for path in paths]
    decisions: dict[Question, _Decision] = {}
    with Outputs(output, [undecided_path, errors_path], inputs) as outputs:
        errors = 0
        for path, one in zip(paths, tools, strict=True):
            for row in items(path):
                answer = _answer(row, one.read, path.stem, topic)
                if isinstance(answer, BadRow):
                    errors += 1
                    outputs.write(errors_path, error_line(answer))
                else:
                    _add(decisions, *answer)
        with writing(output):
            writer = make_writer(outputs[output].file, COLUMNS)
            labels: Counter[str] = Counter()
            for question, decision in decisions.items():
                if not decision.votes:
                    continue
                best = majority(decision.labels())
                values = _columns(question, decision, best)
                if len(best) == 1:
                    labels[best[0]] += 1
                    writer.write(Row("", 0, values))
                else:
                    outputs.write(undecided_path, to_json(values).encode() + b"\n")
            writer.finish()
        landed = outputs.land()
    answered = [decision.labels() for decision in decisions.values() if decision.votes]
    who = Counter(name for decision in decisions.values() for name, _ in decision.votes)
    return Collected(
        labels=dict(labels.most_common()),
        undecided=len(answered) - labels.total(),
        unanswered=len(decisions) - len(answered),
        errors=errors,
        annotators=dict(who.most_common()),
        alpha=krippendorff_alpha(answered),
        compared=sum(len(votes) > 1 for votes in answered),
        output=output,
        undecided_path=undecided_path if undecided_path in landed else None,
        errors_path=errors_path if errors_path in landed else None,
    )


def _answer(
    row: Row | BadRow,
    read: Callable[[Mapping[str, Any], str], Marked],
    annotator: str,
    topic: str | None,
) -> tuple[Example, Marked] | BadRow:
    """What an item asks and how it was answered."""
    if isinstance(row, BadRow):
        return row
    try:
        marked = read(row.values, annotator)
        return _example(marked.fields, topic), marked
    except RecordError as error:
        raw = to_json(row.values)[:RAW_LENGTH] if row.raw is None else row.raw
        return BadRow(row.file, row.line, error, raw)


def _example(fields: Mapping[str, Any], topic: str | None) -> Example:
    statement = fields.get("statement", fields.get("text"))
    if statement is None:
        found = ", ".join(map(repr, fields)) or "nothing"
        raise RecordError("item", f"the fields {found}", "'statement' or 'text' among them")
    asked = fields.get("topic")
    if asked is None or asked == "":
        if topic is None:
            raise RecordError("topic", "none", "a topic", "give one with --topic")
        asked = topic
    group = fields.get("group")
    grouped = None if group in (None, "") else as_text(group)
    return Example(statement, asked, fields.get("speaker"), group=grouped)


def _add(decisions: dict[Question, _Decision], example: Example, marked: Marked) -> None:
    question = (example.statement, example.topic, example.speaker)
    decision = decisions.setdefault(question, _Decision(example.group))
    if decision.group is None:
        decision.group = example.group
    decision.votes |= dict.fromkeys(marked.votes)


def _columns(question: Question, decision: _Decision, best: Sequence[str]) -> dict[str, Any]:
    """An output row; where nothing was decided, without a label."""
    statement, topic, speaker = question
    votes: dict[str, list[str]] = {}
    for name, label in decision.votes:
        votes.setdefault(name, []).append(label)
    given = decision.labels()
    return {
        "statement": statement,
        "topic": topic,
        "speaker": speaker,
        "label": best[0] if len(best) == 1 else None,
        "group": decision.group,
        "annotators": len(votes),
        "agreement": round(given.count(best[0]) / len(given), 6),
        "votes": to_json({name: ", ".join(labels) for name, labels in votes.items()}),
    }
