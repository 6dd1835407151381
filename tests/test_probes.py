"""Probes against rows made by hand, and models of which one knows what they heed."""

# ruff: noqa: RUF001  (quotation marks are data here)

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stancekit.errors import InputError, RecordError
from stancekit.evaluation import Interval, evaluate
from stancekit.probes import (
    PERTURBATIONS,
    Measured,
    flip_pairs,
    masked_topic,
    perturbed,
    probe,
    share,
    speaker_pairs,
    without_speaker,
)
from stancekit.records import Example, LabelSet, Prediction

LABELS = LabelSet(("optimistic", "circumspect", "opposed", "none"), (1, 0, -1, None))
TALKS = "Ada Quill praised the talks, and her rival Bo Lund fought the tax."
ROWS = [
    Example(TALKS, "the talks", "Ada Quill", "optimistic", "g"),
    Example(TALKS, "the tax", "Ada Quill", "none", "g"),
    Example(TALKS, "the tax", "Bo Lund", "opposed", "g"),
    Example(TALKS, "The Tax", None, "opposed", "g"),
    Example("Work starts in May.", "the bridge", None, "none"),
    Example("We shall see.", "the bridge", None, "circumspect"),
    Example("We shall see.", "the vote", None, "circumspect"),
]


class Stub:
    """A model that is a function of a row."""

    labels = LABELS

    def __init__(self, label: Callable[[Example], str]) -> None:
        self.label = label

    def predict_many(self, rows: Iterable[Example], /) -> list[Prediction]:
        return [_prediction(self.label(row)) for row in rows]


def _prediction(label: str) -> Prediction:
    return Prediction(label, {name: float(name == label) for name in LABELS.names}, 0.0)


def probed(label: Callable[[Example], str], rows: list[Example] = ROWS, seed: int = 0):  # type: ignore[no-untyped-def]
    model = Stub(label)
    return probe(model, rows, model.predict_many(rows), seed)


GOLD = {(row.statement, row.topic, row.speaker): str(row.label) for row in ROWS}


def oracle(row: Example) -> str:
    """Knows every row by heart, and nothing else."""
    return GOLD.get((row.statement, row.topic, row.speaker), "circumspect")


def change(kind: str, statement: str, topic: str = "x", speaker: str | None = None) -> list[str]:
    return [row.statement for row in perturbed([Example(statement, topic, speaker)], kind).rows]


class TestPairs:
    def test_topic_flips_counted_by_hand(self) -> None:
        # 1 and 2, 1 and 3 share a topic; the last two rows share a label.
        assert flip_pairs(ROWS) == [(0, 1), (0, 2), (0, 3)]

    def test_speaker_flips_counted_by_hand(self) -> None:
        # 2 and 3 share a label; no speaker counts as one more.
        assert speaker_pairs(ROWS) == [(1, 2), (1, 3)]

    def test_both_right_counts_pairs_of_which_no_row_is_wrong(self) -> None:
        report = probed(lambda row: "none" if row.speaker == "Bo Lund" else oracle(row))
        assert report.flip_pairs.n == 3 and report.flip_pairs.score.value == pytest.approx(2 / 3)
        assert report.speaker_pairs.n == 2 and report.speaker_pairs.score.value == 0.5

    def test_a_model_blind_to_topic_and_speaker_gets_no_pair(self) -> None:
        report = probed(lambda row: "opposed" if row.statement == TALKS else oracle(row))
        assert report.flip_pairs.score.value == report.speaker_pairs.score.value == 0

    def test_pairs_of_one_statement_are_drawn_together(self) -> None:
        lone = [Example(r.statement, r.topic, r.speaker, r.label) for r in ROWS[:4]]
        report = probed(lambda row: "none" if row.speaker == "Bo Lund" else oracle(row), lone)
        score = report.flip_pairs.score
        assert score.low == score.value == score.high


