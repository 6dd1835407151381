"""Who is said to say it: one sentence's cue and the noun phrase that is its source.

The sentence is read as a row of tokens in which each quotation is a single one, so no word inside
a quotation is ever taken for a cue. There is no grammar here, only neighbours: a reporting verb,
what may stand before and after it, and how far its subject reaches.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from stancekit.reading.names import BODY_WORDS, CALENDAR, DETERMINERS, PRONOUNS, ROLES
from stancekit.reading.sentences import Span
from stancekit.reading.verbs import GERUNDS, HOLDING, INVERTING, JUDGING, LOOSE, REPORTING, SAYING

__all__ = ["Cue", "Token", "find_cue", "leading_phrase", "tokens"]

TOKEN = re.compile(r"[^\W_]+(?:[-'’.&/][^\W_]+)*['’]?|--|[^\w\s\u00ad\u200b-\u200f\u2060\ufeff]")
MOST_TOKENS = 400  # a longer sentence is no prose, and its cue is sought in its beginning
REACH = 30  # tokens from a verb to the far end of its subject
LONG_QUOTE = 16  # characters; a shorter quotation at the start of a sentence may be a title
MAX_NAME = 12  # tokens in a noun phrase after its verb

QUOTE = "“”"  # the text of a token that stands for a whole quotation

AUXILIARIES = frozenset(
    """has have had did do does will would could should may might can must also later then now
    never always often not n't once again still just even only first earlier recently already
    yesterday today previously both all initially
    since himself herself itself themselves repeatedly publicly""".split()
)
BEING = frozenset("is are was were be been being isn't wasn't weren't gets got".split())
FINITE = BEING | frozenset(
    """has have had do does did will would could should may might can must took made left went met came became came arrived gave spoke led showed kept hasn't haven't
    hadn't it's he's she's they're there's that's we're
    i'm didn't don't doesn't won't wouldn't couldn't can't isn't aren't cannot""".split()
)
CLAUSE = frozenset(
    """that but when while as because although though if whether after before until where since so
    yet than then what why how unless once nor or""".split()
)
RELATIVE = frozenset("who which whose whom".split())
PREPOSITIONS = frozenset(
    """in on at by with under during from to for about against among despite following like near
    over through within without of into""".split()
)
# End a noun phrase that follows its verb.
ENDS_PHRASE = (
    CLAUSE
    | RELATIVE
    | CALENDAR
    | (PREPOSITIONS - {"of", "for", "from", "at"})
    | frozenset("adding saying last this earlier later shortly told speaking referring".split())
)
# Words before a determiner that leave its phrase going on: "both the", "and the".
NOT_VERBS = frozenset("and or both all half even only not as than who which that".split())
# Reporting verbs that are nouns as well.
NOUNS = frozenset(
    """plan plans hope hopes claim claims charge charges report reports state states show shows
    attack attacks support call calls doubt doubts fear fears wish question questions quote quotes
    comment comments list lists offer offers estimate estimates feel hold holds praise blame tweet tweets remark remarks reply replies
    promise promises protest protests request requests demand demands voice complaint point points
    note notes answer threat plea pledge pledges reason favor favour cry sign signal vow vows
    urge complaint contention put worry back backs salute thanks
    thank sighs fund""".split()
)
PERSON_PRONOUNS = frozenset("he she they it one i we you".split())
QUANTIFIERS = frozenset(
    """some many several both most few others another two three four five six seven eight nine ten
    one each every those all""".split()
)
RECIPIENT_END = frozenset([",", ":", QUOTE, "that"])


class Token(NamedTuple):
    """A word, a mark or a whole quotation (text ``QUOTE``), with its offsets."""

    text: str
    low: str
    start: int
    end: int


class Cue(NamedTuple):
    """A sentence's attribution.

    Attributes:
        source: where the words that name the source stand, as offsets.
        verb: place of the reporting word among the sentence's tokens.
        first: place of the first token of the attribution.
        last: place one past its last token.
    """

    source: Span
    verb: int
    first: int
    last: int


def tokens(text: str, span: Span, quoted: Sequence[tuple[int, int]]) -> list[Token]:
    """The tokens of a sentence, each quotation as one.

    Args:
        text: the whole text.
        span: the sentence.
        quoted: (start, end) of the quotations that lie in it, in order.
    """
    row: list[Token] = []
    position = span.start
    for start, end in [*quoted, (span.end, span.end)]:
        for match in TOKEN.finditer(text, position, max(position, start)):
            if len(row) >= MOST_TOKENS:
                return row
            row.append(Token(match.group(), match.group().lower().replace("’", "'"), *match.span()))
        if end > start:
            row.append(Token(QUOTE, QUOTE, start, end))
        position = end
    # A full stop inside the sentence belongs to an abbreviation.
    joined: list[Token] = []
    for place, token in enumerate(row):
        if token.text == "." and joined and place < len(row) - 1 and joined[-1].end == token.start:
            before = joined.pop()
            token = Token(before.text + ".", before.low, before.start, token.end)
        joined.append(token)
    return joined


def find_cue(row: Sequence[Token]) -> Cue | None:
    """The attribution that covers most of a sentence; None for the writer's own words."""
    best: Cue | None = None
    best_score = 0
    if len(row) > 2 and row[0].text == QUOTE and row[0].end - row[0].start > LONG_QUOTE:
        best = _unnamed_verb(row)
    for verb, token in enumerate(row):
        low = token.low
        if verb and token.text[0].isupper() and low != "according":
            continue
        if low in NOUNS and not _is_verb(row, verb):
            continue
        if low in REPORTING:
            cue = _around(row, verb)
            score = _score(row, verb, cue) if cue is not None else 0
        elif low == "according" and verb + 1 < len(row) and row[verb + 1].low == "to":
            cue = _after(row, verb, verb + 2)
            score = 3
        elif low in GERUNDS and verb > 1 and row[verb - 1].text == ",":
            cue, score = _hanging(row, verb), 1
        elif low in GERUNDS and verb > 1 and row[verb - 1].low in BEING:
            cue, score = _before(row, verb - 1), 2
        else:
            continue
        if cue is not None and score > best_score:
            best, best_score = cue, score
    return best


