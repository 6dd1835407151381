"""Which format, and which packing, a file's name stands for.

To add a format, write a reader and a writer (``rows.Reader`` and ``rows.Writer``) and put their
names in ``READERS`` and ``WRITERS``. lines.py has jsonl, text.py txt, delimited.py csv and tsv,
tables.py parquet; compressed.py packs and unpacks all but parquet, which packs itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import PurePath
from typing import TypeVar

from stancekit.compressed import CODECS, PackedWriter, unpacked
from stancekit.delimited import CsvReader, CsvWriter, TsvReader, TsvWriter
from stancekit.errors import FileError
from stancekit.lines import JsonlReader, JsonlWriter
from stancekit.rows import Columns, Reader, Sink, Writer
from stancekit.sources import Source
from stancekit.text import TextReader

__all__ = ["PACKED", "READERS", "WRITERS", "extensions", "is_readable", "reader", "writer_for"]

T = TypeVar("T")


def _parquet_reader(source: Source) -> Reader:
    from stancekit.tables import ParquetReader

    return ParquetReader(source)


def _parquet_writer(
    file: Sink, columns: Columns, metadata: Mapping[str, str] | None = None
) -> Writer:
    from stancekit.tables import ParquetWriter

    return ParquetWriter(file, columns, metadata)


READERS: dict[str, Callable[[Source], Reader]] = {
    ".jsonl": JsonlReader,
    ".csv": CsvReader,
    ".tsv": TsvReader,
    ".parquet": _parquet_reader,
    ".txt": TextReader,
}
WRITERS: dict[str, Callable[..., Writer]] = {
    ".jsonl": JsonlWriter,
    ".csv": CsvWriter,
    ".tsv": TsvWriter,
    ".parquet": _parquet_writer,
}
PACKED = [name for name in READERS if name != ".parquet"]  # those that may be packed


def extensions(name: str) -> tuple[str, str]:
    """What a file's name says of its format and of its packing, in small letters.

    ``("", "")`` for a name without extension, ``(".csv", "")`` for ``a.csv``,
    ``(".csv", ".gz")`` for ``a.CSV.gz``.
    """
    suffixes = [suffix.lower() for suffix in PurePath(name).suffixes[-2:]]
    if suffixes and suffixes[-1] in CODECS:
        return ("".join(suffixes[:-1]), suffixes[-1])
    return (suffixes[-1] if suffixes else "", "")


def is_readable(name: str) -> bool:
    """Whether files of such a name can be read."""
    return _is_known(READERS, *extensions(name))


def _is_known(formats: Mapping[str, T], extension: str, packing: str) -> bool:
    return extension in formats and (not packing or extension in PACKED)


def _format(formats: Mapping[str, T], name: str, place: str, next_step: str) -> T:
    extension, packing = extensions(name)
    if not _is_known(formats, extension, packing):
        whole = extension + packing
        raise FileError(
            place,
            f"the extension '{whole}'" if whole else "no extension",
            f"one of {', '.join(formats)} (all but .parquet also with {' or '.join(CODECS)})",
            next_step,
        )
    return formats[extension]


def reader(source: Source, name: str) -> Reader:
    """A reader of the format and packing that a name stands for.

    Raises:
        FileError: unknown extension, or not a file of this format.
    """
    make = _format(READERS, name, source.name, "rename or convert the file")
    packing = extensions(name)[1]
    return make(unpacked(source, packing) if packing else source)


def writer_for(name: str, place: str) -> Callable[..., Writer]:
    """What makes the writer for a file of this name.

    Raises:
        FileError: unknown extension; ``place`` names it.
    """
    make = _format(WRITERS, name, place, "choose another name for the output")
    packing = extensions(name)[1]
    return partial(PackedWriter, make, packing) if packing else make
