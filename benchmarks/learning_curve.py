"""How many labels it takes: the bundled model trained further on few rows of topics new to it.

    python -m benchmarks.learning_curve TEXTS PUBLIC [--sets NAME …] [--recipes NAME …]
        [--sizes N …] [--seeds N …] [--work DIR]

``TEXTS`` holds the real sentences of our dev rows, whose topics the bundled model has not seen;
``PUBLIC`` the stance sets ``semeval2016_a``, ``wtwt`` and ``vast``, which it has not seen either.
Of each set, so many labelled rows are drawn, split as ``stancekit train`` splits them, and trained
on. What comes out is scored, before it is made of 8 bits, on rows that no draw takes from (of our
dev rows, those on other topics), beside the bundled model on the same rows.

A cell is one recipe, size and seed. Each goes to ``results/learning_curve.json`` as it is done, and
is not done again: stop and start as you like.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import results
from stancekit.checkpoint import TOKENIZER, Checkpoint
from stancekit.errors import FileError, InputError, StancekitError
from stancekit.evaluation import data_hash
from stancekit.finetune import Options, Recipe, fit, splits
from stancekit.finetune.samples import rehearsal
from stancekit.finetune.training import GOING_ON, label_weights
from stancekit.model import BUNDLED
from stancekit.records import Example
from training import manifest as manifests
from training.manifest import LABELS
from training.probabilities import probabilities

NAME = "learning_curve"
OURS, PUBLIC_SETS = "dev", ("semeval2016_a", "wtwt", "vast")
SIZES = (25, 50, 100, 200, 500, 1000)
SEEDS = (0, 1, 2, 3, 4)
MOST_SCORED = 1000  # rows; the largest sets would take longer to score than to train on
RECIPES = {
    "default": Options(GOING_ON),
    "quick": Options(Recipe()),
    "frozen": Options(Recipe(learning_rate=5e-5, epochs=6, frozen_layers=4)),
    "rehearsed": Options(GOING_ON, rehearsal=500),
    "to the end": Options(Recipe(learning_rate=3e-5, epochs=4), patience=0),
}


def ours(texts: Path) -> tuple[list[Example], list[Example]]:
    """Rows to draw from and rows to score, of our real dev rows; no topic is in both.

    Raises:
        FileError: there are no texts for them.
    """
    rows = [row.example for row in manifests.load(texts).dev if row.real]
    if not rows:
        raise FileError(str(texts), "no real dev rows", "the folder of texts")
    halves = splits.split(rows, seed=0)
    return list(halves.train), list(halves.dev)


def public(folder: Path, name: str) -> tuple[list[Example], list[Example]]:
    """Rows to draw from and rows to score, of the train and the dev file of a public set.

    A label that the dev file has no row of is not learnt: it could only cost there.

    Raises:
        FileError: a file is not there.
    """
    scored = _stances(folder / f"{name}.dev.jsonl")
    labels = {row.label for row in scored}
    pool = [row for row in _stances(folder / f"{name}.train.jsonl") if row.label in labels]
    return pool, scored


def _stances(path: Path) -> list[Example]:
    try:
        with path.open(encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
    except OSError as error:
        raise FileError(str(path), str(error), "a public stance set") from None
    return [
        Example(row["statement"], row["topic"], row.get("speaker"), row["stance"])
        for row in rows
        if row["stance"] in LABELS.names
    ]


def draw(rows: Sequence[Example], size: int, seed: int) -> list[Example]:
    """So many rows; those of a smaller size are among those of a larger one of the same seed."""
    order = list(rows)
    random.Random(seed).shuffle(order)
    return order[:size]


def macro_f1(folder: Path, rows: Sequence[Example]) -> float:
    """Macro-F1 of a folder's answers over the labels that the rows have."""
    answers = probabilities(folder, BUNDLED / TOKENIZER, rows).argmax(axis=1)
    gold = np.array([LABELS.index(str(row.label)) for row in rows])
    scores = []
    for label in np.unique(gold):
        right = ((answers == label) & (gold == label)).sum()
        scores.append(2 * right / ((answers == label).sum() + (gold == label).sum()))
    return float(np.mean(scores))


