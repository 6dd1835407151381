"""What each step of the recipe bought, on dev: the teacher and the student.

    python -m benchmarks.steps OUT TEXTS --base DIR

``OUT`` is where ``python -m training -o OUT`` worked, ``--base`` the student's encoder (for its
tokenizer). All are scored as trained, in bfloat16 where the processor has it, before snapping to
eight bits; ``results/quality.json`` has what ships. Results go to ``results/steps.json``.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.baselines import predictions_of
from benchmarks.results import save
from stancekit.errors import StancekitError
from stancekit.evaluation import evaluate
from stancekit.records import Example
from training import manifest as manifests
from training.encoders import installed_student
from training.manifest import LABELS
from training.probabilities import probabilities

Parts = Mapping[str, list[Example]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.steps", description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("texts", type=Path)
    parser.add_argument("--base", type=Path)
    options = parser.parse_args()
    work = options.output / "work"
    # The teacher's first stage learns other sets' labels.
    folders = {"teacher": work / "teacher" / "second", "student": work / "student"}
    if (work / "mean").is_dir():
        folders["mean"] = work / "mean"
    base = options.base or installed_student()
    manifest = manifests.load(options.texts)
    parts = {
        "real": [row.example for row in manifest.dev if row.real],
        "written": [row.example for row in manifest.dev if not row.real],
    }
    facts: dict[str, Any] = {}
    for name, folder in folders.items():
        home = folder if name == "teacher" else base
        answers = {
            part: probabilities(folder, home / "tokenizer.json", rows)
            for part, rows in parts.items()
        }
        facts[name] = _scored(name, parts, answers)
    print(f"written to {save('steps', {'manifest': manifest.hash(), 'steps': facts})}")


def _scored(
    name: str, parts: Parts, answers: Mapping[str, NDArray[np.float64]]
) -> dict[str, dict[str, float]]:
    facts = {}
    for part, rows in parts.items():
        report = evaluate(rows, predictions_of(answers[part], LABELS), LABELS, recipe={})
        facts[part] = {"n": report.n, **asdict(report.macro_f1), "ece": report.ece}
        print(f"{name}, {part}: macro-F1 {report.macro_f1}, n = {report.n}", flush=True)
    return facts


if __name__ == "__main__":
    try:
        main()
    except StancekitError as error:
        raise SystemExit(f"error: {error}") from None
