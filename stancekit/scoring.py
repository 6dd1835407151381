"""From the rows of files to the rows of the output: what is asked of each, what is written of it.

Nothing here reads or writes: whoever has rows, from files or from a cluster, scores them in
chunks of any size and gets the same output rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from stancekit.errors import FileError, InputError, RecordError
from stancekit.files import to_example
from stancekit.reading import read
from stancekit.records import Example, LabelSet, Prediction
from stancekit.rows import BadRow, Columns, Row, as_text, refused

__all__ = [
    *("Layout", "Question", "Scorer", "Settings"),
    *("ask", "check_columns", "names_beside", "outcomes", "output_columns", "questions"),
    "score_chunk",
]

DECIMALS = 6  # of a probability; the float32 behind it is good for no more
# What an article's statements have that the article has not, with the kinds of their values.
STATEMENT_COLUMNS: Columns = {
    "article": {"text"},
    "start": {"int"},
    "end": {"int"},
    "kind": {"text"},
    "speaker": {"text"},
    "statement": {"text"},
}


class Scorer(Protocol):
    """What scoring needs of a model."""

    @property
    def labels(self) -> LabelSet: ...

    def predict_many(self, rows: Iterable[Example]) -> list[Prediction]:
        """One prediction a row, in order; ``RecordError`` if a row cannot be scored."""
        ...


@dataclass(frozen=True, slots=True)
class Settings:
    """What is asked of every row.

    Attributes:
        topics: a row without a topic of its own is scored for each of them, in this order.
        min_confidence: in [0, 1]; answers below it are marked. None marks nothing.
        articles: whether the column ``text`` of a row holds a whole article, to be read into
            statements that are scored each; else the column ``statement`` holds one statement.

    Raises:
        InputError: a topic that is empty, broken or given twice, or a confidence outside [0, 1].
    """

    topics: tuple[str, ...] = ()
    min_confidence: float | None = None
    articles: bool = False

    def __post_init__(self) -> None:
        for topic in self.topics:
            Example("A statement.", topic)
        twice = [topic for topic in dict.fromkeys(self.topics) if self.topics.count(topic) > 1]
        if twice:
            raise InputError("topics", f"{twice[0]!r} twice", "each topic once")
        if self.min_confidence is not None and not 0 <= self.min_confidence <= 1:
            found = repr(self.min_confidence)
            raise InputError("min_confidence", found, "a confidence from 0 to 1")

    @property
    def names_topics(self) -> bool:
        """Whether output rows say which topic they are about: with several to choose from."""
        return len(self.topics) > 1

    @property
    def text_column(self) -> str:
        """The column that holds what is to be scored, or read."""
        return "text" if self.articles else "statement"


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of the output.

    Attributes:
        columns: all of them, in order, with the kinds of their values.
        names: input column to what it is called there; a column that is not kept is absent.
    """

    columns: Columns
    names: Mapping[str, str]


def output_columns(inputs: Iterable[Columns], labels: LabelSet, settings: Settings) -> Layout:
    """All columns of the inputs, then those that scoring adds.

    Scoring adds ``label``, ``confidence``, ``score``, ``p_<label>`` for each label in the model's
    order, ``windows`` and, with a ``min_confidence``, ``uncertain``. With several topics there is
    ``topic`` before these, unless the inputs have the column, which is then filled. Statements of
    articles have the columns of their article but its text, then ``article`` (its ``id``, or else
    file:line), ``start``, ``end``, ``kind``, ``speaker`` and ``statement``.

    An input column of one of those names is kept as ``input_<name>`` (``input_input_<name>`` if
    that is taken, and so on).

    Args:
        inputs: the columns of each input, with the kinds of their values.
        labels: the model's.
        settings: what is asked.
    """
    theirs: Columns = {}
    for columns in inputs:
        for name, kinds in columns.items():
            theirs.setdefault(name, set()).update(kinds)
    ours: Columns = {}
    if settings.articles:
        theirs.pop(settings.text_column, None)
        ours |= STATEMENT_COLUMNS
    if settings.names_topics:
        (theirs if "topic" in theirs else ours).setdefault("topic", set()).add("text")
    ours |= {"label": {"text"}, "confidence": {"float"}, "score": {"float"}}
    ours |= {f"p_{name}": {"float"} for name in labels.names}
    ours["windows"] = {"int"}
    if settings.min_confidence is not None:
        ours["uncertain"] = {"bool"}
    names = names_beside(theirs, ours)
    return Layout({names[name]: kinds for name, kinds in theirs.items()} | ours, names)


def names_beside(theirs: Columns, ours: Columns) -> dict[str, str]:
    """What input columns are called where an output has columns of its own: name to new name."""
    names: dict[str, str] = {}
    for name in theirs:
        new = name
        while new in ours or (new != name and (new in theirs or new in names.values())):
            new = f"input_{new}"
        names[name] = new
    return names


def check_columns(place: str, columns: Columns, text_column: str, topics: Sequence[str]) -> None:
    """Refuse a file no row of which could be scored; one without any row is no such file.

    Raises:
        FileError: the column of texts is missing. InputError: there is no topic.
    """
    if not columns:
        return
    found = f"the columns {', '.join(map(repr, columns))}"
    if text_column not in columns:
        raise FileError(place, found, f"a column {text_column!r}", "rename the one that is it")
    if "topic" not in columns and not topics:
        raise InputError(place, found, "a topic", "give one, or add a column 'topic'")


