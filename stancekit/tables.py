"""Parquet files. Imported only when one is met, for pyarrow takes a while to load.

arrow_types.py has what becomes of the types.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from stancekit.arrow_types import column_type, is_plain, kept, to_plain
from stancekit.errors import FileError, RecordError
from stancekit.rows import (
    BadRow,
    Columns,
    Row,
    Sink,
    Survey,
    as_text,
    changed,
    refuse_duplicates,
)
from stancekit.sources import Source

__all__ = ["ParquetReader", "ParquetWriter", "metadata_of"]

BATCH = 1024  # rows read at a time: a few MB of text
ROW_GROUP = 16_384  # rows written at a time: enough to compress well, few enough to hold
PREFIX = "stancekit."  # of our keys in the metadata of a schema
# What pyarrow and the values it makes raise over damaged bytes.
DAMAGE = (pa.ArrowException, OSError, ValueError, TypeError, OverflowError, MemoryError)


class ParquetReader:
    """Rows of a parquet file, batch by batch; a row's line is its number, from 1.

    Where a row group is damaged, its rows from there on are bad rows, one by one so that they can
    be counted, and reading goes on with the next group.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        with self._open() as file:
            try:
                schema, rows = file.schema_arrow, file.metadata.num_rows
                columns = {field.name: {kept(field.type)} for field in schema}
                self._groups = _group_sizes(file)
                self.metadata = _ours(schema.metadata or {})
            except DAMAGE as error:
                raise self._no_parquet(error) from None
            refuse_duplicates(schema.names, source.name)
        # Everything else trusts these numbers, and a damaged one may be beyond all bounds.
        if rows != sum(self._groups) or min(self._groups, default=0) < 0:
            raise self._no_parquet(ValueError(f"{rows} rows in groups of {self._groups[:9]}"))
        self._survey = Survey(columns, rows)

    def survey(self) -> Survey:
        # The footer says it all.
        return self._survey

    def __iter__(self) -> Iterator[Row | BadRow]:
        first = 1
        with self._open() as file:
            if _group_sizes(file) != self._groups:
                raise changed(self._source.name, first, "other row groups than before")
            for group, rows in enumerate(self._groups):
                yield from self._group(file, group, first, rows)
                first += rows

    def _group(self, file: Any, group: int, first: int, rows: int) -> Iterator[Row | BadRow]:
        end = first + rows
        batches = file.iter_batches(BATCH, row_groups=[group], use_threads=False)
        damage: Exception = EOFError("it ends early")
        while first < end:
            try:
                batch = next(batches, None)
            except DAMAGE as error:
                damage = error
                break
            if not batch:
                break
            yield from self._rows(batch, first)
            first += batch.num_rows
        for number in range(first, end):
            found = f"one of the rows {first:,} to {end - 1:,}, whose part is damaged ({damage})"
            yield self._bad(number, found)

    def _bad(self, number: int, found: str) -> BadRow:
        error = RecordError("row", found, "a whole parquet file", "export it again")
        return BadRow(self._source.name, number, error)

    def _open(self) -> Any:
        file = self._source.open()
        try:
            return pq.ParquetFile(file, page_checksum_verification=True)
        except DAMAGE as error:
            file.close()
            raise self._no_parquet(error) from None

    def _no_parquet(self, error: Exception) -> FileError:
        return FileError(
            self._source.name, f"no parquet in it ({error})", "a parquet file", "export it again"
        )

    def _rows(self, batch: Any, first: int) -> list[Row | BadRow]:
        file = self._source.name
        try:
            plain: dict[str, list[Any]] = {}
            exact: dict[str, Any] = {}
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                if pa.types.is_dictionary(column.type):
                    column = column.dictionary_decode()
                if is_plain(column.type):
                    plain[name] = column.to_pylist()
                else:
                    plain[name] = [to_plain(value) for value in column]
                    exact[name] = column
        except DAMAGE as error:
            if batch.num_rows > 1:
                alone = (self._rows(batch.slice(i, 1), first + i) for i in range(batch.num_rows))
                return [row for rows in alone for row in rows]
            if isinstance(error, UnicodeDecodeError):
                broken = f"a byte that is not UTF-8 (0x{error.object[error.start]:02x})"
                return [BadRow(file, first, RecordError("row", broken, "UTF-8", "export it again"))]
            return [self._bad(first, f"a damaged value ({error})")]
        return [
            Row(
                file,
                first + i,
                {name: values[i] for name, values in plain.items()},
                exact={name: column.slice(i, 1) for name, column in exact.items()},
            )
            for i in range(batch.num_rows)
        ]


def _ours(metadata: Mapping[bytes, bytes]) -> dict[str, str]:
    ours = {name: value for name, value in metadata.items() if name.startswith(PREFIX.encode())}
    return {name.decode().removeprefix(PREFIX): value.decode() for name, value in ours.items()}


def _group_sizes(file: Any) -> list[int]:
    meta = file.metadata
    return [meta.row_group(i).num_rows for i in range(meta.num_row_groups)]


class ParquetWriter:
    """Rows in groups of ``ROW_GROUP``, each column of the type its announced kinds call for.

    Types are settled before the first row, from all kinds the columns will hold (see
    ``column_type``), so a value that comes late in a file cannot fail to fit.
    """

    def __init__(
        self, file: Sink, columns: Columns, metadata: Mapping[str, str] | None = None
    ) -> None:
        types = {name: column_type(kinds) for name, kinds in columns.items()}
        notes = {f"{PREFIX}{name}": value for name, value in (metadata or {}).items()}
        self._schema = pa.schema(types, metadata=notes)
        # With checksums, a flipped bit cannot pass for other text.
        self._writer = pq.ParquetWriter(file, self._schema, write_page_checksum=True)
        # A writer collected while open closes itself, and fails aloud if its file was discarded
        # before: it counts as open only while in use.
        self._writer.is_open = False
        self._rows: list[Row] = []

    def write(self, row: Row) -> None:
        self._rows.append(row)
        if len(self._rows) == ROW_GROUP:
            self._write_group()

    def finish(self) -> None:
        if self._rows:
            self._write_group()
        self._writer.is_open = True
        self._writer.close()

    def _write_group(self) -> None:
        try:
            columns = [self._column(field.name, field.type) for field in self._schema]
        except (pa.ArrowException, TypeError, OverflowError) as error:
            row = self._rows[0]
            found = f"values of another type from here on ({error})"
            raise changed(row.file, row.line, found) from None
        self._writer.is_open = True
        self._writer.write_table(pa.Table.from_arrays(columns, schema=self._schema))
        self._writer.is_open = False
        self._rows = []

    def _column(self, name: str, type_: Any) -> Any:
        if not is_plain(type_):
            missing = pa.nulls(1, type_)
            return pa.concat_arrays([row.exact.get(name, missing) for row in self._rows])
        values = [row.values.get(name) for row in self._rows]
        if type_ == pa.string():
            values = [None if value is None else as_text(value) for value in values]
        return pa.array(values, type_)


def metadata_of(source: Source) -> dict[str, str]:
    """What ``ParquetWriter`` was given as metadata; empty for files of others.

    Raises:
        FileError: no parquet.
    """
    return ParquetReader(source).metadata
