"""Engines: the same answers from each, from transformers, and in any company."""

from __future__ import annotations

import random
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stancekit import engines
from stancekit.checkpoint import ONNX_WEIGHTS, TORCH_WEIGHTS, Checkpoint
from stancekit.encoding import Encoder, Window, question
from stancekit.engines import ENGINES, OnnxEngine, TorchEngine, default_engine, pad, usable_cpus
from stancekit.errors import CheckpointError, InputError, MissingExtraError
from stancekit.model import BUNDLED, load, softmax
from stancekit.records import Example

# Logits, whose spread over these statements is 1.5. Float engines run the same weights and differ
# in the order of sums. Eight-bit tokens move a tiny random network's answers by up to 0.1.
FLOAT_TOLERANCE = 1e-4
INT8_TOLERANCE = 0.2
NEIGHBOURS = 1e-5

WORDS = "the bridge tax law talks we support fight oppose wait doubt hope fear not good bad zebra"


@cache
def examples() -> list[Example]:
    """Sixty made-up statements of 1 to 120 words."""
    dice = random.Random(3)
    return [
        Example(
            " ".join(dice.choices(WORDS.split(), k=dice.choice([1, 4, 12, 30, 120]))),
            dice.choice(["the bridge", "tax", "war and peace"]),
            dice.choice([None, "the mayor"]),
        )
        for _ in range(60)
    ]


@cache
def open_engine(name: str, folder: Path) -> engines.Engine:
    return ENGINES[name](Checkpoint.read(folder), "cpu", 1)


@cache
def windows(folder: Path) -> list[Window]:
    return [one for (one,) in Encoder(folder / "tokenizer.json").encode(examples())]


@cache
def transformers_logits(folder: Path, names: tuple[str, ...]) -> NDArray[np.float32]:
    return pipeline_logits(folder, examples(), names)


def pipeline_logits(
    folder: Path, rows: Sequence[Example], names: Sequence[str]
) -> NDArray[np.float32]:
    """What somebody without stancekit gets from the folder, of shape (rows, labels)."""
    import torch
    import transformers

    pipeline: Any = transformers.pipeline(
        "text-classification", model=str(folder), dtype=torch.float32, device="cpu"
    )
    answers = pipeline(
        [{"text": question(e.topic, e.speaker), "text_pair": e.statement} for e in rows],
        top_k=None,
        function_to_apply="none",
    )
    scores = [{one["label"]: one["score"] for one in answer} for answer in answers]
    return np.array([[row[name] for name in names] for row in scores], dtype=np.float32)


@pytest.mark.parametrize("name", ENGINES)
def test_logits_are_those_of_transformers(name: str, tiny_model_dir: Path) -> None:
    names = Checkpoint.read(tiny_model_dir).labels.names
    wanted = transformers_logits(tiny_model_dir, names)
    engine = open_engine(name, tiny_model_dir)
    got = np.concatenate([engine.logits([window]) for window in windows(tiny_model_dir)])
    assert len(set(wanted.argmax(1))) == 4  # a wrong order of labels would show
    tolerance = INT8_TOLERANCE if engine.dtype == "int8" else FLOAT_TOLERANCE
    np.testing.assert_allclose(got, wanted, atol=tolerance)


@pytest.mark.parametrize("name", ENGINES)
def test_probabilities_are_those_of_transformers(name: str, tiny_model_dir: Path) -> None:
    model = load(tiny_model_dir, engine=name, device="cpu", threads=1)
    wanted = softmax(
        transformers_logits(tiny_model_dir, model.labels.names) / model.checkpoint.temperature
    )
    got = [list(p.probabilities.values()) for p in model.predict_many(examples())]
    tolerance = 0.05 if model.engine.dtype == "int8" else 1e-5
    np.testing.assert_allclose(got, wanted, atol=tolerance)


