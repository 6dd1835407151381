"""``stancekit read``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from stancekit.cli.options import (
    AsJson,
    Device,
    EngineName,
    Model,
    Threads,
    json_text,
    open_model,
)
from stancekit.errors import InputError

if TYPE_CHECKING:
    from stancekit.display import Answer
    from stancekit.records import Article, LabelSet

__all__ = ["EXAMPLE", "read"]

EXAMPLE = 'Example: stancekit read examples/article.txt --topic "the tidal barrage"'


def read(
    articles: Annotated[
        list[str],
        typer.Argument(help="Text or HTML files, or folders of them; - for standard input."),
    ],
    topics: Annotated[
        list[str],
        typer.Option("--topic", "-t", help="What the stance is toward; may be given again."),
    ],
    as_json: AsJson = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Markdown.")] = False,
    merge: Annotated[
        bool, typer.Option("--merge", help="At the end, each speaker over all the articles.")
    ] = False,
    model: Model = None,
    engine: EngineName = None,
    device: Device = None,
    threads: Threads = None,
) -> None:
    """Who says what in articles, and where they stand.

    For each article and topic a table of the statements that take a stance, what else is said, and
    a line a speaker. With --json one line an article and topic, which holds narration too; with
    --merge a last line a topic, whose article is null.
    """
    from stancekit.documents import find_articles, read_article

    if as_json and markdown:
        raise InputError("--json, --markdown", "both", "one of them")
    texts = [read_article(path) for path in find_articles(articles)]
    loaded = open_model(model, engine, device, threads)
    show = _show_json if as_json else _show_markdown if markdown else _show
    for topic in topics:
        answered: list[tuple[Article, list[Answer]]] = []
        for article in texts:
            answers = loaded.read(article, topic)
            show(article, topic, answers, loaded.labels)
            answered.append((article, answers))
        if merge:
            _show_merged(answered, topic, loaded.labels, as_json=as_json, markdown=markdown)


def _show_json(article: Article, topic: str, answers: list[Answer], labels: LabelSet) -> None:
    from stancekit.balances import balances
    from stancekit.display import statement_record

    facts = {
        "article": article.source,
        "topic": topic,
        "statements": [statement_record(s, p) for s, p in answers],
        "speakers": [balance.to_dict() for balance in balances(answers, labels)],
    }
    print(json_text(facts))


def _show_markdown(article: Article, topic: str, answers: list[Answer], labels: LabelSet) -> None:
    from stancekit.balances import balances
    from stancekit.markdown import article_page

    speakers = balances(answers, labels)
    print(article_page(article.source or "article", topic, answers, speakers, labels))


def _show(article: Article, topic: str, answers: list[Answer], labels: LabelSet) -> None:
    from rich.console import Console

    from stancekit.balances import balances
    from stancekit.display import UNNAMED, on_topic, one_line, statement_table

    print(f"{article.source}: {topic}")
    stances, others = on_topic(answers, labels)
    if not stances and not others:
        print("No attributed statement was found.\n")
        return
    if stances:
        console = Console(highlight=False)
        # Printed by us, not by rich, which ends the process when a pipe is closed.
        with console.capture() as table:
            console.print(statement_table(stances, labels))
        print(table.get(), end="")
    for balance in balances(answers, labels):
        print(balance)
    if others:
        print("\nSaid without a stance on the topic:")
    for statement, _ in others:
        print(f"  {statement.speaker or UNNAMED}: {one_line(statement.text)}")
    told = sum(s.kind == "narration" for s, _ in answers)
    print(f"\nThe writer's own statements, not shown: {told} (--json has them)\n")


def _show_merged(
    answered: list[tuple[Article, list[Answer]]],
    topic: str,
    labels: LabelSet,
    *,
    as_json: bool,
    markdown: bool,
) -> None:
    from stancekit.balances import merged
    from stancekit.markdown import speaker_table

    speakers = merged(answered, labels)
    if as_json:
        facts = {"article": None, "topic": topic, "articles": [a.source for a, _ in answered]}
        print(json_text(facts | {"speakers": [balance.to_dict() for balance in speakers]}))
        return
    heading = f"{len(answered)} articles: {topic}"
    if markdown:
        print("\n".join([f"## {heading}", "", *speaker_table(b for b in speakers if b.n)]))
        return
    print(heading)
    for balance in speakers:
        print(balance)
    print()
