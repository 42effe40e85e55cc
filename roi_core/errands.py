"""What other threads ask of an object that belongs to the worker: done between two frames, in order."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from roi_core.errors import ComponentError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Errands", "answer"]

T = TypeVar("T")
R = TypeVar("R")

MOST: Final = 16
"""Errands done between two frames; the others wait for the next ones."""
NOBODY: Final = "cells are not looked for at the moment"
ENDED: Final = "no frames come any more"


class Errands(Generic[T]):
    """A queue that any thread fills and the worker empties; nobody waits for an answer that never comes.

    What goes wrong reaches the one who asked, never the worker.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[Callable[[T, int], Any], Future[Any]]] = deque()
        self._lock = Lock()
        self._open, self._why = False, NOBODY

    def open(self) -> None:
        """Take errands from now on."""
        self._open = True

    def close(self) -> None:
        """Refuse what waits and whatever comes."""
        with self._lock:
            self._open = False
            refused, self._waiting = self._waiting, deque()
            self._why = ENDED
        for _, future in refused:
            self._refuse(future)

    def ask(self, work: Callable[[T, int], R]) -> Future[R]:
        """Have `work` done with the object and the row that is next."""
        future: Future[R] = Future()
        with self._lock:
            if self._open:
                self._waiting.append((work, future))
                return future
        self._refuse(future)
        return future

    def do(self, master: T | None, row: int) -> None:
        """Do what waits, or refuse it when there is nobody to do it; on the worker."""
        for _ in range(min(MOST, len(self._waiting))):
            work, future = self._waiting.popleft()
            if master is None:
                self._refuse(future)
            elif future.set_running_or_notify_cancel():
                answer(future, work, master, row)

    def _refuse(self, future: Future[Any]) -> None:
        if future.set_running_or_notify_cancel():
            future.set_exception(ComponentError(self._why))


def answer(future: Future[Any], work: Callable[[T, int], Any], master: T, row: int) -> None:
    """Do `work` and tell the one who asked what came of it."""
    try:
        result = work(master, row)
    except Exception as error:
        future.set_exception(error)
    else:
        future.set_result(result)
