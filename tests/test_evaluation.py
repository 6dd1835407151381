"""Reports against scikit-learn, and the intervals against what a bootstrap must do."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
)

from stancekit.errors import InputError, RecordError
from stancekit.evaluation import Interval, data_hash, evaluate
from stancekit.records import Example, LabelSet, Prediction

LABELS = LabelSet(("optimistic", "circumspect", "opposed", "none"), (1, 0, -1, None))
FIVE = LabelSet(
    ("strongly in favour", "in favour", "neutral", "against", "strongly against"),
    (1, 0.5, 0, -0.5, -1),
)


def predict(row, labels=LABELS):
    """A prediction of the likeliest label of one row of probabilities."""
    shares = dict(zip(labels.names, map(float, row), strict=True))
    return Prediction(max(shares, key=shares.__getitem__), shares, labels.score(list(row)))


def draw(seed, n, groups=None, labels=LABELS):
    """Rows whose gold labels follow the predicted probabilities."""
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet([0.4] * len(labels), n)
    gold = [rng.choice(labels.names, p=row) for row in probabilities]
    examples = [
        Example(f"s{i}", "t", label=str(g), group=None if groups is None else f"g{i % groups}")
        for i, g in enumerate(gold)
    ]
    return examples, [predict(row, labels) for row in probabilities]


def report(examples, predictions, labels=LABELS, **options):
    return evaluate(examples, predictions, labels, recipe={}, **{"resamples": 50} | options)


# Pairs of gold and predicted position: few rows, so labels are often missing on either side.
pairs = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30)


def from_pairs(drawn):
    examples = [Example("s", "t", label=LABELS.names[gold]) for gold, _ in drawn]
    return examples, [predict(np.eye(4)[place] * 0.6 + 0.1) for _, place in drawn]


class TestAgainstScikitLearn:
    @settings(max_examples=60, deadline=None)
    @given(pairs)
    def test_every_score(self, drawn):
        examples, predictions = from_pairs(drawn)
        gold, predicted = [e.label for e in examples], [p.label for p in predictions]
        names = list(LABELS.names)
        got = report(examples, predictions, resamples=2)

        macro = {"average": "macro", "zero_division": 0}
        stance = f1_score(gold, predicted, labels=names[:3], **macro)
        assert got.macro_f1.value == pytest.approx(f1_score(gold, predicted, labels=names, **macro))
        assert got.macro_f1_stance.value == pytest.approx(stance)
        assert got.accuracy.value == pytest.approx(accuracy_score(gold, predicted))
        assert np.array_equal(got.confusion, confusion_matrix(gold, predicted, labels=names))
        wanted = precision_recall_fscore_support(gold, predicted, labels=names, zero_division=0)
        scores = [got.per_label[name] for name in names]
        assert [s.precision for s in scores] == pytest.approx(wanted[0].tolist())
        assert [s.recall for s in scores] == pytest.approx(wanted[1].tolist())
        assert [s.f1.value for s in scores] == pytest.approx(wanted[2].tolist())
        assert [s.support for s in scores] == wanted[3].tolist()

    def test_intervals_are_those_of_rows_drawn_again_one_by_one(self):
        examples, predictions = draw(0, 150, groups=50)
        got = report(examples, predictions, resamples=1000).macro_f1
        gold = np.array([e.label for e in examples])
        predicted = np.array([p.label for p in predictions])
        members = [np.flatnonzero(np.arange(150) % 50 == g) for g in range(50)]
        rng = np.random.default_rng(1)
        scores = []
        for _ in range(400):
            rows = np.concatenate([members[g] for g in rng.integers(50, size=50)])
            scores.append(f1_score(gold[rows], predicted[rows], average="macro"))
        # Ends over 400 and 1000 draws: each known to about 0.005.
        assert [got.low, got.high] == pytest.approx(np.percentile(scores, [2.5, 97.5]), abs=0.02)


class TestIntervals:
    def test_hold_the_value(self):
        got = report(*draw(1, 400, groups=100), resamples=500)
        of_labels = [score.f1 for score in got.per_label.values()]
        for interval in (got.accuracy, got.macro_f1, got.macro_f1_stance, *of_labels):
            assert interval.low < interval.value < interval.high

    def test_hold_the_truth_about_as_often_as_they_say(self):
        _, truth = draw(2, 20_000)
        true_accuracy = np.mean([p.confidence for p in truth])
        held = 0
        for seed in range(100):
            interval = report(*draw(1000 + seed, 100), resamples=200).accuracy
            held += interval.low <= true_accuracy <= interval.high
        assert 88 <= held <= 99

    def test_follow_the_seed(self):
        rows = draw(3, 200)
        assert report(*rows, seed=7) == report(*rows, seed=7)
        assert report(*rows, seed=7).macro_f1 != report(*rows, seed=8).macro_f1

    def test_copies_in_a_group_are_no_news(self):
        examples, predictions = draw(4, 100)
        copied = [
            Example(e.statement, "t", label=e.label, group=e.statement)
            for e in examples
            for _ in range(5)
        ]
        loose = [Example(e.statement, "t", label=e.label) for e in copied]
        copies = [p for p in predictions for _ in range(5)]
        once = report(examples, predictions)
        grouped, ungrouped = report(copied, copies), report(loose, copies)
        assert (grouped.groups, ungrouped.groups) == (100, 500)
        assert grouped.macro_f1 == once.macro_f1
        width, loose_width = (r.macro_f1.high - r.macro_f1.low for r in (grouped, ungrouped))
        # Five times the rows: narrower by the root of five, were they independent.
        assert width > 1.7 * loose_width

    def test_a_row_without_a_group_is_its_own(self):
        examples, predictions = draw(5, 6, groups=2)
        examples[4:] = [Example("s", "t", label=e.label) for e in examples[4:]]
        assert report(examples, predictions).groups == 4

    def test_a_perfect_set_has_no_width(self):
        got = report(*from_pairs([(i % 3, i % 3) for i in range(300)]))
        assert got.macro_f1_stance == Interval(1.0, 1.0, 1.0)
        assert got.macro_f1 == Interval(0.75, 0.75, 0.75)  # "none" occurs nowhere

    def test_a_thousand_resamples_are_quick(self):
        rows = draw(6, 2500, groups=600)
        start = time.perf_counter()
        report(*rows, resamples=1000)
        assert time.perf_counter() - start < 1


class TestInvariance:
    @settings(max_examples=20, deadline=None)
    @given(st.randoms(use_true_random=False))
    def test_row_order_is_nothing_to_any_score(self, random):
        examples, predictions = draw(7, 60, groups=25)
        places = list(range(60))
        random.shuffle(places)
        once = report(examples, predictions)
        again = report([examples[i] for i in places], [predictions[i] for i in places])
        assert again.confusion == once.confusion
        assert again.per_label == once.per_label
        for name in ("accuracy", "macro_f1", "macro_f1_stance", "n", "groups"):
            assert getattr(again, name) == getattr(once, name)
        assert (again.ece, again.brier) == pytest.approx((once.ece, once.brier))

    def test_the_order_of_probabilities_in_a_prediction_is_nothing(self):
        examples, predictions = draw(8, 50)
        turned = [
            Prediction(p.label, dict(reversed(p.probabilities.items())), p.score)
            for p in predictions
        ]
        assert report(examples, turned) == report(examples, predictions)


class TestReport:
    def test_calibration_is_of_confidence_and_of_all_probabilities(self):
        examples = [Example("s", "t", label=name) for name in ("none", "opposed")]
        predictions = [predict((0.1, 0.1, 0.2, 0.6)), predict((0.7, 0.1, 0.1, 0.1))]
        got = report(examples, predictions)
        assert got.ece == pytest.approx((0.4 + 0.7) / 2)
        assert got.brier == pytest.approx(
            (0.01 + 0.01 + 0.04 + 0.16 + 0.49 + 0.01 + 0.81 + 0.01) / 2
        )

    def test_no_stance_mean_when_every_label_has_a_polarity(self):
        got = report(*draw(9, 80, labels=FIVE), labels=FIVE)
        assert got.macro_f1_stance is None
        assert "stance" not in str(got)

    def test_dict_survives_json(self):
        for labels in (LABELS, FIVE):
            content = report(*draw(10, 50, labels=labels), labels=labels).to_dict()
            assert json.loads(json.dumps(content)) == content
            assert content["labels"] == list(labels.names)
            assert set(content["macro_f1"]) == {"value", "low", "high"}

    def test_signature(self):
        rows = draw(11, 30, groups=10)
        recipe = {"data": data_hash(rows[0]), "model": "0123456789abcdef" * 4}
        recipe |= {"version": "0.1.0", "engine": "onnx", "dtype": "int8"}
        got = evaluate(*rows, LABELS, recipe=recipe, seed=3, resamples=20).signature
        assert got == (
            f"macro_f1|n:30|groups:10|data:{recipe['data'][:12]}|model:0123456789ab|engine:onnx"
            "|dtype:int8|seed:3|resamples:20|version:0.1.0"
        )

    def test_text(self):
        examples, predictions = from_pairs([(0, 0), (0, 1), (1, 1), (2, 2), (3, 3), (3, 3)])
        lines = str(got := report(examples, predictions)).splitlines()
        assert lines[0].split()[:2] == ["macro-F1", f"{got.macro_f1.value:.3f}"]
        assert "6 rows in 6 groups" in lines[3]
        assert lines[-1] == got.signature
        table = [line.split() for line in lines]
        assert ["gold", "\\", "predicted", *LABELS.names] in table
        assert ["optimistic", "1", "1", "0", "0"] in table
        assert any(row[:3] == ["circumspect", "0.500", "1.000"] and row[-1] == "1" for row in table)

    def test_text_fits_a_terminal(self):
        names = tuple(f"{i} with a name of more words than a column holds" for i in range(12))
        long = LabelSet(names, (1.0,) * 12)
        for labels in (LABELS, FIVE, long):
            lines = str(report(*draw(12, 1500, labels=labels), labels=labels)).splitlines()
            assert max(map(len, lines)) <= 80

    def test_long_names_give_way_to_numbers_across(self):
        lines = str(report(*draw(13, 80, labels=FIVE), labels=FIVE)).splitlines()
        head = next(line for line in lines if line.startswith("gold"))
        assert head.split()[3:] == ["1", "2", "3", "4", "5"]
        assert any(line.startswith("1 strongly in favour  ") for line in lines)


class TestDataHash:
    ROW = Example("Talks resume.", "trade", "the envoy", "opposed")

    def test_is_fixed(self):
        # sha256sum of [["Talks resume.","trade","the envoy","opposed"],["\u00e9","t",null,null]]
        wanted = "20bac2619959d27d06de970cd9d9f774f0219dcce56900da1de693f497e83dc6"
        assert data_hash([self.ROW, Example("é", "t")]) == wanted

    def test_sees_every_column_and_the_order_but_not_the_group(self):
        other = Example("Talks end.", "trade", "the envoy", "opposed")
        rows = [[self.ROW], [self.ROW, self.ROW], [self.ROW, other], [other, self.ROW]]
        for change in ({"topic": "tariffs"}, {"speaker": None}, {"label": None}):
            rows.append([replace(self.ROW, **change)])
        assert len({data_hash(r) for r in rows}) == len(rows)
        assert data_hash([replace(self.ROW, group="g")]) == data_hash([self.ROW])


class TestRefusals:
    @pytest.mark.parametrize(("n", "m"), [(0, 0), (3, 2), (2, 3)])
    def test_no_rows_and_lengths_that_differ(self, n, m):
        examples, predictions = draw(14, 3)
        with pytest.raises(InputError, match=rf"^predictions: found {m} for {n} examples, wanted"):
            report(examples[:n], predictions[:m])

    def test_a_row_without_a_label(self):
        examples, predictions = draw(15, 3)
        examples[1] = Example("s", "t")
        with pytest.raises(RecordError, match=r"^row 2: found no label, wanted a gold label"):
            report(examples, predictions)

    @pytest.mark.parametrize(
        ("label", "hint"),
        [("oppose", "; did you mean 'opposed'?"), ("NONE", "; did you mean 'none'?"), ("xyz", "")],
    )
    def test_a_label_that_is_not_in_the_set(self, label, hint):
        examples, predictions = draw(16, 3)
        examples[2] = Example("s", "t", label=label)
        with pytest.raises(RecordError) as caught:
            report(examples, predictions)
        wanted = "one of optimistic, circumspect, opposed, none"
        assert str(caught.value) == f"row 3: found label '{label}', wanted {wanted}{hint}"

    def test_predictions_over_other_labels(self):
        examples, predictions = draw(17, 2)
        predictions[1] = Prediction("for", {"for": 0.8, "against": 0.2}, 0.6)
        with pytest.raises(RecordError, match=r"^row 2: found probabilities of for, against, want"):
            report(examples, predictions)

    def test_no_resamples(self):
        with pytest.raises(InputError, match=r"^resamples: found 0, wanted at least 1"):
            report(*draw(18, 2), resamples=0)

    @pytest.mark.parametrize(
        ("recipe", "place"),
        [
            ({"n": "3"}, "recipe"),
            ({"seed": "1"}, "recipe"),
            ({"da|ta": "x"}, "recipe"),
            ({"data": "a|b"}, "recipe data"),
            ({"data": "a\nb"}, "recipe data"),
            ({"data": 3}, "recipe data"),
        ],
    )
    def test_a_recipe_that_garbles_the_signature(self, recipe, place):
        with pytest.raises(InputError, match=f"^{place}: found "):
            evaluate(*draw(19, 2), LABELS, recipe=recipe, resamples=2)
