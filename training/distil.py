"""The student: a small encoder that learns a teacher's probabilities beside the gold labels."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stancekit.finetune import Recipe, fit
from stancekit.records import Example
from training.manifest import LABELS, Manifest
from training.probabilities import probabilities
from training.teacher import SECOND

STUDENT = Recipe(epochs=4.5, learning_rate=2e-4, batch=64, label_smoothing=0, dropout=0)
SURE = 0.9  # of ``none``
MOST_NONE = 0.25  # share of the questions that may be answered so
GOLD_SHARE = 0.5  # of the target, where a row has both a label and the teacher's answer


def distil(
    base: Path, teacher: Path, manifest: Manifest, asked: Sequence[Example], work: Path
) -> Path:
    """Train the student; the folder it is in.

    Labelled rows have gold label and teacher's answer in equal parts, questions, which nobody
    labelled, the answer alone.

    Args:
        base: the student's encoder.
        teacher: a fine-tuned folder with its ``tokenizer.json``.
        manifest: labelled rows.
        asked: unlabelled examples for the teacher to answer.
        work: folder for the answers and the student.
    """
    labelled = [row.example for row in manifest.train]
    answers = unsmoothed(answered(teacher, [*labelled, *asked], work))
    ours, theirs = answers[: len(labelled)], answers[len(labelled) :]
    kept = worth_learning(theirs, STUDENT.seed)
    print(f"{len(kept)} of {len(asked)} questions are worth learning", flush=True)
    rows = [*labelled, *(asked[i] for i in kept)]
    targets = np.concatenate([GOLD_SHARE * gold(labelled) + (1 - GOLD_SHARE) * ours, theirs[kept]])
    dev = [row.example for row in manifest.dev if row.real]
    return fit(base, rows, dev, LABELS, work / "student", STUDENT, targets.astype(np.float32))


def worth_learning(answers: NDArray[np.float64], seed: int) -> NDArray[np.int64]:
    """Places of the questions to keep, in order.

    A statement put to another's topic is mostly about something else, and the student soon knows:
    of answers that are surely ``none`` a draw is enough.
    """
    sure = answers[:, LABELS.index("none")] > SURE
    others, nones = np.flatnonzero(~sure), np.flatnonzero(sure)
    most = int(len(others) * MOST_NONE / (1 - MOST_NONE))
    if len(nones) > most:
        nones = np.random.default_rng(seed).choice(nones, most, replace=False)
    return np.sort(np.concatenate([others, nones]))


def unsmoothed(answers: NDArray[np.float64]) -> NDArray[np.float64]:
    """The answers less the share of every label that the teacher's own targets taught it to give.

    What is left is what the teacher holds; handed on, the share would make the student unsure of
    all it knows.
    """
    share = SECOND.label_smoothing / answers.shape[1]
    left = np.maximum(answers - share, 0)
    result: NDArray[np.float64] = left / left.sum(axis=1, keepdims=True)
    return result


def answered(teacher: Path, rows: Sequence[Example], work: Path) -> NDArray[np.float64]:
    """The teacher's probabilities, kept on disk: they take as long as an epoch of the student."""
    weights = (teacher / "model.safetensors").stat()
    key = repr(
        ([(e.statement, e.topic, e.speaker) for e in rows], weights.st_size, weights.st_mtime)
    )
    file = work / f"answers-{hashlib.sha256(key.encode()).hexdigest()[:12]}.npy"
    if not file.exists():
        work.mkdir(parents=True, exist_ok=True)
        # Saved aside and moved, so that a file that is there is whole.
        part = file.with_suffix(".part.npy")
        np.save(part, probabilities(teacher, teacher / "tokenizer.json", rows))
        part.rename(file)
    kept: NDArray[np.float64] = np.load(file)
    return kept


def gold(rows: Sequence[Example]) -> NDArray[np.float64]:
    """One-hot rows of shape (rows, labels)."""
    places = [LABELS.index(str(row.label)) for row in rows]
    result: NDArray[np.float64] = np.eye(len(LABELS.names))[places]
    return result
