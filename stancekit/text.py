"""Plain text: a statement a line."""

from __future__ import annotations

from typing import Any, ClassVar

from stancekit.errors import RecordError
from stancekit.lines import LineReader
from stancekit.rows import Columns

__all__ = ["TextReader"]


class TextReader(LineReader):
    """One statement a line, in the column ``statement``; blank lines are passed over."""

    columns: ClassVar[Columns] = {"statement": {"text"}}

    def parse(self, text: str) -> dict[str, Any]:
        if "\0" in text:
            raise RecordError(
                "row", "a zero byte", "plain text in UTF-8", "extract the text from the file first"
            )
        return {"statement": text.rstrip("\r\n")}
