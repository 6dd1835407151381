"""``stancekit score`` through real processes: what goes in and out, and Ctrl-C."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_cli import ARTICLE, refused, run

from stancekit import files
from stancekit.rows import Row

TOPICS = ["the bridge", "the tax"]


def begin(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "stancekit", *map(str, arguments)],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # A shell that started the tests in the background would have it ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 120
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} never came"
        time.sleep(0.05)


def many(path: Path, rows: int) -> Path:
    lines = (json.dumps({"statement": f"Said {i} times."}) for i in range(rows))
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def test_ctrl_c_ends_after_the_piece_in_hand_and_the_same_command_goes_on(
    tmp_path: Path, tiny_model_dir: Path
) -> None:
    source, out = many(tmp_path / "in.jsonl", 20_000), tmp_path / "out.jsonl"
    command = ["score", source, "-o", out, "-t", "the bridge", "--model", tiny_model_dir]
    process = begin(*command)
    wait_for(tmp_path / ".out.jsonl.run" / "progress.json")
    os.kill(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130
    first, last = said.splitlines()[-2:]
    assert first == "finishing the piece in hand; Ctrl-C again stops at once"
    start, _, end = last.partition(" of 20,000 rows; ")
    assert end == "the same command goes on from there"
    done = int(start.removeprefix("stopped after ").replace(",", ""))
    assert 0 < done < 20_000 and done % 4096 == 0
    assert sorted(os.listdir(tmp_path)) == [".out.jsonl.run", "in.jsonl"]
    again = run(*command)
    assert again.returncode == 0, again.stderr
    assert f"{done} input rows earlier" in again.stdout
    statements = [row.values["statement"] for row in files.read(out) if isinstance(row, Row)]
    assert statements == [f"Said {i} times." for i in range(20_000)]
    assert ".out.jsonl.run" not in os.listdir(tmp_path)


def test_a_second_ctrl_c_stops_at_once(tmp_path: Path, tiny_model_dir: Path) -> None:
    source, out = many(tmp_path / "in.jsonl", 40_000), tmp_path / "out.jsonl"
    process = begin("score", source, "-o", out, "-t", "x", "--model", tiny_model_dir)
    wait_for(tmp_path / ".out.jsonl.run" / "progress.json")
    os.kill(process.pid, signal.SIGINT)
    assert process.stderr is not None
    while not process.stderr.readline().startswith("finishing"):
        assert process.poll() is None
    os.kill(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130
    assert said.splitlines()[-1] == "stopped at once; the same command goes on"


def test_several_topics_give_a_row_each(tmp_path: Path, tiny_model_dir: Path) -> None:
    source, out = many(tmp_path / "in.jsonl", 3), tmp_path / "out.csv"
    (tmp_path / "topics.txt").write_text("the tax\n\n the war \n", encoding="utf-8")
    done = run(
        *("score", source, "-o", out, "-t", "the bridge", "--topics-file", tmp_path / "topics.txt"),
        *("--model", tiny_model_dir),
    )
    assert done.returncode == 0, done.stderr
    assert "rows scored: 9 " in done.stdout
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["topic"] for row in rows] == ["the bridge", "the tax", "the war"] * 3
    assert list(rows[0])[:3] == ["statement", "topic", "label"]


def test_topics_files_are_checked(tmp_path: Path, tiny_model_dir: Path) -> None:
    source = many(tmp_path / "in.jsonl", 1)
    for name, text, said in [
        ("t.jsonl", '{"topic": "a"}\n{"topic": 3}\n', "t.jsonl, line 2: found no topic"),
        ("t.jsonl", '{"topic": "a"}\n{"topic"\n', "t.jsonl, line 2: found broken JSON"),
        ("t.txt", "\n", "t.txt: found no topic, wanted at least one"),
        ("t.txt", "a\na\n", "topics: found 'a' twice"),
    ]:
        (tmp_path / name).write_text(text, encoding="utf-8")
        out = tmp_path / "out.csv"
        given = ["--topics-file", tmp_path / name, "--model", tiny_model_dir]
        assert said in refused(run("score", source, "-o", out, *given))


def test_from_standard_input_to_standard_output(tiny_model_dir: Path) -> None:
    done = run(
        *("score", "-", "--input-format", "csv", "-o", "-", "-t", "the bridge"),
        *("--model", tiny_model_dir),
        input="id,statement\n1,We back it.\n2,\n3,We fight it.\n",
    )
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == ["1", "3"]
    errors, summary, where = done.stderr.splitlines()
    assert json.loads(errors)["file"] == "standard input" and json.loads(errors)["line"] == 3
    assert summary.startswith("rows scored: 2 ")
    assert where == "rows that could not be scored: 1, see above"


def test_a_reader_that_has_enough_is_no_error(tmp_path: Path, tiny_model_dir: Path) -> None:
    source = many(tmp_path / "in.jsonl", 20_000)
    command = (
        f"'{sys.executable}' -m stancekit score '{source}' -o - -t bridge "
        f"--model '{tiny_model_dir}' | head -n 1; echo \"codes ${{PIPESTATUS[*]}}\""
    )
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines()[-1] == "codes 0 0"
    assert done.stderr == ""


def test_standard_input_is_gone_on_with_if_it_is_the_same(
    tmp_path: Path, tiny_model_dir: Path
) -> None:
    text = many(tmp_path / "in.jsonl", 20_000).read_text(encoding="utf-8")
    out = tmp_path / "out.jsonl"
    command = ["score", "-", "-o", out, "-t", "the bridge", "--model", tiny_model_dir]
    process = subprocess.Popen(
        [sys.executable, "-m", "stancekit", *map(str, command)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(text)
    process.stdin.close()
    wait_for(tmp_path / ".out.jsonl.run" / "progress.json")
    process.kill()
    process.wait()
    other = run(*command, input=text.replace("Said 7 times", "Said 8 times"))
    assert "a run begun with input standard input" in refused(other)
    again = run(*command, input=text)
    assert again.returncode == 0, again.stderr
    assert "input rows earlier" in again.stdout
    assert len(list(files.read(out))) == 20_000


def test_columns_by_other_names(tmp_path: Path, tiny_model_dir: Path) -> None:
    source, out = tmp_path / "in.csv", tmp_path / "out.jsonl"
    source.write_text("who,words,about\nAda,We back it.,the bridge\n", encoding="utf-8")
    done = run(
        *("score", source, "-o", out, "--statement-column", "words", "--topic-column", "about"),
        *("--speaker-column", "who", "--model", tiny_model_dir),
    )
    assert done.returncode == 0, done.stderr
    row = json.loads(out.read_text(encoding="utf-8"))
    assert list(row)[:4] == ["speaker", "statement", "topic", "label"]


def test_articles_are_read_and_their_statements_scored(
    tmp_path: Path, tiny_model_dir: Path
) -> None:
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "a.txt").write_text(ARTICLE, encoding="utf-8")
    rows = [{"id": 7, "body": ARTICLE, "desk": "city"}, {"id": 8, "body": " ", "desk": "city"}]
    (tmp_path / "b.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    out = tmp_path / "out.jsonl"
    given = ["-o", out, "-t", "the bridge", "--articles", "--model", tiny_model_dir]
    done = run("score", folder, *given)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert found and all(
        ARTICLE[row["start"] : row["end"]] == row["statement"]
        and row["article"] == f"{folder / 'a.txt'}:1"
        for row in found
    )
    assert "Ada Quill" in {row["speaker"] for row in found}
    done = run("score", tmp_path / "b.jsonl", *given, "--statement-column", "body")
    assert done.returncode == 0, done.stderr
    again = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert list(again[0])[:9] == [
        *("id", "desk", "article", "start", "end", "kind", "speaker", "statement", "label"),
    ]
    assert {row["article"] for row in again} == {"7"}
    same = ("start", "end", "kind", "speaker", "statement", "label", "confidence")
    assert [[row[n] for n in same] for row in again] == [[row[n] for n in same] for row in found]
    assert "could not be scored: 1," in done.stdout


@pytest.mark.parametrize("output", ["parts", "parts.2024/"])
def test_a_folder_of_parquet(output: str, tmp_path: Path, tiny_model_dir: Path) -> None:
    source = many(tmp_path / "in.jsonl", 5)
    given = ["-t", "the bridge", "--model", tiny_model_dir]
    done = run("score", source, "-o", f"{tmp_path}/{output}", *given)
    assert done.returncode == 0, done.stderr
    part = tmp_path / output / "part-00000.parquet"
    assert sorted(os.listdir(part.parent)) == [".run", part.name]
    assert len(list(files.read(part))) == 5
    metadata = files.read_metadata(part)
    assert metadata["engine"] == "onnx" and metadata["topics"] == '["the bridge"]'
    # What one run wrote, another reads.
    done = run("score", part.parent, "-o", tmp_path / "again.csv", *given)
    assert done.returncode == 0 and "rows scored: 5 " in done.stdout


def test_an_input_in_the_output_folder_is_safe(tmp_path: Path, tiny_model_dir: Path) -> None:
    source = many(tmp_path / "in.jsonl", 5)
    done = run("score", source, "-o", tmp_path, "-t", "x", "--model", tiny_model_dir)
    assert "in.jsonl: found an input that would be written over" in refused(done)
    assert os.listdir(tmp_path) == ["in.jsonl"]


def test_strict_names_the_row(tmp_path: Path, tiny_model_dir: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text('{"statement": "Fine."}\n{"statement": ""}\n', encoding="utf-8")
    given = ["-t", "x", "--model", tiny_model_dir]
    done = run("score", source, "-o", tmp_path / "out.csv", "--strict", *given)
    assert "in.jsonl, line 2, statement: found an empty string" in refused(done)
    assert os.listdir(tmp_path) == ["in.jsonl"]


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts threads as Linux does")
@pytest.mark.parametrize("threads", [1, 3])
def test_threads_bind_the_tokenizer_too(threads: int, tiny_model_dir: Path) -> None:
    code = (
        "import os, sys, numpy, onnxruntime, tokenizers\n"
        "from stancekit.cli.options import open_model\n"
        "count = lambda: len(os.listdir('/proc/self/task'))\n"
        "before = count()\n"
        "model = open_model(sys.argv[1], 'onnx', None, int(sys.argv[2]))\n"
        "model.predict_many([('We back it.', 'the bridge')] * 100)\n"
        "print(count() - before)"
    )
    clean = {name: value for name, value in os.environ.items() if name != "RAYON_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tiny_model_dir), str(threads)],
        capture_output=True,
        text=True,
        timeout=120,
        env=clean,
    )
    # The tokenizer's own, and the engine's beside the one that calls it.
    assert int(done.stdout) == threads + (threads - 1), done.stderr
