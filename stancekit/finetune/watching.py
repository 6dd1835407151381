"""What can be seen of a training run while it goes on, and when it has gone on long enough."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Progress", "Watch", "callbacks"]

# The first step also starts up threads and caches and would tell a wrong time; the next ones do.
LEARNT_AFTER = 4  # steps


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come.

    Attributes:
        step: steps done, those before an interruption included.
        steps: steps in all, if it is not stopped early.
        seconds: since this process began to train.
        left: seconds to go at the pace measured so far; None before the pace is known.
        macro_f1: of dev, in [0, 1], where it has just been scored; None otherwise.
    """

    step: int
    steps: int
    seconds: float
    left: float | None
    macro_f1: float | None = None


Watch = Callable[[Progress], None]


def callbacks(transformers: Any, patience: int, watch: Watch | None) -> list[Any]:
    """Callbacks for a Trainer of ``transformers``, which is passed in as it is slow to import."""

    class Patience(transformers.EarlyStoppingCallback):  # type: ignore[misc]
        """Stops when dev has not been scored better for a while."""

        def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            # A run killed after it had stopped goes on from its last checkpoint, and must not.
            if self.early_stopping_patience_counter >= self.early_stopping_patience:
                control.should_training_stop = True

    class Report(transformers.TrainerCallback):  # type: ignore[misc]
        """Tells the watcher of steps and scores."""

        def __init__(self, watch: Watch) -> None:
            self._watch = watch
            self._start = time.monotonic()
            self._first = 0  # step of this process
            self._paced_from = self._start

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self._start = self._paced_from = time.monotonic()
            self._first = state.global_step

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.global_step == self._first + 1:
                self._paced_from = time.monotonic()
            self._watch(self._progress(state))

        def on_evaluate(self, args: Any, state: Any, control: Any, **given: Any) -> None:
            self._watch(self._progress(state, given["metrics"]["eval_macro_f1"]))

        def _progress(self, state: Any, score: float | None = None) -> Progress:
            now = time.monotonic()
            timed = state.global_step - self._first - 1
            known = timed >= LEARNT_AFTER
            pace = (now - self._paced_from) / timed if known else None
            left = None if pace is None else pace * (state.max_steps - state.global_step)
            return Progress(state.global_step, state.max_steps, now - self._start, left, score)

    made: list[Any] = [Patience(patience)] if patience else []
    return made + ([Report(watch)] if watch is not None else [])
