"""Where the bytes of an input come from: a file, or standard input laid by in a temporary one.

A reader goes through its input more than once, so what it is given can be opened anew.
"""

from __future__ import annotations

import io
import shutil
import tempfile
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO

from stancekit.errors import FileError, RecordError
from stancekit.rows import display

__all__ = ["Source", "StreamBroken", "spooled", "stored"]

COPIED = 2**20  # bytes copied from a stream at a time


class StreamBroken(RecordError):
    """Nothing can be read from here on, though what came before stands: readers make it a row."""


@dataclass(frozen=True, slots=True)
class Source:
    """Bytes that can be read from the start as often as wanted.

    Attributes:
        name: how messages and rows name it.
        kind: what it should hold, for messages: ``jsonl``, ``csv``, …
        opener: opens it afresh, each time with a position of its own.
    """

    name: str
    kind: str
    opener: Callable[[], io.BufferedReader]

    def open(self) -> io.BufferedReader:
        """The bytes from the start; the caller closes them.

        Raises:
            FileError: they cannot be had.
        """
        try:
            return self.opener()
        except OSError as error:
            raise unreadable(self.name, error) from None


def unreadable(name: str, error: OSError) -> FileError:
    """The operating system's refusal to read, in our words."""
    return FileError(name, error.strerror or str(error), "a readable file")


def stored(path: Path, kind: str) -> Source:
    """A file."""
    return Source(display(path), kind, lambda: path.open("rb"))


def spooled(stream: BinaryIO, name: str, kind: str, folder: Path | None = None) -> Source:
    """A stream that can be read only once, copied to the end into a temporary file without a name.

    The file is gone when the source is, or the process, however it ends.

    Args:
        folder: where there is room for the copy; None leaves it to the system.

    Raises:
        FileError: the stream cannot be read, or there is no room for its copy.
    """
    try:
        file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - it stays open with the copy
        try:
            shutil.copyfileobj(stream, file, COPIED)
            file.flush()
        except BaseException:
            file.close()
            raise
    except OSError as error:
        raise FileError(
            name,
            error.strerror or str(error),
            "a stream that can be copied to a temporary file",
            "make room, or give a file instead",
        ) from None
    copy = _Copy(file)
    weakref.finalize(copy, file.close)
    return Source(name, kind, copy.open)


class _Copy:
    """One open file that is read at several positions."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._lock = Lock()

    def open(self) -> io.BufferedReader:
        return io.BufferedReader(_View(self))

    def read(self, position: int, size: int) -> bytes:
        with self._lock:
            self._file.seek(position)
            data: bytes = self._file.read(size)
            return data

    def size(self) -> int:
        with self._lock:
            return int(self._file.seek(0, io.SEEK_END))


class _View(io.RawIOBase):
    """A position in a ``_Copy``."""

    def __init__(self, copy: _Copy) -> None:
        self._copy = copy
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._copy.size()}
        self._position = start[whence] + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        data = self._copy.read(self._position, len(buffer))
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)
