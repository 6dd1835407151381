"""Ways to run the bundled weights with 8-bit products: speed, agreement, and who affects whom.

    python -m benchmarks.int8 TEXTS

Each variant is made from the float weights and run on the same dev statements, sorted by length,
in turns. ``neighbours`` is the largest change of a probability when a statement is scored in
another batch. Results go to ``results/int8.json``.
"""

from __future__ import annotations

import argparse
import copy
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.results import save
from stancekit.checkpoint import TOKENIZER
from stancekit.encoding import Encoder, Window
from stancekit.engines import pad, usable_cpus
from stancekit.export import float_graph
from stancekit.model import BUNDLED, batches, load, softmax
from stancekit.quantise import quantise
from training import manifest as manifests

Logits = NDArray[np.float32]
TURNS = 3
BATCH_TOKENS = 1024
SEED = 7


def main() -> None:
    import onnx
    import torch
    import transformers

    parser = argparse.ArgumentParser(prog="python -m benchmarks.int8", description=__doc__)
    parser.add_argument("texts", type=Path)
    options = parser.parse_args()
    dev = [row.example for row in manifests.load(options.texts).dev]
    windows = [w for ws in Encoder(BUNDLED / TOKENIZER).encode(dev) for w in ws]
    temperature = load(engine="onnx").checkpoint.temperature
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        BUNDLED, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    graph = float_graph(model)
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(folder) / f"{name}.onnx" for name in ("float32", "token", "batch")}
        onnx.save(graph, paths["float32"])
        onnx.save(quantise(copy.deepcopy(graph)), paths["token"])
        _one_scale_a_batch(paths["float32"], paths["batch"])
        sessions = {name: _session(path) for name, path in paths.items()}
        sizes = {name: path.stat().st_size / 1e6 for name, path in paths.items()}
    seconds: dict[str, list[float]] = {name: [] for name in sessions}
    sorted_logits: dict[str, Logits] = {}
    for _ in range(TURNS):
        for name, session in sessions.items():
            began = time.perf_counter()
            sorted_logits[name] = _run(session, windows, list(batches(windows, BATCH_TOKENS)))
            seconds[name].append(time.perf_counter() - began)
    shuffled = list(range(len(windows)))
    random.Random(SEED).shuffle(shuffled)
    strangers = [shuffled[i : i + 16] for i in range(0, len(shuffled), 16)]
    reference = softmax(sorted_logits["float32"] / temperature)
    rows = {}
    for name, session in sessions.items():
        own = softmax(sorted_logits[name] / temperature)
        other = softmax(_run(session, windows, strangers) / temperature)
        rows[name] = {
            "megabytes": sizes[name],
            "rows_per_second": len(windows) / min(seconds[name]),
            "speed_ratio": min(seconds["float32"]) / min(seconds[name]),
            "labels_changed": float(np.mean(own.argmax(1) != reference.argmax(1))),
            "labels_changed_by_neighbours": float(np.mean(own.argmax(1) != other.argmax(1))),
            "neighbours": float(np.abs(own - other).max()),
        }
        print(name, rows[name])
    print(f"written to {save('int8', {'n': len(windows), 'variants': rows})}")


def _one_scale_a_batch(source: Path, target: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(source, target, per_channel=True, weight_type=QuantType.QInt8)


def _session(path: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = usable_cpus()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _run(session: Any, windows: Sequence[Window], plan: Sequence[Sequence[int]]) -> Logits:
    logits: Logits | None = None
    for batch in plan:
        answers = session.run(["logits"], pad([windows[i] for i in batch], 0))[0]
        if logits is None:
            logits = np.empty((len(windows), answers.shape[1]), dtype=np.float32)
        logits[list(batch)] = answers
    assert logits is not None
    return logits


if __name__ == "__main__":
    main()
