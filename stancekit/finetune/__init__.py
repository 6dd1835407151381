"""Labelled rows to a better model: check, split, train, calibrate, export, compare.

``train`` does it all: ``prepare`` settles what is to be done, ``carry_out`` does it. ``fit`` is the
training loop alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stancekit.finetune.labelled import Columns, Data, read_labelled
from stancekit.finetune.loop import Recipe, fit
from stancekit.finetune.plan import Plan, prepare
from stancekit.finetune.training import Options, Trained, carry_out, recipe_of
from stancekit.finetune.watching import Progress, Watch
from stancekit.records import Example, LabelSet

__all__ = [
    "Columns",
    "Data",
    "Options",
    "Plan",
    "Progress",
    "Recipe",
    "Trained",
    "Watch",
    "carry_out",
    "fit",
    "prepare",
    "read_labelled",
    "train",
]


def train(
    data: Data | Sequence[Example],
    output: str | Path,
    *,
    dev: Data | Sequence[Example] | None = None,
    base: str | Path | None = None,
    labels: LabelSet | None = None,
    options: Options | None = None,
    watch: Watch | None = None,
) -> Trained:
    """Train a model on labelled rows, and say whether it is better than the one before.

    Args:
        data: labelled rows, from ``read_labelled`` or made in Python.
        output: folder of the new model; must not exist yet, and appears whole or not at all.
        dev: rows to score with; by default about a quarter of ``data``, by topic or group.
        base: a Hugging Face folder to go on from; None for the bundled model.
        labels: the label set; by default the base's or, for other names, by what they say.
        options: how to train; by default gently from the bundled model, as usual from another.
        watch: called with every step and every score.

    Raises:
        InputError: the rows have an error (the first is named), or cannot be split.
        FileError: the place is taken.
        CheckpointError: the base is not a folder to train from.
        MissingExtraError: the ``train`` extra is not installed.
    """
    options = options or Options(recipe_of(base))
    plan = prepare(data, dev=dev, base=base, labels=labels, seed=options.recipe.seed)
    return carry_out(plan, output, options, watch)
