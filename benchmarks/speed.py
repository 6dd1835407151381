"""How fast an archive is scored, beside the Hugging Face pipeline with the same weights.

    python -m benchmarks.speed TEXTS [--rows 100000]

``TEXTS`` is the folder of real sentences that the stand-off labels belong to. Statements are drawn
from dev: with repetition for the archive, as wire copy repeats, and without for the rate a row.
Both sides run in this one process's time on the same threads, in turns, so that a busy machine
slows both. Results go to ``results/speed.json``.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.results import save
from stancekit.encoding import question
from stancekit.engines import usable_cpus
from stancekit.model import BUNDLED, StanceModel, load
from stancekit.records import Example
from training import manifest as manifests

SEED = 7
SAMPLE = 640  # rows a turn: twenty batches of the pipeline
TURNS = 3
PIPELINE_BATCH = 32


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("texts", type=Path)
    parser.add_argument("--rows", type=int, default=100_000)
    options = parser.parse_args()
    rng = random.Random(SEED)
    dev = [row.example for row in manifests.load(options.texts).dev]
    archive = score_archive([rng.choice(dev) for _ in range(options.rows)])
    print(json.dumps(archive, indent=2))
    beside = compare(rng.sample(dev, SAMPLE))
    # The archive's rate over the pipeline's: both measured minutes apart at most.
    beside["archive_ratio"] = archive["rows_per_second"] / beside["pipeline_rows_per_second"]
    print(json.dumps(beside, indent=2))
    print(f"written to {save('speed', {'archive': archive, 'pipeline': beside})}")


def score_archive(rows: Sequence[Example]) -> dict[str, Any]:
    """``stancekit score`` as a process of its own, on a file of these rows."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.jsonl", Path(folder) / "out.jsonl"
        with source.open("w", encoding="utf-8") as out:
            for row in rows:
                fields = {"statement": row.statement, "topic": row.topic, "speaker": row.speaker}
                out.write(json.dumps(fields) + "\n")
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "stancekit", "score", str(source), "-o", str(target)], check=True
        )
        seconds = time.perf_counter() - began
        with target.open(encoding="utf-8") as lines:
            written = sum(1 for _ in lines)
    if written != len(rows):
        raise SystemExit(f"error: {len(rows)} rows in, {written} out")
    return {
        "rows": len(rows),
        "distinct": len(set(rows)),
        "seconds": seconds,
        "rows_per_second": len(rows) / seconds,
        # Kilobytes on Linux; of the largest child so far, and this is the only one.
        "peak_mib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
    }


def compare(rows: Sequence[Example]) -> dict[str, Any]:
    """The model and the pipeline, in turns, on the same distinct rows."""
    import torch
    import transformers

    torch.set_num_threads(usable_cpus())
    transformers.logging.set_verbosity_error()
    pipeline: Any = transformers.pipeline(
        "text-classification", model=str(BUNDLED), dtype=torch.float32, device="cpu"
    )
    pairs = [{"text": question(row.topic, row.speaker), "text_pair": row.statement} for row in rows]
    model: StanceModel = load(engine="onnx")
    model.predict_many(rows[:PIPELINE_BATCH])
    pipeline(pairs[:PIPELINE_BATCH], batch_size=PIPELINE_BATCH)
    ours, theirs = [], []
    for _ in range(TURNS):
        began = time.perf_counter()
        answers = model.predict_many(rows)
        middle = time.perf_counter()
        labels = pipeline(pairs, batch_size=PIPELINE_BATCH)
        ours.append(middle - began)
        theirs.append(time.perf_counter() - middle)
    same = sum(a.label == b["label"] for a, b in zip(answers, labels, strict=True))
    return {
        "rows": len(rows),
        "turns": TURNS,
        "rows_per_second": len(rows) / min(ours),
        "pipeline_rows_per_second": len(rows) / min(theirs),
        "ratios": [b / a for a, b in zip(ours, theirs, strict=True)],
        "same_label": same / len(rows),
    }


if __name__ == "__main__":
    main()
