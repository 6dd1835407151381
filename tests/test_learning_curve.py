"""The learning curve: nested draws, cells kept as they are done, none done twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import learning_curve, results
from benchmarks.learning_curve import draw, main, summary
from stancekit.errors import InputError
from stancekit.records import Example


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A public set of made-up rows, and results that go nowhere else."""
    for split, count in (("train", 120), ("dev", 20)):
        rows = [
            {
                "statement": f"{split} statement of the number {i} in favour of nothing much.",
                "topic": f"topic {i % 20}",
                "stance": ("optimistic", "opposed", "none", None)[i % 4],
            }
            for i in range(count)
        ]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / f"vast.{split}.jsonl").write_text(text, encoding="utf-8")
    monkeypatch.setattr(results, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(learning_curve, "macro_f1", lambda folder, rows: 0.5)
    return tmp_path


def arguments(folder: Path, *sizes: int) -> list[str]:
    return [
        *(str(folder), str(folder), "--sets", "vast", "--seeds", "0", "1"),
        *("--work", str(folder / "work"), "--sizes", *map(str, sizes)),
    ]


def test_cells_are_kept_and_not_done_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []

    def stop_at_the_third(drawn: Any, *_: Any) -> float:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(len(drawn))
        return 0.5 + len(drawn) / 100

    monkeypatch.setattr(learning_curve, "cell", stop_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        main(arguments(folder, 25, 50))
    assert len(results.read("learning_curve")["sets"]["vast"]["cells"]) == 2

    later: list[int] = []
    monkeypatch.setattr(
        learning_curve, "cell", lambda drawn, *_: later.append(len(drawn)) or 0.5 + len(drawn) / 100
    )
    main(arguments(folder, 25, 50, 5000))  # of 5,000 there are not enough
    assert [*done, *later] == [25, 25, 50, 50]
    facts = results.read("learning_curve")
    assert summary(facts) == [
        "vast  default     25  macro-F1 0.750 (before 0.500, +0.250 to +0.250, 2 seeds)",
        "vast  default     50  macro-F1 1.000 (before 0.500, +0.500 to +0.500, 2 seeds)",
    ]


def test_cells_of_other_rows_are_not_added_to(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning_curve, "cell", lambda *_: 0.5)
    main(arguments(folder, 25))
    path = folder / "vast.train.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace("nothing", "little"), encoding="utf-8")
    with pytest.raises(InputError, match="vast: found cells of other rows"):
        main(arguments(folder, 25))


def test_cells_of_another_model_are_not_added_to(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning_curve, "cell", lambda *_: 0.5)
    main(arguments(folder, 25))
    results.save("learning_curve", results.read("learning_curve") | {"model": "another"})
    with pytest.raises(InputError, match="learning_curve: found cells of another model"):
        main(arguments(folder, 50))


def test_a_smaller_draw_is_part_of_a_larger_one() -> None:
    rows = [Example(f"Statement {i}.", "x") for i in range(100)]
    assert draw(rows, 50, 3)[:25] == draw(rows, 25, 3)
    assert draw(rows, 25, 3) != draw(rows, 25, 4)
