"""What a row costs by its length, by the size of batches, and by the number of topics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from benchmarks.speed.counting import Counting, in_turns, rates, ratios, timed
from benchmarks.speed.rows import of_words
from benchmarks.speed.setting import Setting
from stancekit.model import StanceModel
from stancekit.records import Example

WORDS = (4, 8, 16, 32, 64, 128, 256, 512)
BATCH_TOKENS = (1, 256, 512, 1024, 2048, 4096, 8192)  # one row at a time, and up
TOPICS = (1, 2, 5, 10)
TEXT = 3_000  # statements that those of a given length are cut from


def length(setting: Setting) -> dict[str, Any]:
    """Rates by words a statement; those beyond the window are read in several."""
    model, counted = setting.open()
    text, topic = setting.statements[:TEXT], setting.topics[0]
    # As many words in all at each length, so that none is over in a moment.
    words = 16 * setting.sizes.sample
    rows = {n: of_words(text, topic, n, max(words // n, 8)) for n in WORDS}
    return {"length": {str(n): _rates(model, counted, some, setting) for n, some in rows.items()}}


def batch(setting: Setting) -> dict[str, Any]:
    """Rates by padded tokens a batch."""
    model, counted = setting.open()
    usual = counted.batch_tokens
    found = {}
    for tokens in sorted({*BATCH_TOKENS, usual}):
        counted.batch_tokens = tokens
        found[str(tokens)] = _rates(model, counted, setting.sample, setting)
    return {"usual": usual, "batch": found}


def topics(setting: Setting) -> dict[str, Any]:
    """The same statements toward more and more topics: seconds, and times those of one topic."""
    model, counted = setting.open()
    asked = list(dict.fromkeys(setting.topics))[: max(TOPICS)]
    # Half the sample: at ten topics it is five times the rows of other sections.
    statements = [row.statement for row in setting.sample[: -(-setting.sizes.sample // 2)]]
    rows = {
        n: [Example(statement, topic) for statement in statements for topic in asked[:n]]
        for n in TOPICS
    }
    model.predict_many(rows[1])

    def run(some: Sequence[Example]) -> Callable[[], float]:
        return lambda: timed(lambda: model.predict_many(some))

    seconds = in_turns({str(n): run(some) for n, some in rows.items()}, setting.sizes.turns)
    counts = {}
    for n, some in rows.items():
        counted.reset()
        spent = run(some)()
        counts[str(n)] = rates(len(some), spent, counted)
    return {
        "statements": len(statements),
        "topics": {
            n: {
                "rows": counts[n]["rows"],
                "seconds": taken,
                "tokens_per_window": counts[n]["tokens_per_window"],
                "padding_share": counts[n]["padding_share"],
                "times_one_topic": median(ratios(taken, seconds["1"])),
            }
            for n, taken in seconds.items()
        },
    }


def _rates(
    model: StanceModel, counted: Counting, rows: Sequence[Example], setting: Setting
) -> dict[str, Any]:
    """Rates of the fastest of some runs, after one that does not count."""
    model.predict_many(rows[:8])
    found = []
    for _ in range(setting.sizes.turns):
        counted.reset()
        seconds = timed(lambda: model.predict_many(rows))
        found.append(rates(len(rows), seconds, counted))
    return min(found, key=lambda one: one["seconds"])
