"""The files that annotation tools export, read item by item, and whose they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from stancekit.annotation import FORMATS, Format
from stancekit.errors import FileError, RecordError
from stancekit.files import read
from stancekit.rows import RAW_LENGTH, BadRow, Row, display

__all__ = ["format_of_file", "items"]

SPACE = " \t\r\n"


def items(path: Path) -> Iterator[Row | BadRow]:
    """The items of an export: those of a list in JSON, else the rows of the file.

    Raises:
        FileError: as ``files.read``; or JSON that breaks off or holds no list.
    """
    return _listed(path) if path.suffix.lower() == ".json" else iter(read(path))


def format_of_file(path: Path) -> Format:
    """The tool that a file comes from, by the first of its items that can be read.

    Raises:
        FileError: no tool's items look like that, or several tools' do, or there is no item.
    """
    known = f"an export of {', '.join(FORMATS)}"
    for row in items(path):
        if isinstance(row, Row):
            tools = [one for one in FORMATS.values() if one.recognises(row.values)]
            if len(tools) == 1:
                return tools[0]
            raise FileError(
                f"{row.file}, line {row.line}",
                f"an item with {', '.join(map(repr, row.values))}",
                known,
                "name the tool with --format",
            )
    raise FileError(display(path), "no item", known, "export again")


def _listed(path: Path) -> Iterator[Row | BadRow]:
    """The elements of a list in JSON; the line of each is the one it starts on."""
    file = display(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise FileError(file, error.strerror or str(error), "a readable file") from None
    except UnicodeDecodeError as error:
        found = f"a byte that is not UTF-8 (0x{error.object[error.start]:02x})"
        raise FileError(file, found, "JSON in UTF-8", "export again") from None
    place = _after_space(text, 0)
    if text[place : place + 1] != "[":
        raise FileError(file, f"{text[place : place + 20]!r}", "a list in JSON", "export again")
    decoder = json.JSONDecoder()
    line, counted = 1, 0
    place = _after_space(text, place + 1)
    while text[place : place + 1] != "]":
        line, counted = line + text.count("\n", counted, place), place
        try:
            value, end = decoder.raw_decode(text, place)
            place = _after_space(text, end)
            if text[place : place + 1] not in (",", "]"):
                raise ValueError("neither a comma nor the end of the list after an item")
        except (ValueError, RecursionError) as error:
            raise FileError(
                f"{file}, line {line}", f"broken JSON ({error})", "a whole list", "export again"
            ) from None
        raw = text[counted:end][:RAW_LENGTH]
        if isinstance(value, dict):
            yield Row(file, line, value, raw)
        else:
            wrong = RecordError("item", f"a JSON {type(value).__name__}", "a JSON object")
            yield BadRow(file, line, wrong, raw)
        if text[place] == ",":
            place = _after_space(text, place + 1)


def _after_space(text: str, place: int) -> int:
    while text[place : place + 1] in SPACE and place < len(text):
        place += 1
    return place
