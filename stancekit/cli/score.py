"""``stancekit score``."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from stancekit.cli.options import Device, EngineName, Model, Threads, open_model
from stancekit.cli.progress import ProgressDisplay
from stancekit.errors import InputError

if TYPE_CHECKING:
    from stancekit.archive import Summary
    from stancekit.cluster import Workers
    from stancekit.scoring import Settings

__all__ = ["EXAMPLE", "score"]

EXAMPLE = 'Example: stancekit score examples/archive.csv --topic "the tidal barrage" -o out.csv'
INTERRUPTED = 130  # the exit code of whatever Ctrl-C ended


def score(
    inputs: Annotated[
        list[str],
        typer.Argument(
            help="Files, folders or patterns; - is standard input. "
            "Kinds: .jsonl, .csv, .tsv, .txt (also .gz, .zst) and .parquet."
        ),
    ],
    output: Annotated[
        str,
        typer.Option(
            "--output", "-o", help="A file, a folder (of parquet files), or - (standard output)."
        ),
    ],
    topic: Annotated[
        list[str] | None,
        typer.Option(
            "--topic",
            "-t",
            help="What the stance is toward, where a row has no topic; may be repeated.",
        ),
    ] = None,
    topics_file: Annotated[
        Path | None,
        typer.Option(help="More topics: one a line, or .jsonl with a field topic."),
    ] = None,
    articles: Annotated[
        bool,
        typer.Option(
            "--articles", help="Rows hold whole articles, in the column text: read, then score."
        ),
    ] = False,
    statement_column: Annotated[
        str | None, typer.Option(help="The column that holds statements, or articles.")
    ] = None,
    topic_column: Annotated[
        str | None, typer.Option(help="The column that holds each row's own topic.")
    ] = None,
    speaker_column: Annotated[
        str | None, typer.Option(help="The column that holds who speaks.")
    ] = None,
    max_error: Annotated[
        float | None,
        typer.Option(help="Mark answers as uncertain, to leave at most this share wrong."),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at the first row that cannot be scored.")
    ] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Start over instead of going on with an earlier run.")
    ] = False,
    input_format: Annotated[str, typer.Option(help="Of standard input.")] = "jsonl",
    output_format: Annotated[str, typer.Option(help="Of standard output.")] = "jsonl",
    cluster: Annotated[
        bool,
        typer.Option(
            "--cluster",
            help="Score on a Ray cluster: that of RAY_ADDRESS, or one started here. OUTPUT is a "
            "new folder; paths may be URIs.",
        ),
    ] = False,
    workers: Annotated[
        int | None, typer.Option(help="Of the cluster; by default one a processor or GPU.")
    ] = None,
    gpus_per_worker: Annotated[float, typer.Option(help="Of the cluster; 0.5 shares one.")] = 0,
    model: Model = None,
    engine: EngineName = None,
    device: Device = None,
    threads: Threads = None,
) -> None:
    """Score archives of statements.

    Reads the columns statement, topic and speaker; writes all input columns, then the answer. Rows
    that cannot be scored go to OUTPUT.errors.jsonl with file, line and reason.

    A run that was broken off, by Ctrl-C, a crash or a full disk, goes on when the same command is
    given again.
    """
    from stancekit import archive
    from stancekit.cluster import Workers
    from stancekit.scoring import Settings
    from stancekit.topics import read_topics

    topics = [*(topic or []), *(read_topics(topics_file) if topics_file else [])]
    stands_for = {
        statement_column: "text" if articles else "statement",
        topic_column: "topic",
        speaker_column: "speaker",
    }
    renamed = {old: new for old, new in stands_for.items() if old is not None and old != new}
    if cluster:
        _refuse_beside_cluster(inputs, output, device, strict, restart)
        least = None if max_error is None else open_model(model).min_confidence(max_error)
        summary = _on_cluster(
            inputs,
            output,
            Settings(tuple(topics), least, articles),
            renamed,
            model,
            Workers(workers, threads or 1, gpus_per_worker, engine),
        )
        _show(summary, sys.stdout)
        return
    loaded = open_model(model, engine, device, threads)
    least = None if max_error is None else loaded.min_confidence(max_error)
    try:
        with ProgressDisplay() as show, _stopping() as stop:
            summary = archive.score(
                inputs,
                output,
                loaded,
                topics=topics,
                min_confidence=least,
                articles=articles,
                renamed=renamed,
                strict=strict,
                restart=restart,
                input_format=input_format,
                output_format=output_format,
                progress=show,
                stop=stop,
            )
    except archive.Stopped as stopped:
        kept = stopped.rows and output != "-"
        then = "the same command goes on from there" if kept else "nothing was kept"
        print(f"{stopped}; {then}", file=sys.stderr)
        sys.exit(INTERRUPTED)
    _show(summary, sys.stderr if output == "-" else sys.stdout)


def _refuse_beside_cluster(
    inputs: list[str], output: str, device: str | None, strict: bool, restart: bool
) -> None:
    beside = {
        "--device": device is not None,
        "--strict": strict,
        "--restart": restart,
        "-": "-" in (*inputs, output),
    }
    for name in (name for name, given in beside.items() if given):
        raise InputError(
            "--cluster", f"{name} beside it", "files, and a new folder", "leave it out"
        )


def _on_cluster(
    inputs: list[str],
    output: str,
    settings: Settings,
    renamed: dict[str, str],
    model: Path | None,
    workers: Workers,
) -> Summary:
    from stancekit.cluster import score_files

    with ProgressDisplay() as show:
        return score_files(
            inputs,
            output,
            settings,
            renamed=renamed,
            model=model,
            workers=workers,
            progress=show,
        )


@contextmanager
def _stopping() -> Iterator[Callable[[], bool]]:
    """Let the first Ctrl-C end a run after the piece in hand, and the second at once."""
    asked = False

    def say(text: str) -> None:
        # The print that the signal came upon may be half done, and is not to be entered again.
        os.write(sys.stderr.fileno(), f"{text}\n".encode())

    def ask(signal_number: int, frame: Any) -> None:
        nonlocal asked
        if asked:
            say("stopped at once; the same command goes on")
            # Threads are at work that cannot be told to stop; what is written bears any end.
            os._exit(INTERRUPTED)
        asked = True
        say("finishing the piece in hand; Ctrl-C again stops at once")

    before = signal.getsignal(signal.SIGINT)
    if before == signal.SIG_IGN:  # whoever started this in the background wants it left alone
        yield lambda: False
        return
    signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)


def _show(summary: Summary, where: TextIO) -> None:
    labels = ", ".join(f"{n} {label}" for label, n in summary.labels.items())
    earlier = f", {summary.before} input rows earlier" if summary.before else ""
    print(
        f"rows scored: {summary.scored} in {summary.seconds:.1f} s "
        f"({summary.rows_per_second:.0f} rows/s{earlier}): {labels}",
        file=where,
    )
    if where is sys.stdout:
        print(f"written to {summary.output}")
    if summary.errors:
        listed = "above" if summary.errors_path is None else summary.errors_path
        print(f"rows that could not be scored: {summary.errors}, see {listed}", file=where)
