"""How much memory an archive takes, by its size: it must not grow with it.

    python -m benchmarks.memory [--rows 200000 1000000]

A stand-in answers for the model, so that what is measured is reading, remembering and writing. Each
size runs in a process of its own, from jsonl to every format, and reports the most memory it held.
Every statement is different, which fills what is remembered. Results go to ``results/memory.json``.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from benchmarks.results import save
from stancekit.archive import score
from stancekit.records import Example, LabelSet, Prediction

OUTPUTS = ["out.jsonl", "out.csv.gz", "out.parquet", "out"]  # the last is a folder of parquet
GROWTH = 1.1  # the most that the largest archive may hold of what the smallest holds


class Standin:
    """Answers every question alike, at once."""

    labels = LabelSet(("for", "against", "none"), (1.0, -1.0, None))

    def predict_many(self, rows: Iterable[Example]) -> list[Prediction]:
        answer = Prediction("for", {"for": 0.5, "against": 0.25, "none": 0.25}, 0.25)
        return [answer for _ in rows]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[200_000, 1_000_000])
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        score([arguments.one[0]], arguments.one[1], Standin(), topic="the bridge")
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        return
    peaks = {name: [peak(rows, name) for rows in arguments.rows] for name in OUTPUTS}
    save("memory", {"rows": arguments.rows, "peak_kib": peaks})
    for name, found in peaks.items():
        ratio = found[-1] / found[0]
        print(f"{name}: {', '.join(f'{kib / 1024:.0f} MiB' for kib in found)}, {ratio:.2f} times")
    grown = [name for name, found in peaks.items() if found[-1] > GROWTH * found[0]]
    if grown:
        sys.exit(f"memory grows with the archive: {', '.join(grown)}")


def peak(rows: int, name: str) -> int:
    """KiB that a process holds at most while it scores so many rows."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "in.jsonl")
        with source.open("w", encoding="utf-8") as file:
            for number in range(rows):
                statement = f"Statement {number}, " + "with some words more " * (number % 9)
                file.write(json.dumps({"id": number, "statement": statement}) + "\n")
        command = ["-m", "benchmarks.memory", "--one", str(source), str(Path(folder, name))]
        done = subprocess.run(
            [sys.executable, *command], check=True, stdout=subprocess.PIPE, text=True
        )
        return int(done.stdout)


if __name__ == "__main__":
    main()