def _unnamed_verb(row: Sequence[Token]) -> Cue | None:
    """``"…," Lund laughs``: after a quotation, a name or pronoun and any verb that ends in s or d."""
    end = 1
    while end < len(row) and end < MAX_NAME and row[end].text[0].isupper():
        end += 1
    if end == 1 and row[end].low in ("he", "she", "they"):
        end = 2
    if end == 1 or end >= len(row) or not row[end].text[0].islower():
        return None
    if row[end].low in FINITE | PREPOSITIONS or not row[end].low.endswith(("s", "d")):
        return None
    return Cue(Span(row[1].start, row[end - 1].end), end, 1, end + 1)


def _is_verb(row: Sequence[Token], place: int) -> bool:
    """Whether a word that is a noun as well is a verb here, by the words beside it."""
    before = row[place - 1] if place else None
    after = row[place + 1].low if place + 1 < len(row) else "."
    if before is None or before.low in DETERMINERS | PREPOSITIONS | BEING | {"to"}:
        return False
    if before.low in (PERSON_PRONOUNS - {"one"}) | RELATIVE | AUXILIARIES | FINITE | {"and"}:
        return True
    takes = {"that", "the", "a", "an", "to", "on", "for", "their", "his", "her", "its", "it", "out"}
    fits = before.text[0].isupper() or before.low.endswith("s") or before.low in ROLES | BODY_WORDS
    return (
        fits
        and before.text[0].isalnum()
        and not before.low.endswith("'s")
        and (
            after in takes - ({"for", "on", "to"} if row[place].low.endswith("s") else set())
            or after in (QUOTE, ":")
            or after in PERSON_PRONOUNS
        )
    )


def _score(row: Sequence[Token], verb: int, cue: Cue) -> int:
    """How likely the cue is the one that the sentence turns on; 0 refuses it."""
    low = row[verb].low
    after = row[verb + 1].low if verb + 1 < len(row) else "."
    before = row[cue.first - 1].low if cue.first > 0 else ""
    touches = QUOTE in (after, before) or before == "," and cue.first > 1
    clause = after in (",", ":", "that", "there", "whether") or after in PERSON_PRONOUNS
    near_quote = any(token.text == QUOTE for token in row[verb + 1 : verb + 9])
    score = 0
    if low in SAYING:
        score = 4
    elif low in LOOSE:
        score = 3 if touches or clause or near_quote or after in DETERMINERS else 0
        if low in ("hold", "holds", "held", "show", "shows", "put", "puts", "offer", "run"):
            score = score if touches or near_quote or after == "that" else 0
    elif low in JUDGING or low in HOLDING:
        score = 2
    if score and (touches or near_quote):
        score += 2
    if score and (cue.first > 0 and row[cue.first - 1].low in ("that", "if", "whether")):
        score = 1
    return score