class TestMasks:
    def test_the_topic_is_asked_no_more(self) -> None:
        masked = masked_topic(ROWS)
        assert {row.topic for row in masked} == {"this"}
        assert [(r.statement, r.speaker, r.label, r.group) for r in masked] == [
            (r.statement, r.speaker, r.label, r.group) for r in ROWS
        ]

    def test_rows_with_a_speaker_lose_it(self) -> None:
        rows, positions = without_speaker(ROWS)
        assert positions == [0, 1, 2] and {row.speaker for row in rows} == {None}
        assert [row.topic for row in rows] == [ROWS[i].topic for i in positions]

    def test_scores_are_those_of_evaluate(self) -> None:
        report = probed(oracle)
        spoken = ROWS[:3]
        lost = Stub(oracle).predict_many(without_speaker(ROWS).rows)
        assert report.as_is == Measured(7, evaluate_f1(ROWS, Stub(oracle).predict_many(ROWS)))
        assert report.as_is.score.value == 1
        assert report.topic_masked.score.value < 0.5
        assert report.speaker_as_is.n == report.speaker_masked.n == 3
        assert report.speaker_as_is.score.value == 0.75  # circumspect occurs nowhere
        assert report.speaker_masked.score == evaluate_f1(spoken, lost)
        assert report.speaker_masked.score.value < 0.75

    def test_a_model_that_heeds_neither_loses_nothing(self) -> None:
        report = probed(lambda row: "opposed" if "tax" in row.statement else "none")
        assert report.topic_masked == report.as_is
        assert report.speaker_masked == report.speaker_as_is


def evaluate_f1(rows: list[Example], answers: list[Prediction]) -> Interval:
    return evaluate(rows, answers, LABELS, recipe={}).macro_f1


texts = st.text("aàbcd Topic.,'\"“”’«»!?()…-\n\u00a0", min_size=1).filter(lambda s: s.strip())
rows_drawn = st.builds(
    Example,
    statement=st.one_of(texts, st.just(TALKS)),
    topic=texts,
    speaker=st.sampled_from([None, "Ada Quill", "the union", "Mayor Lund", "Bo Lund"]),
    label=st.sampled_from(LABELS.names),
    group=st.sampled_from([None, "a"]),
)


