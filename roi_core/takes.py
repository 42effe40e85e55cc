"""The recordings of a session, one after the other, and what is kept before Record is pressed."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from roi_core.errors import RecorderError, sentence
from roi_core.frame import FinishReason, Summary
from roi_core.pretrigger import Pretrigger
from roi_core.take import Take

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from roi_core.frame import Event, Header, Sample
    from roi_core.pretrigger import Kept
    from roi_core.status import TakeStatus

    Pictures = Callable[[], dict[str, NDArray[np.float32]]]

__all__ = ["Takes"]

log = logging.getLogger(__name__)

SAID: Final = {"gap", "corrupt", "clock", "note", "marker", "card", "warning", "error", "critical"}
"""Kinds of events that belong to the time before their frame, not to the frame."""


class Takes:
    """Begins, feeds and ends recordings; at most one of them takes rows, earlier ones may still be written.

    `offer` is for the worker alone. `begin` is for any thread that holds the session's lock, so that no
    recording begins beside another or while the session closes; `open`, which may wait for a disk, is for
    the same thread without it. `finish` and `join` are for whoever closes the session, when nothing is
    offered any more. All else is for any thread.

    Parameters
    ----------
    queue
        Samples that the recorder may be behind.
    last_words
        What was said since the last frame, asked for when a recording ends.
    pictures, maps
        What the stages look at, (H, W) by name, and what makes the summary maps of the moment it is asked.
    """

    def __init__(
        self,
        queue: int,
        *,
        last_words: Callable[[], Iterable[Event]],
        pictures: Pictures,
        maps: Callable[[], Pictures],
    ) -> None:
        self.now: Take | None = None
        """The recording under way, or the last; None before there was one."""
        self._queue = queue
        self._last_words = last_words
        self._pictures, self._maps = pictures, maps
        self._all: list[Take] = []
        """That one, the one before it, and earlier ones that are still being written."""
        self._pretrigger = Pretrigger()
        self._marks = 0
        self._gate = threading.Lock()
        """Held while it is settled whether a sample is kept or recorded, and while a recording begins."""

    @property
    def kept(self) -> Kept:
        """What waits in memory for Record to be pressed."""
        return self._pretrigger.kept

    @property
    def closing(self) -> bool:
        """True while a recording that has ended is still being written."""
        return any(take.alive and not take.open for take in self._all)

    @property
    def earlier(self) -> tuple[TakeStatus, ...]:
        """Those before the last: the one just before it, and others that are still being written."""
        return tuple(take.status() for take in self._all if take is not self.now)

    @property
    def failure(self) -> Exception | None:
        """What ended an essential recording, if anything did."""
        return next((take.failure for take in self._all if take.essential and take.failure), None)

    def files(self) -> tuple[Path, ...]:
        """Return the files of the last recording; none when there was none."""
        return self.now.status().parts if self.now is not None and not self.now.refused else ()

    def mark(self) -> int:
        """Return the number of the next marker, which begins at 1 in each recording."""
        self._marks += 1
        return self._marks

    # -- beginning and ending, by hand --------------------------------------------------------------------

    def begin(
        self, path: Path, header: Header, *, overwrite: bool, essential: bool, length: float | None
    ) -> Take:
        """Return a new recording; no sample comes between what was kept for it and what is offered to it.

        Raises
        ------
        RecorderError
            One is under way.
        """
        if self.now is not None and self.now.open:
            raise RecorderError(f"already recording to {self.now.path}; stop that recording first")
        with self._gate:
            take = Take(
                path, header, self._queue, self._pretrigger.give(header.settings.recorder.movie),
                overwrite=overwrite, essential=essential, length=length,
                pictures=self._pictures, maps=self._maps,
            )  # fmt: skip
            self._marks = 0
            self._all = [*(old for old in self._all if old.alive or old is self.now), take]
            self.now = take
        return take

    def open(self, take: Take, before: Take | None, wait: bool) -> Path:
        """Open the file of a recording and return its name; with `wait` when it is there.

        What it is refused for is raised, and `before` is the last recording again.
        """
        try:
            take.begin(wait)
        except Exception:
            self.now = before
            self._all = [other for other in self._all if other is not take]
            raise
        return take.path

    def stop(self, wait: bool, detail: str = "") -> None:
        """End the recording with the last row; with `wait`, return when its file is finished."""
        if self.now is not None and self.now.open:
            self._end(self.now, FinishReason.STOPPED, detail)
        if self.now is not None and wait:
            self.now.join()

    def stop_after(self, length: float | None) -> None:
        """End the recording after so many seconds of data from Record on; None: only by hand."""
        if self.now is not None:
            self.now.length = length

    # -- the worker ---------------------------------------------------------------------------------------

    def offer(self, sample: Sample) -> None:
        """Record a sample, or keep it; recordings that have ended learn from it what their cells did.

        A recorder that fails ends its recording; what ended an essential one is raised.
        """
        for old in self._all:
            old.settle(sample)
        with self._gate:
            take = self.now
            over = take is not None and take.open and take.is_over(sample.time)
            if take is None or not take.open or over:
                self._pretrigger.keep(sample)
        if take is None or not take.open:
            return
        if over:
            self._end_in_time(take, sample)
        else:
            self._record(take, sample)

    def _record(self, take: Take, sample: Sample) -> None:
        take.offer(sample)
        if take.failure is None:
            return
        take.finish(Summary(FinishReason.FAILED, sentence(take.failure)))
        if take.refused:  # whoever asked is told, and nothing was begun
            return
        if take.essential:
            raise take.failure
        log.error("%s", sentence(take.failure))

    def _end_in_time(self, take: Take, beyond: Sample) -> None:
        """End a recording whose length is over; what was said before the next frame is still in it."""
        words = tuple(event for event in beyond.events if event.kind in SAID)
        detail = f"the {take.length:g} s asked for"
        if any(event.kind == "gap" for event in words):
            detail += f", though no frame came after {take.recorded:.3g} s"
        self._end(take, FinishReason.COMPLETED, detail, words, beyond)
        take.settle(beyond)

    def _end(
        self, take: Take, reason: FinishReason, detail: str = "", said: tuple[Event, ...] = (),
        beyond: Sample | None = None,
    ) -> None:  # fmt: skip
        events, maps = (*said, *self._last_words()), self._maps()()
        summary = Summary(reason, detail, events=events, maps=maps)
        if beyond is not None:
            summary = replace(summary, lost=take.lost_before(beyond), cause=beyond.cause)
        take.end(summary)

    # -- the end ------------------------------------------------------------------------------------------

    def finish(self, summary: Summary) -> None:
        """Let every recording write what is queued and finish its file; does not wait."""
        for take in self._all:
            take.finish(summary)

    def join(self) -> None:
        """Wait until every file is finished."""
        for take in self._all:
            take.join()
