"""Scoring on a real Ray cluster of several nodes, one of which dies on the way."""

from __future__ import annotations

import json
import math
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stancekit import cluster
from stancekit.archive import Progress
from stancekit.cluster import Workers
from stancekit.errors import FileError, InputError, MissingExtraError
from stancekit.model import StanceModel
from stancekit.places import Folder, Place, find
from stancekit.scoring import Settings, output_columns
from stancekit.workers import FileWorker, opened, read

needs_ray = pytest.mark.skipif(
    not shutil.which("ray", path=str(Path(sys.executable).parent)),
    reason="needs Ray: pip install -e '.[cluster]'",
)

TOPIC = "the bridge"
TOLERANCE = 1e-3  # of a probability: rounded weights answer a little by what else is in the batch


def statement(i: int) -> str:
    verb = ("support", "oppose", "wait for", "see", "fear", "welcome")[i % 6]
    noun = ("plan", "law", "tax", "war", "vote", "school", "party")[i % 7]
    return f"The minister said they {verb} the {noun} " + "and the cost " * (i % 5) + f"in {i}."


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Seven files with 7 x 300 rows, of which seven cannot be used; a column of every type."""
    folder = tmp_path_factory.mktemp("inputs")
    paths = []
    for number in range(6):
        rows = [
            {"id": i, "statement": statement(i), "score": i / 2, "more": {"of": [i]}}
            for i in range(number * 300, number * 300 + 300)
        ]
        rows[7]["statement"] = ""
        paths.append(folder / f"{number}.jsonl")
        paths[-1].write_text("".join(json.dumps(row) + "\n" for row in rows))
    with paths[0].open("a") as file:
        file.write('{"id": 5000, "statement": "Cut sho')
    ids = range(1800, 2100)
    table = {"id": ids, "statement": [statement(i) for i in ids], "day": pa.array(ids, pa.date32())}
    paths.append(folder / "6.parquet")
    pq.write_table(pa.table({**table, "id": pa.array(ids)}), paths[-1])
    return paths


@pytest.fixture(scope="module")
def on_one_machine(
    inputs: list[Path], tiny_model_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[int, dict[str, Any]], list[dict[str, Any]]]:
    """Rows by id, and the list of errors, as the command line makes them without a cluster."""
    output = tmp_path_factory.mktemp("single") / "out.parquet"
    command = [sys.executable, "-m", "stancekit", "score", *map(str, inputs)]
    command += ["--topic", TOPIC, "-o", str(output), "--model", str(tiny_model_dir)]
    subprocess.run(command, check=True, capture_output=True, timeout=600)
    rows = {row["id"]: row for row in pq.read_table(output).to_pylist()}
    return rows, read_errors(Path(f"{output}.errors.jsonl"))


@pytest.fixture(scope="module")
def nodes() -> Iterator[Any]:
    """A head that only leads, and three nodes of one processor each; this process connected."""
    import ray
    from ray.cluster_utils import Cluster

    before = dict(os.environ)
    # Sockets below it have long names, and the system allows 107 bytes.
    folder = tempfile.mkdtemp(prefix="r", dir="/tmp")
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "OMP_NUM_THREADS": "1"}
    size = {"object_store_memory": 80 * 2**20}
    started = Cluster()
    try:
        started.add_node(num_cpus=0, include_dashboard=False, temp_dir=folder, **size)
        for _ in range(3):
            started.add_node(num_cpus=1, **size)
        ray.init(address=started.address, log_to_driver=False, logging_level="ERROR")
        yield started
    finally:
        ray.shutdown()
        started.shutdown()
        shutil.rmtree(folder, ignore_errors=True)
        os.environ.clear()
        os.environ.update(before)


def read_errors(*paths: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


def assert_same(found: list[dict[str, Any]], wanted: dict[int, dict[str, Any]]) -> None:
    """The same rows, each once, in any order."""
    ids = [row["id"] for row in found]
    assert len(ids) == len(set(ids)), "rows doubled"
    assert set(ids) == set(wanted)
    for row in found:
        expected = wanted[row["id"]]
        assert list(row) == list(expected)
        for name, value in row.items():
            if isinstance(value, float):
                assert math.isclose(value, expected[name], abs_tol=TOLERANCE), (name, row)
            else:
                assert value == expected[name], (name, row)


@needs_ray
def test_without_a_cluster_one_is_started_and_ended(
    inputs: list[Path],
    on_one_machine: tuple[dict[int, dict[str, Any]], list[dict[str, Any]]],
    tiny_model_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import ray

    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    # As URIs, the way a store is named.
    summary = cluster.score_files(
        [inputs[5].as_uri(), inputs[6].as_uri()],
        (tmp_path / "out").as_uri(),
        Settings((TOPIC,)),
        model=tiny_model_dir,
        workers=Workers(count=1),
        kind="jsonl",
    )
    assert not ray.is_initialized()
    assert (summary.rows, summary.scored, summary.errors) == (600, 599, 1)
    parts = sorted((tmp_path / "out").glob("*.jsonl"))
    rows = [json.loads(line) for part in parts for line in part.read_text().splitlines()]
    wanted = {i: row for i, row in on_one_machine[0].items() if i >= 1500}
    assert {row["id"]: row["label"] for row in rows} == {i: r["label"] for i, r in wanted.items()}
    # Nested values come through as they are, and lists of errors name the original.
    assert next(row for row in rows if row["id"] == 1600)["more"] == {"of": [1600]}
    (error,) = read_errors(*(tmp_path / "out" / "_errors").iterdir())
    assert (error["file"], error["line"]) == (inputs[5].as_uri(), 8)


@needs_ray
def test_a_node_dies_and_no_row_is_lost_or_doubled(
    nodes: Any,
    inputs: list[Path],
    on_one_machine: tuple[dict[int, dict[str, Any]], list[dict[str, Any]]],
    tiny_model_dir: Path,
    tmp_path: Path,
) -> None:
    died_at: list[int] = []

    def kill(progress: Progress) -> None:
        # Three workers of one processor each: whichever node it is, a worker is on it.
        if not died_at:
            died_at.append(progress.rows)
            nodes.remove_node(next(iter(nodes.worker_nodes)), allow_graceful=False)

    output = tmp_path / "out"
    summary = cluster.score_files(
        inputs, output, Settings((TOPIC,)), model=tiny_model_dir, progress=kill
    )
    nodes.add_node(num_cpus=1, object_store_memory=80 * 2**20)
    nodes.wait_for_nodes()  # Ray is late to miss the dead one, and later tests count
    assert died_at and died_at[0] < 2101, "nothing was left to lose"
    assert (summary.rows, summary.scored, summary.errors) == (2101, 2094, 7)
    rows, errors = on_one_machine
    parts = sorted(output.glob("*.parquet"))
    assert_same([row for part in parts for row in pq.read_table(part).to_pylist()], rows)
    places = {(error["file"], error["line"], error["reason"]) for error in errors}
    found = read_errors(*(output / "_errors").iterdir())
    assert {(error["file"], error["line"], error["reason"]) for error in found} == places
    assert len(found) == len(errors)
    kinds = {part.suffix for part in output.iterdir() if not part.name.startswith("_")}
    assert kinds == {".parquet"}
    assert json.loads((output / "_stancekit.json").read_text())["rows"] == 2101
    # A second run into the same folder would mix two outputs.
    with pytest.raises(FileError, match=r"found a folder that holds .*, wanted an empty folder"):
        cluster.score_files(inputs, output, Settings((TOPIC,)), model=tiny_model_dir)


@needs_ray
def test_a_dataset_keeps_its_columns_and_says_what_has_no_answer(
    nodes: Any,
    inputs: list[Path],
    on_one_machine: tuple[dict[int, dict[str, Any]], list[dict[str, Any]]],
    tiny_model_dir: Path,
) -> None:
    import ray

    items = [{"id": i, "statement": statement(i), "label": i / 2} for i in range(100, 140)]
    items[3]["statement"] = " "
    scored = cluster.score(
        ray.data.from_items(items),
        topics=[TOPIC, "the tax"],
        model=tiny_model_dir,
        min_confidence=0.5,
        workers=Workers(count=1),
    )
    rows = scored.take_all()
    bad = [row for row in rows if row["error"]]
    assert [(row["id"], row["label"], row["input_label"]) for row in bad] == [(103, None, 51.5)]
    assert "statement" in bad[0]["error"]
    good = [row for row in rows if not row["error"]]
    assert sorted((row["id"], row["topic"]) for row in good) == sorted(
        (item["id"], topic) for item in items if item["id"] != 103 for topic in (TOPIC, "the tax")
    )
    wanted = on_one_machine[0]
    for row in good:
        assert row["input_label"] == row["id"] / 2
        assert row["uncertain"] == (row["confidence"] < 0.5)
        if row["topic"] == TOPIC:
            expected = wanted[row["id"]]
            assert row["label"] == expected["label"]
            assert math.isclose(row["confidence"], expected["confidence"], abs_tol=TOLERANCE)


@needs_ray
def test_what_is_wrong_is_said_in_one_line(
    nodes: Any, tiny_model_dir: Path, tmp_path: Path
) -> None:
    def refusal(path: Path, **more: Any) -> str:
        settings = more.pop("settings", Settings((TOPIC,)))
        with pytest.raises((InputError, FileError)) as caught:
            cluster.score_files([path], tmp_path / "out", settings, model=tiny_model_dir, **more)
        assert "\n" not in str(caught.value)
        assert not list((tmp_path / "out").glob("*"))
        return str(caught.value)

    path = tmp_path / "rows.jsonl"
    assert refusal(path).startswith(f"{path}: found no such file")
    path.write_text('{"text": "We support it."}\n')
    assert "found the columns 'text', wanted a column 'statement'" in refusal(path)
    path.write_text('{"statement": "We support it."}\n')
    assert "wanted a topic" in refusal(path, settings=Settings())
    too_large = refusal(path, workers=Workers(gpus=1))
    assert "found 3 processors and 0 GPUs, wanted at least 1 and 1" in too_large


def test_workers_are_checked() -> None:
    for wrong in ({"count": 0}, {"cpus": 0}, {"gpus": -1.0}):
        with pytest.raises(InputError, match="wanted at least"):
            Workers(**wrong)  # type: ignore[arg-type]
    assert Workers(cpus=2).fitting({"CPU": 7}) == 3
    assert Workers(count=2).fitting({"CPU": 7}) == 2
    assert Workers(gpus=0.5).fitting({"CPU": 64, "GPU": 2}) == 4


def test_without_ray_the_message_says_what_to_install(
    tmp_path: Path, tiny_model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    path = tmp_path / "rows.jsonl"
    path.write_text('{"statement": "We support it."}\n')
    with pytest.raises(MissingExtraError, match=r"pip install 'stancekit\[cluster\]'"):
        cluster.score_files([path], tmp_path / "out", Settings((TOPIC,)), model=tiny_model_dir)
    assert not (tmp_path / "out").exists()


class Ready:
    """Where a worker gets its model, without a cluster."""

    def __init__(self, model: StanceModel) -> None:
        self.model = model

    def open(self) -> StanceModel:
        return self.model


def test_rows_scored_again_are_written_over(tiny_model: StanceModel, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"statement": "We support it."}\n{"statement": ""}\n')
    settings = Settings((TOPIC,))
    layout = output_columns([{"statement": {"text"}}], tiny_model.labels, settings)
    work = {"file": [pickle.dumps((3, Place("rows", "", str(path)), settings, {}))]}
    (batch,) = read(work)
    for _ in range(2):
        # A second worker, as after the loss of the first.
        source: Any = Ready(tiny_model)
        worker = FileWorker(source, settings, layout, str(tmp_path / "out"), "jsonl")
        (sent,) = worker(batch)["receipt"].to_pylist()
        assert (opened(sent).rows, opened(sent).scored, opened(sent).errors) == (2, 1, 1)
    parts = ["_errors/part-00003-0000000000.errors.jsonl", "part-00003-0000000000.jsonl"]
    assert Folder(tmp_path / "out").names() == ["_errors", *parts]
    for part in parts:
        assert len((tmp_path / "out" / part).read_text().splitlines()) == 1


def test_a_folder_takes_each_file_whole(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "out")
    folder.claim()
    folder.write("a/b.txt", lambda file: file.write(b"first"))
    folder.write("a/b.txt", lambda file: file.write(b"second"))

    def fail(file: Any) -> None:
        file.write(b"half")
        raise OSError("no room left")

    with pytest.raises(FileError, match="no room left"):
        folder.write("a/c.txt", fail)
    folder.remove_unfinished()
    assert folder.names() == ["a", "a/b.txt"]
    assert (tmp_path / "out" / "a" / "b.txt").read_bytes() == b"second"


def test_a_store_is_searched_for_what_can_be_read(tmp_path: Path) -> None:
    for name in ("b/2.jsonl", "a.parquet", "b/1.csv", "_errors/x.jsonl", "b/.z.jsonl", "notes.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [place.name.removeprefix(tmp_path.as_uri()) for place in find([tmp_path.as_uri()])]
    assert found == ["/a.parquet", "/b/1.csv", "/b/2.jsonl"]
    with pytest.raises(FileError, match="no such file"):
        find([(tmp_path / "none").as_uri()])
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.md").touch()
    with pytest.raises(FileError, match="no file that can be read"):
        find([(tmp_path / "empty").as_uri()])
