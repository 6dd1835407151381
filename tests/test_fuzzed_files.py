"""Damaged files: every defect has its message, every row its account, and nothing a traceback."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stancekit import files, tables
from stancekit.compressed import CODECS
from stancekit.errors import FileError, RecordError
from stancekit.files import LONGEST_STATEMENT, WRITERS, expand, read, to_example, writer_for
from stancekit.formats import PACKED
from stancekit.rows import BadRow, Row

NAMES = [*WRITERS, *(name + codec for name in PACKED if name in WRITERS for codec in CODECS)]
WORDS = ["we", "will", "sign", "the", "treaty", "by", "spring", "and", "the harbour", "must wait"]


def sentences(count: int, seed: int = 0) -> list[str]:
    draw = random.Random(seed)
    return [f"{i}: {' '.join(draw.choices(WORDS, k=draw.randint(3, 30)))}" for i in range(count)]


def table(count: int) -> pa.Table:
    return pa.table({
        "statement": sentences(count),
        "topic": pa.array(["the wall", "the treaty"] * (count // 2)).dictionary_encode(),
        "n": list(range(count)),
        "when": pa.array([1_700_000_000] * count, pa.timestamp("s")),
        "tags": [["a", "b"]] * count,
    })  # fmt: skip


def outcome(row: Row | BadRow) -> str:
    """What comes of a row on its way to the model: nothing, or the reason why not."""
    try:
        if isinstance(row, BadRow):
            raise row.error
        to_example(row, "T")
    except RecordError as error:
        return str(error)
    return ""


# Every defect: the bytes of a file, the line at fault, and what is said of it

HEAD = b"statement,topic\ngood,T\n"
LONG = b"x" * (LONGEST_STATEMENT + 1)
TOO_LONG = "statement: found 100,001 characters, wanted at most 100,000; split it into statements"
NOT_UTF8 = "row: found a byte that is not UTF-8 (0xe9), wanted UTF-8"
ZERO = "statement: found a zero character, wanted text; look for binary data in the file"
DEFECTS = {
    "long jsonl": (".jsonl", b'{"statement": "%s"}' % LONG, 1, TOO_LONG),
    "long csv": (".csv", HEAD + LONG + b",T", 3, TOO_LONG),
    "long tsv": (".tsv", b"statement\n" + LONG, 2, TOO_LONG),
    "long txt": (".txt", b"good\n" + LONG, 2, TOO_LONG),
    "longer than any row, jsonl": (
        ".jsonl", b'{"statement": "%s"}' % (b"x" * 2**24), 1, "row: found more than 16,777,216",
    ),
    "longer than any row, txt": (".txt", b"x" * (2**24 + 9), 1, "row: found more than 16,777,216"),
    "longer than any row, csv": (
        ".csv", HEAD + b"x" * 2**24 + b",T", 3, "row: found more than 16,777,216 bytes",
    ),
    "zero character, jsonl": (".jsonl", b'{"statement": "a\\u0000b"}', 1, ZERO),
    "zero character, csv": (".csv", HEAD + b"a\0b,T", 3, ZERO),
    "zero character, txt": (".txt", b"good\na\0b", 2, "row: found a zero byte, wanted plain text"),
    "zero character, topic": (
        ".csv", HEAD + b"good,T\0", 3, "topic: found a zero character, wanted text",
    ),
    "zero character, speaker": (
        ".jsonl", b'{"statement": "a", "speaker": "\\u0000"}', 1, "speaker: found a zero character",
    ),
    "broken UTF-8, jsonl": (".jsonl", b'\n{"statement": "caf\xe9"}', 2, NOT_UTF8),
    "broken UTF-8, csv": (".csv", HEAD + b"caf\xe9,T", 3, NOT_UTF8),
    "broken UTF-8, txt": (".txt", b"good\ncaf\xe9\n", 2, NOT_UTF8),
    "too few cells": (".csv", HEAD + b"a", 3, "row: found 1 cells, wanted 2, as in the header"),
    "too many cells": (".tsv", b"statement\na\tb", 2, "row: found 2 cells, wanted 1, as in the"),
    "open quote": (".csv", HEAD + b'"a,T', 3, "row: found unexpected end of data, wanted cells"),
    "broken JSON": (".jsonl", b'{"statement": ', 1, "row: found broken JSON (Expecting value"),
    "no object": (".jsonl", b'"statement"', 1, "row: found a JSON str, wanted one JSON object a"),
    "half a character": (".jsonl", b'{"statement": "\\ud83d"}', 1, "row: found half a character"),
    "a number": (".jsonl", b'{"statement": 7}', 1, "statement: found int (7), wanted a string"),
    "a list": (".jsonl", b'{"statement": ["a"]}', 1, "statement: found list (['a']), wanted a st"),
    "null": (".jsonl", b'{"statement": null}', 1, "statement: found NoneType (None), wanted a"),
    "no statement": (".jsonl", b'{"text": "a"}', 1, "statement: found no such column, wanted a"),
    "empty": (".csv", HEAD + b",T", 3, "statement: found an empty string, wanted some text"),
    "blank": (".csv", HEAD + b"  ,T", 3, "statement: found only white space, wanted some text"),
    "cut gzip": (
        ".txt.gz", gzip.compress(b"good\n", mtime=0)[:-9], 2,
        "archive: found an end in the middle or damage (",
    ),
}  # fmt: skip


@pytest.mark.parametrize("defect", DEFECTS)
def test_every_defect_has_its_message(defect: str, tmp_path: Path) -> None:
    extension, content, line, message = DEFECTS[defect]
    path = tmp_path / f"a{extension}"
    path.write_bytes(content)
    bad = [(row.file, row.line, why) for row in read(path) if (why := outcome(row))]
    assert [(file, at) for file, at, _ in bad] == [(str(path), line)]
    assert bad[0][2].startswith(message)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (["good", "x" * (LONGEST_STATEMENT + 1)], TOO_LONG),
        (["good", "a\0b"], ZERO),
        (pa.array([b"good", b"\xff"]), "statement: found binary, wanted a string"),
        ([1, 2], "statement: found int (2), wanted a string"),
        (["good", None], "statement: found NoneType (None), wanted a string"),
    ],
)
def test_every_defect_in_parquet_has_its_message(
    column: object, message: str, tmp_path: Path
) -> None:
    pq.write_table(pa.table({"statement": column}), tmp_path / "a.parquet")
    *_, last = read(tmp_path / "a.parquet")
    assert last.line == 2
    assert outcome(last).startswith(message)


def test_the_longest_statement_is_one(tmp_path: Path) -> None:
    row = Row("a", 1, {"statement": "x" * LONGEST_STATEMENT})
    assert to_example(row, "T").statement == row.values["statement"]


# Parquet: what one damaged part costs


def damaged(path: Path, group: int, column: int, where: float = 0.5) -> Path:
    """Overwrite a few bytes of one column in one row group, as far into it as ``where``."""
    chunk = pq.read_metadata(path).row_group(group).column(column)
    first = chunk.dictionary_page_offset or chunk.data_page_offset
    at = first + int(chunk.total_compressed_size * where)
    data = bytearray(path.read_bytes())
    data[at : at + 8] = bytes(byte ^ 0xFF for byte in data[at : at + 8])
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("column", range(5))
@pytest.mark.parametrize("where", [0.0, 0.5])
def test_a_damaged_row_group_costs_its_own_rows(column: int, where: float, tmp_path: Path) -> None:
    whole = table(300)
    path = tmp_path / "a.parquet"
    pq.write_table(whole, path, row_group_size=100, write_page_checksum=True)
    found = list(read(damaged(path, 1, column, where)))
    assert read(path).survey().rows == len(found) == 300
    assert [row.line for row in found] == list(range(1, 301))
    assert [isinstance(row, BadRow) for row in found] == [False] * 100 + [True] * 100 + [
        False
    ] * 100
    texts = whole["statement"].to_pylist()
    for row, text in zip(found, texts, strict=True):
        if isinstance(row, Row):
            assert row.values["statement"] == text
        else:
            assert row.file == str(path)
            assert str(row.error).startswith(
                "row: found one of the rows 101 to 200, whose part is damaged ("
            )
            assert str(row.error).endswith(", wanted a whole parquet file; export it again")


def test_rows_before_the_damage_in_a_row_group_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(
        pa.table({"statement": sentences(10_000)}), path, data_page_size=4096,
        use_dictionary=False, write_page_checksum=True, write_batch_size=64,
    )  # fmt: skip
    found = list(read(damaged(path, 0, 0, 0.9)))
    good = [row for row in found if isinstance(row, Row)]
    assert [row.line for row in found] == list(range(1, 10_001))
    assert len(good) >= tables.BATCH
    assert [row.values["statement"] for row in good] == sentences(10_000)[: len(good)]


def test_our_own_parquet_notices_a_flipped_bit(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    with path.open("wb") as file:
        writer = writer_for(path)(file, {"statement": {"text"}})
        for text in sentences(100):
            writer.write(Row("made", 1, {"statement": text}))
        writer.finish()
    texts, noticed = sentences(100), 0
    data = path.read_bytes()
    size = pq.read_metadata(path).row_group(0).column(0).total_compressed_size
    for at in range(60, size, 89):
        flipped = bytearray(data)
        flipped[at] ^= 4
        path.write_bytes(flipped)
        found = list(read(path))
        assert len(found) == 100
        rows = [row for row in found if isinstance(row, Row)]
        noticed += len(rows) < len(found)
        # A flip in what a page says of itself may harm nothing; none may change a text.
        assert all(row.values["statement"] == texts[row.line - 1] for row in rows), at
    assert noticed > 30


def footer(data: bytes) -> int:
    """Its size, which stands behind it."""
    return int.from_bytes(data[-8:-4], "little")


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data[: len(data) // 2],
        lambda data: data[:-8] + b"\xff\xff\xff\x7fPAR1",
        lambda data: data[: -8 - footer(data)] + bytes(footer(data)) + data[-8:],
        lambda data: data[: -8 - footer(data)] + data[-8:],
        lambda data: data.replace(b"statement", b"statemen\xec"),
    ],
)
def test_a_damaged_footer_is_one_error(damage: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(table(100), path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(FileError, match="found no parquet in it") as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_footer_that_contradicts_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    # 12,345 rows, in the footer's zigzag numbers, in the file's sum and in the group's.
    pq.write_table(pa.table({"n": range(12_345)}), path)
    data = path.read_bytes()
    number = b"\xf2\xc0\x01"
    assert data.count(number) >= 2
    at = data.rindex(number)
    path.write_bytes(data[:at] + b"\xf2\xc0\x7f" + data[at + 3 :])
    with pytest.raises(FileError, match="rows in groups of"):
        read(path)


def test_the_other_files_go_on(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / f"{name}.txt.gz").write_bytes(gzip.compress(b"one\ntwo\n", mtime=0))
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(b"one\ntwo\n", mtime=0)[:-9])
    kinds = [[type(row) for row in read(path)] for path in expand([tmp_path])]
    assert [kind.count(BadRow) for kind in kinds] == [0, 1, 0]
    assert kinds[0] == kinds[2] == [Row, Row]


# Bytes flipped anywhere


def _written(path: Path) -> bytes:
    if path.suffix == ".parquet":
        # As others write it: several groups, types of all sorts, no checksums.
        pq.write_table(table(200), path, row_group_size=50)
    else:
        with path.open("wb") as file:
            writer = writer_for(path)(file, {"statement": {"text"}, "n": {"int"}})
            for number, text in enumerate(sentences(200)):
                writer.write(Row("made", 1, {"statement": text, "n": number}))
            writer.finish()
    return path.read_bytes()


def _account(path: Path) -> None:
    """Read a file to the end: a FileError at opening, or every row that was announced."""
    try:
        reader = read(path)
    except FileError as error:
        assert str(error).startswith(str(path))
        assert "\n" not in str(error)
        return
    found = list(reader)
    assert reader.survey().rows == len(found)
    assert all(row.file == str(path) for row in found)
    for row in found:
        outcome(row)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_flipped_bytes_never_give_a_traceback(
    name: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / f"flipped{name}"
    content = bytearray(_written(path))
    size = len(content)
    # The end, where footers and checksums are, as often as all the rest.
    place = st.integers(0, size - 1) | st.integers(max(0, size - 1500), size - 1)
    for at, mask in data.draw(st.lists(st.tuples(place, st.integers(1, 255)), min_size=1)):
        content[at] ^= mask
    path.write_bytes(content[: data.draw(st.just(size) | st.integers(0, size))])
    _account(path)


@pytest.mark.parametrize("name", NAMES)
def test_single_flips_in_a_real_file(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{name}"
    content = _written(path)
    draw = random.Random(7)
    for _ in range(150):
        flipped = bytearray(content)
        flipped[draw.randrange(len(flipped))] ^= 1 << draw.randrange(8)
        path.write_bytes(flipped)
        _account(path)


@pytest.mark.parametrize("name", [*NAMES, *(f".txt{packing}" for packing in ["", *CODECS])])
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(content=st.binary(max_size=300))
def test_any_bytes_by_any_name(
    name: str, content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / f"any{name}"
    path.write_bytes(content)
    _account(path)


def test_every_format_is_fuzzed() -> None:
    assert {name.split(".")[1] for name in NAMES} | {"txt"} == {n[1:] for n in files.READERS}
