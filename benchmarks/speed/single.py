"""One statement at a time, and from nothing: latency, cold start, memory."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import numpy as np

from benchmarks.speed.archives import ROOT
from benchmarks.speed.counting import timed
from benchmarks.speed.pipelines import pipeline
from benchmarks.speed.setting import Setting

# Each prints the seconds from the interpreter's first line, and what it held at most.
OURS = """
import json, sys, time
began = time.perf_counter()
import stancekit
imported = time.perf_counter()
folder, engine, device = (part or None for part in sys.argv[1:])
model = stancekit.load(folder, engine=engine, device=device)
loaded = time.perf_counter()
model.predict("We support it.", "the bridge")
done = time.perf_counter()
from benchmarks.speed.counting import peak_mib
print(json.dumps({"import": imported - began, "load": loaded - imported,
                  "first": done - loaded, "inside": done - began, "peak_mib": peak_mib()}))
"""
PIPELINE = """
import json, sys, time
began = time.perf_counter()
import torch, transformers
imported = time.perf_counter()
folder, _, device = sys.argv[1:]
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
run = transformers.pipeline("text-classification", model=folder, dtype=torch.float32,
                            device=device or None)
loaded = time.perf_counter()
run({"text": "the bridge", "text_pair": "We support it."})
done = time.perf_counter()
from benchmarks.speed.counting import peak_mib
print(json.dumps({"import": imported - began, "load": loaded - imported,
                  "first": done - loaded, "inside": done - began, "peak_mib": peak_mib()}))
"""


def single(setting: Setting) -> dict[str, Any]:
    """Milliseconds of predictions one at a time, and seconds of fresh processes."""
    model, counted = setting.open()
    rows = setting.dev[: setting.sizes.singles]
    other = pipeline(setting.model, counted.engine, batch=1)
    for row in rows[:10]:
        model.predict(row.statement, row.topic, row.speaker)
        other([row])
    ours, theirs = [], []
    for row in rows:
        ours.append(timed(lambda r=row: model.predict(r.statement, r.topic, r.speaker)))  # type: ignore[misc]
        theirs.append(timed(lambda r=row: other([r])))  # type: ignore[misc]
    return {
        "rows": len(rows),
        "latency": {"stancekit": _milliseconds(ours), "pipeline": _milliseconds(theirs)},
        "starts": setting.sizes.starts,
        "cold_start": {
            "stancekit": _starts(setting, OURS),
            "pipeline": _starts(setting, PIPELINE),
        },
    }


def _milliseconds(seconds: list[float]) -> dict[str, float]:
    p50, p99 = np.percentile(seconds, [50, 99]) * 1000
    return {"p50": float(p50), "p99": float(p99)}


def _starts(setting: Setting, code: str) -> dict[str, float]:
    """Medians over fresh processes, of which a first one fills the disk's cache."""
    folder = str(setting.model.absolute())
    command = [sys.executable, "-c", code, folder, setting.engine or "", setting.device or ""]
    found = []
    for _ in range(1 + setting.sizes.starts):
        answer: list[str] = []

        def run(answer: list[str] = answer) -> None:
            done = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True)
            answer.append(done.stdout.splitlines()[-1])

        process = timed(run)
        found.append({**json.loads(answer[0]), "process": process})
    return {name: float(np.median([one[name] for one in found[1:]])) for name in found[0]}
