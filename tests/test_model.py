"""The model: order, kinds of rows, windows, and what each refusal says."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stancekit import model as model_module
from stancekit.encoding import Window
from stancekit.errors import CheckpointError, InputError, RecordError
from stancekit.model import StanceModel, _merge, batches, load, softmax
from stancekit.reading import read
from stancekit.records import Article, Example, LabelSet, Prediction

PROSE = "the bridge tax law talks we support fight oppose wait doubt hope fear not good bad"
WORDS = PROSE.split()
LONG = " ".join(WORDS * 40)
ARTICLE = (
    '"We want the bridge built," Mayor Ada Quill said on Monday. "It is long overdue."\n\n'
    "The ferrymen's union said it would fight the plan.\n"
)


def made_up(count: int, longest: int = 60) -> list[Example]:
    dice = random.Random(11)
    return [
        Example(
            " ".join(dice.choices(WORDS, k=dice.randint(1, longest))),
            dice.choice(["the bridge", "tax"]),
            dice.choice([None, "the mayor"]),
        )
        for _ in range(count)
    ]


def same(one: Prediction, other: Prediction) -> None:
    assert one.windows == other.windows
    assert list(one.probabilities) == list(other.probabilities)
    for name, value in one.probabilities.items():
        assert other.probabilities[name] == pytest.approx(value, abs=1e-3)


def test_predict_is_predict_many_of_one(tiny_model: StanceModel) -> None:
    alone = tiny_model.predict("We support it.", "the bridge", "the mayor")
    (one,) = tiny_model.predict_many([Example("We support it.", "the bridge", "the mayor")])
    assert alone == one


def test_the_speaker_is_read(tiny_model: StanceModel) -> None:
    with_speaker = tiny_model.predict("We support it.", "the bridge", "the mayor")
    assert with_speaker != tiny_model.predict("We support it.", "the bridge")
    assert with_speaker != tiny_model.predict("We support it.", "the bridge", "the union")


def test_the_topic_is_read(tiny_model: StanceModel) -> None:
    assert tiny_model.predict("We support it.", "war") != tiny_model.predict(
        "We support it.", "tax"
    )


def test_answers_come_in_the_order_of_the_rows(tiny_model: StanceModel) -> None:
    rows = made_up(60, longest=300)
    answers = tiny_model.predict_many(rows)
    assert len({answer.label for answer in answers}) > 2
    for row, answer in zip(rows, answers, strict=True):
        same(tiny_model.predict(row.statement, row.topic, row.speaker), answer)


def test_order_is_kept_across_chunks(
    tiny_model: StanceModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = made_up(20)
    whole = tiny_model.predict_many(rows)
    monkeypatch.setattr(model_module, "CHUNK", 3)
    for one, other in zip(whole, tiny_model.predict_many(rows), strict=True):
        same(one, other)


def test_rows_may_be_examples_dicts_and_pairs(tiny_model: StanceModel) -> None:
    answers = tiny_model.predict_many(
        [
            Example("We fight it.", "tax"),
            {"statement": "We fight it.", "topic": "tax", "speaker": None, "page": 7},
            {"topic": "tax", "statement": "We fight it.", "speaker": ""},
            ("We fight it.", "tax"),
        ]
    )
    for answer in answers[1:]:
        same(answers[0], answer)


def test_the_speaker_of_a_dict_is_read(tiny_model: StanceModel) -> None:
    row = {"statement": "We support it.", "topic": "the bridge", "speaker": "the mayor"}
    (answer,) = tiny_model.predict_many([row])
    same(tiny_model.predict("We support it.", "the bridge", "the mayor"), answer)


def test_rows_may_come_from_a_generator(tiny_model: StanceModel) -> None:
    def rows() -> Iterator[Example]:
        yield from made_up(5)

    assert len(tiny_model.predict_many(rows())) == 5


def test_no_rows_give_no_answers(tiny_model: StanceModel) -> None:
    assert tiny_model.predict_many([]) == []


@pytest.mark.parametrize(
    ("row", "kind", "message"),
    [
        ({"topic": "tax"}, InputError, "found no 'statement', wanted statement and topic in each"),
        ({"statement": "Yes."}, InputError, "found no 'topic', wanted statement and topic in each"),
        ({"statement": "", "topic": "tax"}, RecordError, "statement: found an empty string"),
        ({"statement": "Yes.", "topic": None}, RecordError, "topic: found NoneType (None)"),
        (("Yes.", " "), RecordError, "topic: found only white space"),
        ("Yes.", InputError, "found str ('Yes.'), wanted an Example, a dict with statement"),
        (("Yes.", "tax", "the mayor"), InputError, "found tuple"),
        (None, InputError, "found NoneType (None)"),
    ],
)
def test_a_bad_row_is_refused_by_number(
    tiny_model: StanceModel, row: Any, kind: type[InputError], message: str
) -> None:
    with pytest.raises(kind) as caught:
        tiny_model.predict_many([("Yes.", "tax"), ("No.", "tax"), row, ("", "")])
    assert str(caught.value).startswith("row 3")
    assert message in str(caught.value)


def test_a_topic_too_long_is_refused_by_number(tiny_model: StanceModel) -> None:
    rows = [("Yes.", "tax"), ("No.", "tax " * 200)]
    with pytest.raises(RecordError, match=r"^row 2\b"):
        tiny_model.predict_many(rows)


def test_predict_refuses_without_a_row_number(tiny_model: StanceModel) -> None:
    with pytest.raises(RecordError, match=r"^topic: found an empty string"):
        tiny_model.predict("Yes.", "")


def test_a_long_statement_takes_several_windows(tiny_model: StanceModel) -> None:
    answer = tiny_model.predict(LONG, "the bridge")
    assert answer.windows > 2
    assert sum(answer.probabilities.values()) == pytest.approx(1, abs=1e-6)
    assert tiny_model.predict("We wait.", "the bridge").windows == 1


def test_probabilities_follow_the_order_of_the_labels(tiny_model: StanceModel) -> None:
    for answer in tiny_model.predict_many(made_up(10)):
        assert tuple(answer.probabilities) == tiny_model.labels.names
        assert answer.label == max(answer.probabilities, key=answer.probabilities.__getitem__)


def test_probabilities_are_softmax_of_logits_over_temperature(tiny_model: StanceModel) -> None:
    row = made_up(1)[0]
    (logits,) = tiny_model.logits([row])
    powers = np.exp(logits[0].astype(float) / 1.25)
    answer = tiny_model.predict(row.statement, row.topic, row.speaker)
    assert list(answer.probabilities.values()) == pytest.approx((powers / powers.sum()).tolist())


def test_score_is_the_sum_of_probability_times_polarity(tiny_model: StanceModel) -> None:
    for answer in tiny_model.predict_many([*made_up(10), (LONG, "tax")]):
        p = answer.probabilities
        assert answer.score == pytest.approx(p["optimistic"] - p["opposed"], abs=1e-6)


def test_logits_are_one_array_an_example(tiny_model: StanceModel) -> None:
    shapes = [a.shape for a in tiny_model.logits([*made_up(2), Example(LONG, "tax")])]
    assert shapes[:2] == [(1, 4), (1, 4)]
    assert shapes[2][0] == tiny_model.predict(LONG, "tax").windows


def test_reading_pairs_each_statement_with_its_prediction(tiny_model: StanceModel) -> None:
    pairs = tiny_model.read(ARTICLE, "the bridge")
    assert [statement for statement, _ in pairs] == read(ARTICLE)
    assert {statement.speaker for statement, _ in pairs} > {"Ada Quill"}
    for statement, answer in pairs:
        same(tiny_model.predict(statement.text, "the bridge", statement.speaker), answer)


def test_an_article_record_reads_as_its_text(tiny_model: StanceModel) -> None:
    assert tiny_model.read(Article(ARTICLE, "a.txt"), "tax") == tiny_model.read(ARTICLE, "tax")


def test_an_empty_article_has_no_statements(tiny_model: StanceModel) -> None:
    assert tiny_model.read("", "tax") == []


def test_reading_refuses_an_empty_topic(tiny_model: StanceModel) -> None:
    with pytest.raises(RecordError, match="topic: found an empty string"):
        tiny_model.read(ARTICLE, "")


@pytest.mark.parametrize("article", ["", "\n\n"])
def test_reading_refuses_an_empty_topic_though_nothing_is_said(
    tiny_model: StanceModel, article: str
) -> None:
    with pytest.raises(RecordError, match="topic"):
        tiny_model.read(article, "")


def test_load_refuses_an_unknown_engine(tiny_model_dir: Path) -> None:
    with pytest.raises(InputError) as caught:
        load(tiny_model_dir, engine="abacus")
    assert str(caught.value) == "engine: found 'abacus', wanted one of onnx, torch"


@pytest.mark.parametrize("threads", [0, -1])
def test_load_refuses_less_than_one_thread(tiny_model_dir: Path, threads: int) -> None:
    with pytest.raises(InputError, match=f"^threads: found {threads}, wanted at least 1$"):
        load(tiny_model_dir, threads=threads)


def test_load_refuses_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such folder"):
        load(tmp_path / "nowhere")


def test_load_takes_a_path_as_text(tiny_model_dir: Path) -> None:
    assert load(str(tiny_model_dir), engine="onnx", threads=1).engine.threads == 1


def test_softmax_is_that_of_torch() -> None:
    import torch

    logits = np.random.default_rng(2).normal(0, 30, (20, 4)).astype(np.float32)
    wanted = torch.softmax(torch.from_numpy(logits).double(), dim=-1).numpy()
    np.testing.assert_allclose(softmax(logits), wanted, atol=1e-12)
    assert np.isfinite(softmax(np.array([[1e4, -1e4, 0, 0]]))).all()


LABELS = LabelSet(("for", "against", "none"), (1.0, -1.0, None))


def test_a_stance_in_one_window_is_not_drowned_by_silent_ones() -> None:
    silent = [0.02, 0.02, 0.96]
    merged = _merge(np.array([silent, silent, [0.05, 0.9, 0.05], silent, silent]), LABELS)
    assert int(merged.argmax()) == 1
    assert merged.sum() == pytest.approx(1)


def test_where_no_window_shows_a_stance_there_is_none() -> None:
    windows = np.array([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    assert _merge(windows, LABELS).tolist() == pytest.approx([0, 0, 1])


def test_windows_of_opposite_stance_weigh_alike() -> None:
    merged = _merge(np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1]]), LABELS)
    assert merged.tolist() == pytest.approx([0.45, 0.45, 0.1])


def test_without_a_silent_label_windows_weigh_alike() -> None:
    merged = _merge(np.array([[0.9, 0.1], [0.5, 0.5]]), LabelSet(("for", "against"), (1, -1)))
    assert merged.tolist() == pytest.approx([0.7, 0.3])


@given(lengths=st.lists(st.integers(1, 256), max_size=60), tokens=st.integers(256, 2048))
def test_batches_hold_every_window_once_within_the_budget(lengths: list[int], tokens: int) -> None:
    windows = [Window(np.zeros(n, np.int64), np.zeros(n, np.int64)) for n in lengths]
    made = list(batches(windows, tokens))
    assert sorted(i for batch in made for i in batch) == list(range(len(lengths)))
    for batch in made:
        assert len(batch) * max(lengths[i] for i in batch) <= tokens


def test_a_window_over_the_budget_stands_alone() -> None:
    windows = [Window(np.zeros(n, np.int64), np.zeros(n, np.int64)) for n in (300, 200, 10)]
    assert list(batches(windows, 100)) == [[0], [1], [2]]


def test_confidence_for_a_wanted_error_rate(tiny_model: StanceModel) -> None:
    table = {"0.05": None, "0.1": 0.9, "0.2": 0.7}
    checkpoint = replace(tiny_model.checkpoint, facts={"thresholds": table})
    model = StanceModel(checkpoint, tiny_model.engine)
    assert model.min_confidence(0.1) == 0.9
    assert model.min_confidence(0.15) == 0.9  # the stricter of its neighbours
    assert model.min_confidence(0.5) == 0.7
    for unkept in (0.05, 0, -1, 1, float("nan")):
        with pytest.raises(InputError, match=r"from 0\.1 up"):
            model.min_confidence(unkept)
    bare = StanceModel(replace(checkpoint, facts={"thresholds": {}}), tiny_model.engine)
    with pytest.raises(InputError, match="this one lacks"):
        bare.min_confidence(0.1)
