"""From the words that name a source to who it is.

A speaker is called by the fullest name the article gives: ``Kofler``, ``the mayor`` and ``she``
are all ``Barbara Kofler`` once the article has named her. Without a proper name a speaker is the
noun phrase as written, less a leading ``the``. Where nothing decides, there is no speaker.
"""

# ruff: noqa: RUF001  (quotation marks and dashes are data here)

from __future__ import annotations

import re
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from stancekit.reading.names import ROLES, WORD, is_body, is_group, parse
from stancekit.reading.namesakes import JOINT, key, same_person
from stancekit.reading.sentences import Span
from stancekit.reading.words import CALENDAR, PRONOUNS, word_set

__all__ = ["Speaker", "Speakers"]

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
REMEMBERED = 6  # sentences: a pronoun further from its name is not resolved
NAMESAKES = 8  # people of one surname that are told apart; more are not looked at
NEARBY = 40  # characters around a name in which its role is looked for
ROLE_AFTER = re.compile(r",\s(?:an?|the|its|his|her|their|our)\s([^,.;:\n\"“]{2,60})")
CUT = re.compile(r",|\s(?:which|whose|in|at|speaking|during|with|told|since|after)\s")


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


class Speakers:
    """Everybody an article names, and who was spoken of last.

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
        self.recent: deque[list[Speaker]] = deque(maxlen=REMEMBERED)
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
            for word in WORD.finditer(self.text, *span):
                shelf = self.known.get(key(word.group())) if word.group()[0].isupper() else None
                if shelf and word.start() not in full:
                    short.append((word.start(), shelf[0]))
        both = sorted([*zip(self.places, self.named, strict=True), *short], key=lambda it: it[0])
        self.places = [place for place, _ in both]
        self.named = [speaker for _, speaker in both]

    def _survey(self, span: Span) -> None:
        for word in WORD.finditer(self.text, *span):
            if word.group()[0].islower():
                self.lower.add(word.group())
        for match in FULL_NAME.finditer(self.text, *span):
            start = max(span.start, match.start() - NEARBY)
            before = re.split(r"[.,;:!?\n\"”]\s", self.text[start : match.start()])[-1]
            here = parse(match.group())
            if " " not in here.name or here.name.split()[0].lower() in CALENDAR | PLACES:
                continue
            speaker = self._meet(here.name, match.start(), here.gender, here.body)
            roles = {*here.roles, *parse(before[-NEARBY:]).roles[-1:]}
            after = ROLE_AFTER.match(self.text, match.end(), min(span.end, match.end() + 70))
            if after is not None:
                roles |= set(parse(after.group(1)).roles[:1])
            apposed = self.text[max(span.start, match.start() - NEARBY) : match.start()]
            if apposed.endswith(", "):
                roles |= set(parse(apposed[:-2].rsplit(",", 1)[-1]).roles[-1:])
            if not speaker.body:
                for role in roles - speaker.roles:
                    speaker.roles.add(role)
                    self.by_role.setdefault(role, []).append(speaker)
            self.places.append(match.start())
            self.named.append(speaker)

    def _meet(self, name: str, place: int, gender: str | None, body: bool) -> Speaker:
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

    def resolve(self, mention: Span, sentence: Span, *, only_known: bool = False) -> Speaker | None:
        """Who the words at ``mention`` mean, read in the light of the sentences noted so far.

        Args:
            mention: the noun phrase.
            sentence: the sentence it stands in.
            only_known: believe a lone capitalised word only where a full name was seen.
        """
        phrase = " ".join(self.text[mention.start : mention.end].split())
        low = phrase.lower()
        if low in PRONOUNS:
            return self._pronoun(low, mention, sentence)
        if low in ("one", "another", "who", "this", "that", "i", "we", "you", "others"):
            return None
        here = parse(phrase)
        if only_known and here.name and " " not in here.name and key(here.name) not in self.known:
            return None
        joint = JOINT.match(phrase)
        if joint is not None:
            return self._described(phrase, "", None, mention.start)
        if here.name and not here.body:
            named = self._person(here.name, here.title, here.gender, mention.start)
            if named is not None:
                return named
        if not here.name and low.split()[0] in ("the", *ROLES):
            held = self._role(low, mention.start)
            if held is not None:
                return held
        return self._described(phrase, here.name if here.body else "", here.gender, mention.start)

    def _person(self, name: str, title: str, gender: str | None, place: int) -> Speaker | None:
        words = name.lower().split()
        if len(words) == 1 and len(name) > 1:
            initial = words[0]
            if initial in self.lower and not title:
                return None  # a common noun that starts its sentence
        shelf = self.known.get(key(name), [])[:NAMESAKES]
        fits = [
            person
            for person in shelf
            if not (gender and person.gender and gender != person.gender)
            and (len(words) == 1 or same_person(words, person.name.lower().split()))
        ]
        if not fits and len(words) == 1:
            fits = [person for person in shelf if person.body]
        if fits:
            earlier = [person for person in fits if person.since <= place]
            found = (earlier or fits)[-1] if len(fits) > 1 else fits[0]
            found.gender = found.gender or gender
            return found
        if len(words) == 1:
            shown = self._with_title(name, title, place)
            person = Speaker(shown, gender, since=place)
            if not title and any(name in known.name.split() for known in self.named[-200:]):
                # A given name, or half of a body's: the first who bears it.
                for known in self.named:
                    if name in known.name.split():
                        return known
            self.known.setdefault(key(name), []).append(person)
            return person
        return self._meet(name, place, gender, False)

    def _with_title(self, name: str, title: str, place: int) -> str:
        """``Mr Smith`` stays so where no fuller name is known."""
        if not title:
            return name
        found = re.compile(rf"\b({re.escape(title)}\.?)\s+{re.escape(name)}", re.IGNORECASE).search(
            self.text, place, place + 200
        )
        return f"{found.group(1)} {name}" if found is not None else name

    def _role(self, low: str, place: int) -> Speaker | None:
        """``the mayor``: whoever the article named as that."""
        words = low.removeprefix("the ").split()
        role = words[-1]
        if len(words) > 2 or role not in ROLES:
            return None
        everyone = self.by_role.get(role, [])[:NAMESAKES]
        held = [person for person in everyone if person.since < place]
        if not held and len(everyone) == 1:
            held = everyone  # a headline says "mayor" before the article names one
        if len(words) == 2 and not any(words[0] in self._near(person) for person in held):
            return None
        for sentence in reversed(self.recent):
            for person in sentence:
                if person in held:
                    return person
        return held[-1] if held else None

    def _near(self, person: Speaker) -> str:
        return self.text[max(0, person.since - NEARBY) : person.since].lower()

    def _described(
        self, phrase: str, body_name: str, gender: str | None, place: int
    ) -> Speaker | None:
        """A speaker without a proper name of a person: a body, a group, a role."""
        shown = phrase
        if body_name and f", {body_name}" in phrase:
            shown = body_name
        elif body_name and " " in body_name and not phrase.lower().startswith(("a ", "an ")):
            follows = phrase.split(body_name, 1)[-1]
            if is_body(body_name.split()[-1]) and not re.match(r"['’]|\s(?:of|[a-z])", follows):
                shown = body_name
        cut = CUT.search(shown)
        if cut is not None and cut.start() > 0:
            shown = shown[: cut.start()]
        shown = re.sub(r"^the\s+", "", shown, flags=re.IGNORECASE).strip(" '’,-")
        first, _, rest = shown.partition(" ")
        if not first or shown.endswith(("'s", "’s")):
            return None
        if first.lower() in ("a", "an") or (first.lower() in self.lower and first.istitle()):
            shown = f"{first[0].lower()}{first[1:]}{' ' if rest else ''}{rest}"
        if not rest:
            # "the ministry": the body met before under a fuller name.
            for known in reversed(self.known.get(shown.lower(), [])[:NAMESAKES]):
                if known.since < place:
                    return known
        shelf = self.known.setdefault(key(shown), [])
        for known in shelf[:NAMESAKES]:
            if known.name.lower() == shown.lower():
                return known
        roles = parse(shown).roles
        body = (is_body(shown) or bool(body_name)) and not roles
        group = not body and is_group(shown)
        speaker = Speaker(shown, gender, bool(roles or gender), body, group, set(roles), place)
        shelf.append(speaker)
        return speaker

    def _pronoun(self, low: str, mention: Span, sentence: Span) -> Speaker | None:
        wanted = {"he": "m", "she": "f"}.get(low)
        for candidates in (self._named_between(sentence.start, mention.start), *self._history()):
            for candidate in candidates:
                person = candidate.person and not candidate.body and not candidate.group
                if wanted:
                    if person and candidate.gender in (None, wanted):
                        candidate.gender = wanted
                        return candidate
                elif low == "it":
                    if candidate.body:
                        return candidate
                elif candidate.group or candidate.body:
                    return candidate
        return None

    def _history(self) -> Iterable[list[Speaker]]:
        return reversed(self.recent)

    def _named_between(self, start: int, end: int) -> list[Speaker]:
        first = bisect_left(self.places, start)
        last = min(bisect_left(self.places, end), first + NAMESAKES)
        return self.named[first:last]

    def note(self, sentence: Span, spoke: Sequence[Speaker | None]) -> None:
        """Remember whom a sentence was about: its speaker and subject first, then who is named."""
        about = [speaker for speaker in spoke if speaker is not None]
        about += self._named_between(sentence.start, sentence.end)
        if about:
            self.recent.append(about)
