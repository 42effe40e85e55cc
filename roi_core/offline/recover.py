"""Finish a recording that a crash cut short: the file that a clean stop at its last safe row would have left.

What is the same as after a clean stop: every row, ROI, cell, footprint and event up to that row. What may
differ:

- footprints are those of up to a second before (`roi_core.sinks.components.PERIOD`);
- the maps are made anew from ``/movie``, moved as it was then. They begin with the recording, not with the
  session, and of a camera also tell of the frames before its stages were compiled; what lay outside a moved
  frame is a guess of its own, and patches (``motion.patch``) are moved with the whole. Without a movie there
  are none;
- an event that came after the last row is kept only if a person said it, or if it is about rows or losses
  that are in the file.

The file is changed as a whole or not at all (`roi_core.draft`), so a recovery may be killed, too.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import h5py
import numpy as np

from roi_core import beside, layout
from roi_core.draft import Draft, copy, locked, mend
from roi_core.errors import RecordingError, RoiError, sentence
from roi_core.frame import Event
from roi_core.offline.remap import remap
from roi_core.paths import is_file, is_there, unseen
from roi_core.recording import Recording
from roi_core.recording.sound import (
    BY_ROW,
    OF_CELLS,
    TRACES,
    Told,
    account_fits,
    sound_cells,
    sound_events,
    sound_rows,
)
from roi_core.sinks.attributes import set_card, set_text
from roi_core.sinks.disk import why

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    Maps = dict[str, NDArray[np.float32]]

__all__ = ["REASON", "Recovered", "recover"]

REASON: Final = "recovered: the program ended before it could finish this file"
"""The finish reason, beginning as the layout has it."""
FINISHED: Final = "it was finished already: nothing was changed"
FREE: Final = 2**24
"""Bytes that the disk must have for what is added, beside the maps."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """A finished recording: its rows, the rows that not all of its parts held, and events of the journal.

    ``notes`` are sentences about what could not be had.
    """

    path: Path
    rows: int
    cut: int
    replayed: int
    notes: tuple[str, ...] = ()


def recover(
    path: Path, out: Path | None = None, progress: Callable[[int, int], None] = lambda done, total: None
) -> Recovered:
    """Finish the recording `path`, or a copy of it, `out`; ``progress`` is told rows done, of how many.

    May be killed and repeated. One that is finished already stays as it is.

    Raises
    ------
    RecordingError
        It is being written, open elsewhere, not a recording, or damaged beyond what a crash does.
    """
    journal = beside.events(path)
    if out is None:
        return _recovered(path, journal, progress)
    if not is_file(path):
        raise RecordingError(f"{path} cannot be read: {unseen(path) or 'it is no file'}")
    if is_there(out):
        raise RecordingError(f"{out} exists already; give another name")
    try:
        copy(path, out)
        return _recovered(out, journal, progress)
    except OSError as error:
        _discard(out)
        raise RecordingError(f"{path} cannot be copied to {out}: {why(error)}") from error
    except BaseException:
        _discard(out)
        raise


def _discard(out: Path) -> None:
    """Remove half a copy, which would keep the next try from its name."""
    with contextlib.suppress(OSError):
        out.unlink()


def _recovered(path: Path, journal: Path, progress: Callable[[int, int], None]) -> Recovered:
    """Finish a recording with the events of a journal."""
    mend(path)
    with locked(path) as raw:
        draft = Draft(raw)
        draft.reach_end()
        try:
            with h5py.File(draft, "r+") as file:
                recording = Recording(path, file)
                if recording.complete:
                    return Recovered(path, recording.rows, 0, 0, (FINISHED,))
                found = _finish(path, file, journal, progress)
            _check(path, draft, found.rows)
        except RoiError:
            raise
        except (OSError, RuntimeError, KeyError, ValueError, TypeError, IndexError) as error:
            words = " ".join(str(error).split())
            raise RecordingError(f"{path} is damaged beyond repair and was not changed: {words}") from error
        draft.commit(path)
    return found


def _finish(path: Path, file: h5py.File, journal: Path, progress: Callable[[int, int], None]) -> Recovered:
    """Make everything in the file end with its last sound row, and say so."""
    rows = sound_rows(file)
    cut = max(len(file[name]) for name in BY_ROW if name in file) - rows
    told = sound_events(file, journal, rows)
    notes = [] if told.agree else [f"{journal} does not fit the file: its events were left out"]
    for name in BY_ROW:
        if name in file and len(file[name]) != rows:
            file[name].resize(rows, axis=0)
    if layout.IDS in file:
        _finish_cells(file, sound_cells(file, rows))
    reason = f"{REASON} ({told.end})" if told.end else REASON
    _write_events(file, told, reason, rows)
    for event in told.missed:
        if event.kind == "card":
            set_card(file[layout.SESSION], str(event.data["path"]).rpartition(".")[2], event.data["new"])
    _write_counts(file, rows)
    if layout.ACCOUNTING in file and not account_fits(file, rows):
        del file[layout.ACCOUNTING]  # of a flush that was torn; what became of its last rows is not known
        notes.append("its account did not fit the rows and was left out")
    maps, note = _maps(path, file, progress)
    _write_maps(path, file, maps)
    set_text(file, "finish_reason", reason)
    file.attrs.modify("complete", np.uint8(1))
    return Recovered(path, rows, cut, len(told.missed), tuple([*notes, note] if note else notes))


def _finish_cells(file: h5py.File, count: int) -> None:
    """Bring everything that is known of cells to the first `count` of them."""
    for name in (path for path in OF_CELLS if path in file):  # older ones lack the overlap
        if len(file[name]) != count:
            file[name].resize(count, axis=0)
    for name in TRACES:
        if file[name].shape[1] != count:
            file[name].resize(count, axis=1)
    group = file[layout.FOOTPRINTS]
    indptr = group["indptr"][: count + 1]
    indptr = np.concatenate([indptr, np.full(count + 1 - len(indptr), indptr[-1])])
    arrays = {
        "data": group["data"][: indptr[-1]],
        "indices": group["indices"][: indptr[-1]],
        "indptr": indptr,
    }
    for name, array in arrays.items():
        if len(group[name]) != len(array):
            del group[name]
            group[name] = array
    group.attrs.modify("shape", np.array([group.attrs["shape"][0], count], np.int64))


def _write_events(file: h5py.File, told: Told, reason: str, rows: int) -> None:
    """Write what the file had, what its journal had, and the stop."""
    stop = Event(*_last(file, rows), "stop", {"reason": reason})
    table = [(e.time, e.frame, e.kind.encode()[:16], e.json()) for e in (*told.kept, *told.missed, stop)]
    file[layout.EVENTS].resize(len(table), axis=0)
    file[layout.EVENTS][:] = np.array(table, layout.EVENT_DTYPE)


def _last(file: h5py.File, rows: int) -> tuple[float, int]:
    """Return time and frame of the last row."""
    if rows == 0:
        return 0.0, -1
    return float(file[layout.TIME][rows - 1, 0]), int(file[layout.FRAME_INDEX][rows - 1])


def _write_counts(file: h5py.File, rows: int) -> None:
    """Make the root attributes those of `rows` rows."""
    attributes, index = file.attrs, file[layout.FRAME_INDEX][:]
    elapsed, _ = _last(file, rows)
    if rows != attributes["rows"]:  # else the last flush told when it was
        begun = datetime.fromisoformat(_text(attributes["start_iso8601"]))
        end = (begun + timedelta(seconds=elapsed)).isoformat(timespec="milliseconds")
        set_text(file, "end_iso8601", end)
    lost = int(index[-1] - index[0]) + 1 - rows if rows else 0
    lost += int(file[layout.ACCOUNTING].attrs["lost_after"]) if account_fits(file, rows) else 0
    unknown = _text(attributes["loss_basis"]) == "unknown"
    attributes.modify("rows", np.uint64(rows))
    attributes.modify("frames_seen", np.uint64(rows))
    attributes.modify("frames_dropped", layout.UNKNOWN if unknown else np.uint64(lost))
    attributes.modify("elapsed_sec", elapsed)
    attributes.modify("avg_fps", (rows - 1) / elapsed if elapsed > 0 else 0.0)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _maps(path: Path, file: h5py.File, progress: Callable[[int, int], None]) -> tuple[Maps, str]:
    """Return the maps of the movie, and a sentence if there are none though there should be."""
    if layout.SHIFTS not in file and layout.CNMF not in file:
        return {}, ""
    if layout.MOVIE not in file:
        return {}, "without a movie in it there are no summary maps"
    try:
        return remap(Recording(path, file), progress), ""
    except Exception as error:  # rows and cells are worth more than pictures of them
        return {}, f"the summary maps could not be made: {sentence(error)}"


def _write_maps(path: Path, file: h5py.File, maps: Maps) -> None:
    needed = sum(picture.nbytes for picture in maps.values()) + FREE
    free = shutil.disk_usage(path.parent).free
    if free < needed:
        raise RecordingError(
            f"the disk of {path} has {free / 1e6:.0f} MB left; {needed / 1e6:.0f} MB are needed to finish it"
        )
    for name, picture in maps.items():
        place = f"{layout.MAPS}/{name}"
        if place in file:
            del file[place]
        file.create_dataset(place, data=picture, dtype="f4")


def _check(path: Path, draft: Draft, rows: int) -> None:
    """Read the finished file as everybody will, before it takes the place of the other."""
    with Recording(path, h5py.File(draft, "r")) as recording:
        lengths = {len(recording.time), len(recording.frame_index), len(recording.means), recording.rows}
        cells = recording.cells
        if cells is not None:
            lengths |= {len(cells.traces(name)) for name in TRACES}
            if not cells.footprints.shape[1] == len(cells.reason) == cells.count:
                raise RecordingError(f"{path} is damaged: its cells do not fit together; it was not changed")
        events = recording.events
        if lengths != {rows} or not recording.complete or events[-1].kind != "stop":
            raise RecordingError(f"{path} could not be finished and was not changed")
        json.dumps([recording.shapes, recording.settings, recording.card.flat(), list(recording.maps)])
