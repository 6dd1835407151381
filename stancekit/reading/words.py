"""Tables of small words: what may stand around a name, a verb or a clause.

All are in lower case with straight apostrophes.
"""

from __future__ import annotations

__all__ = [
    "ADVERBS",
    "BEING",
    "CALENDAR",
    "CLAUSE",
    "DETERMINERS",
    "ENDS_PHRASE",
    "FINITE",
    "NOBODY",
    "NOT_VERBS",
    "PARTICLES",
    "PERSON_PRONOUNS",
    "PREPOSITIONS",
    "PRONOUNS",
    "QUANTIFIERS",
    "RELATIVE",
    "SUBJECTIVE",
    "word_set",
]


def word_set(text: str) -> frozenset[str]:
    """The words of a running text; a table is easier to read and to change that way."""
    return frozenset(text.split())


PRONOUNS = word_set("he she it they")
SUBJECTIVE = {"him": "he", "her": "she", "them": "they"}  # of an object, the subject
# Small words that stand inside names: Ludwig van Beethoven, Abu al-Hassan.
PARTICLES = word_set("""al bin da de del den der di dos du el ibn la le ten ter van von y""")
DETERMINERS = word_set("""a an the his her its their our my this that these those""")
# Begin with a capital, and are no part of anybody's name.
CALENDAR = word_set(
    """monday tuesday wednesday thursday friday saturday sunday january february march april
    may june july august september october november december jan feb mar apr jun jul aug
    sept sep oct nov dec yesterday today"""
)
ADVERBS = word_set(
    """has have had did do does will would could should may might can must also later then now
    never always often not n't once again still just even only first earlier recently
    already yesterday today previously both all initially since himself herself itself
    themselves repeatedly publicly neither nor"""
)
BEING = word_set("""is are was were be been being isn't wasn't weren't gets got""")
FINITE = BEING | word_set(
    """has have had do does did will would could should may might can must took made left went
    met came became arrived gave spoke led showed kept hasn't haven't hadn't it's he's she's
    they're there's that's we're i'm didn't don't doesn't won't wouldn't couldn't can't
    isn't aren't cannot"""
)
CLAUSE = word_set(
    """that but when while as because although though if whether after before until where since
    so yet than then what why how unless once nor or"""
)
RELATIVE = word_set("who which whose whom")
PREPOSITIONS = word_set(
    """in on at by with under during from to for about against among despite following like
    near over through within without of into"""
)
# End a noun phrase that follows its verb.
ENDS_PHRASE = (
    CLAUSE
    | RELATIVE
    | CALENDAR
    | (PREPOSITIONS - {"of", "for", "from", "at"})
    | word_set("""adding saying last this earlier later shortly told speaking referring""")
)
# Words before a determiner that leave its phrase going on: "both the", "and the".
NOT_VERBS = word_set("""and or both all half even only not as than who which that""")
PERSON_PRONOUNS = word_set("he she they it one i we you")
NOBODY = word_set("nobody nothing none something there everything")
QUANTIFIERS = word_set(
    """some many several both most few others another two three four five six seven eight nine
    ten one each every those all"""
)
