"""Samples kept for a recorder: those from before Record was pressed, and those it could not take yet.

::

    worker ── keep ──► Pretrigger ── give, when Record is pressed ──► Backlog ◄── offer ── worker
                                                                         │
                                              recorder's lane, first ◄───┘      then its queue, as ever

The worker goes on putting samples behind the kept ones until the recorder has caught up, so that neither a
disk that is slow to open a file nor ten seconds of movie to be written first ever hold up the camera.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from roi_core.frame import Components, Sample
    from roi_core.settings import Recorder as Rules

__all__ = ["NOTHING_KEPT", "Backlog", "Kept", "Pretrigger"]

log = logging.getLogger(__name__)

MEGA: Final = 10**6
PATIENCE: Final = 0.1
"""Seconds after which a worker that waits for room looks whether it is still wanted."""
NO_IMAGE: Final = np.zeros((0, 0), np.uint16)


class Kept(NamedTuple):
    """What is kept at one moment: seconds from the first sample to the last, and bytes."""

    seconds: float
    bytes: int


NOTHING_KEPT: Final = Kept(0.0, 0)


class Pretrigger:
    """The samples of the last ``recorder.pretrigger`` seconds, in no more than ``recorder.memory`` MB.

    With a movie each is kept with a copy of its image, 2 * H * W bytes, else without. When they do not fit,
    the oldest go and a sentence tells for how many seconds there is room.
    """

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque()
        self._sizes: deque[int] = deque()
        self._bytes = 0
        self._told: tuple[float, float, bool] | None = None

    @property
    def kept(self) -> Kept:
        """How much is kept; from any thread."""
        try:
            return Kept(self._samples[-1].time - self._samples[0].time, self._bytes)
        except IndexError:
            return NOTHING_KEPT

    def keep(self, sample: Sample) -> None:
        """Keep one more sample, and let go of what is too old or too much."""
        rules = sample.settings.recorder if sample.settings is not None else None
        if rules is None or not rules.pretrigger:
            self.clear()
            return
        before = self._samples[-1] if self._samples else None
        self._append(copied(sample, rules.movie), before)
        while self._samples[0].time < sample.time - rules.pretrigger - 1e-6:
            self._drop()
        while self._bytes > rules.memory * MEGA and len(self._samples) > 1:
            self._drop()
            self._tell(rules)

    def give(self, movie: bool) -> list[Sample]:
        """Return what is kept and forget it; for a `movie` only the last rows that all have their image."""
        given = list(self._samples)
        self.clear()
        if movie:
            bare = [k for k, sample in enumerate(given) if not sample.image.size]
            given = given[bare[-1] + 1 :] if bare else given
        return given

    def clear(self) -> None:
        """Forget everything."""
        self._samples.clear()
        self._sizes.clear()
        self._bytes = 0

    def _append(self, sample: Sample, before: Sample | None) -> None:
        size = size_of(sample)
        cells, known = _components(sample), _components(before)
        if cells is not None:
            shared = size_of_components(cells)
            size += shared
            if cells is known:  # what several share is freed with the last of them
                self._sizes[-1] -= shared
                self._bytes -= shared
        self._samples.append(sample)
        self._sizes.append(size)
        self._bytes += size

    def _drop(self) -> None:
        self._samples.popleft()
        self._bytes -= self._sizes.popleft()

    def _tell(self, rules: Rules) -> None:
        told = rules.pretrigger, rules.memory, rules.movie
        if told != self._told:
            self._told = told
            log.warning(
                "of recorder.pretrigger = %g s only %.1f s are kept: more does not fit in "
                "recorder.memory = %g MB",
                rules.pretrigger, self.kept.seconds, rules.memory,
            )  # fmt: skip


class Backlog:
    """Samples that a recorder takes before those of its queue. One writer, one reader.

    Open until the reader has taken the last. It never holds more than `room` bytes beyond what it began with.
    """

    def __init__(self, samples: Iterable[Sample], room: int, movie: bool) -> None:
        self._samples = deque(samples)
        self._movie = movie
        self._open = True
        self._bytes = sum(map(size_of, self._samples))
        self._most = self._bytes + room
        self._change = threading.Condition()

    def __len__(self) -> int:
        return len(self._samples)

    def offer(self, sample: Sample) -> bool:
        """Put a sample behind the others, or return False: the reader caught up and looks at its queue.

        Waits when there is no room, until there is or nobody reads any more.
        """
        if not self._open:
            return False
        kept = copied(sample, self._movie)
        with self._change:
            while self._open and self._bytes + size_of(kept) > self._most and self._samples:
                self._change.wait(PATIENCE)
            if self._open:
                self._samples.append(kept)
                self._bytes += size_of(kept)
            return self._open

    def __iter__(self) -> Iterator[Sample]:
        while (sample := self._next()) is not None:
            yield sample

    def close(self) -> list[Sample]:
        """Take nothing more, and return what was not read."""
        with self._change:
            self._open = False
            left = list(self._samples)
            self._samples.clear()
            self._change.notify()
        return left

    def _next(self) -> Sample | None:
        with self._change:
            if not self._samples:
                self._open = False
                return None
            sample = self._samples.popleft()
            self._bytes -= size_of(sample)
            self._change.notify()
            return sample


def copied(sample: Sample, movie: bool) -> Sample:
    """Return a sample that outlives the frame ring: with its own image, or with none."""
    return replace(sample, image=sample.image.copy() if movie else NO_IMAGE)


def size_of(sample: Sample) -> int:
    """Return the bytes of a sample's own arrays."""
    activity = sample.activity
    arrays: list[NDArray[Any] | None] = [sample.image, sample.means, sample.dff]
    if activity is not None:
        arrays += [activity.raw, activity.calcium, activity.spikes]
        arrays += [activity.settled_calcium, activity.settled_spikes]
    return sum(array.nbytes for array in arrays if array is not None)


def size_of_components(components: Components) -> int:
    """Return the bytes of the arrays that many samples may share."""
    values: list[Any] = [getattr(components, each.name) for each in fields(components)]
    return sum(value.nbytes for value in values if isinstance(value, np.ndarray))


def _components(sample: Sample | None) -> Components | None:
    return None if sample is None or sample.activity is None else sample.activity.components