@pytest.mark.parametrize("name", ENGINES)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_answers_do_not_depend_on_the_rest_of_the_batch(
    name: str, tiny_model_dir: Path, data: st.DataObject
) -> None:
    engine = open_engine(name, tiny_model_dir)
    every = windows(tiny_model_dir)
    chosen = data.draw(st.lists(st.integers(0, len(every) - 1), min_size=2, max_size=8))
    together = engine.logits([every[i] for i in chosen])
    alone = np.concatenate([engine.logits([every[i]]) for i in chosen])
    np.testing.assert_allclose(together, alone, atol=NEIGHBOURS)


@pytest.mark.parametrize("name", ENGINES)
def test_logits_are_one_float_row_a_window(name: str, tiny_model_dir: Path) -> None:
    logits = open_engine(name, tiny_model_dir).logits(windows(tiny_model_dir)[:3])
    assert logits.shape == (3, 4)
    assert logits.dtype == np.float32


@pytest.mark.parametrize("name", ENGINES)
def test_engines_say_what_they_are(name: str, tiny_model_dir: Path) -> None:
    engine = ENGINES[name](Checkpoint.read(tiny_model_dir), "cpu", 2)
    assert (engine.name, engine.device, engine.threads) == (name, "cpu", 2)
    assert engine.batch_tokens >= 256
    assert ENGINES[name](Checkpoint.read(tiny_model_dir), None, None).threads == usable_cpus()


def test_the_padding_token_changes_no_answer(tiny_model_dir: Path) -> None:
    engine = OnnxEngine(Checkpoint.read(tiny_model_dir), threads=1)
    batch = sorted(windows(tiny_model_dir)[:8], key=len)
    before = engine.logits(batch)
    engine._pad = 17
    np.testing.assert_allclose(engine.logits(batch), before, atol=NEIGHBOURS)


def test_pad_fills_to_the_longest_window() -> None:
    short, long = (Window(np.arange(1, n + 1), np.array([0] + [1] * (n - 1))) for n in (2, 4))
    batch = pad([short, long], 9)
    assert batch["input_ids"].tolist() == [[1, 2, 9, 9], [1, 2, 3, 4]]
    assert batch["token_type_ids"].tolist() == [[0, 1, 0, 0], [0, 1, 1, 1]]
    assert batch["attention_mask"].tolist() == [[1, 1, 0, 0], [1, 1, 1, 1]]
    assert {array.dtype for array in batch.values()} == {np.dtype(np.int64)}


def test_torch_threads_and_grad_mode_are_put_back(tiny_model_dir: Path) -> None:
    import torch

    before = torch.get_num_threads()
    other = before + 1
    engine = TorchEngine(Checkpoint.read(tiny_model_dir), "cpu", other)
    assert torch.get_num_threads() == before
    seen = []
    forward = engine._model.forward
    engine._model.forward = lambda **batch: seen.append(torch.get_num_threads()) or forward(**batch)
    engine.logits(windows(tiny_model_dir)[:1])
    assert seen == [other]
    assert torch.get_num_threads() == before
    assert torch.is_grad_enabled()


def test_torch_threads_are_put_back_after_a_failure(tiny_model_dir: Path) -> None:
    import torch

    before = torch.get_num_threads()
    engine = TorchEngine(Checkpoint.read(tiny_model_dir), "cpu", before + 1)
    with pytest.raises(IndexError):
        engine.logits([Window(np.array([10**6]), np.array([0]))])
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("device", ["abacus", "cuda:99", "cpu:x"])
def test_a_device_torch_does_not_have_is_refused(device: str, tiny_model_dir: Path) -> None:
    with pytest.raises(InputError, match=rf"^device: found '{device}' .*, wanted a device torch"):
        TorchEngine(Checkpoint.read(tiny_model_dir), device)


def test_onnx_runs_on_the_processor_only(tiny_model_dir: Path) -> None:
    with pytest.raises(InputError) as caught:
        OnnxEngine(Checkpoint.read(tiny_model_dir), "cuda")
    assert str(caught.value) == (
        "device: found 'cuda', wanted 'cpu' for onnx; use the torch engine"
    )


@pytest.mark.parametrize("module", ["torch", "transformers"])
def test_a_missing_extra_says_what_to_type(
    module: str, tiny_model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError) as caught:
        TorchEngine(Checkpoint.read(tiny_model_dir))
    assert str(caught.value) == (
        f"import {module}: found no such package, wanted the 'train' extra; "
        "type: pip install 'stancekit[train]'"
    )