@dataclass(frozen=True, slots=True)
class Question:
    """One output row in the making.

    Attributes:
        source: the input row.
        values: the columns of the output that come from it.
        example: what the model is asked.
    """

    source: Row
    values: dict[str, Any]
    example: Example


def score_chunk(
    rows: Sequence[Row | BadRow], model: Scorer, settings: Settings, layout: Layout
) -> list[Row | BadRow]:
    """The output rows of some input rows, in order.

    An input row gives an output row for each topic (times each of its statements, if it is an
    article), or a ``BadRow`` in the place of those that cannot be had: one for the whole row where
    the row is at fault, one a topic where the model refuses that topic for this row.

    Args:
        rows: as read; those that are bad already are passed on.
        model: asked once for the whole chunk, so that it can batch statements of like length.
        settings: what is asked.
        layout: from ``output_columns``, for all columns that any row has.

    Returns:
        Output rows with the file and line of their input row, and bad rows with a reason.
    """
    asked = questions(rows, settings, layout)
    answers = ask([one.example for one in asked if isinstance(one, Question)], model)
    return outcomes(asked, answers, settings, layout)


def questions(
    rows: Sequence[Row | BadRow], settings: Settings, layout: Layout
) -> list[Question | BadRow]:
    """The first step of ``score_chunk``: what to ask of the rows, bad ones in their places."""
    return [question for row in rows for question in _questions(row, settings, layout)]


def outcomes(
    asked: Sequence[Question | BadRow],
    answers: Sequence[Prediction | RecordError],
    settings: Settings,
    layout: Layout,
) -> list[Row | BadRow]:
    """The last step of ``score_chunk``: output rows and bad rows, from the answers of ``ask``."""
    waiting = iter(answers)
    result: list[Row | BadRow] = []
    for question in asked:
        if isinstance(question, BadRow):
            result.append(question)
            continue
        answer = next(waiting)
        if isinstance(answer, RecordError):
            result.append(refused(question.source, answer))
        else:
            result.append(_output_row(question, answer, settings, layout))
    return result


def ask(examples: Sequence[Example], model: Scorer) -> list[Prediction | RecordError]:
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
    return ask(examples[:half], model) + ask(examples[half:], model)


def _questions(
    row: Row | BadRow, settings: Settings, layout: Layout
) -> Iterator[Question | BadRow]:
    if isinstance(row, BadRow):
        yield row
        return
    try:
        if settings.text_column not in row.values:
            name = settings.text_column
            raise RecordError(name, "no such column", f"a column '{name}'")
        asked = _statements(row) if settings.articles else [({}, row)]
        examples = [(own, e) for own, one in asked for e in _examples(one, settings.topics)]
    except RecordError as error:
        yield refused(row, error)
        return
    kept = {layout.names[n]: v for n, v in row.values.items() if n in layout.names}
    for own, example in examples:
        topic = {"topic": example.topic} if settings.names_topics else {}
        yield Question(row, kept | own | topic, example)


def _examples(row: Row, topics: Sequence[str]) -> list[Example]:
    """The row's questions: of its own topic if it has one, else of each topic there is."""
    first = to_example(row, *topics[:1])
    own = row.values.get("topic")
    if len(topics) < 2 or (isinstance(own, str) and own.strip()):
        return [first]
    return [Example(first.statement, topic, first.speaker) for topic in topics]


def _statements(row: Row) -> list[tuple[dict[str, Any], Row]]:
    """What each statement of an article adds to the article's columns, and a row that asks it."""
    text = row.values["text"]
    if not isinstance(text, str) or "text" in row.exact:
        raise RecordError("text", f"{type(text).__name__} ({text!r:.40})", "the text of an article")
    if not text.strip():
        raise RecordError("text", "an empty string or only white space", "the text of an article")
    topic = {name: row.values[name] for name in ("topic",) if name in row.values}
    exact = {name: row.exact[name] for name in ("topic",) if name in row.exact}
    identity = row.values.get("id")
    article = f"{row.file}:{row.line}" if identity is None else as_text(identity)
    found = []
    for one in read(text):
        own = {
            "article": article,
            "start": one.start,
            "end": one.end,
            "kind": one.kind,
            "speaker": one.speaker,
            "statement": one.text,
        }
        asked = topic | {"statement": one.text, "speaker": one.speaker}
        found.append((own, Row(row.file, row.line, asked, row.raw, exact)))
    return found


def _output_row(
    question: Question, prediction: Prediction, settings: Settings, layout: Layout
) -> Row:
    values = question.values | {
        "label": prediction.label,
        "confidence": round(prediction.confidence, DECIMALS),
        "score": round(prediction.score, DECIMALS),
        **{f"p_{name}": round(p, DECIMALS) for name, p in prediction.probabilities.items()},
        "windows": prediction.windows,
    }
    if settings.min_confidence is not None:
        values["uncertain"] = prediction.confidence < settings.min_confidence
    source = question.source
    exact = {layout.names[n]: v for n, v in source.exact.items() if n in layout.names}
    return Row(source.file, source.line, values, source.raw, exact)
