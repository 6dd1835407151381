"""Packed files, gzip and zstd: what they hold is read and written as if it lay there plainly.

An archive that breaks off or is damaged gives what stands before the break, and then says so. A
damaged gzip archive is always noticed, by its checksum, though maybe after rows that the damage
changed. A zstd archive may have no checksum (those written here have none, for Arrow's writer makes
none), and then a flipped bit can pass for other text.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, Protocol

from stancekit.errors import FileError
from stancekit.rows import Columns, Row, Sink, Writer
from stancekit.sources import Source, StreamBroken

__all__ = ["CODECS", "PackedWriter", "Packer", "pack", "unpacked"]

# Bytes unpacked at a time. What was unpacked in the step that fails is lost, so it is kept small;
# smaller still would cost time on whole files.
STEP = 1024
# Frames with a size in front, as pzstd writes them, start with a frame to be skipped.
SKIPPABLE = tuple(bytes([first]) + b"\x2a\x4d\x18" for first in range(0x50, 0x60))


class Packer(Sink, Protocol):
    """Puts bytes, packed, into a file that somebody else opens and closes."""

    def close(self) -> None:
        """Put down the rest; the file stays open. An archive not closed is not whole."""
        ...


class _Codec(Protocol):
    name: str
    signatures: tuple[bytes, ...]

    def reader(self, packed: BinaryIO) -> Callable[[int], bytes]:
        """What gives the next bytes, at most as many as asked for and none at the end."""
        ...

    def packer(self, file: Sink) -> Packer: ...


class _Gzip:
    name = "gzip"
    signatures: tuple[bytes, ...] = (b"\x1f\x8b\x08",)

    def reader(self, packed: BinaryIO) -> Callable[[int], bytes]:
        return gzip.GzipFile(fileobj=packed, mode="rb").read1

    def packer(self, file: Sink) -> Packer:
        return _GzipPacker(file)


class _GzipPacker:
    # gzip.GzipFile writes when it is collected, by then perhaps to a closed file; this does not.
    # It also puts no time into the archive: the same rows make the same bytes.
    def __init__(self, file: Sink) -> None:
        self._file = file
        self._deflate = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)

    def write(self, data: bytes, /) -> None:
        self._file.write(self._deflate.compress(data))

    def close(self) -> None:
        self._file.write(self._deflate.flush())


class _Zstd:
    name = "zstd"
    signatures: tuple[bytes, ...] = (b"\x28\xb5\x2f\xfd", *SKIPPABLE)

    def reader(self, packed: BinaryIO) -> Callable[[int], bytes]:
        import pyarrow as pa

        read: Callable[[int], bytes] = pa.CompressedInputStream(packed, "zstd").read
        return read

    def packer(self, file: Sink) -> Packer:
        return _ZstdPacker(file)


class _ZstdPacker:
    # Arrow's stream writes when it is collected and closes what it writes to. Neither must reach
    # the file, which is not its own: the stream writes to memory.
    def __init__(self, file: Sink) -> None:
        import pyarrow as pa

        self._file = file
        self._packed = io.BytesIO()
        self._stream = pa.CompressedOutputStream(_KeptOpen(self._packed), "zstd")

    def write(self, data: bytes, /) -> None:
        self._stream.write(data)
        self._hand_on()

    def close(self) -> None:
        self._stream.close()
        self._hand_on()

    def _hand_on(self) -> None:
        if self._packed.tell():
            self._file.write(self._packed.getvalue())
            self._packed.seek(0)
            self._packed.truncate()


class _KeptOpen(io.RawIOBase):
    def __init__(self, file: io.BytesIO) -> None:
        self._file = file

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        return self._file.write(data)


CODECS: dict[str, _Codec] = {".gz": _Gzip(), ".zst": _Zstd()}


def unpacked(source: Source, extension: str) -> Source:
    """What an archive holds.

    Reading from it raises ``StreamBroken`` where the archive breaks off or is damaged; opening it
    raises ``FileError`` if it is no archive of this kind.

    Args:
        extension: one of ``CODECS``.
    """
    codec = CODECS[extension]

    def opener() -> io.BufferedReader:
        packed = source.open()
        start = packed.peek(4)[:4]
        if not any(signature.startswith(start[: len(signature)]) for signature in codec.signatures):
            packed.close()
            raise FileError(
                source.name,
                "something else",
                f"a {codec.name} archive",
                f"take {extension} off its name, or pack it",
            )
        return io.BufferedReader(_Unpacked(packed, codec, empty=not start))

    return Source(source.name, source.kind, opener)


def pack(file: Sink, extension: str) -> Packer:
    """Where to write what shall stand packed in ``file``; ``extension`` is one of ``CODECS``."""
    return CODECS[extension].packer(file)


class PackedWriter:
    """A writer of some format whose bytes go into an archive."""

    def __init__(
        self,
        make: Callable[[Sink, Columns, Mapping[str, str] | None], Writer],
        extension: str,
        file: Sink,
        columns: Columns,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        self._packer = pack(file, extension)
        self._writer = make(self._packer, columns, metadata)

    def write(self, row: Row) -> None:
        self._writer.write(row)

    def finish(self) -> None:
        self._writer.finish()
        self._packer.close()


class _Unpacked(io.RawIOBase):
    """The bytes in an archive, up to its end or to where it is broken."""

    def __init__(self, packed: BinaryIO, codec: _Codec, *, empty: bool) -> None:
        self._packed = packed
        self._codec = codec
        self._read = codec.reader(packed)
        # Both libraries take nothing at all for an archive of nothing.
        self._broken = self._break(EOFError("it is empty")) if empty else None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        filled = 0
        while filled < len(buffer) and self._broken is None:
            try:
                piece = self._read(min(STEP, len(buffer) - filled))
            # Arrow's errors are OSError and ValueError.
            except (OSError, EOFError, ValueError, zlib.error) as error:
                self._broken = self._break(error)
            else:
                if not piece:
                    return filled
                buffer[filled : filled + len(piece)] = piece
                filled += len(piece)
        if self._broken is not None and not filled:
            raise self._broken
        return filled

    def close(self) -> None:
        self._packed.close()
        super().close()

    def _break(self, error: Exception) -> StreamBroken:
        return StreamBroken(
            "archive",
            f"an end in the middle or damage ({error}), nothing from this line on could be read",
            f"a whole {self._codec.name} archive",
            "fetch or pack it again",
        )
