"""One job at a time beside the frames: on a thread of its own for a camera, inline in files and tests."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from roi_core.calm import ASIDE, step_back

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Aside"]

T = TypeVar("T")


class Aside(Generic[T]):
    """Does a job when it is given one; the result is taken at a frame boundary.

    Never two jobs at once, so what the job works with needs no lock: it belongs to the job from `give` until
    the result was taken.
    """

    def __init__(self, inline: bool, name: str = "detector") -> None:
        self.busy = False
        self._name = name
        self._jobs: queue.SimpleQueue[Callable[[], T] | None] = queue.SimpleQueue()
        self._done: list[T | Exception] = []
        self._thread: threading.Thread | None = None
        if not inline:
            self._thread = threading.Thread(target=self._work, name=name, daemon=True)
            self._thread.start()

    def give(self, job: Callable[[], T]) -> None:
        """Begin a job; inline, do it now."""
        if self.busy:
            raise RuntimeError("a job was given before the result of the last one was taken")
        self.busy = True
        if self._thread is None:
            self._do(job)
        else:
            self._jobs.put(job)

    def take(self) -> T | None:
        """Return the result of the last job if it is ready, once; raise what it raised."""
        if not self._done:
            return None
        result = self._done.pop()
        self.busy = False
        if isinstance(result, Exception):
            raise result
        return result

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy what is inline; a thread cannot be copied."""
        if self._thread is not None:
            raise TypeError("a search for cells with a thread of its own cannot be copied or pickled")
        return Aside, (True, self._name), {"busy": self.busy, "_done": self._done}

    def close(self) -> None:
        """End the thread after the job in hand."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()
            self._thread = None

    def _work(self) -> None:
        step_back(ASIDE)
        while (job := self._jobs.get()) is not None:
            self._do(job)

    def _do(self, job: Callable[[], T]) -> None:
        try:
            self._done.append(job())
        except Exception as error:
            self._done.append(error)
