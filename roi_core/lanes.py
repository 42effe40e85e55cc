"""A lane carries samples to one sink: a thread and a bounded queue, so that sinks never own threads."""

from __future__ import annotations

import queue
import threading
from contextlib import suppress
from dataclasses import replace
from time import monotonic, perf_counter
from typing import TYPE_CHECKING

from roi_core.calm import WRITING, start, step_back
from roi_core.errors import sentence
from roi_core.frame import FinishReason, Summary
from roi_core.ledger import Account, Carried, Ledger
from roi_core.metrics import Meter

if TYPE_CHECKING:
    from roi_core.frame import Header, Sample
    from roi_core.pretrigger import Backlog
    from roi_core.sinks.base import Sink

__all__ = ["Lane"]

PATIENCE = 0.1
"""Seconds after which a waiting writer looks whether the lane still lives."""


class Lane:
    """One sink's thread. A lane that waits loses nothing and may hold up the camera; one that drops counts.

    ``wait=True`` is for the recorder: the worker waits for room, and the frame ring must be deeper than
    `capacity`. ``wait=False`` is for publishers: a full queue drops the sample, and images are copied
    because the lane may fall behind the ring. A failing sink ends its lane only: `failure` tells. What is in
    a `backlog` is written before anything that was offered.
    """

    def __init__(
        self,
        sink: Sink,
        capacity: int,
        *,
        wait: bool,
        flush_period: float = 0.25,
        backlog: Backlog | None = None,
    ) -> None:
        self.sink = sink
        self.capacity = capacity
        self.dropped = 0
        self.written = 0
        self.failure: Exception | None = None
        self.unopened = False
        """True when the sink could not even be opened: `failure` tells why."""
        self.meter = Meter()
        """What writing a sample costs."""
        self._wait = wait
        self._period = flush_period
        self._queue: queue.Queue[Sample | None] = queue.Queue(capacity)
        self._offered = 0 if backlog is None else len(backlog)
        self._late = 0
        self._hand: Sample | None = None
        self._refused: Ledger | None = None
        self._pen = threading.Lock()
        self._backlog = backlog
        self._summary: Summary | None = None
        self._opened = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"lane {sink.name}", daemon=True)

    @property
    def queued(self) -> int:
        """Samples waiting for the sink."""
        return self._queue.qsize()

    @property
    def carried(self) -> Carried:
        """What became of the samples offered; without those that came when the end was asked for already."""
        offered = self._offered - self._late
        return Carried(offered, self.written, self.dropped, self.refused.captured)

    @property
    def refused(self) -> Account:
        """The account of samples that the sink, having failed, did not take."""
        return Account() if self._refused is None else self._refused.account

    @property
    def alive(self) -> bool:
        """True until the sink is closed."""
        return self._thread.is_alive()

    @property
    def opening(self) -> bool:
        """True until the sink is open, or would not be."""
        return not self._opened.is_set()

    def open(self, header: Header, *, wait: bool = True) -> None:
        """Open the sink, on the lane's own thread.

        With `wait` return when it is open, and raise here why it would not be; without, `unopened` tells.
        """
        self._header = header
        start(self._thread)
        if wait:
            self._opened.wait()
            if self.unopened and self.failure is not None:
                raise self.failure

    def offer(self, sample: Sample) -> None:
        """Hand over one sample: wait for room, or drop and count."""
        self._offered += 1
        if self._backlog is not None and self._backlog.offer(sample):
            return
        if not self._wait:
            if self._queue.full():
                self.dropped += 1
                return
            sample = replace(sample, image=sample.image.copy())
        self._put(sample)

    def finish(self, summary: Summary) -> None:
        """Let the sink take what is queued and close with `summary`; does not wait."""
        if self._summary is None:
            self._summary = summary
            with suppress(queue.Full):  # then it is found when the queue is empty
                self._queue.put_nowait(None)

    def join(self) -> None:
        """Wait until the sink is closed."""
        if self._thread.ident is not None:
            self._thread.join()

    def _put(self, sample: Sample) -> None:
        while self.alive and self.failure is None and self._summary is None:
            try:
                self._queue.put(sample, timeout=PATIENCE)
            except queue.Full:
                continue
            return
        self._leave(sample)

    def _run(self) -> None:
        step_back(WRITING)
        if not self._open():
            return
        try:
            self._write_all()
        except Exception as error:  # kept for the session, which decides what ends
            self.failure = error
            self._leave(self._hand)
            self._forget()
            while self._summary is None:
                self._leave(self._queue.get())
        with suppress(queue.Empty):
            while True:
                self._leave(self._queue.get_nowait())
        try:
            self.sink.close(self._ending())
        except Exception as error:
            self.failure = self.failure or error

    def _open(self) -> bool:
        """Open the sink; return whether that could be."""
        try:
            self.sink.open(self._header)
        except Exception as error:  # for whoever asked
            self.failure, self.unopened = error, True
            self._forget()
        self._opened.set()
        return not self.unopened

    def _forget(self) -> None:
        """Let nobody wait for room before a sink that takes nothing more."""
        for sample in self._backlog.close() if self._backlog is not None else ():
            self._leave(sample)

    def _leave(self, sample: Sample | None) -> None:
        """Count a sample that is not taken: the sink has failed, or the end was asked for before it came."""
        if sample is None:
            return
        with self._pen:
            if self.failure is None:
                self._late += 1
                return
            if self._refused is None:
                self._refused = Ledger(self._header.counter, begun=self.written > 0)
            self._refused.take(sample.fate, sample.lost, sample.cause)

    def _ending(self) -> Summary:
        asked = self._summary or Summary(FinishReason.STOPPED)
        if self.failure is None:
            return asked
        why, refused = sentence(self.failure), self.refused
        return Summary(FinishReason.FAILED, why, lost=asked.lost, cause=asked.cause, refused=refused)

    def _write_all(self) -> None:
        self._due = monotonic() + self._period
        if self._backlog is not None:
            for early in self._backlog:
                self._write(early)
        while True:
            try:
                sample = self._queue.get(timeout=max(self._due - monotonic(), 0.0))
            except queue.Empty:
                if self._summary is not None and self._queue.empty():
                    return
                self._flush_in_time()
            else:
                if sample is None:
                    return
                self._write(sample)

    def _write(self, sample: Sample) -> None:
        begun = perf_counter()
        self._hand = sample
        self.sink.write(sample)
        self._hand = None
        self.written += 1
        self.meter.add(begun, perf_counter() - begun)
        self._flush_in_time()

    def _flush_in_time(self) -> None:
        if monotonic() >= self._due:
            self.sink.flush()
            self._due = monotonic() + self._period
