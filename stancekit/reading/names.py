"""What a noun phrase tells of somebody: name, title, role, gender, person or body.

Small tables of titles, roles and common given names; everything else is read from the shape of
the words. A word that no table knows decides nothing.
"""

# ruff: noqa: RUF001  (quotation marks and dashes are data here)

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from stancekit.reading.words import (
    CALENDAR,
    CLAUSE,
    DETERMINERS,
    PARTICLES,
    PREPOSITIONS,
    word_set,
)

__all__ = ["ROLES", "TITLES", "Named", "is_body", "is_group", "parse"]

MALE = "m"
FEMALE = "f"

# Forms of address, with the gender they tell.
TITLES: dict[str, str | None] = {
    **dict.fromkeys(
        word_set("""mr sir lord baron father fr brother king prince messrs count"""), MALE
    ),
    **dict.fromkeys(
        word_set("""mrs ms miss lady dame baroness sister queen princess countess madam madame"""),
        FEMALE,
    ),
    **dict.fromkeys(
        word_set(
            """dr prof professor sen senator rep representative gov governor president general
            gen colonel col captain capt major maj lt lieutenant sgt sergeant corporal
            inspector superintendent commissioner judge justice rev reverend bishop
            archbishop cardinal pope rabbi imam sheikh councillor councilman councilwoman
            alderman alhaji chief sheriff mayor minister chancellor ambassador secretary hon
            congressman congresswoman"""
        )
    ),
}

ROLES = word_set(
    """activist adviser advisor agent aide ally ambassador analyst architect archbishop
    attorney author bishop boss candidate captain cardinal ceo chair chairman chairperson
    chairwoman chancellor chief citizen coach colleague columnist commander commissioner
    congressman congresswoman consultant coordinator correspondent councillor councilman
    councilwoman counsel co-founder delegate deputy diplomat director doctor economist
    editor engineer envoy executive expert farmer fisherman founder general governor head
    historian host inspector investor journalist judge lawmaker lawyer leader lecturer
    magistrate manager mayor mep member midwife minister mp mother father neighbour neighbor
    democrat nominee nurse officer official owner partner pastor physician pilot
    police-chief politician premier president presenter priest principal producer professor
    prosecutor pundit reporter representative republican researcher resident scientist
    secretary senator sheriff shopkeeper spokesman spokesperson spokeswoman strategist
    student superintendent supervisor supporter surgeon teacher trader treasurer trustee
    vice-chairman vice-president vicar waiter waitress whip widow winner witness worker"""
)
FEMALE_ROLES = word_set(
    """spokeswoman chairwoman congresswoman councilwoman mother waitress widow midwife wife
    sister daughter woman girl actress queen businesswoman"""
)
MALE_ROLES = word_set(
    """spokesman chairman congressman councilman father fisherman husband brother son man boy
    actor king businessman policeman"""
)

BODY_WORDS = word_set(
    """academy administration agency alliance army assembly association authority bank board
    bureau cabinet campaign centre center chamber charity church club coalition college
    commission committee community company confederation congress consortium corporation
    council court department directorate embassy executive federation firm forum foundation
    fund government group hospital house inc institute institution inspectorate kremlin
    league ltd ministry movement nation navy network newspaper office organisation
    organization panel parliament party pentagon plc police post secretariat senate service
    society times treasury tribunal trust union university watchdog"""
)

HE = word_set(
    """aaron adam ahmed alan albert alex alexander ali andrew anthony antonio ben benjamin
    bernie bill bob boris brian carl carlos charles chris christian christopher daniel david
    dennis donald edward emmanuel eric frank fred gary george gordon greg hans harry henry
    hassan ibrahim ivan jack jacob james jason jean jeff jeremy jim joe john jonathan jorge
    jose joseph juan karl keith ken kevin larry lars luis marco marcus mario mark martin
    matthew max michael miguel mike mitch mohamed mohammed muhammad nicholas nick nigel
    oliver omar patrick paul pavel pedro peter philip pierre ralph richard rob robert roger
    ron ronald roy samuel scott sean sergei simon stefan stephen steve steven ted thomas tim
    timothy tom tony victor vladimir walter william yusuf"""
)
SHE = word_set(
    """aisha alice alison amanda amina amy andrea angela anita ann anna anne barbara beth betty
    carol caroline catherine charlotte chelsea christina christine claire clara cynthia
    deborah diana donna dorothy eleanor elena elizabeth ellen emily emma eva eve fatima
    fiona frances grace hannah heather helen hillary ingrid irene isabel jane janet jennifer
    jessica joan joanna judith julia julie karen kate katherine kathleen kelly laura linda
    lisa louise lucy margaret maria marie martha mary megan melissa michelle monica nancy
    natalia natasha nicola nina olga olivia pamela patricia rachel rebecca rosa rose ruth
    sandra sara sarah sharon sofia sonia sophie stephanie susan sylvia tatiana teresa
    theresa ursula valentina vera victoria virginia wendy"""
)


WORD = re.compile(r"[^\W_]+(?:[-'’.&/][^\W_]+)*\.?")


PIECE = re.compile(rf"{WORD.pattern}['’]?|[,;()]")
# May follow a name inside its phrase; as the word before, they tie a name to something else.
AFTER_NAME = word_set("""of who which whose from in at for with on and or to by that told""")


NO_NAMES = CALENDAR | DETERMINERS | PREPOSITIONS | CLAUSE