class TestPerturbations:
    @settings(max_examples=150, deadline=None)
    @given(st.lists(rows_drawn, max_size=5), st.sampled_from(sorted(PERTURBATIONS)), st.integers())
    def test_only_what_may_change_does(self, rows: list[Example], kind: str, seed: int) -> None:
        changed = perturbed(rows, kind, seed)
        assert changed == perturbed(rows, kind, seed)
        assert len(changed.rows) == len(changed.positions)
        assert changed.positions == sorted(set(changed.positions))
        for after, i in zip(*changed, strict=True):
            before = rows[i]
            assert after != before
            assert (after.label, after.group, after.topic) == (
                *(before.label, before.group, before.topic),
            )
            assert kind == "speaker renamed" or after.speaker == before.speaker
            # A row is changed in the same way wherever it stands.
            assert perturbed([before], kind, seed).rows == [after]
        for i in set(range(len(rows))) - set(changed.positions):
            assert perturbed([rows[i]], kind, seed).rows == []

    @settings(deadline=None)
    @given(st.integers())
    def test_typos_swap_inner_letters_of_some_words(self, seed: int) -> None:
        words = "Tomorrow several ministers gather before parliament discussing bridges"
        statement = " ".join([words] * 3)
        row = Example(statement, "bridges", "several Ministers")
        [after] = perturbed([row], "typos", seed).rows
        pairs = list(zip(statement.split(), after.statement.split(), strict=True))
        swapped = [(a, b) for a, b in pairs if a != b]
        assert len(swapped) == 3  # of 24
        for a, b in swapped:
            assert a not in {"bridges", "several", "ministers"}
            assert sorted(a) == sorted(b) and a[0] == b[0] and a[-1] == b[-1]
            places = [i for i, (x, y) in enumerate(zip(a, b, strict=True)) if x != y]
            assert len(places) == 2 and places[1] - places[0] == 1

    def test_seeds_differ(self) -> None:
        made = [perturbed(ROWS, "typos", seed).rows for seed in range(5)]
        assert any(one != made[0] for one in made)

    def test_no_typo_fits_short_words(self) -> None:
        assert change("typos", "We did see all of it, 1234 times.", "times") == []
        assert change("typos", "Moot noon.") == []  # equal letters

    def test_case(self) -> None:
        assert change("lower case", "We WIN.") == ["we win."]
        assert change("upper case", "We win.") == ["WE WIN."]
        assert change("lower case", "we win.") == change("upper case", "WE WIN.") == []

    @pytest.mark.parametrize(
        ("statement", "styles"),
        [
            ('"We win," it said.', {"“We win,” it said.", "«We win,» it said."}),
            ("“We win,” it said.", {'"We win," it said.', "«We win,» it said."}),
            (
                "He said: «It’s (“so”).»",
                {'He said: "It\'s ("so")."', "He said: “It’s (“so”).”", "He said: «It’s («so»).»"},
            ),
            ("It isn't.", {"It isn’t."}),
            ("It isn’t.", {"It isn't."}),
            ("It said 'no'.", {"It said ‘no’."}),
            ("It is.", set()),
        ],
    )
    def test_quote_marks(self, statement: str, styles: set[str]) -> None:
        row = Example(statement, "x")
        seen = [[r.statement for r in perturbed([row], "quote marks", s).rows] for s in range(20)]
        assert all(len(one) == bool(styles) for one in seen)
        assert {one[0] for one in seen if one} == styles

    def test_repeated(self) -> None:
        assert change("repeated", "We win.") == ["We win. We win."]

    def test_a_named_speaker_gets_another_name(self) -> None:
        row = Example(
            "Mayor Ada Quill said no; Quill's party agreed.", "the tax", "Mayor Ada Quill"
        )
        [after] = perturbed([row], "speaker renamed").rows
        found = re.fullmatch(r"Mayor (\w+) (\w+) said no; (\w+)'s party agreed\.", after.statement)
        assert found and found[2] == found[3] != "Quill" and found[1] != "Ada"
        assert after.speaker == f"Mayor {found[1]} {found[2]}"
        [after] = perturbed(
            [Example("Mr Quill is for it.", "x", "Mr Quill")], "speaker renamed"
        ).rows
        assert re.fullmatch(r"Mr (?!Quill)\w+", after.speaker)
        assert after.statement == f"{after.speaker} is for it."

    def test_the_new_name_is_nobody_else_there(self) -> None:
        row = Example("Ada Quill, Robin Lee, Mr Okrend and Kim voted.", "the tax", "Ada Quill")
        made = {perturbed([row], "speaker renamed", seed).rows[0].speaker for seed in range(9)}
        assert made == {"Noor Velmar"}

    @pytest.mark.parametrize(
        ("statement", "topic", "speaker"),
        [
            ("The union said no.", "the tax", "the union"),
            ("The Royal Bank said no.", "the tax", "the Royal Bank"),
            ("Ireland said no.", "the tax", "Ireland"),
            ("Ada Quill of Leeds said no.", "the tax", "Ada Quill of Leeds"),
            ("She said no.", "the tax", "Ada Quill"),
            ("Ada Quill said no.", "Quill's tax", "Ada Quill"),
            ("Ada Quill said no.", "the tax", None),
            ("Ada Quillan said no.", "the tax", "Ada Quill"),
        ],
    )
    def test_other_speakers_keep_theirs(
        self, statement: str, topic: str, speaker: str | None
    ) -> None:
        assert change("speaker renamed", statement, topic, speaker) == []

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("We win.", ["We win"]),
            ("We win", ["We win."]),
            ('He said "we win."', ['He said "we win"']),
            ('He said "we win"', ['He said "we win".']),
            ("We win!", []),
            ('"We win?"', []),
            ("We win...", []),
            ("We win…", []),
            (".", []),
        ],
    )
    def test_final_stop(self, before: str, after: list[str]) -> None:
        assert change("final stop", before) == after

    def test_spaces(self) -> None:
        before = "We win it all today, they say, so there."
        [after] = change("spaces", before)
        assert re.search(r"\S \S", after) is None
        assert "  " in after and "\u00a0" in after
        assert after.split() == before.split()
        assert change("spaces", "Won.") == []

    def test_an_unknown_kind_is_refused(self) -> None:
        with pytest.raises(InputError, match="'rot13', wanted one of typos"):
            perturbed(ROWS, "rot13")


