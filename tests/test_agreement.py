"""Majorities, and Krippendorff's alpha against published values and another implementation."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stancekit.agreement import krippendorff_alpha, majority

# Krippendorff's example with four observers, twelve units and missing data ("Computing
# Krippendorff's Alpha-Reliability", section C), an observer a line.
OBSERVERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]


def units(observers: list[list[int | None]]) -> list[list[int]]:
    return [[v for v in unit if v is not None] for unit in zip(*observers, strict=True)]


def test_alpha_of_the_published_examples() -> None:
    assert krippendorff_alpha(units(OBSERVERS)) == pytest.approx(0.743, abs=5e-4)
    # Section A: two observers, ten units, two values.
    first = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0]
    second = [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    assert krippendorff_alpha(zip(first, second, strict=True)) == pytest.approx(0.095, abs=5e-4)
    # Section B: two observers, twelve units, five values.
    meg = list("aabbdcccedda")
    owen = list("babbbccceddd")
    assert krippendorff_alpha(zip(meg, owen, strict=True)) == pytest.approx(0.692, abs=5e-4)


@given(
    st.integers(2, 5).flatmap(
        lambda n: st.lists(
            st.lists(st.none() | st.integers(0, 3), min_size=n, max_size=n), min_size=2, max_size=12
        )
    )
)
def test_alpha_is_that_of_another_implementation(rows: list[list[int | None]]) -> None:
    krippendorff = pytest.importorskip("krippendorff")
    ours = krippendorff_alpha([[v for v in unit if v is not None] for unit in rows])
    compared = [v for unit in rows if sum(v is not None for v in unit) > 1 for v in unit]
    if len({v for v in compared if v is not None}) < 2:
        assert math.isnan(ours)
        return
    observers = zip(*rows, strict=True)
    table = [[math.nan if v is None else v for v in answers] for answers in observers]
    theirs = krippendorff.alpha(reliability_data=table, level_of_measurement="nominal")
    assert ours == pytest.approx(theirs, abs=1e-12)


def test_alpha_is_not_defined_without_answers_to_compare() -> None:
    assert math.isnan(krippendorff_alpha([]))
    assert math.isnan(krippendorff_alpha([["a"], ["b"], []]))
    assert math.isnan(krippendorff_alpha([["a", "a"], ["a", "a"]]))


def test_a_majority_is_more_than_half() -> None:
    assert majority(["a"]) == ["a"]
    assert majority(["b", "a", "b"]) == ["b"]
    assert majority(["a", "b"]) == ["a", "b"]
    assert majority(["b", "a", "c", "a"]) == ["a", "b", "c"]


@given(st.lists(st.sampled_from("abc"), min_size=1))
def test_what_is_decided_beats_all_others_together(labels: list[str]) -> None:
    best = majority(labels)
    assert set(best) <= set(labels)
    decided = [label for label in set(labels) if labels.count(label) > len(labels) / 2]
    assert decided == (best if len(best) == 1 else [])
