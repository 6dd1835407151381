"""Where an output goes: to a file or folder, as a run that can be gone on with, or down a pipe."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from stancekit.errors import FileError
from stancekit.files import writer_for
from stancekit.formats import extensions
from stancekit.manifest import State
from stancekit.rows import BadRow, Columns, Row, Writer, display, error_line
from stancekit.runs import ERRORS_SUFFIX, Run

__all__ = ["STANDARD_OUTPUT", "Destination", "destination"]

STANDARD_OUTPUT = "-"


class Destination(Protocol):
    """Takes what becomes of input rows, piece by piece; used in a ``with`` statement."""

    @property
    def state(self) -> State:
        """How far the output has come."""
        ...

    @property
    def folder(self) -> Path | None:
        """Where there is room for temporary files; None leaves it to the system."""
        ...

    @property
    def errors(self) -> Path | None:
        """Where the list of bad rows will be; None if it goes to standard error."""
        ...

    def __enter__(self) -> object: ...

    def __exit__(self, *_: object) -> None: ...

    def begin(
        self,
        facts: Mapping[str, Any],
        columns: Columns,
        metadata: Mapping[str, str],
        *,
        restart: bool = False,
    ) -> None:
        """As ``Run.begin``."""
        ...

    def add(self, read: int, outcomes: Sequence[Row | BadRow]) -> None:
        """As ``Run.add``."""
        ...

    def finish(self) -> None:
        """Nothing more comes."""
        ...


def destination(output: str, inputs: Iterable[Path], format: str) -> Destination:
    """What an output's name stands for, locked for this process.

    Args:
        output: a file, a folder or ``-``, as ``archive.score`` takes them.
        inputs: must not be written over.
        format: of standard output.

    Raises:
        FileError: no such format, an input would be written over, another process writes there, or
            nobody can.
    """
    if output == STANDARD_OUTPUT:
        return Stream(format)
    path = Path(output)
    folder = path.is_dir() or output.endswith(("/", os.sep)) or extensions(path.name) == ("", "")
    if not folder:
        writer_for(path)
        if path.exists() and not path.is_file():
            raise FileError(display(path), "a device", "a place for a file", "name a file")
    targets = [path, Path(f"{path}{ERRORS_SUFFIX}")]
    for one in inputs:
        inside = folder and Path(os.path.realpath(path)) in Path(os.path.realpath(one)).parents
        if inside or any(_is_same(one, target) for target in targets):
            raise FileError(
                display(one if inside else next(t for t in targets if _is_same(one, t))),
                "an input that would be written over",
                "an output of its own",
                "choose another name for the output",
            )
    return Run(path, folder=folder)


def _is_same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and os.path.samefile(one, other)


class Stream:
    """Standard output, with the bad rows on standard error.

    Args:
        format: as an extension without its dot.
    """

    folder: Path | None = None
    errors: Path | None = None

    def __init__(self, format: str) -> None:
        self.state = State()
        self._make_writer = writer_for(f"standard output.{format}")
        self._writer: Writer

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held."""

    def begin(
        self,
        facts: Mapping[str, Any],
        columns: Columns,
        metadata: Mapping[str, str],
        *,
        restart: bool = False,
    ) -> None:
        """Start; there is never anything to go on with."""
        self._writer = self._make_writer(sys.stdout.buffer, columns, metadata)

    def add(self, read: int, outcomes: Sequence[Row | BadRow]) -> None:
        """Write rows at once, for whoever waits at the other end.

        Raises:
            BrokenPipeError: nobody does.
        """
        for outcome in outcomes:
            if isinstance(outcome, BadRow):
                sys.stderr.buffer.write(error_line(outcome))
            else:
                self._writer.write(outcome)
        sys.stdout.buffer.flush()
        sys.stderr.buffer.flush()
        self.state = self.state.after(read, outcomes)

    def finish(self) -> None:
        """Write what is still held back."""
        self._writer.finish()
        sys.stdout.buffer.flush()
