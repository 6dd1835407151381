"""The teacher: a large encoder, fine-tuned in two stages from the general to the particular.

First other people's stance sets, which teach it to read a statement against a topic; then the
codebook's first corpora. The rows labelled since, chosen because a model was unsure of them, are
left to the student: a third stage on them brought the teacher nothing on real text, and it forgot
how written rows are put.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from stancekit.finetune import Recipe, fit
from stancekit.records import Example
from training import sources
from training.manifest import LABELS, Manifest, normal_topic

# Two of twelve layers stand still: on a processor that saves a tenth of the time.
FIRST = Recipe(epochs=1, learning_rate=4e-5, frozen_layers=2)
SECOND = Recipe(epochs=2, learning_rate=4e-5, frozen_layers=2)


def teach(base: Path, manifest: Manifest, public: Sequence[Example], work: Path) -> Path:
    """Train the teacher; the folder it is in.

    Args:
        base: the encoder's folder.
        manifest: rows, of which only training rows are learnt from.
        public: rows of other stance sets; without any there is no first stage.
        work: folder for the stages.
    """
    real = [row.example for row in manifest.dev if row.real]
    folder = base
    stages: list[tuple[str, Sequence[Example], Recipe]] = [
        ("first", public, FIRST),
        ("second", [row.example for row in manifest.train if not row.added], SECOND),
    ]
    for name, rows, recipe in stages:
        if rows:
            folder = fit(folder, rows, real, LABELS, work / name, recipe)
            shutil.copy(base / "tokenizer.json", folder / "tokenizer.json")
    return folder


def open_sets(public: Path | None, manifest: Manifest) -> list[Example]:
    """Rows of the openly licensed sets whose topics are not in dev."""
    if public is None:
        print("no --public given: the teacher starts without other stance sets")
        return []
    rows, missing = sources.load(public, FIRST.seed)
    if missing:
        print(f"not in {public}: {', '.join(missing)}")
    topics = {normal_topic(row.example.topic) for row in manifest.dev}
    return without(rows, topics)


def without(rows: Sequence[Example], topics: set[str]) -> list[Example]:
    """The rows on none of these topics."""
    return [row for row in rows if normal_topic(row.topic) not in topics]
