"""Which of some statements to take so that they differ: sketches of texts, and k-centre greedy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from stancekit.records import Example, Prediction

__all__ = ["distances", "embed", "spread"]

# Cells of a sketch. A statement has some 200 features, so few share a cell; a power of two.
CELLS = 1024
WORD = re.compile(r"\w+")
# Shares of statement, topic and answer in the square of a distance. A choice, not a measurement:
# wording first, since that is what a new label teaches most about.
SHARES = (0.6, 0.2, 0.2)


def embed(examples: Sequence[Example], predictions: Sequence[Prediction]) -> NDArray[np.float32]:
    """A vector a statement, near to those of like wording, topic and answer.

    The checkpoint's ONNX graph gives logits alone, and hidden states would need torch, which
    choosing statements should not; a hashed sketch of words and letters needs neither, tells
    repeated phrases and topics apart, and is the same on every machine.

    Returns:
        Shape (examples, features); each row has length 1, so that the distance of two rows is
        between 0 and the square root of 2.
    """
    parts = (
        _sketch([example.statement for example in examples]),
        _sketch([example.topic for example in examples]),
        # Square roots of probabilities have length 1, and their distance is Hellinger's.
        np.sqrt([list(p.probabilities.values()) for p in predictions]).astype(np.float32),
    )
    weighted = [part * np.sqrt(share) for part, share in zip(parts, SHARES, strict=True)]
    return np.concatenate(weighted, axis=1, dtype=np.float32)


def _sketch(texts: Sequence[str]) -> NDArray[np.float32]:
    """TF-IDF of words, neighbouring words and letters in threes, hashed; rows of length 1."""
    counts = np.zeros((len(texts), CELLS), dtype=np.float32)
    for row, text in zip(counts, texts, strict=True):
        for feature in _features(text):
            code = crc32(feature.encode())
            # A sign of its own for each feature: two in one cell then cancel as often as they add.
            row[code % CELLS] += 1 if code & 0x80000000 else -1
    found = np.count_nonzero(counts, axis=0)
    rarity = (np.log((1 + len(texts)) / (1 + found)) + 1).astype(np.float32)
    weighed = np.sign(counts) * np.log1p(np.abs(counts)) * rarity
    lengths = np.linalg.norm(weighed, axis=1, keepdims=True)
    sketches: NDArray[np.float32] = weighed / np.where(lengths, lengths, 1)
    return sketches


def _features(text: str) -> Iterator[str]:
    words = WORD.findall(text.lower())
    yield from words
    yield from (f"{first} {second}" for first, second in pairwise(words))
    for word in words:
        padded = f"<{word}>"
        yield from (f"#{padded[i : i + 3]}" for i in range(len(padded) - 2))


def distances(vectors: NDArray[np.float32], centre: int) -> NDArray[np.float32]:
    """From one vector to each, as shares of the largest there can be: shape (vectors,), in [0, 1].

    The vectors have length 1 and no two point away from each other.
    """
    cosines = np.clip(vectors @ vectors[centre], 0, 1)
    result: NDArray[np.float32] = np.sqrt(1 - cosines)
    return result


def spread(
    vectors: NDArray[np.float32],
    worth: NDArray[np.float64],
    documents: NDArray[np.intp],
    count: int,
    cap: int,
) -> Iterator[tuple[int, float]]:
    """Take vectors one by one, each far from those taken before: k-centre greedy, weighed by worth.

    The first is the one of most worth; then always that whose worth times distance from the nearest
    one taken is greatest. No document gives more than ``cap`` while another still has some to give;
    when none has, all may give one more.

    Args:
        vectors: shape (n, features), of length 1.
        worth: shape (n,), at least 0; of equals the first is taken.
        documents: shape (n,): the number of the document that each is from.
        count: how many to take; at most n.
        cap: at least 1.

    Yields:
        Index, and distance from the nearest taken before: 1 for the first.
    """
    nearest = np.ones(len(vectors), dtype=np.float32)
    left = np.ones(len(vectors), dtype=np.bool_)
    given = np.zeros(documents.max(initial=0) + 1, dtype=np.intp)
    for _ in range(count):
        while not (free := left & (given[documents] < cap)).any():
            cap += 1
        gain = np.where(free, worth * nearest, -1)
        if not gain.max() > 0:
            # All that is left repeats what was taken: worth alone decides.
            gain = np.where(free, worth, -1)
        best = int(np.argmax(gain))
        yield best, float(nearest[best])
        left[best] = False
        given[documents[best]] += 1
        nearest = np.minimum(nearest, distances(vectors, best))
