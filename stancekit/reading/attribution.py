"""Who is said to say it: one sentence's cue and the noun phrase that is its source.

A cue is a reporting verb with what may stand before and after it, ``according to`` and its like,
the agent of a passive (``rejected by the union``), or a report that hangs on the sentence's
subject (``…, adding that``). Of several, the one on which the sentence turns wins.
"""

from __future__ import annotations

from collections.abc import Sequence

from stancekit.reading.labels import STANDS, owner
from stancekit.reading.names import BODY_WORDS, ROLES
from stancekit.reading.phrases import (
    MAX_PHRASE,
    QUOTE,
    REACH,
    Token,
    is_name,
    is_verb,
    phrase_start,
)
from stancekit.reading.sentences import Span
from stancekit.reading.subjects import Cue, after, around, before, hanging
from stancekit.reading.verbs import (
    AGENTS,
    EVIDENCE,
    GERUNDS,
    HOLDING,
    JUDGING,
    LOOSE,
    NOUNS,
    PROGRESSIVE,
    REPORTING,
    SAYING,
)
from stancekit.reading.words import (
    ADVERBS,
    BEING,
    DETERMINERS,
    FINITE,
    PERSON_PRONOUNS,
    PREPOSITIONS,
    SUBJECTIVE,
    word_set,
)

__all__ = ["JOINING", "clauses", "find_cue", "is_heard", "is_title"]

LONG_QUOTE = 16  # characters; a shorter quotation at the start of a sentence may be a title
MOST_CLAUSES = 8  # places in a sentence at which a second speaker is looked for
# What somebody's is, in ``in the words of`` and ``in her view``.
OWN = word_set("words view opinion telling eyes account judgment judgement estimation reckoning")
JOINING = word_set("while whereas but and although though yet which")
# Report on their own, wherever in the sentence: ``by saying``, ``before warning``.
PLAIN_GERUNDS = word_set("saying arguing insisting claiming warning suggesting vowing predicting")
# Verbs that mean another thing unless what is said stands beside them.
BESIDE = word_set(
    """hold holds held show shows showed put puts offer run began begin begins continue continues
    continued read reads list lists listed find finds found seek seeks sought maintain maintains
    maintained interrupt interrupts interrupted signal signals signaled attack attacks attacked
    mention mentions mentioned"""
)
# What is given, with whose support: ``gave its full backing to``.
GIVING = word_set("give gives gave given lend lends lent throw throws threw thrown")
GIVEN = word_set("support backing approval blessing endorsement assent weight assurance agreement")
# Verbs that take a side with the word after them: ``came out against``, ``voted for``.
SIDING: dict[str, frozenset[str]] = {
    **dict.fromkeys(word_set("speak speaks spoke spoken"), word_set("out against of")),
    **dict.fromkeys(word_set("make makes made"), word_set("clear it plain")),
    **dict.fromkeys(word_set("push pushes pushed argue lobby lobbied"), word_set("for against")),
}
# Begin no clause with a speaker of its own: "but said" has the subject before it.
NO_SUBJECT = PERSON_PRONOUNS | REPORTING | FINITE | ADVERBS
SHOWING = word_set("show shows showed find finds found suggest suggests indicate indicates reveal")
QUOTING = word_set("quote quotes quoted quoting cite cites cited citing")
HAVING = word_set("has have had having")
ASKING = word_set("ask asked call called phone phoned rang contacted approached consulted emailed")
WRITING = word_set("write wrote written writing turned appealed applied complained spoke spoken")
NAMING = word_set("called described hailed")
COMING = word_set("come comes came")
# Whatever may make a cue; most words do not, and are passed over.
CUES = REPORTING | QUOTING | PROGRESSIVE | OWN | STANDS | GIVING | COMING | frozenset(SIDING)
CUES |= word_set("according by for")
# Verbs of headlines: the present tense, and what stands for it.
HEADLINE = frozenset(verb for verb in SAYING | JUDGING if verb.endswith("s") and verb not in NOUNS)
HEADLINE |= word_set("said told claims vows urges says wants denies backs calls seeks hopes")
TITLE_WORD = 4  # letters; shorter words are not capitalised in a headline
TITLE_SHARE = 0.75  # of its longer words


def find_cue(row: Sequence[Token]) -> Cue | None:
    """The attribution that covers most of a sentence; None for the writer's own words."""
    best: Cue | None = None
    best_score = 0
    if len(row) > 2 and row[0].text == QUOTE and row[0].end - row[0].start > LONG_QUOTE:
        best = _unnamed_verb(row)
    for verb, token in enumerate(row):
        low = token.low
        if low not in CUES:
            continue
        if verb and token.text[0].isupper() and low != "according":
            if low in HEADLINE and best_score < 2 and is_title([other.text for other in row]):
                cue = before(row, verb)
                if cue is not None:
                    best, best_score = cue, 2
            continue
        cue, score = _cue_at(row, verb, low)
        if cue is not None and score > best_score:
            best, best_score = cue, score
    return best


