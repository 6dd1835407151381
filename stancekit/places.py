"""Files that many machines share: local paths, and URIs of stores such as s3, gs and hdfs.

Pyarrow speaks to the stores. Readers want a file on their own disk, so a file elsewhere is copied
there for as long as it is read.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from stancekit import files
from stancekit.errors import FileError, InputError, StancekitError
from stancekit.formats import READERS, is_readable
from stancekit.rows import display

__all__ = ["Folder", "Place", "find"]


@dataclass(frozen=True, slots=True)
class Place:
    """One input file.

    Attributes:
        name: how messages and lists of errors name it.
        uri: the store, by any URI in it; empty for a file on this machine or on a shared disk.
        path: the file's path, in the store if there is one.
    """

    name: str
    uri: str
    path: str

    @contextmanager
    def at_hand(self) -> Iterator[Path]:
        """The file as one on this machine's disk.

        Raises:
            FileError: the store cannot be reached, or has no such file.
        """
        if not self.uri:
            yield Path(self.path)
            return
        with tempfile.TemporaryDirectory(prefix="stancekit-") as folder:
            copy = Path(folder, self.path.rsplit("/", 1)[-1])
            with _reaching(self.name):
                from pyarrow import fs

                store, _ = fs.FileSystem.from_uri(self.uri)
                fs.copy_files(
                    self.path, str(copy), source_filesystem=store,
                    destination_filesystem=fs.LocalFileSystem(),
                )  # fmt: skip
            yield copy


def find(inputs: Iterable[str | Path]) -> list[Place]:
    """All files that the inputs name: files, folders of them, patterns; in a store, no patterns.

    Raises:
        FileError: nothing there, or nothing with an extension that can be read.
        InputError: standard input, which only this machine has.
    """
    places: list[Place] = []
    for one in inputs:
        if "://" in str(one):
            places += _in_store(str(one))
        elif Path(one) == files.STANDARD_INPUT:
            raise InputError("inputs", "standard input", "files that every machine can read")
        else:
            # Workers run in folders of their own.
            places += [Place(display(p), "", os.path.abspath(p)) for p in files.expand([one])]
    return list(dict.fromkeys(places))


def _in_store(uri: str) -> list[Place]:
    with _reaching(uri):
        from pyarrow import fs

        store, path = fs.FileSystem.from_uri(uri)
        info = store.get_file_info(path)
        if info.type == fs.FileType.File:
            return [Place(uri, uri, path)]
        listed = [] if info.type == fs.FileType.NotFound else store.get_file_info(
            fs.FileSelector(path, recursive=True)
        )  # fmt: skip
    found = sorted(
        one.path for one in listed if one.type == fs.FileType.File and _is_input(one.path, path)
    )
    if not found:
        what = "no file that can be read" if listed else "no such file"
        raise FileError(uri, what, f"files ending in {', '.join(READERS)}", "check the URI")
    scheme = uri.split("://")[0]
    return [Place(f"{scheme}://{one}", uri, one) for one in found]


def _is_input(path: str, folder: str) -> bool:
    """Whether a file below a folder is data; names that begin with . or _ are somebody's notes."""
    below = path[len(folder) :].strip("/").split("/")
    return is_readable(below[-1]) and not any(part.startswith((".", "_")) for part in below)


class Folder:
    """A folder to write, on this machine, a shared disk or a store.

    Args:
        where: path or URI.

    Raises:
        FileError: it cannot be reached.
    """

    def __init__(self, where: str | Path) -> None:
        from pyarrow import fs

        self.where = str(where) if "://" in str(where) else os.path.abspath(where)
        with _reaching(self.where):
            self._store, self._path = fs.FileSystem.from_uri(self.where)

    def claim(self) -> None:
        """Make it, and refuse one that holds anything.

        Raises:
            FileError: it is a file, is not empty or cannot be made.
        """
        with _reaching(self.where):
            self._store.create_dir(self._path, recursive=True)
            names = self.names()
        if names:
            raise FileError(
                self.where,
                f"a folder that holds {names[0]}",
                "an empty folder, or none",
                "choose another name for the output",
            )

    def names(self) -> list[str]:
        """What is in it, at any depth, by path from here; in order."""
        from pyarrow import fs

        with _reaching(self.where):
            entries: list[Any] = self._store.get_file_info(
                fs.FileSelector(self._path, recursive=True)
            )
        return sorted(one.path[len(self._path) :].lstrip("/") for one in entries)

    def write(self, name: str, fill: Callable[[BinaryIO], object]) -> None:
        """Write a file that appears whole or not at all, over one of the same name if need be.

        Raises:
            FileError: it cannot be written.
        """
        path = f"{self._path}/{name}"
        parent, _, last = path.rpartition("/")
        # Two that write the same file, one of them given up for lost, must not share this one.
        temporary = f"{parent}/.{last}.{secrets.token_hex(4)}.tmp"
        with _reaching(f"{self.where}/{name}"):
            self._store.create_dir(parent, recursive=True)
            with self._store.open_output_stream(temporary) as file:
                fill(file)
            self._store.move(temporary, path)

    def remove_unfinished(self) -> None:
        """Remove what writers that were killed left half written."""
        for name in self.names():
            if name.endswith(".tmp"):
                with _reaching(f"{self.where}/{name}"):
                    self._store.delete_file(f"{self._path}/{name}")


@contextmanager
def _reaching(place: str) -> Iterator[None]:
    """Turn what pyarrow says of a store it cannot use into a ``FileError``."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, StancekitError):
            raise
        raise FileError(
            place,
            str(error)[:200],
            "a place that can be used from here",
            "check that it exists, is yours to use and has room",
        ) from None
