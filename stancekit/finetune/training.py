"""From a plan to a model folder: train, export, calibrate, compare, describe, put in place."""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from stancekit.calibration import risk_thresholds
from stancekit.checkpoint import TOKENIZER, Checkpoint
from stancekit.errors import FileError, InputError
from stancekit.evaluation import Report, data_hash
from stancekit.export import describe, export
from stancekit.finetune.card import Made, write_card
from stancekit.finetune.finishing import Parity, fitted_temperature, parity, report
from stancekit.finetune.loop import Recipe, fit
from stancekit.finetune.plan import Plan
from stancekit.finetune.samples import dev_sample, rehearsal
from stancekit.finetune.verdict import Verdict, compare
from stancekit.finetune.watching import Watch
from stancekit.locks import lock_folder
from stancekit.model import StanceModel, load
from stancekit.records import Example, LabelSet

__all__ = ["GOING_ON", "Options", "Trained", "carry_out", "label_weights", "recipe_of"]

# From a model that knows the labels: at the rate of a fresh start, or in smaller batches, fifty
# rows made it worse more often.
GOING_ON = Recipe(epochs=6, learning_rate=3e-5)
MOST_FLIPS = 0.02  # share of rows that 8 bits may label differently; the bundled model: 0.005


@dataclass(frozen=True, slots=True)
class Options:
    """How to train, beyond the rows.

    Attributes:
        recipe: of the training loop; its seed also draws the split and the rehearsal.
        patience: stop after so many scorings on dev without a better macro-F1 and keep the best; 0
            trains to the end and keeps the last.
        class_weights: whether rows of rare labels count more.
        rehearsal: rows of the bundled model's training to mix in, so that it forgets less.
    """

    recipe: Recipe = field(default_factory=Recipe)
    patience: int = 2
    class_weights: bool = True
    rehearsal: int = 0


