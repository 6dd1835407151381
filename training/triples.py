"""Questions for the teacher: statements put to many topics, for the student to learn the answers.

A labelled row asks one thing of a statement. The teacher can be asked anything, and what it says
of the same words under another topic, a topic turned round, or without the speaker's name is what
keeps a small model from going by the statement alone.
"""

from __future__ import annotations

import json
import random
import re
from collections import defaultdict
from collections.abc import Callable, Container, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from stancekit.records import Example
from training.augment import unnamed
from training.manifest import Manifest, Row, normal_topic
from training.standoff import DOUBTFUL

T = TypeVar("T")
# Rows of each kind, about twice as many together as there are labelled ones.
OTHER_TOPIC = 10_000
SAME_DOCUMENT = 14_000
NAMED = 9_000
TURNED = 14_000
REPHRASED = 5_000
SPEAKERLESS = 5_000
UNLABELLED = 18_000
OPEN_SETS = 12_000
UNNAMED = 6_000
TURNS = (
    "opposition to {}",
    "a ban on {}",
    "ending {}",
    "rejecting {}",
    "the campaign against {}",
    "delaying {}",
    "an alternative to {}",
    "criticism of {}",
    "stopping {}",
    "doubts about {}",
    "doing without {}",
)
REPHRASINGS = (
    "the idea of {}",
    "{} as proposed",
    "plans for {}",
    "the question of {}",
    "{} overall",
    "support for {}",
    "the need for {}",
)
LONGEST_TOPIC = 10  # words; a turn of a whole clause is no longer a topic
# A name inside a sentence: capitalised words, not the first, where every sentence has a capital.
NAME = re.compile(r"(?<=[a-z,;] )[A-Z][\w'\u2019-]+(?: (?:of |the )?[A-Z][\w'\u2019-]+){0,3}")


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
        *_other_topics(manifest.train, lambda row: row.source, OTHER_TOPIC, rng),
        *_other_topics(manifest.train, lambda row: row.doc, SAME_DOCUMENT, rng),
        *_names(train, rng),
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


def _other_topics(
    rows: Sequence[Row], key: Callable[[Row], str | None], most: int, rng: random.Random
) -> Iterator[Example]:
    """Statements with a topic of another row of the same key: near enough to be confused."""
    topics: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        if name := key(row):
            topics[name].add(row.example.topic)
    choice = {name: sorted(some) for name, some in topics.items() if len(some) > 1}
    several = [(row, choice[name]) for row in rows if (name := key(row)) and name in choice]
    for row, its_topics in _sample(several, most, rng):
        yield _asked(row.example, rng.choice(its_topics))


def _names(rows: Sequence[Example], rng: random.Random) -> Iterator[Example]:
    """Statements with a name out of their own middle as the topic."""
    for example in _sample([e for e in rows if NAME.search(e.statement)], NAMED, rng):
        yield _asked(example, rng.choice(NAME.findall(example.statement)))


def _unlabelled(
    manifest: Manifest, texts: Path | None, topics: Sequence[str], rng: random.Random
) -> list[Example]:
    """Open sentences nobody labelled, each under its document's title or any topic at all."""
    if texts is None:
        return []
    kept_apart = [*manifest.dev, *manifest.seen]
    known = {row.example.statement for row in (*manifest.train, *kept_apart)}
    documents = {row.doc for row in kept_apart}
    made = []
    for statement, speaker, title in _open_sentences(texts, documents):
        if statement in known:
            continue
        short = 0 < len(title.split()) <= LONGEST_TOPIC
        names = NAME.findall(statement)
        choice = [title if short else rng.choice(topics), rng.choice(topics)]
        if names:
            choice.append(rng.choice(names))
        made.append(Example(statement, rng.choice(choice), speaker))
    return _sample(made, UNLABELLED, rng)


def _open_sentences(
    texts: Path, left_out: Container[str | None]
) -> Iterator[tuple[str, str | None, str]]:
    """Sentence, speaker and title, but of documents left out or of doubtful licence."""
    for file in sorted(texts.rglob("unlabelled.jsonl")):
        with file.open(encoding="utf-8") as lines:
            for raw in map(json.loads, lines):
                if DOUBTFUL.search(raw["licence"]) or raw["doc"] in left_out:
                    continue
                title = (raw["title"] or "").rpartition(":")[2].strip()
                yield raw["statement"], raw["speaker"], title
                # The sentence before is one more; who says it is not known.
                if raw["context"]:
                    yield raw["context"], None, title


def _sample(rows: Sequence[T], most: int, rng: random.Random) -> list[T]:
    return rng.sample(rows, min(most, len(rows)))


def _asked(example: Example, topic: str) -> Example:
    return Example(example.statement, topic, example.speaker)


def _key(example: Example) -> tuple[str, str, str | None]:
    return example.statement, example.topic, example.speaker
