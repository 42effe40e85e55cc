"""What of a recording that was cut short can be believed: rows, cells, events of its file and its journal.

A flush writes the values first and then what finds them, so a kill in its middle leaves datasets of different
lengths, or rows whose chunk is not known yet and that read as nothing. The rows that all datasets hold are
sound.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from roi_core import layout
from roi_core.frame import Event
from roi_core.recording.texts import check_texts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import h5py

__all__ = [
    "BY_ROW", "OF_CELLS", "TRACES", "Told", "account_fits", "sound_cells", "sound_events", "sound_rows",
]  # fmt: skip

NEEDED: Final = (layout.TIME, layout.FRAME_INDEX, layout.CHANNEL, layout.MEANS, layout.MOVIE)
"""Written from the first row on."""
TRACES: Final = (layout.RAW, layout.CALCIUM, layout.SPIKES, layout.SPIKES_CAUSAL)
BY_ROW: Final = (*NEEDED, layout.DFF, layout.SHIFTS, *TRACES)
"""Every dataset with a row for each frame; what is not needed may begin late, and is NaN before."""
OF_CELLS: Final = (
    layout.IDS, layout.BORN, layout.STATUS, layout.SNR, layout.CORRELATION, layout.SIZE, layout.OVERLAP,
    layout.REASON,
)  # fmt: skip
SPOKEN: Final = ("note", "marker", "card")
"""What people said: it is kept even if the rows it was said at are lost."""


class Told(NamedTuple):
    """Events of a file, ``kept``, and of its journal that the file lacks, ``missed``; if both ``agree``.

    ``end`` is the reason of a stop that was told already, and is not among them; else ''.
    """

    kept: list[Event]
    missed: list[Event]
    agree: bool
    end: str


def sound_rows(file: h5py.File) -> int:
    """Return how many rows every dataset holds."""
    there = {path: file[path] for path in BY_ROW if path in file}
    # one that began late may have been made just before the end and hold no row yet
    rows = min(_filled(data) for path, data in there.items() if len(data) or path in NEEDED)
    back = np.flatnonzero(np.diff(file[layout.TIME][:rows, 0]) <= 0)
    return int(back[0]) + 1 if len(back) else rows


def account_fits(file: h5py.File, rows: int) -> bool:
    """Tell whether the account is that of the first `rows` rows: no flush was torn."""
    return layout.ACCOUNTING in file and file[layout.ACCOUNTING].attrs["written"] == rows


def sound_cells(file: h5py.File, rows: int) -> int:
    """Return how many of the cells were found in the first `rows` rows and are known in all respects."""
    known = min(len(file[path]) for path in OF_CELLS if path in file)
    late = np.flatnonzero(file[layout.BORN][:known] >= max(rows, 1))
    return int(late[0]) if len(late) else known


def sound_events(file: h5py.File, journal: Path, rows: int) -> Told:
    """Return what was told up to the last of `rows` rows; each event once.

    The file holds the first lines of the journal. What people said after that row is told at that row. Of
    what came later a slip of the light that reaches back is kept, and the loss at which a part had ended.
    """
    times, frames = file[layout.TIME][:rows, 0].tolist(), file[layout.FRAME_INDEX][:rows].tolist()
    moments, frame, time = (
        dict(zip(frames, times, strict=True)),
        max(frames, default=-1),
        max(times, default=0.0),
    )
    stored, lines = list(_stored(file[layout.EVENTS])), list(_lines(journal))
    agree = all((a.frame, a.kind) == (b.frame, b.kind[:16]) for a, b in zip(stored, lines, strict=False))
    missed = []
    for event in lines[len(stored) :] if agree else []:
        if event.frame <= frame or _reaches(event, frame):
            exact = moments.get(event.frame, event.time)  # the journal rounds
            missed.append(replace(event, time=exact) if abs(exact - event.time) < 1e-6 else event)
        elif event.kind in SPOKEN:
            missed.append(replace(event, time=time, frame=frame))
    ends = [str(event.data.get("reason")) for event in (*stored, *missed) if event.kind == "stop"]
    later = ("gap",) if account_fits(file, rows) else ()
    kept = [e for e in stored if e.frame <= frame or e.kind in later or _reaches(e, frame)]
    kept = [event for event in kept if event.kind != "stop"]
    return Told(kept, [event for event in missed if event.kind != "stop"], agree, "".join(ends[:1]))


def _reaches(event: Event, frame: int) -> bool:
    """Tell whether an event is of a slip of the light in or before a frame."""
    since = event.data.get("since") if event.kind == "channels" else None
    return isinstance(since, int) and since <= frame


def _filled(data: h5py.Dataset) -> int:
    """Return how many of the dataset's rows have a place in the file."""
    rows, step = len(data), data.chunks[0]
    if data.name == layout.MOVIE:  # every row has a chunk of its own
        if data.id.get_num_chunks() >= rows:
            return rows
        return next((row for row in range(rows) if not _placed(data, row)), rows)
    while rows > 0 and not _placed(data, (rows - 1) // step * step):
        rows = (rows - 1) // step * step
    return rows


def _placed(data: h5py.Dataset, row: int) -> bool:
    """Tell whether all chunks that begin at `row` are in the file."""
    columns = [range(0, size, step) for size, step in zip(data.shape[1:], data.chunks[1:], strict=True)]
    return all(
        data.id.get_chunk_info_by_coord((row, *place)).byte_offset is not None for place in product(*columns)
    )


def _stored(table: h5py.Dataset) -> Iterator[Event]:
    """Yield the events of the file up to the first that cannot be read."""
    with suppress(OSError, RuntimeError, ValueError, TypeError, AttributeError):
        check_texts(table)
        for time, frame, kind, data in table[:]:
            yield Event(float(time), int(frame), kind.decode(), json.loads(data))


def _lines(journal: Path) -> Iterator[Event]:
    """Yield the events of a journal up to the first line that cannot be read, such as a torn last one."""
    with (
        suppress(FileNotFoundError, ValueError, KeyError, TypeError, RecursionError),
        journal.open("rb") as lines,
    ):
        for line in lines:
            said: dict[str, Any] = json.loads(line)
            yield Event(float(said["time"]), int(said["frame"]), str(said["kind"]), dict(said["data"]))
