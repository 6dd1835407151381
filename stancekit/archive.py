"""Score whole files: files in, one file out, and a list of the rows that could not be used."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Protocol

from stancekit.errors import FileError, InputError, RecordError
from stancekit.files import Output, read, to_example, writer_for, writing
from stancekit.records import Example, LabelSet, Prediction
from stancekit.rows import (
    RAW_LENGTH,
    BadRow,
    Columns,
    Reader,
    Row,
    Survey,
    changed,
    display,
    to_json,
)

__all__ = ["Progress", "Scorer", "Summary", "score"]

# Rows scored at a time: room for the model to batch statements of like length, at 2 kB a row 8 MB,
# and on a laptop a progress report every ten seconds or so.
CHUNK = 4096
DECIMALS = 6  # of a probability; the float32 behind it is good for no more
ERRORS_SUFFIX = ".errors.jsonl"


class Scorer(Protocol):
    """What scoring needs of a model."""

    @property
    def labels(self) -> LabelSet: ...

    def predict_many(self, rows: Iterable[Example]) -> list[Prediction]:
        """One prediction a row, in order; ``RecordError`` if a row cannot be scored."""
        ...


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come.

    Attributes:
        rows: rows done, bad ones included.
        total: rows there are in all inputs together.
        seconds: since the run began.
    """

    rows: int
    total: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run did.

    Attributes:
        rows: rows read; ``scored + errors``.
        scored: rows in the output.
        errors: rows in the list of errors.
        labels: label to number of rows, in the model's order, zeros included.
        seconds: from start to landing.
        output: where the scored rows are.
        errors_path: where the list of errors is; None if there were none.
    """

    rows: int
    scored: int
    errors: int
    labels: dict[str, int]
    seconds: float
    output: Path
    errors_path: Path | None

    @property
    def rows_per_second(self) -> float:
        """Rows read a second, reading and writing included."""
        return self.rows / self.seconds if self.seconds else 0.0


def score(
    inputs: Sequence[str | Path],
    output: str | Path,
    model: Scorer,
    *,
    topic: str | None = None,
    min_confidence: float | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Summary:
    """Label every row of some files and write them, in order, to one file.

    Each input is read twice: once to learn its columns, their types and the number of rows, which
    takes little beside scoring, and once to score it a chunk at a time.

    The output has all columns of the inputs, then ``label``, ``confidence``, ``score``,
    ``p_<label>`` for each label in the model's order, ``windows`` and, with ``min_confidence``,
    ``uncertain`` (true where the confidence is below it). An input column of one of
    those names is kept as ``input_<name>`` (``input_input_<name>`` if that is taken, and so on).
    A ``topic`` given here is not written; the column ``topic`` stays as it is in the input.
    The output appears when all is done, or not at all; so does ``OUTPUT.errors.jsonl``, which has
    ``file``, ``line``, ``reason`` and ``raw`` of each row that could not be used, and is not there
    if all could.

    Args:
        inputs: jsonl, csv, tsv or parquet files, with a column ``statement`` and, if they have
            them, ``topic`` and ``speaker``.
        output: a jsonl, csv, tsv or parquet file; an older one is replaced.
        topic: the topic of rows whose own is empty, and of inputs that have no column ``topic``.
        min_confidence: in [0, 1]; answers below it are marked, and given all the same.
            ``StanceModel.min_confidence`` turns a wanted error rate into one.
        progress: called after each chunk of 4,096 rows, on the caller's thread.

    Raises:
        InputError: no inputs, or no topic, or one the model cannot take, or a confidence outside
            [0, 1].
        FileError: a file cannot be read or written, has no column ``statement``, or is both input
            and output. All but failing disks and files changed on the way is found before
            anything is scored.
    """
    began = time.perf_counter()
    if isinstance(inputs, str | Path) or not inputs:
        raise InputError("inputs", repr(inputs), "a list of at least one file")
    if min_confidence is not None and not 0 <= min_confidence <= 1:
        raise InputError("min_confidence", repr(min_confidence), "a confidence from 0 to 1")
    output, errors = Path(output), Path(f"{output}{ERRORS_SUFFIX}")
    make_writer = writer_for(output)
    _refuse_overwriting(inputs, output, errors)
    readers = [read(path) for path in inputs]
    if topic is not None:
        # A topic the model cannot take would make every row a bad row.
        model.predict_many([Example("A statement.", topic)])
    with ExitStack() as cleanup:
        scored_file = Output(output)
        cleanup.callback(scored_file.discard)
        errors_file = Output(errors)
        cleanup.callback(errors_file.discard)
        surveys = [reader.survey() for reader in readers]
        for path, survey in zip(inputs, surveys, strict=True):
            _check_columns(Path(path), survey.columns, topic)
        columns, names = _output_columns(surveys, model.labels, min_confidence is not None)
        total = sum(survey.rows for survey in surveys)
        counts: Counter[str] = Counter()
        rows_done = 0
        with writing(output):
            writer = make_writer(scored_file.file, columns)
        rows = _surveyed_rows(inputs, readers, surveys)
        while chunk := list(islice(rows, CHUNK)):
            outcomes = _score_chunk(chunk, model, topic)
            with writing(output):
                for outcome in outcomes:
                    if isinstance(outcome, BadRow):
                        errors_file.file.write(_error_line(outcome))
                    else:
                        row, prediction = outcome
                        writer.write(_output_row(row, prediction, names, min_confidence))
                        counts[prediction.label] += 1
            rows_done += len(chunk)
            if progress is not None:
                progress(Progress(rows_done, total, time.perf_counter() - began))
        with writing(output):
            writer.finish()
        bad = rows_done - counts.total()
        # The list of errors lands first: no output is ever seen without it.
        if bad:
            errors_file.land()
        scored_file.land()
        if not bad:
            errors_file.path.unlink(missing_ok=True)
    labels = {name: counts[name] for name in model.labels.names}
    seconds = time.perf_counter() - began
    scored = rows_done - bad
    return Summary(rows_done, scored, bad, labels, seconds, output, errors if bad else None)


def _refuse_overwriting(inputs: Iterable[str | Path], output: Path, errors: Path) -> None:
    for path in inputs:
        for target in (output, errors):
            if target.exists() and Path(path).exists() and os.path.samefile(path, target):
                raise FileError(
                    display(target),
                    "an input that would be written over",
                    "an output of its own",
                    "choose another name for the output",
                )


def _check_columns(path: Path, columns: Columns, topic: str | None) -> None:
    """Refuse a file no row of which could be scored; one without any row is no such file."""
    if not columns:
        return
    found = f"the columns {', '.join(map(repr, columns))}"
    if "statement" not in columns:
        raise FileError(display(path), found, "a column 'statement'", "rename the one that is it")
    if "topic" not in columns and topic is None:
        raise InputError(display(path), found, "a topic", "give one, or add a column 'topic'")


def _surveyed_rows(
    inputs: Sequence[str | Path], readers: Sequence[Reader], surveys: Sequence[Survey]
) -> Iterator[Row | BadRow]:
    """The rows that were surveyed; those appended to a file since then are left for another run."""
    for path, reader, survey in zip(inputs, readers, surveys, strict=True):
        count = 0
        for row in islice(reader, survey.rows):
            count += 1
            for name in row.values if isinstance(row, Row) else ():
                if name not in survey.columns:
                    raise changed(row.file, row.line, f"a new column {name!r}")
            yield row
        if count < survey.rows:
            raise changed(display(Path(path)), count, f"the end of the file after {count:,} rows")


def _output_columns(
    surveys: Iterable[Survey], labels: LabelSet, marked: bool
) -> tuple[Columns, dict[str, str]]:
    """All columns of the output with their kinds, and what each input column is called there."""
    ours: Columns = {
        "label": {"text"},
        "confidence": {"float"},
        "score": {"float"},
        **{f"p_{name}": {"float"} for name in labels.names},
        "windows": {"int"},
    }
    if marked:
        ours["uncertain"] = {"bool"}
    theirs: Columns = {}
    for survey in surveys:
        for name, kinds in survey.columns.items():
            theirs.setdefault(name, set()).update(kinds)
    names: dict[str, str] = {}
    for name in theirs:
        new = name
        while new in ours or (new != name and (new in theirs or new in names.values())):
            new = f"input_{new}"
        names[name] = new
    return {names[name]: kinds for name, kinds in theirs.items()} | ours, names


def _score_chunk(
    chunk: Sequence[Row | BadRow], model: Scorer, topic: str | None
) -> list[tuple[Row, Prediction] | BadRow]:
    """What became of each row, in order."""
    questions = [_question(row, topic) for row in chunk]
    answers = iter(_predict([q for q in questions if isinstance(q, Example)], model))
    outcomes: list[tuple[Row, Prediction] | BadRow] = []
    for row, question in zip(chunk, questions, strict=True):
        answer = next(answers) if isinstance(question, Example) else question
        if isinstance(row, BadRow):
            outcomes.append(row)
        elif isinstance(answer, RecordError):
            raw = to_json(row.values)[:RAW_LENGTH] if row.raw is None else row.raw
            outcomes.append(BadRow(row.file, row.line, answer, raw))
        else:
            outcomes.append((row, answer))
    return outcomes


def _question(row: Row | BadRow, topic: str | None) -> Example | RecordError:
    if isinstance(row, BadRow):
        return row.error
    try:
        return to_example(row, topic)
    except RecordError as error:
        return error


def _predict(examples: Sequence[Example], model: Scorer) -> list[Prediction | RecordError]:
    """A prediction for each example or, if the model refuses it, why.

    A refusal does not say which example it is about, so a refused lot is halved until it does.
    """
    if not examples:
        return []
    try:
        return [*model.predict_many(examples)]
    except RecordError as error:
        if len(examples) == 1:
            return [error]
    half = len(examples) // 2
    return _predict(examples[:half], model) + _predict(examples[half:], model)


def _error_line(row: BadRow) -> bytes:
    line = {"file": row.file, "line": row.line, "reason": str(row.error), "raw": row.raw}
    return to_json(line).encode("utf-8", "replace") + b"\n"


def _output_row(
    row: Row, prediction: Prediction, names: Mapping[str, str], min_confidence: float | None
) -> Row:
    values = {names[name]: value for name, value in row.values.items()} | {
        "label": prediction.label,
        "confidence": round(prediction.confidence, DECIMALS),
        "score": round(prediction.score, DECIMALS),
        **{f"p_{name}": round(p, DECIMALS) for name, p in prediction.probabilities.items()},
        "windows": prediction.windows,
    }
    if min_confidence is not None:
        values["uncertain"] = prediction.confidence < min_confidence
    exact = {names[name]: value for name, value in row.exact.items()}
    return replace(row, values=values, exact=exact)