def test_weights_that_are_no_onnx_are_refused(tmp_path: Path, tiny_model_dir: Path) -> None:
    from dataclasses import replace

    from stancekit.checkpoint import hash_file

    folder = Path(shutil.copytree(tiny_model_dir, tmp_path / "model"))
    (folder / ONNX_WEIGHTS).write_bytes(b"not a graph")
    checkpoint = Checkpoint.read(folder)
    hashes = {**checkpoint.hashes, ONNX_WEIGHTS: hash_file(folder / ONNX_WEIGHTS)}
    with pytest.raises(CheckpointError, match="an ONNX model this runtime can run"):
        OnnxEngine(replace(checkpoint, hashes=hashes))


@pytest.mark.parametrize("device", ["cuda", "mps", "cuda:1"])
def test_a_device_asked_for_means_torch(device: str, tiny_model_dir: Path) -> None:
    assert default_engine(Checkpoint.read(tiny_model_dir), device) == "torch"


def test_the_processor_means_onnx(tiny_model_dir: Path) -> None:
    assert default_engine(Checkpoint.read(tiny_model_dir), "cpu") == "onnx"


def test_torch_stands_in_where_there_is_no_onnx_file(tmp_path: Path, tiny_model_dir: Path) -> None:
    folder = Path(shutil.copytree(tiny_model_dir, tmp_path / "model"))
    (folder / ONNX_WEIGHTS).unlink()
    assert default_engine(Checkpoint.read(folder), "cpu") == "torch"
    (folder / TORCH_WEIGHTS).unlink()
    with pytest.raises(CheckpointError, match=r"no model\.safetensors"):
        load(folder)


# What the kernel writes: version 2 in one file, version 1 in two.
@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({"cpu.max": "200000 100000\n"}, 2.0),
        ({"cpu.max": "50000 100000\n"}, 0.5),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "300000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 3.0),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({"cpu.max": "garbage\n"}, None),
        ({}, None),
    ],
)
def test_the_quota_of_a_container_is_read(
    tmp_path: Path, files: dict[str, str], quota: float | None
) -> None:
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    assert engines._cgroup_quota(tmp_path) == quota


@pytest.mark.parametrize(
    ("affinity", "quota", "cpus"),
    [(8, None, 8), (8, 2.0, 2), (2, 4.0, 2), (8, 2.5, 2), (8, 0.5, 1), (1, None, 1)],
)
def test_usable_cpus_is_the_least_of_affinity_and_quota(
    monkeypatch: pytest.MonkeyPatch, affinity: int, quota: float | None, cpus: int
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(affinity)), raising=False)
    monkeypatch.setattr(engines, "_cgroup_quota", lambda: quota)
    assert usable_cpus() == cpus


