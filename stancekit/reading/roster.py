"""Whom an article names: every full name with its roles, and each place where they are named."""

# ruff: noqa: RUF001  (quotation marks and dashes are data here)

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from stancekit.reading.names import WORD, Named, parse
from stancekit.reading.namesakes import key, same_person
from stancekit.reading.sentences import Span
from stancekit.reading.words import CALENDAR, word_set

__all__ = ["NAMESAKES", "Roster", "Speaker"]

# Two or more capitalised words, small words between them allowed.
CAPITAL = (
    r"(?:[A-Z]\.(?:[A-Z]\.){0,4}(?![A-Z]\.)|(?:Dr|Mr|Mrs|Ms|Sen|Rep|Gov|Gen|Prof|Rev|Col|Sgt|Lt|St)\."
    r"|[^\W\d_a-zß-öø-ÿ][^\W_]*(?:[-'’&][^\W_]+){0,4})"
)
FULL_NAME = re.compile(
    rf"\b{CAPITAL}(?:[^\S\r\n](?:(?:al|bin|da|de|del|den|der|di|dos|du|el|la|van|von)[^\S\r\n])"
    rf"{{0,2}}{CAPITAL}){{1,6}}"
)
# Begin the names of places, which do not speak under their last word.
PLACES = word_set("""lake mount north south east west new san santa port fort cape upper lower""")
LOWER = re.compile(r"(?<![^\W_])[a-zß-öø-ÿ][^\W_]*(?:[-'’][^\W_]+)*")
CAPITALISED = re.compile(rf"(?<![^\W_])(?=[^\W\d_a-zß-öø-ÿ]){WORD.pattern}")
NAMESAKES = 8  # people of one surname that are told apart; more are not looked at
NEARBY = 40  # characters around a name in which its role is looked for
ROLE_AFTER = re.compile(r",\s(?:an?|the|its|his|her|their|our)\s([^,.;:\n\"“]{2,60})")
ROLE_IN_BRACKETS = re.compile(r"\s\(([^\W\d_]+(?:[ -][^\W\d_]+){0,2})\)")


@dataclass(slots=True)
class Speaker:
    """Somebody or some body that the article names or describes.

    Attributes:
        name: as the reader of a statement sees it.
        gender: ``m``, ``f`` or None; a pronoun that is resolved to the speaker settles it.
        person: somebody who is he or she: named, or described by a role.
        body: an institution, which is ``it`` or ``they``.
        group: several, who are ``they``.
    """

    name: str
    gender: str | None = None
    person: bool = True
    body: bool = False
    group: bool = False
    roles: set[str] = field(default_factory=set)
    since: int = 0  # offset of the first mention


class Roster:
    """Everybody an article names.

    Args:
        text: the whole text.
        plain: the stretches outside quotations, in order: names inside do not introduce anybody.
    """

    def __init__(self, text: str, plain: Iterable[Span]) -> None:
        self.text = text
        self.known: dict[str, list[Speaker]] = {}  # surname or last word, lower case
        self.by_role: dict[str, list[Speaker]] = {}
        self.places: list[int] = []
        self.named: list[Speaker] = []  # who is named at each of the places
        self.mentions: Counter[int] = Counter()  # identity of a speaker to places
        self.lower: set[str] = set()  # words that the article writes in lower case
        spans = list(plain)
        for span in spans:
            self._survey(span)
        self._survey_short(spans)

    def _survey_short(self, spans: Sequence[Span]) -> None:
        """Where people are named again by surname alone."""
        full = set(self.places)
        short: list[tuple[int, Speaker]] = []
        for span in spans:
            for word in CAPITALISED.finditer(self.text, *span):
                shelf = self.known.get(key(word.group()))
                if shelf and word.start() not in full:
                    short.append((word.start(), shelf[0]))
        both = sorted([*zip(self.places, self.named, strict=True), *short], key=lambda it: it[0])
        self.places = [place for place, _ in both]
        self.named = [speaker for _, speaker in both]
        self.mentions = Counter(map(id, self.named))

    def _survey(self, span: Span) -> None:
        self.lower.update(LOWER.findall(self.text, *span))
        for match in FULL_NAME.finditer(self.text, *span):
            start = max(span.start, match.start() - NEARBY)
            before = re.split(r"[.,;:!?\n\"”]\s", self.text[start : match.start()])[-1]
            here = parse(match.group())
            bracket = ROLE_IN_BRACKETS.match(self.text, match.end(), span.end)
            if " " not in here.name or here.name.split()[0].lower() in CALENDAR | PLACES:
                if bracket is not None and here.name and here.title:
                    self._titled(here, parse(bracket.group(1)).roles, match.start())
                continue
            speaker = self.meet(here.name, match.start(), here.gender, here.body)
            roles = {*here.roles, *parse(before[-NEARBY:]).roles[-1:]}
            after = ROLE_AFTER.match(self.text, match.end(), min(span.end, match.end() + 70))
            if after is not None:
                roles |= set(parse(after.group(1)).roles[:1])
            apposed = self.text[max(span.start, match.start() - NEARBY) : match.start()]
            if apposed.endswith(", "):
                roles |= set(parse(apposed[:-2].rsplit(",", 1)[-1]).roles[-1:])
            if bracket is not None:
                roles |= set(parse(bracket.group(1)).roles)
            if not speaker.body:
                self._give(speaker, roles)
            self.places.append(match.start())
            self.named.append(speaker)

    def _titled(self, here: Named, roles: Iterable[str], place: int) -> None:
        """``Councillors Holt (Chairman), Ek and Lund``: known by title and surname alone."""
        if not roles:
            return
        shown = f"{here.title.removesuffix('s').capitalize()} {here.name}"
        speaker = Speaker(shown, here.gender, since=place)
        self.known.setdefault(key(here.name), []).append(speaker)
        self._give(speaker, set(roles))

    def _give(self, speaker: Speaker, roles: set[str]) -> None:
        for role in sorted(roles - speaker.roles):
            speaker.roles.add(role)
            self.by_role.setdefault(role, []).append(speaker)

    def meet(self, name: str, place: int, gender: str | None, body: bool) -> Speaker:
        """The speaker of that full name, made known where it was not."""
        shelf = self.known.setdefault(key(name), [])
        words = name.lower().split()
        for speaker in shelf[:NAMESAKES]:
            if speaker.name.lower() == name.lower():
                speaker.gender = speaker.gender or gender
                return speaker
            if not body and not speaker.body and same_person(words, speaker.name.lower().split()):
                if len(name) > len(speaker.name):
                    speaker.name = name
                speaker.gender = speaker.gender or gender
                return speaker
        speaker = Speaker(name, gender, not body, body, since=place)
        shelf.append(speaker)
        return speaker

    def near(self, person: Speaker) -> str:
        return self.text[max(0, person.since - NEARBY) : person.since].lower()

    def named_between(self, start: int, end: int) -> list[Speaker]:
        first = bisect_left(self.places, start)
        last = min(bisect_left(self.places, end), first + NAMESAKES)
        return self.named[first:last]

    def often_named(self, speaker: Speaker) -> bool:
        """Whether the article names somebody at more than one place."""
        return self.mentions[id(speaker)] > 1
