"""Articles from what people have: plain text, HTML files, saved pages, folders, standard input.

Of a page only the main text is read, found by trafilatura (the ``html`` extra); offsets then point
into that text, which the article holds.
"""

from __future__ import annotations

import email
import email.policy
import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from stancekit.charset import decode
from stancekit.errors import FileError, MissingExtraError
from stancekit.records import Article
from stancekit.rows import display

__all__ = ["find_articles", "is_page", "read_article"]

STANDARD_INPUT = "-"
PAGES = (".html", ".htm", ".xhtml")
SAVED = (".mhtml", ".mht")  # a page with all it shows in one file, as browsers save it
TEXTS = (".txt", ".text")
# How a page begins, whatever its name.
MARKUP = re.compile(r"\s*(?:<!--.*?-->\s*|<\?xml[^>]*>\s*)*<(?:!doctype html|html)\b", re.I | re.S)
HEAD = 2048  # characters in which it does


def find_articles(inputs: Iterable[str | Path]) -> list[str]:
    """The files that are meant, in the order given; ``-`` is standard input.

    A folder stands for every text and page below it, in order of their paths. What a browser saves
    beside a page (``NAME_files``) and hidden files are passed over.

    Raises:
        FileError: a folder without any article, or one that may not be looked into.
    """
    found: list[str] = []
    for given in inputs:
        if str(given) == STANDARD_INPUT or not Path(given).is_dir():
            found.append(str(given))
            continue
        inside = sorted(_below(Path(given)))
        if not inside:
            kinds = ", ".join((*TEXTS, *PAGES, *SAVED))
            raise FileError(
                display(Path(given)), "a folder without articles", f"files named {kinds}"
            )
        found += inside
    return found


def _below(folder: Path) -> Iterator[str]:
    def refuse(error: OSError) -> None:
        raise FileError(
            display(Path(error.filename)), error.strerror or str(error), "a folder to look into"
        ) from None

    for where, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.endswith("_files") and name[0] != "."]
        for name in files:
            if name[0] != "." and name.lower().endswith((*TEXTS, *PAGES, *SAVED)):
                yield os.path.join(where, name)


def read_article(path: str | Path) -> Article:
    """Read one article; ``-`` is standard input.

    The encoding is told from the bytes (``charset.decode``). Of a plain text nothing is changed
    but that a byte-order mark is left out, so offsets are offsets in the file's characters.

    Raises:
        FileError: no such file, a folder, an unreadable file, text in no encoding that can be
            told, or a page without a main text.
        MissingExtraError: a page, and trafilatura is not installed.
    """
    if str(path) == STANDARD_INPUT:
        place, data, suffix = "standard input", sys.stdin.buffer.read(), ""
    else:
        place, data = display(Path(path)), _bytes(Path(path))
        suffix = Path(path).suffix.lower()
    if suffix in SAVED:
        text = _saved_page(data, place)
    else:
        text = decode(data, place, markup=suffix in PAGES or b"<html" in data[:HEAD].lower())
    if suffix in (*PAGES, *SAVED) or is_page(text):
        text = _main_text(text, place)
    return Article(text, place)


def is_page(text: str) -> bool:
    """Whether a text is HTML, by how it begins."""
    return MARKUP.match(text[:HEAD]) is not None


def _bytes(path: Path) -> bytes:
    if path.is_dir():
        raise FileError(display(path), "a folder", "a file", "name the files in it")
    if not path.exists():
        raise FileError(display(path), "no such file", "a file", "check the path")
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileError(display(path), error.strerror or str(error), "a readable file") from None


def _saved_page(data: bytes, place: str) -> str:
    """The HTML part of a page saved with all it shows."""
    message = email.message_from_bytes(data, policy=email.policy.default)
    for part in message.walk():
        if part.get_content_type() == "text/html":
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes):
                return decode(payload, place, markup=True)
    raise FileError(place, "no HTML in it", "a page saved by a browser")


def _main_text(page: str, place: str) -> str:
    try:
        import trafilatura
    except ImportError:
        raise MissingExtraError("trafilatura", "html") from None
    text = trafilatura.extract(page, include_comments=False, include_tables=False)
    if not text:
        raise FileError(
            place, "a page without a main text", "an article", "save its text as .txt and read that"
        )
    return text
