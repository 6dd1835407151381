"""Which files are meant: names, folders and patterns to a list of files."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from stancekit.compressed import CODECS
from stancekit.errors import FileError
from stancekit.formats import PACKED, READERS, is_readable
from stancekit.rows import display

__all__ = ["STANDARD_INPUT", "expand"]

STANDARD_INPUT = Path("-")
OURS = (".errors.jsonl", ".meta.json")  # beside an output; never what a folder is searched for


def expand(inputs: Iterable[str | Path]) -> list[Path]:
    """The files that are meant, in the order given, each once; ``-`` stays what it is.

    A folder stands for every file below it that can be read, in order of their paths, and a
    pattern (``*``, ``?``, ``[…]``, ``**``) for every match of that kind, if no file has this very
    name. Hidden files, lists of errors and sidecars must be named to be meant. Files that are named
    stay in the list, whatever they are: opening them tells what is wrong.

    Raises:
        FileError: a folder or a pattern without any file that can be read, or a folder that may
            not be looked into.
    """
    files: dict[str, Path] = {}
    for given in map(Path, inputs):
        for path in _meant(given):
            files.setdefault("-" if path == STANDARD_INPUT else os.path.realpath(path), path)
    return list(files.values())


def _meant(given: Path) -> list[Path]:
    if given == STANDARD_INPUT or given.is_file():
        return [given]
    if given.is_dir():
        found, what = list(_below(given, set())), "a folder"
    elif glob.has_magic(str(given)):
        matches = map(Path, glob.glob(str(given), recursive=True))
        found, what = [path for match in matches for path in _searched(match)], "a pattern"
    else:
        return [given]
    if not found:
        packed = ", ".join(f"{name}{codec}" for name in PACKED[:1] for codec in CODECS)
        raise FileError(
            display(given),
            f"{what} without any file that can be read",
            f"files named {', '.join(READERS)} or, packed, {packed} and so on",
            "check the name",
        )
    return sorted(found)


def _searched(match: Path) -> list[Path]:
    if match.is_dir():
        return list(_below(match, set()))
    return [match] if _is_wanted(match) else []


def _below(folder: Path, seen: set[str]) -> Iterator[Path]:
    real = os.path.realpath(folder)
    if real in seen:  # a link to a folder it lies in
        return
    seen.add(real)
    try:
        inside = list(folder.iterdir())
    except OSError as error:
        raise FileError(
            display(folder), error.strerror or str(error), "a folder to look into"
        ) from None
    for path in inside:
        if path.name.startswith("."):
            continue
        if path.is_dir():
            yield from _below(path, seen)
        elif _is_wanted(path):
            yield path


def _is_wanted(path: Path) -> bool:
    return path.is_file() and is_readable(path.name) and not path.name.endswith(OURS)
