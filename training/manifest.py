"""All labelled rows the bundled model may learn from, split so that the score does not flatter.

Rows that share a group, a document, a statement or a topic form one component, and a component
stays whole: no topic of dev is ever seen in training. Which side a component takes follows from a
hash of its contents.

Rows added since that split was drawn go to training, and those that share anything with dev are
left out, so dev stays what it was and scores stay comparable.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from stancekit.records import Example, LabelSet
from training.standoff import FOLDER, POOL, digest, join, rows_of, texts_of
from training.standoff import LABELS as REAL

# In the order of the models' outputs.
LABELS = LabelSet(("optimistic", "circumspect", "opposed", "none"), (1, 0, -1, None))
CORPUS = Path(__file__).parent / "corpus"
ADDED = "n"  # what the names of corpora written since the split was drawn begin with
CORRECTIONS = FOLDER / "corrections.jsonl"
DEV_SHARE = 0.12  # of components; about 1,400 real and 1,500 written rows
# One topic ("the draft resolution") can tie many documents together; a component this large on
# the dev side would let one subject dominate the score.
LARGEST_DEV_COMPONENT = 30  # rows


@dataclass(frozen=True)
class Row:
    """A labelled example and where it comes from."""

    example: Example
    real: bool  # a sentence found in the world, as against one composed for this project
    source: str
    licence: str
    doc: str | None
    phenomenon: str | None
    added: bool = False  # since the split was drawn


@dataclass(frozen=True)
class Manifest:
    """Rows by what they are for.

    Attributes:
        train: to learn from.
        dev: of topics, documents, groups and statements that training does not hold.
        missing: labels whose text was not at hand.
        seen: real rows of documents and statements that training does not hold, on topics that it
            does: beside dev they tell what knowing the topic is worth.
    """

    train: list[Row]
    dev: list[Row]
    missing: int
    seen: list[Row] = field(default_factory=list)

    def hash(self) -> str:
        """SHA-256 over every row and its side, in order."""
        lines = [
            f"{side}\t{digest(row.example.statement)}\t{row.example.topic}\t{row.example.speaker}"
            f"\t{row.example.label}"
            for side, rows in (("train", self.train), ("dev", self.dev), ("seen", self.seen))
            for row in rows
        ]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def load(texts: Path | None) -> Manifest:
    """The manifest, with real rows joined from a folder of texts where there is one."""
    statements = texts_of(texts)
    real, missing = join(statements, REAL)
    pool, missing_pool = join(statements, POOL)
    written = list(rows_of(CORPUS))
    first = [_row(raw, real=False) for raw in written if not raw["file"].startswith(ADDED)]
    first += [_row(raw, real=True) for raw in real]
    added = [_row(raw, real=False, added=True) for raw in written if raw["file"].startswith(ADDED)]
    added += [_row(raw, real=True, added=True) for raw in pool]
    train: list[Row] = []
    dev: list[Row] = []
    for component in components(_without_repeats(first)):
        small = len(component) <= LARGEST_DEV_COMPONENT
        side = dev if small and _draw(component) < DEV_SHARE else train
        side.extend(component)
    # Dev keeps its topics to itself, whatever was labelled later.
    values_of_dev = _values(dev)
    added = [row for row in added if not _shared(row, values_of_dev)]
    topics = {normal_topic(row.example.topic) for row in train}
    texts_of_train = _values(train, TEXT_KEYS)
    seen = [
        row
        for row in added
        if row.real
        and normal_topic(row.example.topic) in topics
        and not _shared(row, texts_of_train, TEXT_KEYS)
    ]
    texts_of_seen = _values(seen, TEXT_KEYS)
    train += [row for row in added if not _shared(row, texts_of_seen, TEXT_KEYS)]
    corrections = _corrections()
    return Manifest(
        _corrected(_without_repeats(train), corrections),
        _corrected(dev, corrections),
        missing + missing_pool,
        _corrected(_without_repeats(seen), corrections),
    )


def _corrections() -> dict[tuple[str, str, str | None], str | None]:
    """(hash of the statement, topic, speaker) to the right label, or None for a row to drop."""
    with CORRECTIONS.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return {(row["hash"], row["topic"], row["speaker"]): row["corrected"] for row in rows}


def _corrected(
    rows: Sequence[Row], corrections: Mapping[tuple[str, str, str | None], str | None]
) -> list[Row]:
    kept = []
    for row in rows:
        e = row.example
        label = corrections.get((digest(e.statement), e.topic, e.speaker), e.label)
        if label is not None:
            kept.append(replace(row, example=replace(e, label=label)))
    return kept


def normal_topic(topic: str) -> str:
    """A topic without case, punctuation or articles: what makes two topics the same."""
    words = re.findall(r"\w+", topic.lower())
    return " ".join(word for word in words if word not in {"the", "a", "an"})


# What rows may share; those that share any of it belong on one side of a split.
KEYS: tuple[Callable[[Row], str | None], ...] = (
    lambda row: row.example.group,
    lambda row: row.doc,
    lambda row: " ".join(re.findall(r"\w+", row.example.statement.lower())),
    lambda row: normal_topic(row.example.topic),
)
TEXT_KEYS = range(3)  # all of them but the topic


def _values(
    rows: Iterable[Row], keys: Iterable[int] = range(len(KEYS))
) -> set[tuple[int, str | None]]:
    return {(i, KEYS[i](row)) for row in rows for i in keys if KEYS[i](row)}


def _shared(
    row: Row, values: set[tuple[int, str | None]], keys: Iterable[int] = range(len(KEYS))
) -> bool:
    return any((i, KEYS[i](row)) in values for i in keys)


def _row(raw: dict[str, Any], real: bool, added: bool = False) -> Row:
    group = raw.get("group")
    if group and not real:
        group = f"{raw['file']}/{group}"
    return Row(
        Example(raw["statement"], raw["topic"], raw.get("speaker"), raw["label"], group),
        real=real,
        source=raw["source"] if real else f"written/{raw['file']}",
        licence=raw["licence"] if real else "Apache-2.0",
        doc=raw.get("doc"),
        phenomenon=raw.get("phenomenon"),
        added=added,
    )


def _without_repeats(rows: Sequence[Row]) -> list[Row]:
    """First of each (statement, topic, speaker); a later copy may carry another label."""
    seen: dict[tuple[str, str, str | None], Row] = {}
    for row in rows:
        seen.setdefault((row.example.statement, row.example.topic, row.example.speaker), row)
    return list(seen.values())


def components(rows: Sequence[Row]) -> list[list[Row]]:
    """Rows that share a group, a document, a statement or a topic, in parts that share none."""
    parent = list(range(len(rows)))

    def find(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for key in KEYS:
        first: dict[str, int] = {}
        for i, row in enumerate(rows):
            value = key(row)
            if value:
                parent[find(i)] = find(first.setdefault(value, i))
    together: defaultdict[int, list[Row]] = defaultdict(list)
    for i, row in enumerate(rows):
        together[find(i)].append(row)
    return list(together.values())


def _draw(component: Sequence[Row]) -> float:
    """A number in [0, 1) that depends on nothing but the component's statements."""
    together = "".join(sorted(digest(row.example.statement) for row in component))
    return int(digest(together)[:8], 16) / 2**32


def counts(rows: Sequence[Row]) -> dict[str, dict[str, int]]:
    """Rows by source and label."""
    table: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        table[row.source][str(row.example.label)] += 1
    return {source: dict(labels) for source, labels in sorted(table.items())}


if __name__ == "__main__":
    import sys

    manifest = load(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
    for name, rows in (("train", manifest.train), ("dev", manifest.dev), ("seen", manifest.seen)):
        for real in (True, False):
            part = [row for row in rows if row.real is real]
            print(name, "real" if real else "written", len(part), json.dumps(counts(part)))
    print(f"labels without their text: {manifest.missing}; manifest {manifest.hash()[:12]}")
