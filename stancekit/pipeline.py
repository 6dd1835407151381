"""Stages of work that overlap: each in a thread of its own, never more than a few items ahead."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from queue import Empty, Full, Queue
from typing import TypeVar

__all__ = ["Pipeline"]

T = TypeVar("T")

LOOK = 0.1  # seconds between looks at whether the work was called off


class _CalledOff(Exception):
    """Ends the thread of a stage that nobody waits for any more."""


class _End:
    """Comes after the last item, with the exception that ended them, if one did."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class Pipeline:
    """Runs iterators ahead of whoever wants their items; used in a ``with`` statement.

    Items keep their order. An exception in a stage comes out where its next item would have. When
    the ``with`` statement is left, for whatever reason, the stages stop after the item in hand and
    their threads end before it is over.

    Args:
        depth: items that wait between one stage and the next, at most.
    """

    def __init__(self, depth: int = 1) -> None:
        self._depth = depth
        self._off = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Pipeline:
        return self

    def __exit__(self, *_: object) -> None:
        self._off.set()
        for thread in self._threads:
            thread.join()

    def ahead(self, items: Iterable[T]) -> Iterator[T]:
        """The items, made in a new thread before they are asked for."""
        queue: Queue[T | _End] = Queue(self._depth)
        thread = threading.Thread(target=self._fill, args=(queue, items), daemon=True)
        self._threads.append(thread)
        thread.start()
        return self._drain(queue)

    def _fill(self, queue: Queue[T | _End], items: Iterable[T]) -> None:
        try:
            for item in items:
                self._put(queue, item)
            self._put(queue, _End())
        except _CalledOff:
            pass
        except BaseException as error:
            with suppress(_CalledOff):
                self._put(queue, _End(error))

    def _put(self, queue: Queue[T | _End], item: T | _End) -> None:
        while not self._off.is_set():
            try:
                return queue.put(item, timeout=LOOK)
            except Full:
                continue
        raise _CalledOff

    def _drain(self, queue: Queue[T | _End]) -> Iterator[T]:
        while True:
            try:
                item = queue.get(timeout=LOOK)
            except Empty:
                if self._off.is_set():
                    raise _CalledOff from None
                continue
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item
