"""Statements composed for this project that ship with the package.

``DEV_SAMPLE`` was kept from the bundled model's training and tells what a further training makes it
forget; ``REHEARSAL`` is a part of that training, to be mixed into a further one.
"""

from __future__ import annotations

import random
from pathlib import Path

from stancekit.errors import InputError
from stancekit.files import read_examples
from stancekit.records import Example

__all__ = ["DEV_SAMPLE", "REHEARSAL", "dev_sample", "rehearsal"]

DEV_SAMPLE = Path(__file__).parent / "dev_sample.jsonl"
REHEARSAL = Path(__file__).parent / "rehearsal.jsonl"


def dev_sample() -> list[Example]:
    """Labelled rows that the bundled model has not learnt from."""
    return read_examples(DEV_SAMPLE)


def rehearsal(count: int, seed: int) -> list[Example]:
    """So many labelled rows that the bundled model has learnt from, drawn at random.

    Raises:
        InputError: more than there are, or fewer than none.
    """
    if count == 0:
        return []
    rows = read_examples(REHEARSAL)
    if not 0 < count <= len(rows):
        raise InputError("rehearsal", f"{count} rows", f"0 to {len(rows)}")
    return random.Random(seed).sample(rows, count)
