"""What a running session says on a terminal, and how the terminal stops it."""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from roi_core.frame import FinishReason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import FrameType

    from roi_core.recording import Recording
    from roi_core.session import Session, Snapshot

__all__ = ["describe_recording", "run_demo", "run_session"]

POLL = 0.05
"""Seconds between looks at a running session."""


def run_session(session: Session, period: float, length: int | None) -> None:
    """Run to the end, telling how it goes; Ctrl+C and SIGTERM stop it cleanly.

    A camera prints a line every `period` seconds; a file of `length` frames shows a bar with rate and ETA.
    """
    with _stopped_by_signals(session):
        session.start()
        try:
            if session.snapshot().live:
                _print_lines(session, period)
            else:
                _show_bar(session, length)
            session.wait()
        finally:
            session.stop()
            _print_end(session.snapshot())


def run_demo(path: Path, seconds: float) -> None:
    """Record the simulated camera for `seconds` without a window, and print what was found and where."""
    from roi_core.recording import Recording
    from roi_core.rois import Circle, RoiSet
    from roi_core.session import Session
    from roi_core.settings import LiveSettings, Settings
    from roi_core.sources import open_source

    live = LiveSettings(Settings().with_texts("roi.dff=true"))
    source = open_source("simulated", live)
    truth = source.truth  # type: ignore[attr-defined]
    rois = RoiSet(Circle(*circle) for circle in truth.circles()[:8].tolist())
    session = Session(source, live, rois, max_frames=round(seconds * source.rate))
    written = session.record(path, essential=True)
    run_session(session, 1.0, None)
    with Recording(written) as recording:
        peaks = recording.dff.max(axis=0) if recording.dff is not None else []
        for name, peak in zip(recording.names, peaks, strict=True):
            print(f"{name}: largest dF/F {peak:.2f}")
    print(f"written to {written}; look inside with: roi_stream info {written}")


def describe_recording(recording: Recording) -> dict[str, Any]:
    """Return the facts `roi_stream info` tells, in its order."""
    known = recording.attributes
    width, height = known.get("resolution", (0, 0))
    cut_short = "INCOMPLETE: the program ended before the file was finished"
    state = "complete" if recording.complete else cut_short
    time = recording.time
    elapsed = float(time[-1]) if recording.rows else 0.0
    return {
        "file": str(recording.path),
        "state": state,
        "rows": recording.rows,
        "source": known.get("source"),
        "resolution": f"{width}x{height}",
        "rois": len(recording.shapes),
        "movie": recording.movie is not None,
        "dff": recording.dff is not None,
        "elapsed_sec": round(elapsed, 6),
        "avg_fps": round((recording.rows - 1) / elapsed, 3) if elapsed > 0 else 0.0,
        "frames_seen": known.get("frames_seen"),
        "frames_dropped": known.get("frames_dropped"),
        "loss_basis": known.get("loss_basis"),
        "events": len(recording.events),
        "start": known.get("start_iso8601"),
        "end": known.get("end_iso8601"),
        "finish_reason": known.get("finish_reason") if recording.complete else None,
        "created_with": known.get("created_with"),
    }


@contextmanager
def _stopped_by_signals(session: Session) -> Iterator[None]:
    """Let Ctrl+C, SIGTERM and a closed terminal end the session after the frame in hand."""

    def stop(number: int, _frame: FrameType | None) -> None:
        session.stop(FinishReason.STOPPED, signal.Signals(number).name)

    names = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), stop) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def _print_lines(session: Session, period: float) -> None:
    due = period
    while not session.wait(POLL):
        snapshot = session.snapshot()
        if snapshot.elapsed >= due:
            print(_line(snapshot), flush=True)
            due = (snapshot.elapsed // period + 1) * period


def _show_bar(session: Session, length: int | None) -> None:
    with tqdm(total=length, unit=" frames", file=sys.stderr, dynamic_ncols=True) as bar:
        running = True
        while running:
            running = not session.wait(POLL)
            bar.update(session.snapshot().frames_seen - bar.n)


def _line(snapshot: Snapshot) -> str:
    dropped = "unknown" if snapshot.frames_dropped is None else snapshot.frames_dropped
    seen = snapshot.frames_seen
    return f"[{snapshot.elapsed:7.3f}s] FPS: {snapshot.fps:.1f} frames={seen} dropped={dropped}"


def _print_end(snapshot: Snapshot) -> None:
    if snapshot.live:
        print(_line(snapshot))
    take = snapshot.recording
    if take is not None:
        reason = ": ".join(filter(None, (snapshot.reason, snapshot.detail)))
        print(f"{take.rows} rows in {take.path} ({reason})")
