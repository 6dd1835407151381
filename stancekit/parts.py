"""Pieces of an output: written one by one as its rows are scored, and joined in the end."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from stancekit.compressed import pack
from stancekit.files import writer_for
from stancekit.formats import extensions
from stancekit.landing import sync_folder
from stancekit.rows import Columns, Row

__all__ = ["Format", "placed"]

ROW_GROUP = 16_384  # rows of a parquet file that stand together: enough to compress well
COPIED = 2**20  # bytes copied at a time


@contextmanager
def placed(path: Path) -> Iterator[BinaryIO]:
    """A file to write to that is put in its place whole, safe from a power cut, or not at all.

    Until then it stands beside its place as ``NAME.tmp``; what an earlier attempt left there is
    written over.
    """
    aside = path.with_name(f"{path.name}.tmp")
    try:
        with aside.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
    except BaseException:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


class Format:
    """How the pieces of one output are written, and joined.

    Pieces are not packed, whatever the output is: packed once and whole, it gets smaller.

    Args:
        name: of the output file; its extensions say the format.
        columns: all of the output, with their kinds.
        metadata: what the output says of itself, where its format has room for that.

    Attributes:
        extension: of a piece.

    Raises:
        FileError: no format has such a name.
    """

    def __init__(self, name: str, columns: Columns, metadata: Mapping[str, str]) -> None:
        self.extension, self._codec = extensions(name)
        self._columns = columns
        self._metadata = metadata
        self._writer = writer_for(f"piece{self.extension}")

    def write(self, file: BinaryIO, rows: Iterable[Row]) -> None:
        """A piece: a whole file of its own, header included."""
        writer = self._writer(file, self._columns, self._metadata)
        for row in rows:
            writer.write(row)
        writer.finish()

    def join(self, pieces: Sequence[Path], file: BinaryIO) -> None:
        """The rows of all pieces in order, as one file."""
        empty = io.BytesIO()
        self.write(empty, [])
        if self.extension == ".parquet":
            _join_tables(empty, pieces, file)
            return
        header = empty.getvalue()
        sink = pack(file, self._codec) if self._codec else None
        put = file.write if sink is None else sink.write
        put(header)
        for piece in pieces:
            with piece.open("rb") as source:
                source.seek(len(header))
                while data := source.read(COPIED):
                    put(data)
        if sink is not None:
            sink.close()


def _join_tables(empty: BinaryIO, pieces: Sequence[Path], file: BinaryIO) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pq.read_schema(empty)
    with pq.ParquetWriter(file, schema, write_page_checksum=True) as writer:
        waiting = schema.empty_table()
        for piece in pieces:
            # Pieces of one run share their schema, so nothing is converted.
            waiting = pa.concat_tables([waiting, pq.read_table(piece, schema=schema)])
            while waiting.num_rows >= ROW_GROUP:
                writer.write_table(waiting.slice(0, ROW_GROUP))
                waiting = waiting.slice(ROW_GROUP)
        if waiting.num_rows:
            writer.write_table(waiting)
