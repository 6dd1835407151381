"""The tables of the quality benchmark, on rows and answers made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import pytest

from benchmarks.quality import LEAST, difference, ece_by_chance, phenomena, reliability, risk
from stancekit.calibration import BINS, ece
from stancekit.evaluation import Interval, evaluate
from stancekit.probes import share
from stancekit.records import Example, Prediction
from training.manifest import LABELS, Row

NAMES = LABELS.names
GOLD = [NAMES[i % 4] for i in range(80)]


def examples(gold: Sequence[str], groups: Sequence[str | None] | None = None) -> list[Example]:
    marks = groups or [None] * len(gold)
    return [
        Example(f"Statement {i}.", "the bridge", None, label, group)
        for i, (label, group) in enumerate(zip(gold, marks, strict=True))
    ]


def answer(label: str, confidence: float = 1.0) -> Prediction:
    rest = (1 - confidence) / 3
    return Prediction(label, {n: confidence if n == label else rest for n in NAMES}, 0.0)


def other(label: str) -> str:
    return NAMES[(LABELS.index(label) + 1) % 4]


def answers(gold: Sequence[str], wrong: Sequence[bool]) -> list[Prediction]:
    return [answer(other(x) if no else x) for x, no in zip(gold, wrong, strict=True)]


class TestDifference:
    some_wrong = answers(GOLD, [i % 3 == 0 for i in range(80)])

    def test_identical_answers_differ_by_nothing_on_every_draw(self) -> None:
        change = difference(examples(GOLD), self.some_wrong, self.some_wrong, LABELS)
        assert change == Interval(0, 0, 0)

    def test_better_answers_are_above_and_worse_ones_below(self) -> None:
        rows, best = examples(GOLD), answers(GOLD, [False] * 80)
        up = difference(rows, self.some_wrong, best, LABELS)
        down = difference(rows, best, self.some_wrong, LABELS)
        before, after = (
            evaluate(rows, one, LABELS, recipe={}).macro_f1.value for one in (self.some_wrong, best)
        )
        assert up.value == pytest.approx(after - before)
        assert 0 < up.low < up.value < up.high < 1
        assert (down.value, down.low, down.high) == pytest.approx((-up.value, -up.high, -up.low))

    def test_rows_of_a_group_are_drawn_together(self) -> None:
        # One of two groups holds all that got better, and a quarter of the draws leave it out.
        wrong = [i < 40 for i in range(80)]
        groups = ["a" if one else "b" for one in wrong]
        before, after = answers(GOLD, wrong), answers(GOLD, [False] * 80)
        assert difference(examples(GOLD, groups), before, after, LABELS).low == 0
        assert difference(examples(GOLD), before, after, LABELS).low > 0.3


def rows_of(phenomenon: str | None, n: int, group: str | None = None) -> list[Row]:
    return [
        Row(example, False, "written/x", "Apache-2.0", None, phenomenon)
        for example in examples(GOLD[:n], [group] * n)
    ]


class TestPhenomena:
    def test_too_few_rows_and_rows_of_none_are_left_out(self) -> None:
        rows = [*rows_of("irony", LEAST), *rows_of("negation", LEAST - 1), *rows_of(None, 40)]
        given = [answer(str(row.example.label)) for row in rows]
        assert phenomena(rows, given) == {"irony": asdict(share([True] * LEAST, [None] * LEAST))}

    def test_the_commonest_come_first_and_then_the_alphabet(self) -> None:
        rows = [*rows_of("b", 20), *rows_of("c", 21), *rows_of("a", 20)]
        given = [answer("none")] * len(rows)
        assert list(phenomena(rows, given)) == ["c", "a", "b"]

    def test_hits_are_counted_each_for_its_own(self) -> None:
        # Interleaved, so that a row's place among its phenomenon is not its place among all.
        rows = [x for pair in zip(rows_of("a", 20), rows_of("b", 20), strict=True) for x in pair]
        gold = [str(row.example.label) for row in rows]
        facts = phenomena(rows, answers(gold, [i % 2 == 0 and i < 10 for i in range(40)]))
        assert facts["a"] == asdict(share([i >= 5 for i in range(20)], [None] * 20))
        assert facts["a"]["n"] == 20 and facts["a"]["score"]["value"] == 0.75
        assert facts["b"]["score"] == {"value": 1, "low": 1, "high": 1}

    def test_rows_of_a_group_are_drawn_together(self) -> None:
        rows = rows_of("a", 20, "g")
        given = answers(GOLD[:20], [i < 10 for i in range(20)])
        assert phenomena(rows, given)["a"]["score"] == {"value": 0.5, "low": 0.5, "high": 0.5}


class TestReliability:
    def test_bins_add_up_to_the_calibration_error(self) -> None:
        # On every edge that a label can reach, and between them.
        confidence = [*(i / BINS for i in range(4, BINS + 1)), *np.linspace(0.26, 0.99, 68)]
        given = [
            answer(other(gold) if i % 3 == 0 else gold, float(confidence[i]))
            for i, gold in enumerate(GOLD)
        ]
        bins = reliability(examples(GOLD), given)
        gaps = 0.0
        for one in bins:
            if one["confidence"] is not None and one["accuracy"] is not None and one["n"]:
                gaps += one["n"] * abs(one["confidence"] - one["accuracy"])
        right = np.array([i % 3 != 0 for i in range(80)])
        assert len(bins) == BINS and sum(one["n"] or 0 for one in bins) == 80
        assert gaps / 80 == pytest.approx(ece(np.array(confidence), right), abs=1e-12)

    def test_a_bin_is_closed_above_and_an_empty_one_says_nothing(self) -> None:
        gold = ["none", "none", "none", "opposed"]
        given = [answer("none", c) for c in (0.6, 0.61, 1.0, 1.0)]
        bins = reliability(examples(gold), given)
        assert bins[8] == {"n": 1, "confidence": 0.6, "accuracy": 1}
        assert bins[9] == {"n": 1, "confidence": 0.61, "accuracy": 1}
        assert bins[14] == {"n": 2, "confidence": 1, "accuracy": 0.5}
        empty = {"n": 0, "confidence": None, "accuracy": None}
        assert all(one == empty for i, one in enumerate(bins) if i not in (8, 9, 14))

    def test_true_confidences_miss_by_chance_alone(self) -> None:
        assert ece_by_chance([answer("none", 1.0)] * 50) == 0
        # The mean distance of a share of 400 fair coins from a half.
        by_chance = ece_by_chance([answer("none", 0.5)] * 400)
        assert by_chance == pytest.approx(np.sqrt(0.25 / 400 * 2 / np.pi), rel=0.1)


class TestRisk:
    gold = ("opposed",) * 5
    given = (
        answer("opposed", 0.9),
        answer("none", 0.8),
        answer("opposed", 0.8),
        answer("none", 0.79),
        answer("none", 0.3),
    )

    def test_what_is_at_the_threshold_is_kept_and_errors_are_counted_among_it(self) -> None:
        [entry] = risk({"0.1": 0.8}, examples(self.gold), self.given)
        assert (entry["rate"], entry["threshold"]) == (0.1, 0.8)
        assert entry["kept"] == asdict(share([True] * 3 + [False] * 2, [None] * 5))
        assert entry["error"] == asdict(share([False, True, False], [None] * 3))
        assert entry["kept"]["score"]["value"] == 0.6
        assert entry["error"]["n"] == 3 and entry["error"]["score"]["value"] == 1 / 3

    def test_groups_reach_both_intervals(self) -> None:
        [entry] = risk({"0.1": 0.8}, examples(self.gold, ["g"] * 5), self.given)
        assert entry["kept"]["score"] == {"value": 0.6, "low": 0.6, "high": 0.6}
        error = entry["error"]["score"]
        assert error["low"] == error["high"] == error["value"] == 1 / 3

    def test_rates_ascend_as_numbers_and_none_keeps_nothing_to_tell(self) -> None:
        table = risk({"0.2": 0.3, "1e-05": None, "0.1": 0.8}, examples(self.gold), self.given)
        assert table[0] == {"rate": 1e-05, "threshold": None}
        assert [entry["rate"] for entry in table] == [1e-05, 0.1, 0.2]
        assert [entry["kept"]["score"]["value"] for entry in table[1:]] == [0.6, 1]

    def test_a_threshold_that_none_reaches_has_no_error(self) -> None:
        [entry] = risk({"0.01": 0.95}, examples(self.gold), self.given)
        assert entry["kept"]["score"]["value"] == 0
        assert entry["error"] == {"n": 0, "score": None}
