"""``stancekit read``."""

from __future__ import annotations

from typing import Annotated

import typer

from stancekit.cli.options import (
    AsJson,
    Device,
    EngineName,
    Model,
    Threads,
    Topic,
    json_text,
    open_model,
)

__all__ = ["EXAMPLE", "read"]

EXAMPLE = 'Example: stancekit read examples/article.txt --topic "the tidal barrage"'


def read(
    articles: Annotated[list[str], typer.Argument(help="Text files, UTF-8; - for standard input.")],
    topic: Topic,
    as_json: AsJson = False,
    model: Model = None,
    engine: EngineName = None,
    device: Device = None,
    threads: Threads = None,
) -> None:
    """Who says what in articles, and where they stand.

    A table of every attributed statement, then a line a speaker. With --json one line an article
    that holds narration too.
    """
    from stancekit.display import balances, statement_record, statement_table
    from stancekit.files import read_article

    texts = [read_article(path) for path in articles]
    loaded = open_model(model, engine, device, threads)
    for article in texts:
        answers = loaded.read(article, topic)
        speakers = balances(answers, loaded.labels)
        if as_json:
            statements = [statement_record(s, p) for s, p in answers]
            facts = {"article": article.source, "topic": topic, "statements": statements}
            print(json_text(facts | {"speakers": [balance.to_dict() for balance in speakers]}))
            continue
        from rich.console import Console

        print(f"{article.source}: {topic}")
        if not any(s.kind != "narration" for s, _ in answers):
            print("No attributed statement was found.\n")
            continue
        console = Console(highlight=False)
        # Printed by us, not by rich, which ends the process when a pipe is closed.
        with console.capture() as table:
            console.print(statement_table(answers, loaded.labels))
        print(table.get(), end="")
        for balance in speakers:
            print(balance)
        told = sum(s.kind == "narration" for s, _ in answers)
        print(f"The writer's own statements, not shown: {told} (--json has them)\n")
