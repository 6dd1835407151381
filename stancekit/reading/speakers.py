"""From the words that name a source to who it is.

A speaker is called by the fullest name the article gives: ``Kofler``, ``the mayor`` and ``she``
are all ``Barbara Kofler`` once the article has named her. Without a proper name a speaker is the
noun phrase as written, less a leading ``the``. Where nothing decides, there is no speaker.
"""

# ruff: noqa: RUF001  (quotation marks and dashes are data here)

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Sequence

from stancekit.reading.bodies import LOOK_BACK, fuller
from stancekit.reading.names import BODY_WORDS, ROLES, is_body, is_group, parse
from stancekit.reading.namesakes import JOINT, key, same_person
from stancekit.reading.owners import belonging, is_owned, owned
from stancekit.reading.pairs import STATES, both_states
from stancekit.reading.phrases import tokens
from stancekit.reading.pronouns import GENDERED, meant, opener
from stancekit.reading.roster import NAMESAKES, Roster, Speaker
from stancekit.reading.sentences import Span
from stancekit.reading.words import (
    PRONOUNS,
    SUBJECTIVE,
)

__all__ = ["Speaker", "Speakers"]

PARAGRAPH = 2000  # characters; in a longer one nobody was named just now
REMEMBERED = 6  # sentences: a pronoun further from its name is not resolved
CUT = re.compile(r",|\s(?:which|whose|in|at|speaking|during|with|told|since|after)\s")
# A clause inside a noun phrase: its names are not the phrase's own.
CLAUSE_INSIDE = re.compile(r"\s(?:that|who|which)\s[^,]*")
RELATIVE_OF = re.compile(
    r"(?:[Hh]is|[Hh]er|[Tt]heir|\S+['’]s) "
    r"(wife|husband|son|daughter|mother|father|brother|sister|widow),? "
    r"([^\W\d_a-z][^\W\d_]+),?$"
)
APPROXIMATE = re.compile(r"^(?:only|just|even|nearly|almost|about|roughly|around) (?=\d)", re.I)
SPEAKING_FOR = ("a spokesman", "a spokeswoman", "a spokesperson")


