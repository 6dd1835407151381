"""The command line: parse, call one function, show. The only package that prints.

A command is a module here and its line in ``COMMANDS``.

Exit codes: 0 done, 2 something in the call or the input was wrong (one line says what), 3 a model
was trained that is not better, where that was required, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import typer

from stancekit.cli import check, evaluate, imports, info, predict, read, score, suggest, train
from stancekit.errors import StancekitError

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

# In the order in which help lists them.
COMMANDS = (
    (predict.predict, predict.EXAMPLE),
    (read.read, read.EXAMPLE),
    (score.score, score.EXAMPLE),
    (suggest.suggest, suggest.EXAMPLE),
    (imports.import_, imports.EXAMPLE),
    (check.check, check.EXAMPLE),
    (train.train, train.EXAMPLE),
    (evaluate.evaluate, evaluate.EXAMPLE),
    (info.info, info.EXAMPLE),
)
for command, example in COMMANDS:
    app.command(epilog=example)(command)


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
