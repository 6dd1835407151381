"""One pass over an article, sentence by sentence: whose each is, and which go together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from stancekit.reading.attribution import JOINING, clauses, find_cue, is_heard
from stancekit.reading.context import needs_context
from stancekit.reading.kinds import goes_on_reporting, is_spoken, kind_of, says_nothing
from stancekit.reading.labels import announced, bracketed, is_item, labelled
from stancekit.reading.minutes import OFFICERS, are_minutes, committee, decides, takes_the_floor
from stancekit.reading.phrases import QUOTE, Token, leading_phrase, tokens
from stancekit.reading.quotes import Quotation, quotations
from stancekit.reading.sentences import Span, paragraphs, sentences
from stancekit.reading.speakers import Speaker, Speakers
from stancekit.reading.subjects import Cue
from stancekit.reading.turns import turns
from stancekit.reading.words import PRONOUNS, SUBJECTIVE
from stancekit.records import Kind, Statement

__all__ = ["Reader"]

MOST_LABEL = 6  # tokens before the colon of ``Mayor Jana Novak: "…"``


class Voice(NamedTuple):
    """A speaker as one sentence gives it.

    Attributes:
        speaker: who; None where nothing decides.
        mention: the words that name the speaker.
        confidence: how far to believe it, in [0, 1].
    """

    speaker: Speaker | None = None
    mention: Span | None = None
    confidence: float = 0.0

    def carried(self) -> Voice:
        """The same for a sentence that names nobody itself."""
        return self._replace(confidence=round(self.confidence * CARRIED, 2))


NOBODY = Voice()
NONE: tuple[Voice, Kind] = (NOBODY, "narration")
# How often speakers are right by how they were found, rounded (benchmarks.reading measures it).
NAMED, PRONOUN, DESCRIBED = 0.9, 0.85, 0.75
CARRIED = 0.8  # times the confidence in the sentence before


class Reader:
    """One pass over one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.paragraphs = paragraphs(text)
        self.quotations = quotations(text, self.paragraphs)
        self.turns = turns(text, self.paragraphs)
        self.speakers = Speakers(text, self._plain())
        self.statements: list[Statement] = []
        self.quoting = NOBODY  # whose quotation was read last
        self.handed_on = NOBODY  # who may go on in a paragraph that is all quotation
        self.listing = NOBODY  # whose points a list holds
        self.minutes = are_minutes(text)
        self.officer: Speaker | None = None  # in minutes, whoever of the staff spoke last by a post
        self.last: Span | None = None  # the sentence before
        self.runs_on = False  # whether the next paragraph takes up this one's open quotation

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
        """All statements, in order."""
        for number, paragraph in enumerate(self.paragraphs):
            label = self.turns.get(number)
            following = self.quotations[number + 1 : number + 2]
            self.runs_on = any(q.continues for quoted in following for q in quoted[:1])
            if label is not None:
                voice = self._voice(label, paragraph)
                self.speakers.note(paragraph, [voice.speaker])
                self._add(paragraph, voice, "direct")
                self.handed_on = NOBODY
            else:
                self._read_paragraph(paragraph, self.quotations[number])
        return self.statements

    def _voice(self, mention: Span, sentence: Span) -> Voice:
        words = self.text[mention.start : mention.end].lower()
        speaker = self.officer if words in OFFICERS else None
        speaker = speaker or self.speakers.resolve(mention, sentence)
        if speaker is None:
            return NOBODY
        pronoun = words in PRONOUNS or words in SUBJECTIVE
        sure = PRONOUN if pronoun else NAMED if speaker.person else DESCRIBED
        return Voice(speaker, mention, sure)

    def _read_paragraph(self, paragraph: Span, quoted: list[Quotation]) -> None:
        before = NOBODY  # who spoke last in this paragraph
        joins = False  # whether a quotation here would go on with the statement before
        ends_quoting = False
        item = is_item(self.text, paragraph)
        if not item:
            self.listing = NOBODY
        for span, row, inside in self._clauses(paragraph, quoted):
            # A paragraph that is all quotation goes on with the quotation before it.
            follows_on = span.start == paragraph.start and self._last_is_direct()
            continues = bool(inside) and inside[0].continues and inside[0].start == span.start
            cue = find_cue(row)
            voice, kind = NONE
            if span.start == paragraph.start:
                voice, kind = self._labelled(row, span)
            if kind == "narration":
                voice, kind = self._whose(row, cue, span, inside, before, continues)
            if kind == "narration" and row:
                voice, kind = self._unsaid(row, cue, before)
            merged = (
                kind == "direct"
                and voice.speaker is not None
                and voice.speaker is self.quoting.speaker
                and (joins or continues or (follows_on and cue is None))
                and not (joins and cue is not None and row[0].text != QUOTE)
            )
            self._add(span, voice, kind, merge=merged)
            subject = self._subject(row, span) if cue is None or cue.first > 0 else None
            self.speakers.note(span, [voice.speaker, subject])
            if voice.speaker is not None:
                before = voice
            elif subject is not None and subject is not before.speaker:
                before = NOBODY  # the paragraph has turned to somebody else
            joins = kind == "direct"
            if inside and kind != "narration":
                self.quoting = voice
            announces = self.text[span.end - 1] == ":"
            ends_quoting = announces or (bool(inside) and kind in ("direct", "mixed"))
            if announces:
                before = self._announced(row, cue, span)
            elif self.minutes and kind == "narration" and takes_the_floor(row):
                before = self._opener(row, span)
                if row[0].low == "the" and before.speaker is not None:
                    self.officer = before.speaker
        self.handed_on = before if ends_quoting else NOBODY

    def _announced(self, row: list[Token], cue: Cue | None, span: Span) -> Voice:
        """Whose words follow a sentence that ends in a colon."""
        mention = cue.source if cue is not None else announced(row)
        self.listing = self._voice(mention, span) if mention is not None else NOBODY
        return self.listing

    def _opener(self, row: list[Token], span: Span) -> Voice:
        phrase = leading_phrase(row)
        if phrase is None:
            return NOBODY
        return self._voice(Span(row[phrase[0]].start, row[phrase[1] - 1].end), span)

    def _labelled(self, row: list[Token], span: Span) -> tuple[Voice, Kind]:
        """A paragraph that opens with its speaker and a colon, or ends with one in brackets."""
        mention = bracketed(row)
        told = True
        if mention is None:
            found = labelled(row)
            if found is None:
                return NONE
            mention, told = found
        voice = self._voice(mention, span)
        if voice.speaker is None or not (told or self.speakers.roster.often_named(voice.speaker)):
            return NONE
        quoted = [place for place, token in enumerate(row) if token.text == QUOTE]
        if not quoted:
            return voice, "indirect"
        return voice, "direct" if row[quoted[0] - 1].text == ":" else "mixed"

    def _unsaid(self, row: list[Token], cue: Cue | None, before: Voice) -> tuple[Voice, Kind]:
        """What is somebody's though no word says so: points of a list, the run of minutes."""
        if cue is not None:
            return NONE
        if self.listing.speaker is not None:
            return self.listing.carried(), "indirect"
        if self.minutes and decides(row):
            body = committee(self.text, self.paragraphs)
            return (self._voice(body, body) if body is not None else NOBODY), "indirect"
        if self.minutes and before.speaker is not None and not takes_the_floor(row):
            return before.carried(), "indirect"
        return NONE

    def _clauses(
        self, paragraph: Span, quoted: list[Quotation]
    ) -> Iterator[tuple[Span, list[Token], list[Quotation]]]:
        """The sentences of a paragraph, those of two speakers divided, each with its tokens and
        quotations."""
        place = 0
        for span in sentences(self.text, paragraph, quoted):
            first = place
            while place < len(quoted) and quoted[place].start < span.end:
                place += 1
            inside = quoted[first:place]
            row = tokens(self.text, span, [(q.start, q.end) for q in inside])
            parts = clauses(row)
            for first, last in parts:
                start = row[first].start if first else span.start
                end = row[last].start if last < len(row) else span.end
                while end > start and self.text[end - 1].isspace():
                    end -= 1
                mine = [q for q in inside if start <= q.start < end] if len(parts) > 1 else inside
                skipped = int(first > 0 and row[first].low in JOINING)
                yield Span(start, end), row[first + skipped : last], mine

    def _last_is_direct(self) -> bool:
        return bool(self.statements) and self.statements[-1].kind == "direct"

    def _whose(
        self,
        row: list[Token],
        cue: Cue | None,
        span: Span,
        inside: list[Quotation],
        before: Voice,
        continues: bool,
    ) -> tuple[Voice, Kind]:
        """Speaker and kind of one sentence."""
        if not row:
            return NONE
        if cue is not None:
            if says_nothing(row, cue):
                return NONE
            return self._voice(cue.source, span), kind_of(row, cue)
        spoken = [q for q in inside if is_spoken(self.text, q)]
        bare = all(token.text == QUOTE or not token.text[0].isalnum() for token in row)
        if bare and inside:
            if not inside[-1].closed and not self.runs_on and (inner := self._inside(span)).speaker:
                return inner, "direct"
            if continues and self.quoting.speaker is not None:
                return self.quoting.carried(), "direct"
            follows = before if before.speaker is not None else self.handed_on
            if follows.speaker is None and not spoken:
                return NONE
            return follows.carried(), "direct"
        for place, token in enumerate(row):
            if token.text == QUOTE and place and row[place - 1].text == ":":
                phrase = leading_phrase(row)
                voice = NOBODY
                if phrase is not None:
                    voice = self._voice(Span(row[phrase[0]].start, row[phrase[1] - 1].end), span)
                return voice, "direct" if place <= MOST_LABEL else "mixed"
        if not spoken:
            if before.speaker is not None and not inside and goes_on_reporting(row):
                return before.carried(), "indirect"
            return NONE
        if continues:
            return self.quoting.carried(), "mixed"
        if any(is_heard(row, place) for place in range(len(row))):
            return NOBODY, "mixed"
        return before.carried(), "mixed"

    def _inside(self, span: Span) -> Voice:
        """The speaker named at the end of a quotation whose closing mark is lost."""
        row = tokens(self.text, Span(span.start + 1, span.end), [])
        cue = find_cue(row)
        if cue is None or cue.first < 1 or row[cue.first - 1].text != ",":
            return NOBODY
        return self._voice(cue.source, span) if cue.last >= len(row) - 2 else NOBODY

    def _subject(self, row: list[Token], span: Span) -> Speaker | None:
        """Whom a sentence opens with, unless by a pronoun."""
        phrase = leading_phrase(row)
        if phrase is None:
            return None
        mention = Span(row[phrase[0]].start, row[phrase[1] - 1].end)
        return self.speakers.resolve(mention, span, only_known=True)

    def _add(self, span: Span, voice: Voice, kind: Kind, *, merge: bool = False) -> None:
        """Add a sentence as a statement, or to the one before."""
        before, self.last = self.last, span
        if merge and self.statements:
            first = self.statements.pop()
            start, context = first.start, first.context
            mention = voice.mention if first.mention is None else Span(*first.mention)
            voice = Voice(voice.speaker, mention, first.confidence or voice.confidence)
        else:
            start, context = span.start, None
            if before is not None and kind != "narration":
                needed = needs_context(self.text, span, voice.mention)
                context = self.text[before.start : before.end] if needed else None
        text = self.text[start : span.end]
        if kind == "narration" or voice.speaker is None:
            self.statements.append(Statement(text, None, start, span.end, kind, None, 0.0, context))
            return
        self.statements.append(
            Statement(
                text,
                voice.speaker.name,
                start,
                span.end,
                kind,
                (voice.mention.start, voice.mention.end) if voice.mention is not None else None,
                voice.confidence,
                context,
            )
        )
