"""Events that another program saw, into the ``/events`` of a finished recording.

Nothing that is there is changed, and all of it is added or nothing (`roi_core.draft`).
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from roi_core import beside, layout
from roi_core.draft import Draft, locked, mend
from roi_core.errors import RecordingError, TableError
from roi_core.frame import Event
from roi_core.offline.tables import on_frames, read
from roi_core.paths import is_there
from roi_core.recording import Recording

if TYPE_CHECKING:
    from pathlib import Path

    from roi_core.offline.tables import Line

__all__ = ["Imported", "Wishes", "add"]


@dataclass(frozen=True, slots=True)
class Wishes:
    """How to read a table: see `tables.read` and `tables.on_frames`; ``kind`` names its events."""

    clock: str = "seconds"
    offset: float = 0.0
    column: str = ""
    where: str = ""
    kind: str = "ttl"


@dataclass(frozen=True, slots=True)
class Imported:
    """What was found: events in the order of time, how many before the first frame and after the last."""

    events: tuple[Event, ...]
    before: int
    after: int


def add(path: Path, table: Path, wishes: Wishes, *, only_look: bool = False) -> Imported:
    """Add the lines of a table to a recording's events, each with its line and its time as it was written.

    ``only_look`` tells what would be added.

    Raises
    ------
    TableError
        The table cannot be read, or was imported before.
    RecordingError
        The recording is being written, not finished, or damaged; it is as it was before.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,15}", wishes.kind) or wishes.kind in layout.OUR_EVENTS:
        raise TableError(
            table, None, f"its events cannot be called {wishes.kind!r}: 1 to 16 small letters, digits or _, "
            "but not as events that recordings tell themselves, such as gap, setting or quality",
        )  # fmt: skip
    if only_look:
        with Recording(path) as recording:
            return _found(recording, table, wishes)
    mend(path)
    with locked(path) as raw:
        draft = Draft(raw)
        draft.reach_end()
        try:
            with h5py.File(draft, "r+") as file:
                found = _found(Recording(path, file), table, wishes)
                note = _note(table, found, wishes)
                _append(file, [*found.events, note])
        except (OSError, RuntimeError) as error:
            if isinstance(error, RecordingError):
                raise
            raise RecordingError(f"{path} cannot be written: {error}; it is as it was before") from error
        draft.commit(path)
    _tell_journal(beside.events(path), [*found.events, note])
    return found


def _found(recording: Recording, table: Path, wishes: Wishes) -> Imported:
    if not recording.complete:
        raise RecordingError(f"{recording.path} is not finished: run roi_stream recover {recording.path}")
    if not recording.rows:
        raise RecordingError(f"{recording.path} has no rows: there is no frame to align to")
    lines = read(table, wishes.column, wishes.where)
    if not lines:
        raise TableError(table, None, "it holds no times")
    _refuse_twice(recording, table, wishes)
    times = on_frames(table, lines, wishes.clock, recording, wishes.offset)
    clock, index = recording.time, recording.frame_index
    rows = np.searchsorted(clock, times + 1e-6, side="right") - 1
    frames = np.where(rows >= 0, index[np.maximum(rows, 0)], -1)
    order = np.argsort(times, kind="stable")
    events = tuple(
        Event(float(times[k]), int(frames[k]), wishes.kind, _data(lines[k], table)) for k in order.tolist()
    )
    return Imported(events, int((times < clock[0] - 1e-6).sum()), int((times > clock[-1] + 1e-6).sum()))


def _data(line: Line, table: Path) -> dict[str, Any]:
    more = {"row": line.more} if line.more else {}
    return {"file": table.name, "line": line.number, "original": line.time, **more}


def _note(table: Path, found: Imported, wishes: Wishes) -> Event:
    """Return the event that tells of the import itself."""
    data = {
        "file": table.name, "sha256": _hash(table), "events": len(found.events), "kind": wishes.kind,
        "column": wishes.column, "where": wishes.where, "clock": wishes.clock, "offset": wishes.offset,
        "on": datetime.now(UTC).astimezone().isoformat(timespec="seconds"),
    }  # fmt: skip
    return Event(0.0, -1, "imported", data)


def _refuse_twice(recording: Recording, table: Path, wishes: Wishes) -> None:
    """Refuse the same lines of the same table; other lines of it may be events of another kind."""
    ours = (_hash(table), wishes.column, wishes.where)
    for event in recording.events:
        said = event.data
        known = (said.get("sha256"), said.get("column", ""), said.get("where", ""))
        if event.kind == "imported" and known == ours:
            raise TableError(
                table, None, f"it was imported already, on {said.get('on')}: {said.get('events')} events of "
                f"kind {said.get('kind')}; nothing is added",
            )  # fmt: skip


def _hash(table: Path) -> str:
    return hashlib.sha256(table.read_bytes()).hexdigest()


def _append(file: h5py.File, events: list[Event]) -> None:
    dataset = file[layout.EVENTS]
    first = len(dataset)
    dataset.resize(first + len(events), axis=0)
    rows = [(event.time, event.frame, event.kind.encode(), event.json()) for event in events]
    dataset[first:] = np.array(rows, layout.EVENT_DTYPE)


def _tell_journal(journal: Path, events: list[Event]) -> None:
    """Add the same lines to the journal beside the recording, if it is still there."""
    if not is_there(journal):
        return
    lines = [
        {"time": round(event.time, 6), "frame": event.frame, "kind": event.kind, "data": event.data}
        for event in events
    ]
    with journal.open("ab") as file:
        file.write("".join(f"{json.dumps(line)}\n" for line in lines).encode())
