"""How far training has come, shown while it goes on; and nothing else beside it."""

from __future__ import annotations

import logging
import math
import sys
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stancekit.finetune.watching import Progress, Watch

__all__ = ["TrainingDisplay", "clock", "quiet"]

PLAIN_LINE_EVERY = 10.0  # seconds between progress lines where there is no terminal


def clock(seconds: float) -> str:
    """``0:42``, ``12:05`` or ``1:30:00``."""
    minutes, rest = divmod(math.ceil(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class TrainingDisplay:
    """A bar on a terminal, a line now and then elsewhere; both on standard error.

    The first line says how long it will take, as soon as a few steps have shown it.
    """

    def __enter__(self) -> Watch:
        self._bar: Any = None
        self._told = False
        self._last = 0.0
        if sys.stderr.isatty():
            self._start_bar()
        return self._show

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def _start_bar(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self._bar = Progress(
            BarColumn(), TextColumn("{task.fields[line]}"), console=Console(stderr=True)
        )
        self._bar.start()
        self._task = self._bar.add_task("", line="")

    def _show(self, progress: Progress) -> None:
        line = f"step {progress.step} of {progress.steps}"
        if progress.left is not None:
            line += f", {clock(progress.left)} left"
            if not self._told:
                self._told = True
                self._say(
                    f"about {clock(progress.left)} of training to go, "
                    f"at the pace of the steps so far (sooner if dev stops getting better)"
                )
        if self._bar is not None:
            self._bar.update(self._task, completed=progress.step, total=progress.steps, line=line)
        if progress.macro_f1 is not None:
            self._say(f"{line}, macro-F1 on dev {progress.macro_f1:.3f}")
        elif self._bar is None and progress.seconds - self._last >= PLAIN_LINE_EVERY:
            self._last = progress.seconds
            self._say(line)

    def _say(self, line: str) -> None:
        if self._bar is not None:
            self._bar.console.print(line)
        else:
            print(line, file=sys.stderr, flush=True)


def quiet() -> None:
    """What the libraries say of their own affairs helps nobody who trains a model."""
    try:
        import torch  # noqa: F401  # sets its loggers up as it is imported, and ours would be undone
        import transformers
    except ImportError:
        return  # said in our own words by whatever needs it
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    warnings.simplefilter("ignore")
