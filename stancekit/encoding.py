"""What the model reads: (statement, topic, speaker) to token ids, in windows.

Training and prediction both come through here, so a model is never asked in words it was not
taught in. The pair given to the encoder is ``("topic | speaker", "statement")``; without a
speaker the first part is the topic alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from stancekit.errors import CheckpointError, RecordError
from stancekit.records import Example

__all__ = ["OVERLAP", "TEMPLATE", "WINDOW", "Encoder", "Window", "question"]

TEMPLATE = 1  # number of the wording below; a checkpoint trained on another is refused by name
WINDOW = 256  # tokens, topic and speaker included; the longest labelled row takes 165
OVERLAP = 64  # tokens of statement that neighbouring windows share, about two sentences
QUESTION_SHARE = 0.5  # of the window, at most, for topic and speaker


@dataclass(frozen=True, slots=True)
class Window:
    """One pass through the model: token ids and segment ids, both of shape (tokens,)."""

    ids: NDArray[np.int64]
    types: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ids)


def question(topic: str, speaker: str | None) -> str:
    """The first half of the pair: what is asked of the statement."""
    return topic if speaker is None else f"{topic} | {speaker}"


class Encoder:
    """Turns examples into windows with a checkpoint's own tokenizer.

    Args:
        tokenizer: a ``tokenizer.json`` file.
        window: longest input in tokens, special tokens included.

    Raises:
        CheckpointError: the file is missing or is no tokenizer.
    """

    def __init__(self, tokenizer: Path, window: int = WINDOW) -> None:
        try:
            self._tokenizer = Tokenizer.from_str(tokenizer.read_text(encoding="utf-8"))
        except Exception as error:  # the parser raises bare Exception
            raise CheckpointError(
                str(tokenizer), str(error), "a tokenizer.json", "take the folder whole again"
            ) from None
        self.window = window
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        # "[SEP]" typed by a user is three ordinary symbols, not the end of a segment.
        self._tokenizer.encode_special_tokens = True

    def encode(self, examples: Sequence[Example], first: int = 1) -> list[list[Window]]:
        """Windows of each example, in order; at least one each.

        A statement that does not fit is cut into windows that overlap by ``OVERLAP`` tokens; topic
        and speaker stand whole in each.

        Args:
            examples: what to encode.
            first: number of the first example, for messages.

        Raises:
            RecordError: topic and speaker alone fill more than half the window. Where there are
                several examples, the message gives the number of this one.
        """
        pairs = [(question(e.topic, e.speaker), e.statement) for e in examples]
        encoded = self._tokenizer.encode_batch(pairs)
        windows = []
        for number, (one, (asked, _)) in enumerate(zip(encoded, pairs, strict=True), start=first):
            place = f"row {number}, " if len(examples) > 1 else ""
            windows.append(self._windows(one, asked, place))
        return windows

    def _windows(self, encoded: Any, asked: str, place: str) -> list[Window]:
        ids = np.asarray(encoded.ids, dtype=np.int64)
        types = np.asarray(encoded.type_ids, dtype=np.int64)
        most = int(self.window * QUESTION_SHARE)
        # A token takes at least one character: only a long question needs counting.
        if len(ids) <= self.window and len(asked) <= most:
            return [Window(ids, types)]
        part = encoded.sequence_ids
        asked_tokens = part.count(0)
        if asked_tokens > most:
            raise RecordError(
                f"{place}topic and speaker '{asked[:40]}…'",
                f"{asked_tokens} tokens",
                f"at most {most}",
                "shorten the topic to a noun phrase",
            )
        if len(ids) <= self.window:
            return [Window(ids, types)]
        first = part.index(1)
        last = first + part.count(1)
        room = self.window - (len(ids) - (last - first))
        starts = range(first, last - OVERLAP, room - OVERLAP)
        return [
            Window(
                np.concatenate([ids[:first], ids[a : min(a + room, last)], ids[last:]]),
                np.concatenate([types[:first], types[a : min(a + room, last)], types[last:]]),
            )
            for a in starts
        ]
