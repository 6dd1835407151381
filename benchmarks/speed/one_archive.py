"""Score one archive in a process of its own, and print what it took as JSON.

python -m benchmarks.speed.one_archive IN OUT [--model DIR] [--engine E] [--device D]
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from benchmarks.speed.counting import Counting, peak_mib, rates
from stancekit import archive
from stancekit.model import BUNDLED, StanceModel, load


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.one_archive")
    parser.add_argument("input", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--model", type=Path, default=BUNDLED)
    parser.add_argument("--engine")
    parser.add_argument("--device")
    options = parser.parse_args()
    began = time.perf_counter()
    model = load(options.model, engine=options.engine, device=options.device)
    opened = time.perf_counter()
    counted = Counting(model.engine)
    summary = archive.score([options.input], options.output, StanceModel(model.checkpoint, counted))
    facts = {
        "load_seconds": opened - began,
        "errors": summary.errors,
        **rates(summary.rows, time.perf_counter() - opened, counted),
        "engine_share": counted.seconds / (time.perf_counter() - opened),
        "peak_mib": peak_mib(),
    }
    print(json.dumps(facts))


if __name__ == "__main__":
    main()
