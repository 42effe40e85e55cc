"""Verdicts on cells into a recording that is finished: as a whole or not at all, whatever kills the program.

What is changed are ``/cnmf/status`` and ``/cnmf/reason``; what happened is an event at the last row, in the
file and in the journal beside it, with the time of day as ``after_end``.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Final

import h5py
import numpy as np

from roi_core import beside, layout
from roi_core.draft import Busy, Draft, locked, mend
from roi_core.errors import RecordingError
from roi_core.frame import Event
from roi_core.paths import is_there

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from roi_core.frame import Status

    Verdicts = Mapping[int, tuple[Status, str]]
    News = Iterable[tuple[str, dict[str, Any]]]

__all__ = ["amend"]

PATIENCE: Final = 3.0
"""Seconds that one who reads the file is waited for."""
PAUSE: Final = 0.1


def amend(path: Path, verdicts: Verdicts, news: News) -> None:
    """Write a status and a reason for some ids, those that the file knows, and tell the news (kind, data).

    Raises
    ------
    RecordingError
        The file is not finished, is in use, or cannot be written; it is as it was before then.
    """
    try:
        mend(path)
        end = monotonic() + PATIENCE
        while True:
            try:
                told = _amend(path, verdicts, news)
                break
            except Busy:
                if monotonic() > end:
                    raise
                sleep(PAUSE)
        with suppress(OSError):  # it is there for a file that is cut short, which this one is not
            _append(path, told)
    except Busy as error:
        raise RecordingError(
            f"{path.name} is being read, by an export or another program; try again when that is done"
        ) from error
    except (OSError, RuntimeError, KeyError) as error:
        raise RecordingError(f"{path.name} cannot be written: {error}; it is as it was before") from error


def _amend(path: Path, verdicts: Verdicts, news: News) -> list[Event]:
    with locked(path) as raw:
        draft = Draft(raw)
        with h5py.File(draft, "r+") as file:
            if not file.attrs.get("complete", 0):
                raise RecordingError(f"{path.name} was cut short; recover it before its cells are judged")
            _judge(file, verdicts)
            told = _tell(file, news)
        draft.commit(path)
    return told


def _judge(file: h5py.File, verdicts: Verdicts) -> None:
    if layout.STATUS not in file or not verdicts:
        return
    ids, status, reasons = file[layout.IDS][:], file[layout.STATUS], file[layout.REASON]
    if len(reasons) < len(ids):
        reasons.resize(len(ids), axis=0)
    for cell, (verdict, why) in verdicts.items():
        for column in np.flatnonzero(ids[: len(status)] == cell).tolist():
            status[column] = int(verdict)
            reasons[column] = json.dumps(why)


def _tell(file: h5py.File, news: News) -> list[Event]:
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    rows = len(file[layout.TIME])
    time = float(file[layout.TIME][-1, 0]) if rows else 0.0
    frame = int(file[layout.FRAME_INDEX][-1]) if rows else -1
    events = [Event(time, frame, kind, data | {"after_end": now}) for kind, data in news]
    table = file[layout.EVENTS]
    known = len(table)
    table.resize(known + len(events), axis=0)
    lines = [(each.time, each.frame, each.kind.encode()[:16], each.json()) for each in events]
    table[known:] = np.array(lines, layout.EVENT_DTYPE)
    return events


def _append(path: Path, events: list[Event]) -> None:
    """Tell the journal beside the file, if there is one."""
    journal = beside.events(path)
    if is_there(journal):
        with journal.open("ab") as file:
            for each in events:
                file.write(each.line())
