"""Fine-tuning: labelled examples in, a Hugging Face folder out.

What the model reads is made by ``stancekit.encoding``, the same code that prediction uses. The
loop is the Trainer of ``transformers``; it keeps a checkpoint an epoch, so an interrupted run goes
on where it stopped when it is started again with the same arguments.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stancekit.encoding import Encoder, Window
from stancekit.engines import pad
from stancekit.errors import InputError, MissingExtraError, RecordError
from stancekit.records import Example, LabelSet

if TYPE_CHECKING:
    import torch

__all__ = ["Recipe", "fit"]

# Between checkpoints, unless an epoch is shorter: minutes, even of a large encoder.
SAVE_STEPS = 200


@dataclass(frozen=True)
class Recipe:
    """How to train.

    The defaults are those a six-layer encoder took best to on this project's dev rows.

    Attributes:
        epochs: passes over the training rows.
        learning_rate: peak, reached after a warm-up and then lowered linearly to zero.
        batch: rows a step.
        label_smoothing: share of the target spread over all labels, in [0, 1).
        weight_decay: of AdamW.
        warmup: share of all steps over which the rate rises, in [0, 1].
        frozen_layers: embeddings and this many of the lowest layers keep their weights, which saves
            time and, with few labels, what the encoder knew before; 0 trains everything.
        seed: of shuffling, dropout and the new output layer.
    """

    epochs: float = 4
    learning_rate: float = 1e-4
    batch: int = 32
    label_smoothing: float = 0.05
    weight_decay: float = 0.01
    warmup: float = 0.06
    frozen_layers: int = 0
    seed: int = 13


def fit(
    base: Path,
    train: Sequence[Example],
    dev: Sequence[Example],
    labels: LabelSet,
    output: Path,
    recipe: Recipe,
    targets: NDArray[np.float32] | None = None,
) -> Path:
    """Fine-tune an encoder to the end of the recipe.

    The rate falls to zero by the last step, so the last epoch is the one to keep; choosing among
    epochs by dev would spend dev, whose score is then no longer that of unseen rows.

    Args:
        base: a Hugging Face folder with ``tokenizer.json``: an encoder, or a classifier to go on
            from.
        train: examples with labels.
        dev: examples with labels, scored after each epoch for the log alone.
        labels: the label set, in the order of the model's outputs.
        output: folder for the result; checkpoints go to ``output/checkpoints``.
        recipe: how to train.
        targets: what to teach in place of the training examples' own labels: probabilities of
            shape (examples, labels), such as another model's; rows sum to 1.

    Returns:
        ``output``, which ``AutoModelForSequenceClassification.from_pretrained`` opens.

    Raises:
        InputError: an example has no label, or ``output`` holds checkpoints of another run, or
            ``targets`` are not of the shape above.
        RecordError: an example has a label outside the set.
        MissingExtraError: torch or transformers is not installed.
    """
    try:
        import torch
        import transformers
    except ImportError as error:
        raise MissingExtraError(error.name or "torch", "train") from None

    encoder = Encoder(base / "tokenizer.json")
    transformers.set_seed(recipe.seed)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        base,
        id2label=dict(enumerate(labels.names)),
        label2id={name: i for i, name in enumerate(labels.names)},
        # A classifier trained on other labels starts again from a fresh output layer.
        ignore_mismatched_sizes=True,
        # Published weights are in fp16, too coarse to take small steps in.
        dtype=torch.float32,
    )
    _freeze(model, recipe.frozen_layers)
    if targets is not None and targets.shape != (len(train), len(labels.names)):
        wanted = f"shape {(len(train), len(labels.names))}"
        raise InputError("targets", f"shape {targets.shape}", wanted)
    train_rows = _rows(encoder, train, labels, targets)
    run = hashlib.sha256(repr((str(base), labels, recipe, train_rows)).encode()).hexdigest()
    dev_rows = _rows(encoder, dev, labels)
    steps = -(-len(train_rows) // recipe.batch)  # an epoch

    def loss(outputs: Any, gold: torch.Tensor, num_items_in_batch: Any = None) -> torch.Tensor:
        # Takes labels and probabilities alike, which the model's own loss does not.
        return torch.nn.functional.cross_entropy(
            outputs.logits.float(), gold, label_smoothing=recipe.label_smoothing
        )

    trainer = transformers.Trainer(
        model=model,
        compute_loss_func=loss,
        args=transformers.TrainingArguments(
            output_dir=str(output / "checkpoints"),
            num_train_epochs=recipe.epochs,
            learning_rate=recipe.learning_rate,
            per_device_train_batch_size=recipe.batch,
            per_device_eval_batch_size=64,
            weight_decay=recipe.weight_decay,
            warmup_steps=int(steps * recipe.epochs * recipe.warmup),
            # bfloat16 products halve the time on processors and GPUs that have them; the weights
            # themselves stay in float32.
            bf16=has_bfloat16(torch),
            use_cpu=not torch.accelerator.is_available(),
            train_sampling_strategy="group_by_length",
            eval_strategy="epoch",
            save_strategy="steps",
            save_steps=min(SAVE_STEPS, steps),
            save_total_limit=1,
            logging_steps=50,
            # The collator itself leaves out what the model does not take.
            remove_unused_columns=False,
            report_to=[],
            seed=recipe.seed,
            dataloader_pin_memory=False,
        ),
        train_dataset=train_rows,
        eval_dataset=dev_rows,
        data_collator=_Collator(pad_id(base), takes_types(model)),
        compute_metrics=_macro_f1,
    )
    trainer.train(resume_from_checkpoint=_started(output / "checkpoints", run))
    trainer.save_model(str(output))
    return output


def _started(folder: Path, run: str) -> bool:
    """Whether there is a checkpoint of this very run to go on from; marks the folder as its own."""
    mark = folder / "run"
    started = any(folder.glob("checkpoint-*"))
    if started and not (mark.is_file() and mark.read_text(encoding="utf-8") == run):
        raise InputError(
            str(folder),
            "checkpoints of another run",
            "those of the same encoder, rows, labels and recipe",
            "choose another folder or remove this one",
        )
    folder.mkdir(parents=True, exist_ok=True)
    mark.write_text(run, encoding="utf-8")
    return started


def _freeze(model: Any, layers: int) -> None:
    """Take embeddings and the lowest layers out of training."""
    if layers:
        frozen = [model.base_model.embeddings, *model.base_model.encoder.layer[:layers]]
        for part in frozen:
            part.requires_grad_(False)


def takes_types(model: Any) -> bool:
    """Whether an encoder tells topic from statement by segment ids; some have none."""
    return "token_type_ids" in inspect.signature(model.forward).parameters


def _rows(
    encoder: Encoder,
    examples: Sequence[Example],
    labels: LabelSet,
    targets: NDArray[np.float32] | None = None,
) -> list[dict[str, Any]]:
    """Training rows; a statement of several windows gives a row a window."""
    rows: list[dict[str, Any]] = []
    for number, (example, windows) in enumerate(
        zip(examples, encoder.encode(examples), strict=True), start=1
    ):
        if targets is not None:
            answer: int | list[float] = targets[number - 1].tolist()
        else:
            answer = _gold(example, labels, number)
        rows += [
            {
                "input_ids": window.ids.tolist(),
                "token_type_ids": window.types.tolist(),
                "labels": answer,
            }
            for window in windows
        ]
    return rows


def _gold(example: Example, labels: LabelSet, number: int) -> int:
    if example.label is None:
        raise InputError(f"example {number}", "no label", f"one of {', '.join(labels.names)}")
    if example.label not in labels.names:
        raise RecordError(
            f"example {number}", repr(example.label), f"one of {', '.join(labels.names)}"
        )
    return labels.index(example.label)


class _Collator:
    """Pads a batch to its own longest row."""

    def __init__(self, pad_id: int, types: bool) -> None:
        self.pad_id = pad_id
        self.types = types

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
        import torch

        windows = [
            Window(np.asarray(row["input_ids"]), np.asarray(row["token_type_ids"])) for row in rows
        ]
        batch = {name: torch.from_numpy(array) for name, array in pad(windows, self.pad_id).items()}
        if not self.types:
            del batch["token_type_ids"]
        return batch | {"labels": torch.tensor([row["labels"] for row in rows])}


def pad_id(base: Path) -> int:
    import transformers

    return int(transformers.AutoConfig.from_pretrained(base).pad_token_id or 0)


def has_bfloat16(torch: Any) -> bool:
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    # Only with the processor's own bfloat16 instructions; emulated, it is slower than float32.
    return bool(torch.cpu._is_avx512_bf16_supported())


def _macro_f1(predicted: tuple[NDArray[np.float32], NDArray[np.int64]]) -> dict[str, float]:
    logits, gold = predicted
    answers = logits.argmax(-1)
    scores = []
    for label in range(logits.shape[-1]):
        right = float(np.sum((answers == label) & (gold == label)))
        named = float(np.sum(answers == label) + np.sum(gold == label))
        scores.append(2 * right / named if named else 0.0)
    return {"macro_f1": float(np.mean(scores)), "accuracy": float(np.mean(answers == gold))}
