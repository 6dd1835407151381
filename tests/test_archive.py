"""Scoring whole files: what is written, what becomes of bad rows, and what a failure leaves."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stancekit import archive, files, lines
from stancekit.archive import Progress, score
from stancekit.errors import FileError, InputError, RecordError
from stancekit.export import describe, export
from stancekit.files import READERS, WRITERS
from stancekit.model import load
from stancekit.records import Example, LabelSet, Prediction
from stancekit.rows import BadRow, Row


class Stub:
    """Labels by the length of the statement; refuses topics over 50 characters."""

    labels = LabelSet(("for", "against", "none"), (1.0, -1.0, None))

    def __init__(self) -> None:
        self.asked: list[list[Example]] = []

    def predict_many(self, rows: Iterable[Example]) -> list[Prediction]:
        examples = list(rows)
        self.asked.append(examples)
        for example in examples:
            if len(example.topic) > 50:
                raise RecordError("topic", f"{len(example.topic)} characters", "at most 50")
        return [self.answer(example.statement) for example in examples]

    def answer(self, statement: str) -> Prediction:
        probabilities = [0.25, 0.25, 0.25]
        best = len(statement) % 3
        probabilities[best] = 0.5
        return Prediction(
            self.labels.names[best],
            dict(zip(self.labels.names, probabilities, strict=True)),
            self.labels.score(probabilities),
        )


COLUMNS = ["label", "confidence", "score", "p_for", "p_against", "p_none", "windows"]


def jsonl(path: Path, *table: dict[str, Any] | str) -> Path:
    text = [row if isinstance(row, str) else json.dumps(row) for row in table]
    path.write_text("".join(f"{line}\n" for line in text))
    return path


def objects(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def values(path: Path) -> list[dict[str, Any]]:
    return [row.values for row in files.read(path) if isinstance(row, Row)]


def test_output(tmp_path: Path) -> None:
    source = jsonl(
        tmp_path / "in.jsonl",
        {"id": 1, "statement": "abc", "topic": "T"},
        {"id": 2, "statement": "abcd", "topic": "T", "speaker": "X"},
    )
    model = Stub()
    summary = score([source], tmp_path / "out.jsonl", model)
    first, second = objects(tmp_path / "out.jsonl")
    assert list(second) == ["id", "statement", "topic", "speaker", *COLUMNS]
    assert first == {
        "id": 1, "statement": "abc", "topic": "T", "label": "for", "confidence": 0.5,
        "score": 0.25, "p_for": 0.5, "p_against": 0.25, "p_none": 0.25, "windows": 1,
    }  # fmt: skip
    assert model.asked == [[Example("abc", "T"), Example("abcd", "T", "X")]]
    assert (summary.rows, summary.scored, summary.errors) == (2, 2, 0)
    assert list(summary.labels.items()) == [("for", 1), ("against", 1), ("none", 0)]
    assert (summary.output, summary.errors_path) == (tmp_path / "out.jsonl", None)
    assert summary.rows_per_second == pytest.approx(2 / summary.seconds)
    assert sorted(os.listdir(tmp_path)) == ["in.jsonl", "out.jsonl", "out.jsonl.meta.json"]


@pytest.mark.parametrize("target", sorted(WRITERS))
@pytest.mark.parametrize("source", sorted(WRITERS))
def test_every_format_to_every_other(source: str, target: str, tmp_path: Path) -> None:
    start = jsonl(tmp_path / "start.jsonl", *({"statement": "x" * n, "id": "é"} for n in (1, 2, 3)))
    score([start], tmp_path / f"first{source}", Stub(), topic="T")
    score([tmp_path / f"first{source}"], tmp_path / f"second{target}", Stub(), topic="T")
    found = values(tmp_path / f"second{target}")
    assert list(found[0]) == ["statement", "id", *(f"input_{c}" for c in COLUMNS), *COLUMNS]
    assert [row["label"] for row in found] == ["against", "none", "for"]
    assert [row["input_label"] for row in found] == ["against", "none", "for"]
    assert [float(row["confidence"]) for row in found] == [0.5] * 3


def test_parquet_output_types(tmp_path: Path) -> None:
    table = pa.table({
        "statement": ["a", "b"], "n": pa.array([1, None], pa.int16()),
        "when": [datetime(2024, 1, 1), None], "tags": [["x"], None],
    })  # fmt: skip
    pq.write_table(table, tmp_path / "in.parquet")
    score([tmp_path / "in.parquet"], tmp_path / "out.parquet", Stub(), topic="T")
    out = pq.read_table(tmp_path / "out.parquet")
    assert out.select(table.column_names).equals(table)
    assert [str(out.schema.field(name).type) for name in COLUMNS] == [
        "string", *["double"] * 5, "int64",
    ]  # fmt: skip


def test_several_inputs_of_several_formats(tmp_path: Path) -> None:
    one = jsonl(tmp_path / "one.jsonl", {"statement": "a", "id": 1})
    (tmp_path / "two.csv").write_text("id,statement,topic\nx2,bb,T2\n")
    (tmp_path / "empty.jsonl").write_text("")
    inputs: list[str | Path] = [one, tmp_path / "empty.jsonl", str(tmp_path / "two.csv")]
    model = Stub()
    score(inputs, tmp_path / "out.parquet", model, topic="T1")
    assert model.asked[1:] == [[Example("a", "T1"), Example("bb", "T2")]]
    first, second = values(tmp_path / "out.parquet")
    assert list(first)[:3] == ["statement", "id", "topic"]
    assert (first["id"], first["topic"]) == ("1", None)
    assert (second["id"], second["topic"]) == ("x2", "T2")


def test_topic_fills_empty_cells_only(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text("statement,topic\na,own\nb,\nc, \n")
    model = Stub()
    score([source], tmp_path / "out.csv", model, topic="given")
    assert [e.topic for e in model.asked[1]] == ["own", "given", "given"]
    # What the input says stays as it is.
    assert [row["topic"] for row in values(tmp_path / "out.csv")] == ["own", "", " "]


def test_columns_of_the_input_are_never_lost(tmp_path: Path) -> None:
    gold = {"label": "gold", "input_label": "older", "statement": "a", "p_for": 1, "windows": []}
    score([jsonl(tmp_path / "in.jsonl", gold)], tmp_path / "out.csv", Stub(), topic="T")
    with (tmp_path / "out.csv").open(newline="") as file:
        header, row = csv.reader(file)
    theirs = ["input_input_label", "input_label", "statement", "input_p_for", "input_windows"]
    assert header == [*theirs, *COLUMNS]
    assert row[:5] == ["gold", "older", "a", "1", "[]"]


def test_bad_rows(tmp_path: Path) -> None:
    source = jsonl(
        tmp_path / "in.jsonl",
        {"statement": "good", "topic": "T"},
        {"statement": "", "topic": "T"},
        "not json",
        {"statement": 5, "topic": "T"},
        {"statement": "a", "topic": "x" * 51},
        {"text": "a", "topic": "T"},
        {"statement": "a", "topic": ""},
        {"statement": "\ud800", "topic": "T"},
        {"statement": "good too", "topic": "T"},
    )
    summary = score([source], tmp_path / "out.jsonl", Stub())
    assert [row["statement"] for row in objects(tmp_path / "out.jsonl")] == ["good", "good too"]
    errors = tmp_path / "out.jsonl.errors.jsonl"
    assert (summary.rows, summary.scored, summary.errors) == (9, 2, 7)
    assert summary.errors_path == errors
    found = objects(errors)
    assert all(list(row) == ["file", "line", "reason", "raw"] for row in found)
    assert {row["file"] for row in found} == {str(source)}
    assert [(row["line"], row["reason"].split(", wanted")[0]) for row in found] == [
        (2, "statement: found an empty string"),
        (3, "row: found broken JSON (Expecting value: line 1 column 1 (char 0))"),
        (4, "statement: found int (5)"),
        (5, "topic: found 51 characters"),
        (6, "statement: found no such column"),
        (7, "topic: found an empty string"),
        (8, "row: found half a character ('\\ud800')"),
    ]
    source_lines = source.read_text().splitlines()
    assert [row["raw"] for row in found] == source_lines[1:8]
    companions = ["out.jsonl.errors.jsonl", "out.jsonl.meta.json"]
    assert sorted(os.listdir(tmp_path)) == ["in.jsonl", "out.jsonl", *companions]


def test_lines_of_bad_csv_rows(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_bytes(b'statement,id\r\n"a\r\nb",1\r\n"",2\r\ncaf\xe9,3\r\n,4\r\nd,5\r\n')
    score([source], tmp_path / "out.csv", Stub(), topic="T")
    found = objects(tmp_path / "out.csv.errors.jsonl")
    assert [(row["line"], row["raw"]) for row in found] == [
        (4, '"",2'), (5, "caf\ufffd,3"), (6, ",4"),
    ]  # fmt: skip
    assert [row["id"] for row in values(tmp_path / "out.csv")] == ["1", "5"]


def test_bad_parquet_rows_are_shown_as_json(tmp_path: Path) -> None:
    pq.write_table(pa.table({"statement": ["a", None], "n": [1, 2]}), tmp_path / "in.parquet")
    score([tmp_path / "in.parquet"], tmp_path / "out.csv", Stub(), topic="T")
    [row] = objects(tmp_path / "out.csv.errors.jsonl")
    assert (row["line"], row["raw"]) == (2, '{"statement": null, "n": 2}')


def test_parquet_statements_that_are_no_text(tmp_path: Path) -> None:
    pq.write_table(pa.table({"statement": [b"a"]}), tmp_path / "in.parquet")
    score([tmp_path / "in.parquet"], tmp_path / "out.csv", Stub(), topic="T")
    [row] = objects(tmp_path / "out.csv.errors.jsonl")
    assert row["reason"] == "statement: found binary, wanted a string"


def test_old_list_of_errors_goes_when_there_are_none(tmp_path: Path) -> None:
    (tmp_path / "out.csv.errors.jsonl").write_text("old")
    source = jsonl(tmp_path / "in.jsonl", {"statement": "a"})
    score([source], tmp_path / "out.csv", Stub(), topic="T")
    assert sorted(os.listdir(tmp_path)) == ["in.jsonl", "out.csv", "out.csv.meta.json"]


def test_one_refused_row_costs_few_calls(tmp_path: Path) -> None:
    table = [{"statement": f"{i}", "topic": "x" * (51 if i == 700 else 1)} for i in range(1000)]
    model = Stub()
    summary = score([jsonl(tmp_path / "in.jsonl", *table)], tmp_path / "out.csv", model)
    assert (summary.scored, summary.errors) == (999, 1)
    assert objects(tmp_path / "out.csv.errors.jsonl")[0]["line"] == 701
    assert len(model.asked) <= 1 + 2 * 10  # halving 1,000 ten times


# What is refused before anything is scored


def refused(
    kind: type[InputError], model: Stub, inputs: Any, output: Path, topic: str | None = None
) -> str:
    with pytest.raises(kind) as caught:
        score(inputs, output, model, topic=topic)
    assert not any(e.statement != "A statement." for asked in model.asked for e in asked)
    return str(caught.value)


def test_refusals(tmp_path: Path) -> None:
    good = jsonl(tmp_path / "good.jsonl", {"statement": "a"})
    other = jsonl(tmp_path / "other.jsonl", {"text": "a", "topic": "T"})
    (tmp_path / "alias.jsonl").hardlink_to(good)
    (tmp_path / "out.csv.errors.jsonl").hardlink_to(good)
    before = sorted(os.listdir(tmp_path))
    out = tmp_path / "out.jsonl"
    model = Stub()

    assert refused(InputError, model, [good], out) == (
        f"{good}: found the columns 'statement', wanted a topic; "
        "give one, or add a column 'topic'"
    )  # fmt: skip
    assert refused(FileError, model, [good, other], out, topic="T") == (
        f"{other}: found the columns 'text', 'topic', wanted a column 'statement'; "
        "rename the one that is it"
    )
    assert refused(InputError, model, [], out, topic="T").startswith("inputs: found []")
    assert refused(InputError, model, str(good), out).startswith("inputs: found '")
    assert "topic: found 51 characters" in refused(InputError, model, [good], out, topic="x" * 51)
    assert "topic: found only white" in refused(InputError, model, [good], out, topic=" ")
    for target in ("good.jsonl", "alias.jsonl", "out.csv"):
        message = refused(FileError, model, [good], tmp_path / target, topic="T")
        assert "found an input that would be written over, wanted an output of its own" in message
    assert "no such file" in refused(FileError, model, [good, tmp_path / "no.csv"], out, topic="T")
    assert ".docx" in refused(FileError, model, [good], tmp_path / "out.docx", topic="T")
    nowhere = tmp_path / "none" / "out.csv"
    assert "check that its folder exists" in refused(FileError, model, [good], nowhere, topic="T")
    assert sorted(os.listdir(tmp_path)) == before


# What a failure leaves


@pytest.mark.parametrize("extension", sorted(WRITERS))
@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
@pytest.mark.filterwarnings("error")
def test_a_failure_half_way_leaves_the_old_output_and_can_be_gone_on_from(
    extension: str, failure: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing(Stub):
        def predict_many(self, rows: Iterable[Example]) -> list[Prediction]:
            if len(self.asked) == 3:
                raise failure
            return super().predict_many(rows)

    monkeypatch.setattr(archive, "CHUNK", 10)
    table = [{"statement": f"{i}" if i % 20 else "", "topic": "T"} for i in range(100)]
    source = jsonl(tmp_path / "in.jsonl", *table)
    score([source], tmp_path / f"undisturbed{extension}", Stub())
    before = sorted(os.listdir(tmp_path))
    output, errors = tmp_path / f"out{extension}", tmp_path / f"out{extension}.errors.jsonl"
    output.write_text("old")
    errors.write_text("old errors")
    with pytest.raises(failure):
        score([source], output, Failing())
    assert (output.read_text(), errors.read_text()) == ("old", "old errors")
    hidden = f".out{extension}.run"
    assert sorted(os.listdir(tmp_path)) == sorted([*before, output.name, errors.name, hidden])
    model = Stub()
    summary = score([source], output, model)
    assert summary.before == 30 and (summary.rows, summary.errors) == (100, 5)
    assert not any("1" in [e.statement for e in asked] for asked in model.asked)
    for name in ("", ".errors.jsonl"):
        undisturbed = tmp_path / f"undisturbed{extension}{name}"
        assert Path(f"{output}{name}").read_bytes() == undisturbed.read_bytes()
    assert hidden not in os.listdir(tmp_path)


def test_another_model_does_not_go_on_with_a_run(
    tiny_model_dir: Path,
    tiny_trained_dir: Path,
    tiny_labels: LabelSet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(archive, "CHUNK", 10)
    source = jsonl(
        tmp_path / "in.jsonl", *({"statement": f"Row {i}.", "topic": "T"} for i in range(30))
    )
    output = tmp_path / "out.jsonl"
    for name, temperature, seed in (
        ("same", 1.25, None),
        ("hotter", 2.0, None),
        ("other", 1.25, 5),
    ):
        folder = tmp_path / name
        export(tiny_trained_dir, tiny_trained_dir / "tokenizer.json", folder, seed=seed)
        describe(
            folder, tiny_labels, temperature=temperature, thresholds={}, manifest="0" * 12, dev={}
        )
    stops = iter((False, True))
    with pytest.raises(archive.Stopped):
        score([source], output, load(tiny_model_dir, engine="onnx"), stop=lambda: next(stops))
    for name, fact in (("hotter", "temperature 1.25"), ("other", 'model "')):
        with pytest.raises(FileError, match=f"a run begun with {fact}.*--restart"):
            score([source], output, load(tmp_path / name, engine="onnx"))
    with pytest.raises(FileError, match=r'a run begun with engine "onnx", wanted .*"torch"'):
        score([source], output, load(tmp_path / "same", engine="torch", device="cpu"))
    assert score([source], output, load(tmp_path / "same", engine="onnx")).before == 10


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    source = jsonl(tmp_path / "in.jsonl", {"statement": "a"})
    with pytest.raises(FileError, match=r"out\.csv: found No space left on device"):
        score([source], tmp_path / "out.csv", Stub(), topic="T")
    monkeypatch.undo()
    score([source], tmp_path / "out.csv", Stub(), topic="T")
    assert sorted(os.listdir(tmp_path)) == ["in.jsonl", "out.csv", "out.csv.meta.json"]


def test_errors_land_before_the_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    landed: list[str] = []
    replace = os.replace

    def watched(source: str | Path, target: str | Path) -> None:
        if Path(target).parent == tmp_path:
            landed.append(Path(target).name)
        replace(source, target)

    monkeypatch.setattr(os, "replace", watched)
    source = jsonl(tmp_path / "in.jsonl", {"statement": ""}, {"statement": "a"})
    score([source], tmp_path / "out.csv", Stub(), topic="T")
    assert landed == ["out.csv.errors.jsonl", "out.csv.meta.json", "out.csv"]


# Streaming


def test_no_more_than_a_few_chunks_are_read_ahead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "CHUNK", 10)
    source = jsonl(tmp_path / "in.jsonl", *({"statement": f"{i}", "topic": "T"} for i in range(95)))
    read: list[int] = []  # rows of the current pass over the file

    class Counted(lines.JsonlReader):
        def __iter__(self) -> Iterator[Row | BadRow]:
            read.append(0)
            for row in super().__iter__():
                read[-1] += 1
                yield row

    class Watching(Stub):
        def predict_many(self, rows: Iterable[Example]) -> list[Prediction]:
            # One in hand, one waiting, and one that the reader holds until there is room.
            assert read[-1] - 10 * len(self.asked) <= 30
            return super().predict_many(rows)

    monkeypatch.setitem(READERS, ".jsonl", Counted)
    reports: list[Progress] = []
    model = Watching()
    score([source], tmp_path / "out.csv", model, progress=reports.append)
    assert read == [95, 95]
    assert [len(asked) for asked in model.asked] == [10] * 9 + [5]
    assert [(report.rows, report.total) for report in reports] == [
        *((10 * i, 95) for i in range(1, 10)), (95, 95),
    ]  # fmt: skip
    assert all(a.seconds <= b.seconds for a, b in pairwise(reports))


# Files that change while they are read


class Meddling(Stub):
    """Appends to or cuts a file while scoring its first chunk."""

    def __init__(self, path: Path, text: str, mode: str = "w") -> None:
        super().__init__()
        self.path, self.text, self.mode = path, text, mode

    def predict_many(self, rows: Iterable[Example]) -> list[Prediction]:
        if not self.asked:
            with self.path.open(self.mode) as file:
                file.write(self.text)
        return super().predict_many(rows)


def test_rows_appended_meanwhile_are_left_for_another_run(tmp_path: Path) -> None:
    one = jsonl(tmp_path / "one.jsonl", {"statement": "a", "topic": "T"})
    two = jsonl(tmp_path / "two.jsonl", {"statement": "b", "topic": "T"})
    # Truly appended: a file written anew is empty for a moment, in which it may be read.
    text = '{"statement": "c", "new": 1}\n'
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(archive, "CHUNK", 1)
        summary = score([one, two], tmp_path / "out.parquet", Meddling(two, text, mode="a"))
    assert (summary.rows, summary.errors) == (2, 0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 0: found the end of the file after 0 rows, wanted the file as it was when"),
        ('{"statement": "b", "new": 1}\n', "line 1: found a new column 'new', wanted the file"),
    ],
)
def test_files_rewritten_meanwhile_are_refused(text: str, message: str, tmp_path: Path) -> None:
    # More chunks than are read ahead.
    one = jsonl(tmp_path / "one.jsonl", *({"statement": f"{i}", "topic": "T"} for i in range(9)))
    two = jsonl(tmp_path / "two.jsonl", {"statement": "b", "topic": "T"})
    with pytest.MonkeyPatch.context() as patch, pytest.raises(FileError, match=message):
        patch.setattr(archive, "CHUNK", 1)
        score([one, two], tmp_path / "out.jsonl", Meddling(two, text))
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_answers_below_the_confidence_are_marked_and_kept(tmp_path: Path, suffix: str) -> None:
    source = jsonl(tmp_path / "in.jsonl", {"statement": "A plain one.", "uncertain": "mine"})
    for least, expected in ((0.5, False), (0.51, True)):
        target = tmp_path / f"out{suffix}"
        score([source], target, Stub(), topic="T", min_confidence=least)
        (row,) = values(target)
        assert str(row["uncertain"]).lower() == str(expected).lower()
        assert row["label"] == "for" and row["input_uncertain"] == "mine"


def test_a_confidence_no_answer_can_have_is_refused(tmp_path: Path) -> None:
    source = jsonl(tmp_path / "in.jsonl", {"statement": "A plain one."})
    with pytest.raises(InputError, match="min_confidence: found 5"):
        score([source], tmp_path / "out.csv", Stub(), topic="T", min_confidence=5)
    assert not (tmp_path / "out.csv").exists()
