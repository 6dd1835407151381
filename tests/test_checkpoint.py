"""Model folders: each thing a loader refuses, one at a time."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from stancekit.checkpoint import (
    METADATA,
    ONNX_WEIGHTS,
    PICKLES,
    TOKENIZER,
    TORCH_WEIGHTS,
    Checkpoint,
)
from stancekit.errors import CheckpointError
from stancekit.model import load
from stancekit.records import LabelSet


@pytest.fixture
def folder(tmp_path: Path, tiny_model_dir: Path) -> Path:
    return Path(shutil.copytree(tiny_model_dir, tmp_path / "model"))


def change(folder: Path, **facts: Any) -> None:
    path = folder / METADATA
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))


def refusal(folder: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        Checkpoint.read(folder)
    return str(caught.value)


def test_a_whole_folder_is_read(folder: Path, tiny_labels: LabelSet) -> None:
    checkpoint = Checkpoint.read(folder)
    assert checkpoint.labels == tiny_labels
    assert checkpoint.window == 256
    assert checkpoint.temperature == 1.25
    assert checkpoint.facts["manifest"] == "0" * 12


def test_every_file_but_the_description_is_hashed(folder: Path) -> None:
    hashes = Checkpoint.read(folder).hashes
    files = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.name != METADATA
    }
    assert set(hashes) == files
    assert {"config.json", TOKENIZER, TORCH_WEIGHTS, ONNX_WEIGHTS} <= files
    for name in files:
        assert hashes[name] == hashlib.sha256((folder / name).read_bytes()).hexdigest()


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    message = refusal(tmp_path / "nowhere")
    assert message == (
        f"{tmp_path / 'nowhere'}: found no such folder, wanted a model folder; check the path"
    )


def test_a_file_is_no_folder(folder: Path) -> None:
    assert "no such folder" in refusal(folder / "config.json")


def test_a_folder_without_description_is_refused(folder: Path) -> None:
    (folder / METADATA).unlink()
    assert refusal(folder) == (
        f"{folder}: found no stancekit.json, wanted a folder made by stancekit; train one first"
    )


@pytest.mark.parametrize("content", ["", "{", '{"format": 1', "\udcff"])
def test_a_broken_description_is_refused(folder: Path, content: str) -> None:
    (folder / METADATA).write_text(content, errors="surrogateescape")
    message = refusal(folder)
    assert message.startswith(f"{folder / METADATA}: ")
    assert message.endswith("wanted valid JSON; take the folder whole again")


@pytest.mark.parametrize("content", ["[]", "null", "1", '"text"', "{}"])
def test_a_description_of_another_shape_is_refused(folder: Path, content: str) -> None:
    (folder / METADATA).write_text(content)
    assert "wanted the fields of format 1" in refusal(folder)


@pytest.mark.parametrize("name", ["format", "template"])
@pytest.mark.parametrize("value", [0, 2, "1", None])
def test_another_format_or_template_is_refused_by_number(
    folder: Path, name: str, value: object
) -> None:
    change(folder, **{name: value})
    assert refusal(folder) == (
        f"{folder / METADATA}: found {name} {value!r}, wanted 1; "
        "use the version of stancekit that made it, or train again"
    )


@pytest.mark.parametrize("name", ["format", "template", "labels", "window", "temperature", "files"])
def test_a_missing_field_is_refused_by_name(folder: Path, name: str) -> None:
    path = folder / METADATA
    facts = json.loads(path.read_text())
    del facts[name]
    path.write_text(json.dumps(facts))
    assert name in refusal(folder)


@pytest.mark.parametrize(
    "labels",
    [
        [],
        [{"name": "for", "polarity": 1}],
        [{"name": "for", "polarity": 1}, {"name": "for", "polarity": -1}],
        [{"name": "for", "polarity": 1}, {"name": "against"}],
        [{"name": "for", "polarity": 2}, {"name": "against", "polarity": -1}],
        [{"name": "for", "polarity": "1"}, {"name": "against", "polarity": -1}],
        "for",
    ],
)
def test_labels_that_make_no_label_set_are_refused(folder: Path, labels: object) -> None:
    change(folder, labels=labels)
    assert "wanted the fields of format 1" in refusal(folder)


@pytest.mark.parametrize("temperature", [0, -1, float("nan"), "warm", None])
def test_a_temperature_that_is_not_above_zero_is_refused(folder: Path, temperature: object) -> None:
    change(folder, temperature=temperature)
    refusal(folder)


@pytest.mark.parametrize("place", ["", "onnx"])
@pytest.mark.parametrize("kind", [*sorted(PICKLES), ".BIN"])
def test_a_pickle_is_refused_wherever_it_lies(folder: Path, kind: str, place: str) -> None:
    (folder / place / f"weights{kind}").write_bytes(b"\x80\x04.")
    message = refusal(folder)
    assert f"the pickle weights{kind}" in message
    assert "remove it: opening it could run code" in message


@pytest.mark.parametrize("name", ["config.json", TOKENIZER, TORCH_WEIGHTS, ONNX_WEIGHTS])
def test_an_altered_file_is_refused_by_name(folder: Path, name: str) -> None:
    path = folder / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(
        CheckpointError, match=r"other bytes than stancekit\.json records"
    ) as caught:
        Checkpoint.read(folder).file(name)
    assert caught.value.place == str(path)


@pytest.mark.parametrize("engine", ["onnx", "torch"])
@pytest.mark.parametrize("name", ["config.json", TOKENIZER])
def test_no_engine_runs_with_an_altered_file(folder: Path, name: str, engine: str) -> None:
    path = folder / name
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(CheckpointError, match="other bytes"):
        load(folder, engine=engine)


@pytest.mark.parametrize("name", ["config.json", TOKENIZER, TORCH_WEIGHTS, ONNX_WEIGHTS])
def test_a_missing_file_is_refused_by_name(folder: Path, name: str) -> None:
    (folder / name).unlink()
    checkpoint = Checkpoint.read(folder)
    assert not checkpoint.has(name)
    with pytest.raises(CheckpointError, match=f"found no {name}, wanted all files of the model"):
        checkpoint.file(name)


def test_a_file_that_is_not_described_is_refused(folder: Path) -> None:
    (folder / "extra.txt").write_text("hello")
    checkpoint = Checkpoint.read(folder)
    assert not checkpoint.has("extra.txt")
    with pytest.raises(CheckpointError):
        checkpoint.file("extra.txt")


def test_the_hash_names_the_files_and_nothing_else(folder: Path) -> None:
    before = Checkpoint.read(folder).hash
    assert len(before) == 12
    change(folder, temperature=2.0)
    assert Checkpoint.read(folder).hash == before
    files = json.loads((folder / METADATA).read_text())["files"]
    change(folder, files=files | {"config.json": "0" * 64})
    assert Checkpoint.read(folder).hash != before


def test_transformers_opens_the_folder_as_it_is(folder: Path, tiny_labels: LabelSet) -> None:
    import torch
    import transformers

    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
    assert tuple(model.config.id2label[i] for i in range(4)) == tiny_labels.names
    assert model.dtype == torch.float16
    assert transformers.AutoTokenizer.from_pretrained(folder).model_max_length == 256
