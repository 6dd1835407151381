"""Fine-tuning: that it learns, goes on where it stopped, and takes any labels."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stancekit.errors import InputError, MissingExtraError, RecordError
from stancekit.export import describe, export
from stancekit.finetune import Recipe, fit, loop
from stancekit.finetune.feeding import Collator, feed
from stancekit.model import StanceModel, load
from stancekit.records import Example, LabelSet

pytestmark = pytest.mark.usefixtures("one_thread")

LABELS = LabelSet(("favour", "against", "neutral"), (1.0, -1.0, 0.0))
TELLING = {"favour": "welcome", "against": "fight", "neutral": "wait"}
RECIPE = Recipe(epochs=2, learning_rate=5e-3, batch=4)


def rows(count: int = 42) -> list[Example]:
    """Statements of which one word gives the label away."""
    dice = random.Random(1)
    filler = ["we", "the", "people", "will", "it", "and", "law", "plan", "day", "year", "city"]
    made = []
    for number in range(count):
        label = LABELS.names[number % 3]
        words = [*dice.choices(filler, k=dice.randint(1, 5)), *[TELLING[label]] * 2]
        dice.shuffle(words)
        made.append(Example(" ".join(words), "tax", label=label))
    return made


def weights(folder: Path) -> dict[str, Any]:
    from safetensors.numpy import load_file

    return dict(load_file(folder / "model.safetensors"))


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory, tiny_trained_dir: Path) -> Path:
    """Trained on three labels from a base that has four others."""
    return fit(tiny_trained_dir, rows(), rows(), LABELS, tmp_path_factory.mktemp("fitted"), RECIPE)


@pytest.fixture(scope="module")
def loaded(
    tmp_path_factory: pytest.TempPathFactory, tiny_trained_dir: Path, fitted: Path
) -> StanceModel:
    folder = tmp_path_factory.mktemp("exported")
    export(fitted, tiny_trained_dir / "tokenizer.json", folder)
    describe(folder, LABELS, temperature=1.0, thresholds={}, manifest="", dev={})
    return load(folder, engine="onnx", threads=1)


def test_any_label_set_goes_through_to_predictions(loaded: StanceModel) -> None:
    assert loaded.labels == LABELS
    answer = loaded.predict("We welcome it.", "tax")
    assert tuple(answer.probabilities) == LABELS.names
    p = answer.probabilities
    assert answer.score == pytest.approx(p["favour"] - p["against"], abs=1e-6)


def test_transformers_sees_the_new_labels(loaded: StanceModel) -> None:
    import transformers

    config = transformers.AutoConfig.from_pretrained(loaded.checkpoint.folder)
    assert config.id2label == dict(enumerate(LABELS.names))
    assert config.label2id == {name: i for i, name in enumerate(LABELS.names)}


def test_it_learns_what_the_rows_show(loaded: StanceModel) -> None:
    from sklearn.metrics import f1_score

    answers = [p.label for p in loaded.predict_many(rows())]
    # Guessing gives 1/3.
    assert f1_score([e.label for e in rows()], answers, average="macro") > 0.8


def test_what_it_writes_is_in_float32(fitted: Path) -> None:
    assert {value.dtype for value in weights(fitted).values()} == {np.dtype(np.float32)}


class Stopped(Exception):
    pass


def test_an_interrupted_run_goes_on_to_the_same_weights(
    tmp_path: Path, tiny_trained_dir: Path, fitted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure = loop._macro_f1
    epochs = []

    def stop_after_the_first_epoch(predicted: Any) -> dict[str, float]:
        epochs.append(1)
        if len(epochs) == 1:
            raise Stopped
        return measure(predicted)

    monkeypatch.setattr(loop, "_macro_f1", stop_after_the_first_epoch)
    monkeypatch.setattr(loop, "SAVE_STEPS", 8)  # not a divisor of the 11 steps an epoch has
    with pytest.raises(Stopped):
        fit(tiny_trained_dir, rows(), rows(), LABELS, tmp_path, RECIPE)
    assert [path.name for path in (tmp_path / "checkpoints").glob("checkpoint-*")] == [
        "checkpoint-8"
    ]
    assert not (tmp_path / "model.safetensors").exists()
    # From the eighth step on: both epochs are still to be measured.
    fit(tiny_trained_dir, rows(), rows(), LABELS, tmp_path, RECIPE)
    assert len(epochs) == 3
    for name, value in weights(fitted).items():
        np.testing.assert_allclose(weights(tmp_path)[name], value, atol=1e-6, err_msg=name)


def test_a_published_checkpoint_can_be_trained_further(
    tmp_path: Path, tiny_model_dir: Path
) -> None:
    fit(tiny_model_dir, rows(12), rows(12), LABELS, tmp_path, RECIPE)
    for name, value in weights(tmp_path).items():
        assert value.dtype == np.float32, name  # published in fp16; too coarse to train in
        assert np.isfinite(value).all(), name


@pytest.mark.parametrize("split", ["train", "dev"])
def test_an_example_without_a_label_is_refused_by_number(
    split: str, tmp_path: Path, tiny_trained_dir: Path
) -> None:
    good, bad = rows(6), [*rows(6)[:4], Example("We wait.", "tax")]
    with pytest.raises(InputError) as caught:
        fit(
            tiny_trained_dir,
            bad if split == "train" else good,
            bad if split == "dev" else good,
            LABELS,
            tmp_path,
            RECIPE,
        )
    assert "example 5: found no label, wanted one of favour, against, neutral" in str(caught.value)


def test_a_label_outside_the_set_is_refused(tmp_path: Path, tiny_trained_dir: Path) -> None:
    bad = [*rows(6), Example("We wait.", "tax", label="optimistic")]
    with pytest.raises(RecordError, match="'optimistic', wanted one of favour, against, neutral"):
        fit(tiny_trained_dir, bad, rows(6), LABELS, tmp_path, RECIPE)


def test_a_label_outside_the_set_is_refused_by_number(
    tmp_path: Path, tiny_trained_dir: Path
) -> None:
    bad = [*rows(6), Example("We wait.", "tax", label="optimistic")]
    with pytest.raises(RecordError, match="example 7"):
        fit(tiny_trained_dir, bad, rows(6), LABELS, tmp_path, RECIPE)


def test_a_long_statement_gives_a_row_a_window(tiny_trained_dir: Path) -> None:
    from stancekit.encoding import WINDOW, Encoder

    encoder = Encoder(tiny_trained_dir / "tokenizer.json")
    examples = [Example("we wait " * 200, "tax", label="neutral"), rows(1)[0]]
    made = feed(encoder, examples, LABELS)
    assert [row["labels"] for row in made] == [2] * (len(made) - 1) + [0]
    assert len(made) > 2
    for row, (ids, types) in zip(
        made, [(w.ids, w.types) for ws in encoder.encode(examples) for w in ws], strict=True
    ):
        assert row["input_ids"] == ids.tolist() and row["token_type_ids"] == types.tolist()
        assert len(ids) <= WINDOW


def test_a_batch_is_padded_as_the_engines_pad(tiny_trained_dir: Path) -> None:
    from stancekit.encoding import Encoder
    from stancekit.engines import pad

    encoder = Encoder(tiny_trained_dir / "tokenizer.json")
    batch = Collator(0, types=True)(feed(encoder, rows(5), LABELS))
    assert batch.pop("labels").tolist() == [0, 1, 2, 0, 1]
    wanted = pad([w for (w,) in encoder.encode(rows(5))], 0)
    assert {name: array.tolist() for name, array in batch.items()} == {
        name: array.tolist() for name, array in wanted.items()
    }


def test_an_encoder_without_segments_is_not_given_any(tiny_trained_dir: Path) -> None:
    from stancekit.encoding import Encoder

    encoder = Encoder(tiny_trained_dir / "tokenizer.json")
    batch = Collator(0, types=False)(feed(encoder, rows(5), LABELS))
    assert set(batch) == {"input_ids", "attention_mask", "labels"}


def test_probabilities_can_be_taught_in_place_of_labels(
    tmp_path: Path, tiny_trained_dir: Path
) -> None:
    from training.probabilities import probabilities

    # Every label turned to the next one, and none of it to be had from the rows themselves.
    wanted = np.eye(3, dtype=np.float32)[[(LABELS.index(str(e.label)) + 1) % 3 for e in rows()]]
    unlabelled = [Example(e.statement, e.topic) for e in rows()]
    recipe = Recipe(epochs=3, learning_rate=5e-3, batch=4, label_smoothing=0)
    fit(tiny_trained_dir, unlabelled, rows(6), LABELS, tmp_path, recipe, wanted)
    answers = probabilities(tmp_path, tiny_trained_dir / "tokenizer.json", unlabelled)
    assert np.mean(answers.argmax(1) == wanted.argmax(1)) > 0.8
    with pytest.raises(InputError, match=r"targets: found shape \(41, 3\), wanted shape \(42, 3\)"):
        fit(tiny_trained_dir, unlabelled, rows(6), LABELS, tmp_path, recipe, wanted[:41])


def test_frozen_layers_keep_their_weights(tmp_path: Path, tiny_trained_dir: Path) -> None:
    recipe = Recipe(epochs=1, learning_rate=5e-3, batch=4, frozen_layers=1)
    before, after = (
        weights(tiny_trained_dir),
        weights(fit(tiny_trained_dir, rows(), rows(6), LABELS, tmp_path, recipe)),
    )
    frozen = [n for n in after if ".embeddings." in n or ".layer.0." in n]
    assert len(frozen) > 10
    for name in frozen:
        np.testing.assert_array_equal(after[name], before[name])
    moved = [n for n in after if ".layer.1." in n and n.endswith("weight")]
    assert moved and all(not np.array_equal(after[n], before[n]) for n in moved)


def test_macro_f1_is_that_of_scikit_learn() -> None:
    from sklearn.metrics import accuracy_score, f1_score

    dice = np.random.default_rng(4)
    logits, gold = dice.normal(size=(50, 4)).astype(np.float32), dice.integers(0, 3, 50)
    scores = loop._macro_f1((logits, gold))
    answers = logits.argmax(1)
    assert scores["macro_f1"] == pytest.approx(
        f1_score(gold, answers, average="macro", labels=range(4), zero_division=0)
    )
    assert scores["accuracy"] == pytest.approx(accuracy_score(gold, answers))


def test_a_missing_extra_says_what_to_type(
    tmp_path: Path, tiny_trained_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtraError, match=r"type: pip install 'stancekit\[train\]'$"):
        fit(tiny_trained_dir, rows(3), rows(3), LABELS, tmp_path, RECIPE)


def test_checkpoints_of_another_run_are_not_gone_on_from(
    tmp_path: Path, tiny_trained_dir: Path
) -> None:
    fit(tiny_trained_dir, rows(12), rows(12), LABELS, tmp_path, RECIPE)
    with pytest.raises(InputError, match="checkpoints of another run"):
        fit(tiny_trained_dir, rows(13), rows(12), LABELS, tmp_path, RECIPE)
