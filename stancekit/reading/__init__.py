"""An article read into statements: who says what, and where it stands.

What one statement is: a sentence. A quotation is never cut, so a quotation of several sentences
stays with the sentence that attributes it, and a quotation broken by its attribution (``"…," X
said. "…"``) is one statement with it, over as many paragraphs as it runs on without closing:
one speaker's unbroken words are what a reader would quote. Reports without quotation marks,
reports that quote in part and the writer's own sentences stay apart, one statement each. A
sentence that reports two speakers goes to the one on whom it turns. In an interview whose
paragraphs open with names, a statement is a turn.

A sentence after a report that goes on in its tense (``It would follow.``) is reported too.

Statements come in order, do not overlap, and leave out nothing but white space.
"""

from __future__ import annotations

from stancekit.reading.attribution import find_cue
from stancekit.reading.phrases import QUOTE, Token, leading_phrase, tokens
from stancekit.reading.quotes import Quotation, quotations
from stancekit.reading.sentences import Span, paragraphs, sentences
from stancekit.reading.speakers import Speaker, Speakers
from stancekit.reading.subjects import Cue
from stancekit.reading.turns import turns
from stancekit.reading.verbs import LOOSE, SAYING
from stancekit.records import Article, Kind, Statement

__all__ = ["read"]

SCARE_WORDS = 3  # a quotation of so few words marks a term, unless somebody says it
MOST_LABEL = 6  # tokens before the colon of ``Mayor Jana Novak: "…"``
RECIPIENT = 9  # tokens from a verb to its quotation: told reporters in Oslo on Friday: "…"
# Verbs that a report shifts into: what "will" be, a speaker said "would" be.
SHIFTED = frozenset(["would", "could"])
OPENING = 12  # tokens of a sentence in which its main verb is sought


def read(article: str | Article) -> list[Statement]:
    """Split an article into statements.

    Args:
        article: the text, or the record that holds it. Any string is accepted.

    Returns:
        The statements in order; ``article[s.start:s.end] == s.text`` for each. Empty for a text
        of white space only.
    """
    text = article.text if isinstance(article, Article) else article
    return _Reader(text).read()


