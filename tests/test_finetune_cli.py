"""``stancekit check`` and ``stancekit train``, through real processes."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_finetune_train import rows

ROOT = Path(__file__).parent.parent


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "stancekit", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        cwd=ROOT,
    )


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Rows whose columns and labels have other names."""
    path = tmp_path / "rows.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "topic", "stance"])
        for row in rows():
            stance = {"opposed": "contra"}.get(str(row.label), row.label)
            writer.writerow([row.statement, row.topic, stance])
    return path


COLUMNS = ("--statement-column", "text", "--label-column", "stance")


def test_check_says_what_is_in_the_rows(labelled: Path) -> None:
    done = run("check", labelled, *COLUMNS, "--map", "contra=opposed")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(
        "160 rows on 10 topics: 40 optimistic, 40 circumspect, 40 opposed, 40 none\n"
        "rows with a speaker: 0%\n"
    )


def test_check_lists_every_error_and_exits_with_2(labelled: Path) -> None:
    text = labelled.read_text(encoding="utf-8").replace("contra", "oposed")
    labelled.write_text(text.replace("circumspect", "", 1), encoding="utf-8")
    with labelled.open("a", encoding="utf-8") as file:
        file.write(",tax,none\n")
    done = run("check", labelled, *COLUMNS)
    assert done.returncode == 2
    errors = done.stderr.splitlines()
    assert len(errors) == 2 and all(line.startswith("error: ") for line in errors)
    assert "rows.csv, line 162, statement: found an empty string" in errors[0]
    assert "found 'oposed' (40 rows)" in errors[1]
    assert "did you mean 'opposed'? then --map 'oposed=opposed'" in errors[1]
    assert "warning: 1 row without a label, left out" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--map", "contra"), "--map: found 'contra', wanted two names with '=' between"),
        (("--polarity", "a=warm"), "--polarity a: found 'warm', wanted -1 to 1, or none"),
        (("--polarity", "a=3", "--polarity", "b=0"), "polarity: found 3.0, wanted None or a"),
        (("--dev", "nowhere.csv"), "nowhere.csv: found no such file"),
    ],
)
def test_a_call_that_makes_no_sense_is_one_line(
    arguments: tuple[str, ...], message: str, labelled: Path
) -> None:
    done = run("check", labelled, *COLUMNS, *arguments)
    assert done.returncode == 2 and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(f"error: {message}"), done.stderr


def test_train_stops_at_an_error_before_it_begins(labelled: Path, tmp_path: Path) -> None:
    done = run("train", labelled, "-o", tmp_path / "mine", *COLUMNS)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "found 'contra' (40 rows)" in line
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rows.csv"]


def test_train_shows_what_it_does_and_exits_with_3_if_it_must_be_better(
    labelled: Path, tmp_path: Path, tiny_model_dir: Path
) -> None:
    # So small a rate changes no answer.
    done = run(
        *("train", labelled, "-o", tmp_path / "mine", *COLUMNS, "--map", "contra=opposed"),
        *("--base", tiny_model_dir, "--learning-rate", "1e-9", "--epochs", "2", "--batch", "16"),
        "--require-better",
    )
    assert done.returncode == 3, done.stderr
    assert "split by " in done.stdout
    assert "new model against old, on dev: no worse (n = " in done.stdout
    assert f"written to {tmp_path / 'mine'} in " in done.stdout
    lines = done.stderr.splitlines()
    assert lines[0].startswith("about 0:0") and " of training to go" in lines[0]
    assert all(", macro-F1 on dev 0." in line for line in lines[1:]), lines
    shown = run("info", "--model", tmp_path / "mine", "--json")
    assert json.loads(shown.stdout)["labels"]
