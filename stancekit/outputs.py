"""A file and its companions, which land together: the list of errors, and what else a run says."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from stancekit.errors import FileError
from stancekit.files import Output, writing
from stancekit.rows import display

__all__ = ["Outputs"]


class Outputs:
    """Files that appear when all is done, or not at all; used in a ``with`` statement.

    Args:
        main: lands in any case, and last, so that it is never seen without its companions.
        companions: land if anything was written to them; if not, older ones are removed.
        inputs: what the run reads, and so must not write over.

    Raises:
        FileError: an output is an input, or cannot be written.
    """

    def __init__(
        self, main: Path, companions: Sequence[Path], inputs: Iterable[str | Path]
    ) -> None:
        self._main = main
        for path in inputs:
            for target in (main, *companions):
                if target.exists() and Path(path).exists() and os.path.samefile(path, target):
                    raise FileError(
                        display(target),
                        "an input that would be written over",
                        "an output of its own",
                        "choose another name for the output",
                    )
        self._files: dict[Path, Output] = {}
        try:
            for path in (*companions, main):
                self._files[path] = Output(path)
        except FileError:
            self._discard()
            raise

    def __enter__(self) -> Outputs:
        return self

    def __exit__(self, *_: object) -> None:
        self._discard()

    def __getitem__(self, path: Path) -> Output:
        return self._files[path]

    def write(self, path: Path, data: bytes) -> None:
        """Add to one of the files.

        Raises:
            FileError: it cannot be written.
        """
        with writing(path):
            self._files[path].file.write(data)

    def land(self) -> list[Path]:
        """Put the files in their places; those of the companions that there are."""
        landed = []
        for path, file in self._files.items():
            if path == self._main or file.file.tell():
                file.land()
                landed.append(path)
            else:
                file.path.unlink(missing_ok=True)
        return [path for path in landed if path != self._main]

    def _discard(self) -> None:
        for file in self._files.values():
            file.discard()
