"""What a training run is going to do: the labels, the rows of each side, the models involved."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stancekit.checkpoint import METADATA, TOKENIZER, Checkpoint
from stancekit.encoding import Encoder
from stancekit.errors import CheckpointError, InputError
from stancekit.finetune import splits
from stancekit.finetune.checks import Checked, check, check_sides
from stancekit.finetune.label_sets import Chosen, choose
from stancekit.finetune.labelled import Data, Labelled, labelled
from stancekit.finetune.splits import Split
from stancekit.model import BUNDLED
from stancekit.records import Example, LabelSet

__all__ = ["Plan", "as_data", "inspect", "prepare"]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that is settled before training.

    Attributes:
        base: folder of the encoder to go on from.
        old: folder of the model to compare with.
        chosen: the labels, and how they were come by.
        checked: what was found in the rows.
        split: the rows of each side.
        sources: names of the files they came from.
    """

    base: Path
    old: Path
    chosen: Chosen
    checked: Checked
    split: Split
    sources: tuple[str, ...]

    @property
    def labels(self) -> LabelSet:
        return self.chosen.labels

    def __str__(self) -> str:
        """What is about to happen, for people."""
        table = self.split.table(self.labels)
        return f"{self.checked}\n{self.chosen}\nsplit by {self.split.by}\n\n{table}"


def prepare(
    data: Data | Sequence[Example],
    *,
    dev: Data | Sequence[Example] | None = None,
    base: str | Path | None = None,
    labels: LabelSet | None = None,
    seed: int = 13,
) -> Plan:
    """Check the rows, settle the labels and split.

    Args:
        data: labelled rows.
        dev: rows to score with; by default a part of ``data``.
        base: a Hugging Face folder; None for the bundled model.
        labels: the label set; by default that of the base or, for other names, by what they say.
        seed: of the split.

    Raises:
        InputError: the rows have an error (the first is named), or cannot be split.
        CheckpointError: the base is not a folder to train from.
        MissingExtraError: scikit-learn is not installed.
    """
    rows = as_data(data)
    chosen, checked, held = inspect(
        rows, dev=None if dev is None else as_data(dev), base=base, labels=labels
    )
    checked.refuse_errors()
    examples = [row.example for row in checked.rows]
    if dev is None:
        sides = splits.split(examples, seed)
    else:
        sides = splits.given(examples, [row.example for row in held])
    folder = _folder(base)
    old = folder if (folder / METADATA).is_file() else BUNDLED
    return Plan(folder, old, chosen, checked, sides, rows.sources)


def inspect(
    data: Data,
    *,
    dev: Data | None = None,
    base: str | Path | None = None,
    labels: LabelSet | None = None,
) -> tuple[Chosen, Checked, tuple[Labelled, ...]]:
    """The labels of the rows, all that is wrong with them, and the dev rows to use.

    Arguments as ``prepare``. What is wrong with dev is counted in with the rest.

    Raises:
        InputError: there are no rows, or labels whose polarity is not known.
        CheckpointError: the base is not a folder to train from.
    """
    folder = _folder(base)
    for side in (data, *([] if dev is None else [dev])):
        if not side.rows:
            name = " and ".join(side.sources) or "rows"
            raise (*side.bad, InputError(name, "no labelled rows", "some to train and score on"))[0]
    known = Checkpoint.read(folder).labels if (folder / METADATA).is_file() else None
    chosen = choose(data.rows, labels, known)
    encoder = Encoder(folder / TOKENIZER)
    checked = check(data, chosen, encoder)
    if dev is None:
        return chosen, checked, ()
    other = check(dev, chosen, encoder)
    errors = (*checked.errors, *other.errors, *check_sides(checked.rows, other.rows))
    warnings = (*checked.warnings, *(f"dev: {warning}" for warning in other.warnings))
    checked = dataclasses.replace(checked, errors=errors, warnings=warnings)
    return chosen, checked, other.rows


def as_data(rows: Data | Sequence[Example]) -> Data:
    return rows if isinstance(rows, Data) else labelled(rows)


def _folder(base: str | Path | None) -> Path:
    folder = BUNDLED if base is None else Path(base).resolve()
    for name in ("config.json", TOKENIZER, "*.safetensors"):
        if not any(folder.glob(name)):
            raise CheckpointError(
                str(folder),
                f"no {name}",
                "a Hugging Face folder with config.json, tokenizer.json and safetensors",
                "download the encoder first: nothing is fetched here",
            )
    return folder
