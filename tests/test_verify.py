"""When weights count as the recipe's: models that are stubs, rows made by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

import pytest

from stancekit.records import Example, Prediction
from training.manifest import LABELS, Manifest, Row
from training.verify import compare

NAMES = LABELS.names
N = 200


def row(text: str, label: str, group: str | None = None) -> Row:
    example = Example(text, "the bridge", None, label, group)
    return Row(example, False, "written/x", "Apache-2.0", None, None)


def manifest_of(group: Callable[[int], str | None] = lambda i: None) -> Manifest:
    dev = [row(str(i), NAMES[i % 4], group(i)) for i in range(N)]
    # Rows that nobody should be asked about: their text is no number.
    return Manifest([row("Learnt.", "none")], dev, 0, [row("Seen.", "none")])


MANIFEST = manifest_of()


def model(
    name: str, wrong: Callable[[int], bool] = lambda i: False, taught: str = MANIFEST.hash()
) -> Any:
    """Answers with the gold label, or with the next one where it is to be wrong."""

    def predict_many(rows: Iterable[Example]) -> list[Prediction]:
        places = [int(one.statement) for one in rows]
        labels = [NAMES[(i + wrong(i)) % 4] for i in places]
        return [Prediction(x, {n: float(n == x) for n in NAMES}, 0.0) for x in labels]

    checkpoint = SimpleNamespace(hash=name, facts={"manifest": taught})
    return SimpleNamespace(checkpoint=checkpoint, predict_many=predict_many)


def unasked(name: str, taught: str = MANIFEST.hash()) -> Any:
    """A model whose answers must not be needed."""

    def refuse(i: int) -> bool:
        raise AssertionError("asked for an answer")

    return model(name, refuse, taught)


def test_the_same_hash_settles_it() -> None:
    assert compare(unasked("abc"), unasked("abc", "other rows"), MANIFEST) == (
        True,
        "the same, byte for byte: abc",
    )


@pytest.mark.parametrize(
    "taught",
    [("x", MANIFEST.hash()), (MANIFEST.hash(), "x"), ("x", "x")],
    ids=["made", "bundled", "both"],
)
def test_other_rows_make_another_model_whatever_it_answers(taught: tuple[str, str]) -> None:
    made, bundled = (unasked(name, one) for name, one in zip("ab", taught, strict=True))
    assert compare(made, bundled, MANIFEST) == (
        False,
        "taught on other rows: the manifest hashes differ",
    )


def test_the_same_answers_are_the_same() -> None:
    made, bundled = (model(name, lambda i: i % 5 == 0) for name in "ab")
    assert compare(made, bundled, MANIFEST) == (
        True,
        "labels agree on 100.0% of 200 dev rows; macro-F1 of the one just made minus "
        "the bundled one's: between +0.000 and +0.000",
    )


def test_as_many_mistakes_elsewhere_are_the_same() -> None:
    made, bundled = model("a", lambda i: i < 20), model("b", lambda i: i >= N - 20)
    same, why = compare(made, bundled, MANIFEST)
    assert same and why.startswith("labels agree on 80.0% of 200 dev rows")
    assert "between -" in why and "and +" in why


def test_clearly_worse_or_better_answers_are_not_the_same() -> None:
    good, bad = model("a"), model("b", lambda i: i < 40)
    same, why = compare(bad, good, MANIFEST)
    assert not same and "between -0." in why and "and -0." in why
    same, why = compare(good, bad, MANIFEST)
    assert not same and "between +0." in why and "and +0." in why


def test_rows_of_a_group_are_drawn_together() -> None:
    # All mistakes sit in one group of twenty; a third of the draws leave it out.
    grouped = manifest_of(lambda i: str(i // 10))
    good, bad = model("a"), model("b", lambda i: i < 10)
    assert grouped.hash() == MANIFEST.hash()
    assert compare(bad, good, grouped)[0]
    assert not compare(bad, good, MANIFEST)[0]
