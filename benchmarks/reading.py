"""How much of what is said in articles is found, and how often it is given to the right speaker.

    python -m benchmarks.reading FILE…

``FILE`` holds marked articles (``benchmarks.quotes`` says how). A token is a run of letters and
digits. What counts:

- content: tokens in any attributed statement against tokens marked as said. A statement of
  stancekit is a sentence, its attribution included; the marks leave the attribution out, so
  precision could not reach 1.
- found: at least 0.8 of a marked statement's tokens lie in one attributed statement.
- speaker, of those found: by mention (the words taken for the speaker touch the marked words or,
  where those have no offsets, share a word with them; or the speaker's name shares a name with
  them; the antecedent of a marked ``who`` is right) and, where it is marked, by full name (equal
  but for case, ``the`` and a courtesy title).

Intervals are 95%, percentile bootstrap over articles. Articles a second: one process, one thread,
processor time. Results go to ``results/reading.json``.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.quotes import Gold, Marked, read_marked
from benchmarks.results import save
from stancekit.errors import StancekitError
from stancekit.evaluation import TAILS, Interval
from stancekit.reading import read
from stancekit.reading.words import word_set
from stancekit.records import Statement

TOKEN = re.compile(r"\w+")
FOUND = 0.8  # share of a marked statement's tokens
RESAMPLES = 1000
SEED = 0
TITLE = re.compile(r"^(?:the|mr|mrs|ms|dr|prof|sir|dame)\b\.?\s*", re.IGNORECASE)
# Words that two different speakers may share.
SHARED = word_set("a an the of in for and to at from by with on mr mrs ms dr who")
RELATIVE = ("who", "which", "that")  # mean whoever is named shortly before them
ANTECEDENT = 60  # characters between; a description may stand there
KINDS = ("all", "direct", "indirect", "mixed")
Counts = NDArray[np.float64]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reading", description=__doc__)
    parser.add_argument("files", type=Path, nargs="+")
    options = parser.parse_args()
    facts = {}
    for path in options.files:
        articles = read_marked(path)
        facts[path.stem] = measure(articles) | {"data": sha256(path.read_bytes()).hexdigest()}
        print(f"{path.stem}: {facts[path.stem]['articles']} articles")
        for kind in KINDS:
            for name, value in facts[path.stem][kind].items():
                print(f"  {kind:9} {name:18} {value}")
        print(f"  {facts[path.stem]['articles_a_second']:.0f} articles/s")
    print(f"written to {save('reading', {'resamples': RESAMPLES, 'seed': SEED, 'files': facts})}")


def measure(articles: Sequence[Marked]) -> dict[str, Any]:
    """All scores over some articles, ready for JSON."""
    began = time.process_time()
    answers = [read(article.text) for article in articles]
    seconds = time.process_time() - began
    facts: dict[str, Any] = {"articles": len(articles)}
    facts["articles_a_second"] = len(articles) / seconds
    for kind in KINDS:
        judged = [
            judge(article, answer, kind) for article, answer in zip(articles, answers, strict=True)
        ]
        facts[kind] = _scores(np.array(judged, dtype=np.float64).reshape(-1, len(COUNTS)), kind)
    facts["by_confidence"] = _by_confidence(articles, answers)
    return facts


def _by_confidence(
    articles: Sequence[Marked], answers: Sequence[Sequence[Statement]]
) -> list[dict[str, float]]:
    """For each confidence that was given: how many speakers, and the share that is right."""
    right: dict[float, list[bool]] = {}
    for article, answer in zip(articles, answers, strict=True):
        for gold, statement in _found(article, answer):
            if gold.speaker is not None:
                good = _plain(statement.speaker) == _plain(gold.speaker)
            elif gold.mention:
                good = _touches(article.text, statement, gold)
            else:
                continue
            right.setdefault(statement.confidence, []).append(good)
    return [
        {"confidence": sure, "n": len(good), "right": sum(good) / len(good)}
        for sure, good in sorted(right.items())
    ]


def _found(article: Marked, answer: Sequence[Statement]) -> Iterator[tuple[Gold, Statement]]:
    """The marked statements that are found, each with what it is found in."""
    tokens = [match.span() for match in TOKEN.finditer(article.text)]
    attributed = [s for s in answer if s.kind != "narration"]
    held = [_within(tokens, [(s.start, s.end)]) for s in attributed]
    for gold in article.statements:
        words = _within(tokens, gold.spans)
        shares = [len(words & inside) / len(words) for inside in held] if words else []
        best = max(range(len(shares)), key=shares.__getitem__, default=-1)
        if best >= 0 and shares[best] >= FOUND:
            yield gold, attributed[best]


# What is counted in an article, in this order.
COUNTS = (
    *("said", "read", "both"),  # tokens
    *("marked", "found"),  # statements
    *("mentioned", "mention_right", "named", "name_right"),  # of those found
)


def judge(article: Marked, answer: Sequence[Statement], kind: str) -> list[int]:
    """The counts of one article, as ``COUNTS`` lists them.

    Precision is that of all kinds together: a token read in vain has no kind.
    """
    tokens = [match.span() for match in TOKEN.finditer(article.text)]
    attributed = [s for s in answer if s.kind != "narration"]
    wanted = [gold for gold in article.statements if kind in ("all", gold.kind)]
    read_tokens = _within(tokens, [(s.start, s.end) for s in attributed])
    said = _within(tokens, [span for gold in wanted for span in gold.spans])
    counts = dict.fromkeys(COUNTS, 0)
    counts |= {"said": len(said), "read": len(read_tokens), "both": len(said & read_tokens)}
    counts["marked"] = sum(bool(_within(tokens, gold.spans)) for gold in wanted)
    for gold, statement in _found(article, answer):
        if kind not in ("all", gold.kind):
            continue
        counts["found"] += 1
        if gold.mention:
            counts["mentioned"] += 1
            counts["mention_right"] += _touches(article.text, statement, gold)
        if gold.speaker is not None:
            counts["named"] += 1
            counts["name_right"] += _plain(statement.speaker) == _plain(gold.speaker)
    return list(counts.values())


def _within(tokens: Sequence[tuple[int, int]], spans: Sequence[tuple[int, int]]) -> set[int]:
    """Numbers of the tokens that lie in one of the spans."""
    starts = np.array([start for start, _ in tokens])
    inside: set[int] = set()
    for start, end in spans:
        first, last = np.searchsorted(starts, (start, end))
        inside.update(range(int(first), int(last)))
    return inside


def _touches(text: str, statement: Statement, gold: Gold) -> bool:
    if statement.speaker is None:
        return False
    names = {word for word in TOKEN.findall(gold.mention) if word[0].isupper()}
    shared = names & set(TOKEN.findall(statement.speaker))
    if {word for word in shared if word.lower() not in SHARED}:
        return True
    if statement.mention is None:
        return False
    start, end = statement.mention
    if gold.source:
        if gold.mention.lower() in RELATIVE and 0 <= gold.source[0][0] - end <= ANTECEDENT:
            return True
        return any(a < end and start < b for a, b in gold.source)
    words = set(TOKEN.findall(text[start:end].lower()))
    both = words & set(TOKEN.findall(gold.mention.lower()))
    return bool({word for word in both if word not in SHARED})


def _plain(name: str | None) -> str | None:
    if name is None:
        return None
    return TITLE.sub("", TITLE.sub("", name.replace("\u2019", "'").strip())).lower()


def _ratio(over: str, under: str) -> Callable[[Counts], float]:
    def share(counts: Counts) -> float:
        whole = counts[COUNTS.index(under)]
        return float(counts[COUNTS.index(over)] / whole) if whole else 0.0

    return share


def _f1(counts: Counts) -> float:
    said, taken, both = counts[:3]
    return float(2 * both / (said + taken)) if said + taken else 0.0


def _scores(judged: Counts, kind: str) -> dict[str, Any]:
    """Each score with its interval, and the numbers it rests on."""
    totals = dict(zip(COUNTS, judged.sum(axis=0).astype(int).tolist(), strict=True))
    wanted: dict[str, Callable[[Counts], float]] = {"content_recall": _ratio("both", "said")}
    if kind == "all":
        wanted |= {"content_precision": _ratio("both", "read"), "content_f1": _f1}
    wanted["statements_found"] = _ratio("found", "marked")
    if totals["mentioned"]:
        wanted["mention_right"] = _ratio("mention_right", "mentioned")
    if totals["named"]:
        wanted["name_right"] = _ratio("name_right", "named")
    facts: dict[str, Any] = {name: _interval(judged, score) for name, score in wanted.items()}
    return facts | {"n": totals["marked"], "n_found": totals["found"]}


def _interval(judged: Counts, score: Callable[[Counts], float]) -> dict[str, float]:
    draw = np.random.default_rng(SEED)
    rows = draw.integers(len(judged), size=(RESAMPLES, len(judged)))
    drawn = [score(judged[picked].sum(axis=0)) for picked in rows]
    low, high = np.percentile(drawn, TAILS)
    return asdict(Interval(score(judged.sum(axis=0)), float(low), float(high)))


if __name__ == "__main__":
    try:
        main()
    except StancekitError as error:
        raise SystemExit(f"error: {error}") from None