def _cue_at(row: Sequence[Token], verb: int, low: str) -> tuple[Cue | None, int]:
    """The cue that one word makes, and how likely it is the one that the sentence turns on."""
    following = row[verb + 1].low if verb + 1 < len(row) else ""
    left = row[verb - 1].low if verb else ""
    if low in QUOTING and (cue := _quoted(row, verb)) is not None:
        return cue, 5
    if low == "saying" and (cue := _has_saying(row, verb)) is not None:
        return cue, 4
    if low in REPORTING and (low not in NOUNS or is_verb(row, verb)):
        cue = _told_by(row, verb) if is_heard(row, verb) else around(row, verb)
        return cue, _score(row, verb, cue) if cue is not None else 0
    if low == "according" and following == "to":
        return after(row, verb, verb + 2), 3
    if low in OWN:
        if following == "of" and left in ("the", "own"):
            return after(row, verb, verb + 2), 3
        if verb > 1 and row[0].low == "in" and left.endswith("'s") and following == ",":
            return Cue(owner(row, 1, verb - 1), verb, 0, verb + 1), 3
    if low in STANDS and verb and left.endswith(("'s", "s'")) and following in BEING:
        first = phrase_start(row, verb - 1)
        if first is not None and any(
            t.low == "that" or t.text == QUOTE for t in row[verb + 2 : verb + 5]
        ):
            return Cue(owner(row, first, verb - 1), verb, first, verb + 2), 3
    if low == "by" and left in AGENTS and _is_passive(row, verb - 1):
        return after(row, verb, verb + 1), 2
    if low in PROGRESSIVE and (being := _being_before(row, verb)) > 0:
        return before(row, being), 2
    if low in GERUNDS and verb > 1:
        if left == ",":
            return hanging(row, verb), 1
        if low in PLAIN_GERUNDS and row[verb - 1].text[0].isalnum() and left not in DETERMINERS:
            return hanging(row, verb), 1
    if low in COMING and following == "out" and verb + 2 < len(row):
        return (
            (before(row, verb), 1) if row[verb + 2].low in ("against", "for", "in") else (None, 0)
        )
    if following in SIDING.get(low, ()) or (low in GIVING and _gives_support(row, verb)):
        return before(row, verb), 1
    if low == "for" and verb == 0:
        return _for_somebody(row), 1
    return None, 0


def clauses(row: Sequence[Token]) -> list[tuple[int, int]]:
    """A sentence cut where one speaker's report ends and another's begins, as (first, end) places.

    ``The pilots opposed the toll, while the dockers said it was fair.`` has two; most have one.
    """
    cuts = [0]
    tried = 0
    for place in range(2, len(row) - 2):
        if row[place].low not in JOINING and row[place - 1].text != ";":
            continue
        if row[place - 1].text not in (",", ";") or tried >= MOST_CLAUSES:
            continue
        tried += 1
        right = place + (row[place].low in JOINING)
        ours, theirs = find_cue(row[cuts[-1] : place]), find_cue(row[right:])
        if ours is None or theirs is None or theirs.first > 1 or theirs.verb < theirs.first:
            continue
        if row[right].low in NO_SUBJECT or theirs.source.start > row[right + 1].start:
            continue
        if row[cuts[-1] + ours.verb].low in HOLDING and row[right + theirs.verb].low in HOLDING:
            continue
        cuts.append(place)
    return list(zip(cuts, [*cuts[1:], len(row)], strict=True))


def is_title(words: Sequence[str]) -> bool:
    """Whether words are capitalised as in a headline or the title of a book."""
    long = [word for word in words if len(word) >= TITLE_WORD and word[0].isalpha()]
    capitals = sum(word[0].isupper() for word in long)
    return len(long) > 1 and capitals >= TITLE_SHARE * len(long)


def _unnamed_verb(row: Sequence[Token]) -> Cue | None:
    """``"…," Lund laughs``: after a quotation, a name or pronoun and any verb."""
    end = 1
    while end < len(row) and end < MAX_PHRASE and row[end].text[0].isupper():
        end += 1
    if end == 1 and row[end].low in ("he", "she", "they"):
        end = 2
    if end == 1 or end >= len(row) or not row[end].text[0].islower():
        return None
    if row[end].low in FINITE | PREPOSITIONS or not row[end].low.endswith(("s", "d")):
        return None
    return Cue(Span(row[1].start, row[end - 1].end), end, 1, end + 1)


def _for_somebody(row: Sequence[Token]) -> Cue | None:
    """``For Ida Lund, the toll is a mistake.``"""
    end = 1
    while end < len(row) and end < MAX_PHRASE and row[end].text[0].isupper():
        end += 1
    if end < 3 or end >= len(row) or row[end].text != "," or not is_name(row, 1, end):
        return None
    return Cue(Span(row[1].start, row[end - 1].end), 0, 0, end)


