"""What an article says as Markdown: a table of statements, one of speakers, the rest as a list."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from stancekit.balances import Balance
from stancekit.display import UNNAMED, Answer, on_topic, one_line
from stancekit.records import LabelSet

__all__ = ["article_page", "speaker_table"]

# Would be read as markup in a cell or a list.
SPECIAL = re.compile(r"([\\`*_\[\]<>|#~])")


def article_page(
    source: str,
    topic: str,
    answers: Sequence[Answer],
    speakers: Sequence[Balance],
    labels: LabelSet,
) -> str:
    """One article's statements toward one topic, and the balance of its speakers."""
    stances, others = on_topic(answers, labels)
    lines = [f"## {_plain(source)}: {_plain(topic)}", ""]
    if stances:
        lines += ["| speaker | stance | conf. | statement |", "| --- | --- | ---: | --- |"]
    for statement, prediction in stances:
        cells = (
            _plain(statement.speaker or UNNAMED),
            _plain(prediction.label),
            f"{prediction.confidence:.2f}",
            _plain(statement.text),
        )
        lines.append(f"| {' | '.join(cells)} |")
    lines += [""] if stances else []
    lines += speaker_table(balance for balance in speakers if balance.n)
    if others:
        lines += ["Said without a stance on the topic:", ""]
        lines += [f"- {_plain(s.speaker or UNNAMED)}: {_plain(s.text)}" for s, _ in others] + [""]
    if not stances and not others:
        lines += ["No attributed statement was found.", ""]
    return "\n".join(lines)


def speaker_table(speakers: Iterable[Balance]) -> list[str]:
    """Speaker, stance, mean score and number of statements with a stance, a line each."""
    rows = [
        f"| {_plain(b.speaker)} | {_plain(b.label or '')} | {_score(b)} | {b.n} |" for b in speakers
    ]
    if not rows:
        return []
    head = ["| speaker | stance, mostly | mean score | statements |", "| --- | --- | ---: | ---: |"]
    return [*head, *rows, ""]


def _score(balance: Balance) -> str:
    return "" if balance.score is None else f"{balance.score:+.2f}"


def _plain(text: str) -> str:
    """The text on one line, nothing in it taken for markup."""
    return SPECIAL.sub(r"\\\1", one_line(text))
