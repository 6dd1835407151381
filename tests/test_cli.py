"""The command line, through real processes."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

ARTICLE = (
    "A bridge divides a town\n\n"
    '"We want the bridge built," Mayor Ada Quill said on Monday. "It is long overdue."\n\n'
    "Quill said work would begin in May.\n\n"
    "The ferrymen's union said it would fight the plan.\n"
)


def run(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "stancekit", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        **options,  # type: ignore[call-overload]
    )


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """The one line of a refusal."""
    assert done.returncode == 2, done
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: "), done.stderr
    return lines[0]


@pytest.fixture
def article(tmp_path: Path) -> Path:
    path = tmp_path / "article.txt"
    path.write_text(ARTICLE, encoding="utf-8")
    return path


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "in.csv"
    rows = [f'{i},"Statement number {i}, said plainly.",the bridge' for i in range(50)]
    path.write_text("\n".join(["id,statement,topic", *rows]) + "\n", encoding="utf-8")
    return path


def test_predict_shows_the_label_first(tiny_model_dir: Path) -> None:
    done = run("predict", "Let us wait.", "--topic", "the bridge", "--model", tiny_model_dir)
    assert done.returncode == 0 and done.stderr == ""
    label = done.stdout.split()[0]
    assert label in {"optimistic", "circumspect", "opposed", "none"}


def test_the_torch_engine_is_as_quiet(tiny_model_dir: Path) -> None:
    done = run(
        *("predict", "Let us wait.", "--topic", "the bridge", "--engine", "torch"),
        *("--device", "cpu", "--model", tiny_model_dir),
    )
    assert done.returncode == 0 and done.stderr == ""


def test_predict_json_is_one_object_whose_probabilities_sum_to_one(tiny_model_dir: Path) -> None:
    done = run(
        "predict", "Let us wait.", "--topic", "a bridge", "--json", "--model", tiny_model_dir
    )
    facts = json.loads(done.stdout)
    assert sum(facts["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    assert facts["confidence"] == max(facts["probabilities"].values())


def test_read_shows_speakers_and_a_balance_for_each(article: Path, tiny_model_dir: Path) -> None:
    done = run("read", article, "--topic", "the bridge", "--model", tiny_model_dir)
    assert done.returncode == 0, done.stderr
    assert "Ada Quill" in done.stdout and "long overdue" in " ".join(done.stdout.split())
    assert any(line.startswith("Ada Quill: ") for line in done.stdout.splitlines())
    assert "\x1b" not in done.stdout  # no colours into a pipe


def test_read_json_has_offsets_into_the_article(article: Path, tiny_model_dir: Path) -> None:
    done = run("read", article, "-t", "the bridge", "--json", "--model", tiny_model_dir)
    facts = json.loads(done.stdout)
    for statement in facts["statements"]:
        assert ARTICLE[statement["start"] : statement["end"]] == statement["text"]
    assert facts["topic"] == "the bridge"


def test_read_takes_standard_input(tiny_model_dir: Path) -> None:
    done = run("read", "-", "-t", "the bridge", "--model", tiny_model_dir, input=ARTICLE)
    assert done.returncode == 0 and "Ada Quill" in done.stdout


def test_score_keeps_input_columns_and_order(
    archive: Path, tmp_path: Path, tiny_model_dir: Path
) -> None:
    out = tmp_path / "out.csv"
    done = run("score", archive, "-o", out, "--model", tiny_model_dir)
    assert done.returncode == 0, done.stderr
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == [str(i) for i in range(50)]
    assert list(rows[0]) == [
        *("id", "statement", "topic", "label", "confidence", "score"),
        *("p_optimistic", "p_circumspect", "p_opposed", "p_none", "windows"),
    ]
    assert "rows scored: 50" in done.stdout


def test_score_sets_bad_rows_apart_and_says_so(tmp_path: Path, tiny_model_dir: Path) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_bytes(b'{"statement": "Fine."}\n{"statement": ""}\n{"statement": "\xff"}\n')
    done = run("score", source, "-o", out, "-t", "the bridge", "--model", tiny_model_dir)
    assert done.returncode == 0
    assert "rows scored: 1 " in done.stdout and "could not be scored: 2," in done.stdout
    errors = Path(f"{out}.errors.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["line"] for line in errors] == [2, 3]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["predict", "", "--topic", "x"], "empty string"),
        (["predict", "Words."], "--topic"),
        (["read", "no-such-file.txt", "-t", "x"], "no such file"),
        (["score", "no-such-file.csv", "-o", "out.csv"], "no such file"),
        (["evaluate", "no-such-file.csv"], "no such file"),
        (["info", "--engine", "abacus"], "abacus"),
        (["info", "--threads", "0"], "threads"),
        (["info", "--model", "nowhere"], "nowhere"),
        (["foretell"], "foretell"),
    ],
)
def test_bad_calls_get_one_line_and_exit_code_2(
    arguments: list[str], said: str, tmp_path: Path, tiny_model_dir: Path
) -> None:
    if "--model" not in arguments and arguments[0] != "foretell":
        arguments = [*arguments, "--model", str(tiny_model_dir)]
    assert said in refused(run(*arguments, cwd=tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_evaluate_reports_and_signs(tmp_path: Path, tiny_model_dir: Path) -> None:
    data = tmp_path / "gold.csv"
    data.write_text(
        "statement,topic,label\nWe back it.,the bridge,optimistic\nNo.,the bridge,opposed\n",
        encoding="utf-8",
    )
    done = run("evaluate", data, "--model", tiny_model_dir)
    assert done.stdout.startswith("macro-F1") and "engine:onnx" in done.stdout
    facts = json.loads(run("evaluate", data, "--json", "--model", tiny_model_dir).stdout)
    assert facts["n"] == 2


def test_evaluate_probes_on_request(tmp_path: Path, tiny_model_dir: Path) -> None:
    data = tmp_path / "gold.csv"
    data.write_text(
        "statement,topic,speaker,label\n"
        "Ada Quill said we back the bridge.,the bridge,Ada Quill,optimistic\n"
        "Ada Quill said we back the bridge.,the tax,Ada Quill,none\n",
        encoding="utf-8",
    )
    plain = run("evaluate", data, "--model", tiny_model_dir)
    done = run("evaluate", data, "--probes", "--model", tiny_model_dir)
    assert done.returncode == 0 and done.stderr == ""
    report, _, probes = done.stdout.partition("\n\nmacro-F1   ")
    assert f"{report}\n" == plain.stdout
    assert "topic masked" in probes and "label unchanged, typos" in probes
    facts = json.loads(
        run("evaluate", data, "--probes", "--json", "--model", tiny_model_dir).stdout
    )
    assert facts["n"] == 2 and facts["probes"]["flip_pairs"]["n"] == 1
    assert facts["probes"]["unchanged"]["speaker renamed"]["n"] == 2
    without = json.loads(run("evaluate", data, "--json", "--model", tiny_model_dir).stdout)
    assert facts == without | {"probes": facts["probes"]}


def test_evaluate_names_the_row_of_an_unknown_label(tmp_path: Path, tiny_model_dir: Path) -> None:
    data = tmp_path / "gold.csv"
    data.write_text("statement,topic,label\nWe back it.,the bridge,optimistc\n", encoding="utf-8")
    message = refused(run("evaluate", data, "--model", tiny_model_dir))
    assert "optimistc" in message and "did you mean 'optimistic'" in message


def test_info_names_labels_and_engine(tiny_model_dir: Path) -> None:
    done = run("info", "--model", tiny_model_dir)
    assert "circumspect (+0)" in done.stdout and "none (no stance)" in done.stdout
    facts = json.loads(run("info", "--json", "--model", tiny_model_dir).stdout)
    assert facts["labels"]["opposed"] == -1 and facts["engine"] == "onnx"


def test_a_reader_that_closes_the_pipe_early_breaks_nothing(
    article: Path, tiny_model_dir: Path
) -> None:
    many = " ".join([f"'{article}'"] * 60)
    command = (
        f"'{sys.executable}' -m stancekit read {many} -t bridge --model '{tiny_model_dir}'"
        ' | head -n 1; echo "codes ${PIPESTATUS[*]}"'
    )
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines()[-1] == "codes 0 0"
    assert done.stderr == ""


@pytest.mark.parametrize("command", ["predict", "read", "score", "evaluate", "info"])
def test_help_shows_an_example(command: str) -> None:
    done = run(command, "--help")
    assert done.returncode == 0
    assert f"Example: stancekit {command}" in " ".join(done.stdout.split())


def test_help_lists_every_command() -> None:
    done = run("--help")
    for command in ("predict", "read", "score", "evaluate", "info"):
        assert f"  {command}" in done.stdout


def test_a_rate_the_model_cannot_promise_is_refused(
    tiny_model_dir: Path, archive: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.csv"
    done = run("score", archive, "-o", output, "--max-error", "0.05", "--model", tiny_model_dir)
    assert "max_error: found 0.05" in refused(done)
    assert not output.exists()


@pytest.mark.bundled
def test_max_error_marks_what_is_uncertain(archive: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.csv"
    done = run("score", archive, "-o", output, "--max-error", "0.1")
    assert done.returncode == 0, done.stderr
    with output.open(newline="") as file:
        marks = {row["uncertain"].lower() for row in csv.DictReader(file)}
    assert marks <= {"true", "false"} and "true" in marks
