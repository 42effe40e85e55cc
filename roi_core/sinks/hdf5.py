"""The recorder: samples into one HDF5 file that opens plainly whatever happened to the program.

Rows gather in memory and are appended and flushed at least once per ``recorder.flush_period``; movie frames
go to the file as they come. The file keeps HDF5's earliest format, so that every reader opens it also after
a kill; each flush is whole or was not (`roi_core.draft`); ``complete`` is the last thing written.
`roi_core.layout` names what is inside.
"""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from roi_core import beside, layout
from roi_core.draft import Guarded
from roi_core.errors import RecorderError
from roi_core.frame import Event
from roi_core.sinks.accounting import Accounting
from roi_core.sinks.attributes import begin, clock, set_card, set_text
from roi_core.sinks.channel import Channel
from roi_core.sinks.components import Components
from roi_core.sinks.disk import check_name, free_paths, reserve, why
from roi_core.sinks.events import Events
from roi_core.sinks.journal import Journal
from roi_core.sinks.movie import Movie, require
from roi_core.sinks.regions import Regions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from numpy.typing import NDArray

    from roi_core.frame import Header, Sample, Summary
    from roi_core.ledger import Account, Cause
    from roi_core.settings import Recorder as Rules

__all__ = ["Recorder"]


class Recorder:
    """Writes one recording.

    ``rows`` are in the file or waiting, ``safe_rows`` survive a kill; ``size`` of the file and ``disk_free``
    are in bytes, as they were when it last looked. One of several files of a recording is a `part` of it,
    counted from 1; the name of the first is ``first_part``, '' in the first itself.
    """

    name = "recorder"

    def __init__(
        self, path: str | Path, *, overwrite: bool = False, part: int = 1, first_part: str = ""
    ) -> None:
        self.path = Path(path)
        self._part, self._first_part = part, first_part
        self.rows = 0
        self.safe_rows = 0
        self.size = 0
        self.disk_free = 0
        self._overwrite = overwrite
        self._file: h5py.File | None = None
        self._guard: Guarded | None = None
        self._held = contextlib.ExitStack()
        self._accounting = Accounting()

    def open(self, header: Header) -> None:
        """Create the file and everything in it that is known before the first frame."""
        self._rules: Rules = header.settings.recorder
        height, width = header.shape
        # MB that the next movie frame may take, however small the reserve was set
        self._frame_room = 4e-6 * height * width if self._rules.movie else 0.0
        check_name(self.path, self._overwrite, self._part)
        if self._rules.movie:
            require(self._rules.compression)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._check_disk()
            self._reserve = self._held.enter_context(reserve(self.path.parent))
            self._check_disk()  # again, without what is held back: or it would end with the first frame
            self._guard = self._claim()
            self._file = h5py.File(self._guard, "w")
            self._journal = Journal(beside.events(self.path))
            self._held.callback(self._journal.close)
            self._create(header)
        except (OSError, ValueError) as error:
            self._abandon()
            if isinstance(error, RecorderError):
                raise
            raise RecorderError(f"cannot write {self.path}: {why(error)}") from error

    def write(self, sample: Sample) -> None:
        """Take one row; the movie frame, when asked, is in the file when this returns."""
        with self._errors_are_sentences():
            if sample.settings is not None:
                self._rules = sample.settings.recorder
            self._check_disk()
            if self.rows == 0:
                self._begin(sample)
            if self._movie is not None:
                self._movie.write(self.rows, sample.image)
                self._check_written()
                self.size = self._file_now.id.get_filesize()
            self._regions.follow(sample)
            self._channel.follow(sample)
            self._components.follow(sample, self.rows)
            self._keep(sample)
            for event in sample.events:
                self._note(self._placed(event))
            if self.rows - self.safe_rows == len(self._time):
                self._append()

    def flush(self) -> None:
        """Put every row taken so far on the disk, and stop cleanly before the disk is full."""
        with self._errors_are_sentences():
            if self.rows > self.safe_rows or self._events.waiting:
                self._check_disk()
                self._append()

    def lose(self, lost: int, cause: Cause, events: Iterable[Event]) -> None:
        """Put on the disk what was lost after the last row, and what is told of it: no row will bring it."""
        with self._errors_are_sentences():
            self._check_disk()
            self._accounting.lose(lost, cause)
            for event in events:
                self._note(self._timed(event))
            self._append()

    def close(self, summary: Summary) -> None:
        """Finish the file with the reason; ``complete`` goes in last. Does nothing the second time.

        Raises
        ------
        RecorderError
            When the end could not be written; the file is closed all the same.
        """
        if self._file is None:
            return
        self._reserve.close()
        try:
            self._finish(summary)
        except (OSError, RuntimeError) as error:
            safe = self.safe_rows
            raise RecorderError(
                f"{self.path} could not be finished: {why(error)}; rows up to {safe} are safe"
            ) from error
        finally:
            file, self._file = self._file, None
            with contextlib.suppress(OSError, RuntimeError):
                self._journal.close()
                file.close()
            with contextlib.suppress(OSError):
                self._close_guard()

    def _claim(self) -> Guarded:
        """Begin the file; of programs that ask for one name at once each gets its own."""
        if self._overwrite:
            return Guarded(self.path, overwrite=True)
        paths = free_paths(self.path)
        while True:
            self.path = next(paths)
            with contextlib.suppress(FileExistsError):
                return Guarded(self.path, overwrite=False)

    def _abandon(self) -> None:
        """Leave nothing behind of a file that could not be begun."""
        file, self._file = self._file, None
        guard, self._guard = self._guard, None
        if guard is None:
            self._held.close()
            return
        closes = [] if file is None else [file.close]
        for undo in (*closes, self._held.close, guard.abandon, beside.events(self.path).unlink):
            with contextlib.suppress(OSError, RuntimeError):
                undo()

    @property
    def account(self) -> Account:
        """What became of the frames so far."""
        return self._accounting.account

    @property
    def _file_now(self) -> h5py.File:
        if self._file is None:
            raise RecorderError(f"{self.path} is closed")
        return self._file

    def _create(self, header: Header) -> None:
        file, rules, rows = self._file_now, self._rules, self._rules.rows_per_chunk
        begin(file, header, self._part, self._first_part)
        file.create_dataset(layout.TIME, (0, 1), "f8", maxshape=(None, 1), chunks=(rows, 1))
        file.create_dataset(layout.FRAME_INDEX, (0,), "i8", maxshape=(None,), chunks=(rows,))
        self._events = Events(file)
        file.create_dataset(layout.SETTINGS, data=header.settings.to_yaml(), dtype=h5py.string_dtype())
        self._card = file.create_group(layout.SESSION)
        for name, value in header.card.flat().items():
            set_card(self._card, name, value)
        self._regions = Regions(file, header, rows)
        self._channel = Channel(file, header, rows)
        self._components = Components(file, header, rows)
        self._movie = Movie(file, header.shape, rules.compression) if rules.movie else None
        self._time = np.zeros((rows, 1))
        self._index = np.zeros(rows, np.int64)
        self._zero = 0.0
        self._last = (0.0, -1)
        self._wall: datetime | None = None
        self._accounting.open(file, header)
        file.flush()
        self._check_written()

    def _begin(self, sample: Sample) -> None:
        """Note what only the first frame tells: the zero of time and its place on the wall clock."""
        self._zero = sample.time
        set_text(self._file_now, "start_iso8601", clock(sample.wall))
        self._channel.begin(sample)
        self._note(Event(0.0, sample.index, "start"))
        for event in sample.lasting:
            self._note(Event(0.0, sample.index, event.kind, {**event.data, "since": event.time}))

    def _keep(self, sample: Sample) -> None:
        row = self.rows - self.safe_rows
        self._last = (sample.time - self._zero, sample.index)
        self._time[row], self._index[row] = self._last
        self._accounting.take(sample)
        self._wall = sample.wall
        self.rows += 1

    def _timed(self, event: Event) -> Event:
        """Return the event with its time counted from this recording's first frame."""
        return replace(event, time=max(event.time - self._zero, 0.0))

    def _placed(self, event: Event) -> Event:
        """Return an event of the last row; that of Record being pressed tells which row that is."""
        timed = self._timed(event)
        if event.kind != "trigger":
            return timed
        return replace(timed, data={"row": self.rows - 1, "seconds": round(timed.time, 6)})

    def _note(self, event: Event) -> None:
        if event.kind == "card":
            set_card(self._card, event.data["path"].rpartition(".")[2], event.data["new"])
        self._journal.write(event)
        self._events.follow(event)

    def _append(self) -> None:
        """Move the waiting rows and events into the file's datasets, and bring the counts up to date."""
        file, first, count = self._file_now, self.safe_rows, self.rows - self.safe_rows
        self._regions.append(first, count)
        self._channel.append(first + count)
        self._components.append(first + count)
        _extend(file[layout.FRAME_INDEX], first, self._index[:count])
        self._events.append()
        _extend(file[layout.TIME], first, self._time[:count])
        elapsed = self._last[0]
        self._accounting.append()
        file.attrs.modify("elapsed_sec", elapsed)
        file.attrs.modify("avg_fps", (self.rows - 1) / elapsed if elapsed > 0 else 0.0)
        set_text(file, "end_iso8601", clock(self._wall))
        file.flush()
        self._check_written()
        self.size = file.id.get_filesize()
        # only now is nothing left to write again should the disk have been full half-way
        self._regions.clear()
        self._channel.clear()
        self._components.clear()
        self._events.clear()
        self.safe_rows = self.rows
        self._components.refresh()

    def _finish(self, summary: Summary) -> None:
        file = self._file_now
        reason = f"{summary.reason}: {summary.detail}" if summary.detail else str(summary.reason)
        time, frame = self._last
        self._accounting.end(summary)
        for event in summary.events:
            self._note(self._timed(event))
        self._note(Event(time, frame, "stop", {"reason": reason}))
        self._components.settle(summary)
        self._append()
        self._components.finish(summary, shutil.disk_usage(self.path.parent).free)
        if self._movie is not None:
            self._movie.cut(self.rows)
        set_text(file, "finish_reason", reason)
        file.flush()
        self._check_written()
        file.attrs.modify("complete", np.uint8(1))
        file.flush()
        self._check_written()

    def _close_guard(self) -> None:
        if self._guard is not None:
            self._guard.close()

    def _check_written(self) -> None:
        """Raise what kept the last writes from the disk."""
        if self._guard is not None:
            self._guard.check()

    def _check_disk(self) -> None:
        """Refuse before HDF5 meets a full disk: it does not survive that, and the file would be lost."""
        self.disk_free = shutil.disk_usage(self.path.parent).free
        free, held = self.disk_free / 1e6, self._rules.disk_reserve
        cells = self._components.room if self._file is not None else 0.0
        if free < max(held, self._frame_room + cells):
            kept = f"all {self.rows} rows are safe" if self.rows else "nothing was started"
            wanted = f"recorder.disk_reserve = {held:g} MB"
            if held < self._frame_room + cells:
                what = "two movie frames" if cells < self._frame_room else "what the cells may take"
                wanted = f"the {self._frame_room + cells:.0f} MB of {what}"
            raise RecorderError(f"the disk of {self.path} has {free:.0f} MB left, less than {wanted}; {kept}")

    @contextlib.contextmanager
    def _errors_are_sentences(self) -> Iterator[None]:
        try:
            yield
        except (OSError, RuntimeError, ValueError) as error:
            if isinstance(error, RecorderError):
                raise
            raise RecorderError(
                f"{why(error)} after row {self.rows} of {self.path}; rows up to {self.safe_rows} are safe"
            ) from error


def _extend(dataset: h5py.Dataset, first: int, rows: NDArray[Any]) -> None:
    dataset.resize(first + len(rows), axis=0)
    dataset[first:] = rows
