"""Rows to questions, answers to output rows; and the same question asked once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stancekit import read
from stancekit.dedupe import Remembering
from stancekit.errors import InputError, RecordError
from stancekit.pipeline import Pipeline
from stancekit.records import Example, LabelSet, Prediction
from stancekit.rows import BadRow, Row
from stancekit.scoring import Settings, output_columns, score_chunk

LABELS = LabelSet(("for", "against"), (1.0, -1.0))


class Stub:
    """Answers by the lengths of statement, topic and speaker; refuses statements with a 'z'."""

    labels = LABELS

    def __init__(self) -> None:
        self.asked: list[Example] = []

    def predict_many(self, rows: Iterable[Example]) -> list[Prediction]:
        examples = list(rows)
        self.asked += examples
        for example in examples:
            if "z" in example.statement:
                raise RecordError("statement", "a z", "none")
        return [self.answer(example) for example in examples]

    def answer(self, example: Example) -> Prediction:
        share = 1 / (1 + len(example.statement) + 3 * len(example.topic))
        share += 0.1 * (example.speaker is not None)
        label = "for" if share >= 0.5 else "against"
        probabilities = {"for": share, "against": 1 - share}
        return Prediction(label, probabilities, 2 * share - 1, windows=len(example.topic))


def row(line: int, **values: Any) -> Row:
    return Row("in.jsonl", line, values)


def scored(rows: list[Row | BadRow], settings: Settings) -> list[Row | BadRow]:
    columns = [{name: {"text"} for name in r.values} for r in rows if isinstance(r, Row)]
    layout = output_columns(columns, LABELS, settings)
    found = score_chunk(rows, Stub(), settings, layout)
    for one in found:
        assert isinstance(one, BadRow) or set(one.values) <= set(layout.columns)
    return found


def topics_of(rows: list[Row | BadRow]) -> list[Any]:
    return [(r.line, r.values["topic"] if isinstance(r, Row) else r.error.found) for r in rows]


def test_several_topics_go_to_rows_without_their_own() -> None:
    rows: list[Row | BadRow] = [
        row(1, statement="a"),
        row(2, statement="b", topic="own"),
        row(3, statement="c", topic=" "),
        row(4, statement=""),
        row(5, statement="zz"),
    ]
    found = scored(rows, Settings(("A", "B")))
    # A statement that is at fault is so once; one that the model refuses is refused each time.
    assert topics_of(found) == [
        *((1, "A"), (1, "B"), (2, "own"), (3, "A"), (3, "B")),
        *((4, "an empty string"), (5, "a z"), (5, "a z")),
    ]  # fmt: skip


def test_a_single_topic_is_not_written() -> None:
    [first, second] = scored(
        [row(1, statement="a"), row(2, statement="a", topic="")], Settings(("A",))
    )
    assert isinstance(first, Row) and "topic" not in first.values
    assert isinstance(second, Row) and second.values["topic"] == ""


def test_where_the_column_topic_stands() -> None:
    settings = Settings(("A", "B"))
    without = output_columns([{"statement": {"text"}}], LABELS, settings)
    assert list(without.columns)[:3] == ["statement", "topic", "label"]
    inside = output_columns([{"topic": set(), "statement": {"text"}}], LABELS, settings)
    assert list(inside.columns)[:3] == ["topic", "statement", "label"]
    assert inside.columns["topic"] == {"text"}


def test_columns_of_the_inputs_are_not_changed_by_laying_out() -> None:
    columns = {"topic": {"int"}, "statement": {"text"}}
    output_columns([columns], LABELS, Settings(("A", "B")))
    assert columns == {"topic": {"int"}, "statement": {"text"}}


@pytest.mark.parametrize(
    "topics, least, said",
    [
        (("A", "A"), None, "topics: found 'A' twice"),
        (("A", " "), None, "topic: found only white space"),
        (("A",), 1.5, "min_confidence: found 1.5"),
    ],
)
def test_settings_are_checked(topics: tuple[str, ...], least: float | None, said: str) -> None:
    with pytest.raises(InputError, match=said):
        Settings(topics, least)


ARTICLE = '"We will fight it," the mayor said. It rained all day.'


def test_statements_of_articles() -> None:
    rows: list[Row | BadRow] = [
        row(1, id="x", speaker="byline", text=ARTICLE, topic=""),
        row(2, text=ARTICLE, topic="own"),
        row(3, text="  "),
        row(4, text=3),
        row(5, id="y"),
    ]
    found = scored(rows, Settings(("A", "B"), articles=True))
    statements = read(ARTICLE)
    good = [r for r in found if isinstance(r, Row)]
    assert [(r.line, r.values["statement"], r.values["topic"]) for r in good] == [
        *((1, s.text, t) for s in statements for t in ("A", "B")),
        *((2, s.text, "own") for s in statements),
    ]
    first, last = good[0].values, good[-1].values
    assert first["article"] == "x" and last["article"] == "in.jsonl:2"
    assert first["input_speaker"] == "byline" and "text" not in first
    assert (first["start"], first["end"], first["kind"]) == (0, 35, "direct")
    assert [(r.line, r.error.found) for r in found if isinstance(r, BadRow)] == [
        (3, "an empty string or only white space"),
        (4, "int (3)"),
        (5, "no such column"),
    ]


EXAMPLES = st.lists(
    st.builds(
        Example,
        st.sampled_from(["a", "a1", "1a", "1 a", "bbb"]),
        st.sampled_from(["t", "1t", "t 1", "a"]),
        st.sampled_from([None, "t", "1", "a"]),
    ),
    max_size=30,
)


@given(lots=st.lists(EXAMPLES, max_size=4), most=st.integers(0, 5))
def test_remembering_changes_no_answer_and_asks_less(lots: list[list[Example]], most: int) -> None:
    plain, model = Stub(), Stub()
    remembering = Remembering(model, most)
    for lot in lots:
        before = len(model.asked)
        assert remembering.predict_many(lot) == plain.predict_many(lot)
        asked = model.asked[before:]
        assert len(asked) == len(set(asked)) <= len(set(lot))
        assert len(remembering) <= most
    if most == 0:
        assert len(model.asked) == sum(len(set(lot)) for lot in lots)


def test_the_answers_longest_unasked_are_forgotten_first() -> None:
    model = Stub()
    remembering = Remembering(model, 2)
    for statement in ("a", "b", "a", "c", "a", "b"):
        remembering.predict_many([Example(statement, "T")])
    assert [example.statement for example in model.asked] == ["a", "b", "c", "b"]


def test_a_refused_lot_is_not_remembered() -> None:
    model = Stub()
    remembering = Remembering(model)
    for _ in range(2):
        with pytest.raises(RecordError):
            remembering.predict_many([Example("a", "T"), Example("z", "T")])
    assert len(remembering) == 0


# Stages that overlap


def test_stages_keep_order_and_stay_few_items_ahead() -> None:
    made: list[int] = []

    def source() -> Iterable[int]:
        for number in range(50):
            made.append(number)
            yield number

    with Pipeline() as pipeline:
        seen = []
        for number in pipeline.ahead(one * 2 for one in pipeline.ahead(source())):
            seen.append(number)
            assert len(made) <= len(seen) + 5
    assert seen == [2 * number for number in range(50)]


def test_an_exception_comes_out_where_it_happened() -> None:
    def failing() -> Iterable[int]:
        yield 1
        raise KeyError("gone")

    with Pipeline() as pipeline:
        numbers = iter(pipeline.ahead(one for one in pipeline.ahead(failing())))
        assert next(numbers) == 1
        with pytest.raises(KeyError, match="gone"):
            next(numbers)


def test_leaving_early_ends_the_threads() -> None:
    import threading

    before = threading.active_count()
    with pytest.raises(RuntimeError, match="enough"), Pipeline() as pipeline:
        for _ in pipeline.ahead(one for one in pipeline.ahead(iter(int, 1))):
            raise RuntimeError("enough")
    assert threading.active_count() == before
