"""Records: what they refuse when they are made, and what they promise afterwards."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from stancekit.errors import (
    CheckpointError,
    InputError,
    MissingExtraError,
    RecordError,
    StancekitError,
)
from stancekit.records import Article, Example, LabelSet, Prediction, Statement

LABELS = LabelSet(("for", "unsure", "against", "none"), (1.0, 0.0, -1.0, None))


def prediction(**changes: Any) -> Prediction:
    facts: dict[str, Any] = {
        "label": "for",
        "probabilities": {"for": 0.75, "against": 0.25},
        "score": 0.5,
    }
    return Prediction(**(facts | changes))


@pytest.mark.parametrize("field", ["statement", "topic"])
@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("", "found an empty string, wanted some text"),
        (" \n\t\u00a0", "found only white space, wanted some text"),
        (None, "found NoneType (None), wanted a string"),
        (7, "found int (7), wanted a string"),
        (b"tax", "found bytes (b'tax'), wanted a string"),
        (
            "a\ud800b",
            "found a broken character at position 1 ('\\ud800'), wanted valid Unicode text; "
            "decode the source with its real encoding",
        ),
    ],
)
def test_an_unusable_text_is_refused_by_name(field: str, value: object, complaint: str) -> None:
    facts: dict[str, Any] = {"statement": "We agree.", "topic": "tax", field: value}
    with pytest.raises(RecordError) as caught:
        Example(**facts)
    assert str(caught.value) == f"{field}: {complaint}"


@pytest.mark.parametrize("empty", ["", "  ", "\t\n"])
def test_an_empty_speaker_means_no_speaker(empty: str) -> None:
    assert Example("We agree.", "tax", empty).speaker is None


def test_a_speaker_is_kept_as_it_is() -> None:
    assert Example("We agree.", "tax", " Ada Quill ").speaker == " Ada Quill "


@pytest.mark.parametrize(
    ("speaker", "complaint"),
    [
        (3, "speaker: found int, wanted a string or None"),
        (
            "Ada \udfff",
            "speaker: found a broken character at position 4 ('\\udfff'), wanted valid Unicode "
            "text; decode the source with its real encoding",
        ),
    ],
)
def test_an_unusable_speaker_is_refused(speaker: Any, complaint: str) -> None:
    with pytest.raises(RecordError) as caught:
        Example("We agree.", "tax", speaker)
    assert str(caught.value) == complaint


def test_a_statement_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(RecordError, match=r"^kind: found 'sung', wanted one of direct, indirect"):
        Statement("Yes.", None, 0, 4, "sung")  # type: ignore[arg-type]


@pytest.mark.parametrize(("start", "end"), [(0, 3), (0, 5), (-4, 0), (4, 0)])
def test_offsets_that_do_not_span_the_text_are_refused(start: int, end: int) -> None:
    with pytest.raises(RecordError) as caught:
        Statement("Yes.", None, start, end, "direct")
    assert str(caught.value) == (
        f"offsets: found start {start}, end {end} for 4 characters, "
        "wanted offsets that span the text"
    )


def test_an_article_is_a_string() -> None:
    assert Article("").text == ""
    with pytest.raises(RecordError, match=r"^article: found bytes, wanted a string$"):
        Article(b"news")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("names", "polarity", "complaint"),
    [
        (("for",), (1,), "labels: found ('for',), wanted at least two different names"),
        (("a", "a"), (1, 0), "labels: found ('a', 'a'), wanted at least two different names"),
        (("a", ""), (1, 0), "label name: found an empty string, wanted some text"),
        (("a", "b"), (1,), "polarity: found 1 values, wanted one a label, 2 in all"),
        (("a", "b"), (1, 1.5), "polarity: found 1.5, wanted None or a number in [-1, 1]"),
        (
            ("a", "b"),
            (1, float("nan")),
            "polarity: found nan, wanted None or a number in [-1, 1]",
        ),
    ],
)
def test_an_impossible_label_set_is_refused(names: Any, polarity: Any, complaint: str) -> None:
    with pytest.raises(RecordError) as caught:
        LabelSet(names, polarity)
    assert str(caught.value) == complaint


def test_index_is_the_position_of_a_label() -> None:
    assert [LABELS.index(name) for name in LABELS.names] == [0, 1, 2, 3]
    assert len(LABELS) == 4


def test_index_names_the_labels_there_are() -> None:
    with pytest.raises(
        RecordError, match=r"^label: found 'For', wanted one of for, unsure, against, none$"
    ):
        LABELS.index("For")


def test_score_is_expected_polarity() -> None:
    assert LABELS.score([0.5, 0.2, 0.1, 0.2]) == pytest.approx(0.5 - 0.1)
    assert LABELS.score([0, 0, 0, 1]) == 0
    assert LabelSet(("a", "b"), (0.5, -0.25)).score([0.4, 0.6]) == pytest.approx(0.2 - 0.15)


def test_score_wants_one_probability_a_label() -> None:
    with pytest.raises(ValueError):
        LABELS.score([0.5, 0.5])


@pytest.mark.parametrize("total", [0.9, 1.1, 0.0, float("nan")])
def test_probabilities_that_do_not_sum_to_one_are_refused(total: float) -> None:
    with pytest.raises(RecordError, match=r"^probabilities: found a sum of .*, wanted a sum of 1$"):
        prediction(probabilities={"for": total, "against": 0.0})


def test_rounding_of_probabilities_is_allowed() -> None:
    assert prediction(probabilities={"for": 0.7500004, "against": 0.25}).confidence == 0.7500004


def test_a_label_without_a_probability_is_refused() -> None:
    with pytest.raises(RecordError, match=r"^label: found 'none', wanted one of for, against$"):
        prediction(label="none")


def test_confidence_is_the_probability_of_the_label() -> None:
    assert prediction(label="against").confidence == 0.25


def test_a_prediction_survives_pickling() -> None:
    made = prediction(windows=3)
    again = pickle.loads(pickle.dumps(made))
    assert again == made
    assert list(again.probabilities) == ["for", "against"]
    assert again.windows == 3


def test_records_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        prediction().label = "against"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        Example("We agree.", "tax").topic = "war"  # type: ignore[misc]
    with pytest.raises(TypeError):
        prediction().probabilities["for"] = 1.0  # type: ignore[index]


def test_probabilities_do_not_follow_the_dict_they_came_from() -> None:
    given = {"for": 0.75, "against": 0.25}
    made = prediction(probabilities=given)
    given["for"] = 0.0
    assert made.probabilities["for"] == 0.75


@pytest.mark.parametrize(
    "error",
    [
        InputError("row 3", "x", "y", "z"),
        RecordError("a", "b", "c"),
        MissingExtraError("ray", "cluster"),
    ],
)
def test_errors_survive_pickling(error: StancekitError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)


def test_a_message_is_one_line_with_its_four_parts() -> None:
    error = CheckpointError("the folder", "two\nlines", "one", "look again")
    assert str(error) == "the folder: found two lines, wanted one; look again"
    assert str(CheckpointError("a", "b", "c")) == "a: found b, wanted c"


def test_callers_can_catch_errors_by_the_builtin_they_know() -> None:
    assert issubclass(RecordError, ValueError)
    assert issubclass(MissingExtraError, ImportError)
    assert not issubclass(CheckpointError, ValueError)
