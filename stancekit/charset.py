"""Bytes to text: the encoding is told by the bytes or, in HTML, declared; else it is refused.

A byte-order mark decides first, then what a page declares, then whether all of it is UTF-8. Only
then is Windows-1252 believed, and only where it is clearly that: few bytes beyond ASCII, each a
letter, a quotation mark or the like, and never several in a row, as in any other script.
"""

from __future__ import annotations

import codecs
import re

from stancekit.errors import FileError

__all__ = ["decode"]

# UTF-32 first: its little-endian mark begins with that of UTF-16.
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
DECLARED = re.compile(
    rb"""<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*["']?([\w.:-]+)""", re.I
)
DECLARED_WITHIN = 4096  # bytes from the start; browsers look at the first 1024
# What pages call Latin-1 is Windows-1252 (WHATWG Encoding Standard, section 4.2).
AS_WINDOWS = {"iso-8859-1", "iso8859-1", "latin1", "latin-1", "us-ascii", "ascii"}
BEYOND_ASCII = re.compile(rb"[\x80-\xff]+")
LONGEST_RUN = 2  # bytes beyond ASCII side by side; other scripts have whole words of them
MOST_BEYOND = 0.1  # of all bytes
# Letters of western languages, quotation marks, dashes and signs of currency and measure.
WESTERN = frozenset(
    b"\x80\x82\x84\x85\x8a\x8b\x8c\x8e\x91\x92\x93\x94\x95\x96\x97\x99\x9a\x9b\x9c\x9e\x9f\xa0\xa1"
    b"\xa3\xa7\xa9\xaa\xab\xad\xae\xb0\xb7\xba\xbb\xbc\xbd\xbe\xbf" + bytes(range(0xC0, 0x100))
) - {0xD7, 0xF7}
WANTED = "UTF-8, UTF-16 with a byte-order mark, or Windows-1252"


def decode(data: bytes, place: str, *, markup: bool = False) -> str:
    """The text that some bytes hold, without its byte-order mark; line ends stay as they are.

    Args:
        data: a whole file.
        place: its name, for messages.
        markup: whether to heed the encoding that an HTML page declares.

    Raises:
        FileError: no encoding can be told, or the one told does not fit; or a zero byte is in it.
    """
    text = _text(data, place, markup)
    if "\0" in text:
        raise FileError(place, "binary data (a zero byte)", "text", "extract the text first")
    return text


def _text(data: bytes, place: str, markup: bool) -> str:
    for mark, encoding in MARKS:
        if data.startswith(mark):
            try:
                return data[len(mark) :].decode(encoding)
            except UnicodeDecodeError as error:
                found = f"bytes after a byte-order mark that are not {encoding} ({error.start})"
                raise FileError(place, found, WANTED, "save it again as UTF-8") from None
    declared = DECLARED.search(data[:DECLARED_WITHIN]) if markup else None
    if declared is not None:
        name = declared.group(1).decode("ascii").lower()
        try:
            return data.decode("cp1252" if name in AS_WINDOWS else name)
        except (LookupError, UnicodeDecodeError):
            pass  # a page may lie; the bytes are asked next
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        if _is_windows(data):
            return data.decode("cp1252")
        byte = data[error.start]
        raise FileError(
            place,
            f"text in an encoding that cannot be told (byte 0x{byte:02x} at {error.start})",
            WANTED,
            "convert it, for example with iconv",
        ) from None


def _is_windows(data: bytes) -> bool:
    """Whether bytes that are no UTF-8 are clearly Windows-1252."""
    beyond = 0
    for run in BEYOND_ASCII.finditer(data):
        if len(run.group()) > LONGEST_RUN or not WESTERN.issuperset(run.group()):
            return False
        beyond += len(run.group())
    return b"\0" not in data and beyond <= MOST_BEYOND * len(data)
