"""The command line: parse, call one function, show. The only module that prints.

Exit codes: 0 done, 2 something in the call or the input was wrong (one line says what), 130
interrupted.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import stancekit
from stancekit.display import progress_line
from stancekit.errors import StancekitError

if TYPE_CHECKING:
    from stancekit.archive import Progress
    from stancekit.model import StanceModel

__all__ = ["app", "main"]


class _Group(typer.core.TyperGroup):
    """The commands, ending as people expect when stopped; the framework has its own ideas."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            _let_go_of_stdout()
            return None
        except KeyboardInterrupt:
            print("interrupted; nothing was written", file=sys.stderr)
            sys.exit(130)


app = typer.Typer(
    cls=_Group,
    name="stancekit",
    help="Who stands where: the stance of statements toward topics, offline.",
    add_completion=False,
    rich_markup_mode=None,  # plain help reads the same in a terminal, a pipe and a log
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Topic = Annotated[str, typer.Option("--topic", "-t", help="What the stance is toward.")]
Model = Annotated[
    Path | None, typer.Option("--model", help="A model folder; the bundled one by default.")
]
EngineName = Annotated[str | None, typer.Option("--engine", help="onnx or torch.")]
Device = Annotated[str | None, typer.Option("--device", help="cpu, cuda, cuda:1, mps.")]
Threads = Annotated[int | None, typer.Option("--threads", help="Processor threads to use.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON for programs.")]

PLAIN_LINE_EVERY = 10.0  # seconds between progress lines where there is no terminal


@app.command(
    epilog='Example: stancekit predict "Let us wait for the talks." --topic "missile defence"'
)
def predict(
    statement: Annotated[str, typer.Argument(help="A sentence or short passage.")],
    topic: Topic,
    speaker: Annotated[
        str | None, typer.Option("--speaker", "-s", help="Whose stance is asked for.")
    ] = None,
    as_json: AsJson = False,
    model: Model = None,
    engine: EngineName = None,
    device: Device = None,
    threads: Threads = None,
) -> None:
    """The stance of one statement toward a topic."""
    from stancekit.display import prediction_line, record

    prediction = _load(model, engine, device, threads).predict(statement, topic, speaker)
    print(_json(record(prediction)) if as_json else prediction_line(prediction))


@app.command(epilog='Example: stancekit read examples/article.txt --topic "the tidal barrage"')
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
    loaded = _load(model, engine, device, threads)
    for article in texts:
        answers = loaded.read(article, topic)
        speakers = balances(answers, loaded.labels)
        if as_json:
            statements = [statement_record(s, p) for s, p in answers]
            facts = {"article": article.source, "topic": topic, "statements": statements}
            print(_json(facts | {"speakers": [balance.to_dict() for balance in speakers]}))
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


@app.command(
    epilog='Example: stancekit score examples/archive.csv --topic "the tidal barrage" -o out.csv'
)
def score(
    inputs: Annotated[list[Path], typer.Argument(help="Files: .jsonl, .csv, .tsv, .parquet.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write; same kinds.")],
    topic: Annotated[
        str | None,
        typer.Option("--topic", "-t", help="What the stance is toward, where a row has no topic."),
    ] = None,
    max_error: Annotated[
        float | None,
        typer.Option(help="Mark answers as uncertain, to leave at most this share wrong."),
    ] = None,
    model: Model = None,
    engine: EngineName = None,
    device: Device = None,
    threads: Threads = None,
) -> None:
    """Score files of statements.

    Reads the columns statement, topic and speaker; writes all input columns, then the answer. Rows
    that cannot be scored go to OUTPUT.errors.jsonl with file, line and reason.
    """
    from stancekit import archive

    loaded = _load(model, engine, device, threads)
    least = None if max_error is None else loaded.min_confidence(max_error)
    with _ProgressDisplay() as show:
        summary = archive.score(
            inputs, output, loaded, topic=topic, min_confidence=least, progress=show
        )
    labels = ", ".join(f"{n} {label}" for label, n in summary.labels.items())
    print(
        f"rows scored: {summary.scored} in {summary.seconds:.1f} s "
        f"({summary.rows_per_second:.0f} rows/s): {labels}"
    )
    print(f"written to {summary.output}")
    if summary.errors:
        print(f"rows that could not be scored: {summary.errors}, see {summary.errors_path}")


@app.command(epilog="Example: stancekit evaluate examples/labelled.csv")
def evaluate(
    data: Annotated[Path, typer.Argument(help="Rows with statement, topic, label; maybe speaker.")],
    as_json: AsJson = False,
    probes: Annotated[
        bool, typer.Option("--probes", help="Mask topics and speakers, and make small changes too.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the resampling behind the intervals.")] = 0,
    model: Model = None,
    engine: EngineName = None,
    device: Device = None,
    threads: Threads = None,
) -> None:
    """How good a model is on labelled rows, with intervals."""
    from stancekit import evaluation
    from stancekit.files import read_examples
    from stancekit.probes import probe

    examples = read_examples(data)
    loaded = _load(model, engine, device, threads)
    predictions = loaded.predict_many(examples)
    report = evaluation.evaluate(
        examples,
        predictions,
        loaded.labels,
        recipe={
            "data": evaluation.data_hash(examples),
            "model": loaded.checkpoint.hash,
            "engine": loaded.engine.name,
            "dtype": loaded.engine.dtype,
            "version": stancekit.__version__,
        },
        seed=seed,
    )
    probed = probe(loaded, examples, predictions, seed) if probes else None
    if as_json:
        print(_json(report.to_dict() | ({"probes": probed.to_dict()} if probed else {})))
    else:
        print(report if probed is None else f"{report}\n\n{probed}")


@app.command(epilog="Example: stancekit info --json")
def info(
    as_json: AsJson = False,
    model: Model = None,
    engine: EngineName = None,
    device: Device = None,
    threads: Threads = None,
) -> None:
    """Which model, labels, engine, threads and device are used."""
    loaded = _load(model, engine, device, threads)
    checkpoint, runner = loaded.checkpoint, loaded.engine
    facts = {
        "version": stancekit.__version__,
        "model": str(checkpoint.folder),
        "hash": checkpoint.hash,
        "labels": dict(zip(checkpoint.labels.names, checkpoint.labels.polarity, strict=True)),
        "window": checkpoint.window,
        "temperature": round(checkpoint.temperature, 3),
        "engine": runner.name,
        "device": runner.device,
        "dtype": runner.dtype,
        "threads": runner.threads,
    }
    if as_json:
        print(_json(facts))
        return
    facts["labels"] = ", ".join(
        f"{name} ({'no stance' if worth is None else f'{worth:+g}'})"
        for name, worth in zip(checkpoint.labels.names, checkpoint.labels.polarity, strict=True)
    )
    for name, value in facts.items():
        print(f"{name:<12} {value}")


def main() -> None:
    """Entry point: every expected failure becomes one line on standard error and a code."""
    try:
        app(sys.argv[1:] or ["--help"], standalone_mode=False)
        # What a closed pipe makes of the last lines is only known once they are flushed.
        sys.stdout.flush()
    except StancekitError as error:
        _fail(str(error))
    except typer.TyperException as error:
        _fail(error.format_message())
    except BrokenPipeError:
        _let_go_of_stdout()


def _let_go_of_stdout() -> None:
    """The reader had enough (head, or q in less): nothing is wrong, and nothing more to say."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(message: str) -> None:
    print(f"error: {message}", file=sys.stderr)
    sys.exit(2)


def _load(
    model: Path | None, engine: str | None, device: str | None, threads: int | None
) -> StanceModel:
    return stancekit.load(model, engine=engine, device=device, threads=threads)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


class _ProgressDisplay:
    """A bar on a terminal, a line now and then elsewhere; both on standard error."""

    def __enter__(self) -> Callable[[Progress], None]:
        self._bar: Any = None
        self._last = 0.0
        return self._line if not sys.stderr.isatty() else self._start_bar()

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def _start_bar(self) -> Callable[[Progress], None]:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self._bar = Progress(
            BarColumn(),
            TextColumn("{task.fields[line]}"),
            console=Console(stderr=True),
            transient=True,
        )
        self._bar.start()
        self._task = self._bar.add_task("", line="")
        return lambda p: self._bar.update(
            self._task, completed=p.rows, total=p.total, line=progress_line(p)
        )

    def _line(self, progress: Progress) -> None:
        if progress.seconds - self._last >= PLAIN_LINE_EVERY:
            self._last = progress.seconds
            print(progress_line(progress), file=sys.stderr, flush=True)
