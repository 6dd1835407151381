"""A run over an archive that can be broken off at any moment and gone on with.

While a run lasts, it has a hidden folder: ``.OUT.run`` beside the file OUT, or ``.run`` in the
folder OUT. There stand ``run.json``, what the run is about; pieces of the output with the lists of
their bad rows; and ``progress.json``, written after each piece, which says how many pieces count
and what is in them. Everything is written aside, synced and renamed, so after a kill or a power cut
the folder holds the run up to some piece, and perhaps one piece more that does not count and is
written again. When the output is whole the hidden folder goes; in an output folder it stays,
without the pieces, to tell the same call that nothing is left to do.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from stancekit.errors import FileError
from stancekit.files import sidecar
from stancekit.landing import sync_folder
from stancekit.locks import lock_folder
from stancekit.manifest import State, read_json, refuse_changes, write_json
from stancekit.parts import Format, placed
from stancekit.rows import BadRow, Columns, Row, display, error_line
from stancekit.sidecars import SUFFIX as SIDECAR_SUFFIX

__all__ = ["ERRORS_SUFFIX", "Run"]

ERRORS_SUFFIX = ".errors.jsonl"
ABOUT, PROGRESS = "run.json", "progress.json"
# Pieces in a file of an output folder: with one topic 131,072 rows.
PIECES = 32


class Run:
    """The output of one run, as far as it has come; used in a ``with`` statement.

    Args:
        output: the file or folder to be written.
        folder: whether it is a folder, of parquet files.

    Attributes:
        path: the output; links are followed.
        errors: the list of bad rows, beside the output.
        folder: the hidden folder of the run.
        state: how far it has come.

    Raises:
        FileError: another process writes this output, or it cannot be written.
    """

    def __init__(self, output: Path, *, folder: bool) -> None:
        self._name = display(output)
        self._parquet = folder
        self.path = Path(os.path.realpath(output))
        self.errors = Path(f"{self.path}{ERRORS_SUFFIX}")
        self.folder = (
            self.path / ".run" if folder else self.path.with_name(f".{self.path.name}.run")
        )
        self._trash = self.folder.with_name(f"{self.folder.name}.old")
        self.state = State()
        with self._saving():
            self._new = folder and not self.path.exists()
            if self._new:
                self.path.mkdir(exist_ok=True)
            try:
                self._lock = lock_folder(self.folder)
            except BlockingIOError:
                raise FileError(
                    self._name,
                    "another process writing it",
                    "an output of its own",
                    "wait for the other, or choose another name",
                ) from None

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        if self.folder.exists() and not (self.folder / PROGRESS).exists():
            # A disk that failed may fail again; an empty folder left behind harms nothing.
            with suppress(OSError):
                self._remove()
                if self._new:
                    self.path.rmdir()
        self._lock.close()

    def begin(
        self,
        facts: Mapping[str, Any],
        columns: Columns,
        metadata: Mapping[str, str],
        *,
        restart: bool = False,
    ) -> None:
        """Go on with the run that is in the folder, or start one.

        Args:
            facts: all that decides what the output will be, ready for JSON.
            columns: of the output.
            metadata: what the output says of itself.
            restart: forget the run that is in the folder, and the files it finished.

        Raises:
            FileError: the run in the folder is about something else; or the output folder has
                files of a run that is over.
        """
        name = "part.parquet" if self._parquet else self.path.name
        self._format = Format(name, columns, metadata)
        self._metadata = metadata
        with self._saving():
            shutil.rmtree(self._trash, ignore_errors=True)
            if restart:
                for path in (*self._finished(), *self._in_folder()):
                    path.unlink()
            begun = read_json(self.folder / ABOUT)
            if begun:
                refuse_changes(self._name, begun, facts)
                self.state = State(**read_json(self.folder / PROGRESS))
            else:
                self._refuse_finished()
                write_json(self.folder / ABOUT, facts)

    def add(self, read: int, outcomes: Sequence[Row | BadRow]) -> None:
        """Put down what became of the next input rows; once this returns, it stays done.

        Args:
            read: how many input rows these are.
            outcomes: their output rows and bad rows, in order.

        Raises:
            FileError: the disk is full or fails.
        """
        number = self.state.pieces
        with self._saving():
            bad = [error_line(row) for row in outcomes if isinstance(row, BadRow)]
            if bad:
                with placed(self._errors_piece(number)) as file:
                    file.writelines(bad)
            with placed(self._piece(number)) as file:
                self._format.write(file, (row for row in outcomes if isinstance(row, Row)))
            self._advance(self.state.after(read, outcomes))
            while self._parquet and self._waiting() >= PIECES:
                self._finish_file()

    def finish(self) -> None:
        """Put the output in its place, and do away with what is no longer needed.

        Raises:
            FileError: the disk is full or fails.
        """
        with self._saving():
            if not self.state.finished:
                # The list of errors lands first: no output is ever seen without it.
                self._land_errors()
                if self._parquet:
                    while self._waiting() > 0 or not self.state.files:
                        self._finish_file()
                    self._advance(replace(self.state, finished=True))
                else:
                    self._land_file()
            if self._parquet:
                for piece in self.folder.glob("piece-*"):
                    piece.unlink()
            else:
                self._remove()

    def _land_errors(self) -> None:
        if not self.state.errors:
            self.errors.unlink(missing_ok=True)
            return
        with placed(self.errors) as file:
            for number in range(self.state.pieces):
                if self._errors_piece(number).exists():
                    file.write(self._errors_piece(number).read_bytes())

    def _land_file(self) -> None:
        joined = self.folder / self.path.name
        with placed(joined) as file:
            self._format.join([self._piece(n) for n in range(self.state.pieces)], file)
        sidecar(joined, self._metadata)
        beside = Path(f"{joined}{SIDECAR_SUFFIX}")
        if beside.exists():
            os.replace(beside, f"{self.path}{SIDECAR_SUFFIX}")
        os.replace(joined, self.path)
        sync_folder(self.path.parent)

    def _waiting(self) -> int:
        """Pieces that are not in a file of the output folder yet."""
        return self.state.pieces - self.state.files * PIECES

    def _finish_file(self) -> None:
        """Join the waiting pieces, ``PIECES`` at most, into the next file of the output folder."""
        first = self.state.files * PIECES
        last = min(first + PIECES, self.state.pieces)
        pieces = [self._piece(number) for number in range(first, last)]
        target = self.path / f"part-{self.state.files:05d}.parquet"
        with placed(self.folder / "joined") as file:
            self._format.join(pieces, file)
        os.replace(self.folder / "joined", target)
        sync_folder(self.path)
        self._advance(replace(self.state, files=self.state.files + 1))
        for piece in pieces:
            piece.unlink()

    def _piece(self, number: int) -> Path:
        return self.folder / f"piece-{number:08d}{self._format.extension}"

    def _errors_piece(self, number: int) -> Path:
        return self.folder / f"piece-{number:08d}{ERRORS_SUFFIX}"

    def _finished(self) -> list[Path]:
        return sorted(self.path.glob("part-*.parquet")) if self._parquet else []

    def _in_folder(self) -> list[Path]:
        """The run's own files; what says that there is a run goes first."""
        names = sorted(path.name for path in self.folder.iterdir())
        own = [name for name in names if name != Path(self._lock.name).name]
        own.sort(key=lambda name: name != ABOUT)
        return [self.folder / name for name in own]

    def _refuse_finished(self) -> None:
        finished = self._finished()
        if finished:
            raise FileError(
                self._name,
                f"{finished[0].name}, which is no part of this run",
                "a folder without such files",
                "choose another name, or write over them with --restart",
            )

    def _advance(self, state: State) -> None:
        state.write(self.folder / PROGRESS)
        self.state = state

    def _remove(self) -> None:
        """Do away with the folder: in one step first, so that no half of it is taken for a run."""
        shutil.rmtree(self._trash, ignore_errors=True)
        os.rename(self.folder, self._trash)
        sync_folder(self._trash.parent)
        shutil.rmtree(self._trash)

    @contextmanager
    def _saving(self) -> Iterator[None]:
        try:
            yield
        except FileError:
            raise
        except OSError as error:
            kept = f": {self.state.rows:,} rows are done and kept" if self.state.rows else ""
            raise FileError(
                self._name,
                error.strerror or str(error),
                "an output that can be written",
                "check that its folder exists, is yours to write to and has room, then run the "
                f"same command again{kept}",
            ) from None
