"""Articles from files of every kind people have, and the encodings they come in."""

from __future__ import annotations

import sys
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stancekit import documents
from stancekit.charset import decode
from stancekit.documents import find_articles, is_page, read_article
from stancekit.errors import FileError, MissingExtraError
from stancekit.reading import read

TEXT = "\u201cThe toll is fair,\u201d said Petra H\u00f6lt \u2013 caf\u00e9 owner.\n"
MARKS = {
    "utf-8": b"\xef\xbb\xbf",
    "utf-16-le": b"\xff\xfe",
    "utf-16-be": b"\xfe\xff",
    "utf-32-le": b"\xff\xfe\0\0",
    "utf-32-be": b"\0\0\xfe\xff",
}


@pytest.mark.parametrize("encoding", MARKS)
def test_a_byte_order_mark_tells_the_encoding(encoding: str) -> None:
    assert decode(MARKS[encoding] + TEXT.encode(encoding), "a.txt") == TEXT


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff")))
def test_utf_8_comes_back_as_it_went(text: str) -> None:
    assert decode(text.encode(), "a.txt") == text


def test_western_text_is_read_as_windows_1252() -> None:
    assert decode(TEXT.encode("cp1252"), "a.txt") == TEXT


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (
            "\u041f\u043e\u0448\u043b\u0438\u043d\u0430 \u0432\u044b\u0441\u043e\u043a\u0430",
            "cp1251",
        ),
        ("\u901a\u884c\u6599\u304c\u9ad8\u3044", "shift-jis"),
        ("Op\u0142ata jest za wysoka, \u017ca\u0142uj\u0105 \u017ceglarze", "iso-8859-2"),
    ],
)
def test_other_encodings_are_refused_by_one_line(text: str, encoding: str) -> None:
    with pytest.raises(FileError, match=r"^a\.txt: found text in an encoding that cannot be told"):
        decode(text.encode(encoding), "a.txt")


@pytest.mark.parametrize("odd", [b"zale\xbfy \xb3", b"\xcf\xee\xf8\xeb\xe8\xed\xe0"])
def test_a_few_odd_bytes_in_english_are_enough(odd: bytes) -> None:
    # A superscript that English never has, and one word of Russian.
    with pytest.raises(FileError, match="cannot be told"):
        decode(b"The toll on cargo ships is fair. " * 20 + odd, "a.txt")


def test_a_broken_utf_16_is_refused() -> None:
    with pytest.raises(FileError, match="not utf-16-le"):
        decode(b"\xff\xfea", "a.txt")


def test_binary_data_is_refused() -> None:
    with pytest.raises(FileError, match="zero byte"):
        decode(b"a\0b", "a.txt")


@pytest.mark.parametrize("declaration", ['<meta charset="{}">', "<?xml encoding='{}'?>"])
def test_a_page_declares_its_encoding(declaration: str) -> None:
    page = declaration.format("iso-8859-2") + "\u017caba"
    assert decode(page.encode("iso-8859-2"), "a.html", markup=True) == page


def test_latin_1_on_a_page_means_windows_1252() -> None:
    page = "<meta charset=iso-8859-1>" + TEXT
    assert decode(page.encode("cp1252"), "a.html", markup=True) == page


@pytest.mark.parametrize("declared", ["ascii-with-hats", "shift-jis"])
def test_a_page_that_lies_is_asked_for_its_bytes(declared: str) -> None:
    # No such encoding; and one in which these bytes mean nothing.
    page = f"<meta charset={declared}>\u00ff\u00a0."
    assert decode(page.encode(), "a.html", markup=True) == page


PAGE = """<!DOCTYPE html><html><head><meta charset="utf-8"><title>Toll</title></head><body>
<nav><a href="/">Home</a> <a href="/news">News</a></nav>
<article><h1>Toll divides harbour town</h1>
<p>The harbour board said on Monday that it would charge cargo ships a toll from June, in
spite of the pilots, who had asked for another year.</p>
<p>\u201cA toll is a wall with a slot in it,\u201d said Oskar Lindqvist, who has guided ships
here for thirty years and means to go on.</p></article>
<footer>All rights reserved. <a href="/cookies">Cookies</a></footer></body></html>"""


def test_of_a_page_the_main_text_is_read(tmp_path: Path) -> None:
    pytest.importorskip("trafilatura")
    path = tmp_path / "toll.html"
    path.write_text(PAGE, encoding="utf-8")
    article = read_article(path)
    assert "Cookies" not in article.text and "<p>" not in article.text
    statements = read(article)
    assert {s.speaker for s in statements if s.speaker} == {"harbour board", "Oskar Lindqvist"}
    for s in statements:
        assert article.text[s.start : s.end] == s.text


def test_a_saved_page_is_read_like_the_page(tmp_path: Path) -> None:
    pytest.importorskip("trafilatura")
    message = EmailMessage()
    message.set_content("<svg/>", subtype="svg")
    message.make_mixed()
    message.add_attachment(PAGE, subtype="html")
    (tmp_path / "toll.mhtml").write_bytes(bytes(message))
    (tmp_path / "toll.html").write_text(PAGE, encoding="utf-8")
    saved = read_article(tmp_path / "toll.mhtml")
    assert saved.text == read_article(tmp_path / "toll.html").text


def test_a_page_is_known_by_how_it_begins() -> None:
    assert is_page(PAGE) and is_page(f"<!-- saved -->\n{PAGE}")
    assert not is_page("The board spoke of <html> and other marks.")


def test_without_trafilatura_a_page_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "trafilatura", None)
    path = tmp_path / "toll.html"
    path.write_text(PAGE, encoding="utf-8")
    with pytest.raises(MissingExtraError, match=r"pip install 'stancekit\[html\]'"):
        read_article(path)


def test_a_page_without_text_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("trafilatura")
    path = tmp_path / "empty.html"
    path.write_text("<!DOCTYPE html><html><body></body></html>", encoding="utf-8")
    with pytest.raises(FileError, match="without a main text"):
        read_article(path)


def test_a_folder_stands_for_its_articles(tmp_path: Path) -> None:
    for name in ["b.txt", "a.html", "a_files/ad.html", "deep/c.TXT", ".hidden.txt", "d.csv"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x", encoding="utf-8")
    found = [Path(path).relative_to(tmp_path).as_posix() for path in find_articles([tmp_path])]
    assert found == ["a.html", "b.txt", "deep/c.TXT"]
    assert find_articles(["-", tmp_path / "d.csv"]) == ["-", str(tmp_path / "d.csv")]


def test_a_folder_without_articles_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="a folder without articles"):
        find_articles([tmp_path])


def test_a_plain_text_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"One.\r\n\r\nTwo\xc2\xad.\xc2\xa0\r\n")
    article = documents.read_article(path)
    assert article.text == "One.\r\n\r\nTwo\xad.\xa0\r\n" and article.source == str(path)


@pytest.mark.parametrize("name", ["missing.txt", ""])
def test_what_is_no_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileError, match=r"no such file|a folder"):
        read_article(tmp_path / name)
