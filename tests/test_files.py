"""Files <-> records: every format, both ways, and what becomes of broken rows and files."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stancekit import delimited, lines, rows, tables
from stancekit.errors import FileError, RecordError
from stancekit.files import (
    WRITERS,
    Output,
    read,
    read_examples,
    to_example,
    writer_for,
)
from stancekit.records import Example
from stancekit.rows import BadRow, Columns, Row
from stancekit.sources import stored

FORMATS = sorted(WRITERS)
# Everything UTF-8 can carry: line ends of every kind, quotes, separators, NUL, emoji.
TEXT = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    [
        "",
        '"',
        "a\nb",
        "a\r\nb",
        "a\rb",
        "\r",
        "\n",
        ",",
        "\t",
        "\u2028",
        "\x85",
        "\0",
        '","',
        "\ufeff",
    ]
)
# A byte-order mark at the start of a header is the file's, not the name's.
NAME = TEXT.filter(lambda name: name.strip() and not name.startswith("\ufeff"))


def write(path: Path, table: list[dict[str, Any]], columns: Columns | None = None) -> Path:
    plain = [Row("made", i, values) for i, values in enumerate(table, 1)]
    with path.open("wb") as file:
        writer = writer_for(path)(file, columns or rows.survey(plain, {}).columns)
        for row in plain:
            writer.write(row)
        writer.finish()
    return path


def convert(source: Path, target: Path) -> Path:
    reader = read(source)
    with target.open("wb") as file:
        writer = writer_for(target)(file, reader.survey().columns)
        for row in reader:
            assert isinstance(row, Row), row
            writer.write(row)
        writer.finish()
    return target


def values(path: Path) -> list[dict[str, Any]]:
    found = list(read(path))
    assert all(isinstance(row, Row) for row in found), found
    return [row.values for row in found if isinstance(row, Row)]


def bad(path: Path) -> list[tuple[int, str, str | None]]:
    return [(row.line, str(row.error), row.raw) for row in read(path) if isinstance(row, BadRow)]


# Round trips


@st.composite
def text_tables(draw: st.DrawFn) -> list[dict[str, str]]:
    names = draw(st.lists(NAME, min_size=1, max_size=4, unique=True))
    return draw(st.lists(st.fixed_dictionaries(dict.fromkeys(names, TEXT)), max_size=5))


@pytest.mark.parametrize("target", FORMATS)
@pytest.mark.parametrize("source", FORMATS)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(table=text_tables())
def test_text_survives_from_every_format_to_every_other(
    source: str, target: str, table: list[dict[str, str]], tmp_path: Path
) -> None:
    if not table:
        table = [{"a": ""}]
    first = write(tmp_path / f"first{source}", table)
    assert values(first) == table
    assert values(convert(first, tmp_path / f"second{target}")) == table


JSON_VALUE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda part: st.lists(part, max_size=3) | st.dictionaries(TEXT, part, max_size=3),
    max_leaves=5,
)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(table=st.lists(st.dictionaries(TEXT, JSON_VALUE, max_size=3), max_size=5))
def test_jsonl_keeps_any_value(table: list[dict[str, Any]], tmp_path: Path) -> None:
    assert values(write(tmp_path / "a.jsonl", table)) == table


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(column=st.lists(JSON_VALUE, min_size=1, max_size=6))
def test_parquet_takes_any_mixture_and_loses_nothing(column: list[Any], tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", [{"c": value} for value in column])
    for put, got in zip(column, (row["c"] for row in values(path)), strict=True):
        assert got == put or got == rows.as_text(put)


def test_late_change_of_type_does_not_fail(tmp_path: Path) -> None:
    table: list[dict[str, Any]] = [{"id": None, "n": 1, "x": 1} for _ in range(40_000)]
    table += [{"id": "late", "n": "many", "x": 0.5, "tags": ["a"], "new": True}]
    path = write(tmp_path / "a.parquet", table)
    types = {f.name: f.type for f in pq.read_schema(path)}
    assert types == {
        "id": pa.string(), "n": pa.string(), "x": pa.float64(), "tags": pa.string(),
        "new": pa.bool_(),
    }  # fmt: skip
    first, *_, last = values(path)
    assert first == {"id": None, "n": "1", "x": 1.0, "tags": None, "new": None}
    assert last == {"id": "late", "n": "many", "x": 0.5, "tags": '["a"]', "new": True}
    assert pq.ParquetFile(path).num_row_groups == 3


@pytest.mark.parametrize(
    ("column", "type_"),
    [
        ([1, 2**53], pa.int64()),
        ([1, 2**53 + 1], pa.int64()),
        ([0.5, 2**53], pa.float64()),
        ([0.5, 2**53 + 1], pa.string()),  # a float64 would change it
        ([2**63 - 1, -(2**63)], pa.int64()),
        ([1, 2**63], pa.string()),
        ([True, 1], pa.string()),
        ([None], pa.string()),
    ],
)
def test_column_types(column: list[Any], type_: pa.DataType, tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", [{"c": value} for value in column])
    assert pq.read_schema(path).field("c").type == type_


# Parquet types


def arrow_table() -> pa.Table:
    zone = timezone(timedelta(hours=2))
    return pa.table(
        {
            "statement": pa.array(["one", "two", None]).dictionary_encode(),
            "small": pa.array([1, -1, None], pa.int8()),
            "unsigned": pa.array([2**64 - 1, 0, None], pa.uint64()),
            "half": pa.array([0.5, float("nan"), None], pa.float16()),
            "real": pa.array([0.1, float("inf"), None], pa.float32()),
            "flag": pa.array([True, False, None]),
            "nothing": pa.nulls(3),
            "large": pa.array(["a", "", None], pa.large_string()),
            "view": pa.array(["a", "", None], pa.string_view()),
            "naive": pa.array([datetime(2024, 1, 2, 3, 4, 5, 6), None, None]),
            "nano": pa.array([1, -1, None], pa.timestamp("ns")),
            "zoned": pa.array([datetime(2024, 1, 2, 3, tzinfo=zone)] * 2 + [None],
                              pa.timestamp("ms", "Europe/Oslo")),
            "day": pa.array([date(2024, 1, 2), None, None]),
            "time": pa.array([3_600_000_000_001, 0, None], pa.time64("ns")),
            "long": pa.array([1_500, -1_500, None], pa.duration("ms")),
            "price": pa.array([Decimal("1.10"), None, None], pa.decimal128(10, 2)),
            "bytes": pa.array([b"\xff\0", b"", None]),
            "tags": pa.array([["a", None], [], None]),
            "who": pa.array([{"name": "x", "seen": datetime(2024, 1, 2)}, None, None]),
            "map": pa.array([[("k", 1)], [], None], pa.map_(pa.string(), pa.int64())),
        }
    )  # fmt: skip


PLAIN = {
    "statement": "one", "small": 1, "unsigned": 2**64 - 1, "half": 0.5,
    "real": pytest.approx(0.1), "flag": True, "nothing": None, "large": "a", "view": "a",
    "naive": "2024-01-02T03:04:05.000006", "nano": "1970-01-01T00:00:00.000000001",
    "zoned": "2024-01-02T01:00:00+00:00", "day": "2024-01-02", "time": "01:00:00.000000001",
    "long": "PT1.500S", "price": "1.10", "bytes": "/wA=", "tags": ["a", None],
    "who": {"name": "x", "seen": "2024-01-02T00:00:00"}, "map": [["k", 1]],
}  # fmt: skip


def test_parquet_types_are_kept_from_parquet_to_parquet(tmp_path: Path) -> None:
    table = arrow_table()
    pq.write_table(table, tmp_path / "a.parquet")
    back = pq.read_table(convert(tmp_path / "a.parquet", tmp_path / "b.parquet"))
    assert back.schema.equals(table.schema)
    for name in table.column_names:
        # NaN is not equal to itself, but prints alike.
        assert str(back[name].to_pylist()) == str(table[name].to_pylist()), name


def test_parquet_values_as_json(tmp_path: Path) -> None:
    pq.write_table(arrow_table(), tmp_path / "a.parquet")
    first, second, third = values(convert(tmp_path / "a.parquet", tmp_path / "b.jsonl"))
    assert first == PLAIN
    assert (second["half"], second["real"], second["long"]) == (None, None, "-PT1.500S")
    assert second["nano"] == "1969-12-31T23:59:59.999999999"
    assert third == dict.fromkeys(PLAIN)


def test_parquet_values_as_csv(tmp_path: Path) -> None:
    pq.write_table(arrow_table(), tmp_path / "a.parquet")
    first, second, third = values(convert(tmp_path / "a.parquet", tmp_path / "b.csv"))
    assert first["tags"] == '["a", null]'
    assert first["flag"] == "true"
    assert first["naive"] == PLAIN["naive"]
    assert (second["half"], second["real"]) == ("NaN", "Infinity")
    assert third == dict.fromkeys(PLAIN, "")


def test_moments_python_cannot_hold(tmp_path: Path) -> None:
    table = pa.table({
        "day": pa.array([10**8], pa.date32()), "moment": pa.array([10**15], pa.timestamp("s")),
    })  # fmt: skip
    pq.write_table(table, tmp_path / "a.parquet", version="2.6")
    [row] = values(tmp_path / "a.parquet")
    assert row["day"] == "100000000"
    assert row["moment"].startswith("1000000000000000")


def test_parquet_column_of_several_types_becomes_text(tmp_path: Path) -> None:
    pq.write_table(pa.table({"c": pa.array([datetime(2024, 1, 2)])}), tmp_path / "a.parquet")
    kinds = read(tmp_path / "a.parquet").survey().columns["c"] | {"int"}
    path = write(tmp_path / "b.parquet", [{"c": 1}, {"c": "2024"}], {"c": kinds})
    assert values(path) == [{"c": "1"}, {"c": "2024"}]


def test_parquet_broken_text_costs_one_row(tmp_path: Path) -> None:
    good = pa.array(["one", "tXo", "three"])
    data = good.buffers()[2].to_pybytes().replace(b"X", b"\xff")
    broken = pa.Array.from_buffers(pa.string(), 3, [None, good.buffers()[1], pa.py_buffer(data)])
    pq.write_table(pa.table({"s": broken}), tmp_path / "a.parquet", use_dictionary=False)
    found = list(read(tmp_path / "a.parquet"))
    assert [row.line for row in found] == [1, 2, 3]
    assert [isinstance(row, BadRow) for row in found] == [False, True, False]
    assert "0xff" in bad(tmp_path / "a.parquet")[0][1]


def test_not_a_number_never_makes_invalid_json(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": NaN, "b": [1, {"c": -Infinity}]}\n')
    text = convert(path, tmp_path / "b.jsonl").read_text()
    assert text == '{"a": null, "b": [1, {"c": null}]}\n'


# Broken rows


def test_bad_jsonl_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(
        b'\xef\xbb\xbf{"a": 1}\r\n'
        b"\r\n"
        b'{"a": "caf\xe9"}\n'
        b'{"a": \n'
        b"[1]\n"
        b'{"a": "\\ud83d"}\n'
        b'{"a": "\\ud83d\\ude00 \xe2\x80\xa8"}\n'
        b"   \n"
        b'{"a": ' + b"[" * 100_000 + b"\n"
        b'{"a": ' + b"1" * 5_000 + b"}\n"
        b'{"a": 2}'
    )
    assert [(row.line, row.values["a"]) for row in read(path) if isinstance(row, Row)] == [
        (1, 1), (7, "\U0001f600 \u2028"), (11, 2),
    ]  # fmt: skip
    encoding, broken, array, half, deep, long = bad(path)
    assert encoding == (
        3,
        "row: found a byte that is not UTF-8 (0xe9), wanted UTF-8; "
        "convert the file from its real encoding",
        '{"a": "caf\ufffd"}',
    )
    assert broken[0] == 4
    assert broken[1].startswith("row: found broken JSON (Expecting value")
    assert array == (5, "row: found a JSON list, wanted one JSON object a line", "[1]")
    assert half[:2] == (
        6, "row: found half a character ('\\ud83d'), wanted whole characters; write it again",
    )  # fmt: skip
    assert (deep[0], len(deep[2] or "")) == (9, rows.RAW_LENGTH)
    assert "broken JSON" in deep[1]
    assert long[0] == 10
    assert read(path).survey().rows == 9


def test_bad_csv_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(
        b"\xef\xbb\xbfa,b\r\n"
        b'"one\r\ntwo\nthree",1\r\n'
        b"\r\n"
        b"too,many,cells\r\n"
        b'"caf\xe9\n",4\n'
        b"few\n"
        b'"x"y,5\n'
        b"last,\xe2\x80\xa8"
    )
    assert [(row.line, row.values) for row in read(path) if isinstance(row, Row)] == [
        (2, {"a": "one\r\ntwo\nthree", "b": "1"}), (11, {"a": "last", "b": "\u2028"}),
    ]  # fmt: skip
    many, encoding, few, quotes = bad(path)
    assert many == (6, "row: found 3 cells, wanted 2, as in the header", "too,many,cells")
    assert (encoding[0], encoding[2]) == (7, '"caf\ufffd\n",4')
    assert "0xe9" in encoding[1]
    assert few == (9, "row: found 1 cells, wanted 2, as in the header", "few")
    assert quotes == (
        10, "row: found ',' expected after '\"', wanted cells quoted by the rules of csv", '"x"y,5',
    )  # fmt: skip
    assert read(path).survey().rows == 6


@pytest.mark.parametrize("after", ["2,b\n3,c\n", '2,b\n3,"c,c"\n'])
def test_an_open_quote_costs_one_row(after: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('n,t\n1,"open\n' + after)
    assert [(line, raw) for line, _, raw in bad(path)] == [(2, '1,"open')]
    assert [row.values["n"] for row in read(path) if isinstance(row, Row)] == ["2", "3"]


def test_carriage_return_alone_is_a_bad_csv_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"n,t\n1,a\rb\n2,c\n")
    assert [line for line, _, _ in bad(path)] == [2]


def test_long_csv_cells_leave_the_limit_of_the_process_alone(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [{"a": "x" * 200_000}])
    before = csv.field_size_limit(1234)
    try:
        [row] = values(path)
        assert (len(row["a"]), csv.field_size_limit()) == (200_000, 1234)
    finally:
        csv.field_size_limit(before)


@pytest.mark.parametrize("extension", [".jsonl", ".csv"])
def test_rows_without_end_cost_bounded_memory(
    extension: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (lines, delimited):
        monkeypatch.setattr(module, "LONGEST_ROW", 1000)
    sizes = (900, 5000, 900, 1)
    path = write(tmp_path / f"a{extension}", [{"a": "x" * size} for size in sizes])
    [(line, reason, _)] = bad(path)
    assert line == {".jsonl": 2, ".csv": 3}[extension]
    assert "more than 1,000 bytes" in reason
    good = [row for row in read(path) if isinstance(row, Row)]
    assert [len(row.values["a"]) for row in good] == [900, 900, 1]
    assert [row.line - line for row in good] == [-1, 1, 2]
    longest = max(len(line) for line in lines.physical_lines(stored(path, "text")))
    assert longest == 1001


# Files that cannot be read


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "a.xlsx",
            b"",
            "found the extension '.xlsx', wanted one of .jsonl, .csv, .tsv, .parquet, ",
        ),
        ("a", b"", "found no extension, wanted one of .jsonl, .csv, .tsv, .parquet"),
        ("a.csv", None, "found no such file, wanted a file; check the path"),
        ("a.csv", b"", "header: found nothing, wanted a line of column names"),
        ("a.csv", b",,\n", "header: found nothing"),
        ("a.csv", b"x,y,x\n", "found more than one column named 'x', wanted different names"),
        ("a.csv", b"caf\xe9\n", "header: found a byte that is not UTF-8 (0xe9)"),
        ("a.csv", b"a,b\r1,2\r", "header: found new-line character seen in unquoted field"),
        ("a.csv", b"PK\x03\x04..", "found a zip archive or spreadsheet, wanted csv in UTF-8"),
        ("a.jsonl", '{"a": 1}'.encode("utf-16"), "found UTF-16 text, wanted jsonl in UTF-8"),
        ("a.jsonl", b"\x1f\x8b..", "found a gzip archive, wanted jsonl in UTF-8"),
        ("a.parquet", b"PAR1 and no more", "found no parquet in it ("),
        ("a.parquet", b"", "found no parquet in it ("),
    ],
)
def test_unreadable_files(name: str, content: bytes | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FileError) as caught:
        read(path)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)


def test_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(FileError, match="found a folder, wanted a file; name the files in it"):
        read(tmp_path / "a.csv")


def test_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.jsonl", [{"a": 1}])

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(FileError, match=r"found Permission denied, wanted a readable file"):
        read(path)


def test_parquet_with_two_columns_of_one_name(tmp_path: Path) -> None:
    one = pa.array([1])
    pq.write_table(pa.Table.from_arrays([one, one], ["a", "a"]), tmp_path / "a.parquet")
    with pytest.raises(FileError, match="more than one column named 'a'"):
        read(tmp_path / "a.parquet")


def test_extension_in_capitals_and_empty_column_name(tmp_path: Path) -> None:
    path = tmp_path / "A.CSV"
    path.write_text(",a\n0,x\n")  # as pandas writes an unnamed index
    assert values(path) == [{"": "0", "a": "x"}]


def test_unknown_output_extension() -> None:
    with pytest.raises(FileError, match=f"wanted one of {', '.join(WRITERS)}"):
        writer_for("out.doc")


@pytest.mark.filterwarnings("error")
def test_parquet_value_not_announced(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="made, line 1: found values of another type from here"):
        write(tmp_path / "a.parquet", [{"a": "x"}], {"a": {"int"}})


def test_only_parquet_loads_pyarrow(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [{"a": "x"}])
    code = (
        "import sys; from stancekit.files import read\n"
        f"list(read({str(path)!r})); sys.exit('pyarrow' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# Outputs


def test_output_lands_whole(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to(tmp_path / "real.txt")
    output = Output(tmp_path / "link.txt")
    output.file.write(b"new")
    output.file.flush()
    assert (tmp_path / "real.txt").read_text() == "old"
    output.land()
    output.discard()
    assert (tmp_path / "real.txt").read_text() == "new"
    assert (tmp_path / "link.txt").is_symlink()
    assert sorted(os.listdir(tmp_path)) == ["link.txt", "real.txt"]


def test_output_discarded(tmp_path: Path) -> None:
    Output(tmp_path / "a.txt").discard()
    assert os.listdir(tmp_path) == []


def test_output_nowhere(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"a\.txt: found No such file or directory, wanted a file "):
        Output(tmp_path / "none" / "a.txt")
    with pytest.raises(FileError, match="found a folder, wanted a place for a file"):
        Output(tmp_path)
    with pytest.raises(FileError, match="found a device"):
        Output("/dev/null")


# Examples and articles


def test_examples(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(
        '{"statement": "S", "topic": "T", "speaker": null, "label": "opposed", "group": 7}\n'
        '{"statement": "S", "topic": "T", "speaker": "Q", "label": "", "group": NaN, "x": 1}\n'
    )
    assert read_examples(path) == [
        Example("S", "T", None, "opposed", "7"), Example("S", "T", "Q"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ('"",T', "line 3, statement: found an empty string, wanted some text; fix or remove the"),
        ("S, ", "line 3, topic: found an empty string, wanted some text"),
        ("S,T,U", "line 3, row: found 3 cells, wanted 2, as in the header"),
    ],
)
def test_examples_stop_at_the_first_bad_row(second: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"statement,topic\nS,T\n{second}\n")
    with pytest.raises(FileError, match=message) as caught:
        read_examples(path)
    assert str(caught.value).startswith(str(path))


def test_example_of_odd_values() -> None:
    def message(**cells: object) -> str:
        with pytest.raises(RecordError) as caught:
            to_example(Row("a", 1, cells), "T")
        return str(caught.value)

    assert message(text="S") == "statement: found no such column, wanted a column 'statement'"
    assert message(statement=1) == "statement: found int (1), wanted a string"
    assert message(statement="S", topic=1) == "topic: found int (1), wanted a string"
    assert message(statement="S", speaker=1) == "speaker: found int, wanted a string or None"
    row = Row("a", 1, {"statement": "/wA="}, exact={"statement": pa.array([b"\xff\0"])})
    with pytest.raises(RecordError, match="statement: found binary, wanted a string"):
        to_example(row, "T")
    nan = Row("a", 1, {"statement": "S", "topic": float("nan"), "speaker": float("nan")})
    assert to_example(nan, "T") == Example("S", "T")


def test_examples_refuse_labels_that_are_not_names(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [{"statement": "S", "topic": "T", "label": 1}])
    with pytest.raises(FileError, match="line 1, label: found 1, wanted the name of a label"):
        read_examples(path)


def test_reading_ahead_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.parquet", [{"a": i} for i in range(5 * tables.BATCH)])
    sizes: list[int] = []
    reader = tables.ParquetReader(stored(path, "parquet"))
    make = reader._rows

    def counted(batch: Any, first: int) -> list[Row | BadRow]:
        sizes.append(batch.num_rows)
        return make(batch, first)

    monkeypatch.setattr(reader, "_rows", counted)
    next(iter(reader))
    assert sizes == [tables.BATCH]


def test_jsonl_text_is_readable(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [{"a": "é"}])
    assert path.read_text(encoding="utf-8") == '{"a": "é"}\n'
    assert json.loads(path.read_bytes()) == {"a": "é"}