def cell(
    drawn: Sequence[Example], scored: Sequence[Example], options: Options, work: Path
) -> float:
    """Train on some rows as ``stancekit train`` would, and score."""
    try:
        sides = splits.split(drawn, options.recipe.seed)
    except InputError:
        # Too few to part: learnt from to the end, which ``train`` leaves to the caller.
        sides = splits.given(drawn, drawn)
        options = replace(options, patience=0)
    rows = [*sides.train, *rehearsal(options.rehearsal, options.recipe.seed)]
    shutil.rmtree(work, ignore_errors=True)
    folder = fit(
        BUNDLED,
        rows,
        sides.dev,
        LABELS,
        work,
        options.recipe,
        patience=options.patience,
        weights=label_weights(rows, LABELS) if options.class_weights else None,
        watch=lambda _: None,
    )
    score = macro_f1(folder, scored)
    shutil.rmtree(work)
    return score


def by_size(one: Mapping[str, Any]) -> dict[str, dict[int, list[float]]]:
    """A set's gains over the bundled model: by recipe and size, one a seed."""
    gains: defaultdict[str, defaultdict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for key, score in one["cells"].items():
        recipe, size, _ = key.split("/")
        gains[recipe][int(size)].append(score - one["before"])
    return {recipe: dict(sorted(sizes.items())) for recipe, sizes in sorted(gains.items())}


def summary(facts: Mapping[str, Any]) -> list[str]:
    """A line a set, recipe and size: mean over seeds, and the worst and best against before."""
    return [
        f"{name}  {recipe}  {size:>5}  macro-F1 {one['before'] + np.mean(gains):.3f} "
        f"(before {one['before']:.3f}, {min(gains):+.3f} to {max(gains):+.3f}, "
        f"{len(gains)} seeds)"
        for name, one in facts["sets"].items()
        for recipe, sizes in by_size(one).items()
        for size, gains in sizes.items()
    ]


def run(options: argparse.Namespace) -> None:
    known = (results.RESULTS / f"{NAME}.json").is_file()
    start = Checkpoint.read(BUNDLED).hash
    facts: dict[str, Any] = {"model": start, "sets": {}, "recipes": {}}
    if known:
        facts |= results.read(NAME)
    if facts["model"] != start:
        raise InputError(NAME, "cells of another model", "those of the bundled one", "remove them")
    for recipe in options.recipes:
        described = asdict(RECIPES[recipe])
        if facts["recipes"].setdefault(recipe, described) != described:
            raise InputError(recipe, "cells of another recipe of that name", "one recipe a name")
    for name in options.sets:
        pool, scored = ours(options.texts) if name == OURS else public(options.public, name)
        scored = draw(scored, MOST_SCORED, 0)
        data = data_hash([*pool, *scored])
        one = facts["sets"].setdefault(
            name, {"data": data, "scored": len(scored), "pool": len(pool), "cells": {}}
        )
        if one["data"] != data:
            raise InputError(name, "cells of other rows", "the rows they were made of")
        if "before" not in one:
            one["before"] = macro_f1(BUNDLED, scored)
        for size in options.sizes:
            for seed in options.seeds:
                for recipe in options.recipes:
                    key = f"{recipe}/{size}/{seed}"
                    if key in one["cells"] or size > len(pool):
                        continue
                    chosen = RECIPES[recipe]
                    chosen = replace(chosen, recipe=replace(chosen.recipe, seed=seed))
                    score = cell(draw(pool, size, seed), scored, chosen, options.work)
                    one["cells"][key] = score
                    kept = {name: facts[name] for name in ("model", "sets", "recipes")}
                    results.save(NAME, kept)
                    print(f"{name}  {key}  {score:.3f} (before {one['before']:.3f})", flush=True)
    print("\n".join(summary(facts)))


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.learning_curve", description=__doc__
    )
    parser.add_argument("texts", type=Path)
    parser.add_argument("public", type=Path)
    parser.add_argument(
        "--sets", nargs="+", choices=(OURS, *PUBLIC_SETS), default=[OURS, *PUBLIC_SETS]
    )
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=["default"])
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES))
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS))
    parser.add_argument(
        "--work", type=Path, default=Path(tempfile.gettempdir()) / "stancekit-curve"
    )
    run(parser.parse_args(arguments))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except StancekitError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
