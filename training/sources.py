"""Openly licensed stance sets for a first stage of training, read from a folder of JSON lines.

Each file ``NAME.train.jsonl`` in the folder holds rows with ``statement``, ``topic``, ``speaker``
and ``stance`` (optimistic, opposed, none or null). None of the sets knows ``circumspect``, and in
those about claims "optimistic" means agreement with the claim: they teach a model to read a
statement against a topic, and the codebook's own rows teach it the rest afterwards.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stancekit.errors import FileError
from stancekit.records import Example


@dataclass(frozen=True)
class Source:
    """What may be taken from a set.

    Attributes:
        licence: as its authors state it.
        most: rows taken at most, so that no one register drowns the others.
        foreign_topics: whether a statement may be paired with another row's topic to make a
            ``none``; only where topics are many and far apart.
    """

    licence: str
    most: int
    foreign_topics: bool


SOURCES = {
    "perspectrum": Source("CC BY-SA 4.0", 6_000, True),
    "ibm_cs": Source("CC BY-SA 3.0", 1_000, True),
    "ibm_arg30k": Source("CC BY-SA 3.0", 2_000, True),
    "unscon": Source("CC BY-SA", 300, False),
}
FOREIGN_SHARE = 0.25  # of rows with a stance; about what the codebook's own corpora hold of none


def load(folder: Path, seed: int) -> tuple[list[Example], list[str]]:
    """Examples of all sets found in the folder, and the names of those missing.

    Raises:
        FileError: a row is not of the layout above.
    """
    examples: list[Example] = []
    missing = []
    for name, source in SOURCES.items():
        file = folder / f"{name}.train.jsonl"
        if file.is_file():
            examples += _read(file, source, random.Random(f"{seed}/{name}"))
        else:
            missing.append(name)
    return examples, missing


def _read(file: Path, source: Source, rng: random.Random) -> list[Example]:
    rows = []
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                raw = json.loads(line)
                if raw["stance"] in ("optimistic", "opposed"):
                    rows.append(
                        Example(raw["statement"], raw["topic"], raw["speaker"], raw["stance"])
                    )
            except (ValueError, KeyError) as error:
                raise FileError(
                    f"{file}:{number}", repr(error), "statement, topic, speaker and stance"
                ) from None
    rng.shuffle(rows)
    rows = rows[: source.most]
    if source.foreign_topics:
        rows += _foreign(rows, rng)
    return rows


def _foreign(rows: Sequence[Example], rng: random.Random) -> list[Example]:
    made = []
    for row in rng.sample(rows, int(len(rows) * FOREIGN_SHARE)):
        other = rng.choice(rows)
        if other.topic != row.topic:
            made.append(Example(row.statement, other.topic, row.speaker, "none"))
    return made
