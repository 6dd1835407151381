"""What is wrong with labelled rows before a model learns it: errors stop, warnings count.

Every error names file and line; every warning says how many rows it is about and where the first
of them stands.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from stancekit.encoding import Encoder
from stancekit.errors import RecordError
from stancekit.finetune.label_sets import Chosen, stray_labels
from stancekit.finetune.labelled import Data, Labelled
from stancekit.finetune.likeness import near_identical, plain_topic, plain_words

__all__ = ["Checked", "check", "check_sides"]

FEW = 10  # rows of a label; below, neither learning nor scoring it comes to much


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found.

    Attributes:
        rows: those to use: the first of each set of duplicates.
        errors: each stops training.
        warnings: a line each.
        labels: label to how many rows have it, in the order of the set.
        topics: how many there are.
        with_speaker: share of rows that name one, in [0, 1].
    """

    rows: tuple[Labelled, ...]
    errors: tuple[RecordError, ...]
    warnings: tuple[str, ...]
    labels: dict[str, int]
    topics: int
    with_speaker: float

    def __str__(self) -> str:
        """A few lines for people, the errors left out."""
        counts = ", ".join(f"{n} {label}" for label, n in self.labels.items())
        lines = [
            f"{len(self.rows)} rows on {self.topics} topics: {counts}",
            f"rows with a speaker: {self.with_speaker:.0%}",
            *(f"warning: {warning}" for warning in self.warnings),
        ]
        return "\n".join(lines)

    def refuse_errors(self) -> None:
        """Raise the first error, saying how many more there are."""
        if self.errors:
            first, more = self.errors[0], len(self.errors) - 1
            step = first.next_step
            if more:
                rest = f"{more} more error{'s' if more > 1 else ''}: stancekit check lists them"
                step = f"{step}; {rest}" if step else rest
            raise RecordError(first.place, first.found, first.wanted, step)


def check(data: Data, chosen: Chosen, encoder: Encoder) -> Checked:
    """Look for every known defect of labelled rows.

    Args:
        data: the rows.
        chosen: the labels they may have.
        encoder: of the model to be trained; it knows what is too long.
    """
    labels = chosen.labels
    errors = list(data.bad) + stray_labels(data.rows, labels)
    rows, repeats, conflicts = _once(data.rows)
    errors += conflicts
    too_long, in_windows = _lengths(rows, encoder)
    errors += too_long
    counts = Counter(row.label for row in rows)
    if len({row.label for row in rows} & set(labels.names)) < 2:
        errors.append(
            RecordError(
                " and ".join(data.sources) or "rows",
                f"{len(rows)} labelled rows of {len(counts)} label(s)",
                "rows of at least two labels",
                "label some of another",
            )
        )
    topics = Counter(plain_topic(row.example.topic) for row in rows)
    once = [row for row in rows if topics[plain_topic(row.example.topic)] == 1]
    warnings = [
        _counted([""] * data.unlabelled, "without a label, left out"),
        _counted(repeats, "said before with the same label, left out"),
        _counted([row.place for row in in_windows], "too long for one window, cut into several"),
        *(_few(name, counts[name]) for name in labels.names),
        _counted([row.place for row in once], "on a topic that occurs once") if once else "",
    ]
    return Checked(
        rows=tuple(rows),
        errors=tuple(errors),
        warnings=tuple(warning for warning in warnings if warning),
        labels={name: counts[name] for name in labels.names},
        topics=len(topics),
        with_speaker=sum(row.example.speaker is not None for row in rows) / max(len(rows), 1),
    )


def check_sides(train: Sequence[Labelled], dev: Sequence[Labelled]) -> list[RecordError]:
    """An error for each dev row whose group, or nearly whose statement, is on the training side.

    Such a row is answered by heart, and the score of dev is then no longer that of new rows.
    """
    groups = {row.example.group: row for row in reversed(train) if row.example.group is not None}
    errors = {}
    for i, row in enumerate(dev):
        if row.example.group in groups:
            errors[i] = _both_sides(
                row, groups[row.example.group], f"the group {row.example.group!r} of"
            )
    rows = [*train, *dev]
    near = near_identical([row.example.statement for row in rows])
    for one, other in near:
        i = other - len(train)
        if one < len(train) <= other and i not in errors:
            same = plain_words(rows[one].example.statement) == plain_words(dev[i].example.statement)
            errors[i] = _both_sides(
                dev[i], rows[one], "the statement of" if same else "nearly the statement of"
            )
    return [errors[i] for i in sorted(errors)]


def _both_sides(row: Labelled, other: Labelled, what: str) -> RecordError:
    return RecordError(
        row.place,
        f"{what} {other.place}, which is in training",
        "dev rows that training does not hold",
        "leave one of them out",
    )


def _once(
    rows: Sequence[Labelled],
) -> tuple[list[Labelled], list[str], list[RecordError]]:
    """The first of each decision, the places of its repeats, and an error for each conflict."""
    first: dict[tuple[object, ...], Labelled] = {}
    clashing: defaultdict[tuple[object, ...], list[Labelled]] = defaultdict(list)
    repeats = []
    for row in rows:
        e = row.example
        key = (plain_words(e.statement) or e.statement, plain_topic(e.topic), e.speaker)
        known = first.setdefault(key, row)
        if known is row:
            continue
        if known.label == row.label:
            repeats.append(row.place)
        else:
            clashing[key].append(row)
    errors = [
        RecordError(
            f"{others[0].place}, label",
            f"{others[0].label!r}, but {first[key].label!r} for the same statement, topic and "
            f"speaker at {first[key].place}",
            "one label for one decision",
            "decide, and remove the other",
        )
        for key, others in clashing.items()
    ]
    return list(first.values()), repeats, errors


def _lengths(
    rows: Sequence[Labelled], encoder: Encoder
) -> tuple[list[RecordError], list[Labelled]]:
    """An error for each row that cannot be read at all, and the rows that take several windows."""
    errors, long = [], []
    for row in rows:
        try:
            (windows,) = encoder.encode([row.example])
        except RecordError as error:
            place = f"{row.place}, {error.place}"
            errors.append(RecordError(place, error.found, error.wanted, error.next_step))
            continue
        if len(windows) > 1:
            long.append(row)
    return errors, long


def _few(label: str, rows: int) -> str:
    if rows == 0:
        return f"label '{label}': no rows: the model will forget it, unless it rehearses"
    least = f"fewer than {FEW}: too few to learn or to score"
    return f"label '{label}': {rows} rows, {least}" if rows < FEW else ""


def _counted(places: Sequence[str], what: str) -> str:
    """``3 rows said before, first at rows.csv, line 7``; nothing where there are none."""
    if not places:
        return ""
    where = f" (first: {places[0]})" if places[0] else ""
    return f"{len(places)} row{'s' if len(places) > 1 else ''} {what}{where}"
