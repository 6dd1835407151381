"""Words that report speech and attitude, as tables.

Each table holds finite forms (``said``, ``says``, ``say``); ``GERUNDS`` holds the ``-ing`` forms
that hang a report on a sentence's subject (``…, adding that``). A word belongs to one table only.
"""

from __future__ import annotations

from stancekit.reading.words import word_set

__all__ = [
    *("AGENTS", "EVIDENCE", "GERUNDS", "HOLDING", "INVERTING", "JUDGING", "LOOSE", "NOUNS"),
    *("PROGRESSIVE", "REPORTING", "SAYING"),
]


# Double their last letter: slam, slammed, slamming.
DOUBLING = word_set("admit plan prefer quip rebut regret slam snap")


def _forms(*regular: str, irregular: str = "") -> frozenset[str]:
    """Base, third person and past of regular verbs, and irregular forms as they are."""
    words = set(irregular.split())
    for verb in " ".join(regular).split():
        if verb.endswith("e"):
            words |= {verb, verb + "s", verb + "d"}
        elif verb.endswith("y") and verb[-2] not in "aeiou":
            words |= {verb, verb[:-1] + "ies", verb[:-1] + "ied"}
        elif verb.endswith(("s", "sh", "ch", "x")):
            words |= {verb, verb + "es", verb + "ed"}
        elif verb in DOUBLING:
            words |= {verb, verb + "s", verb + verb[-1] + "ed"}
        else:
            words |= {verb, verb + "s", verb + "ed"}
    return frozenset(words)


def _gerunds(*tables: frozenset[str]) -> frozenset[str]:
    """The ``-ing`` forms of the regular verbs in some tables."""
    every = frozenset().union(*tables)
    words = set()
    for verb in every:
        if verb.endswith("e") and verb + "d" in every and not verb.endswith("ee"):
            words.add(verb[:-1] + "ing")
        elif verb + "ed" in every or verb[:-1] + "ied" in every:
            words.add(verb + "ing")
        elif verb in DOUBLING:
            words.add(verb + verb[-1] + "ing")
    return frozenset(words)


# What follows is nearly always what was said.
SAYING = _forms(
    """acknowledge admit admonish advise affirm allege announce argue ask assert assure boast
    caution comment complain concede conclude confess confirm contend declare demand emphasise
    emphasize exclaim explain grumble hint inform inquire insinuate insist joke lament maintain
    mutter opine plead pledge point predict proclaim promise protest quip reaffirm reason recall
    recommend rail reiterate remark remind reply request respond retort scoff signal stress suggest
    testify theorise theorize tweet urge voice vow warn whisper worry""",
    irregular="""said says say told tells tell wrote writes write swore swears swear objected
    objects""",
)

# Report speech, but have other lives: they need a quotation, a clause or a comma beside them.
LOOSE = _forms(
    """add charge claim continue counter cry disclose enquire estimate indicate
    interject decide interrupt laugh list mention note observe offer pronounce propose
    query question quote repeat report reveal shout show sigh snap state
    thunder underline underscore yell""",
    irregular="""began begins begin found finds heard hears hear held holds hold put puts read reads
    chimed shot sang concur concurs concurred thinks think thought felt feels feel knew knows
    know""",
)

# Take a thing for an object and pass a judgement on it.
JUDGING = _forms(
    """accuse applaud attack back berate blame blast call commend condemn criticise criticize
    decline decry defend denounce deplore deride describe dismiss dispute doubt downplay echo
    embrace endorse express favor favour hail lambast lambaste laud mock oppose praise rebuke rebuff
    rebut refuse refute regret reject ridicule salute slam spurn support thank threaten tout
    trumpet welcome""",
    irregular="denied denies deny undertook undertakes",
)

# Name what somebody holds, hopes or wants.
HOLDING = _forms(
    """agree anticipate believe consider deem disagree envisage envision expect fear hope intend
    plan prefer reckon suspect want wish""",
    irregular="sought seeks seek dreads dreaded",
)

REPORTING = SAYING | LOOSE | JUDGING | HOLDING

# Verbs that may stand before their subject: ``"…," said the mayor``.
INVERTING = SAYING | LOOSE

# Hang a report on a subject: ``…, adding that``.
GERUNDS = (_gerunds(SAYING, JUDGING) - word_set("commenting backing pointing asking")) | word_set(
    """admitting adding announcing calling charging claiming denying estimating hinting hoping
    noting observing offering quipping refusing repeating reporting revealing saying stating
    swearing telling tweeting underlining wondering writing"""
)
# Report when they follow a form of be: ``is urging``.
PROGRESSIVE = GERUNDS | _gerunds(HOLDING) | word_set("asking backing seeking thinking commenting")

# Participles whose agent speaks: ``the plan was denounced by the union``.
AGENTS = word_set(
    """asked condemned criticised criticized denounced derided described dismissed lambasted mocked
    moved praised proposed rebuked reminded ridiculed seconded told urged warned welcomed"""
)

# Show something where they are the subject: ``records show``.
EVIDENCE = word_set(
    """account analysis article audit data document documents editorial estimate estimates
    evidence figures filing filings finding findings letter memo memos minutes numbers paper papers
    poll polls projection projections record records report reports research results returns
    statement statistics studies study survey surveys testimony transcript transcripts"""
)

# Reporting verbs that are nouns as well.
NOUNS = word_set(
    """plan plans hope hopes claim claims charge charges report reports state states show shows
    attack attacks support call calls doubt doubts fear fears wish question questions quote
    quotes comment comments list lists offer offers estimate estimates feel hold holds
    praise blame tweet tweets remark remarks reply replies promise promises protest protests
    request requests demand demands voice complaint point points note notes answer threat
    plea pledge pledges reason favor favour cry sign signal vow vows urge contention put
    worry back backs salute thanks thank sighs fund objects embrace rebuke ridicule"""
)
