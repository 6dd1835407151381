"""Words that report speech and attitude, as tables.

Each table holds finite forms (``said``, ``says``, ``say``); ``GERUNDS`` holds the ``-ing`` forms
that hang a report on a sentence's subject (``…, adding that``). A word belongs to one table only.
"""

from __future__ import annotations

from stancekit.reading.words import word_set

__all__ = ["GERUNDS", "HOLDING", "INVERTING", "JUDGING", "LOOSE", "NOUNS", "REPORTING", "SAYING"]


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
        else:
            words |= {verb, verb + "s", verb + "ed"}
    return frozenset(words)


# What follows is nearly always what was said.
SAYING = _forms(
    """acknowledge admonish advise affirm allege announce argue ask assert assure boast caution
    comment complain concede conclude confess confirm contend declare demand emphasise emphasize
    exclaim explain grumble hint inform inquire insinuate insist joke lament maintain mutter
    opine plead pledge point predict proclaim promise protest quip reaffirm reason recall recommend
    reiterate remark remind reply request respond retort scoff signal stress suggest testify
    theorise theorize tweet urge voice vow warn whisper worry""",
    irregular="""said says say told tells tell wrote writes write admitted admits admit quipped
    swore swears swear""",
)

# Report speech, but have other lives: they need a quotation, a clause or a comma beside them.
LOOSE = _forms(
    """add begin charge claim continue counter cry disclose enquire estimate hear hold indicate
    interject decide interrupt laugh list mention note observe offer pronounce propose
    query question quote read repeat report reveal shout show sigh snap state
    thunder underline underscore yell""",
    irregular="""began begins found finds heard hears held holds put puts chimed shot sang swore
    thinks think thought felt feels feel knew knows know concurred concurs replied""",
)

# Take a thing for an object and pass a judgement on it.
JUDGING = _forms(
    """accuse applaud attack back berate blame blast call commend condemn criticise criticize
    decline decry defend denounce deplore deride describe dismiss dispute doubt downplay echo
    embrace endorse express favor favour hail lambast lambaste laud mock oppose praise rebuke rebuff
    reject ridicule salute slam spurn support thank threaten welcome""",
    irregular="""denied denies deny decried refuted refutes rebutted rebuts regretted regrets
    refused refuses undertook undertakes""",
)

# Name what somebody holds, hopes or wants.
HOLDING = _forms(
    """agree anticipate believe consider deem disagree envisage envision expect fear hope intend
    plan prefer reckon seek suspect want wish""",
    irregular="sought preferred dreads dreaded planned plans",
)

REPORTING = SAYING | LOOSE | JUDGING | HOLDING

# Verbs that may stand before their subject: ``"…," said the mayor``.
INVERTING = SAYING | LOOSE

GERUNDS = word_set(
    """acknowledging adding admitting alleging announcing arguing asserting calling claiming
    complaining conceding concluding confirming contending declaring denouncing denying
    describing dismissing emphasising emphasizing explaining hoping insisting noting
    observing predicting promising recalling remarking repeating replying saying stating
    stressing suggesting telling urging vowing warning wondering writing"""
)

# Reporting verbs that are nouns as well.
NOUNS = word_set(
    """plan plans hope hopes claim claims charge charges report reports state states show shows
    attack attacks support call calls doubt doubts fear fears wish question questions quote
    quotes comment comments list lists offer offers estimate estimates feel hold holds
    praise blame tweet tweets remark remarks reply replies promise promises protest protests
    request requests demand demands voice complaint point points note notes answer threat
    plea pledge pledges reason favor favour cry sign signal vow vows urge contention put
    worry back backs salute thanks thank sighs fund"""
)
