"""Verdicts on cells into a recording that is finished: each file whole or not at all, whatever kills us.

Of a recording in parts all are looked at before the first is changed. What is changed are ``/cnmf/status``
and ``/cnmf/reason``; what happened is an event at the last row, in the file and in the journal beside it,
with the time of day as ``after_end``.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime
from functools import partial
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Final, TypeVar

import h5py
import numpy as np

from roi_core import beside, layout
from roi_core.draft import Busy, Draft, locked, mend
from roi_core.errors import RecordingError
from roi_core.frame import Event
from roi_core.paths import is_there

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from roi_core.frame import Status

    Verdicts = Mapping[int, tuple[Status, str]]
    News = Iterable[tuple[str, dict[str, Any]]]

__all__ = ["amend"]

R = TypeVar("R")

PAUSE: Final = 0.1


def amend(paths: Sequence[Path], verdicts: Verdicts, news: News, until: float) -> None:
    """Write a status and a reason for some ids, and tell the news (kind, data), in each file that knows them.

    One who reads a file is waited for up to the time ``until`` (`time.monotonic`).

    Raises
    ------
    RecordingError
        A file is not finished, is in use, or cannot be written, or none knows one of the ids. Nothing was
        changed then, unless a disk failed between two parts.
    """
    known = [_waited(path, until, _ids) for path in paths]
    for cell in verdicts:
        if paths and not any(cell in ids for ids in known):
            names = ", ".join(path.name for path in paths)
            raise RecordingError(
                f"cell {cell} is not in {names}: it was found after the end of that recording"
            )
    for path, ids in zip(paths, known, strict=True):
        own = {cell: verdict for cell, verdict in verdicts.items() if cell in ids}
        told = [(kind, data) for kind, data in news if data["id"] in ids]
        if own or told:
            events = _waited(path, until, partial(_amend, verdicts=own, news=told), changes=True)
            with suppress(OSError):  # it is there for a file that is cut short, which this one is not
                _append(path, events)


def _waited(path: Path, until: float, work: Callable[[h5py.File], R], changes: bool = False) -> R:
    """Do something with a finished file that nobody else has, as soon as nobody else has it."""
    while True:
        try:
            mend(path)
            with locked(path) as raw:
                draft = Draft(raw)
                with h5py.File(draft, "r+" if changes else "r") as file:
                    if not file.attrs.get("complete", 0):
                        raise RecordingError(
                            f"{path.name} was cut short; recover it before its cells are judged"
                        )
                    result = work(file)
                if changes:
                    draft.commit(path)
                return result
        except Busy as error:
            if monotonic() > until:
                raise RecordingError(
                    f"{path.name} is being read, by an export or another program; try again when that is done"
                ) from error
            sleep(PAUSE)
        except (OSError, RuntimeError, KeyError) as error:
            raise RecordingError(f"{path.name} cannot be written: {error}; it is as it was before") from error


def _ids(file: h5py.File) -> set[int]:
    return set(file[layout.IDS][:].tolist()) if layout.IDS in file else set()


def _amend(file: h5py.File, verdicts: Verdicts, news: News) -> list[Event]:
    _judge(file, verdicts)
    return _tell(file, news)


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
