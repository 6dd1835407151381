"""An article read into statements: who says what, and where it stands.

What one statement is: a sentence. A quotation is never cut, so a quotation of several sentences
stays with the sentence that attributes it, and a quotation broken by its attribution (``"…," X
said. "…"``) is one statement with it, over as many paragraphs as it runs on without closing:
one speaker's unbroken words are what a reader would quote. Reports without quotation marks,
reports that quote in part and the writer's own sentences stay apart, one statement each. A
sentence that reports two speakers in two clauses is two statements; where it cannot be divided, it
goes to the one on whom it turns. In an interview whose paragraphs open with names, a statement is
a turn. Points of a list belong to whoever announced them, and in the minutes of a meeting the rest
of a paragraph to whoever opened it.

A sentence after a report that goes on in its tense (``It would follow.``) is reported too.

Statements come in order, do not overlap, and leave out nothing but white space and characters that
show nothing.
"""

from __future__ import annotations

from stancekit.reading.articles import Reader
from stancekit.reading.invisible import INVISIBLE, restored, visible
from stancekit.reading.rows import as_rows
from stancekit.records import Article, Statement

__all__ = ["as_rows", "read"]


def read(article: str | Article) -> list[Statement]:
    """Split an article into statements.

    Args:
        article: the text, or the record that holds it. Any string is accepted.

    Returns:
        The statements in order; ``article[s.start:s.end] == s.text`` for each, in the text as
        given. Empty for a text with nothing to see in it.
    """
    text = article.text if isinstance(article, Article) else article
    if INVISIBLE.search(text) is None:
        return Reader(text).read()
    shown, places = visible(text)
    return [restored(statement, text, places) for statement in Reader(shown).read()]
