"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from stancekit.errors import FileError
from stancekit.rows import display

__all__ = ["Output", "sync_folder", "writing"]


class Output:
    """A file that appears whole or not at all.

    It is written beside its place under a temporary name; ``land`` moves it there, in one step
    that leaves either the old file or the new one. ``discard`` removes it again, unless it landed.

    Attributes:
        path: where it lands; links are followed.
        file: to be written to.

    Raises:
        FileError: the place is a folder or a device, or its folder is missing or not writable.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(os.path.realpath(path))
        if self.path.exists() and not self.path.is_file():
            what = "a folder" if self.path.is_dir() else "a device"
            raise FileError(display(Path(path)), what, "a place for a file", "name a file")
        name = f".{self.path.name}.{secrets.token_hex(4)}.tmp"
        self._temporary = self.path.with_name(name)
        with writing(self.path):
            self.file: BinaryIO = self._temporary.open("xb")

    def land(self) -> None:
        """Put the file in its place, safe from a power cut."""
        with writing(self.path):
            self.file.flush()
            os.fsync(self.file.fileno())
            self.file.close()
            os.replace(self._temporary, self.path)
            sync_folder(self.path.parent)

    def discard(self) -> None:
        """Leave nothing behind but what has landed."""
        # A full disk fails once more when the file is closed.
        with suppress(OSError):
            self.file.close()
        self._temporary.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make names in a folder, new and replaced, safe from a power cut."""
    # Windows has no folders to open; there, replace alone must do.
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(folder, os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the operating system's refusal to write into a ``FileError`` that names the file."""
    try:
        yield
    except OSError as error:
        raise FileError(
            display(path),
            error.strerror or str(error),
            "a file that can be written",
            "check that its folder exists, is yours to write to and has room",
        ) from None