def _around(row: Sequence[Token], verb: int) -> Cue | None:
    """The subject before the verb or, failing that, after it."""
    before = row[verb - 1].text if verb else ""
    if before == ",":
        cue = _before(row, verb)
        if cue is not None:
            return cue
    if (
        row[verb].low in INVERTING
        and before in (",", QUOTE, "-", "–", "—")
        and verb > 0
        and verb + 1 < len(row)
        and _starts_phrase(row[verb + 1])
    ):
        cue = _after(row, verb, verb + 1)
        if cue is not None and row[cue.last - 1].low != "it":
            return cue
    return _before(row, verb)


def _starts_phrase(token: Token) -> bool:
    return (
        token.text[0].isupper()
        or token.low in DETERMINERS - {"that"}
        or token.low in ("he", "she", "they", "one", "another")
        or token.low in ROLES
        or (token.text[0].isalpha() and token.low not in ENDS_PHRASE | PREPOSITIONS | {"it"})
        and token.low not in AUXILIARIES
    )


def _after(row: Sequence[Token], verb: int, first: int) -> Cue | None:
    """A cue whose source follows: ``said the mayor``, ``according to the mayor``."""
    last = first
    while last < len(row) and last - first < MAX_NAME:
        token = row[last]
        if not token.text[0].isalnum() or token.low in ENDS_PHRASE | FINITE:
            break
        if token.low in PERSON_PRONOUNS and last > first:
            break
        last += 1
        if token.low in ("he", "she", "they", "one"):
            break
    if last == first:
        return None
    # "said its chairman, Bo Ek": a description, then the name.
    if (
        last + 1 < len(row)
        and row[last].text == ","
        and (row[first].low in DETERMINERS or row[first].text[0].islower())
        and any(token.low in ROLES for token in row[first:last])
    ):
        name = last + 1
        while name < len(row) and name - last < 6 and row[name].text[0].isupper():
            name += 1
        if name - last > 2 and row[last + 1].low not in CALENDAR:
            last = name
    return Cue(Span(row[first].start, row[last - 1].end), verb, verb, last)


def _before(row: Sequence[Token], verb: int) -> Cue | None:
    """A cue whose source comes first: ``the mayor also said``, ``Lund, the mayor, said``."""
    place = verb - 1
    while place >= 0 and (
        row[place].low in AUXILIARIES
        or (row[place].low.endswith("ly") and row[place].text[0].islower())
        or (row[place].low in BEING and row[verb].low in ("quoted", "expected"))
    ):
        place -= 1
    if place < 0:
        return None
    last = row[place]
    if last.low in BEING or last.low in PREPOSITIONS or last.low in DETERMINERS - {"this", "that"}:
        return None
    if last.low == "and" or last.text == ",":
        earlier = _shared_subject(row, place)
        if last.low == "and" or earlier is not None:
            return None if earlier is None else Cue(earlier, verb, verb, verb + 1)
    if last.low in RELATIVE:
        return _antecedent(row, place, verb)
    if last.text in (",", ")", "–", "—", "-", "--"):
        return _past_apposition(row, place, verb)
    if not last.text[0].isalnum():
        return None
    first = _phrase_start(row, place)
    return None if first is None else _cue(row, first, place + 1, verb)


def _cue(row: Sequence[Token], first: int, end: int, verb: int, begin: int | None = None) -> Cue:
    return Cue(
        Span(row[first].start, row[end - 1].end), verb, first if begin is None else begin, verb + 1
    )


def _shared_subject(row: Sequence[Token], place: int) -> Span | None:
    """``The chairman conceded the point but said``: the subject of an earlier reporting verb."""
    floor = max(0, place - REACH)
    if row[place].text == ",":
        return None
    for earlier in range(place - 1, floor, -1):
        if row[earlier].text in (QUOTE, ";"):
            return None
        if row[earlier].low in REPORTING:
            cue = _before(row, earlier) if row[earlier - 1].low != "and" else None
            return None if cue is None else cue.source
    return None


def _antecedent(row: Sequence[Token], place: int, verb: int) -> Cue | None:
    """``Lund, who said``: whom the relative clause is about."""
    before = place - 1
    if before >= 0 and row[before].text == ",":
        before -= 1
    if before < 0 or not row[before].text[0].isalnum():
        return None
    first = _phrase_start(row, before)
    return None if first is None else _cue(row, first, before + 1, verb)


