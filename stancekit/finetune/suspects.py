"""Which labels are likeliest to be wrong: confident learning on out-of-fold predictions.

Each row is judged by a logistic regression on the encoder's frozen features, fitted to rows of
other groups, statements and, where there are enough, topics. Which of its disagreements to believe
is ``cleanlab``'s to say (Northcutt, Jiang and Chuang 2021, "Confident Learning").
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stancekit.checkpoint import TOKENIZER
from stancekit.encoding import Encoder
from stancekit.engines import pad, takes_types
from stancekit.errors import InputError, MissingExtraError
from stancekit.finetune.feeding import pad_id
from stancekit.finetune.labelled import Labelled
from stancekit.finetune.likeness import components
from stancekit.model import BUNDLED, batches
from stancekit.records import Example, LabelSet

__all__ = ["Suspect", "find_suspects"]

FOLDS = 5
LEAST_OF_A_LABEL = 5  # rows; with fewer a fold has none to fit to, and nothing can be said of it
BATCH_TOKENS = 2048  # padded


@dataclass(frozen=True, slots=True)
class Suspect:
    """A row whose label is likely to be wrong.

    Attributes:
        row: the row.
        likelier: the label that the others speak for.
        belief: probability of the label as it stands, by rows that do not include it; in [0, 1].
    """

    row: Labelled
    likelier: str
    belief: float

    def __str__(self) -> str:
        e = self.row.example
        return (
            f"{self.row.place}: {self.row.label} ({self.belief:.2f}), likelier {self.likelier}: "
            f"{e.topic} | {e.statement}"
        )


def find_suspects(
    rows: Sequence[Labelled], labels: LabelSet, base: Path | None, most: int
) -> list[Suspect]:
    """The rows whose labels are likeliest to be wrong, the worst first.

    Args:
        rows: at least five of each label that occurs.
        labels: the labels.
        base: folder of the encoder whose features tell statements apart; None: the bundled one.
        most: how many to give at most.

    Raises:
        InputError: a label has too few rows, or the rows cannot be parted.
        MissingExtraError: cleanlab, scikit-learn or torch is not installed.
    """
    try:
        from cleanlab.filter import find_label_issues
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
    except ImportError as error:
        raise MissingExtraError(error.name or "cleanlab", "suspects") from None
    names = [name for name in labels.names if any(row.label == name for row in rows)]
    given = np.array([names.index(row.label) for row in rows])
    for name, n in zip(names, np.bincount(given, minlength=len(names)), strict=True):
        if n < LEAST_OF_A_LABEL:
            raise InputError(
                f"label {name!r}", f"{n} rows", f"at least {LEAST_OF_A_LABEL}", "label more of it"
            )
    examples = [row.example for row in rows]
    together = components(examples, by_topic=True)
    if len(set(together)) < 2 * FOLDS:
        together = components(examples)
    if len(set(together)) < FOLDS:
        raise InputError("rows", f"{len(set(together))} groups", f"at least {FOLDS}")
    judge = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        predicted = cross_val_predict(
            judge,
            features(base or BUNDLED, examples),
            given,
            groups=together,
            cv=StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0),
            method="predict_proba",
        )
        places = find_label_issues(
            given, predicted, return_indices_ranked_by="self_confidence", n_jobs=1
        )
    return [
        Suspect(rows[i], names[int(predicted[i].argmax())], float(predicted[i, given[i]]))
        for i in places[:most]
    ]


def features(base: Path, rows: Sequence[Example]) -> NDArray[np.float32]:
    """The encoder's last layer, meaned over tokens and windows: shape (rows, width).

    Raises:
        MissingExtraError: torch or transformers is not installed.
    """
    try:
        import torch
        import transformers
    except ImportError as error:
        raise MissingExtraError(error.name or "torch", "train") from None
    model = transformers.AutoModel.from_pretrained(base, dtype=torch.float32).eval()
    encoded = Encoder(base / TOKENIZER).encode(rows)
    flat = [window for windows in encoded for window in windows]
    owners = np.repeat(np.arange(len(rows)), [len(windows) for windows in encoded])
    result = np.zeros((len(rows), model.config.hidden_size), dtype=np.float32)
    types, padding = takes_types(model), pad_id(base)
    with torch.inference_mode():
        for batch in batches(flat, BATCH_TOKENS):
            arrays = pad([flat[i] for i in batch], padding, types=types)
            inputs = {name: torch.from_numpy(array) for name, array in arrays.items()}
            hidden = model(**inputs).last_hidden_state.numpy()
            mask = arrays["attention_mask"][:, :, np.newaxis]
            np.add.at(result, owners[batch], (hidden * mask).sum(axis=1) / mask.sum(axis=1))
    counts = np.bincount(owners, minlength=len(rows)).astype(np.float32)
    result /= counts[:, np.newaxis]
    return result
