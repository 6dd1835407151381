"""Reading articles: golden rules, exact offsets on any text, and work that grows with the length.

The golden files hold one rule a line: a text, and the statements it should be read into. A known
gap says why in ``xfail``; mending it makes the suite fail until the mark is taken off.
"""

# ruff: noqa: RUF001  (quotation marks and dashes are data here)

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stancekit.reading import read
from stancekit.reading.invisible import INVISIBLE
from stancekit.reading.quotes import quotations
from stancekit.reading.sentences import paragraphs, sentences
from stancekit.records import Article, Statement

GOLDEN = Path(__file__).parent / "golden"


def _rules() -> list[Any]:
    rules = []
    for path in sorted(GOLDEN.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            rule = json.loads(line)
            gap = rule.get("xfail")
            marks = [pytest.mark.xfail(reason=gap, strict=True)] if gap else []
            rules.append(pytest.param(rule, id=f"{path.stem}: {rule['rule']}", marks=marks))
    return rules


@pytest.mark.parametrize("rule", _rules())
def test_golden_rule(rule: dict[str, Any]) -> None:
    found = [[s.text, s.speaker, s.kind] for s in read(rule["text"])]
    assert found == rule["statements"]


ARTICLE = """Harbour toll divides Skarhamn

SKARHAMN, May 3 - The Harbour Board will charge cargo ships a toll from June, its chairwoman, \
Petra Holt, said on Monday.

"The quay is worn to the bone," Holt told reporters. "Somebody has to pay for it.

"I would rather it were the ships than the town."

Pilots opposed the plan. "A toll is a wall with a slot in it," said Oskar Lindqvist, 58, who has \
guided ships here since 1990. He called the charge "a present to the next port".

A spokesman for the shipping line Norrled said it would study the tariff before it decided \
anything.

The board has raised fees twice since 2012. It votes again in August.
"""


def test_an_article_from_headline_to_last_line() -> None:
    told = [(s.kind, s.speaker) for s in read(ARTICLE)]
    assert told == [
        ("narration", None),
        ("narration", None),
        ("indirect", "Petra Holt"),
        ("direct", "Petra Holt"),
        ("indirect", "Pilots"),
        ("direct", "Oskar Lindqvist"),
        ("mixed", "Oskar Lindqvist"),
        ("indirect", "a spokesman for the shipping line Norrled"),
        ("narration", None),
        ("narration", None),
    ]


def test_an_article_record_reads_like_its_text() -> None:
    assert read(Article(ARTICLE, source="toll.txt")) == read(ARTICLE)


@pytest.mark.parametrize("text", ["", " ", "\n\r\n\t", "\u00a0\u2029", "\ufeff\u200b \u00ad"])
def test_nothing_to_read(text: str) -> None:
    assert read(text) == []


def test_line_ends_do_not_change_what_is_read() -> None:
    windows = ARTICLE.replace("\n", "\r\n")
    assert [(s.speaker, s.kind) for s in read(windows)] == [
        (s.speaker, s.kind) for s in read(ARTICLE)
    ]
    _check_cover(windows, read(windows))


def test_reading_twice_gives_the_same() -> None:
    assert read(ARTICLE) == read(ARTICLE)


def test_sentences_keep_quotations_whole() -> None:
    text = 'He left. "It rained. We stayed," she said. Then it stopped.'
    (paragraph,) = paragraphs(text)
    (quoted,) = quotations(text, [paragraph])
    assert [text[start:end] for start, end in sentences(text, paragraph, quoted)] == [
        "He left.",
        '"It rained. We stayed," she said.',
        "Then it stopped.",
    ]


def test_quotations_say_whether_they_close_and_continue() -> None:
    text = '"One two three.\n"Four five six."'
    first, second = quotations(text, paragraphs(text))
    assert [(q.closed, q.continues) for q in first + second] == [(False, False), (True, True)]


def test_a_statement_says_by_what_words_its_speaker_is_known() -> None:
    told = [
        (s.speaker, ARTICLE[slice(*s.mention)])
        for s in read(ARTICLE)
        if s.mention is not None and s.speaker is not None
    ]
    assert told[:3] == [
        ("Petra Holt", "its chairwoman, Petra Holt"),
        ("Petra Holt", "Holt"),
        ("Pilots", "Pilots"),
    ]
    assert told[4] == ("Oskar Lindqvist", "He")


def test_a_name_is_believed_more_than_a_pronoun_and_that_more_than_none() -> None:
    text = 'Petra Holt said it was fair. She said it was time. "It is. It will be."'
    named, pronoun, carried = read(text)
    assert named.confidence > pronoun.confidence > carried.confidence > 0
    assert carried.speaker == "Petra Holt"
    (nobody,) = read("The quay was built in 1960.")
    assert (nobody.confidence, nobody.mention, nobody.speaker) == (0, None, None)


@pytest.mark.parametrize(
    ("text", "context"),
    [
        ("The toll is new. Petra Holt said it was fair.", "The toll is new."),
        ('Will it last? "Yes," Petra Holt said.', "Will it last?"),
        ('Why now? "Because ships have grown," Petra Holt said.', "Why now?"),
        ("The toll is new. Petra Holt said that tolls are fair everywhere.", None),
        ("The toll is new. She said that tolls are fair everywhere.", "The toll is new."),
        ("Petra Holt said it was fair.", None),
    ],
)
def test_context_is_given_where_a_statement_cannot_stand_alone(
    text: str, context: str | None
) -> None:
    assert read(text)[-1].context == context


SEEN = [(s.speaker, s.kind) for s in read(ARTICLE)]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace("toll", "to\u00adll"),
        lambda text: text.replace(" said", "\u00a0said"),
        lambda text: text.replace("the ", "\u200bthe "),
        lambda text: text.replace('"', '\u200b"\u2060'),
    ],
    ids=["byte-order mark", "soft hyphens", "no-break spaces", "zero width", "around marks"],
)
def test_invisible_characters_change_nothing(change: Callable[[str], str]) -> None:
    text = change(ARTICLE)
    statements = read(text)
    _check_cover(text, statements)
    assert [(s.speaker, s.kind) for s in statements] == SEEN


