"""Which statements are suggested, and how they are written."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stancekit.annotation import FORMATS
from stancekit.archive import Progress
from stancekit.candidates import Candidates, choose, entropy, margin
from stancekit.diversity import distances, embed, spread
from stancekit.errors import FileError, InputError, RecordError
from stancekit.files import read
from stancekit.records import Example, LabelSet, Prediction
from stancekit.rows import Row
from stancekit.suggest import suggest

LABELS = LabelSet(("optimistic", "circumspect", "opposed", "none"), (1.0, 0.0, -1.0, None))


def prediction(sure: float) -> Prediction:
    """Of ``optimistic`` with this probability, the others alike."""
    rest = (1 - sure) / 3
    return Prediction(
        "optimistic", dict(zip(LABELS.names, (sure, rest, rest, rest), strict=True)), 0
    )


class Stub:
    """Sure of a statement as far as the number it ends in says, in hundredths."""

    labels = LABELS

    def __init__(self) -> None:
        self.most = 0

    def predict_many(self, rows: Iterable[Example]) -> list[Prediction]:
        examples = list(rows)
        self.most = max(self.most, len(examples))
        if any("unheard" in example.topic for example in examples):
            raise RecordError("topic", "unheard", "another")
        return [
            prediction(int(e.statement[-2:] if e.statement[-1].isdigit() else 99) / 100)
            for e in examples
        ]


def pool(path: Path, given: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in given), encoding="utf-8")
    return path


def rows(path: Path | None) -> list[dict[str, Any]]:
    assert path is not None
    return [row.values for row in read(path) if isinstance(row, Row)]


SUBJECTS = [
    "bridge",
    "ferry",
    "tunnel",
    "harbour",
    "toll",
    "lighthouse",
    "railway",
    "market",
    "orchard",
    "quarry",
]


def statements(count: int, **more: Any) -> list[dict[str, Any]]:
    """Rows that differ, sure between 0.30 and 0.99."""
    return [
        {"statement": f"The {SUBJECTS[i % 10]} plan number w{i} {30 + i % 70}", "topic": "t"} | more
        for i in range(count)
    ]


def test_uncertainty_goes_from_sure_to_even() -> None:
    even, close, sure = prediction(0.25), prediction(0.4), prediction(1.0)
    assert entropy(even) == pytest.approx(1) and margin(even) == 0
    assert 0 < entropy(close) < 1 and margin(close) == pytest.approx(0.2)
    assert entropy(sure) == 0 and margin(sure) == 1


def test_the_least_sure_come_first(tmp_path: Path) -> None:
    path = pool(tmp_path / "pool.jsonl", statements(70))
    done = suggest([path], tmp_path / "next.jsonl", Stub(), count=7)
    found = rows(done.output)
    assert (done.rows, done.suggested, done.errors, len(found)) == (70, 7, 0, 7)
    assert found[0]["confidence"] == 0.3
    # Seventy candidates were kept of seventy, so distance alone can bring surer ones in.
    assert np.mean([row["confidence"] for row in found]) < 0.5
    gains = [row["acquisition"] for row in found]
    assert gains == sorted(gains, reverse=True)


def test_the_least_sure_of_a_large_pool_are_kept(tmp_path: Path) -> None:
    path = pool(tmp_path / "pool.jsonl", statements(3000))
    model, seen = Stub(), []
    done = suggest([path], tmp_path / "o.csv", model, count=2, progress=seen.append)
    # Twenty are kept for two: forty-three rows are sure by 0.30 alone.
    assert {row["confidence"] for row in rows(done.output)} == {"0.3"}
    assert model.most <= 1024
    assert [p.rows for p in seen] == [1024, 2048, 3000]
    assert all(isinstance(p, Progress) and p.total == 3000 for p in seen)


def test_what_is_held_does_not_grow_with_the_pool() -> None:
    held = Candidates(count=3, seed=0)
    for i in range(1000):
        row = Row("f", i, {})
        held.add(row, Example(f"Statement {i}", "t"), prediction(0.3 + i % 60 / 100))
        assert len(held._held) < 60
    best = held.best()
    assert len(best) == 30
    assert [one.prediction.confidence for one in best[:16]] == [pytest.approx(0.3)] * 16


def test_a_question_is_suggested_once(tmp_path: Path) -> None:
    same = {"statement": "We will wait 30", "topic": "t"}
    given = [same, same, same | {"speaker": "Ann"}, same | {"topic": "u"}, same | {"speaker": ""}]
    done = suggest([pool(tmp_path / "p.jsonl", given)], tmp_path / "o.jsonl", Stub(), count=5)
    found = rows(done.output)
    assert [(row.get("speaker"), row["topic"]) for row in found].count((None, "t")) == 1
    assert len(found) == 3


@pytest.mark.parametrize("column", ["group", "doc"])
def test_one_document_does_not_flood_the_list(column: str, tmp_path: Path) -> None:
    given = statements(400, **{column: "long"})
    given += [row | {column: i} for i, row in enumerate(statements(430)[400:])]
    done = suggest([pool(tmp_path / "p.jsonl", given)], tmp_path / "o.jsonl", Stub(), count=20)
    counts = Counter(str(row["group"]) for row in rows(done.output))
    assert counts == {"long": 1} | dict.fromkeys(counts, 1)
    assert done.documents == 20


def test_where_there_are_few_documents_each_gives_more(tmp_path: Path) -> None:
    given = statements(60, doc="a") + [row | {"doc": "b"} for row in statements(120)[60:]]
    done = suggest([pool(tmp_path / "p.jsonl", given)], tmp_path / "o.jsonl", Stub(), count=20)
    assert Counter(row["doc"] for row in rows(done.output)) == {"a": 10, "b": 10}


def test_files_are_documents_where_nothing_else_is(tmp_path: Path) -> None:
    paths = [pool(tmp_path / f"{i}.jsonl", statements(120)[40 * i : 40 * i + 40]) for i in range(3)]
    done = suggest(paths, tmp_path / "o.jsonl", Stub(), count=6)
    assert done.documents == 3
    assert all("group" not in row for row in rows(done.output))


def test_the_seed_orders_equals_alone(tmp_path: Path) -> None:
    # Sixty alike in certainty for one place in ten, and one less sure.
    given = [{"statement": f"Plan {SUBJECTS[i % 10]} w{i} 60", "topic": "t"} for i in range(60)]
    path = pool(tmp_path / "p.jsonl", [*given, {"statement": "Wait 30", "topic": "t"}])

    def chosen(seed: int) -> list[str]:
        done = suggest([path], tmp_path / "o.jsonl", Stub(), count=3, seed=seed)
        return [row["statement"] for row in rows(done.output)]

    assert chosen(1) == chosen(1)
    assert len({tuple(chosen(seed)) for seed in range(4)}) > 1
    assert {chosen(seed)[0] for seed in range(4)} == {"Wait 30"}


def test_more_than_there_are_is_all_there_are(tmp_path: Path) -> None:
    done = suggest([pool(tmp_path / "p.jsonl", statements(3))], tmp_path / "o.jsonl", Stub())
    assert done.suggested == 3
    done = suggest([pool(tmp_path / "p.jsonl", [])], tmp_path / "o.jsonl", Stub())
    assert done.suggested == 0 and rows(done.output) == []


def test_rows_keep_their_columns_and_get_an_empty_label(tmp_path: Path) -> None:
    table = {
        "statement": ["We will wait 30", "Nobody asked us 31"],
        "label": ["opposed", None],
        "day": pa.array([0, 1], pa.date32()),
        "doc": [12, 13],
    }
    pq.write_table(pa.table(table), tmp_path / "p.parquet")
    done = suggest([tmp_path / "p.parquet"], tmp_path / "o.parquet", Stub(), topic="the toll")
    found = pq.read_table(done.output)
    ours = ["label", "suggested_label", "confidence", *(f"p_{name}" for name in LABELS.names)]
    ours += ["entropy", "margin", "unlike", "acquisition", "reason"]
    assert found.column_names == ["statement", "input_label", "day", "doc", "topic", "group", *ours]
    assert found["day"].type == pa.date32()
    first = found.to_pylist()[0]
    assert (first["label"], first["suggested_label"]) == (None, "optimistic")
    assert (first["input_label"], first["topic"], first["group"]) == ("opposed", "the toll", "12")
    assert first["reason"] == "optimistic 0.30 or circumspect 0.23"
    assert first["unlike"] == 1.0


def test_groups_of_any_kind_are_written_as_text(tmp_path: Path) -> None:
    table = {
        "statement": ["We will wait 30", "Nobody asked us 31"],
        "group": pa.array([1, None], pa.date32()),
        "doc": [12, 13],
    }
    pq.write_table(pa.table(table), tmp_path / "p.parquet")
    done = suggest([tmp_path / "p.parquet"], tmp_path / "o.parquet", Stub(), topic="t")
    assert pq.read_table(done.output)["group"].to_pylist() == ["1970-01-02", "13"]


def test_what_cannot_be_used_is_listed(tmp_path: Path) -> None:
    given = [
        *statements(2),
        {"statement": "", "topic": "t"},
        {"statement": "No 30", "topic": "unheard"},
    ]
    path = pool(tmp_path / "p.jsonl", given)
    with path.open("a", encoding="utf-8") as file:
        file.write("{broken\n")
    done = suggest([path], tmp_path / "o.jsonl", Stub())
    bad = rows(done.errors_path)
    assert [row["line"] for row in bad] == [3, 5, 4]
    assert (done.rows, done.suggested, done.errors) == (5, 2, 3)
    assert all(row["file"] == str(path) and row["raw"] for row in bad)
    # The list goes when there is nothing to say.
    done = suggest([pool(path, statements(2))], tmp_path / "o.jsonl", Stub())
    assert done.errors_path is None and not (tmp_path / "o.jsonl.errors.jsonl").exists()


@pytest.mark.parametrize("tool", FORMATS)
def test_tasks_are_written_for_each_tool(tool: str, tmp_path: Path) -> None:
    form = FORMATS[tool]
    path = pool(tmp_path / "p.jsonl", statements(5, speaker="Ann", group="g"))
    output = tmp_path / f"tasks{form.extension}"
    done = suggest([path], output, Stub(), count=3, tool=tool, model_name="m 1")
    text = output.read_text(encoding="utf-8")
    listed = form.extension == ".json"
    tasks = json.loads(text) if listed else [json.loads(line) for line in text.splitlines()]
    assert len(tasks) == 3
    assert all("30" in json.dumps(task) for task in tasks[:1])
    assert all("Ann" in json.dumps(task) and '"g"' in json.dumps(task) for task in tasks)
    expected = [output.with_suffix(ending) for ending in form.setup(LABELS)]
    assert list(done.setup_paths) == expected and all(path.is_file() for path in expected)
    with pytest.raises(FileError, match=f"'{form.extension}' for {tool}"):
        suggest([path], tmp_path / "tasks.csv", Stub(), tool=tool)


def test_calls_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    path = pool(tmp_path / "p.jsonl", statements(2))
    bare = pool(tmp_path / "bare.jsonl", [{"statement": "Wait 30"}])
    other = pool(tmp_path / "other.jsonl", [{"text": "Wait 30"}])
    output = tmp_path / "o.jsonl"
    with pytest.raises(InputError, match="at least 1"):
        suggest([path], output, Stub(), count=0)
    with pytest.raises(InputError, match="at least one file"):
        suggest([], output, Stub())
    with pytest.raises(InputError, match="a topic"):
        suggest([bare], output, Stub())
    with pytest.raises(FileError, match="a column 'statement'"):
        suggest([other], output, Stub(), topic="t")
    with pytest.raises(RecordError, match="unheard"):
        suggest([bare], output, Stub(), topic="unheard of")
    with pytest.raises(InputError, match="label-studio"):
        suggest([path], output, Stub(), tool="excel")
    with pytest.raises(FileError, match="written over"):
        suggest([path], path, Stub())
    with pytest.raises(FileError, match="extension"):
        suggest([path], tmp_path / "o.txt", Stub())
    assert not list(tmp_path.glob("o.*")) and not list(tmp_path.glob(".*"))
    assert len(rows(path)) == 2


def test_like_statements_lie_close() -> None:
    texts = [
        "The harbour board wants the tunnel dug before winter.",
        "The harbour board wants the tunnel dug before the winter.",
        "The harbour board wants a tunnel.",
        "Nobody in the valley has been asked about grazing rights.",
    ]
    same = [prediction(0.4)] * 4
    near = distances(embed([Example(text, "t") for text in texts], same), 0)
    assert near[0] < 0.01 and list(near) == sorted(near)
    assert near[1] < 0.5 < near[3]
    topics = embed(
        [Example(texts[0], topic) for topic in ("the tunnel", "grazing rights")], same[:2]
    )
    answers = embed([Example(texts[0], "t")] * 2, [prediction(0.25), prediction(0.99)])
    assert distances(topics, 0)[1] > 0.1 and distances(answers, 0)[1] > 0.1


@given(st.lists(st.text(max_size=30), min_size=1, max_size=8))
def test_every_vector_has_length_one(texts: list[str]) -> None:
    examples = [Example(f"a{text}", "t") for text in texts]
    vectors = embed(examples, [prediction(0.5)] * len(texts))
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    again = embed(examples, [prediction(0.5)] * len(texts))
    assert np.array_equal(vectors, again)


def test_spread_takes_one_of_each_cluster() -> None:
    rng = np.random.default_rng(3)
    centres = np.eye(4, 12, dtype=np.float32)
    vectors = np.repeat(centres, 25, axis=0) + rng.random((100, 12), dtype=np.float32) / 50
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    documents = np.zeros(100, np.intp)
    taken = list(spread(vectors, np.ones(100), documents, 4, 1))
    assert {index // 25 for index, _ in taken} == {0, 1, 2, 3}
    # Greedy choice of centres: each the farthest from those before, as computed here anew.
    for n in range(1, 4):
        before = [index for index, _ in taken[:n]]
        nearest = np.min([distances(vectors, index) for index in before], axis=0)
        assert taken[n][1] == pytest.approx(nearest.max())


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), min_size=1, max_size=30),
    st.integers(1, 30),
    st.integers(1, 4),
)
def test_spread_takes_each_once_and_evenly(
    given_: list[tuple[int, int]], count: int, cap: int
) -> None:
    count = min(count, len(given_))
    places, documents = zip(*given_, strict=True)
    vectors = np.eye(4, dtype=np.float32)[list(places)]
    numbers = np.array(documents, np.intp)
    taken = [i for i, _ in spread(vectors, np.ones(len(given_)), numbers, count, cap)]
    assert len(set(taken)) == len(taken) == count
    counts = Counter(documents[i] for i in taken)
    have = Counter(documents)
    for document in have:
        # Who gave more than the cap and than another could do so only as that one had no more.
        for other in have:
            if counts[document] > max(cap, counts[other] + 1):
                assert counts[other] == have[other]


def test_nothing_to_choose_from_is_nothing_chosen() -> None:
    assert choose([], 3) == []


def test_the_loop_through_real_processes(tiny_model_dir: Path, tmp_path: Path) -> None:
    def stancekit(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "stancekit", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=120,
        )

    given = [{"statement": f"We {verb} the bridge.", "id": i} for i, verb in enumerate(SUBJECTS)]
    path, tasks = pool(tmp_path / "p.jsonl", given), tmp_path / "tasks.jsonl"
    call = ["suggest", path, "-n", 4, "-t", "the bridge", "--model", tiny_model_dir]
    done = stancekit(*call, "-o", tasks, "--format", "prodigy")
    assert (done.returncode, done.stderr) == (0, "")
    assert "suggested: 4 of 10 rows\n" in done.stdout
    exported = tmp_path / "export.jsonl"
    pool(exported, [row | {"accept": ["opposed"], "answer": "accept"} for row in rows(tasks)])
    done = stancekit("import", exported, "-o", tmp_path / "labelled.csv")
    assert (done.returncode, done.stderr) == (0, "")
    assert "statements labelled: 4: 4 opposed\n" in done.stdout
    with (tmp_path / "labelled.csv").open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    assert {row["label"] for row in found} == {"opposed"}
    assert {row["statement"] for row in found} <= {row["statement"] for row in given}
    done = stancekit(*call, "-o", tasks, "--format", "excel")
    assert done.returncode == 2 and done.stderr.startswith("error: format: found 'excel'")