class Named(NamedTuple):
    """What a noun phrase tells.

    Attributes:
        name: the proper name in it, courtesy titles and roles left off; empty without one.
        title: the word that was left off just before the name, in lower case; may be empty.
        roles: role words in the phrase, in lower case.
        gender: ``m``, ``f`` or None when nothing tells.
        body: True for an institution, a group or a place.
    """

    name: str
    title: str
    roles: tuple[str, ...]
    gender: str | None
    body: bool


@lru_cache(maxsize=4096)  # an article names the same few people over and over
def parse(phrase: str) -> Named:
    """Read one noun phrase, as it stands in an article."""
    words = PIECE.findall(phrase)
    roles = tuple(role for word in words if (role := _role(word)))
    name, title = "", ""
    described_body = False
    for run, earlier in _runs(words):
        title_here, rest = _split_title(run)
        if not rest or (name and len(rest) < 2):
            continue
        name = _as_written(phrase, rest)
        title = title_here
        # "The chamber of distributors, Adere": the name is of what the words before describe.
        described_body = is_body(" ".join(earlier)) and not any(_role(word) for word in earlier)
        if "," not in earlier:
            described_body = False
    gender = TITLES.get(title) or _gender(name.split(), phrase)
    body = bool(name) and (is_body(name) or described_body)
    return Named(name, title, roles, gender, body)


def _split_title(run: list[str]) -> tuple[str, list[str]]:
    """The last title or role in a run of capitalised words, and the name after it."""
    if len(run) > 1 and run[-1].lower() in BODY_WORDS - ROLES:
        return "", run
    last = -1
    for place, word in enumerate(run):
        if _role(word) or word.lower().rstrip(".") in TITLES:
            last = place
    return ("", run) if last < 0 else (run[last].lower().rstrip("."), run[last + 1 :])


def _as_written(phrase: str, run: list[str]) -> str:
    """The stretch of the phrase from the run's first word to its last."""
    start = phrase.find(run[0])
    end = phrase.find(run[-1], start + len(run[0]) if len(run) > 1 else start) + len(run[-1])
    return phrase[start:end] if start >= 0 and end > start else " ".join(run)


def _role(word: str) -> str:
    """The role a word names, in the singular; empty when it names none."""
    lowered = word.lower().rstrip(".")
    for form in (lowered, lowered.rsplit("-", 1)[-1], lowered.removesuffix("s")):
        if form in ROLES:
            return form
    return ""


def _runs(words: list[str]) -> list[tuple[list[str], list[str]]]:
    """Runs of capitalised words that may be the phrase's own name, each with the words before.

    A run before a lower-case noun only describes it (``the Swedish ministry``); one after a
    preposition belongs to something else, unless it completes a body (``Bank of England``).
    """
    runs: list[tuple[list[str], list[str]]] = []
    place = 0
    while place < len(words):
        if not _capital(words[place]):
            place += 1
            continue
        first = place
        while place < len(words) and (
            _capital(words[place])
            or (
                words[place] in PARTICLES and place + 1 < len(words) and _name_goes_on(words, place)
            )
            or (
                words[place] == "of"
                and words[place - 1].lower() in BODY_WORDS
                and place + 1 < len(words)
                and _capital(words[place + 1])
            )
        ):
            place += 1
        run = words[first:place]
        following = words[place] if place < len(words) else ","
        before = words[first - 1].lower() if first else ""
        if following[0].islower() and following not in AFTER_NAME:
            continue
        if before in AFTER_NAME - {"and", "or"}:
            continue
        if (len(run) == 1 or runs) and _after_preposition(words, first):
            continue  # "a spokesman for the shipping line Norrled"
        owners = [i for i, word in enumerate(run) if word.endswith(("'s", "’s", "s'", "s’"))]
        if owners and owners[-1] == len(run) - 1:
            continue
        if owners and run[-1].lower() not in BODY_WORDS:
            run = run[owners[-1] + 1 :]
        runs.append((run, words[:first]))
    return runs


def _after_preposition(words: list[str], place: int) -> bool:
    """Whether a preposition stands before ``place``, with no comma between."""
    for word in reversed(words[:place]):
        if word in ",;()":
            return False
        if word in ("of", "for", "from", "at", "with"):
            return True
    return False


def _capital(word: str) -> bool:
    lowered = word.lower()
    return word[0].isupper() and lowered not in NO_NAMES


def _name_goes_on(words: list[str], place: int) -> bool:
    """Whether the small words at ``place`` lead to a capitalised one."""
    while place < len(words) and words[place] in PARTICLES:
        place += 1
    return place < len(words) and _capital(words[place])


def _gender(run: list[str], phrase: str) -> str | None:
    if run:
        given = run[0].lower()
        if len(run) > 1 and (given in HE) != (given in SHE):
            return MALE if given in HE else FEMALE
    for match in WORD.finditer(phrase):
        word = match.group().lower()
        if word in FEMALE_ROLES:
            return FEMALE
        if word in MALE_ROLES:
            return MALE
    return None


def is_body(name: str) -> bool:
    """Whether the phrase names an institution rather than a person."""
    words = [match.group().lower().rstrip(".") for match in WORD.finditer(name)]
    return any(word in BODY_WORDS for word in words)


def is_group(phrase: str) -> bool:
    """Whether the phrase names several: its head is a plural, or it joins two."""
    head = re.split(r"\s(?:of|in|at|from|for|who|that|on)\s|,", phrase, maxsplit=1)[0].split()
    if not head:
        return False
    return (
        (head[-1].endswith("s") and not head[-1].endswith(("ss", "us", "'s", "’s")))
        or "and" in head
        or head[-1].lower() in ("people", "police", "both", "many", "some", "several", "residents")
    )
