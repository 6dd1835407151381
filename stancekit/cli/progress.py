"""How far a run has come, shown while it goes on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from stancekit.display import progress_line

if TYPE_CHECKING:
    from stancekit.archive import Progress

__all__ = ["ProgressDisplay"]

PLAIN_LINE_EVERY = 10.0  # seconds between progress lines where there is no terminal


class ProgressDisplay:
    """A bar on a terminal, a line now and then elsewhere; both on standard error."""

    def __enter__(self) -> Callable[[Progress], None]:
        self._bar: Any = None
        self._last = 0.0
        return self._line if not sys.stderr.isatty() else self._start_bar()

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def _start_bar(self) -> Callable[[Progress], None]:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self._bar = Progress(
            BarColumn(),
            TextColumn("{task.fields[line]}"),
            console=Console(stderr=True),
            transient=True,
        )
        self._bar.start()
        self._task = self._bar.add_task("", line="")
        return lambda p: self._bar.update(
            self._task, completed=p.rows, total=p.total, line=progress_line(p)
        )

    def _line(self, progress: Progress) -> None:
        if progress.seconds - self._last >= PLAIN_LINE_EVERY:
            self._last = progress.seconds
            print(progress_line(progress), file=sys.stderr, flush=True)
