"""Published sets: their labels and metrics, and the way from files to results on disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks import published, results
from benchmarks.published import BENCHMARKS
from stancekit.errors import FileError, InputError
from stancekit.records import Example

ROOT = Path(published.__file__).parent.parent
LABELS = {
    "semeval2016_a": {"FAVOR": "favour", "AGAINST": "against", "NONE": "none"},
    "pstance": {"FAVOR": "favour", "AGAINST": "against"},
    "vast": {"pro": "pro", "con": "con", "neutral": "neutral", "neutral(synthetic)": "neutral"},
    "newsmtsc": {"positive": "positive", "neutral": "neutral", "negative": "negative"},
}
TELLING = {"positive": "welcome", "neutral": "wait", "negative": "fight"}


def write(path: Path, rows: list[tuple[str, str, object]]) -> Path:
    """Rows of statement, topic and label, as the files of the sets have them."""
    keys = ("statement", "topic", "label")
    made = [dict(zip(keys, row, strict=True), stance=None, speaker=None) for row in rows]
    path.write_text("".join(json.dumps(row) + "\n" for row in made), encoding="utf-8")
    return path


def random_answers(labels: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    dice = np.random.default_rng(3)
    gold, topics = dice.integers(labels, size=200), dice.integers(3, size=200)
    predicted = np.where(dice.random(200) < 0.6, gold, dice.integers(labels, size=200))
    return gold, predicted, topics


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where results go for the length of a test."""
    monkeypatch.setattr(results, "RESULTS", tmp_path / "results")
    return tmp_path / "results" / "published.json"


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Matrices this small only wait for each other on several."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_the_first_metric_is_scikit_learns(name: str) -> None:
    from sklearn.metrics import f1_score

    averaged = {"semeval2016_a": [0, 1], "pstance": [0, 1]}.get(name, [0, 1, 2])
    gold, predicted, topics = random_answers(len(BENCHMARKS[name].labels))

    def reference(rows: np.ndarray) -> float:
        return float(f1_score(gold[rows], predicted[rows], labels=averaged, average="macro"))

    everywhere = reference(np.arange(len(gold)))
    found = [m(gold, predicted, topics) for m in BENCHMARKS[name].metrics.values()]
    if name == "pstance":
        assert found[0] == pytest.approx(np.mean([reference(topics == t) for t in range(3)]))
        assert found[0] != pytest.approx(found[1])
    assert found[-1] == pytest.approx(everywhere)


def test_a_label_that_occurs_nowhere_scores_0() -> None:
    rows = np.zeros(4, dtype=np.int64)
    assert published.mean_f1(0, 1)(rows, rows, rows) == 0.5


def test_an_interval_holds_its_value_and_comes_again() -> None:
    arrays = random_answers(3)
    first, second = (
        published.interval(published.mean_f1(0, 1, 2), arrays, published.resampled([None] * 200))
        for _ in range(2)
    )
    assert first == second
    assert first.low < first.value < first.high


def test_rows_of_a_group_are_drawn_together() -> None:
    draws = published.resampled(["a", "a", None, "b", None])
    assert len(draws) == published.RESAMPLES
    for draw in draws:
        counts = np.bincount(draw, minlength=5)
        assert counts[0] == counts[1]
        assert counts[[0, 2, 3, 4]].sum() == 4
    assert any(np.bincount(draw, minlength=5)[2] != 1 for draw in draws)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_labels_are_mapped(name: str, tmp_path: Path) -> None:
    labels = LABELS[name]
    file = write(tmp_path / "a.jsonl", [("We see.", "the tax", raw) for raw in labels])
    rows = published.load(file, BENCHMARKS[name])
    assert [row.label for row in rows] == list(labels.values())
    assert set(labels.values()) == set(BENCHMARKS[name].labels.names)
    group = "the tax" if name == "vast" else None
    assert rows[0] == Example("We see.", "the tax", label=rows[0].label, group=group)


@pytest.mark.parametrize("label", ["maybe", None, 3, ["FAVOR"]])
def test_an_unknown_label_is_named_by_file_and_line(label: object, tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", [("We see.", "x", "FAVOR"), ("We wait.", "x", label)])
    with pytest.raises(FileError, match=r"a\.jsonl, line 2, label: .* FAVOR, AGAINST, NONE"):
        published.load(file, BENCHMARKS["semeval2016_a"])


def test_other_bad_rows_are_named_too(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", [("", "the tax", "FAVOR")])
    with pytest.raises(FileError, match="line 1, statement"):
        published.load(file, BENCHMARKS["pstance"])
    file.write_text("{", encoding="utf-8")
    with pytest.raises(FileError, match="line 1, row"):
        published.load(file, BENCHMARKS["pstance"])
    file.write_text("\n", encoding="utf-8")
    with pytest.raises(FileError, match="no rows"):
        published.load(file, BENCHMARKS["pstance"])


def test_test_files_are_taken_where_there_are_any(tmp_path: Path) -> None:
    for split in ("train", "dev"):
        write(tmp_path / f"newsmtsc.{split}.jsonl", [("We see.", "x", "neutral")])
    assert list(published.splits(tmp_path, "newsmtsc")) == ["train", "dev"]
    for stem in ("newsmtsc", "newsmtsc_rw", "newsmtsc_mt"):
        write(tmp_path / f"{stem}.test.jsonl", [("We see.", "x", "neutral")])
    found = list(published.splits(tmp_path, "newsmtsc"))
    assert found == ["train", "dev", "test", "test rw", "test mt"]


def test_every_published_figure_stands_beside_a_split_that_can_be_scored() -> None:
    for benchmark in BENCHMARKS.values():
        known = {"test", *benchmark.tests}
        if benchmark.topics_vary:
            known |= {f"{split}, unseen topics" for split in known}
        assert {figure.split for figure in benchmark.published} <= known
        assert all(0 < figure.value < 1 and figure.source for figure in benchmark.published)


def test_unseen_topics_are_scored_apart() -> None:
    train = [Example("We see.", "Carbon Taxes", label="pro")]
    topics = ["carbon tax", "tax carbon", "the school", "glass"]
    dev = [Example("We see.", t, label="pro", group=t) for t in topics]
    data = {"train": train, "dev": dev}
    vast = published.scores(BENCHMARKS["vast"], data, {"dev": np.array([0, 0, 1, 0])})
    assert {split: part["n"] for split, part in vast.items()} == {"dev": 4, "dev, unseen topics": 2}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("the carbon taxes", "Carbon Taxes!", True),
        ("education policies", "education policy", True),
        ("online courses", "course online", True),
        ("schools of the days", "school of day", True),
        ("glass", "glas", False),
        ("war", "peace", False),
    ],
)
def test_topics_are_the_same_but_for_their_form(one: str, other: str, same: bool) -> None:
    assert (published.topic_key(one) == published.topic_key(other)) is same


