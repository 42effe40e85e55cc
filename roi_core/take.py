"""One recording of a session: a recorder on its lane, and what the window wants to know of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from threading import Event, Lock, Thread
from time import perf_counter
from typing import TYPE_CHECKING

from roi_core.errors import sentence
from roi_core.frame import Settled
from roi_core.lanes import Lane
from roi_core.ledger import RECORDER
from roi_core.sinks.hdf5 import Recorder
from roi_core.sinks.pictures import Pictures

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from roi_core.frame import Header, Sample, Summary
    from roi_core.ledger import Account
    from roi_core.metrics import Meter

__all__ = ["Take", "TakeStatus"]


PATIENCE = 1.0
"""Seconds without a frame after which the end of a recording waits no more for its last rows to settle."""


@dataclass(frozen=True, slots=True)
class TakeStatus:
    """A recording at one moment; ``seconds`` of data, ``disk_free`` in bytes, ``failed`` a sentence or ''.

    ``length`` is the number of seconds after which it ends by itself, if it does.
    """

    path: Path
    rows: int
    seconds: float
    queued: int
    queue: int
    account: Account
    disk_free: int
    bytes_per_second: float
    closing: bool
    failed: str
    length: float | None = None
    ended: bool = False
    """True from when no more rows are taken, by whom ever it was ended."""

    @property
    def dropped(self) -> int | None:
        """Frames lost before its rows; None when that cannot be known."""
        return self.account.all_lost


class Take:
    """A recording under way. Made by the caller's thread, fed by the worker, closed by its lane.

    One that `end`s in mid-session takes no more rows, but waits for the frames that settle its last ones.
    """

    def __init__(
        self,
        path: Path,
        header: Header,
        queue: int,
        *,
        overwrite: bool = False,
        essential: bool = False,
        length: float | None = None,
        pictures: Callable[[], dict[str, NDArray[np.float32]]] = dict,
    ) -> None:
        self.essential = essential
        self.length = length
        """Seconds after which it ends by itself; may be changed while it runs."""
        self._header = header
        self._collect = pictures
        self._pictures: Lane | None = None
        self._drawn = -math.inf
        self._recorder = Recorder(path, overwrite=overwrite)
        period = header.settings.recorder.flush_period
        self._lane = Lane(self._recorder, queue, wait=True, flush_period=period)
        self._lane.open(header)
        self._started = perf_counter()
        self._first = self._last = 0.0
        self._rows = 0
        self._last_row, self._lag = -1, 0
        self._ending: Summary | None = None
        self._settled: list[Settled] = []
        self._heard = 0
        self._finished = Event()
        self._once = Lock()
        self.open = True

    @property
    def path(self) -> Path:
        """The file's name as it is on the disk."""
        return self._recorder.path

    @property
    def empty(self) -> bool:
        """True until its first row."""
        return self._rows == 0

    @property
    def alive(self) -> bool:
        """True until the file is finished."""
        return self._lane.alive or (self._pictures is not None and self._pictures.alive)

    @property
    def failure(self) -> Exception | None:
        """What ended the recorder, if anything did."""
        return self._lane.failure

    @property
    def meter(self) -> Meter:
        """What writing a sample costs."""
        return self._lane.meter

    @property
    def account(self) -> Account:
        """What became of its frames so far; those that wait for the recorder are only known to wait."""
        return replace(self._recorder.account, lanes={RECORDER: self._lane.carried})

    def is_over(self, time: float) -> bool:
        """Tell whether a sample at `time` (s of the session) lies beyond the length asked for."""
        return self.length is not None and self._rows > 0 and time - self._first >= self.length - 1e-6

    @property
    def seconds(self) -> float:
        """Seconds of data, from the first row to the last."""
        return self._last - self._first

    def lost_before(self, beyond: Sample) -> int:
        """Return how many of the frames lost just before `beyond` lie within the length asked for.

        They are taken as evenly spaced between the last row and `beyond`.
        """
        if not beyond.lost or self.length is None:
            return 0
        step = (beyond.time - self._last) / (beyond.lost + 1)
        return min(beyond.lost, max(math.ceil((self.length - 1e-6 - self.seconds) / step) - 1, 0))

    def offer(self, sample: Sample) -> None:
        """Record one sample; waits when the recorder is a whole queue behind."""
        self._lane.offer(sample)
        self._offer_pictures(sample)
        if self._rows == 0:
            self._first = sample.time
        self._last = sample.time
        self._rows += 1
        self._last_row, self._lag = sample.row, sample.activity.lag if sample.activity else 0

    def end(self, summary: Summary) -> None:
        """Take no more samples; the file is finished as soon as its last rows are settled.

        If no frames come, its last rows stay as they are.
        """
        self._ending = summary
        self.open = False
        if self._lag == 0:
            self.finish(summary)
        else:
            Thread(target=self._lose_patience, args=(summary,), name="take's end", daemon=True).start()

    def _lose_patience(self, summary: Summary) -> None:
        """Finish when the frames stay away: a camera is silent, a file is held."""
        heard = -1
        while heard != self._heard:
            heard = self._heard
            if self._finished.wait(PATIENCE + 1 / self._header.rate):
                return
        self.finish(summary)

    def settle(self, sample: Sample) -> None:
        """Learn from a later sample what its cells really did in the last rows; nothing if not at an end."""
        if self._ending is None or self._finished.is_set():
            return
        self._heard += 1
        activity = sample.activity
        row = math.inf if activity is None else sample.row - activity.lag
        if activity is not None and row <= self._last_row:
            values = activity.settled_calcium[None], activity.settled_spikes[None]
            self._settled.append(Settled(sample.row - activity.lag, activity.ids, *values))
        if row >= self._last_row or self.failure is not None:
            self.finish(self._ending)

    def finish(self, summary: Summary) -> None:
        """Take no more samples, write what is queued and finish the file; does not wait."""
        self.open = False
        with self._once:
            if self._finished.is_set():
                return
            settled = (*self._settled, *summary.settled)
            summary = replace(self._ending or summary, settled=settled)
            self._lane.finish(summary)
            if self._pictures is not None:
                self._pictures.finish(summary)
            self._finished.set()

    def join(self) -> None:
        """Wait until the file is finished."""
        if self._ending is not None:
            self._finished.wait()
        self._lane.join()
        if self._pictures is not None:
            self._pictures.join()

    def _offer_pictures(self, sample: Sample) -> None:
        """Have the stages drawn when it is time, on a lane of its own that lets a sample go if it is late."""
        period = sample.settings.cnmf.pictures if sample.settings else 0.0
        if not period or sample.time < self._drawn + period:
            return
        if sample.activity is None and sample.shift is None:
            return
        if self._pictures is None:
            folder = self.path.with_name(f"{self.path.stem}_stages")
            self._pictures = Lane(Pictures(folder, self._collect), 1, wait=False)
            self._pictures.open(self._header)
        self._drawn = sample.time
        self._pictures.offer(sample)

    def status(self) -> TakeStatus:
        """Return the present state; never asks the disk, which may be a network that hangs."""
        return TakeStatus(
            path=self.path,
            rows=self._recorder.rows,
            seconds=self.seconds,
            queued=self._lane.queued,
            queue=self._lane.capacity,
            account=self.account,
            disk_free=self._recorder.disk_free,
            bytes_per_second=self._recorder.size / max(perf_counter() - self._started, 1.0),
            closing=not self.open and self.alive,
            failed=sentence(self.failure) if self.failure else "",
            length=self.length,
            ended=not self.open,
        )