def _past_apposition(row: Sequence[Token], place: int, verb: int) -> Cue | None:
    """The source before ``, the mayor,`` or ``(Greens)`` or ``, who farms near Lund,``."""
    if row[place].text == ")":
        opening = place - 1
        while opening > 0 and place - opening < REACH and row[opening].text != "(":
            opening -= 1
        if opening <= 0 or row[opening].text != "(":
            return None
        first = _phrase_start(row, opening - 1)
        return None if first is None else _cue(row, first, opening, verb)
    mark = row[place].text
    commas = [place]
    back = place - 1
    while back >= 0 and place - back < 2 * REACH:
        text = row[back].text
        if text == mark:
            commas.append(back)
        elif text in (QUOTE, ";", ":"):
            break
        back -= 1
    if len(commas) < 2:
        return None
    # Parts between commas, the nearest first; the last one begins where the clause does.
    parts = [(commas[i + 1] + 1, commas[i]) for i in range(len(commas) - 1)]
    parts.append((back + 1, commas[-1]))
    head = 1
    first, end = parts[0]
    if not any(word.low in RELATIVE for word in row[first:end]) and any(
        word.low in FINITE for word in row[first:end]
    ):
        return None  # a clause, no apposition
    named = _is_name(row, first, end)
    if named and any(word.low in ROLES for word in row[slice(*parts[1])]):
        description = _phrase_start(row, parts[1][1] - 1)
        if description is not None:
            return _cue(row, description, end, verb)
    for number, (first, end) in enumerate(parts[:-1]):
        low = row[first].low if first < end else ""
        if low in RELATIVE or low[:1].isdigit():
            head = number + 1
            break
    else:
        first, end = parts[0]
        description = _phrase_start(row, parts[1][1] - 1) if parts[1][1] > parts[1][0] else None
        if _is_name(row, first, end) and description is not None:
            if not _is_name(row, description, parts[1][1]):
                return _cue(row, description, end, verb)
            if len(parts) > 2:
                head = 1
        # "Lund, the member for Malmö, Skåne, said": a description with a comma in it.
        elif len(parts) > 2 and row[parts[1][0]].low in DETERMINERS:
            before = _phrase_start(row, parts[2][1] - 1) if parts[2][1] else None
            if before is not None and _is_name(row, before, parts[2][1]):
                return _cue(row, before, parts[2][1], verb)
    first, end = parts[head]
    if end <= first or not row[end - 1].text[0].isalnum():
        return None
    start = _phrase_start(row, end - 1)
    if start is None:
        return None
    # The head may itself be a name that explains the part before it: "its chairman, Bo Ek, 61,".
    if head + 1 < len(parts) and _is_name(row, start, end) and start == first:
        before_first, before_end = parts[head + 1]
        if before_end > before_first and row[before_first].low in DETERMINERS | {"a", "an"}:
            return _cue(row, start, end, verb, begin=before_first)
    return _cue(row, start, end, verb)


def _is_name(row: Sequence[Token], first: int, end: int) -> bool:
    words = row[first:end]
    return (
        0 < len(words) <= 8
        and words[0].text[0].isupper()
        and words[0].low not in DETERMINERS | QUANTIFIERS
        and not any(word.text[0].islower() and word.low in ROLES for word in words)
    )


def _phrase_start(row: Sequence[Token], last: int) -> int | None:
    """Where the noun phrase that ends at ``last`` begins; None when nothing fit stands there."""
    if last < 0:
        return None
    if row[last].low in PERSON_PRONOUNS:
        return last if row[last].low in PRONOUNS or row[last].low == "one" else None
    floor = max(-1, last - REACH)
    place = last
    while place > floor:
        token = row[place]
        if token.low in RELATIVE:
            if place - 1 > floor and row[place - 1].text == ",":
                break
            start = _phrase_start(row, place - 1) if place > 0 else None
            return start
        if token.low == "that" and place > 0 and place < last:
            if row[place - 1].low in REPORTING or not row[place - 1].text[0].isalnum():
                break
            return _phrase_start(row, place - 1)
        if (
            token.low in DETERMINERS - {"that", "this", "these", "those"}
            and place - 1 > floor
            and row[place - 1].text[0].isalnum()
            and row[place - 1].low not in PREPOSITIONS | NOT_VERBS
        ):
            place -= 1
            break  # a determiner after anything else starts the phrase
        if not token.text[0].isalnum() and token.text not in ("&", "(", ")", "/"):
            break
        if token.low == "according":
            return place + 2 if place + 2 <= last else None
        if token.low in REPORTING - ROLES - BODY_WORDS or token.low in FINITE:
            # "A diplomat who has followed the talks": the subject comes before the clause.
            if place > 1 and row[place - 1].low in RELATIVE | {"that"}:
                if row[place - 2].text[0].isalnum() and row[place - 2].low not in REPORTING:
                    return _phrase_start(row, place - 2)
            break
        if token.low in CLAUSE or (token.low in PERSON_PRONOUNS - {"one"} and place < last):
            break
        place -= 1
    first = place + 1
    first = _trim_joined(row, first, last)
    first = _trim_preposition(row, first, last)
    if first > last:
        return None
    words = row[first : last + 1]
    if any(_is_nominal(word) for word in words):
        return first
    return first if words[-1].low.endswith("s") or words[-1].low in ("people", "police") else None