def _gives_support(row: Sequence[Token], verb: int) -> bool:
    words = [token.low for token in row[verb + 1 : verb + 4]]
    return bool(words) and words[0] in DETERMINERS and any(word in GIVEN for word in words)


def _quoted(row: Sequence[Token], verb: int) -> Cue | None:
    """``She quoted the late coach Bo Ek: "…"``: his words, not hers."""
    cue = after(row, verb, verb + 1)
    if cue is None or cue.last + 1 >= len(row):
        return None
    says = row[cue.last].text == ":" and row[cue.last + 1].text == QUOTE
    return cue if says or (row[cue.last].low, row[cue.last + 1].low) == ("as", "saying") else None


def _has_saying(row: Sequence[Token], verb: int) -> Cue | None:
    """``The record has him saying that``: whoever stands between."""
    if verb < 2:
        return None
    first = verb - 1 if row[verb - 1].low in SUBJECTIVE else phrase_start(row, verb - 1)
    if first is None or first < 1 or row[first - 1].low not in HAVING:
        return None
    return Cue(Span(row[first].start, row[verb - 1].end), verb, first - 1, verb + 1)


def is_heard(row: Sequence[Token], verb: int) -> bool:
    """``was told``: the subject hears, and does not speak."""
    return row[verb].low == "told" and _being_before(row, verb) > 0


def _told_by(row: Sequence[Token], verb: int) -> Cue | None:
    """``She wrote to the council and was told that``: whoever was asked."""
    joins = _being_before(row, verb)
    while joins > 0 and row[joins].low in BEING | ADVERBS:
        joins -= 1
    if row[joins].low != "and":
        return None
    for place in range(joins - 2, max(-1, joins - REACH), -1):
        if row[place].low in ASKING or (row[place].low == "to" and row[place - 1].low in WRITING):
            first = end = place + 1
            while end < joins and row[end].low not in PREPOSITIONS - {"of"}:
                end += 1
            if not row[first].text[0].isalnum() or end - first > MAX_PHRASE:
                return None
            return Cue(Span(row[first].start, row[end - 1].end), verb, joins, verb + 1)
    return None


def _being_before(row: Sequence[Token], verb: int) -> int:
    """The place of a form of be before a verb, adverbs between: ``is already urging``; else 0."""
    place = verb - 1
    while place > 0 and (row[place].low in ADVERBS or row[place].low.endswith("ly")):
        place -= 1
    return place if place > 0 and row[place].low in BEING else 0


def _is_passive(row: Sequence[Token], participle: int) -> bool:
    """Whether a form of be stands shortly before a participle."""
    return any(token.low in BEING for token in row[max(0, participle - 3) : participle])


def _is_only_named(row: Sequence[Token], verb: int) -> bool:
    """``a class called "Perception"``: something that has a name, and nobody who speaks."""
    if verb + 1 >= len(row) or not verb:
        return False
    thing = row[verb - 1]
    named = row[verb + 1].text == QUOTE or row[verb + 1].text[0].isupper()
    speaks = thing.low in ROLES | BODY_WORDS | PERSON_PRONOUNS or thing.low.endswith(
        ("as", "es", "is", "os", "rs", "ts", "ns")
    )
    return named and thing.text[0].islower() and not speaks


def _score(row: Sequence[Token], verb: int, cue: Cue) -> int:
    """How likely the cue is the one that the sentence turns on; 0 refuses it."""
    low = row[verb].low
    right = row[verb + 1].low if verb + 1 < len(row) else "."
    left = row[cue.first - 1].low if cue.first > 0 else ""
    touches = QUOTE in (right, left) or (left == "," and cue.first > 1)
    clause = right in (",", ":", "that", "there", "whether") or right in PERSON_PRONOUNS
    near_quote = any(token.text == QUOTE for token in row[verb + 1 : verb + 9])
    closes = verb + 2 >= len(row) and left == ","
    # "polls released on Sunday showed"
    evident = any(token.low in EVIDENCE for token in row[cue.first : verb])
    shown = evident and low in SHOWING and right not in (",", ".")
    score = 0
    if low in SAYING:
        score = 4
    elif low in LOOSE:
        score = 3 if touches or clause or near_quote or right in DETERMINERS or shown else 0
    elif low in JUDGING or low in HOLDING:
        score = 0 if low in NAMING and _is_only_named(row, verb) else 2
    if score and low in BESIDE:
        beside = closes or QUOTE in (right, left) or near_quote or right in ("that", ":")
        score = score if beside or shown else 0
    if score and (touches or near_quote):
        score += 2
    if score and (cue.first > 0 and row[cue.first - 1].low in ("that", "if", "whether")):
        score = 1
    return score
