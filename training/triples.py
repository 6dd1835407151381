"""Questions for the teacher: statements put to many topics, for the student to learn the answers.

A labelled row asks one thing of a statement. The teacher can be asked anything, and what it says
of the same words under another topic, a topic turned round, or without the speaker's name is what
keeps a small model from going by the statement alone.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from stancekit.records import Example
from training.augment import unnamed
from training.manifest import Manifest, Row, normal_topic
from training.standoff import DOUBTFUL

T = TypeVar("T")
# Rows of each kind, as many together as there are labelled ones: more would crowd those out.
OTHER_TOPIC = 6_000
TURNED = 5_000
REPHRASED = 2_000
SPEAKERLESS = 3_000
UNLABELLED = 5_000
OPEN_SETS = 4_000
UNNAMED = 3_000
TURNS = (
    "opposition to {}",
    "a ban on {}",
    "ending {}",
    "rejecting {}",
    "the campaign against {}",
    "delaying {}",
    "an alternative to {}",
)
REPHRASINGS = (
    "the idea of {}",
    "{} as proposed",
    "plans for {}",
    "the question of {}",
    "{} overall",
)
LONGEST_TOPIC = 10  # words; a turn of a whole clause is no longer a topic


def questions(
    manifest: Manifest, open_sets: Sequence[Example], texts: Path | None, seed: int
) -> list[Example]:
    """Unlabelled examples, none of which repeats a labelled row or touches a topic of dev.

    Args:
        manifest: whose training rows give statements, topics and speakers.
        open_sets: rows of other stance sets, some of which are asked as they are.
        texts: the folder whose ``unlabelled.jsonl`` gives more statements.
        seed: of all draws.
    """
    rng = random.Random(seed)
    train = [row.example for row in manifest.train]
    dev_topics = {normal_topic(row.example.topic) for row in manifest.dev}
    topics = sorted({example.topic for example in train})
    short = [e for e in train if len(e.topic.split()) <= LONGEST_TOPIC]
    asked = [
        *_other_topics(manifest.train, rng),
        *(_asked(e, rng.choice(TURNS).format(e.topic)) for e in _sample(short, TURNED, rng)),
        *(
            _asked(e, rng.choice(REPHRASINGS).format(e.topic))
            for e in _sample(short, REPHRASED, rng)
        ),
        *(
            Example(e.statement, e.topic)
            for e in _sample([e for e in train if e.speaker], SPEAKERLESS, rng)
        ),
        *_sample(unnamed(train, seed), UNNAMED, rng),
        *_sample(open_sets, OPEN_SETS, rng),
        *_unlabelled(manifest, texts, topics, rng),
    ]
    seen = {_key(example) for example in train}
    kept = []
    for example in asked:
        if _key(example) not in seen and normal_topic(example.topic) not in dev_topics:
            seen.add(_key(example))
            kept.append(Example(example.statement, example.topic, example.speaker))
    return kept


def _other_topics(rows: Sequence[Row], rng: random.Random) -> Iterator[Example]:
    """Statements with a topic of another row of the same source: near enough to be confused."""
    by_source: dict[str, list[str]] = {}
    for row in rows:
        by_source.setdefault(row.source, []).append(row.example.topic)
    for row in _sample(rows, OTHER_TOPIC, rng):
        yield _asked(row.example, rng.choice(by_source[row.source]))


def _unlabelled(
    manifest: Manifest, texts: Path | None, topics: Sequence[str], rng: random.Random
) -> list[Example]:
    """Open sentences nobody labelled, each under its document's title or any topic at all."""
    if texts is None:
        return []
    labelled = {row.example.statement for row in manifest.train}
    kept_apart = [*manifest.dev, *manifest.seen]
    documents = {row.doc for row in kept_apart}
    statements = {row.example.statement for row in kept_apart}
    made = []
    for file in sorted(texts.rglob("unlabelled.jsonl")):
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                raw = json.loads(line)
                statement = raw["statement"]
                if (
                    DOUBTFUL.search(raw["licence"])
                    or raw["doc"] in documents
                    or statement in labelled
                    or statement in statements
                ):
                    continue
                title = (raw["title"] or "").rpartition(":")[2].strip()
                short = 0 < len(title.split()) <= LONGEST_TOPIC
                topic = title if short and rng.random() < 0.6 else rng.choice(topics)
                made.append(Example(statement, topic, raw["speaker"]))
    return _sample(made, UNLABELLED, rng)


def _sample(rows: Sequence[T], most: int, rng: random.Random) -> list[T]:
    return rng.sample(rows, min(most, len(rows)))


def _asked(example: Example, topic: str) -> Example:
    return Example(example.statement, topic, example.speaker)


def _key(example: Example) -> tuple[str, str, str | None]:
    return example.statement, example.topic, example.speaker