class Speakers:
    """Who is meant by each mention, and who was spoken of last.

    Args:
        text: the whole text.
        plain: the stretches outside quotations, in order: names inside do not introduce anybody.
    """

    def __init__(self, text: str, plain: Iterable[Span]) -> None:
        self.text = text
        self.roster = Roster(text, plain)
        self.bodies: dict[str, Speaker | None] = {}  # part of a body's name to the body
        self.recent: deque[list[Speaker]] = deque(maxlen=REMEMBERED)
        self.noted = 0  # where the last sentence of those begins

    def resolve(self, mention: Span, sentence: Span, *, only_known: bool = False) -> Speaker | None:
        """Who the words at ``mention`` mean, read in the light of the sentences noted so far.

        Args:
            mention: the noun phrase.
            sentence: the sentence it stands in.
            only_known: believe a lone capitalised word only where a full name was seen.
        """
        phrase = APPROXIMATE.sub("", " ".join(self.text[mention.start : mention.end].split()))
        low = SUBJECTIVE.get(phrase.lower(), phrase.lower())
        if low == "both":
            return self._both(mention.start)
        if low in STATES:
            shown = both_states(low, self.text, mention.start, self.roster.known) or low
            return self._described(shown, "", None, mention.start)
        if low in PRONOUNS:
            return self._pronoun(low, mention, sentence)
        if low in ("one", "another", "who", "this", "that", "i", "we", "you", "others"):
            return None
        relative = RELATIVE_OF.match(phrase)
        if relative is not None:
            return self._relative(relative.group(1).lower(), relative.group(2), mention.start)
        here = parse(CLAUSE_INSIDE.sub("", phrase))
        if (
            only_known
            and here.name
            and " " not in here.name
            and key(here.name) not in self.roster.known
        ):
            return None
        whose = owned(phrase)
        if whose is not None and not here.name:
            owner = self._pronoun(whose.pronoun, mention, sentence, near=True)
            if owner is not None and not is_owned(owner.name):
                return self._belonging(whose.rest, owner, mention.start)
        joint = JOINT.match(phrase)
        if joint is not None:
            return self._described(phrase, "", None, mention.start)
        if here.name and not here.body:
            named = self._person(here.name, here.title, here.gender, mention.start)
            if named is not None:
                return named
        if not here.name and low.split()[0] in ("the", *ROLES):
            held = self._role(low, mention.start)
            if held is None and not self._opens_paragraph(sentence):
                held = self._just_named(low, mention.start)
            if held is not None:
                return held
        return self._described(phrase, here.name if here.body else "", here.gender, mention.start)

    def _person(self, name: str, title: str, gender: str | None, place: int) -> Speaker | None:
        words = name.lower().split()
        if len(words) == 1 and len(name) > 1:
            initial = words[0]
            if initial in self.roster.lower and not title:
                return None  # a common noun that starts its sentence
        body = self._body_of(name) if " " in name else None
        if body is not None:
            return body
        shelf = self.roster.known.get(key(name), [])[:NAMESAKES]
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
            roles = {title} & ROLES
            person = Speaker(shown, gender, roles=roles, since=place)
            if not title and any(name in known.name.split() for known in self.roster.named[-200:]):
                # A given name, or half of a body's: the first who bears it.
                for known in self.roster.named:
                    if name in known.name.split():
                        return known
            self.roster.known.setdefault(key(name), []).append(person)
            return person
        return self.roster.meet(name, place, gender, False)

    def _body_of(self, name: str) -> Speaker | None:
        """``Harbour Pilots``, where the article also has the ``Harbour Pilots' Union``."""
        if name not in self.bodies:
            longer = re.compile(rf"\b{re.escape(name)}['’]?s? ([^\W\d_a-z]\w+)")
            found = longer.search(self.text, 0, LOOK_BACK)
            body = None
            if found is not None and found.group(1).lower() in BODY_WORDS:
                body = self.roster.meet(found.group(), found.start(), None, True)
            self.bodies[name] = body
        return self.bodies[name]

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
        everyone = self.roster.by_role.get(role, [])[:NAMESAKES]
        held = [person for person in everyone if person.since < place]
        if not held and len(everyone) == 1:
            held = everyone  # a headline says "mayor" before the article names one
        if len(words) == 2 and not any(words[0] in self.roster.near(person) for person in held):
            return None
        for sentence in reversed(self.recent):
            for person in sentence:
                if person in held:
                    return person
        return held[-1] if held else None

    def _belonging(self, rest: str, owner: Speaker, place: int) -> Speaker | None:
        """``his lawyer``, of somebody known."""
        article = owner.name[0].islower() or self._written_with_the(owner, place)
        shown = belonging(rest, owner.name, plural=owner.group, article=article)
        speaker = self._described(shown, "", parse(rest).gender, place)
        if speaker is not None and speaker.since == place:
            # Of "office of the board's chairman" the office speaks, not the chairman.
            thing = re.split(r"['’] |['’]s ", rest)[-1]
            roles = parse(thing).roles
            speaker.roles = set(roles)
            speaker.body = is_body(thing) and not roles
            speaker.person = bool(roles or speaker.gender)
            speaker.group = not speaker.body and is_group(thing)
        return speaker

    def _both(self, place: int) -> Speaker | None:
        """The two that the sentence before named; nobody where it named more or fewer."""
        named = list(dict.fromkeys(s.name for s in self.recent[-1])) if self.recent else []
        if len(named) != 2:
            return None
        return self._described(" and ".join(named), "", None, place)

    def _just_named(self, low: str, place: int) -> Speaker | None:
        """``the lawyer``, of whom no such thing was said: somebody just named without a role."""
        if place - self.noted > PARAGRAPH or self.text.find("\n", self.noted, place) >= 0:
            return None
        words = low.split()
        if len(words) != 2 or words[0] != "the" or words[1] not in ROLES or not self.recent:
            return None
        if any(known.name == words[1] for known in self.roster.known.get(words[1], [])[:NAMESAKES]):
            return None  # the article has called somebody nothing but that
        for person in self.recent[-1]:
            if person.person and not person.roles and " " in person.name:
                return person
        return None

    def _opens_paragraph(self, sentence: Span) -> bool:
        before = self.text[max(0, sentence.start - 3) : sentence.start]
        return not before or any(mark in before for mark in "\n\r[")

    def _relative(self, kin: str, given: str, place: int) -> Speaker:
        """``his wife, Anna``: Anna has the surname of whoever was spoken of last."""
        gender = parse(kin).gender
        for sentence in reversed(self.recent):
            for person in sentence:
                if person.person and " " in person.name and not person.body:
                    name = f"{given} {person.name.split()[-1]}"
                    return self.roster.meet(name, place, gender, False)
        return self._person(given, "", gender, place) or Speaker(given, gender, since=place)

    def _spokesman(self, shown: str, place: int) -> str:
        """``a spokesman``, right after a body was the subject: ``spokesman for the board``."""
        for sentence in [*self.recent][:-3:-1]:
            for body in sentence[:1]:
                if body.body:
                    the = "the " if self._written_with_the(body, place) else ""
                    return f"{shown.split()[1]} for {the}{body.name}"
        return shown

    def _written_with_the(self, body: Speaker, place: int) -> bool:
        return self.text.find(f"he {body.name}", max(0, place - LOOK_BACK), place) >= 0

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
        if first.lower() in ("a", "an") or (first.lower() in self.roster.lower and first.istitle()):
            shown = f"{first[0].lower()}{first[1:]}{' ' if rest else ''}{rest}"
        if not rest:
            # "the ministry": the body met before under a fuller name.
            for known in reversed(self.roster.known.get(shown.lower(), [])[:NAMESAKES]):
                if known.since < place:
                    return known
            shown = fuller(self.text, shown, place)
        elif first.lower() in ("a", "an") and not parse(rest).roles and is_body(shown):
            shown = rest
        if shown.lower() in SPEAKING_FOR:
            shown = self._spokesman(shown, place)
        shelf = self.roster.known.setdefault(key(shown), [])
        for known in shelf[:NAMESAKES]:
            if known.name.lower() == shown.lower():
                return known
        roles = parse(shown).roles
        body = (is_body(shown) or bool(body_name)) and not roles
        group = not body and is_group(shown)
        speaker = Speaker(shown, gender, bool(roles or gender), body, group, set(roles), place)
        shelf.append(speaker)
        return speaker

    def _pronoun(
        self, low: str, mention: Span, sentence: Span, *, near: bool = False
    ) -> Speaker | None:
        """Whom a pronoun means: somebody earlier in the sentence, else in those before.

        Args:
            low: the pronoun, as a subject.
            mention: where it stands.
            sentence: the sentence it stands in.
            near: look no further than the sentence before for what has no gender.
        """
        here = meant(low, self.roster.named_between(sentence.start, mention.start))
        if here is not None:
            return here
        opens = opener(low, self.text, tokens(self.text, Span(sentence.start, mention.start), []))
        opening = self.resolve(opens, sentence) if opens is not None else None
        history = list(reversed(self.recent))
        for candidates in (
            [opening] if opening is not None else [],
            *(history[:1] if near and low not in GENDERED else history),
        ):
            found = meant(low, candidates)
            if found is not None:
                return found
        return None

    def note(self, sentence: Span, spoke: Sequence[Speaker | None]) -> None:
        """Remember whom a sentence was about: its speaker and subject first, then who is named."""
        about = [speaker for speaker in spoke if speaker is not None]
        about += self.roster.named_between(sentence.start, sentence.end)
        if about:
            self.recent.append(about)
            self.noted = sentence.start