# The bundled weights, on statements of every kind the model is for.
REAL = [
    Example(statement, topic, speaker)
    for topic, speaker, statement in [
        ("the tidal barrage", None, "We welcome the barrage; it will light half the coast."),
        ("the tidal barrage", "the harbour board", "It would ruin the estuary, and we will fight."),
        ("the tidal barrage", None, "Let us see what the survey brings before anyone decides."),
        ("the tidal barrage", None, "The ferry leaves at nine on weekdays."),
        ("a ban on fishing nets", "Ms Oduya", "A ban is the only thing that can save the stock."),
        ("a ban on fishing nets", None, "Nobody on this quay will obey a ban."),
        ("a ban on fishing nets", None, "There is something to be said on both sides."),
        ("missile defence", "the envoy", "Let us see what the talks bring."),
        ("missile defence", "the envoy", "We will never accept these launchers on our border."),
        ("missile defence", None, "The shield makes all of us safer."),
        ("the wealth tax", None, "Tax the rich? About time!"),
        ("the wealth tax", None, "It drives capital abroad, and it always has."),
        ("the wealth tax", None, "I could support it if the threshold were higher."),
        ("the wealth tax", None, "Her grandmother kept bees."),
        ("school uniforms", "a parent", "Honestly, uniforms made our mornings easier."),
        ("school uniforms", None, "Uniforms are a waste of money and of childhood."),
        ("school uniforms", None, "The board has yet to take a position."),
        ("the peace treaty", None, "Signing is the bravest thing this government has done."),
        ("the peace treaty", "General Tarn", "The treaty is a surrender by another name."),
        ("the peace treaty", None, "We hope it holds, though the past gives little comfort."),
        ("nuclear power", None, "Without new reactors the targets are a fairy tale."),
        ("nuclear power", None, "No community should have to live next to that waste."),
        ("nuclear power", None, "The minister said the review would be published in spring."),
        ("the bypass", None, "Yes."),
        ("the bypass", None, "No, no and no."),
        ("the bypass", "the shopkeepers", "It depends on what happens to the high street."),
        ("immigration reform", None, "The bill is imperfect, but it is a step forward."),
        ("immigration reform", None, "It is not that we do not oppose the bill; we do."),
        ("a four-day week", None, "Output rose and people slept; what is there to argue about?"),
        ("a four-day week", None, "Rain is expected in the north " + "and in the west " * 30 + "."),
    ]
]


@pytest.fixture(scope="module")
def reference() -> Iterator[NDArray[np.float64]]:
    """Probabilities of REAL by the transformers pipeline, tempered as the checkpoint says."""
    checkpoint = Checkpoint.read(BUNDLED)
    logits = pipeline_logits(BUNDLED, REAL, checkpoint.labels.names)
    yield softmax(logits / checkpoint.temperature)


@pytest.fixture(scope="module")
def bundled() -> Callable[[str], NDArray[np.float64]]:
    @cache
    def probabilities(name: str) -> NDArray[np.float64]:
        model = load(engine=name, device="cpu")
        return np.array([list(p.probabilities.values()) for p in model.predict_many(REAL)])

    return probabilities


@pytest.mark.bundled
def test_bundled_torch_is_the_transformers_pipeline(
    bundled: Callable[[str], NDArray[np.float64]], reference: NDArray[np.float64]
) -> None:
    assert len(set(reference.argmax(1))) == 4
    np.testing.assert_allclose(bundled("torch"), reference, atol=1e-4)


@pytest.mark.bundled
def test_bundled_int8_agrees_with_float(
    bundled: Callable[[str], NDArray[np.float64]], reference: NDArray[np.float64]
) -> None:
    got = bundled("onnx")
    np.testing.assert_allclose(got, reference, atol=0.1)
    runner_up, best = np.sort(reference, axis=1)[:, -2:].T
    clear = best - runner_up > 0.1
    assert clear.sum() > len(REAL) / 2
    assert (got.argmax(1) == reference.argmax(1))[clear].all()


@pytest.mark.bundled
@pytest.mark.parametrize("name", ENGINES)
def test_bundled_order_is_kept(name: str, bundled: Callable[[str], NDArray[np.float64]]) -> None:
    model = load(engine=name, device="cpu")
    for example, row in zip(REAL[::4], bundled(name)[::4], strict=True):
        answer = model.predict(example.statement, example.topic, example.speaker)
        np.testing.assert_allclose(list(answer.probabilities.values()), row, atol=0.01)


@pytest.mark.bundled
@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("seed", [1, 2])
def test_bundled_answers_do_not_depend_on_the_rest_of_the_batch(
    name: str, seed: int, bundled: Callable[[str], NDArray[np.float64]]
) -> None:
    model = load(engine=name, device="cpu")
    dice = random.Random(seed)
    order = dice.sample(range(len(REAL)), len(REAL))
    long = Example("And then it rained on the quay. " * 25, "the weather")
    neighbours = [row for i in order for row in (REAL[i], long)]
    answers = model.predict_many(neighbours)[::2]
    wanted = bundled(name)[order]
    got = np.array([list(p.probabilities.values()) for p in answers])
    np.testing.assert_allclose(got, wanted, atol=0.01)
    assert (got.argmax(1) == wanted.argmax(1)).all()
