"""What else one could do with the same rows: baselines, each from rows to probabilities.

Those that learn do so from the very rows the model learnt from. Each gives an array of shape
(rows, labels), in the order of the labels, rows summing to 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stancekit.encoding import question
from stancekit.errors import MissingExtraError
from stancekit.finetune.loop import has_bfloat16
from stancekit.records import Example, LabelSet, Prediction

Matrix = NDArray[np.float64]
VADER_EDGE = 0.05  # of the compound score, in [-1, 1]; Hutto and Gilbert 2014, as their README has


def predictions_of(probabilities: Matrix, labels: LabelSet) -> list[Prediction]:
    """Rows of probabilities, shape (rows, labels), as predictions."""
    return [
        Prediction(
            labels.names[int(row.argmax())],
            dict(zip(labels.names, row.tolist(), strict=True)),
            labels.score(row.tolist()),
        )
        for row in probabilities
    ]


def majority(train: Sequence[Example], rows: Sequence[Example], labels: LabelSet) -> Matrix:
    """The shares of the training labels, for every row alike."""
    counted = Counter(example.label for example in train)
    shares = np.array([counted[name] / len(train) for name in labels.names])
    return np.tile(shares, (len(rows), 1))


def tfidf(train: Sequence[Example], rows: Sequence[Example], labels: LabelSet) -> Matrix:
    """Words and word pairs of question and statement, into a logistic regression."""
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer

    asked = TfidfVectorizer(sublinear_tf=True)
    said = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    asked.fit([question(e.topic, e.speaker) for e in train])
    said.fit([e.statement for e in train])

    def features(examples: Sequence[Example]) -> Any:
        questions = asked.transform([question(e.topic, e.speaker) for e in examples])
        return hstack([questions, said.transform([e.statement for e in examples])]).tocsr()

    return _regression(features(train), train, features(rows), labels)


def frozen(
    train: Sequence[Example], rows: Sequence[Example], labels: LabelSet, base: Path
) -> Matrix:
    """Mean-pooled embeddings of question and statement, their product and difference.

    The encoder is the one the model was fine-tuned from, left as it is.
    """

    def features(examples: Sequence[Example]) -> Matrix:
        asked = _embed([question(e.topic, e.speaker) for e in examples], base)
        said = _embed([e.statement for e in examples], base)
        return np.hstack([asked, said, asked * said, np.abs(asked - said)])

    return _regression(features(train), train, features(rows), labels)


def vader(rows: Sequence[Example], labels: LabelSet) -> Matrix:
    """Sentiment of the statement by a lexicon; learns nothing, and sees no topic or speaker.

    Positive is taken for optimistic, negative for opposed, and what is neither for none, each
    with certainty.

    Raises:
        MissingExtraError: vaderSentiment is not installed.
    """
    try:
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer
    except ImportError as error:
        raise MissingExtraError(error.name or "vaderSentiment", "dev") from None
    analyzer = SentimentIntensityAnalyzer()

    def label(statement: str) -> str:
        compound = analyzer.polarity_scores(statement)["compound"]
        if compound >= VADER_EDGE:
            return "optimistic"
        return "opposed" if compound <= -VADER_EDGE else "none"

    positions = [labels.index(label(row.statement)) for row in rows]
    result: Matrix = np.eye(len(labels))[positions]
    return result


def _embed(texts: Sequence[str], base: Path) -> Matrix:
    import torch
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(base)
    dtype = torch.bfloat16 if has_bfloat16(torch) else torch.float32
    encoder = transformers.AutoModel.from_pretrained(base, dtype=dtype).eval()
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
            pooled = torch.nn.functional.normalize(pooled.double()).numpy()
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
