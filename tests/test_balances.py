"""Balances of speakers, over one article and several, and how they are shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from test_cli import run

from stancekit.balances import balances, merged
from stancekit.display import on_topic, statement_record
from stancekit.markdown import article_page, speaker_table
from stancekit.reading import as_rows
from stancekit.records import Article, LabelSet, Prediction, Statement

LABELS = LabelSet(("for", "between", "against", "none"), (1.0, 0.0, -1.0, None))


def answer(
    speaker: str | None, label: str, *, p: float = 0.7, text: str = "So.", kind: Any = "direct"
) -> tuple[Statement, Prediction]:
    rest = (1 - p) / (len(LABELS) - 1)
    shares = {name: p if name == label else rest for name in LABELS.names}
    statement = Statement(text, speaker, 0, len(text), kind, None, 0.9, "Before.")
    return statement, Prediction(label, shares, LABELS.score(list(shares.values())))


def test_a_balance_counts_only_statements_with_a_stance() -> None:
    answers = [answer("Holt", "for"), answer("Holt", "none"), answer("Holt", "for", p=0.9)]
    (balance,) = balances(answers, LABELS)
    assert (balance.n, balance.counts, balance.label) == (2, {"for": 2, "none": 1}, "for")
    assert balance.score == pytest.approx((answers[0][1].score + answers[2][1].score) / 2)


def test_of_as_many_labels_the_more_probable_one_is_told() -> None:
    answers = [answer("Holt", "for", p=0.6), answer("Holt", "against", p=0.9)]
    assert balances(answers, LABELS)[0].label == "against"
    assert balances(answers[::-1], LABELS)[0].label == "against"


def test_without_a_stance_there_is_no_mean() -> None:
    (balance,) = balances([answer("Holt", "none"), answer(None, "for")], LABELS)
    assert (balance.n, balance.score, balance.label) == (0, None, None)
    assert str(balance) == "Holt: no stance (1 none)"


def names(*articles: list[str]) -> list[str]:
    given = [
        (Article("", f"{number}.txt"), [answer(speaker, "for") for speaker in speakers])
        for number, speakers in enumerate(articles, start=1)
    ]
    return [balance.speaker for balance in merged(given, LABELS)]


@pytest.mark.parametrize(
    ("articles", "expected"),
    [
        ((["Petra Holt"], ["Petra Holt"]), ["Petra Holt"]),
        ((["Holt", "Ek"], ["Petra Holt"]), ["Petra Holt", "Ek"]),
        ((["Petra Holt"], ["Holt"]), ["Petra Holt"]),
        # Two people of one surname: the surname alone is neither.
        ((["Petra Holt"], ["Nils Holt"], ["Holt"]), ["Petra Holt", "Nils Holt", "Holt"]),
        ((["a spokesman"], ["a spokesman"]), ["a spokesman (1.txt)", "a spokesman (2.txt)"]),
    ],
)
def test_speakers_are_merged_by_name(articles: tuple[list[str], ...], expected: list[str]) -> None:
    assert names(*articles) == expected


def test_merging_loses_no_statement() -> None:
    given = [(Article(""), [answer("Holt", "for")]), (Article(""), [answer("Petra Holt", "none")])]
    (balance,) = merged(given, LABELS)
    assert balance.counts == {"for": 1, "none": 1}


def test_off_topic_is_set_apart_and_narration_left_out() -> None:
    answers = [answer("Holt", "for"), answer("Ek", "none"), answer(None, "for", kind="narration")]
    stances, others = on_topic(answers, LABELS)
    assert [s.speaker for s, _ in stances] == ["Holt"]
    assert [s.speaker for s, _ in others] == ["Ek"]


def test_markdown_takes_nothing_for_markup() -> None:
    answers = [answer("Ek | Co", "for", text="A *toll*\n| and [more]")]
    page = article_page("a_b.txt", "t", answers, balances(answers, LABELS), LABELS)
    assert r"| Ek \| Co | for | 0.70 | A \*toll\* \| and \[more\] |" in page.splitlines()
    assert page.startswith("## a\\_b.txt: t\n")


def test_markdown_says_when_nothing_was_found() -> None:
    assert "No attributed statement" in article_page("a", "t", [], [], LABELS)
    assert speaker_table([]) == []


def test_rows_are_flat_and_named_as_in_scored_files() -> None:
    (row,) = as_rows([answer("Holt", "for")])
    assert list(row) == [
        *("statement", "speaker", "kind", "start", "end", "speaker_confidence", "context"),
        *("label", "confidence", "score", "p_for", "p_between", "p_against", "p_none", "windows"),
    ]
    assert all(value is None or isinstance(value, str | int | float) for value in row.values())
    assert json.loads(json.dumps(row)) == row


def test_a_statement_for_programs_keeps_its_keys() -> None:
    facts = statement_record(*answer("Holt", "for"))
    assert {"text", "speaker", "kind", "start", "end", "label", "probabilities"} <= set(facts)
    assert facts["speaker_confidence"] == 0.9 and facts["context"] == "Before."


ONE = '"We want the bridge built," Mayor Ada Quill said on Monday. "It is long overdue."\n'
TWO = "Quill said work would begin in May. A spokesman said it would not.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "1.txt").write_text(ONE, encoding="utf-8")
    (tmp_path / "2.txt").write_text(TWO, encoding="utf-8")
    return tmp_path


def test_json_has_a_line_an_article_and_topic_and_one_for_all(
    folder: Path, tiny_model_dir: Path
) -> None:
    topics = ["-t", "the bridge", "-t", "the ferry"]
    done = run("read", folder, *topics, "--merge", "--json", "--model", tiny_model_dir)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    told = [(line["topic"], line["article"] and Path(line["article"]).name) for line in lines]
    assert told == [
        *(("the bridge", name) for name in ("1.txt", "2.txt", None)),
        *(("the ferry", name) for name in ("1.txt", "2.txt", None)),
    ]
    speakers = [speaker["speaker"] for speaker in lines[2]["speakers"]]
    assert speakers == ["Ada Quill", f"a spokesman ({folder / '2.txt'})"]
    assert sum(lines[2]["speakers"][0]["counts"].values()) == 2


def test_markdown_is_a_page(folder: Path, tiny_model_dir: Path) -> None:
    done = run("read", folder, "-t", "it", "--markdown", "--merge", "--model", tiny_model_dir)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"## {folder}".replace("_", "\\_"))
    assert "## 2 articles: it" in done.stdout


def test_json_and_markdown_are_not_both(folder: Path, tiny_model_dir: Path) -> None:
    done = run("read", folder, "-t", "it", "--markdown", "--json", "--model", tiny_model_dir)
    assert done.returncode == 2 and "found both" in done.stderr and done.stdout == ""
