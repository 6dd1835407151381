"""Which labels are likeliest to be wrong: confident learning on out-of-fold predictions.

    python -m training.suspects --base DIR --texts DIR --work DIR [-n 300]

Every row is judged by a model that has not seen it, its topic or its document. A label is suspect
when another label's probability reaches what it usually is on rows that carry that other label
(Northcutt, Jiang and Chuang 2021, "Confident Learning"); the surest disagreements come first.
Prints JSON lines of position, label, suggestion and margin, to be read one by one by a person.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stancekit.finetune import Recipe, fit
from training import manifest as manifests
from training.manifest import LABELS
from training.probabilities import probabilities

FOLDS = 2  # each fold model sees half the rows, which is still more than most stance sets hold
RECIPE = Recipe(epochs=1)


def out_of_fold(rows: Sequence[manifests.Row], base: Path, work: Path) -> NDArray[np.float64]:
    """Probabilities of shape (rows, labels), each row's from the model of the other fold."""
    folds = fold_numbers(rows)
    examples = [row.example for row in rows]
    result = np.zeros((len(rows), len(LABELS.names)))
    for fold in range(FOLDS):
        theirs = [example for example, f in zip(examples, folds, strict=True) if f != fold]
        ours = np.flatnonzero(np.array(folds) == fold)
        held_out = [examples[i] for i in ours]
        folder = fit(base, theirs, held_out[:500], LABELS, work / f"fold{fold}", RECIPE)
        result[ours] = probabilities(folder, base / "tokenizer.json", held_out)
    return result


def fold_numbers(rows: Sequence[manifests.Row]) -> list[int]:
    """Fold of each row; rows that share a topic, document or statement share a fold."""
    place = {id(row): i for i, row in enumerate(rows)}
    folds = [0] * len(rows)
    sizes = [0] * FOLDS
    for component in sorted(manifests.components(rows), key=len, reverse=True):
        smallest = sizes.index(min(sizes))
        sizes[smallest] += len(component)
        for row in component:
            folds[place[id(row)]] = smallest
    return folds


def suspects(
    predicted: NDArray[np.float64], given: NDArray[np.int64]
) -> list[tuple[int, int, float]]:
    """Position, likelier label and margin of each suspect label, the largest margin first.

    Args:
        predicted: out-of-fold probabilities, shape (rows, labels).
        given: the labels as they stand, shape (rows,).
    """
    usual = np.array(
        [predicted[given == label, label].mean() for label in range(predicted.shape[1])]
    )
    confident = np.where(predicted >= usual, predicted, 0)
    likeliest = confident.argmax(axis=1)
    rows = np.arange(len(given))
    margin = confident[rows, likeliest] - predicted[rows, given]
    found = np.flatnonzero((likeliest != given) & (confident[rows, likeliest] > 0))
    return [
        (int(i), int(likeliest[i]), float(margin[i])) for i in found[np.argsort(-margin[found])]
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.suspects", description=__doc__)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--texts", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("-n", type=int, default=300)
    options = parser.parse_args()
    manifest = manifests.load(options.texts)
    rows = [*manifest.train, *manifest.dev]
    predicted = out_of_fold(rows, options.base, options.work)
    given = np.array([LABELS.index(str(row.example.label)) for row in rows])
    for i, label, margin in suspects(predicted, given)[: options.n]:
        example = rows[i].example
        facts = {
            "statement": example.statement,
            "topic": example.topic,
            "speaker": example.speaker,
            "label": example.label,
            "likelier": LABELS.names[label],
            "margin": round(margin, 3),
            "source": rows[i].source,
        }
        print(json.dumps(facts, ensure_ascii=False))


if __name__ == "__main__":
    main()
