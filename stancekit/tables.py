"""Parquet files. Imported only when one is met, for pyarrow takes a while to load.

How Arrow types become JSON values, for csv, jsonl and the model: timestamps, dates, times and
durations become ISO 8601 text, those with a zone in UTC; decimals become text, digit for digit;
bytes become base64; lists become lists, structs objects, maps lists of pairs; categories become
their values. From parquet to parquet every type stays what it is, except that indices of
categories become 32 bits wide, so that the categories of several files have room.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from stancekit.errors import FileError, RecordError
from stancekit.rows import (
    BadRow,
    Columns,
    Row,
    Survey,
    as_text,
    changed,
    display,
    refuse_duplicates,
)

__all__ = ["ParquetReader", "ParquetWriter"]

BATCH = 1024  # rows read at a time: a few MB of text
ROW_GROUP = 16_384  # rows written at a time: enough to compress well, few enough to hold
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def _is_plain(type_: Any) -> bool:
    """Whether values of an Arrow type are values of JSON, and come back from them unharmed."""
    if pa.types.is_dictionary(type_):
        return _is_string(type_.value_type)
    return (
        _is_string(type_)
        or pa.types.is_integer(type_)
        or pa.types.is_floating(type_)
        or pa.types.is_boolean(type_)
        or pa.types.is_null(type_)
    )


def _is_string(type_: Any) -> bool:
    return bool(
        pa.types.is_string(type_) or pa.types.is_large_string(type_) or type_ == pa.string_view()
    )


def _kept(type_: Any) -> Any:
    """The type a column keeps from reading to writing."""
    if pa.types.is_dictionary(type_):
        value = type_.value_type
        return pa.dictionary(pa.int32(), value, type_.ordered) if _is_string(value) else value
    return type_


def _word(type_: Any) -> str:
    """The word of ``rows.kind`` for an Arrow type, for columns that are not of one type."""
    if pa.types.is_dictionary(type_):
        return _word(type_.value_type)
    if pa.types.is_integer(type_):
        if type_ == pa.uint64():
            return "huge"
        return "long" if type_ == pa.int64() else "int"
    if pa.types.is_floating(type_):
        return "float"
    if pa.types.is_boolean(type_):
        return "bool"
    return "text" if _is_string(type_) else "nested"


def _column_type(kinds: set[object]) -> Any:
    """The one Arrow type that holds every value of a column, whatever kinds it has.

    A column of one Arrow type keeps it. Whole numbers together make int64, whole numbers and
    fractions float64 as long as that is exact; any other mixture, and lists and objects from
    jsonl, become text: strings as they are, the rest as JSON.
    """
    if len(kinds) > 1:
        kinds = kinds - {pa.null()}
    if len(kinds) == 1 and isinstance(next(iter(kinds)), pa.DataType):
        return next(iter(kinds))
    words = {_word(kind) if isinstance(kind, pa.DataType) else kind for kind in kinds}
    if words == {"bool"}:
        return pa.bool_()
    if words and words <= {"int", "long"}:
        return pa.int64()
    if words and words <= {"int", "float"}:
        return pa.float64()
    return pa.string()


def _to_plain(scalar: Any) -> Any:
    """One Arrow value as a value of JSON, by the rules at the top of this module."""
    if not scalar.is_valid:
        return None
    type_ = scalar.type
    if pa.types.is_dictionary(type_) or isinstance(type_, pa.BaseExtensionType):
        return _to_plain(scalar.value)
    if pa.types.is_map(type_):
        return [[_to_plain(pair["key"]), _to_plain(pair["value"])] for pair in scalar.values]
    if pa.types.is_struct(type_):
        return {f.name: _to_plain(scalar[i]) for i, f in enumerate(type_)}
    if pa.types.is_nested(type_):
        return [_to_plain(part) for part in scalar.values]
    if pa.types.is_temporal(type_):
        return _to_iso(scalar)
    value = scalar.as_py()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value if _is_plain(type_) else str(value)


def _to_iso(scalar: Any) -> str:
    """A point or stretch of time in ISO 8601; beyond the year 9999, its number as it is stored."""
    type_ = scalar.type
    if pa.types.is_date(type_) or not hasattr(type_, "unit"):
        try:
            return str(scalar.as_py())
        except OverflowError:
            return str(scalar.value)
    per_second = PER_SECOND[type_.unit]
    backwards = pa.types.is_duration(type_) and scalar.value < 0
    seconds, part = divmod(-scalar.value if backwards else scalar.value, per_second)
    fraction = f".{part:0{len(str(per_second)) - 1}d}" if part else ""
    if pa.types.is_duration(type_):
        return f"{'-' if backwards else ''}PT{seconds}{fraction}S"
    try:
        moment = datetime(1970, 1, 1) + timedelta(seconds=seconds)
    except OverflowError:
        return str(scalar.value)
    if pa.types.is_time(type_):
        return f"{moment:%H:%M:%S}{fraction}"
    return f"{moment.isoformat()}{fraction}{'+00:00' if type_.tz else ''}"


class ParquetReader:
    """Rows of a parquet file, batch by batch; a row's line is its number, from 1."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._open() as file:
            refuse_duplicates(file.schema_arrow.names, display(path))
            self._survey = Survey(
                {field.name: {_kept(field.type)} for field in file.schema_arrow},
                file.metadata.num_rows,
            )

    def survey(self) -> Survey:
        # The footer says it all.
        return self._survey

    def __iter__(self) -> Iterator[Row | BadRow]:
        number = 1
        with self._open() as file:
            batches = file.iter_batches(BATCH, use_threads=False)
            while True:
                try:
                    batch = next(batches, None)
                except (pa.ArrowException, OSError) as error:
                    raise self._unreadable(error) from None
                if batch is None:
                    return
                yield from self._rows(batch, number)
                number += batch.num_rows

    def _open(self) -> Any:
        try:
            return pq.ParquetFile(self._path)
        except (pa.ArrowException, OSError) as error:
            raise self._unreadable(error) from None

    def _unreadable(self, error: Exception) -> FileError:
        return FileError(
            display(self._path), f"no parquet in it ({error})", "a parquet file", "export it again"
        )

    def _rows(self, batch: Any, first: int) -> list[Row | BadRow]:
        file = display(self._path)
        try:
            plain: dict[str, list[Any]] = {}
            exact: dict[str, Any] = {}
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                if pa.types.is_dictionary(column.type):
                    column = column.dictionary_decode()
                if _is_plain(column.type):
                    plain[name] = column.to_pylist()
                else:
                    plain[name] = [_to_plain(value) for value in column]
                    exact[name] = column
        except UnicodeDecodeError as error:
            if batch.num_rows > 1:
                alone = (self._rows(batch.slice(i, 1), first + i) for i in range(batch.num_rows))
                return [row for rows in alone for row in rows]
            broken = f"a byte that is not UTF-8 (0x{error.object[error.start]:02x})"
            return [BadRow(file, first, RecordError("row", broken, "UTF-8", "export it again"))]
        return [
            Row(
                file,
                first + i,
                {name: values[i] for name, values in plain.items()},
                exact={name: column.slice(i, 1) for name, column in exact.items()},
            )
            for i in range(batch.num_rows)
        ]


class ParquetWriter:
    """Rows in groups of ``ROW_GROUP``, each column of the type its announced kinds call for.

    Types are settled before the first row, from all kinds the columns will hold (see
    ``_column_type``), so a value that comes late in a file cannot fail to fit.
    """

    def __init__(self, file: BinaryIO, columns: Columns) -> None:
        types = {name: _column_type(kinds) for name, kinds in columns.items()}
        self._schema = pa.schema(types)
        self._writer = pq.ParquetWriter(file, self._schema)
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
        if not _is_plain(type_):
            missing = pa.nulls(1, type_)
            return pa.concat_arrays([row.exact.get(name, missing) for row in self._rows])
        values = [row.values.get(name) for row in self._rows]
        if type_ == pa.string():
            values = [None if value is None else as_text(value) for value in values]
        return pa.array(values, type_)
