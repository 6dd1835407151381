"""Columns under other names than those they have in the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from stancekit.errors import FileError
from stancekit.rows import BadRow, Reader, Row, Survey, changed

__all__ = ["RenamedReader"]


class RenamedReader:
    """The rows of another reader, some of whose columns go by other names.

    The file is surveyed when this is made, for only then is it known which columns it has.

    Args:
        renamed: name in the file to the name wanted.
        place: the file, for messages.

    Raises:
        FileError: the file has rows and lacks a column that was named, or two columns would have
            one name.
    """

    def __init__(self, reader: Reader, renamed: Mapping[str, str], place: str) -> None:
        self._reader = reader
        self._renamed = dict(renamed)
        found = reader.survey()
        listed = f"the columns {', '.join(map(repr, found.columns))}"
        if found.columns:
            for name in self._renamed:
                if name not in found.columns:
                    raise FileError(place, listed, f"a column {name!r}", "name one of these")
        columns = {self._name(name): kinds for name, kinds in found.columns.items()}
        if len(columns) < len(found.columns):
            hidden = [new for old, new in self._renamed.items() if new in found.columns]
            hidden += [new for new in columns if [*self._renamed.values()].count(new) > 1]
            raise FileError(
                place,
                listed,
                f"no other column named {hidden[0]!r} where one is renamed to it",
                "rename that one too",
            )
        self._survey = Survey(columns, found.rows)

    def survey(self) -> Survey:
        return self._survey

    def __iter__(self) -> Iterator[Row | BadRow]:
        for row in self._reader:
            if isinstance(row, BadRow):
                yield row
                continue
            values = {self._name(name): value for name, value in row.values.items()}
            if len(values) < len(row.values):
                raise changed(row.file, row.line, "a new column, with the name of a renamed one")
            exact = {self._name(name): value for name, value in row.exact.items()}
            yield replace(row, values=values, exact=exact)

    def _name(self, name: str) -> str:
        return self._renamed.get(name, name)
