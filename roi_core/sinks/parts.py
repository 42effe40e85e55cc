"""One recording in as many files as its settings ask for: NAME.h5, NAME_part2.h5, NAME_part3.h5 ...

Each is a whole recording with a zero of time of its own; root attributes tell which part of what it is. A
frame is in exactly one of them. All of this happens on the recorder's lane.

When a recording is replaced, so are its later parts, each by the new one of its name; those that are left
over stay and are told.
"""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass, replace
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final

from roi_core.beside import is_part
from roi_core.errors import SinkError
from roi_core.frame import FinishReason, Summary
from roi_core.paths import is_there
from roi_core.sinks.hdf5 import Recorder
from roi_core.sinks.settling import Settling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from roi_core.frame import Header, Sample
    from roi_core.ledger import Account

__all__ = ["Parts", "is_long"]

log = logging.getLogger(__name__)

SHORTEST: Final = 1.0
"""Seconds that a part holds at least, whatever is asked for."""
AGAIN: Final = 10.0
"""Seconds of data after which a part that could not be begun is tried again."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A part that takes no more rows and waits for the frames that settle its last ones."""

    recorder: Recorder
    settling: Settling
    summary: Summary


def is_long(sample: Sample, first: float) -> bool:
    """Tell whether a part that began at `first` (s) has its length when a sample comes."""
    minutes = sample.settings.recorder.split_minutes if sample.settings is not None else 0.0
    return minutes > 0 and sample.time - first >= max(60 * minutes, SHORTEST) - 1e-6


class Parts:
    """Writes one recording into one file or several.

    ``rows`` ``safe_rows`` ``size`` are of all of them. The summary pictures at the end of a part are those
    that came with the sample beyond it, so that a run gives the same again. Without, as where only the size
    tells that a part is full, they are those of `maps` at about that time.
    """

    name = "recorder"

    def __init__(
        self,
        path: Path,
        *,
        overwrite: bool = False,
        maps: Callable[[], Callable[[], dict[str, NDArray[np.float32]]]] = lambda: dict,
    ) -> None:
        self._parts = [Recorder(path, overwrite=overwrite)]
        self._overwrite = overwrite
        self._replaces = False
        self._ended: list[Ended] = []
        self._maps = maps
        self._first = 0.0
        self._not_before = 0.0
        self._last: Sample | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files as they are on the disk, in order."""
        return tuple(part.path for part in self._parts)

    @property
    def rows(self) -> int:
        """Rows in the files, or waiting for them."""
        return sum(part.rows for part in self._parts)

    @property
    def safe_rows(self) -> int:
        """Rows that survive a kill."""
        return sum(part.safe_rows for part in self._parts)

    @property
    def account(self) -> Account:
        """What became of the frames so far."""
        first, *others = (part.account for part in self._parts)
        return sum(others, first)

    @property
    def size(self) -> int:
        """Bytes of the files."""
        return sum(part.size for part in self._parts)

    @property
    def disk_free(self) -> int:
        """Bytes left on the disk when it was last looked at."""
        return self._now.disk_free

    @property
    def _now(self) -> Recorder:
        return self._parts[-1]

    def open(self, header: Header) -> None:
        """Begin the first file; refuse what cannot be written."""
        self._header = header
        self._card = header.card.flat()
        self._replaces = self._overwrite and is_there(self._now.path)
        self._now.open(header)

    def write(self, sample: Sample) -> None:
        """Take one row, into a new file when the present one is full."""
        self._settle(sample)
        if self._now.rows == 0:
            self._first = sample.time
        elif self._is_full(sample):
            sample = self._turn(sample)
        for event in sample.events:
            if event.kind == "card":
                self._card[event.data["path"].rpartition(".")[2]] = event.data["new"]
        self._now.write(sample)
        self._last = sample

    def flush(self) -> None:
        """Make safe what was written."""
        self._now.flush()

    def close(self, summary: Summary) -> None:
        """Finish every file that is still open; the last gets the reason."""
        for ended in self._ended:
            self._finish(ended, summary)
        self._ended.clear()
        self._now.close(summary)
        if self._overwrite:
            self._tell_left_over()

    def _is_full(self, sample: Sample) -> bool:
        rules, seconds = (sample.settings or self._header.settings).recorder, sample.time - self._first
        if seconds < SHORTEST - 1e-6 or sample.time < self._not_before:
            return False
        height, width = self._header.shape
        room = 2 * height * width if rules.movie else 0
        large = rules.split_gb and self._now.size + room > 1e9 * rules.split_gb
        return bool(large) or is_long(sample, self._first)

    def _turn(self, sample: Sample) -> Sample:
        """Begin the next file and return what its first row is; where that cannot be, go on in this one."""
        first, number = self._parts[0].path, len(self._parts) + 1
        path = first.with_stem(f"{first.stem}_part{number}")
        old = self._replaces and is_part(path, first.name)
        part = Recorder(path, overwrite=old, part=number, first_part=first.name)
        card = type(self._header.card).of(self._card)
        settings = sample.settings or self._header.settings
        self._now.flush()
        try:
            part.open(replace(self._header, settings=settings, rois=sample.rois, card=card))
        except SinkError as error:
            self._not_before = sample.time + AGAIN
            log.warning("%s grows beyond what was asked for: %s", self._now.path.name, error)
            return sample
        if self._last is not None:
            self._end(self._last, sample, part.path.name)
        self._parts.append(part)
        self._first = sample.time
        return replace(sample, events=tuple(event for event in sample.events if event.kind != "gap"))

    def _end(self, last: Sample, beyond: Sample, name: str) -> None:
        """Take no more rows in the present file after `last`; a gap just before `beyond` is still its own."""
        gaps = tuple(event for event in beyond.events if event.kind == "gap")
        if gaps or beyond.lost:  # in no other file: not to be lost while this one waits
            with _told():
                self._now.lose(beyond.lost or 0, beyond.cause, gaps)
        maps = beyond.maps or self._maps()
        summary = Summary(FinishReason.COMPLETED, f"continued in {name}", maps=maps())
        ended = Ended(self._now, Settling(last), summary)
        if ended.settling.hear(beyond):
            self._finish(ended)
        else:
            self._ended.append(ended)

    def _tell_left_over(self) -> None:
        """Say which parts of an earlier recording of this name still lie there."""
        first, now = self._parts[0].path, self.paths
        others = sorted(first.parent.glob(f"{escape(first.stem)}_part*{first.suffix}"))
        old = [path.name for path in others if path not in now and is_part(path, first.name)]
        if old:
            log.warning(
                "%s of an earlier %s still lie beside the new one: rename or delete them",
                ", ".join(old), first.name,
            )  # fmt: skip

    def _settle(self, sample: Sample) -> None:
        done = [ended for ended in self._ended if ended.settling.hear(sample)]
        for ended in done:
            self._ended.remove(ended)
            self._finish(ended)

    def _finish(self, ended: Ended, last: Summary | None = None) -> None:
        """Finish a part; what goes wrong there must not end the one that is being written."""
        settling, settled = ended.settling, ended.settling.told
        if last is not None:
            settling.hear_events(last.events)
            settled += last.settled
        with _told():
            ended.recorder.close(replace(ended.summary, settled=settled, events=settling.slips))


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Tell what goes wrong with a part that takes no more rows, and go on."""
    try:
        yield
    except SinkError as error:
        log.error("%s", error)
