"""The same encoder taught twice on the same gold labels: looking both ways, and topics one way."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.shared_topics import sharing
from stancekit.encoding import Encoder, Window
from stancekit.engines import pad as padded
from stancekit.finetune.loop import has_bfloat16
from stancekit.records import Example, LabelSet
from training.probabilities import of_windows

if TYPE_CHECKING:
    import torch

    Forward = Callable[[Any, Sequence[Window], int], torch.Tensor]

NEIGHBOURS = 50  # batches among which rows are sorted by length


@dataclass(frozen=True)
class Plan:
    """How both are taught: the bundled student's recipe, with gold labels alone."""

    epochs: int = 2
    learning_rate: float = 2e-4
    batch: int = 64
    weight_decay: float = 0.01
    warmup: float = 0.06
    seed: int = 13


def both_ways(model: Any, windows: Sequence[Window], pad: int) -> torch.Tensor:
    """Logits as the bundled model gives them: every token looks at every other."""
    import torch

    arrays = padded(windows, pad, types=True)
    logits: torch.Tensor = model(**{k: torch.from_numpy(a) for k, a in arrays.items()}).logits
    return logits


def one_way(model: Any, windows: Sequence[Window], pad: int) -> torch.Tensor:
    """Logits where the statement's tokens do not look at the topic's."""
    return sharing.logits(model, sharing.alone(windows, pad))


def fresh(base: Path, labels: LabelSet, seed: int) -> Any:
    """The encoder with an output layer that has learnt nothing."""
    import torch
    import transformers

    transformers.set_seed(seed)
    return transformers.AutoModelForSequenceClassification.from_pretrained(
        base,
        num_labels=len(labels.names),
        dtype=torch.float32,
        attn_implementation="eager",  # as in stancekit.finetune.loop
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )


def learn(
    base: Path, forward: Forward, train: Sequence[Example], labels: LabelSet, plan: Plan
) -> Any:
    """The encoder, taught."""
    import torch

    model = fresh(base, labels, plan.seed)
    pad = model.config.pad_token_id
    rows = [
        (window, labels.index(str(example.label)))
        for example, windows in zip(
            train, Encoder(base / "tokenizer.json").encode(train), strict=True
        )
        for window in windows
    ]
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay
    )
    steps = plan.epochs * -(-len(rows) // plan.batch)
    warmup = max(1, int(steps * plan.warmup))
    rate = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / warmup, (steps - step) / (steps - warmup))
    )
    model.train()
    for step, batch in enumerate(_shuffled(rows, plan), start=1):
        with torch.autocast("cpu", torch.bfloat16, enabled=has_bfloat16(torch)):
            logits = forward(model, [window for window, _ in batch], pad)
        gold = torch.tensor([label for _, label in batch])
        loss = torch.nn.functional.cross_entropy(logits.float(), gold)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        rate.step()
        optimiser.zero_grad()
        if step % 50 == 0:
            print(f"step {step} of {steps}: loss {loss.item():.3f}", flush=True)
    return model.eval()


def answers(
    model: Any, forward: Forward, base: Path, rows: Sequence[Example]
) -> NDArray[np.float64]:
    """Shape (rows, labels), rows summing to 1; a statement of several windows has their mean."""
    import torch

    pad = model.config.pad_token_id

    def logits(windows: Sequence[Window]) -> NDArray[np.float32]:
        answer: NDArray[np.float32] = forward(model, windows, pad).float().numpy()
        return answer

    with torch.inference_mode():
        encoder = Encoder(base / "tokenizer.json")
        return of_windows(logits, encoder, rows, model.config.num_labels)


def _shuffled(rows: Sequence[tuple[Window, int]], plan: Plan) -> Iterator[list[tuple[Window, int]]]:
    """Batches of rows of like length, in random order, epoch after epoch."""
    rng = random.Random(plan.seed)
    for _ in range(plan.epochs):
        order = rng.sample(range(len(rows)), len(rows))
        parts = []
        for start in range(0, len(order), plan.batch * NEIGHBOURS):
            near = sorted(
                order[start : start + plan.batch * NEIGHBOURS], key=lambda i: len(rows[i][0])
            )
            parts += [near[k : k + plan.batch] for k in range(0, len(near), plan.batch)]
        rng.shuffle(parts)
        for part in parts:
            yield [rows[i] for i in part]
