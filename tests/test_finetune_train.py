"""Training from end to end: a folder that opens everywhere, and runs that survive a kill."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stancekit
from stancekit.checkpoint import Checkpoint
from stancekit.errors import CheckpointError, FileError, InputError
from stancekit.finetune import Options, Progress, Recipe, Trained, fit, train
from stancekit.finetune.training import label_weights, recipe_of
from stancekit.locks import lock_folder
from stancekit.records import Example, LabelSet

pytestmark = pytest.mark.usefixtures("one_thread")

TELLING = {"optimistic": "welcome", "circumspect": "wait", "opposed": "fight", "none": "told"}
TOPICS = ["tax", "road", "bridge", "school", "treaty", "war", "peace", "budget", "party", "union"]
FILLER = ["we", "the", "people", "will", "it", "and", "plan", "day", "year", "city", "vote", "town"]
OPTIONS = Options(Recipe(epochs=4, learning_rate=5e-3, batch=8))


def rows(count: int = 160) -> list[Example]:
    """Statements of which one word gives the label away."""
    dice = random.Random(1)
    made = []
    for i in range(count):
        label = list(TELLING)[i % 4]
        words = [*dice.choices(FILLER, k=dice.randint(8, 14)), *[TELLING[label]] * 3]
        dice.shuffle(words)
        made.append(Example(" ".join(words), TOPICS[i // 4 % len(TOPICS)], label=label))
    return made


@pytest.fixture(scope="module")
def seen() -> list[Progress]:
    return []


@pytest.fixture(scope="module")
def trained(
    tmp_path_factory: pytest.TempPathFactory, tiny_model_dir: Path, seen: list[Progress]
) -> Trained:
    """Trained on from a checkpoint with the same four labels."""
    output = tmp_path_factory.mktemp("trained") / "mine"
    return train(rows(), output, base=tiny_model_dir, options=OPTIONS, watch=seen.append)


def test_it_learns_and_says_that_it_is_better(trained: Trained) -> None:
    assert trained.report.macro_f1.value > 0.8
    assert trained.verdict is not None and trained.verdict.better
    assert trained.verdict.new.value == pytest.approx(trained.report.macro_f1.value)
    assert trained.forgetting is not None and trained.forgetting.n == 400
    text = str(trained)
    assert "new model against old, on dev: better (n = " in text
    assert "of labels differ" in text
    facts = json.loads(json.dumps(trained.to_dict()))
    assert facts["verdict"]["words"] == "better" and facts["forgetting"]["n"] == 400


def test_nothing_but_the_model_is_left(trained: Trained) -> None:
    assert [path.name for path in trained.folder.parent.iterdir()] == ["mine"]
    names = {str(p.relative_to(trained.folder)) for p in trained.folder.rglob("*") if p.is_file()}
    assert names >= {"config.json", "tokenizer.json", "model.safetensors", "onnx/model_int8.onnx"}
    assert names >= {"README.md", "DATA.md", "stancekit.json"}


def test_stancekit_opens_it(trained: Trained) -> None:
    model = stancekit.load(trained.folder, engine="onnx")
    assert tuple(model.labels.names) == tuple(TELLING)
    assert model.predict("we will fight fight fight it", "tax").label == "opposed"
    checkpoint = Checkpoint.read(trained.folder)
    for name in checkpoint.hashes:
        checkpoint.file(name)
    assert checkpoint.facts["dev"]["dev"]["macro_f1"]["value"] == pytest.approx(
        trained.report.macro_f1.value
    )
    assert set(checkpoint.facts["thresholds"]) >= {"0.1", "0.2"}


def test_transformers_opens_it_as_it_is(trained: Trained) -> None:
    import transformers

    model = transformers.AutoModelForSequenceClassification.from_pretrained(trained.folder)
    assert list(model.config.id2label.values()) == list(TELLING)
    pipe = transformers.pipeline("text-classification", model=str(trained.folder), device="cpu")
    ours = stancekit.load(trained.folder, engine="torch", device="cpu")
    for row in rows()[:8]:
        theirs = pipe({"text": row.topic, "text_pair": row.statement})
        assert theirs["label"] == ours.predict(row.statement, row.topic).label


def test_the_card_and_the_data_sheet_hold_what_was_measured_and_no_statement(
    trained: Trained,
) -> None:
    card = (trained.folder / "README.md").read_text(encoding="utf-8")
    sheet = (trained.folder / "DATA.md").read_text(encoding="utf-8")
    assert card.startswith("---\nlibrary_name: stancekit\npipeline_tag: text-classification\n")
    assert str(trained.report) in card and str(trained.verdict) in card
    assert "learning_rate: 0.005" in card and str(trained.parity) in card
    assert "\nSplit by " in sheet and "\n| budget | 16 |\n" in sheet
    for row in rows():
        assert row.statement not in card + sheet


def test_a_time_is_told_before_long_and_every_step_is_seen(
    trained: Trained, seen: list[Progress]
) -> None:
    steps = [p for p in seen if p.macro_f1 is None]
    assert [p.step for p in steps] == list(range(1, steps[-1].step + 1))
    assert [p.left is None for p in steps[:6]] == [True] * 4 + [False] * 2
    assert all(p.left is not None and p.left >= 0 for p in steps[4:])
    scores = [p.macro_f1 for p in seen if p.macro_f1 is not None]
    assert scores and all(0 <= score <= 1 for score in scores)


def test_the_same_seed_gives_the_same_weights(tmp_path: Path, tiny_trained_dir: Path) -> None:
    labels = LabelSet(tuple(TELLING), (1, 0, -1, None))
    recipe = Recipe(epochs=1, learning_rate=5e-3, batch=8)
    folders = [
        fit(
            tiny_trained_dir, rows(40), rows(8), labels, tmp_path / name, recipe,
            patience=1, weights=[1, 2, 1, 1],
        )
        for name in ("one", "two")
    ]  # fmt: skip
    one, two = (weights(folder) for folder in folders)
    for name, value in one.items():
        np.testing.assert_array_equal(two[name], value, err_msg=name)


def test_the_best_scoring_is_the_one_kept(tmp_path: Path, tiny_trained_dir: Path) -> None:
    labels = LabelSet(tuple(TELLING), (1, 0, -1, None))
    seen: list[Progress] = []
    # A rate at which the weights soon blow up: later epochs are worse than earlier ones.
    recipe = Recipe(epochs=12, learning_rate=0.05, batch=8, warmup=0.5)
    fit(
        tiny_trained_dir, rows(80), rows(40), labels, tmp_path, recipe,
        patience=2, watch=seen.append,
    )  # fmt: skip
    scores = [p.macro_f1 for p in seen if p.macro_f1 is not None]
    best = int(np.argmax(scores))
    assert len(scores) == best + 3 < 12
    kept = weights(tmp_path)
    states = [
        json.loads((folder / "trainer_state.json").read_text(encoding="utf-8"))
        for folder in (tmp_path / "checkpoints").glob("checkpoint-*")
    ]
    assert {state["best_global_step"] for state in states} == {10 * (best + 1)}
    from safetensors.numpy import load_file

    saved = load_file(tmp_path / "checkpoints" / f"checkpoint-{10 * (best + 1)}/model.safetensors")
    for name, value in saved.items():
        np.testing.assert_array_equal(kept[name], value, err_msg=name)


def weights(folder: Path) -> dict[str, Any]:
    from safetensors.numpy import load_file

    return dict(load_file(folder / "model.safetensors"))


RUN = """
import sys, json, torch
from pathlib import Path
sys.path.insert(0, sys.argv[4])
from tests.test_finetune_train import LABELS_OF_RUN, RECIPE_OF_RUN, rows
from stancekit.finetune import fit
torch.set_num_threads(1)
scores = []
def watch(p):
    if p.macro_f1 is not None:
        scores.append(p.macro_f1)
    if sys.argv[3] == "slow":
        import time; time.sleep(0.05)