@dataclass(frozen=True, slots=True)
class Trained:
    """What came of a run.

    Attributes:
        folder: the model.
        report: its scores on dev, which also chose its epoch and set its temperature.
        parity: how its two engines compare.
        verdict: against the old model on dev; None where their labels differ.
        forgetting: against the old model on the statements that ship with the package; None where
            the labels differ from theirs.
        seconds: that this process took.
    """

    folder: Path
    report: Report
    parity: Parity
    verdict: Verdict | None
    forgetting: Verdict | None
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Numbers, strings, lists and dicts only, ready for JSON."""
        verdicts = {"verdict": self.verdict, "forgetting": self.forgetting}
        return {
            "folder": str(self.folder),
            "report": self.report.to_dict(),
            "parity": asdict(self.parity),
            "seconds": self.seconds,
        } | {name: one and one.to_dict() for name, one in verdicts.items()}

    def __str__(self) -> str:
        """The report, then what it was all for: the verdict."""
        verdict = self.verdict or "the labels differ from those of the model before: no comparison"
        forgetting = self.forgetting or "the labels differ from theirs: not measured"
        return (
            f"{self.report}\n\n{self.parity}\n\n"
            f"new model against old, on dev: {verdict}\n\n"
            f"on statements from elsewhere that neither has learnt: {forgetting}\n\n"
            f"written to {self.folder} in {self.seconds:.0f} s"
        )


def recipe_of(base: Path | str | None, **chosen: Any) -> Recipe:
    """The default recipe with what was chosen in its place; None is the default.

    Args:
        base: the encoder to start from; the bundled model, which is None, is led on gently.

    Raises:
        InputError: a value that no training could go by.
    """
    recipe = replace(
        GOING_ON if base is None else Recipe(),
        **{name: value for name, value in chosen.items() if value is not None},
    )
    for name in ("epochs", "learning_rate", "batch"):
        if not getattr(recipe, name) > 0:
            raise InputError(name, f"{getattr(recipe, name):g}", "more than 0")
    if recipe.frozen_layers < 0:
        raise InputError("frozen_layers", str(recipe.frozen_layers), "0 or more")
    return recipe


def carry_out(
    plan: Plan, output: str | Path, options: Options | None = None, watch: Watch | None = None
) -> Trained:
    """Train a model and put it in its place, whole.

    All work is done in a hidden folder beside the place, which stays behind when the run is
    interrupted; the same call then goes on from there.

    Args:
        plan: what ``prepare`` settled.
        output: where the model goes; must not exist yet.
        options: how to train.
        watch: called with every step and every score.

    Raises:
        FileError: the place is taken or about to be, or its folder is missing.
        InputError: rehearsal for other labels than the bundled ones, or a hidden folder of a run
            with other rows or options.
        MissingExtraError: the ``train`` extra is not installed.
        StancekitError: the two engines differ on too many rows.
    """
    options, output = options or Options(), Path(os.path.abspath(output))
    _check_place(output)
    work = output.with_name(f".{output.name}.training")
    try:
        lock = lock_folder(work)
    except BlockingIOError:
        raise FileError(
            str(output), "another run that makes it", "one at a time", "wait for it to end"
        ) from None
    except OSError as error:
        raise FileError(str(work), str(error), "a folder that can be made") from None
    with lock:
        return _make(plan, output, work, options, watch)


def _make(plan: Plan, output: Path, work: Path, options: Options, watch: Watch | None) -> Trained:
    start = time.monotonic()
    train = [*plan.split.train, *_rehearsed(plan.labels, options)]
    dev = plan.split.dev
    trained = fit(
        plan.base,
        train,
        dev,
        plan.labels,
        work / "trained",
        options.recipe,
        patience=options.patience,
        weights=label_weights(train, plan.labels) if options.class_weights else None,
        watch=watch,
    )
    folder = work / "model"
    shutil.rmtree(folder, ignore_errors=True)
    export(trained, plan.base / TOKENIZER, folder, options.recipe.seed)
    manifest = data_hash(train)
    describe(folder, plan.labels, temperature=1, thresholds={}, manifest=manifest, dev={})
    sample = dev_sample()
    engines = parity(folder, [*dev, *sample], MOST_FLIPS)
    fitted = fitted_temperature(load(folder, engine="onnx"), dev)
    describe(folder, plan.labels, temperature=fitted, thresholds={}, manifest=manifest, dev={})
    model = load(folder, engine="onnx")
    scores = report(model, dev, manifest)
    verdict = _against(plan.old, model, dev)
    forgetting = _against(plan.old, model, sample)
    write_card(
        folder,
        Made(
            plan=plan,
            train=train,
            rehearsed=options.rehearsal,
            options=asdict(options),
            report=scores,
            parity=engines,
            verdict=verdict,
            forgetting=forgetting,
        ),
        output.name,
    )
    describe(
        folder,
        plan.labels,
        temperature=fitted,
        thresholds=risk_thresholds(model.predict_many(dev), dev),
        manifest=manifest,
        dev={"dev": scores.to_dict()},
    )
    os.replace(folder, output)
    shutil.rmtree(work)
    return Trained(output, scores, engines, verdict, forgetting, time.monotonic() - start)


def _check_place(output: Path) -> None:
    if output.exists():
        raise FileError(
            str(output), "something there already", "a place for a new folder", "name another"
        )
    if not output.parent.is_dir():
        raise FileError(
            str(output.parent), "no such folder", "one to put the model into", "make it first"
        )


def _rehearsed(labels: LabelSet, options: Options) -> list[Example]:
    rows = rehearsal(options.rehearsal, options.recipe.seed)
    if {row.label for row in rows} - set(labels.names):
        raise InputError(
            "rehearsal",
            f"labels {', '.join(labels.names)}",
            "the bundled model's labels",
            "train without rehearsal",
        )
    return rows


def label_weights(rows: Sequence[Example], labels: LabelSet) -> list[float]:
    """What a row of each label counts, 1 on average over the rows.

    By the square root of how rare the label is: by rarity itself, a handful of rows would drown
    the rest.
    """
    counts = Counter(row.label for row in rows)
    raw = {name: counts[name] ** -0.5 for name in labels.names if counts[name]}
    mean = sum(raw[name] * counts[name] for name in raw) / len(rows)
    return [raw.get(name, mean) / mean for name in labels.names]


def _against(old: Path, new: StanceModel, rows: Sequence[Example]) -> Verdict | None:
    """The verdict on some rows, where both models and the rows share their labels."""
    names = set(new.labels.names)
    if set(Checkpoint.read(old).labels.names) != names or {str(r.label) for r in rows} - names:
        return None
    answers = load(old, engine="onnx").predict_many(rows)
    return compare(rows, answers, new.predict_many(rows), new.labels)
