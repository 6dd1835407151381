"""``stancekit score --cluster``: what goes to the cluster, and what does not go with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stancekit import cluster
from stancekit.archive import Summary
from stancekit.cli import main
from stancekit.scoring import Settings


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["a.csv", "-o", "out", "--strict"], "--strict"),
        (["a.csv", "-o", "out", "--restart"], "--restart"),
        (["a.csv", "-o", "out", "--device", "cuda"], "--device"),
        (["-", "-o", "out"], "found - "),
        (["a.csv", "-o", "-"], "found - "),
    ],
)
def test_what_does_not_go_with_a_cluster_is_refused(
    arguments: list[str],
    named: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.argv", ["stancekit", "score", *arguments, "-t", "T", "--cluster"])
    with pytest.raises(SystemExit) as ended:
        main()
    shown = capsys.readouterr().err
    assert ended.value.code == 2
    assert shown.startswith("error: --cluster: ") and named in shown and shown.count("\n") == 1


def test_the_cluster_gets_what_was_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: dict[str, Any] = {}

    def score_files(*places: Any, **options: Any) -> Summary:
        seen.update(options, places=places)
        return Summary(3, 2, 1, {"optimistic": 2}, 1.0, Path("out"), Path("out/_errors"))

    monkeypatch.setattr(cluster, "score_files", score_files)
    command = "score a.csv s3://b/c -o out -t T -t U --statement-column text --cluster"
    asked = "--workers 3 --threads 2 --gpus-per-worker 0.5"
    monkeypatch.setattr("sys.argv", ["stancekit", *command.split(), *asked.split()])
    main()
    assert seen["places"] == (["a.csv", "s3://b/c"], "out", Settings(("T", "U")))
    assert seen["renamed"] == {"text": "statement"}
    assert seen["workers"] == cluster.Workers(3, 2, 0.5)
    assert "see out/_errors" in capsys.readouterr().out