def _is_nominal(word: Token) -> bool:
    return (
        word.text[0].isupper()
        or word.low in DETERMINERS
        or word.low in QUANTIFIERS
        or word.low in ROLES
        or word.low in BODY_WORDS
    )


def _trim_joined(row: Sequence[Token], first: int, last: int) -> int:
    """Keep ``A and B`` where both are names or both have articles; else only what follows."""
    for place in range(last, first - 1, -1):
        if row[place].low == "and" and place < last:
            left = row[first:place]
            right = row[place + 1]
            if not left:
                return place + 1
            alike = (
                len(left) <= 8
                and left[0].text[0].isupper()
                and left[0].low not in PREPOSITIONS
                and (left[-1].text[0].isupper() or left[0].low in DETERMINERS)
                and (
                    right.text[0].isupper()
                    or right.low in DETERMINERS
                    or left[-1].text[0].islower()
                )
            )
            return first if alike else place + 1
    return first


def _trim_preposition(row: Sequence[Token], first: int, last: int) -> int:
    """Cut ``On Tuesday`` from ``On Tuesday the minister``."""
    if first > last or row[first].low not in PREPOSITIONS | CALENDAR | {"still", "meanwhile"}:
        return first
    for place in range(last, first, -1):
        if row[place].low in DETERMINERS and row[place - 1].low not in PREPOSITIONS:
            return place
    place = last
    while place > first and row[place].text[0].isupper() and row[place].low not in CALENDAR:
        place -= 1
    return place + 1


def leading_phrase(row: Sequence[Token]) -> tuple[int, int] | None:
    """The noun phrase that a sentence opens with, as (first, end) places; None without one."""
    first = 0
    while first < len(row) and not row[first].text[0].isalnum() and row[first].text != QUOTE:
        first += 1
    if first < len(row) and row[first].low in PREPOSITIONS | CLAUSE:
        comma = next((i for i, token in enumerate(row[:REACH]) if token.text == ","), None)
        if comma is None:
            return None
        first = comma + 1
    elif first + 2 < len(row) and row[first].low.endswith("ly") and row[first + 1].text == ",":
        first += 2
    if first >= len(row):
        return None
    if row[first].low in PRONOUNS:
        return first, first + 1
    end = first
    while end < len(row) and end - first < MAX_NAME:
        token = row[end]
        if not token.text[0].isalnum():
            break
        if token.low in FINITE | CLAUSE | RELATIVE | REPORTING - ROLES - BODY_WORDS:
            break
        if token.text[0].islower() and end > first and token.low.endswith("ed"):
            break
        if (
            token.text[0].islower()
            and row[first].low not in DETERMINERS
            and token.low not in ROLES
            and token.low not in ("of", "de", "van", "von", "der", "al", "and")
        ):
            break
        end += 1
    if end == first or not any(_is_nominal(word) for word in row[first:end]):
        return None
    # "The minister, Bo Ek, has": the name goes with its description.
    if end < len(row) and row[end].text == "," and not _is_name(row, first, end):
        name = end + 1
        while name < len(row) and name - end < 6 and row[name].text[0].isupper():
            name += 1
        if name - end > 1 and name < len(row) and row[name].text == ",":
            end = name
    return first, end


def _hanging(row: Sequence[Token], verb: int) -> Cue | None:
    """``The board met, saying``: the report hangs on the subject that opens the sentence."""
    phrase = leading_phrase(row)
    if phrase is None or phrase[1] > verb:
        return None
    first, end = phrase
    return Cue(Span(row[first].start, row[end - 1].end), verb, verb, verb + 1)
