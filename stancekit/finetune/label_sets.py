"""Which labels a data set has, what each is worth, and what a stray one was meant to be."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from stancekit.errors import InputError, RecordError
from stancekit.finetune.labelled import Labelled
from stancekit.records import LabelSet

__all__ = ["Chosen", "choose", "stray_labels"]

# Names that stance sets use, in lower case, to their polarity.
KNOWN: dict[str, float | None] = {
    **dict.fromkeys(("favour", "favor", "in favour", "in favor", "pro", "for", "support"), 1),
    **dict.fromkeys(("agree", "positive", "optimistic", "approve", "supportive"), 1),
    **dict.fromkeys(("against", "con", "anti", "oppose", "opposed", "refute", "deny"), -1),
    **dict.fromkeys(("disagree", "negative", "contest", "disapprove", "pessimistic"), -1),
    **dict.fromkeys(("neutral", "mixed", "circumspect", "undecided", "ambivalent"), 0),
    **dict.fromkeys(("none", "unrelated", "no stance", "irrelevant", "n/a"), None),
}
STRONG = ("strongly ", "very ")
HALF = 0.5  # what a plain name is worth beside a strong one


@dataclass(frozen=True, slots=True)
class Chosen:
    """Labels, and how they were come by, in words."""

    labels: LabelSet
    how: str

    def __str__(self) -> str:
        worth = ", ".join(
            f"{name} ({'no stance' if value is None else f'{value:+g}' if value else '0'})"
            for name, value in zip(self.labels.names, self.labels.polarity, strict=True)
        )
        return f"Labels, {self.how}: {worth}"


def choose(rows: Sequence[Labelled], given: LabelSet | None, base: LabelSet | None) -> Chosen:
    """The label set of the rows.

    The one given; else that of the model to go on from, where most rows keep to it; else the names
    found, if the polarity of each is known.

    Raises:
        InputError: fewer than two labels, or a name whose polarity nobody knows.
    """
    if given is not None:
        return Chosen(given, "as given")
    counts = Counter(row.label for row in rows)
    # In whatever case: a difference of case is a slip, which the check will name.
    plain = {name.lower() for name in base.names} if base is not None else set()
    if base is not None and 2 * sum(row.label.lower() in plain for row in rows) > len(rows):
        return Chosen(base, "those of the model to go on from")
    if len(counts) < 2:
        raise InputError("labels", f"only {', '.join(counts) or 'none'}", "at least two labels")
    names = sorted(counts, key=lambda name: (_worth(name, False) is None, -_order(name), name))
    strong = any(_key(name) != name.lower() for name in names)
    unknown = [name for name in names if _key(name) not in KNOWN]
    if unknown:
        raise InputError(
            "labels",
            f"{', '.join(f'{name!r} ({counts[name]} rows)' for name in unknown)}, "
            "whose polarity no name tells",
            "+1 for, 0 in between, -1 against or none, for every label",
            " ".join(f"--polarity '{name}=…'" for name in names),
        )
    labels = LabelSet(tuple(names), tuple(_worth(name, strong) for name in names))
    return Chosen(labels, "taken by their names (--polarity says otherwise)")


def stray_labels(rows: Sequence[Labelled], labels: LabelSet) -> list[RecordError]:
    """An error for each label outside the set, at its first row, with the one likely meant."""
    stray: dict[str, list[str]] = {}
    for row in rows:
        if row.label not in labels.names:
            stray.setdefault(row.label, []).append(row.place)
    plain = {name.lower(): name for name in labels.names}
    errors = []
    for name, places in stray.items():
        close = difflib.get_close_matches(name.lower(), plain, n=1)
        meant = plain[close[0]] if close else ""
        errors.append(
            RecordError(
                f"{places[0]}, label",
                repr(name) + (f" ({len(places)} rows)" if len(places) > 1 else ""),
                f"one of {', '.join(labels.names)}",
                f"did you mean '{meant}'? then --map '{name}={meant}'"
                if meant
                else f"--map '{name}=…', or --polarity for labels of your own",
            )
        )
    return errors


def _key(name: str) -> str:
    """A name in lower case, without the word that makes it strong."""
    plain = name.lower().replace("_", " ").replace("-", " ").strip()
    for word in STRONG:
        plain = plain.removeprefix(word)
    return plain if plain in KNOWN else name.lower()


def _worth(name: str, strong: bool) -> float | None:
    value = KNOWN.get(_key(name))
    plain = _key(name) == name.lower()
    return value * HALF if value is not None and strong and plain else value


def _order(name: str) -> float:
    """Best first; a strong name beyond its plain one."""
    return _worth(name, True) or 0.0
