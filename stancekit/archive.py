"""Score whole archives: files in, a file or a folder out, through any interruption.

Rows are read, scored and written a piece at a time, in threads that overlap. What is written stays
done: after a kill, a power cut or a full disk the same call goes on where it was, and its output is
that of a run nothing happened to (``runs`` says how).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

from stancekit.dedupe import Remembering
from stancekit.destinations import destination
from stancekit.errors import FileError, InputError, RecordError
from stancekit.files import expand
from stancekit.inputs import Inputs
from stancekit.model import StanceModel
from stancekit.pipeline import Pipeline
from stancekit.records import Example, Prediction
from stancekit.rows import BadRow, Row
from stancekit.scoring import (
    Question,
    Scorer,
    Settings,
    ask,
    outcomes,
    output_columns,
    questions,
)

__all__ = ["Progress", "Scorer", "Stopped", "Summary", "score"]

# Questions put to the model at a time: room to batch statements of like length, at 2 kB a row 8 MB
# a stage, and on a laptop ten seconds or so, the most that a kill undoes and Ctrl-C waits for.
CHUNK = 4096
STATEMENTS = 32  # of an article, about, to reckon how many articles make a chunk


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come.

    Attributes:
        rows: input rows done, bad ones included.
        total: rows there are in all inputs together.
        seconds: since this call began.
        before: rows that earlier calls had done.
    """

    rows: int
    total: int
    seconds: float
    before: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run did.

    Attributes:
        rows: input rows; with one topic a row, ``scored + errors``.
        scored: rows in the output.
        errors: rows in the list of errors.
        labels: label to number of output rows, in the model's order, zeros included.
        seconds: from start to landing, of this call.
        output: where the scored rows are.
        errors_path: where the list of errors is; None if there were none, or if it went to
            standard error.
        before: input rows that earlier calls had done.
    """

    rows: int
    scored: int
    errors: int
    labels: dict[str, int]
    seconds: float
    output: Path
    errors_path: Path | None
    before: int = 0

    @property
    def rows_per_second(self) -> float:
        """Input rows a second in this call, reading and writing included."""
        return (self.rows - self.before) / self.seconds if self.seconds else 0.0


class Stopped(Exception):
    """A run was asked to stop, and did after the piece in hand; the same call goes on with it.

    Attributes:
        rows: input rows done.
        total: rows there are.
    """

    def __init__(self, rows: int, total: int) -> None:
        self.rows = rows
        self.total = total
        super().__init__(f"stopped after {rows:,} of {total:,} rows")


def score(
    inputs: Sequence[str | Path],
    output: str | Path,
    model: Scorer,
    *,
    topic: str | None = None,
    topics: Sequence[str] = (),
    min_confidence: float | None = None,
    articles: bool = False,
    renamed: Mapping[str, str] | None = None,
    strict: bool = False,
    restart: bool = False,
    input_format: str = "jsonl",
    output_format: str = "jsonl",
    progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Summary:
    """Label every row of some files and write them, in order, to a file or a folder.

    Each input is read twice: once to learn its columns, their types and the number of rows, which
    takes little beside scoring, and once to score it. The same question is asked of the model once.

    ``scoring.output_columns`` says which columns the output has. With one topic given, it is not
    written; with several, each row without a topic of its own is scored for every one of them, and
    the column ``topic`` says which. The model, its engine and the settings stand in the metadata of
    parquet, or in ``OUTPUT.meta.json``.

    The output appears when all is done, or not at all; a folder fills with files that are whole.
    Before it come ``OUTPUT.errors.jsonl``, with ``file``, ``line``, ``reason`` and ``raw`` of each
    row that could not be used; there is none if all could.

    A call that is broken off leaves its work in a hidden folder, and the same call goes on with it.

    Args:
        inputs: files, folders and patterns of jsonl, csv, tsv, parquet or text files, packed or
            not, with a column ``statement`` and, if they have them, ``topic`` and ``speaker``;
            ``-`` is standard input.
        output: a jsonl, csv, tsv or parquet file, packed or not; an older one is replaced. A folder
            that exists, or a name that ends in a slash or has no extension, becomes a folder of
            parquet files. ``-`` is standard output, with the bad rows on standard error; such a
            run leaves nothing behind to go on with.
        topic: the topic of rows whose own is empty, and of inputs that have no column ``topic``.
        topics: the same, several of them.
        min_confidence: in [0, 1]; answers below it are marked, and given all the same.
            ``StanceModel.min_confidence`` turns a wanted error rate into one.
        articles: the column ``text`` holds whole articles, whose statements are scored one by one;
            a text file is one article.
        renamed: column of the inputs to what it stands for, ``{"body": "statement"}``.
        strict: refuse the first bad row.
        restart: start over, whatever is there of another run with this output.
        input_format: of standard input.
        output_format: of standard output.
        progress: called after each piece, on the caller's thread.
        stop: asked before each piece; once it is true, the run stops.

    Raises:
        InputError: no inputs, or no topic, or one the model cannot take, or a confidence outside
            [0, 1].
        FileError: a file cannot be read or written, has no column ``statement``, or is both input
            and output; another process writes this output; or a run with this output was begun
            with other inputs, settings or another model. All but failing disks and files changed
            on the way is found before anything is scored. With ``strict``, a bad row.
        Stopped: ``stop`` was true.
    """
    began = time.perf_counter()
    if isinstance(inputs, str | Path) or not inputs:
        raise InputError("inputs", repr(inputs), "a list of at least one file")
    given = (*([] if topic is None else [topic]), *topics)
    settings = Settings(given, min_confidence, articles)
    renamed = dict(renamed or {})
    paths = expand(inputs)
    target = destination(str(output), paths, output_format)
    with target:
        for one in settings.topics:
            # A topic the model cannot take would make every row a bad row.
            model.predict_many([Example("A statement.", one)])
        found = Inputs(paths, settings, renamed, format=input_format, spool=target.folder)
        layout = output_columns(found.columns, model.labels, settings)
        facts = _facts(model, settings, renamed)
        metadata = {name: _word(value) for name, value in facts.items()}
        target.begin(facts | found.facts(), layout.columns, metadata, restart=restart)
        before = target.state.rows
        if strict and target.state.errors:
            place = str(output)
            errors = f"{target.state.errors:,} bad rows in the part that is done"
            raise FileError(place, errors, "none", "go on without strict, or start over")
        with Pipeline() as pipeline:
            # The model's thread does nothing but ask, so that it never waits for a row in Python.
            rows = _chunks(found.rows(before), _chunk_size(settings))
            asked = pipeline.ahead((len(c), questions(c, settings, layout)) for c in rows)
            for read, chunk, answers in pipeline.ahead(_answered(asked, model, stop)):
                done = outcomes(chunk, answers, settings, layout)
                if strict:
                    _refuse_bad(done)
                target.add(read, done)
                if progress is not None:
                    seconds = time.perf_counter() - began
                    progress(Progress(target.state.rows, found.total, seconds, before))
        state = target.state
        if state.rows < found.total:
            raise Stopped(state.rows, found.total)
        target.finish()
    labels = {name: state.labels.get(name, 0) for name in model.labels.names}
    seconds = time.perf_counter() - began
    errors_path = target.errors if state.errors else None
    return Summary(
        state.rows, state.scored, state.errors, labels, seconds, Path(output), errors_path, before
    )


def _facts(model: Scorer, settings: Settings, renamed: Mapping[str, str]) -> dict[str, Any]:
    """What, beside the inputs, decides what an output will be; ready for JSON."""
    facts: dict[str, Any] = {"stancekit": version("stancekit")}
    if isinstance(model, StanceModel):
        engine = model.engine
        facts |= {
            "model": model.checkpoint.hash,
            "temperature": model.checkpoint.temperature,
            "engine": engine.name,
            "dtype": engine.dtype,
            "device": engine.device.split(":")[0],
        }
    facts |= {
        "labels": list(model.labels.names),
        "polarity": list(model.labels.polarity),
        "topics": list(settings.topics),
        "min_confidence": settings.min_confidence,
        "articles": settings.articles,
        "renamed": dict(renamed),
        "rows a piece": _chunk_size(settings),
    }
    return facts


def _word(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _chunk_size(settings: Settings) -> int:
    """Input rows that make about ``CHUNK`` questions."""
    questions = max(1, len(settings.topics)) * (STATEMENTS if settings.articles else 1)
    return max(1, CHUNK // questions)


def _chunks(rows: Iterator[Row | BadRow], size: int) -> Iterator[list[Row | BadRow]]:
    while chunk := list(islice(rows, size)):
        yield chunk


def _answered(
    asked: Iterable[tuple[int, list[Question | BadRow]]], model: Scorer, stop: Callable[[], bool]
) -> Iterator[tuple[int, list[Question | BadRow], list[Prediction | RecordError]]]:
    """Chunks of questions with the number of their input rows, and now with their answers."""
    remembering = Remembering(model)
    for read, chunk in asked:
        if stop():
            return
        examples = [one.example for one in chunk if isinstance(one, Question)]
        yield read, chunk, ask(examples, remembering)


def _refuse_bad(outcomes: Iterable[Row | BadRow]) -> None:
    for row in outcomes:
        if isinstance(row, BadRow):
            place = f"{row.file}, line {row.line}, {row.error.place}"
            error = row.error
            next_step = error.next_step or "fix or remove the row"
            raise FileError(place, error.found, error.wanted, next_step)
