"""Which statements to label next: those a model is unsure of, unlike each other, of many documents.

The pool is scored in a stream, of which only the most uncertain are kept; among them the choice
falls as ``diversity.spread`` says.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from stancekit.annotation import Format, Task, format_of
from stancekit.archive import Progress
from stancekit.candidates import Candidates, Choice, choose, entropy, margin
from stancekit.errors import FileError, InputError, RecordError
from stancekit.files import read, to_example, writer_for, writing
from stancekit.outputs import Outputs
from stancekit.records import Example, LabelSet, Prediction
from stancekit.rows import BadRow, Columns, Reader, Row, display, error_line, refused, to_json
from stancekit.scoring import DECIMALS, Scorer, ask, check_columns, names_beside

__all__ = ["Suggested", "suggest"]

CHUNK = 1024  # rows scored at a time


@dataclass(frozen=True, slots=True)
class Suggested:
    """What was chosen, and where it is.

    Attributes:
        rows: rows in the pool.
        suggested: rows chosen.
        documents: how many documents they are from.
        errors: rows that could not be used.
        output: the rows or tasks, best first.
        setup_paths: what sets up a project of the annotation tool for them.
        errors_path: the list of errors; None if there were none.
    """

    rows: int
    suggested: int
    documents: int
    errors: int
    output: Path
    setup_paths: tuple[Path, ...]
    errors_path: Path | None


def suggest(
    inputs: Sequence[str | Path],
    output: str | Path,
    model: Scorer,
    *,
    count: int = 200,
    topic: str | None = None,
    seed: int = 0,
    tool: str | None = None,
    model_name: str = "stancekit",
    progress: Callable[[Progress], None] | None = None,
) -> Suggested:
    """Choose statements to label next and write them, the best first.

    Statements rank by how unsure the model is (the mean of entropy and 1 - margin). Among ten times
    as many as are wanted, each is then taken for its rank times its distance from those taken
    before, and no document (the column ``group``, else ``doc``, else the file) gives more than a
    twentieth while others have some to give. The same statement, topic and speaker is taken once.
    Memory does not grow with the pool.

    A file of rows has all input columns (with the topic, where it was given here, and ``group``,
    where there is only ``doc``), then an empty ``label`` to fill in, ``suggested_label``,
    ``confidence``, ``p_<label>``, ``entropy``, ``margin``, ``unlike`` (distance from the nearest
    statement before it), ``acquisition`` (what it was chosen by) and ``reason``. Input columns of
    these names are kept as ``input_<name>``. Rows that cannot be used go to
    ``OUTPUT.errors.jsonl``.

    Args:
        inputs: the pool: jsonl, csv, tsv or parquet with ``statement``, maybe ``topic``,
            ``speaker``, ``group`` or ``doc``.
        output: a file of rows, or of tasks; an older one is replaced.
        model: what is to learn from the labels.
        count: how many statements, at least 1; fewer if the pool has fewer.
        topic: of rows whose own is empty.
        seed: of the order among statements of equal rank.
        tool: an annotation tool of ``annotation.FORMATS`` to write tasks for; None writes rows.
        model_name: how tasks name the model.
        progress: called after each chunk of 1,024 rows.

    Raises:
        InputError: no inputs, a count below 1, no topic, or an unknown tool.
        FileError: a file cannot be read or written, has no column ``statement``, has not the
            extension of the tool's tasks, or is both input and output.
    """
    began = time.perf_counter()
    if isinstance(inputs, str | Path) or not inputs:
        raise InputError("inputs", repr(inputs), "a list of at least one file")
    if count < 1:
        raise InputError("count", str(count), "at least 1")
    if topic is not None:
        model.predict_many([Example("A statement.", topic)])
    output = Path(output)
    form = None if tool is None else format_of(tool)
    setup = {} if form is None else form.setup(model.labels)
    setups = {output.with_suffix(ending): text for ending, text in setup.items()}
    _check_extension(output, form)
    errors_path = Path(f"{output}.errors.jsonl")
    readers = [read(path) for path in inputs]
    with Outputs(output, [errors_path, *setups], inputs) as outputs:
        surveys = [reader.survey() for reader in readers]
        theirs: Columns = {}
        for path, survey in zip(inputs, surveys, strict=True):
            asked = () if topic is None else (topic,)
            check_columns(display(Path(path)), survey.columns, "statement", asked)
            for name, kinds in survey.columns.items():
                theirs.setdefault(name, set()).update(kinds)
        total = sum(survey.rows for survey in surveys)
        kept = Candidates(count, seed)
        rows = errors = 0
        for chunk in _chunks(readers):
            for outcome in _score(chunk, model, topic):
                if isinstance(outcome, BadRow):
                    errors += 1
                    outputs.write(errors_path, error_line(outcome))
                else:
                    kept.add(*outcome)
            rows += len(chunk)
            if progress is not None:
                progress(Progress(rows, total, time.perf_counter() - began))
        chosen = choose(kept.best(), count)
        if form is None:
            _write_rows(outputs, output, chosen, theirs, model.labels)
        else:
            _write_tasks(outputs, output, chosen, form, model.labels, model_name)
        for path, text in setups.items():
            outputs.write(path, text.encode())
        landed = outputs.land()
    return Suggested(
        rows=rows,
        suggested=len(chosen),
        documents=len({choice.candidate.document for choice in chosen}),
        errors=errors,
        output=output,
        setup_paths=tuple(path for path in setups if path in landed),
        errors_path=errors_path if errors_path in landed else None,
    )


def _check_extension(output: Path, form: Format | None) -> None:
    if form is None:
        writer_for(output)
    elif output.suffix.lower() != form.extension:
        raise FileError(
            display(output),
            f"the extension '{output.suffix}'" if output.suffix else "no extension",
            f"'{form.extension}' for {form.name}",
            "name the output so",
        )


def _chunks(readers: Sequence[Reader]) -> Iterator[list[Row | BadRow]]:
    for reader in readers:
        rows = iter(reader)
        while chunk := list(islice(rows, CHUNK)):
            yield chunk


def _score(
    chunk: Sequence[Row | BadRow], model: Scorer, topic: str | None
) -> Iterator[tuple[Row, Example, Prediction] | BadRow]:
    """What became of each row: a row that can be suggested, or one that cannot be used."""
    asked: list[tuple[Row, Example]] = []
    for row in chunk:
        if isinstance(row, BadRow):
            yield row
            continue
        try:
            asked.append((row, to_example(row, topic)))
        except RecordError as error:
            yield refused(row, error)
    answers = ask([example for _, example in asked], model)
    for (row, example), answer in zip(asked, answers, strict=True):
        if isinstance(answer, RecordError):
            yield refused(row, answer)
        else:
            yield row, example, answer


def _write_rows(
    outputs: Outputs,
    path: Path,
    chosen: Iterable[Choice],
    theirs: Columns,
    labels: LabelSet,
) -> None:
    ours: Columns = {
        "label": {"text"},
        "suggested_label": {"text"},
        "confidence": {"float"},
        **{f"p_{name}": {"float"} for name in labels.names},
        **{name: {"float"} for name in ("entropy", "margin", "unlike", "acquisition")},
        "reason": {"text"},
    }
    names = names_beside(theirs, ours)
    columns = {names[name]: set(kinds) for name, kinds in theirs.items()}
    columns.setdefault("topic", set()).add("text")
    if "doc" in theirs:
        # What training keeps on one side of a split; numbers of documents become text in it.
        columns["group"] = {"text"}
    with writing(path):
        writer = writer_for(path)(outputs[path].file, columns | ours)
        for choice in chosen:
            row = choice.candidate.row
            values = {names[name]: value for name, value in row.values.items()}
            values["topic"] = choice.candidate.example.topic
            exact = {names[name]: value for name, value in row.exact.items()}
            if "doc" in theirs:
                values["group"] = choice.candidate.example.group
            writer.write(Row(row.file, row.line, values | _answer(choice), row.raw, exact))
        writer.finish()


def _answer(choice: Choice) -> dict[str, Any]:
    prediction = choice.candidate.prediction
    numbers = {
        "confidence": prediction.confidence,
        **{f"p_{name}": p for name, p in prediction.probabilities.items()},
        "entropy": entropy(prediction),
        "margin": margin(prediction),
        "unlike": choice.unlike,
        "acquisition": choice.candidate.worth * choice.unlike,
    }
    rounded = {name: round(value, DECIMALS) for name, value in numbers.items()}
    return (
        {"label": None, "suggested_label": prediction.label} | rounded | {"reason": choice.reason}
    )


def _write_tasks(
    outputs: Outputs,
    path: Path,
    chosen: Iterable[Choice],
    form: Format,
    labels: LabelSet,
    model_name: str,
) -> None:
    tasks = [
        form.write(
            Task(one.candidate.example, one.candidate.prediction, model_name, one.reason), labels
        )
        for one in chosen
    ]
    if form.extension == ".json":
        text = "[\n" + ",\n".join(map(to_json, tasks)) + "\n]\n"
    else:
        text = "".join(to_json(task) + "\n" for task in tasks)
    outputs.write(path, text.encode())
