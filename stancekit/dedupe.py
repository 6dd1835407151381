"""The same question asked once: archives repeat themselves, as wire copy does."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from hashlib import blake2b
from struct import Struct

from stancekit.records import Example, LabelSet, Prediction
from stancekit.scoring import Scorer

__all__ = ["REMEMBERED", "Remembering"]

# Answers kept. At about 300 bytes each (digest, packed answer, their place in the order) 40 MB,
# whatever the size of the archive.
REMEMBERED = 131_072


class Remembering:
    """A model that is not asked again what it answered lately.

    Answers do not depend on what else is asked with them, so remembering changes none.

    Args:
        model: is asked what is new.
        most: answers kept; those longest unasked go first.
    """

    def __init__(self, model: Scorer, most: int = REMEMBERED) -> None:
        self._model = model
        self._most = most
        self._answers: OrderedDict[bytes, bytes] = OrderedDict()
        # Probabilities, score, number of the label, windows.
        self._packed = Struct(f"<{len(model.labels)}ddii")

    def __len__(self) -> int:
        return len(self._answers)

    @property
    def labels(self) -> LabelSet:
        """The model's."""
        return self._model.labels

    def predict_many(self, rows: Iterable[Example]) -> list[Prediction]:
        """One prediction a row, in order; ``RecordError`` if a row cannot be scored."""
        examples = list(rows)
        keys = [_digest(example) for example in examples]
        known: dict[bytes, bytes] = {}
        new: dict[bytes, Example] = {}
        for key, example in zip(keys, examples, strict=True):
            if key in self._answers:
                self._answers.move_to_end(key)
                known[key] = self._answers[key]
            else:
                new[key] = example
        answers = self._model.predict_many(new.values()) if new else []
        for key, answer in zip(new, answers, strict=True):
            known[key] = self._answers[key] = self._pack(answer)
        while len(self._answers) > self._most:
            self._answers.popitem(last=False)
        return [self._unpack(known[key]) for key in keys]

    def _pack(self, answer: Prediction) -> bytes:
        label = self.labels.index(answer.label)
        return self._packed.pack(
            *answer.probabilities.values(), answer.score, label, answer.windows
        )

    def _unpack(self, answer: bytes) -> Prediction:
        *probabilities, score, label, windows = self._packed.unpack(answer)
        names = self.labels.names
        return Prediction(
            names[label], dict(zip(names, probabilities, strict=True)), score, windows
        )


def _digest(example: Example) -> bytes:
    """Sixteen bytes that stand for a question; two that differ share them once in 2^64."""
    speaker = "" if example.speaker is None else example.speaker  # an Example's is never empty
    sizes = f"{len(example.statement)} {len(example.topic)} "
    text = sizes + example.statement + example.topic + speaker
    return blake2b(text.encode(), digest_size=16).digest()
