"""One line of the catalogue, read from a recording."""

from __future__ import annotations

import math
import os
import stat
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roi_core.errors import NotARecording, RecordingError
from roi_core.recording import Recording, alerts_of

if TYPE_CHECKING:
    from roi_core.recording import RecordedCells

__all__ = ["COLUMNS", "Entry", "State", "read"]


class State(StrEnum):
    """What became of a recording."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    RECORDING = "recording"
    DAMAGED = "damaged"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Entry:
    """A recording as the catalogue knows it; what is not known is '' or None, never 0.

    ``path`` is absolute, without links; ``size`` (bytes) and ``changed`` (ns) tell whether the file is still
    the one that was read. ``start`` is ISO 8601 as in the file, ``seconds`` of data, ``rate`` in
    Hz, ``lost`` frames; ``cells`` and ``refined`` are the accepted ones of the online and of the second pass;
    ``alerts`` counts those of the quality that began. ``part`` is 1, 2 ... of a recording in several files.
    """

    path: str
    state: State
    size: int
    changed: int
    start: str = ""
    seconds: float | None = None
    rows: int | None = None
    lost: int | None = None
    reason: str = ""
    subject: str = ""
    indicator: str = ""
    region: str = ""
    experimenter: str = ""
    text: str = ""
    """Everything else that was written about it: description, protocol, notes ..."""
    source: str = ""
    width: int | None = None
    height: int | None = None
    rate: float | None = None
    rois: int | None = None
    cells: int | None = None
    refined: int | None = None
    alerts: int | None = None
    movie: bool = False
    part: int | None = None


COLUMNS = tuple(one.name for one in fields(Entry))


def read(path: Path) -> Entry:
    """Return what a recording tells; of one that is damaged or gone, that.

    Raises
    ------
    NotARecording
        It is a file, but none of ours, or no file at all.
    UnicodeEncodeError
        Its name holds bytes that are no text.
    """
    path = Path(os.path.realpath(path))
    str(path).encode()
    try:
        there = path.stat()
    except OSError:
        return Entry(str(path), State.MISSING, 0, 0)
    if not stat.S_ISREG(there.st_mode):
        raise NotARecording(f"{path} is no file")
    known: dict[str, Any] = {"path": str(path), "size": there.st_size, "changed": there.st_mtime_ns}
    try:
        with Recording(path) as recording:
            return Entry(**known, **_facts(recording))
    except NotARecording:
        raise
    except RecordingError as error:
        return Entry(**known, state=State.DAMAGED, reason=str(error))


def _facts(recording: Recording) -> dict[str, Any]:
    told, card, events = recording.attributes, recording.card.flat(), recording.events
    state = State.COMPLETE if recording.complete else State.INCOMPLETE
    if recording.being_written:
        state = State.RECORDING
    time = recording.time
    rate = told.get("frame_rate")
    height, width = recording.shape
    own = ("subject_id", "indicator", "region", "experimenter")
    about = [str(value) for name, value in card.items() if name not in own and value not in ("", None)]
    notes = [str(event.data.get("text", "")) for event in events if event.kind == "note"]
    return {
        "state": state,
        "start": _text(told.get("start_iso8601", "")),
        "seconds": float(time[-1]) if recording.rows else 0.0,
        "rows": recording.rows,
        "lost": _whole(told.get("frames_dropped")),
        "reason": _text(told.get("finish_reason", "")) if recording.complete else "",
        "subject": _text(card["subject_id"]),
        "indicator": _text(card["indicator"]),
        "region": _text(card["region"]),
        "experimenter": _text(card["experimenter"]),
        "text": _text("\n".join([*about, *notes])),
        "source": _text(told.get("source", "")),
        "width": _whole(width),
        "height": _whole(height),
        "rate": rate if isinstance(rate, float) and math.isfinite(rate) else _whole(rate),
        "rois": len(recording.shapes),
        "cells": _accepted(recording.cells),
        "refined": _accepted(recording.refined),
        "alerts": sum(alerts_of(events).values()),
        "movie": recording.has_movie,
        "part": _whole(told.get("part")),
    }


def _text(value: object) -> str:
    """Return a text that can be stored, whatever a changed file says."""
    return str(value).encode(errors="replace").decode()


def _whole(value: object) -> int | None:
    """Return a number that a column can hold; of whatever else a changed file says nothing is known."""
    return value if isinstance(value, int) and abs(value) < 2**63 else None


def _accepted(cells: RecordedCells | None) -> int | None:
    return None if cells is None else int(cells.accepted.sum())
