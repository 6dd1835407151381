"""Confidence measured, repaired and put to use, on laws whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from sklearn.metrics import brier_score_loss, log_loss

from stancekit.calibration import brier, ece, risk_thresholds, temperature
from stancekit.errors import InputError, RecordError
from stancekit.records import Example, Prediction

LABELS = ("for", "against")


def draw(rng, n, overconfidence=0.0):
    """Confidences of two-label predictions, and whether each is right."""
    confidence = rng.uniform(0.5, 1.0, n)
    return confidence, rng.random(n) < confidence - overconfidence


def as_rows(confidence, correct):
    examples = [Example("s", "t", label=LABELS[0 if ok else 1]) for ok in correct]
    predictions = [Prediction("for", {"for": c, "against": 1 - c}, 0.0) for c in confidence]
    return predictions, examples


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def draw_gold(rng, logits):
    """Gold labels that follow softmax(logits)."""
    return (softmax(logits).cumsum(axis=1) < rng.random((len(logits), 1))).sum(axis=1)


def likelihood_loss(logits, gold, scale):
    return log_loss(gold, softmax(logits / scale), labels=range(logits.shape[1]))


class TestEce:
    def test_a_calibrated_set_is_near_zero_and_an_overconfident_one_is_not(self):
        rng = np.random.default_rng(0)
        assert ece(*draw(rng, 50_000)) < 0.01
        assert ece(*draw(rng, 50_000, overconfidence=0.2)) == pytest.approx(0.2, abs=0.01)

    def test_by_hand(self):
        # Bins (0.8, 0.8667] and (0.4, 0.4667]: gaps |0.85 - 0.5|, |0.45 - 1|, half the rows each.
        confidence = np.array([0.84, 0.86, 0.45, 0.45])
        correct = np.array([True, False, True, True])
        assert ece(confidence, correct) == pytest.approx(0.35 / 2 + 0.55 / 2)

    def test_gaps_cancel_within_a_bin_only(self):
        assert ece(np.array([0.9, 0.9]), np.array([True, False])) == pytest.approx(0.4)
        assert ece(np.array([0.9, 0.1]), np.array([False, True])) == pytest.approx(0.9)

    def test_there_are_fifteen_bins(self):
        # (10/15, 11/15] holds both 0.68 and 0.72.
        assert ece(np.array([0.68, 0.72]), np.array([False, True])) == pytest.approx(0.2)

    def test_a_bin_is_open_below_and_closed_above(self):
        # 0.2 ends the third bin and 0.19 lies in it, where the two gaps cancel but for 0.61.
        assert ece(np.array([0.2, 0.19]), np.array([True, False])) == pytest.approx(0.305)
        assert ece(np.array([0.0, 1.0]), np.array([False, True])) == 0


class TestBrier:
    def test_by_hand(self):
        probabilities = np.array([[0.7, 0.2, 0.1], [0.2, 0.2, 0.6]])
        wanted = ((0.09 + 0.04 + 0.01) + (0.04 + 0.64 + 0.36)) / 2
        assert brier(probabilities, np.array([0, 1])) == pytest.approx(wanted)

    def test_agrees_with_scikit_learn(self):
        rng = np.random.default_rng(1)
        probabilities, gold = rng.dirichlet([1, 1, 1, 1], 200), rng.integers(4, size=200)
        wanted = brier_score_loss(gold, probabilities, labels=range(4), scale_by_half=False)
        assert brier(probabilities, gold) == pytest.approx(wanted)

    def test_does_not_change_what_it_is_given(self):
        probabilities = np.array([[0.5, 0.5]])
        brier(probabilities, np.array([0]))
        assert probabilities.tolist() == [[0.5, 0.5]]


class TestTemperature:
    @pytest.mark.parametrize("scale", [0.5, 1.0, 2.5])
    def test_recovers_a_known_scale(self, scale):
        rng = np.random.default_rng(2)
        logits = rng.normal(0, 2, (20_000, 4))
        gold = draw_gold(rng, logits)
        assert temperature(logits * scale, gold) == pytest.approx(scale, rel=0.05)

    @settings(max_examples=25, deadline=None)
    @given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.floats(0.5, 4))
    def test_nothing_near_it_is_likelier(self, seed, labels, scale):
        rng = np.random.default_rng(seed)
        logits = rng.normal(0, 2, (200, labels))
        gold = draw_gold(rng, logits)
        best = temperature(logits * scale, gold)
        loss = likelihood_loss(logits * scale, gold, best)
        for nearby in (best * 0.97, best * 1.03):
            if 0.1 <= nearby <= 10:
                assert loss <= likelihood_loss(logits * scale, gold, nearby)

    def test_shifting_a_row_changes_nothing(self):
        rng = np.random.default_rng(3)
        logits = rng.normal(0, 2, (300, 3))
        gold = draw_gold(rng, logits)
        shifted = logits + rng.normal(0, 500, (300, 1))
        assert temperature(shifted, gold) == pytest.approx(temperature(logits, gold))

    def test_leaves_logits_alone_when_no_row_is_wrong(self):
        assert temperature(np.array([[3.0, 0.0], [0.0, 1.0]]), np.array([0, 1])) == 1.0

    def test_stays_in_its_range(self):
        logits = np.array([[1.0, 0.0]] * 4)
        assert temperature(logits, np.array([0, 0, 1, 1])) == pytest.approx(10)
        assert temperature(logits * 1000, np.array([0, 0, 1, 1])) == pytest.approx(10)
        assert temperature(logits / 100, np.array([0, 0, 0, 1])) == pytest.approx(0.1)

    @pytest.mark.parametrize(
        ("logits", "gold", "message"),
        [
            (np.zeros((2, 3)), [0], r"^logits: found shape \(2, 3\) with \(1,\) gold labels, "),
            (np.zeros(3), [0, 1, 2], r"^logits: found shape \(3,\)"),
            (np.zeros((0, 3)), [], "at least one row$"),
            (np.array([[0, 1], [np.nan, 1]]), [0, 1], "^row 2: found a logit that is not finite"),
            (np.zeros((2, 3)), [0, 3], "^row 2: found gold label number 3, wanted 0 to 2"),
            (np.zeros((2, 3)), [-1, 2], "^row 1: found gold label number -1"),
        ],
    )
    def test_refuses(self, logits, gold, message):
        with pytest.raises(InputError, match=message):
            temperature(logits, np.array(gold))


class TestRiskThresholds:
    def test_promises_hold_on_fresh_rows(self):
        # 5% of 200 held-out sets are 10 breaks; 20 would be three deviations more.
        rng = np.random.default_rng(4)
        fresh, fresh_correct = draw(rng, 200_000)
        broken, found = 0, 0
        for _ in range(200):
            ((_, threshold),) = risk_thresholds(*as_rows(*draw(rng, 400)), rates=(0.15,)).items()
            if threshold is not None:
                found += 1
                broken += 1 - fresh_correct[fresh >= threshold].mean() > 0.15
        assert found > 100
        assert broken <= 20

    def test_promises_hold_where_confidence_tells_nothing(self):
        # The hardest law: every threshold errs a little more than the rate, so any pass breaks it.
        rng = np.random.default_rng(5)
        found = 0
        for _ in range(300):
            confidence = rng.uniform(0.5, 1.0, 400)
            rows = as_rows(confidence, rng.random(400) < 0.798)
            found += risk_thresholds(*rows, rates=(0.2,))["0.2"] is not None
        assert found / 300 <= 0.05

    def test_a_looser_rate_keeps_more(self):
        rows = as_rows(*draw(np.random.default_rng(6), 3000))
        thresholds = list(risk_thresholds(*rows).values())
        reached = [t for t in thresholds if t is not None]
        assert thresholds[: -len(reached)] == [None] * (len(thresholds) - len(reached))
        assert len(reached) >= 3
        assert reached == sorted(reached, reverse=True)

    def test_keeps_everything_when_all_are_right(self):
        confidence = np.linspace(0.5, 1, 500)
        rows = as_rows(confidence, np.ones(500, dtype=bool))
        assert risk_thresholds(*rows, rates=(0.05, 0.2)) == {"0.05": 0.5, "0.2": 0.5}

    def test_none_when_the_rows_are_too_few_to_show_it(self):
        # Without an error in n rows the bound at 5% is 1 - 0.05 ** (1 / n): 0.0105 for 284 rows.
        all_right = as_rows(np.full(284, 0.9), np.ones(284, dtype=bool))
        assert risk_thresholds(*all_right, rates=(0.01, 0.02)) == {"0.01": None, "0.02": 0.9}
        all_right = as_rows(np.full(299, 0.9), np.ones(299, dtype=bool))
        assert risk_thresholds(*all_right, rates=(0.01,)) == {"0.01": 0.9}

    @pytest.mark.parametrize(("n", "rate"), [(60, 0.2), (300, 0.05), (3000, 0.1)])
    def test_the_bound_is_exact(self, n, rate):
        # With one confidence for all there is one candidate, and the whole 5% is its own.
        allowed = int(binom.ppf(0.05, n, rate)) - 1
        for errors, wanted in ((allowed, 0.9), (allowed + 1, None)):
            rows = as_rows(np.full(n, 0.9), np.arange(n) >= errors)
            assert risk_thresholds(*rows, rates=(rate,)) == {str(rate): wanted}

    def test_thresholds_without_a_chance_do_not_weaken_the_others(self):
        # Only all 60 rows can show 0.05 (0.95 ** 57 is above 5%, 0.95 ** 60 below).
        rows = as_rows(np.linspace(0.5, 1, 60), np.ones(60, dtype=bool))
        assert risk_thresholds(*rows, rates=(0.05,)) == {"0.05": 0.5}

    def test_counts_every_row_that_ties_with_a_threshold(self):
        # All rows share a confidence, so the only choice is all or nothing, and 4 in 10 are wrong.
        correct = np.array([True] * 600 + [False] * 400)
        for order in (correct, correct[::-1]):
            assert risk_thresholds(*as_rows(np.full(1000, 0.9), order), rates=(0.2,))["0.2"] is None

    @settings(max_examples=20, deadline=None)
    @given(st.randoms(use_true_random=False))
    def test_row_order_is_nothing_to_it(self, random):
        predictions, examples = as_rows(*draw(np.random.default_rng(7), 300))
        places = list(range(300))
        random.shuffle(places)
        again = risk_thresholds([predictions[i] for i in places], [examples[i] for i in places])
        assert again == risk_thresholds(predictions, examples)

    def test_handles_thousands_of_rows(self):
        confidence = np.linspace(0.5, 1, 20_000)
        correct = np.arange(20_000) % 10 != 0
        assert risk_thresholds(*as_rows(confidence, correct), rates=(0.05, 0.12)) == {
            "0.05": None,
            "0.12": 0.5,
        }

    def test_refuses(self):
        predictions, examples = as_rows(np.array([0.9, 0.8]), np.array([True, False]))
        with pytest.raises(InputError, match=r"^predictions: found 1 for 2 examples, wanted one"):
            risk_thresholds(predictions[:1], examples)
        with pytest.raises(InputError, match=r"^predictions: found 0 for 0 examples"):
            risk_thresholds([], [])
        with pytest.raises(RecordError, match=r"^row 2: found no label, wanted a gold label"):
            risk_thresholds(predictions, [examples[0], Example("s", "t")])
        for rate in (0.0, 1.0, 5.0):
            with pytest.raises(InputError, match=f"^rates: found {rate}, wanted error rates"):
                risk_thresholds(predictions, examples, rates=(0.05, rate))