def test_results_of_other_sets_are_kept(kept: Path) -> None:
    for name, n in (("vast", 1), ("pstance", 2), ("vast", 3)):
        assert published.keep(name, {"n": n}) == kept
    assert json.loads(kept.read_text(encoding="utf-8"))["sets"] == {
        "vast": {"n": 3},
        "pstance": {"n": 2},
    }


def test_from_files_to_results(
    tmp_path: Path, kept: Path, tiny_trained_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = "city"  # a word of the statements alone
    rows = [
        (f"We will {word} it in the {secret}", "the tax", label) for label, word in TELLING.items()
    ]
    for stem in ("newsmtsc.train", "newsmtsc.dev", "newsmtsc_rw.test"):
        write(tmp_path / f"{stem}.jsonl", rows * (4 if "train" in stem else 2))
    work = tmp_path / "work"
    arguments = [str(tmp_path), "--base", str(tiny_trained_dir), "--work", str(work)]
    arguments += ["--sets", "newsmtsc", "--epochs", "2"]
    published.main(arguments)

    facts = results.read("published")["sets"]["newsmtsc"]
    assert facts["recipe"]["epochs"] == 2 and facts["recipe"]["learning_rate"] == 1e-4
    assert facts["train"]["n"] == 12 and facts["seconds"] > 0
    assert list(facts["splits"]) == ["dev", "test rw"]
    for part in facts["splits"].values():
        found = part["metrics"]["macro-F1"]
        assert part["n"] == 6
        assert 0 <= found["low"] <= found["value"] <= found["high"] <= 1
    assert facts["published"][0]["model"] == "GRU-TSC"
    text = kept.read_text(encoding="utf-8")
    assert secret not in text and str(tmp_path) not in text
    assert (work / "newsmtsc" / "model.safetensors").is_file()
    shown = capsys.readouterr().out
    assert "newsmtsc  test rw  n=6  macro-F1 0." in shown
    assert "newsmtsc  published, test rw  macro-F1 0.831  GRU-TSC" in shown

    # Once more: nothing is trained, and everything is found again.
    weights = (work / "newsmtsc" / "model.safetensors").read_bytes()
    published.main(arguments)
    assert results.read("published")["sets"]["newsmtsc"] == facts
    assert (work / "newsmtsc" / "model.safetensors").read_bytes() == weights
    with pytest.raises(InputError, match="checkpoints of another run"):
        published.main([*arguments[:-1], "1"])


def test_seconds_of_interrupted_runs_count_and_those_of_finished_ones_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, clock = tmp_path / "vast", iter(range(0, 1000, 10))
    monkeypatch.setattr(published.time, "monotonic", lambda: next(clock))

    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    def finishing(*arguments: object) -> None:
        (work / "model.safetensors").touch()

    def once_more() -> float:
        benchmark = BENCHMARKS["vast"]
        data: published.Splits = {"train": [], "dev": []}
        return published.train(tmp_path, data, benchmark.labels, work, benchmark.recipe)

    monkeypatch.setattr(published, "fit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        once_more()
    monkeypatch.setattr(published, "fit", finishing)
    assert once_more() == 20
    assert once_more() == 20


def test_all_sets_are_read_before_any_is_trained_on(tmp_path: Path, tiny_trained_dir: Path) -> None:
    for split in ("train", "dev"):
        write(tmp_path / f"vast.{split}.jsonl", [("We see.", "x", "pro")])
    write(tmp_path / "pstance.train.jsonl", [("We see.", "x", "FAVOR")])
    work = tmp_path / "work"
    arguments = [str(tmp_path), "--base", str(tiny_trained_dir), "--work", str(work)]
    with pytest.raises(FileError, match=r"pstance\.dev\.jsonl: found no such file"):
        published.main([*arguments, "--sets", "vast", "pstance"])
    assert not work.exists()


def test_what_cannot_be_trained_on_is_refused(tmp_path: Path, tiny_trained_dir: Path) -> None:
    base = ["--base", str(tiny_trained_dir)]
    with pytest.raises(FileError, match=r"vast\.train\.jsonl: found no such file"):
        published.main([str(tmp_path), *base, "--sets", "vast"])
    with pytest.raises(FileError, match="a model folder"):
        published.main([str(tmp_path), "--base", str(tmp_path)])
    with pytest.raises(InputError, match="--epochs"):
        published.main([str(tmp_path), *base, "--epochs", "0"])


def test_an_error_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.published", str(tmp_path / "none"), "--base", "x"],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
    assert "none: found no such folder" in done.stderr
