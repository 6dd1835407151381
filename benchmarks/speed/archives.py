"""Whole archives, by size and with repetition, beside the pipeline on rows of the same archive."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.speed.counting import timed
from benchmarks.speed.pipelines import Labelling, pipeline
from benchmarks.speed.rows import distinct, repeating
from benchmarks.speed.setting import SEED, Setting, engine_arguments
from stancekit.errors import InputError
from stancekit.records import Example

ROOT = Path(__file__).parents[2]


def archives(setting: Setting) -> dict[str, Any]:
    """Each archive: what it took and how much longer the pipeline takes a row.

    The pipeline runs on a sample of each archive's rows, once before and once after it.
    """
    sizes = setting.sizes
    most = max(*sizes.archives, sizes.repeating)
    rows = distinct(setting.statements, setting.topics, most, SEED)
    model, _ = setting.open()
    other = pipeline(setting.model, model.engine)
    del model
    runs = [beside(setting, rows[:size], other) for size in sizes.archives]
    runs.append(beside(setting, repeating(rows, sizes.repeating, SEED), other))
    return {"archives": runs}


def beside(setting: Setting, rows: Sequence[Example], other: Labelling) -> dict[str, Any]:
    """One archive of these rows, between two runs of the pipeline on some of them."""
    sample = rows[: setting.sizes.sample]
    other(sample[:32])
    before = timed(lambda: other(sample))
    facts = score(setting, rows)
    after = timed(lambda: other(sample))
    rate = 2 * len(sample) / (before + after)
    return {
        **facts,
        "distinct": len(set(rows)),
        "pipeline_rows": len(sample),
        "pipeline_rows_per_second": rate,
        "pipeline_seconds": [before, after],
        "ratio": facts["rows_per_second"] / rate,
    }


def score(setting: Setting, rows: Sequence[Example]) -> dict[str, Any]:
    """A file of these rows, scored by a process of its own.

    Raises:
        InputError: rows were refused or lost.
    """
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.jsonl", Path(folder) / "out.jsonl"
        with source.open("w", encoding="utf-8") as out:
            for row in rows:
                fields = {"statement": row.statement, "topic": row.topic, "speaker": row.speaker}
                out.write(json.dumps(fields) + "\n")
        command = [sys.executable, "-m", "benchmarks.speed.one_archive", str(source), str(target)]
        began = time.perf_counter()
        done = subprocess.run(
            [*command, *engine_arguments(setting)],
            check=True,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        whole = time.perf_counter() - began
        with target.open(encoding="utf-8") as lines:
            written = sum(1 for _ in lines)
    facts: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if written != len(rows) or facts["errors"]:
        raise InputError(
            "archive", f"{written:,} rows out, {facts['errors']:,} errors", f"{len(rows):,} rows"
        )
    # Of the whole process, as whoever types the command sees it.
    return {**facts, "process_seconds": whole, "rows_per_second": len(rows) / whole}
