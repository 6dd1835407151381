"""Where the time of a run goes: steps, operators, and how much of it the products need at best."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.speed.counting import timed
from benchmarks.speed.peak import peaks, shapes
from benchmarks.speed.setting import Setting
from stancekit.checkpoint import TOKENIZER
from stancekit.encoding import Encoder, Window
from stancekit.engines import Engine
from stancekit.model import StanceModel, load
from stancekit.records import Example

INT8 = "int8"


def account(setting: Setting) -> dict[str, Any]:
    """Peaks, the least time that the products could take, and where the rest goes.

    Beside the integer engine, the torch engine says the same of float32.
    """
    model, counted = setting.open()
    facts = json.loads(model.checkpoint.file("config.json").read_text(encoding="utf-8"))
    rows = setting.sample
    encoder = Encoder(model.checkpoint.file(TOKENIZER), model.checkpoint.window)
    work = operations(facts, [window for windows in encoder.encode(rows) for window in windows])
    these = shapes(counted.batch_tokens, facts["hidden_size"], facts["intermediate_size"])
    highest = peaks(counted.engine, these, setting.sizes.peak_seconds)
    turns = range(setting.sizes.turns)
    encoder.encode(rows)
    found: dict[str, Any] = {
        "rows": len(rows),
        "peaks": highest,
        "operations": work,
        "encoding_seconds": min(timed(lambda: encoder.encode(rows)) for _ in turns),
        "engines": {counted.name: of_engine(setting, rows, work, highest)},
    }
    if counted.dtype == INT8:
        float32 = replace(setting, engine="torch", device="cpu")
        found["engines"]["torch"] = of_engine(float32, rows, work, highest)
    return found


def of_engine(
    setting: Setting,
    rows: Sequence[Example],
    work: Mapping[str, float],
    highest: Mapping[str, Any],
) -> dict[str, Any]:
    """One engine's seconds on some rows, the seconds its products need, and its operators."""
    model, counted = setting.open()
    model.predict_many(rows)
    runs = []
    for _ in range(setting.sizes.turns):
        counted.reset()
        whole = timed(lambda: model.predict_many(rows))
        runs.append((whole, counted.seconds))
    whole, inside = min(runs)
    rates = {name: one["rate"] for name, one in highest.items()}
    needed = least_seconds(work, counted.dtype, rates)
    return {
        "dtype": counted.dtype,
        "padding_share": 1 - counted.tokens / counted.padded,
        "seconds": {"whole": whole, "engine": inside, "products_at_peak": needed},
        "share_of_peak": {"engine": needed / inside, "whole": needed / whole},
        "operators": operators(setting, counted.engine, lambda some: some.predict_many(rows)),
    }


def operations(facts: Mapping[str, Any], windows: Sequence[Window]) -> dict[str, float]:
    """Operations of the products, padding left out, by whether one side is a constant.

    Args:
        facts: ``config.json`` of a BERT-like encoder.
        windows: what it reads.

    Returns:
        ``weights``: products by weights; ``attention``: queries by keys, and shares by values.
    """
    hidden, inner, layers = (
        facts[name] for name in ("hidden_size", "intermediate_size", "num_hidden_layers")
    )
    lengths = [len(window) for window in windows]
    return {
        "weights": 2.0 * layers * (4 * hidden**2 + 2 * hidden * inner) * sum(lengths),
        "attention": 4.0 * layers * hidden * sum(n * n for n in lengths),
    }


def least_seconds(work: Mapping[str, float], dtype: str, rates: Mapping[str, float]) -> float:
    """Seconds the products would take at the peak of the dtype that each is made in.

    The integer engine makes those by weights in integers and attention in float32.
    """
    attention = "float32" if dtype == INT8 else dtype
    return work["weights"] / rates[dtype] + work["attention"] / rates[attention]


def operators(
    setting: Setting, engine: Engine, run: Callable[[StanceModel], object]
) -> dict[str, float]:
    """Share of the engine's own time by type of operator, largest first; they sum to 1."""
    if engine.name == "onnx":
        return _shares(_profiled_onnx(setting, run))
    return _shares(_profiled_torch(setting, run))


def _shares(times: Mapping[str, float]) -> dict[str, float]:
    total = sum(times.values())
    ordered = sorted(times.items(), key=lambda item: item[1], reverse=True)
    return {name: time / total for name, time in ordered}


def _profiled_onnx(setting: Setting, run: Callable[[StanceModel], object]) -> Counter[str]:
    with tempfile.TemporaryDirectory() as folder, _profiling(Path(folder)) as sessions:
        run(load(setting.model, engine="onnx"))
        events = json.loads(Path(sessions[0].end_profiling()).read_text(encoding="utf-8"))
    return by_operator(events)


def by_operator(events: Sequence[Mapping[str, Any]]) -> Counter[str]:
    """Microseconds by type of operator, of a profile that ONNX Runtime wrote."""
    times: Counter[str] = Counter()
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            times[event["args"]["op_name"]] += event["dur"]
    return times


@contextmanager
def _profiling(folder: Path) -> Iterator[list[Any]]:
    """While it lasts, ONNX Runtime's sessions profile themselves.

    So what is profiled is the engine as it opens itself, not a copy of its options made here.
    """
    import onnxruntime

    opened = onnxruntime.InferenceSession
    sessions: list[Any] = []

    def profiled(path: str, options: Any, **rest: Any) -> Any:
        options.enable_profiling = True
        options.profile_file_prefix = str(folder / "profile")
        sessions.append(opened(path, options, **rest))
        return sessions[-1]

    onnxruntime.InferenceSession = profiled
    try:
        yield sessions
    finally:
        onnxruntime.InferenceSession = opened


def _profiled_torch(setting: Setting, run: Callable[[StanceModel], object]) -> Counter[str]:
    import torch

    model = load(setting.model, engine="torch", device=setting.device)
    gpu = not model.engine.device.startswith("cpu")
    with torch.profiler.profile() as profile:
        run(model)
    times: Counter[str] = Counter()
    for event in profile.key_averages():
        spent = event.self_device_time_total if gpu else event.self_cpu_time_total
        if spent:
            times[event.key] += spent
    return times
