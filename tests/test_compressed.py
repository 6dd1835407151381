"""Packed files: what they hold, and what becomes of those that are broken."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stancekit.compressed import CODECS, pack
from stancekit.errors import FileError
from stancekit.files import read, writer_for
from stancekit.formats import PACKED, WRITERS
from stancekit.rows import BadRow, Row

LINES = [
    f"The harbour board met for the {i}th time, with {i * i * 7919} in the room."
    for i in range(5000)
]
OUTSIDE = {".gz": "gzip", ".zst": "zstd"}


def packed(path: Path, data: bytes) -> Path:
    """As Arrow packs it, for zstd, or the standard library, for gzip."""
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(data, mtime=0))
    else:
        with pa.CompressedOutputStream(str(path), "zstd") as file:
            file.write(data)
    return path


def plain(extension: str, count: int = len(LINES)) -> bytes:
    """The lines as the format has them, with line ends only where rows end."""
    if extension == ".jsonl":
        return b"".join(b'{"statement": "%s"}\n' % line.encode() for line in LINES[:count])
    if extension == ".txt":
        return b"".join(line.encode() + b"\n" for line in LINES[:count])
    return b"statement\n" + b"".join(b'"%s"\n' % line.encode() for line in LINES[:count])


def statements(found: list[Row | BadRow]) -> list[str]:
    return [row.values["statement"] for row in found if isinstance(row, Row)]


@pytest.mark.parametrize("packing", sorted(CODECS))
@pytest.mark.parametrize("extension", PACKED)
def test_what_others_packed_is_read(extension: str, packing: str, tmp_path: Path) -> None:
    path = packed(tmp_path / f"a{extension}{packing}", plain(extension))
    reader = read(path)
    assert statements(list(reader)) == LINES
    assert reader.survey().rows == len(LINES)
    assert next(iter(reader)).file == str(path)


@pytest.mark.parametrize("packing", sorted(CODECS))
@pytest.mark.parametrize("extension", sorted(set(WRITERS) - {".parquet"}))
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), max_size=20))
def test_what_we_pack_others_read(
    extension: str, packing: str, texts: list[str], tmp_path: Path
) -> None:
    rows = [Row("made", 1, {"statement": text}) for text in texts]
    for name in ("plain", "packed"):
        path = tmp_path / f"{name}{extension}{packing if name == 'packed' else ''}"
        with path.open("wb") as file:
            writer = writer_for(path)(file, {"statement": {"text"}})
            for row in rows:
                writer.write(row)
            writer.finish()
            assert not file.closed
    data = (tmp_path / f"packed{extension}{packing}").read_bytes()
    with pa.CompressedInputStream(pa.BufferReader(data), OUTSIDE[packing]) as stream:
        assert stream.read() == (tmp_path / f"plain{extension}").read_bytes()
    assert statements(list(read(tmp_path / f"packed{extension}{packing}"))) == texts


@pytest.mark.skipif(not shutil.which("gzip"), reason="gzip is not installed")
def test_gzip_reads_ours(tmp_path: Path) -> None:
    with (tmp_path / "a.gz").open("wb") as file:
        packer = pack(file, ".gz")
        packer.write(plain(".txt"))
        packer.close()
    done = subprocess.run(["gzip", "-dc", tmp_path / "a.gz"], capture_output=True, check=True)
    assert done.stdout == plain(".txt")


def test_the_same_rows_make_the_same_bytes(tmp_path: Path) -> None:
    for packing in CODECS:
        made = []
        for _ in range(2):
            file = io.BytesIO()
            packer = pack(file, packing)
            packer.write(plain(".txt"))
            packer.close()
            made.append(file.getvalue())
        assert made[0] == made[1]
    assert made[0][:4] == b"\x28\xb5\x2f\xfd"


@pytest.mark.parametrize("packing", sorted(CODECS))
def test_archives_one_after_the_other_are_one(packing: str, tmp_path: Path) -> None:
    once = packed(tmp_path / f"a.txt{packing}", plain(".txt")).read_bytes()
    (tmp_path / f"b.txt{packing}").write_bytes(once + once)
    assert statements(list(read(tmp_path / f"b.txt{packing}"))) == LINES * 2


def test_zstd_frames_with_their_sizes_in_front(tmp_path: Path) -> None:
    frame = packed(tmp_path / "a.txt.zst", plain(".txt")).read_bytes()
    sized = b"\x50\x2a\x4d\x18\x04\x00\x00\x00" + len(frame).to_bytes(4, "little") + frame
    (tmp_path / "b.txt.zst").write_bytes(sized)
    assert statements(list(read(tmp_path / "b.txt.zst"))) == LINES


def test_extensions_in_capitals(tmp_path: Path) -> None:
    packed(tmp_path / "a.csv.gz", plain(".csv")).rename(tmp_path / "A.CSV.GZ")
    assert statements(list(read(tmp_path / "A.CSV.GZ"))) == LINES


# Broken archives


@pytest.mark.parametrize("share", [0.5, 0.9, 0.9999])
@pytest.mark.parametrize("packing", sorted(CODECS))
@pytest.mark.parametrize("extension", PACKED)
def test_a_cut_archive_gives_what_stands_before_the_cut(
    extension: str, packing: str, share: float, tmp_path: Path
) -> None:
    path = packed(tmp_path / f"a{extension}{packing}", plain(extension))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with io.BytesIO() as whole:
        # As much as the library itself gets out of it, a byte at a time.
        with pa.CompressedInputStream(pa.BufferReader(path.read_bytes()), OUTSIDE[packing]) as cut:
            try:
                while piece := cut.read(1):
                    whole.write(piece)
            except OSError:
                pass
        there = whole.getvalue().count(b"\n") - (extension in (".csv", ".tsv"))
    *rows, last = read(path)
    # What is unpacked in the last step before the break, up to a thousand bytes, is lost.
    assert there - 20 <= len(rows) <= there
    assert len(rows) > 1000
    assert statements(rows) == LINES[: len(rows)]
    assert isinstance(last, BadRow)
    assert last.line == len(rows) + 1 + (extension in (".csv", ".tsv"))
    assert last.file == str(path)
    assert "archive: found an end in the middle or damage (" in str(last.error)
    assert f"wanted a whole {OUTSIDE[packing]} archive; fetch or pack it again" in str(last.error)
    assert read(path).survey().rows == len(rows) + 1


@pytest.mark.parametrize("packing", sorted(CODECS))
def test_a_cut_among_small_pieces_costs_little(packing: str, tmp_path: Path) -> None:
    # As a log is packed that is written to now and then.
    pieces = ["".join(f"{line}\n" for line in LINES[at : at + 90]) for at in range(0, 3600, 90)]
    archives = [packed(tmp_path / f"a{packing}", piece.encode()).read_bytes() for piece in pieces]
    (tmp_path / f"b.txt{packing}").write_bytes(b"".join(archives)[:-20])
    *rows, last = read(tmp_path / f"b.txt{packing}")
    assert isinstance(last, BadRow)
    assert statements(rows) == LINES[: len(rows)]
    assert len(rows) >= 3600 - 90 - 20


def test_a_cut_inside_a_quoted_cell(tmp_path: Path) -> None:
    text = b'n,statement\n1,one\n2,"two\nlines\n'
    whole = gzip.compress(text, mtime=0)
    (tmp_path / "a.csv.gz").write_bytes(whole[:-8])  # all text, no checksum
    first, *bad = read(tmp_path / "a.csv.gz")
    assert isinstance(first, Row)
    assert [(row.line, type(row)) for row in bad] == [(3, BadRow), (4, BadRow), (5, BadRow)]
    assert [row.error.place for row in bad if isinstance(row, BadRow)] == ["row", "row", "archive"]


@pytest.mark.parametrize("packing", sorted(CODECS))
@pytest.mark.parametrize("size", [0, 1, 3, 6])
def test_an_archive_cut_before_its_first_row(size: int, packing: str, tmp_path: Path) -> None:
    path = packed(tmp_path / f"a.jsonl{packing}", plain(".jsonl"))
    path.write_bytes(path.read_bytes()[:size])
    [row] = read(path)
    assert isinstance(row, BadRow)
    assert (row.line, row.error.place) == (1, "archive")
    # Without a header nothing can be read of a table.
    table = path.rename(tmp_path / f"a.csv{packing}")
    with pytest.raises(FileError, match="header: found an end in the middle or damage"):
        read(table)


def test_a_wrong_checksum_is_noticed(tmp_path: Path) -> None:
    data = bytearray(gzip.compress(plain(".txt"), mtime=0))
    data[-6] ^= 1
    (tmp_path / "a.txt.gz").write_bytes(data)
    *_, last = read(tmp_path / "a.txt.gz")
    assert isinstance(last, BadRow)
    assert "CRC check failed" in str(last.error)


@pytest.mark.parametrize("packing", sorted(CODECS))
def test_something_else_by_the_name_of_an_archive(packing: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.csv{packing}"
    path.write_text("statement\nnot packed\n")
    message = f"found something else, wanted a {OUTSIDE[packing]} archive; take {packing} off its"
    with pytest.raises(FileError, match=message):
        read(path)


def test_packed_twice(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.jsonl.gz", gzip.compress(plain(".jsonl")))
    with pytest.raises(FileError, match="found a gzip archive, wanted jsonl in UTF-8"):
        read(path)


@pytest.mark.parametrize("name", ["a.parquet.gz", "a.gz", "a.xlsx.zst"])
def test_what_is_not_packed(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"")
    extension = name.removeprefix("a")
    with pytest.raises(
        FileError, match=rf"found the extension '{extension}', wanted one of \.jsonl"
    ):
        read(tmp_path / name)


# Writing


@pytest.mark.parametrize("packing", sorted(CODECS))
def test_a_writer_given_up_leaves_the_file_alone(packing: str, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from stancekit.files import writer_for; "
        "from stancekit.rows import Row\n"
        "file = open(sys.argv[1], 'wb')\n"
        "writer = writer_for(sys.argv[1])(file, {'a': {'text'}})\n"
        "for i in range(10**5): writer.write(Row('', 1, {'a': str(i)}))\n"
        "file.close(); size = Path(sys.argv[1]).stat().st_size\n"
        "del writer\n"
        "assert Path(sys.argv[1]).stat().st_size == size\n"
    )
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", code, tmp_path / f"a.csv{packing}"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_only_zstd_loads_pyarrow(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.csv.gz", plain(".csv"))
    code = (
        "import sys; from stancekit.files import read\n"
        f"list(read({str(path)!r})); sys.exit('pyarrow' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
