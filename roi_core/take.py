"""One recording of a session: a recorder on its lane, and what the window wants to know of it."""

from __future__ import annotations

import math
import threading
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

from roi_core.errors import sentence
from roi_core.forecast import DiskWatch, bytes_per_second
from roi_core.frame import Event
from roi_core.lanes import Lane
from roi_core.ledger import RECORDER
from roi_core.pretrigger import Backlog
from roi_core.sinks.parts import Parts, is_long
from roi_core.sinks.pictures import Pictures
from roi_core.sinks.settling import Settling
from roi_core.status import TakeStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from roi_core.frame import Header, Sample, Summary
    from roi_core.ledger import Account
    from roi_core.metrics import Meter

__all__ = ["Take"]

PATIENCE = 1.0
"""Seconds without a frame after which the end of a recording waits no more for its last rows to settle."""
ROOM = 512 * 2**20
"""Bytes of samples that may come while a recorder opens its file or writes what was kept before Record."""


class Take:
    """A recording under way. Made by the caller's thread, fed by the worker, opened and closed by its lane.

    It begins with the samples `kept` before Record; then the event ``trigger`` marks the row at which it was
    pressed, and its length counts from there. One that `end`s in mid-session takes no more rows, but waits
    for the frames that settle its last ones.
    """

    def __init__(
        self,
        path: Path,
        header: Header,
        queue: int,
        kept: Sequence[Sample] = (),
        *,
        overwrite: bool = False,
        essential: bool = False,
        length: float | None = None,
        pictures: Callable[[], dict[str, NDArray[np.float32]]] = dict,
        maps: Callable[[], Callable[[], dict[str, NDArray[np.float32]]]] = lambda: dict,
    ) -> None:
        self.essential = essential
        self.length = length
        """Seconds after which it ends by itself; may be changed while it runs."""
        rules = header.settings.recorder
        self._header = _begun(header, kept)
        self._collect, self._maps = pictures, maps
        self._pictures: Lane | None = None
        self._drawn = -math.inf
        self._parts = Parts(path, overwrite=overwrite, maps=maps)
        self._backlog = Backlog(kept, ROOM, rules.movie)
        self._lane = Lane(
            self._parts, queue, wait=True, flush_period=rules.flush_period, backlog=self._backlog
        )
        expected = bytes_per_second(header.shape, header.rate, header.settings, len(header.rois))
        self._disk = DiskWatch(expected)
        self._started = perf_counter()
        self._first = self._last = self._pressed = self._part = 0.0
        self._rows, self._kept = 0, len(kept)
        self._triggered = not rules.pretrigger
        self._newest: Sample | None = None
        self._ending: Summary | None = None
        self._settling: Settling | None = None
        self._heard = 0
        self._finished = threading.Event()
        self._once = threading.Lock()
        self.open = True
        for sample in kept:
            self._count(sample)
        self._started -= self.seconds

    def begin(self, wait: bool) -> None:
        """Open the file; with `wait` return when it is there, and raise what it is refused for."""
        self._lane.open(self._header, wait=wait)

    @property
    def path(self) -> Path:
        """The name of the first file as it is on the disk, once that is open."""
        return self._parts.paths[0]

    @property
    def empty(self) -> bool:
        """True until its first row after Record was pressed."""
        return self._rows == self._kept

    @property
    def alive(self) -> bool:
        """True until the file is finished."""
        return self._lane.alive or (self._pictures is not None and self._pictures.alive)

    @property
    def failure(self) -> Exception | None:
        """What ended the recorder, if anything did."""
        return self._lane.failure

    @property
    def refused(self) -> bool:
        """True when not even a file could be opened."""
        return self._lane.unopened

    @property
    def meter(self) -> Meter:
        """What writing a sample costs."""
        return self._lane.meter

    @property
    def account(self) -> Account:
        """What became of its frames so far; those that wait for the recorder are only known to wait."""
        account = self._parts.account + self._lane.refused if self.refused else self._parts.account
        return replace(account, lanes={RECORDER: self._lane.carried})

    def is_over(self, time: float) -> bool:
        """Tell whether a sample at `time` (s of the session) lies beyond the length asked for."""
        begun = self._triggered and self._rows > 0
        return self.length is not None and begun and time - self._pressed >= self.length - 1e-6

    @property
    def seconds(self) -> float:
        """Seconds of data, from the first row to the last."""
        return self._last - self._first

    @property
    def recorded(self) -> float:
        """Seconds of data from the row at which Record was pressed."""
        return self._last - self._pressed

    def lost_before(self, beyond: Sample) -> int:
        """Return how many of the frames lost just before `beyond` lie within the length asked for.

        They are taken as evenly spaced between the last row and `beyond`.
        """
        if not beyond.lost or self.length is None:
            return 0
        step = (beyond.time - self._last) / (beyond.lost + 1)
        left = self.length - 1e-6 - self.recorded
        return min(beyond.lost, max(math.ceil(left / step) - 1, 0))

    def offer(self, sample: Sample) -> None:
        """Record one sample; waits when the recorder is a whole queue behind."""
        if not self._triggered:
            sample = self._trigger(sample)
        elif self.empty:
            self._pressed = sample.time
        if self._rows and is_long(sample, self._part):
            sample = replace(sample, maps=self._maps())
        self._lane.offer(sample)
        self._offer_pictures(sample)
        self._count(sample)
        if sample.settings is not None:
            self._disk.look(self._parts.disk_free, self.bytes_per_second, sample.settings.recorder)

    def _trigger(self, sample: Sample) -> Sample:
        """Mark the row at which Record was pressed."""
        self._triggered, self._pressed = True, sample.time
        pressed = Event(sample.time, sample.index, "trigger")  # its row is known where it is written
        return replace(sample, events=(pressed, *sample.events))

    def _count(self, sample: Sample) -> None:
        if self._rows == 0:
            self._first = self._part = sample.time
        elif is_long(sample, self._part):
            self._part = sample.time
        self._last = sample.time
        self._rows += 1
        self._newest = sample

    def end(self, summary: Summary) -> None:
        """Take no more samples; the file is finished as soon as its last rows are settled, and their light.

        If no frames come, its last rows stay as they are.
        """
        self._settling = Settling(self._newest) if self._newest is not None else None
        self._ending = summary
        self.open = False
        if self._settling is None or not self._settling.waits:
            self.finish(summary)
        else:
            threading.Thread(
                target=self._lose_patience, args=(summary,), name="take's end", daemon=True
            ).start()

    def _lose_patience(self, summary: Summary) -> None:
        """Finish when the frames stay away: a camera is silent, a file is held."""
        heard = -1
        while heard != self._heard:
            heard = self._heard
            if self._finished.wait(PATIENCE + 1 / self._header.rate):
                return
        self.finish(summary)

    def settle(self, sample: Sample) -> None:
        """Learn from a later sample of the last rows, see `Settling`; nothing if not at an end."""
        if self._settling is None or self._ending is None or self._finished.is_set():
            return
        self._heard += 1
        if self._settling.hear(sample) or self.failure is not None:
            self.finish(self._ending)

    def finish(self, summary: Summary) -> None:
        """Take no more samples, write what is queued and finish the file; does not wait."""
        self.open = False
        with self._once:
            if self._finished.is_set():
                return
            last = self._ending or summary
            if self._settling is not None:
                settled = (*self._settling.told, *summary.settled)
                last = replace(last, settled=settled, events=(*last.events, *self._settling.slips))
            self._lane.finish(last)
            if self._pictures is not None:
                self._pictures.finish(last)
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
        if (sample.activity is None and sample.shift is None) or self._lane.opening:
            return
        if self._pictures is None:
            folder = self.path.with_name(f"{self.path.stem}_stages")
            self._pictures = Lane(Pictures(folder, self._collect), 1, wait=False)
            self._pictures.open(self._header)
        self._drawn = sample.time
        self._pictures.offer(sample)

    @property
    def bytes_per_second(self) -> float:
        """How fast the files grow."""
        return self._parts.size / max(perf_counter() - self._started, 1.0)

    def status(self) -> TakeStatus:
        """Return the present state; never asks the disk, which may be a network that hangs."""
        return TakeStatus(
            path=self.path,
            rows=self._parts.rows,
            seconds=self.seconds,
            queued=self._lane.queued,
            queue=self._lane.capacity,
            account=self.account,
            disk_free=self._parts.disk_free,
            bytes_per_second=self.bytes_per_second,
            closing=not self.open and self.alive,
            failed=sentence(self.failure) if self.failure else "",
            length=self.length,
            ended=not self.open,
            safe=self._parts.safe_rows,
            parts=self._parts.paths,
            opening=self._lane.opening,
            refused=self.refused,
            backlog=len(self._backlog),
        )


def _begun(header: Header, kept: Sequence[Sample]) -> Header:
    """Return the header as it was at the first sample kept; later edits are events of the recording."""
    if not kept or kept[0].settings is None:
        return header
    settings = kept[0].settings.model_copy(update={"recorder": header.settings.recorder})
    return replace(header, rois=kept[0].rois, settings=settings)
