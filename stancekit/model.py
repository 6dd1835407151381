"""StanceModel: from statements to stances, in the order they came."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stancekit.checkpoint import TOKENIZER, Checkpoint
from stancekit.encoding import Encoder, Window
from stancekit.engines import ENGINES, Engine, default_engine
from stancekit.errors import InputError, RecordError
from stancekit.reading import read
from stancekit.records import Article, Example, LabelSet, Prediction, Statement

__all__ = ["BUNDLED", "Row", "StanceModel", "batches", "load", "softmax"]

BUNDLED = Path(__file__).parent / "weights" / "stancekit-small-en"
CHUNK = 4096  # examples sorted by length together; more saves under 1% of padding

Row = Example | Mapping[str, object] | tuple[str, str]


class StanceModel:
    """A checkpoint and the engine that runs it.

    Args:
        checkpoint: the model folder, read.
        engine: what runs it.
    """

    def __init__(self, checkpoint: Checkpoint, engine: Engine) -> None:
        self.checkpoint = checkpoint
        self.engine = engine
        self._encoder = Encoder(checkpoint.file(TOKENIZER), checkpoint.window)

    @property
    def labels(self) -> LabelSet:
        """The labels, in the order of probabilities."""
        return self.checkpoint.labels

    def min_confidence(self, max_error: float) -> float:
        """The confidence from which predictions err no more often than wanted.

        Read from the checkpoint's table of rates, which was drawn up on held-out rows
        (``calibration.risk_thresholds`` says what it promises); a rate between two of the table
        counts as the stricter one.

        Args:
            max_error: share of predictions that may be wrong, in (0, 1).

        Raises:
            InputError: the table promises no rate as low as that.
        """
        table = sorted(
            (float(rate), confidence)
            for rate, confidence in self.checkpoint.facts["thresholds"].items()
            if confidence is not None
        )
        fitting = [confidence for rate, confidence in table if rate <= max_error]
        if not fitting or not max_error < 1:
            raise InputError(
                "max_error",
                f"{max_error:g}",
                "a rate the model was shown to keep to on held-out rows: from "
                f"{table[0][0]:g} up, below 1"
                if table
                else "a model with a table of thresholds, which this one lacks",
            )
        return float(fitting[-1])

    def predict(self, statement: str, topic: str, speaker: str | None = None) -> Prediction:
        """The stance of one statement toward a topic.

        Args:
            statement: a sentence or short passage; a long one is scored in windows.
            topic: a noun phrase or a claim.
            speaker: whose stance is asked for; None leaves it to the statement.

        Raises:
            RecordError: a text is empty, broken, or the topic is absurdly long.
        """
        return self.predict_many([Example(statement, topic, speaker)])[0]

    def predict_many(self, rows: Iterable[Row]) -> list[Prediction]:
        """The stance of each row, in order.

        Args:
            rows: ``Example`` records, dicts with ``statement``, ``topic`` and maybe ``speaker``
                (other keys are ignored), or (statement, topic) pairs.

        Raises:
            InputError: a row is none of these; RecordError: one of its texts is unusable. The
                message gives the row's number, from 1.
        """
        examples = [_example(row, number) for number, row in enumerate(rows, start=1)]
        predictions: list[Prediction] = []
        for start in range(0, len(examples), CHUNK):
            logits = self.logits(examples[start : start + CHUNK], first=start + 1)
            predictions += [self._answer(one) for one in logits]
        return predictions

    def read(self, article: str | Article, topic: str) -> list[tuple[Statement, Prediction]]:
        """Who says what in an article, and where they stand on a topic.

        Narration is scored too, as the writer's own; its speaker is None. Each statement is
        scored alone; its ``context`` is for people.
        ``reading.as_rows`` makes flat rows of the answer, for a data frame.

        Raises:
            RecordError: the topic is empty or absurdly long.
        """
        # An unusable topic is an error even where there is nothing to score.
        self._encoder.encode([Example("A statement.", topic)])
        statements = read(article)
        predictions = self.predict_many(Example(s.text, topic, s.speaker) for s in statements)
        return list(zip(statements, predictions, strict=True))

    def logits(self, examples: Sequence[Example], first: int = 1) -> list[NDArray[np.float32]]:
        """Raw outputs, before temperature: an array of shape (windows, labels) an example.

        ``first`` is the number of the first example, for messages.
        """
        encoded = self._encoder.encode(examples, first)
        flat = [window for windows in encoded for window in windows]
        outputs = np.empty((len(flat), len(self.labels)), dtype=np.float32)
        for batch in batches(flat, self.engine.batch_tokens):
            outputs[batch] = self.engine.logits([flat[i] for i in batch])
        ends = np.cumsum([len(windows) for windows in encoded])
        return np.split(outputs, ends[:-1])

    def _answer(self, logits: NDArray[np.float32]) -> Prediction:
        """Merge the windows of one statement, of shape (windows, labels), into one answer."""
        windows = softmax(logits / self.checkpoint.temperature)
        merged = _merge(windows, self.labels) if len(windows) > 1 else windows[0]
        values = merged.tolist()
        return Prediction(
            label=self.labels.names[int(np.argmax(merged))],
            probabilities=dict(zip(self.labels.names, values, strict=True)),
            score=self.labels.score(values),
            windows=len(windows),
        )


def load(
    folder: str | Path | None = None,
    *,
    engine: str | None = None,
    device: str | None = None,
    threads: int | None = None,
) -> StanceModel:
    """Open a model folder; nothing is ever downloaded.

    Args:
        folder: a checkpoint; None for the bundled model.
        engine: ``onnx`` or ``torch``; by default torch where a GPU is found, else onnx.
        device: for the torch engine, such as ``cuda:1`` or ``mps``.
        threads: processor threads; by default all that this process may use.

    Raises:
        CheckpointError: the folder is incomplete, altered or of an unknown kind.
        InputError: an unknown engine or device, or fewer than one thread.
        MissingExtraError: the engine needs an extra that is not installed.
    """
    checkpoint = Checkpoint.read(BUNDLED if folder is None else Path(folder))
    if threads is not None and threads < 1:
        raise InputError("threads", str(threads), "at least 1")
    name = engine or default_engine(checkpoint, device)
    if name not in ENGINES:
        raise InputError("engine", repr(name), f"one of {', '.join(ENGINES)}")
    return StanceModel(checkpoint, ENGINES[name](checkpoint, device, threads))


def softmax(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Probabilities over the last axis."""
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    powers = np.exp(shifted)
    result: NDArray[np.float64] = powers / powers.sum(axis=-1, keepdims=True)
    return result


