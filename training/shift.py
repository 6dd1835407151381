"""The student's leanings to one label or another, put right.

Questions that nobody labelled are mostly about something else than their statement, so a student
of them leans to ``none``, and has seen fewer of the other labels than the world holds. One number a
label, added to its logit, undoes that: the numbers that make dev's labels likeliest, found together
with a temperature, which is then thrown away and fitted anew on what ships. Source: Guo et al.
2017, section 4.2, vector scaling, of which these are the biases.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stancekit.records import Example
from training.manifest import LABELS
from training.probabilities import probabilities

SMALLEST = 1e-9  # of a probability whose logarithm is taken


def shifted(student: Path, tokenizer: Path, dev: Sequence[Example], output: Path) -> Path:
    """The student with its output biases moved; the folder it is in.

    Args:
        student: a fine-tuned classifier.
        tokenizer: its ``tokenizer.json``.
        dev: labelled rows that it did not learn from.
        output: folder to write.
    """
    import torch
    import transformers

    answers = probabilities(student, tokenizer, dev)
    gold = np.array([LABELS.index(str(row.label)) for row in dev])
    moved = shift(np.log(np.maximum(answers, SMALLEST)), gold)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        student, dtype=torch.float32
    )
    with torch.no_grad():
        model.classifier.bias += torch.from_numpy(moved.astype(np.float32))
    model.save_pretrained(output)
    return output


def shift(logits: NDArray[np.float64], gold: NDArray[np.int64]) -> NDArray[np.float64]:
    """What to add to the logits of each label, shape (labels,), summing to 0.

    Args:
        logits: shape (rows, labels).
        gold: shape (rows,), the position of each gold label.
    """
    from scipy.optimize import minimize

    rows, labels = logits.shape

    def loss(free: NDArray[np.float64]) -> float:
        scores = logits * np.exp(free[0]) + np.append(free[1:], 0)
        scores -= scores.max(axis=1, keepdims=True)
        own = scores[np.arange(rows), gold]
        return float(np.mean(np.log(np.exp(scores).sum(axis=1)) - own))

    best = minimize(loss, np.zeros(labels)).x
    # Before the scale, where the biases of a model are.
    moved = np.append(best[1:], 0) / np.exp(best[0])
    result: NDArray[np.float64] = moved - moved.mean()
    return result