class _Reader:
    """One pass over one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.paragraphs = paragraphs(text)
        self.quotations = quotations(text, self.paragraphs)
        self.turns = turns(text, self.paragraphs)
        self.speakers = Speakers(text, self._plain())
        self.statements: list[Statement] = []
        self.quoting: Speaker | None = None  # whose quotation was read last
        self.handed_on: Speaker | None = None  # who may go on in a paragraph that is all quotation

    def _plain(self) -> list[Span]:
        """The stretches outside quotations."""
        plain = []
        for paragraph, quoted in zip(self.paragraphs, self.quotations, strict=True):
            position = paragraph.start
            for quotation in quoted:
                if quotation.start > position:
                    plain.append(Span(position, quotation.start))
                position = max(position, quotation.end)
            if paragraph.end > position:
                plain.append(Span(position, paragraph.end))
        return plain

    def read(self) -> list[Statement]:
        for number, paragraph in enumerate(self.paragraphs):
            label = self.turns.get(number)
            if label is not None:
                speaker = self.speakers.resolve(label, paragraph)
                self.speakers.note(paragraph, [speaker])
                self._add(paragraph, speaker, "direct")
                self.handed_on = None
            else:
                self._read_paragraph(paragraph, self.quotations[number])
        return self.statements

    def _read_paragraph(self, paragraph: Span, quoted: list[Quotation]) -> None:
        before: Speaker | None = None  # who spoke last in this paragraph
        joins = False  # whether a quotation here would go on with the statement before
        ends_quoting = False
        place = 0
        for span in sentences(self.text, paragraph, quoted):
            first = place
            while place < len(quoted) and quoted[place].start < span.end:
                place += 1
            inside = quoted[first:place]
            # A paragraph that is all quotation goes on with the quotation before it.
            follows_on = first == 0 and span.start == paragraph.start and self._last_is_direct()
            continues = bool(inside) and inside[0].continues and inside[0].start == span.start
            row = tokens(self.text, span, [(q.start, q.end) for q in inside])
            cue = find_cue(row)
            speaker, kind = self._whose(row, cue, span, inside, before, continues)
            merged = (
                kind == "direct"
                and speaker is not None
                and speaker is self.quoting
                and (joins or continues or (follows_on and cue is None))
                and not (joins and cue is not None and row[0].text != QUOTE)
            )
            self._add(span, speaker, kind, merge=merged)
            subject = self._subject(row, span)
            self.speakers.note(span, [speaker, subject])
            if speaker is not None:
                before = speaker
            elif subject is not None and subject is not before:
                before = None  # the paragraph has turned to somebody else
            joins = kind == "direct"
            if inside and kind != "narration":
                self.quoting = speaker
            announces = self.text[span.end - 1] == ":"
            ends_quoting = announces or (bool(inside) and kind in ("direct", "mixed"))
            if announces and cue is not None:
                before = self.speakers.resolve(cue.source, span)
        self.handed_on = before if ends_quoting else None

    def _last_is_direct(self) -> bool:
        return bool(self.statements) and self.statements[-1].kind == "direct"

    def _whose(
        self,
        row: list[Token],
        cue: Cue | None,
        span: Span,
        inside: list[Quotation],
        before: Speaker | None,
        continues: bool,
    ) -> tuple[Speaker | None, Kind]:
        """Speaker and kind of one sentence."""
        if not row:
            return None, "narration"
        if cue is not None:
            if _says_nothing(row, cue):
                return None, "narration"
            speaker = self.speakers.resolve(cue.source, span)
            return speaker, _kind(row, cue)
        spoken = [q for q in inside if self._words(q) > SCARE_WORDS]
        bare = all(token.text == QUOTE or not token.text[0].isalnum() for token in row)
        if bare and inside:
            if continues and self.quoting is not None:
                return self.quoting, "direct"
            follows = before if before is not None else self.handed_on
            if follows is None and not spoken:
                return None, "narration"
            return follows, "direct"
        for place, token in enumerate(row):
            if token.text == QUOTE and place and row[place - 1].text == ":":
                phrase = leading_phrase(row)
                speaker = None
                if phrase is not None:
                    mention = Span(row[phrase[0]].start, row[phrase[1] - 1].end)
                    speaker = self.speakers.resolve(mention, span)
                return speaker, "direct" if place <= MOST_LABEL else "mixed"
        if not spoken:
            if before is not None and not inside and _goes_on_reporting(row):
                return before, "indirect"
            return None, "narration"
        if continues:
            return self.quoting, "mixed"
        return before, "mixed"

    def _words(self, quotation: Quotation) -> int:
        return len(self.text[quotation.start : min(quotation.end, quotation.start + 200)].split())

    def _subject(self, row: list[Token], span: Span) -> Speaker | None:
        """Whom a sentence opens with, unless by a pronoun."""
        phrase = leading_phrase(row)
        if phrase is None:
            return None
        mention = Span(row[phrase[0]].start, row[phrase[1] - 1].end)
        return self.speakers.resolve(mention, span, only_known=True)

    def _add(self, span: Span, speaker: Speaker | None, kind: Kind, *, merge: bool = False) -> None:
        start = span.start
        if merge and self.statements:
            start = self.statements.pop().start
        name = speaker.name if speaker is not None and kind != "narration" else None
        self.statements.append(Statement(self.text[start : span.end], name, start, span.end, kind))


def _goes_on_reporting(row: list[Token]) -> bool:
    """Whether a sentence after a report carries it on: ``… he said. The rest would follow.``"""
    return any(token.low in SHIFTED for token in row[:OPENING])


def _says_nothing(row: list[Token], cue: Cue) -> bool:
    """``Lund continued:`` only announces what the next paragraph quotes."""
    return (
        row[-1].text == ":"
        and len(row) - cue.last <= RECIPIENT
        and all(token.text != QUOTE for token in row)
        and cue.first <= 1
    )


def _kind(row: list[Token], cue: Cue) -> Kind:
    """Direct where the quotation is all that is said, mixed where it is a part."""
    quoted = [place for place, token in enumerate(row) if token.text == QUOTE]
    if not quoted:
        return "indirect"
    if quoted[0] == 0 and cue.first <= 2:
        return "direct"
    for place in quoted:
        gap = row[cue.verb + 1 : place]
        if place > cue.verb and row[cue.verb].low in SAYING | LOOSE and len(gap) <= RECIPIENT:
            closes = place >= len(row) - 2
            if not gap or ((gap[-1].text in (",", ":") or gap[-1].low == "that") and closes):
                return "direct" if closes else "mixed"
    return "mixed"