def test_an_odd_mark_spoils_only_its_paragraph() -> None:
    spoiled = ARTICLE.replace('"I would', '"I "would')
    assert [(s.speaker, s.kind) for s in read(spoiled)][-5:] == SEEN[-5:]


def _check_cover(text: str, statements: list[Statement]) -> None:
    """Every character one can see in exactly one statement, in order, offsets exact."""
    position = 0
    for statement in statements:
        assert position <= statement.start < statement.end <= len(text)
        assert not INVISIBLE.sub("", text[position : statement.start]).strip()
        assert statement.text == text[statement.start : statement.end]
        assert statement.kind != "narration" or statement.speaker is None
        assert statement.speaker is None or statement.speaker.strip()
        assert (statement.speaker is None) == (statement.confidence == 0)
        if statement.mention is not None:
            first, last = statement.mention
            assert 0 <= first < last <= statement.end and statement.speaker is not None
        position = statement.end
    assert not INVISIBLE.sub("", text[position:]).strip()


# Pieces that meet in articles, put together in ways that no editor would.
PIECES = st.sampled_from(
    [
        *"\"'“”‘’«»„.,:;!?…()[]-–—•\n\r\t ",
        *("\r\n", "\n\n", "\u00a0", "\u200b", "\ufeff", "\u2028", "\x85", "\ud800", "🙂", "é"),
        *("said ", "says ", "that ", "he ", "She ", "it ", "they ", "who ", "and ", "the "),
        *("according to ", "adding ", "told ", "called ", "is urging ", "has ", "but "),
        *("Mr ", "Mr. ", "Dr. ", "U.S. ", "J. ", "No. ", "Mayor ", "minister ", "3.5 ", "'90s "),
        *("Petra Holt ", "Holt ", "Oskar Lindqvist ", "Harbour Board ", "A: ", "Bo: ", "LONDON - "),
        *("Minutes\n", "Resolved that ", "\u2022 ", "1. ", "(chairman ", "while ", "; ", "by "),
        *("in the words of ", "wife, ", "position is:\n", "was urged by "),
        *("spokesman ", "pilots ", "toll ", "plan ", "in May ", "’s ", "'s ", "of "),
    ]
)


@settings(max_examples=250, deadline=None)
@given(st.lists(PIECES, max_size=60).map("".join))
def test_any_newsprint_is_covered_exactly(text: str) -> None:
    _check_cover(text, read(text))


@settings(max_examples=150, deadline=None)
@given(st.text(st.characters(), max_size=200))
def test_any_string_is_covered_exactly(text: str) -> None:
    _check_cover(text, read(text))


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_the_words_of_an_article_may_be_anything(name: str) -> None:
    text = f'"The toll is fair," said {name}. {name} left. "{name}," he said.\n{name}: no.'
    _check_cover(text, read(text))


REPEATED = {
    "straight quotes": '"',
    "spaced quotes": '" ',
    "every mark": "“”\"'‘’«»",
    "apostrophes": "'",
    "said": "said ",
    "said with commas": "said, ",
    "he said": "He said ",
    "one word": "a",
    "one capital word": "A",
    "words": "word ",
    "names": "Name ",
    "hyphens": "A-",
    "initials": "A.",
    "full stops": ". ",
    "titles": "Mr. ",
    "relative clauses": "X, who ",
    "clauses": "the man that ",
    "names joined": "A and ",
    "labels": "A: b\n",
    "datelines": "LONDON - ",
    "open quotations": '"Hello there my friend.\n',
    "speakers": "Mayor Jane Roe said. The mayor said. ",
    "brackets": "(",
    "points": "\u2022 A: b\n",
    "clauses of two": "A said no; B said no; ",
    "relatives": "His wife, Anna, said no. ",
    "bodies": "The bank said so. ",
    "owners": "Pilots met, their chairman's office said. His lawyer said no. ",
    "pairs": "Ayland and Beeland met. Both governments said no. ",
    "told": "He wrote to the board and was told no. ",
    "minutes": "Minutes\nResolved that it be.\n",
}


def _calls(run: Callable[[], object]) -> int:
    """How many lines of Python a call runs: a measure of work that no busy machine changes."""
    count = 0

    def trace(*_: object) -> Any:
        nonlocal count
        count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("unit", REPEATED.values(), ids=REPEATED.keys())
def test_work_grows_no_faster_than_the_text(unit: str) -> None:
    short = unit * (1_000 // len(unit))
    small, large = (_calls(partial(read, text)) for text in (short, short * 4))
    # Four times the text may take four times the work, and a little for what is set up once.
    assert large <= 5 * small + 500


@pytest.mark.parametrize("unit", REPEATED.values(), ids=REPEATED.keys())
def test_long_texts_are_read_in_one_pass(unit: str) -> None:
    # Regular expressions do their work outside the count above; a quadratic one would hang here.
    text = unit * (60_000 // len(unit))
    _check_cover(text, read(text))
