"""From trained to usable: the gate between the engines, and the temperature of held-out rows."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from stancekit import calibration
from stancekit.errors import InputError, StancekitError
from stancekit.finetune import finishing
from stancekit.finetune.finishing import Parity, fitted_temperature, parity
from stancekit.finetune.samples import dev_sample, rehearsal
from stancekit.records import Example, LabelSet
from training.manifest import normal_topic

LABELS = LabelSet(("for", "against"), (1, -1))


def rows(count: int) -> list[Example]:
    return [Example(f"Statement {i}.", "x", label=LABELS.names[i % 2]) for i in range(count)]


@pytest.fixture
def flips(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many of the first rows the torch engine labels otherwise; tests set it."""
    count = [0]

    def load(folder: Path, engine: str, device: str) -> Any:
        assert device == "cpu"
        wrong = count[0] if engine == "torch" else 0
        return SimpleNamespace(
            predict_many=lambda rows: [
                SimpleNamespace(label="for" if i < wrong else "against") for i in range(len(rows))
            ]
        )

    monkeypatch.setattr(finishing, "load", load)
    return count


@pytest.mark.parametrize(("differ", "n"), [(0, 10), (1, 10), (2, 100)])
def test_engines_that_agree_pass(differ: int, n: int, flips: list[int]) -> None:
    flips[0] = differ
    assert parity(Path("model"), rows(n), 0.02) == Parity(n, differ)


@pytest.mark.parametrize(("differ", "n"), [(2, 10), (3, 100)])
def test_engines_that_do_not_are_refused(differ: int, n: int, flips: list[int]) -> None:
    flips[0] = differ
    with pytest.raises(StancekitError, match=f"n={n}.*labels differ.*wanted at most 2%"):
        parity(Path("model"), rows(n), 0.02)


def test_every_window_of_a_long_row_counts_for_the_temperature() -> None:
    dice = np.random.default_rng(2)
    windows = [1, 3, 1, 1, 2, 1]
    logits = [dice.normal(size=(n, 2)).astype(np.float32) * 4 for n in windows]
    model: Any = SimpleNamespace(logits=lambda rows: logits, labels=LABELS)
    gold = np.array([0, 1, 1, 1, 0, 1, 0, 0, 1])
    wanted = calibration.temperature(np.concatenate(logits), gold)
    assert fitted_temperature(model, rows(6)) == pytest.approx(wanted)


def test_what_ships_to_measure_forgetting_is_not_what_ships_to_rehearse() -> None:
    held, learnt = dev_sample(), rehearsal(1000, seed=0)
    assert (len(held), len(learnt)) == (400, 1000)
    for what in (lambda e: e.statement, lambda e: normal_topic(e.topic)):
        assert not {what(e) for e in held} & {what(e) for e in learnt}
    assert {e.label for e in held} == {"optimistic", "circumspect", "opposed", "none"}


def test_as_many_rows_are_rehearsed_as_asked_for() -> None:
    assert rehearsal(0, 1) == []
    assert rehearsal(20, 1) == rehearsal(20, 1) != rehearsal(20, 2)
    with pytest.raises(InputError, match="rehearsal: found 1001 rows, wanted 0 to 1000"):
        rehearsal(1001, 1)


def test_what_ships_was_written_for_the_project() -> None:
    """Each is a row of our own corpora; a real sentence is in none of them."""
    from training.manifest import CORPUS
    from training.standoff import rows_of

    written = {(row["statement"], row["topic"]) for row in rows_of(CORPUS)}
    assert {(e.statement, e.topic) for e in (*dev_sample(), *rehearsal(1000, 0))} <= written