def _merge(windows: NDArray[np.float64], labels: LabelSet) -> NDArray[np.float64]:
    """Mean of the windows, each weighted by how likely it is to show a stance at all.

    A long passage that takes a stand once and talks of other things elsewhere has that stance;
    where no window shows one, all weigh alike.
    """
    silent = [i for i, worth in enumerate(labels.polarity) if worth is None]
    weights = 1 - windows[:, silent].sum(axis=1) + 1e-6
    result: NDArray[np.float64] = np.average(windows, axis=0, weights=weights)
    return result


def batches(windows: Sequence[Window], tokens: int) -> Iterator[list[int]]:
    """Indices of windows of like length, each batch within a budget of padded tokens."""
    batch: list[int] = []
    # Longest first: the largest batch comes first, so memory does not grow as the run goes on.
    for i in sorted(range(len(windows)), key=lambda i: len(windows[i]), reverse=True):
        if batch and (len(batch) + 1) * len(windows[batch[0]]) > tokens:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def _example(row: object, number: int) -> Example:
    if isinstance(row, Example):
        return row
    try:
        if isinstance(row, Mapping):
            return Example(row["statement"], row["topic"], row.get("speaker"))
        if isinstance(row, tuple) and len(row) == 2:
            return Example(row[0], row[1])
    except KeyError as error:
        raise InputError(
            f"row {number}", f"no {error.args[0]!r}", "statement and topic in each dict"
        ) from None
    except RecordError as error:
        raise RecordError(
            f"row {number}, {error.place}", error.found, error.wanted, error.next_step
        ) from None
    raise InputError(
        f"row {number}",
        f"{type(row).__name__} ({row!r:.40})",
        "an Example, a dict with statement and topic, or a (statement, topic) pair",
    )
