"""What each step of the recipe bought, on dev: the teacher, the student, the mean.

    python -m benchmarks.steps OUT TEXTS --base DIR

``OUT`` is where ``python -m training -o OUT`` worked, ``--base`` the student's encoder (for its
tokenizer). All are scored as trained, in bfloat16 where the processor has it, before snapping to
eight bits; ``results/quality.json`` has what ships. Results go to ``results/steps.json``.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.baselines import predictions_of
from benchmarks.results import save
from stancekit.errors import StancekitError
from stancekit.evaluation import evaluate
from training import manifest as manifests
from training.encoders import installed_student
from training.manifest import LABELS
from training.probabilities import probabilities


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
        facts[name] = {}
        for part, rows in parts.items():
            answers = probabilities(folder, home / "tokenizer.json", rows)
            report = evaluate(rows, predictions_of(answers, LABELS), LABELS, recipe={})
            facts[name][part] = {"n": report.n, **asdict(report.macro_f1), "ece": report.ece}
            print(f"{name}, {part}: macro-F1 {report.macro_f1}, n = {report.n}", flush=True)
    print(f"written to {save('steps', {'manifest': manifest.hash(), 'steps': facts})}")


if __name__ == "__main__":
    try:
        main()
    except StancekitError as error:
        raise SystemExit(f"error: {error}") from None