class TestUnchanged:
    def test_a_model_that_heeds_no_case_never_changes_its_mind(self) -> None:
        report = probed(lambda row: "none" if "talks" in row.statement.lower() else "opposed")
        for kind in ("lower case", "upper case", "repeated", "spaces", "final stop"):
            assert report.unchanged[kind] == Measured(7, Interval(1, 1, 1))

    def test_only_changed_rows_count_and_each_change_of_mind_shows(self) -> None:
        rows = [Example("Bo won.", "x", None, "none"), Example("bo won.", "x", None, "none")]
        report = probed(lambda row: "none" if "Bo" in row.statement else "opposed", rows)
        assert report.unchanged["lower case"] == Measured(1, Interval(0, 0, 0))
        assert report.unchanged["upper case"].n == 2
        assert report.unchanged["upper case"].score.value == 0.5
        assert report.unchanged["typos"] == report.unchanged["speaker renamed"] == Measured(0, None)

    def test_groups_and_seed_reach_every_interval(self) -> None:
        letters = "abcdefghij"
        rows = [
            Example(f"Several {x} ministers {y}", "t", None, LABELS.names[i % 4], x)
            for x in letters
            for i, y in enumerate(letters)
        ]
        model = Stub(lambda row: LABELS.names[crc32(row.statement.encode()) % 4])
        answers = model.predict_many(rows)
        report = probe(model, rows, answers, seed=5)
        assert report.as_is.score == evaluate(rows, answers, LABELS, recipe={}, seed=5).macro_f1
        changed = perturbed(rows, "typos", seed=5)
        after = model.predict_many(changed.rows)
        same = [p.label == answers[i].label for p, i in zip(after, changed.positions, strict=True)]
        assert 10 < sum(same) < 90
        assert report.unchanged["typos"] == share(same, [row.group for row in changed.rows], 5)


class TestShare:
    def test_rows_of_a_group_are_drawn_together(self) -> None:
        hits = [True, False] * 50
        alone = share(hits, [None] * 100).score
        paired = share(hits, [str(i // 2) for i in range(100)]).score
        sorted_apart = share(hits, [str(i % 2) for i in range(100)]).score
        assert alone and paired and sorted_apart
        assert alone.value == paired.value == paired.low == paired.high == 0.5
        # Of a binomial of 100: 0.5 +- 1.96 x 0.05.
        assert alone.low == pytest.approx(0.402, abs=0.02)
        assert alone.high == pytest.approx(0.598, abs=0.02)
        assert (sorted_apart.low, sorted_apart.high) == (0, 1)

    def test_nothing_has_no_share(self) -> None:
        assert share([], []) == Measured(0, None)

    def test_a_seed_settles_it(self) -> None:
        hits = [i % 3 == 0 for i in range(40)]
        assert share(hits, [None] * 40, 1) == share(hits, [None] * 40, 1)
        assert share(hits, [None] * 40, 1) != share(hits, [None] * 40, 2)


class TestReport:
    def test_json_holds_everything(self) -> None:
        report = probed(oracle, seed=4)
        facts = json.loads(json.dumps(report.to_dict()))
        assert facts["seed"] == 4 and list(facts["unchanged"]) == list(PERTURBATIONS)
        assert facts["flip_pairs"] == {"n": 3, "score": {"value": 1.0, "low": 1.0, "high": 1.0}}

    def test_text_has_a_line_a_measure_of_80_columns_at_most(self) -> None:
        rows = [Example("Won.", "x", None, "none")]
        for report in (probed(oracle), probed(lambda row: "none", rows)):
            lines = str(report).splitlines()
            assert len(lines) == 6 + len(PERTURBATIONS) + 1
            assert max(map(len, lines)) <= 80
        assert "topic masked" in lines[1] and "seed 0" in lines[-1]
        assert re.search(r"speaker flips +nothing to measure +n = 0$", lines[5])

    def test_the_same_again(self) -> None:
        assert probed(oracle) == probed(oracle)

    def test_rows_that_cannot_be_compared_are_refused(self) -> None:
        model = Stub(oracle)
        with pytest.raises(InputError, match="one an example"):
            probe(model, ROWS, model.predict_many(ROWS[1:]))
        with pytest.raises(RecordError, match="row 1: found no label"):
            probe(model, [Example("s", "t")], [_prediction("none")])