fit(Path(sys.argv[1]), rows(80), rows(40), LABELS_OF_RUN, Path(sys.argv[2]), RECIPE_OF_RUN,
    patience=3, watch=watch)
print(json.dumps(scores))
"""
LABELS_OF_RUN = LabelSet(tuple(TELLING), (1, 0, -1, None))
RECIPE_OF_RUN = Recipe(epochs=5, learning_rate=5e-3, batch=8)


def test_a_killed_run_goes_on_to_the_same_score(tmp_path: Path, tiny_trained_dir: Path) -> None:
    root = str(Path(__file__).parent.parent)
    arguments = [sys.executable, "-c", RUN, str(tiny_trained_dir)]
    environment = {**os.environ, "PYTHONPATH": root}
    killed = subprocess.Popen(
        [*arguments, str(tmp_path / "killed"), "slow", root],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 300
    while not list((tmp_path / "killed" / "checkpoints").glob("checkpoint-*/trainer_state.json")):
        assert killed.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert not (tmp_path / "killed" / "model.safetensors").exists()
    # What the kill may have left half-saved must not stand in the way.
    broken = tmp_path / "killed" / "checkpoints" / "checkpoint-9999"
    broken.mkdir()
    (broken / "model.safetensors").write_bytes(b"half")
    scores = []
    for name in ("killed", "whole"):
        done = subprocess.run(
            [*arguments, str(tmp_path / name), "fast", root],
            env=environment, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        scores.append(json.loads(done.stdout.splitlines()[-1]))
    assert 0 < len(scores[0]) < len(scores[1])
    assert scores[0] == pytest.approx(scores[1][-len(scores[0]) :])
    one, two = weights(tmp_path / "killed"), weights(tmp_path / "whole")
    for name, value in two.items():
        np.testing.assert_allclose(one[name], value, atol=1e-6, err_msg=name)


def test_an_encoder_without_segments_trains_exports_and_runs(
    tmp_path: Path, tiny_trained_dir: Path
) -> None:
    import transformers

    base = tmp_path / "roberta"
    size = transformers.AutoConfig.from_pretrained(tiny_trained_dir).vocab_size
    transformers.RobertaModel(
        transformers.RobertaConfig(
            vocab_size=size,
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=300,
            type_vocab_size=1,
            pad_token_id=0,
            bos_token_id=2,
            eos_token_id=3,
        )
    ).save_pretrained(base)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(tiny_trained_dir / name, base / name)
    made = train(rows(), tmp_path / "mine", base=base, options=OPTIONS)
    # The engines agree on 8 bits of it, or it would have been refused; and both run alone.
    assert made.parity.n > 400
    for engine in ("onnx", "torch"):
        stancekit.load(made.folder, engine=engine, device="cpu").predict("We wait.", "tax")


def test_a_place_that_is_taken_is_refused_first(tmp_path: Path, tiny_model_dir: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(FileError, match="something there already"):
        train(rows(), tmp_path / "mine", base=tiny_model_dir, options=OPTIONS)
    with pytest.raises(FileError, match="no such folder"):
        train(rows(), tmp_path / "no" / "mine", base=tiny_model_dir, options=OPTIONS)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_two_runs_do_not_make_the_same_folder(tmp_path: Path, tiny_model_dir: Path) -> None:
    with (
        lock_folder(tmp_path / ".mine.training"),
        pytest.raises(FileError, match="mine: found another run that makes it"),
    ):
        train(rows(), tmp_path / "mine", base=tiny_model_dir, options=OPTIONS)


def test_a_base_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"no config\.json.*nothing is fetched here"):
        train(rows(), tmp_path / "mine", base=tmp_path / "roberta-base", options=OPTIONS)


def test_rehearsal_needs_the_bundled_labels(tmp_path: Path, tiny_trained_dir: Path) -> None:
    named = {"optimistic": "pro", "opposed": "con", "circumspect": "neutral", "none": "unrelated"}
    other = [Example(e.statement, e.topic, label=named[str(e.label)]) for e in rows()]
    with pytest.raises(InputError, match="wanted the bundled model's labels"):
        train(other, tmp_path / "mine", base=tiny_trained_dir, options=Options(rehearsal=10))


def test_rare_labels_count_more_and_rows_one_on_average() -> None:
    labels = LabelSet(("a", "b", "c"), (1, 0, -1))
    examples = [Example("x", "y", label=name) for name in "aaaaaaaaab"]
    a, b, c = label_weights(examples, labels)
    assert b == pytest.approx(3 * a)
    assert 9 * a + b == pytest.approx(10)
    assert c == 1


def test_a_recipe_that_cannot_be_gone_by_is_refused() -> None:
    assert recipe_of("encoder", epochs=None, batch=8) == Recipe(batch=8)
    gently = recipe_of(None, batch=9)
    assert gently.learning_rate < Recipe().learning_rate and gently.batch == 9
    with pytest.raises(InputError, match="epochs: found 0, wanted more than 0"):
        recipe_of(None, epochs=0)
