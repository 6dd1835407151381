"""What a run took: seconds, rows, tokens, padding, memory."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stancekit.encoding import Window
from stancekit.engines import Engine


class Counting:
    """An engine that notes what goes through it.

    Attributes:
        windows: passes through the model.
        tokens: in them.
        padded: the same with what fills batches up.
        seconds: spent in the engine.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.name, self.device, self.dtype = engine.name, engine.device, engine.dtype
        self.threads, self.batch_tokens = engine.threads, engine.batch_tokens
        self.reset()

    def reset(self) -> None:
        """Count from zero."""
        self.windows = self.tokens = self.padded = 0
        self.seconds = 0.0

    def logits(self, windows: Sequence[Window]) -> NDArray[np.float32]:
        began = time.perf_counter()
        answers = self.engine.logits(windows)
        self.seconds += time.perf_counter() - began
        lengths = [len(window) for window in windows]
        self.windows += len(lengths)
        self.tokens += sum(lengths)
        self.padded += len(lengths) * max(lengths)
        return answers


def rates(rows: int, seconds: float, counted: Counting) -> dict[str, Any]:
    """What was counted over one run of some rows, as rates."""
    return {
        "rows": rows,
        "windows": counted.windows,
        "seconds": seconds,
        "rows_per_second": rows / seconds,
        "tokens_per_second": counted.tokens / seconds,
        "tokens_per_window": counted.tokens / counted.windows,
        "padding_share": 1 - counted.tokens / counted.padded,
    }


def timed(run: Callable[[], object]) -> float:
    """Seconds that a call takes."""
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def in_turns(runs: Mapping[str, Callable[[], float]], turns: int) -> dict[str, list[float]]:
    """Seconds of each run in each turn: one after another, so a busy spell slows all of them."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(turns):
        for name, run in runs.items():
            seconds[name].append(run())
    return seconds


def ratios(those: Sequence[float], ours: Sequence[float]) -> list[float]:
    """How many times as long the others took, turn by turn."""
    return [theirs / own for theirs, own in zip(those, ours, strict=True)]


def peak_mib() -> float:
    """The most memory this process has held, in MiB.

    What ``getrusage`` says begins, on Linux, with the memory of whoever started the process.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most / (1024**2 if sys.platform == "darwin" else 1024)
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024
