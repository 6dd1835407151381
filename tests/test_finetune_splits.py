"""The split and the verdict: what must stay together does, and words follow the numbers."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stancekit.errors import InputError
from stancekit.finetune.splits import split
from stancekit.finetune.verdict import compare
from stancekit.records import Example, LabelSet, Prediction

LABELS = LabelSet(("for", "against"), (1, -1))
WORDS = ["ash", "birch", "cedar", "elm", "fir", "hazel", "larch", "maple", "oak", "pine", "rowan"]


def rows(count: int, topics: int, groups: int | None = None, seed: int = 0) -> list[Example]:
    """Statements of trees in any order, each with a number of its own."""
    dice = random.Random(seed)
    return [
        Example(
            " ".join([*dice.choices(WORDS, k=8), str(dice.random())]),
            f"topic {i % topics}",
            label=LABELS.names[dice.random() < 0.3],
            group=None if groups is None else f"g{i % groups}",
        )
        for i in range(count)
    ]


@settings(deadline=None, max_examples=25)
@given(
    count=st.integers(40, 120),
    topics=st.integers(1, 40),
    groups=st.none() | st.integers(12, 40),
    seed=st.integers(0, 50),
)
def test_nothing_is_lost_and_nothing_is_on_both_sides(
    count: int, topics: int, groups: int | None, seed: int
) -> None:
    examples = rows(count, topics, groups, seed)
    made = split(examples, seed)
    assert sorted(map(id, (*made.train, *made.dev))) == sorted(map(id, examples))
    groups_of = [{e.group for e in side} - {None} for side in (made.train, made.dev)]
    assert not groups_of[0] & groups_of[1]
    if made.by.startswith("topics"):
        assert not {e.topic for e in made.train} & {e.topic for e in made.dev}


def test_topics_are_kept_apart_where_there_are_enough() -> None:
    made = split(rows(120, 20), 1)
    assert made.by == "topics: none of dev is in training"
    assert 20 <= len(made.dev) <= 40
    shares = [sum(e.label == "for" for e in side) / len(side) for side in (made.train, made.dev)]
    assert abs(shares[0] - shares[1]) < 0.12


def test_few_topics_leave_groups_to_part_by() -> None:
    made = split(rows(120, 3, 30), 1)
    assert made.by.startswith("groups and like statements: too few topics")


def test_like_statements_stay_together() -> None:
    examples = rows(60, 2)
    twins = [Example(f"{e.statement}!", e.topic, label=e.label) for e in examples]
    made = split([*examples, *twins], 1)
    sides = [{e.statement.rstrip("!") for e in side} for side in (made.train, made.dev)]
    assert not sides[0] & sides[1]


def test_the_same_seed_draws_the_same_split() -> None:
    assert split(rows(80, 20), 5) == split(rows(80, 20), 5)
    assert split(rows(80, 20), 5) != split(rows(80, 20), 6)


def test_rows_that_cannot_be_parted_are_refused() -> None:
    with pytest.raises(InputError, match=r"found 3 statements that can be parted.*--dev"):
        split(rows(60, 1, 3), 1)


def test_the_table_says_what_is_on_each_side() -> None:
    made = split(rows(40, 20, 40), 1)
    head, train, dev = (line.split() for line in made.table(LABELS).splitlines())
    assert head == ["side", "rows", "topics", "speakers", "groups", "for", "against"]
    assert [int(train[1]) + int(dev[1]), int(train[2]) + int(dev[2])] == [40, 20]
    assert int(dev[5]) + int(dev[6]) == int(dev[1]) == len(made.dev)


def answers(labels: list[str]) -> list[Prediction]:
    return [
        Prediction(name, {n: float(n == name) for n in ("against", "for")}, 0.0) for name in labels
    ]


def gold(count: int) -> list[Example]:
    return [Example(f"Statement {i}.", "x", label=LABELS.names[i % 2]) for i in range(count)]


def answered(right: int, count: int) -> list[Prediction]:
    """The first so many are right; every label is wrong as often as the other."""
    flip = {"for": "against", "against": "for"}
    names = [str(e.label) for e in gold(count)]
    return answers([n if i < right else flip[n] for i, n in enumerate(names)])


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (60, 80, "better"),
        (80, 60, "worse"),
        (80, 80, "no worse"),
        (80, 84, "better"),
        (80, 81, "no worse"),
        (80, 79, "not told apart"),
    ],
)
def test_the_words_follow_the_interval(old: int, new: int, words: str) -> None:
    made = compare(gold(100), answered(old, 100), answered(new, 100), LABELS)
    assert made.words == words
    assert made.difference.value == pytest.approx((new - old) / 100, abs=1e-4)
    assert made.difference.low <= made.difference.value <= made.difference.high
    assert str(made).startswith(f"{words} (n = 100)")


def test_scores_are_those_of_scikit_learn() -> None:
    from sklearn.metrics import f1_score

    dice = random.Random(3)
    names = [str(e.label) for e in gold(50)]
    old, new = (dice.choices(LABELS.names, k=50) for _ in range(2))
    made = compare(gold(50), answers(old), answers(new), LABELS)
    for predicted, score in ((old, made.old), (new, made.new)):
        assert score.value == pytest.approx(f1_score(names, predicted, average="macro"))
    per_label = [f1_score(names, one, average=None, labels=LABELS.names) for one in (old, new)]
    assert [one.value for one in made.per_label.values()] == pytest.approx(
        list(per_label[1] - per_label[0])
    )


def test_rows_of_a_group_are_drawn_together() -> None:
    apart = gold(40)
    together = [
        Example(e.statement, e.topic, label=e.label, group=f"g{i // 10}")
        for i, e in enumerate(apart)
    ]
    widths = []
    for examples in (apart, together):
        one = compare(examples, answered(20, 40), answered(30, 40), LABELS).difference
        widths.append(one.high - one.low)
    assert widths[1] > widths[0]


def test_of_the_parts_the_one_most_like_the_whole_is_dev() -> None:
    from sklearn.model_selection import StratifiedGroupKFold

    # Groups of many sizes, each of one label, which cannot be dealt out evenly.
    examples = [
        Example(e.statement, "one", label=LABELS.names[g % 2], group=f"g{g}")
        for g in range(10)
        for e in rows(2 + 3 * g, 1, seed=g)
    ]

    def off(side: list[Example]) -> float:
        counts = [sum(e.label == name for e in side) for name in LABELS.names]
        whole = [sum(e.label == name for e in examples) / 4 for name in LABELS.names]
        return sum(abs(a - b) for a, b in zip(counts, whole, strict=True))

    folds = StratifiedGroupKFold(4, shuffle=True, random_state=3)
    labels, groups = [e.label for e in examples], [e.group for e in examples]
    parts = [[examples[i] for i in part] for _, part in folds.split(labels, labels, groups)]
    assert len({off(part) for part in parts}) > 1
    assert off(list(split(examples, 3).dev)) == min(off(part) for part in parts)
