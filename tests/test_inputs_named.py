"""Which files are meant, standard input, columns renamed, plain text, and metadata."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stancekit.compressed import CODECS, pack
from stancekit.errors import FileError
from stancekit.files import (
    WRITERS,
    expand,
    read,
    read_examples,
    read_metadata,
    sidecar,
    writer_for,
)
from stancekit.formats import PACKED
from stancekit.records import Example
from stancekit.rows import Row, survey
from stancekit.sources import spooled

NAMES = [*WRITERS, *(name + codec for name in PACKED if name in WRITERS for codec in CODECS)]


def write(path: Path, *table: dict[str, Any], metadata: dict[str, str] | None = None) -> Path:
    rows = [Row("made", i, values) for i, values in enumerate(table, 1)]
    with path.open("wb") as file:
        writer = writer_for(path)(file, survey(rows, {}).columns, metadata)
        for row in rows:
            writer.write(row)
        writer.finish()
    return path


def values(rows: Any) -> list[dict[str, Any]]:
    found = list(rows)
    assert all(isinstance(row, Row) for row in found), found
    return [row.values for row in found]


# Files, folders, patterns


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [
        "b.csv", "a.jsonl", "a.jsonl.errors.jsonl", "a.jsonl.meta.json", "c.pdf", "A.TXT.GZ",
        ".hidden.csv", ".git/x.csv", "2024/b.parquet", "2024/a.tsv.zst", "2024/deep/a.csv",
        "none/read.me", "odd[1].csv",
    ]:  # fmt: skip
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    monkeypatch.chdir(tmp_path / "data")
    return tmp_path / "data"


EVERYTHING = [
    "2024/a.tsv.zst", "2024/b.parquet", "2024/deep/a.csv", "A.TXT.GZ", "a.jsonl", "b.csv",
    "odd[1].csv",
]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["."], EVERYTHING),
        (["b.csv", "."], ["b.csv", *(name for name in EVERYTHING if name != "b.csv")]),
        (["2024"], EVERYTHING[:3]),
        (["2024/*"], EVERYTHING[:3]),
        (["2024/*.*"], EVERYTHING[:2]),
        (["*.csv"], ["b.csv", "odd[1].csv"]),
        (["**/a.*"], ["2024/a.tsv.zst", "2024/deep/a.csv", "a.jsonl"]),
        (["[ab].*"], ["a.jsonl", "b.csv"]),
        (["odd[1].csv"], ["odd[1].csv"]),  # a file has this very name
        (["b.csv", "./b.csv", "2024/../b.csv"], ["b.csv"]),
        (["-", "b.csv", "-"], ["-", "b.csv"]),
        # Named: opening them tells what is wrong.
        (["c.pdf", "missing.csv", "a.jsonl.errors.jsonl"],
         ["c.pdf", "missing.csv", "a.jsonl.errors.jsonl"]),
        ([".hidden.csv"], [".hidden.csv"]),
    ],
)  # fmt: skip
def test_what_is_meant(given: list[str], meant: list[str], archive: Path) -> None:
    assert [str(path) for path in expand(given)] == meant


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("none", "none: found a folder without any file that can be read, wanted files named .js"),
        ("*.doc", r"\*\.doc: found a pattern without any file that can be read"),
        ("none/*", "found a pattern without any file"),
    ],
)
def test_nothing_meant(given: str, message: str, archive: Path) -> None:
    with pytest.raises(FileError, match=message):
        expand(["b.csv", given])


def test_links(archive: Path) -> None:
    (archive / "2024/deep/up").symlink_to(archive)  # a circle
    (archive / "2024/deep/z.csv").symlink_to(archive / "b.csv")
    assert [str(path) for path in expand(["2024"])] == [
        *EVERYTHING[:3], *(f"2024/deep/up/{name}" for name in EVERYTHING[3:]),
    ]  # fmt: skip


def test_a_folder_that_may_not_be_looked_into(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = Path.iterdir

    def refuse(folder: Path) -> Any:
        if folder.name == "deep":
            raise PermissionError(13, "Permission denied")
        return inside(folder)

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(FileError, match="deep: found Permission denied, wanted a folder to look"):
        expand(["."])


# Standard input


@pytest.mark.parametrize("name", NAMES)
def test_standard_input_is_read_as_a_file_is(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write(tmp_path / f"a{name}", *({"statement": f"S{i}"} for i in range(3000))).read_bytes()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    (tmp_path / "room").mkdir()
    reader = read("-", format=name[1:], spool=tmp_path / "room")
    assert reader.survey().rows == 3000
    first, second = iter(reader), iter(reader)
    # Each pass has a position of its own.
    for number in range(3000):
        one, other = next(first), next(second)
        assert isinstance(one, Row) and isinstance(other, Row)
        assert one.values == other.values == {"statement": f"S{number}"}
    assert one.file == "standard input"
    assert not list((tmp_path / "room").iterdir())


def test_standard_input_of_a_real_process(tmp_path: Path) -> None:
    code = (
        "from stancekit.files import read\n"
        "reader = read('-')\n"
        "print(reader.survey().rows, *(row.line for row in reader))\n"
    )
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", code],
        input=b'{"statement": "a"}\n\n{"statement": \n',
        capture_output=True,
    )
    assert (done.stdout, done.stderr) == (b"2 1 3\n", b"")


def test_standard_input_of_an_unknown_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"")))
    with pytest.raises(FileError, match=r"standard input: found the extension '.doc', wanted one"):
        read("-", format="doc")


def test_no_room_for_standard_input(tmp_path: Path) -> None:
    message = "standard input: found No such file or directory, wanted a stream that can be copied"
    with pytest.raises(FileError, match=message):
        spooled(io.BytesIO(b"x"), "standard input", "jsonl", tmp_path / "none")


# Columns renamed

TABLE = [{"text": "S", "t": "T", "id": "7"}, {"text": "R", "t": "U", "id": "8"}]


@pytest.mark.parametrize("name", NAMES)
def test_renamed_columns(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"a{name}", *TABLE)
    reader = read(path, renamed={"text": "statement", "t": "topic"})
    assert values(reader) == [
        {"statement": "S", "topic": "T", "id": "7"}, {"statement": "R", "topic": "U", "id": "8"},
    ]  # fmt: skip
    assert list(reader.survey().columns) == ["statement", "topic", "id"]
    assert reader.survey().rows == 2
    renamed = {"text": "statement", "t": "topic"}
    assert read_examples(path, renamed=renamed) == [Example("S", "T"), Example("R", "U")]


def test_renamed_column_of_a_type_json_lacks(tmp_path: Path) -> None:
    pq.write_table(pa.table({"when": pa.array([1], pa.timestamp("s"))}), tmp_path / "a.parquet")
    [row] = read(tmp_path / "a.parquet", renamed={"when": "date"})
    assert isinstance(row, Row)
    assert (list(row.values), list(row.exact)) == (["date"], ["date"])


def test_columns_that_change_places(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", {"topic": "S", "statement": "T"})
    reader = read(path, renamed={"topic": "statement", "statement": "topic"})
    assert values(reader) == [{"statement": "S", "topic": "T"}]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("renamed", "message"),
    [
        ({"words": "statement"},
         "found the columns 'text', 't', 'id', wanted a column 'words'; name one of these"),
        ({"text": "t"},
         "found the columns 'text', 't', 'id', wanted no other column named 't' where one is"),
        ({"text": "statement", "t": "statement"}, "wanted no other column named 'statement'"),
    ],
)  # fmt: skip
def test_columns_that_cannot_be_renamed(
    renamed: dict[str, str], message: str, name: str, tmp_path: Path
) -> None:
    path = write(tmp_path / f"a{name}", *TABLE)
    with pytest.raises(FileError) as caught:
        read(path, renamed=renamed)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


def test_a_file_without_rows_has_nothing_to_rename(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"")
    assert list(read(tmp_path / "a.jsonl", renamed={"text": "statement"})) == []


def test_a_column_that_comes_after_the_survey(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", {"text": "S"})
    reader = read(path, renamed={"text": "statement"})
    path.write_text('{"text": "S", "statement": "other"}\n')
    with pytest.raises(FileError, match="line 1: found a new column, with the name of a renamed"):
        list(reader)


# Plain text


@pytest.mark.parametrize("packing", ["", *CODECS])
def test_plain_text(packing: str, tmp_path: Path) -> None:
    text = (
        '\ufeffWe will sign.\r\n\r\n  \n\tNot yet: \u201cwait\u201d.\n{"not": "json"}\nLast'
    ).encode()
    with (tmp_path / f"a.txt{packing}").open("wb") as file:
        if packing:
            packer = pack(file, packing)
            packer.write(text)
            packer.close()
        else:
            file.write(text)
    reader = read(tmp_path / f"a.txt{packing}")
    assert reader.survey().columns == {"statement": {"text"}}
    assert [(row.line, row.values) for row in reader if isinstance(row, Row)] == [
        (1, {"statement": "We will sign."}),
        (4, {"statement": "\tNot yet: \u201cwait\u201d."}),
        (5, {"statement": '{"not": "json"}'}),
        (6, {"statement": "Last"}),
    ]


def test_plain_text_of_no_lines_has_its_column(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"")
    assert read(tmp_path / "a.txt").survey().columns == {"statement": {"text"}}


@pytest.mark.parametrize("name", ["out.txt", "out.txt.gz"])
def test_plain_text_is_not_written(name: str) -> None:
    message = (
        rf"{name}: found the extension '{name[3:]}', wanted one of .jsonl, .csv, .tsv, .parquet "
        r"\(all but .parquet also with .gz or .zst\); choose another name for the output"
    )
    with pytest.raises(FileError, match=message):
        writer_for(name)


# Metadata

NOTES = {"model": "a1b2", "settings": '{"topic": "die Br\u00fccke"}', "n": ""}


@pytest.mark.parametrize("name", NAMES)
def test_metadata_there_and_back(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"a{name}", {"a": "x"}, metadata=NOTES)
    sidecar(path, NOTES)
    beside = [] if name == ".parquet" else [f"a{name}.meta.json"]
    assert sorted(os.listdir(tmp_path)) == [f"a{name}", *beside]
    assert read_metadata(path) == NOTES
    assert values(read(path)) == [{"a": "x"}]


def test_metadata_in_parquet_as_others_see_it(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", {"a": "x"}, metadata=NOTES)
    found = pq.read_schema(path).metadata
    assert found == {f"stancekit.{k}".encode(): v.encode() for k, v in NOTES.items()}


@pytest.mark.parametrize("name", [".csv", ".parquet"])
def test_no_metadata(name: str, tmp_path: Path) -> None:
    assert read_metadata(write(tmp_path / f"a{name}", {"a": "x"})) == {}


def test_metadata_of_others_is_not_ours(tmp_path: Path) -> None:
    table = pa.table({"a": [1]}).replace_schema_metadata({b"pandas": b"\xff", b"stancekit.n": b"1"})
    pq.write_table(table, tmp_path / "a.parquet")
    assert read_metadata(tmp_path / "a.parquet") == {"n": "1"}


@pytest.mark.parametrize(
    ("content", "message"),
    [("[1]", "found a JSON list, wanted a JSON object"), ("{", "broken JSON")],
)
def test_a_broken_sidecar(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv.meta.json").write_text(content)
    with pytest.raises(FileError, match=message):
        read_metadata(tmp_path / "a.csv")


def test_a_sidecar_lands_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sidecar(tmp_path / "a.csv", {"model": "old"})

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileError, match="No space left on device"):
        sidecar(tmp_path / "a.csv", {"model": "new"})
    assert os.listdir(tmp_path) == ["a.csv.meta.json"]
    assert json.loads((tmp_path / "a.csv.meta.json").read_text()) == {"model": "old"}
