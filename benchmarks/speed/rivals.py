"""The same dev rows by what else one could run, in turns."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.speed.counting import in_turns, rates, ratios, timed
from benchmarks.speed.other_process import CrossEncoder, float_folder
from benchmarks.speed.pipelines import BATCH, pipeline, sorted_loop
from benchmarks.speed.setting import Setting
from benchmarks.speed.zero_shot import zero_shot

OURS = "stancekit"


def rivals(setting: Setting) -> dict[str, Any]:
    """Seconds of each a turn, rates, ratios to ours turn by turn, and how often labels agree."""
    rows, few = setting.sample, setting.sample[: setting.sizes.zero_shot]
    model, counted = setting.open()
    engine = counted.engine
    whole = pipeline(setting.model, engine)
    single = pipeline(setting.model, engine, batch=1)
    loop = sorted_loop(setting.model, engine)
    guesser = zero_shot(setting.model, engine, model.labels.names)
    runs: dict[str, Callable[[], float]] = {
        OURS: lambda: timed(lambda: model.predict_many(rows)),
        "pipeline_32": lambda: timed(lambda: whole(rows)),
        "pipeline_1": lambda: timed(lambda: single(rows)),
        "sorted_loop": lambda: timed(lambda: loop(rows)),
        "zero_shot": lambda: timed(lambda: guesser(few)),
    }
    sizes = dict.fromkeys(runs, len(rows)) | {"zero_shot": len(few)}
    with ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory()))
        float_folder(setting.model, folder)
        cross = cleanup.enter_context(CrossEncoder(setting.cross_encoder_python, folder))
        if cross.versions:
            runs["cross_encoder"] = lambda: cross.seconds(rows)
            sizes["cross_encoder"] = len(rows)
        # The first run of each pays for setting up.
        guesser(few[:1])
        for run in (whole, single, loop):
            run(rows[:BATCH])
        ours = model.predict_many(rows)
        same = [a.label == b for a, b in zip(ours, whole(rows), strict=True)]
        seconds = in_turns(runs, setting.sizes.turns)
    counted.reset()
    spent = timed(lambda: model.predict_many(rows))
    per_row = {name: [one / sizes[name] for one in taken] for name, taken in seconds.items()}
    return {
        "own": rates(len(rows), spent, counted),
        "labels": len(model.labels),
        "same_label": sum(same) / len(same),
        "runs": {
            name: {
                "rows": sizes[name],
                "seconds": seconds[name],
                "rows_per_second": 1 / median(per_row[name]),
                "ratios": ratios(per_row[name], per_row[OURS]),
            }
            for name in runs
        },
        "skipped": {"cross_encoder": cross.reason} if cross.reason else {},
        "cross_encoder_versions": cross.versions,
    }
