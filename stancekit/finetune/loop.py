"""Fine-tuning: labelled examples in, a Hugging Face folder out.

What the model reads is made by ``stancekit.encoding``, the same code that prediction uses. The
loop is the Trainer of ``transformers``; it keeps a checkpoint an epoch, so an interrupted run goes
on where it stopped when it is started again with the same arguments.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stancekit.encoding import Encoder
from stancekit.engines import takes_types
from stancekit.errors import InputError, MissingExtraError
from stancekit.finetune.feeding import Collator, feed, pad_id
from stancekit.finetune.watching import Watch, callbacks
from stancekit.records import Example, LabelSet

if TYPE_CHECKING:
    import torch

__all__ = ["Recipe", "fit"]

# Between checkpoints, unless an epoch is shorter: minutes, even of a large encoder.
SAVE_STEPS = 200
NEW, STARTED, FINISHED = "new", "started", "finished"


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
        dropout: share of activations left out while training, in [0, 1); None keeps the encoder's
            own. Drawing them is slow on processors.
        seed: of shuffling, dropout and the new output layer.
    """

    epochs: float = 4
    learning_rate: float = 1e-4
    batch: int = 32
    label_smoothing: float = 0.05
    weight_decay: float = 0.01
    warmup: float = 0.06
    frozen_layers: int = 0
    dropout: float | None = None
    seed: int = 13


def fit(
    base: Path,
    train: Sequence[Example],
    dev: Sequence[Example],
    labels: LabelSet,
    output: Path,
    recipe: Recipe,
    targets: NDArray[np.float32] | None = None,
    *,
    patience: int = 0,
    weights: Sequence[float] | None = None,
    watch: Watch | None = None,
) -> Path:
    """Fine-tune an encoder.

    By default to the end of the recipe: the rate falls to zero by the last step, so the last epoch
    is the one to keep, and dev stays unspent. With ``patience`` the weights of the best macro-F1 on
    dev are kept, and dev's score leans to the kind side.

    Args:
        base: a Hugging Face folder with ``tokenizer.json``: an encoder, or a classifier to go on
            from.
        train: examples with labels.
        dev: examples with labels, scored after each epoch (with ``patience``, after
            ``SAVE_STEPS`` steps where an epoch is longer).
        labels: the label set, in the order of the model's outputs.
        output: folder for the result; checkpoints go to ``output/checkpoints``.
        recipe: how to train.
        targets: what to teach in place of the training examples' own labels: probabilities of
            shape (examples, labels), such as another model's; rows sum to 1.
        patience: stop after so many scorings on dev without a better macro-F1, and keep the best;
            0 trains to the end and keeps the last.
        weights: what a row of each label counts, in the order of the labels; all alike by default.
        watch: called with every step and every score, in place of the Trainer's own bar and log.

    Returns:
        ``output``, which ``AutoModelForSequenceClassification.from_pretrained`` opens.

    Raises:
        InputError: an example has no label, or ``output`` holds checkpoints of another run, or
            ``targets`` are not of the shape above, or layers of an encoder without such are frozen.
        RecordError: an example has a label outside the set.
        MissingExtraError: torch, transformers or accelerate is not installed.
    """
    try:
        import accelerate  # noqa: F401  # the Trainer needs it, and would say so less clearly
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
        # On processors, torch's own attention makes a product a head and row, one after another.
        attn_implementation=None if torch.accelerator.is_available() else "eager",
    )
    _freeze(model, recipe.frozen_layers)
    if recipe.dropout is not None:
        for part in model.modules():
            if isinstance(part, torch.nn.Dropout):
                part.p = recipe.dropout
    if targets is not None and targets.shape != (len(train), len(labels.names)):
        wanted = f"shape {(len(train), len(labels.names))}"
        raise InputError("targets", f"shape {targets.shape}", wanted)
    train_rows = feed(encoder, train, labels, targets)
    dev_rows = feed(encoder, dev, labels)
    run: tuple[object, ...] = (str(base), labels, recipe, train_rows)
    if patience:
        run += (patience, dev_rows)
    if weights is not None:
        run += (tuple(weights),)
    checkpoints = output / "checkpoints"
    state = _state(checkpoints, hashlib.sha256(repr(run).encode()).hexdigest())
    if state == FINISHED:
        return output
    steps = -(-len(train_rows) // recipe.batch)  # an epoch

    counts = None if weights is None else torch.tensor(weights, dtype=torch.float32)

    def loss(outputs: Any, gold: torch.Tensor, num_items_in_batch: Any = None) -> torch.Tensor:
        # Takes labels and probabilities alike, which the model's own loss does not.
        return torch.nn.functional.cross_entropy(
            outputs.logits.float(),
            gold,
            weight=None if counts is None else counts.to(outputs.logits.device),
            label_smoothing=recipe.label_smoothing,
        )

    every = min(SAVE_STEPS, steps)

    trainer = transformers.Trainer(
        model=model,
        compute_loss_func=loss,
        args=transformers.TrainingArguments(
            output_dir=str(checkpoints),
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
            # The best weights can only be kept if whatever is scored is saved.
            eval_strategy="steps" if patience else "epoch",
            eval_steps=every,
            save_strategy="steps",
            save_steps=every,
            save_total_limit=1,
            load_best_model_at_end=patience > 0,
            metric_for_best_model="macro_f1" if patience else None,
            greater_is_better=True,
            # How long a run has been without a better score outlives an interruption.
            restore_callback_states_from_checkpoint=patience > 0,
            logging_steps=50,
            disable_tqdm=watch is not None,
            # The collator itself leaves out what the model does not take.
            remove_unused_columns=False,
            report_to=[],
            seed=recipe.seed,
            dataloader_pin_memory=False,
        ),
        train_dataset=train_rows,
        eval_dataset=dev_rows,
        data_collator=Collator(pad_id(base), takes_types(model)),
        compute_metrics=_macro_f1,
        callbacks=callbacks(transformers, patience, watch),
    )
    if watch is not None:
        trainer.remove_callback(transformers.PrinterCallback)
    trainer.train(resume_from_checkpoint=state == STARTED)
    trainer.save_model(str(output))
    (checkpoints / FINISHED).touch()
    return output


def _state(folder: Path, run: str) -> str:
    """How far this very run has come: ``new``, ``started``, ``finished``; marks the folder as its.

    What a run that was killed had only half saved is removed.
    """
    for saved in folder.glob("checkpoint-*"):
        # Of all files of a checkpoint this one is written last.
        try:
            json.loads((saved / "trainer_state.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            shutil.rmtree(saved)
    mark = folder / "run"
    started = any(folder.glob("checkpoint-*"))
    if started and not (mark.is_file() and mark.read_text(encoding="utf-8") == run):
        raise InputError(
            str(folder),
            "checkpoints of another run",
            "those of the same encoder, rows, labels and recipe",
            "choose another folder or remove this one",
        )
    if started and (folder / FINISHED).is_file():
        return FINISHED
    folder.mkdir(parents=True, exist_ok=True)
    mark.write_text(run, encoding="utf-8")
    return STARTED if started else NEW


def _freeze(model: Any, layers: int) -> None:
    """Take embeddings and the lowest layers out of training."""
    if not layers:
        return
    inner = model.base_model
    if not hasattr(inner, "embeddings") or not hasattr(getattr(inner, "encoder", None), "layer"):
        raise InputError(
            "frozen_layers",
            f"an encoder of another build ({type(inner).__name__})",
            "one with embeddings and a list of layers, as BERT has",
            "freeze none",
        )
    for part in [inner.embeddings, *inner.encoder.layer[:layers]]:
        part.requires_grad_(False)


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
