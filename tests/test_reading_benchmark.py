"""The sums of the reading benchmark, by hand on small articles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.quotes import read_marked
from benchmarks.reading import COUNTS, judge, measure
from stancekit.errors import FileError
from stancekit.reading import read

TEXT = 'The quay is old. "The toll is fair," Petra Holt said. She said it was time.'


def polnear(*attributions: tuple[str, str]) -> dict[str, Any]:
    """An article of that kind; an attribution: the words that name the source, and the content."""
    marked = []
    for source, content in attributions:
        spans = [[[TEXT.index(part), TEXT.index(part) + len(part)]] for part in (source, content)]
        marked.append({"source": spans[0], "cue": [], "content": spans[1]})
    return {"text": TEXT, "attributions": marked}


def ours(**facts: Any) -> dict[str, Any]:
    return {"text": TEXT, "statements": [facts]}


def counts(tmp_path: Path, row: dict[str, Any], kind: str = "all") -> dict[str, int]:
    path = tmp_path / "marked.jsonl"
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    (article,) = read_marked(path)
    return dict(zip(COUNTS, judge(article, read(article.text), kind), strict=True))


def test_what_is_counted(tmp_path: Path) -> None:
    row = polnear(("Petra Holt", '"The toll is fair,"'), ("She", "it was time"))
    counted = counts(tmp_path, row)
    # Two sentences of 7 and 5 words are read, of which 4 and 3 were marked.
    assert (counted["said"], counted["read"], counted["both"]) == (7, 12, 7)
    assert (counted["marked"], counted["found"], counted["mention_right"]) == (2, 2, 2)
    assert counted["named"] == 0
    assert counts(tmp_path, row, "direct")["marked"] == 1
    assert counts(tmp_path, row, "indirect")["said"] == 3


def test_narration_is_not_found(tmp_path: Path) -> None:
    counted = counts(tmp_path, polnear(("Petra Holt", "The quay is old")))
    assert (counted["marked"], counted["found"], counted["both"]) == (1, 0, 0)


def test_a_wrong_speaker_is_wrong(tmp_path: Path) -> None:
    counted = counts(tmp_path, polnear(("The quay", "it was time")))
    assert (counted["mentioned"], counted["mention_right"]) == (1, 0)


@pytest.mark.parametrize(
    ("speaker", "right"), [("Petra Holt", 1), ("Mrs petra holt", 1), ("Holt", 0)]
)
def test_a_full_name_must_be_equal(tmp_path: Path, speaker: str, right: int) -> None:
    row = ours(text=["it was time"], speaker=speaker, mention="She", kind="indirect")
    counted = counts(tmp_path, row)
    assert (counted["named"], counted["name_right"]) == (1, right)
    assert counted["mention_right"] == 1


def test_a_line_of_another_kind_is_named(tmp_path: Path) -> None:
    path = tmp_path / "marked.jsonl"
    path.write_text('{"text": "x"}\n', encoding="utf-8")
    with pytest.raises(FileError, match=r"line 1: found KeyError"):
        read_marked(path)


def test_shares_come_with_intervals(tmp_path: Path) -> None:
    path = tmp_path / "marked.jsonl"
    path.write_text(json.dumps(polnear(("She", "it was time"))) + "\n", encoding="utf-8")
    facts = measure(read_marked(path))
    assert facts["all"]["content_f1"]["value"] == pytest.approx(2 * 3 / (3 + 12))
    assert facts["all"]["statements_found"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert facts["all"]["n"] == 1 and facts["articles"] == 1
    assert [row["n"] for row in facts["by_confidence"]] == [1]
