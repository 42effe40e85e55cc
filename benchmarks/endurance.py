"""Whether a frame is lost, or left without cells: 1280x720 at 60 Hz, movie, 100 regions, motion and cells.

usage: python -m benchmarks.endurance [MINUTES] [SETTING=VALUE ...]

The camera is simulated: it draws its frames on the worker's thread (3 to 5 ms each), where a real one would
only hand them over. The recording is checked frame by frame against the count, and deleted.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from threading import Event
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.live_step import rois
from roi_core.ledger import Fate
from roi_core.recording import Recording
from roi_core.session import Session
from roi_core.settings import LiveSettings, Settings
from roi_core.sources.simulated import Simulated

if TYPE_CHECKING:
    from roi_core.snapshot import Snapshot
    from roi_core.status import TakeStatus

SHAPE, RATE = (720, 1280), 60
ON = (
    "camera.format=1280x720@60",
    "recorder.movie=true",
    "motion.enabled=true",
    "cnmf.enabled=true",
    "cnmf.cell_radius=7",
)
PERIOD = 30.0
"""Seconds a line."""


def main(minutes: float = 10.0, *texts: str) -> None:
    """Record for so long and print what became of the frames."""
    folder = Path(tempfile.mkdtemp(prefix="endurance"))
    try:
        session = Session(
            Simulated("2p", live := LiveSettings(Settings().with_texts(*ON, *texts))), live, rois(100, SHAPE)
        )
        session.start()
        while session.snapshot().stages.get("cnmf") != "ready":  # compiled, if this is the first time
            Event().wait(0.5)
        load = os.getloadavg()[0]
        print(f"{minutes:g} min of {SHAPE[1]}x{SHAPE[0]} at {RATE} Hz, {' '.join(texts)}; load {load:.1f}\n")
        print("| s | lost | late | MB/s | queue, most | step ms, median | p99 | write ms, median | cells |")
        print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
        before = session.snapshot()
        session.record(folder / "a.h5")
        follow(session, before.frames_dropped or 0, 60 * minutes)
        session.stop()
        session.wait()
        check(session)
    finally:
        shutil.rmtree(folder)


def follow(session: Session, lost: int, seconds: float) -> None:
    """Print a line now and then."""
    begun, most, last = perf_counter(), 0, seconds - 0.1
    due = min(PERIOD, last)
    while (now := perf_counter() - begun) < seconds:
        Event().wait(0.02)
        snapshot = session.snapshot()
        take = snapshot.recording
        most = max(most, take.queued + take.backlog)
        if now >= due:
            due = min(due + PERIOD, last) if due < last else seconds
            print(line(now, snapshot, lost, most), flush=True)


def line(now: float, snapshot: Snapshot, lost: int, most: int) -> str:
    """Return a line of the table: how it is after so many seconds."""
    take = snapshot.recording
    cells = 0 if snapshot.activity is None else len(snapshot.activity.ids)
    missing, speed = (snapshot.frames_dropped or 0) - lost, take.bytes_per_second / 1e6
    cost = f"{snapshot.step_ms:.1f} | {snapshot.step_ms_p99:.1f} | {snapshot.costs.get('write', 0):.1f}"
    queue = f"{most} of {take.queue}"
    return f"| {now:.0f} | {missing} | {late(take)} | {speed:.0f} | {queue} | {cost} | {cells} |"


def late(take: TakeStatus) -> int:
    """Return how many rows so far were left without cells, since the camera could not wait."""
    return take.account.fates.get(Fate.LATE, 0)


def check(session: Session) -> None:
    """Print whether the files hold what the camera counted, and how many rows have no cells."""
    take = session.snapshot().recording
    rows = dark = missing = 0
    last = None
    for path in take.parts:
        with Recording(path) as recording:
            index = recording.frame_index
            missing += int((np.diff(index, prepend=index[0] if last is None else last) > 1).sum())
            dark += sum(not recording.movie[row].any() for row in range(0, recording.rows, 50))
            rows, last = rows + recording.rows, index[-1]
    print(
        f"\n{rows} rows in {len(take.parts)} files, {missing} gaps, {dark} dark frames, {take.dropped} lost, "
        f"{late(take)} without cells since they came late"
    )


if __name__ == "__main__":
    main(*map(float, sys.argv[1:2]), *sys.argv[2:])
