"""What a running session says on a terminal, and how the terminal stops it."""

from __future__ import annotations

import ctypes
import logging
import math
import signal
import sys
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Any, NoReturn, Self, TextIO

import numpy as np
from tqdm import tqdm

from roi_core.frame import FinishReason, Status
from roi_core.terminal import Quiet, say

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import FrameType, TracebackType

    from roi_core.recording import Recording
    from roi_core.session import Session, Snapshot
    from roi_core.settings import Settings

__all__ = ["Signals", "demo_words", "describe_recording", "run_demo", "run_session"]

POLL = 0.05
"""Seconds between looks at a running session."""


class Signals:
    """Ctrl+C, SIGTERM and a closed terminal ask for a clean end while this is entered.

    The handler only takes note; whoever waits looks at `asked`. A second Ctrl+C interrupts what does not
    look, such as a camera that takes long to open, but never once a file may be open (`recording`). A signal
    that was ignored (nohup) stays ignored.
    """

    def __init__(self) -> None:
        self.asked = ""
        self.recording = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            if self.asked:  # the program is on its way out: asking again must not cut that short
                _ignore(number)
            else:
                signal.signal(number, handler)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self.asked and number == signal.SIGINT and not self.recording:
            raise KeyboardInterrupt
        self.asked = self.asked or signal.Signals(number).name


def _ignore(number: int) -> None:
    """Ignore a signal from now on; in C first, for Python tells one that comes meanwhile as an error."""
    ctypes.pythonapi.PyOS_setsig(number, ctypes.c_void_p(int(signal.SIG_IGN)))
    signal.signal(number, signal.SIG_IGN)


def run_session(session: Session, period: float, length: int | None, signals: Signals) -> None:
    """Run to the end, telling how it goes, and return when every file is finished.

    A camera prints a line every `period` seconds; a file of `length` frames shows a bar with rate and ETA.
    """
    session.start()
    try:
        if session.snapshot().live:
            _print_lines(session, period, signals)
        else:
            _show_bar(session, length, signals)
    finally:
        session.stop()
        try:
            session.wait()
        finally:
            _print_end(session.snapshot())


def demo_words(source: str) -> tuple[str, ...]:
    """Return the settings (path=value) with which a simulated source shows everything; none for others."""
    from roi_core.sources.simulated import PRESETS

    kind, _, preset = source.partition(":")
    scene = PRESETS.get(preset or "2p")
    if kind != "simulated" or scene is None:
        return ()
    if "fibres" in scene:
        return "channels.order=470,415", "channels.reference=415", "roi.dff=true"
    light = "1p" if preset in ("1p", "miniscope") else "2p"
    radius = f"cnmf.cell_radius={scene['radius']:g}"
    return "motion.enabled=true", "cnmf.enabled=true", f"cnmf.preset={light}", radius


def run_demo(path: Path, seconds: float) -> None:
    """Record the simulated camera for `seconds` without a window, and print what was found and where."""
    from roi_core.recording import Recording
    from roi_core.rois import Circle, RoiSet
    from roi_core.session import Session
    from roi_core.settings import LiveSettings, Settings
    from roi_core.sources import open_source

    live = LiveSettings(Settings().with_texts("roi.dff=true", *demo_words("simulated")))
    say("making motion correction and cell finding ready; the first start compiles: one to several minutes")
    _compile(live.current)
    source = open_source("simulated", live)
    truth = source.truth  # type: ignore[attr-defined]
    rois = RoiSet(Circle(*circle) for circle in truth.circles()[:8].tolist())
    session = Session(source, live, rois, max_frames=math.ceil(seconds * source.rate))
    with Signals() as signals:
        signals.recording = True
        written = session.record(path, essential=True)
        run_session(session, 1.0, None, signals)
    with Recording(written) as recording:
        peaks = recording.dff.max(axis=0) if recording.dff is not None else []
        for name, peak in zip(recording.names, peaks, strict=True):
            say(f"{name}: largest dF/F {peak:.2f}")
        say(_cells_found(recording, len(truth.radii)))
    say(f"written to {written}; look inside with: roi_stream info {written}")


def _compile(settings: Settings) -> None:
    """Let every stage work on a few little pictures, so that the camera need not wait for a compiler."""
    from roi_core.session import Session
    from roi_core.settings import LiveSettings
    from roi_core.sources.simulated import Simulated

    live = LiveSettings(settings.with_value("camera.format", "160x160@30"))
    session = Session(Simulated("2p", live, length=3, paced=False), live)
    session.start()
    session.wait()


def _cells_found(recording: Recording, there: int) -> str:
    """Return how many cells were found, of those `there` are in the scene."""
    cells = recording.cells
    if cells is None:
        return "no cells yet: cell finding was still being compiled (only the first start takes so long)"
    found, rejected = ((cells.status == kind).sum() for kind in (Status.ACCEPTED, Status.REJECTED))
    return (
        f"{found} cells found and {rejected} candidates rejected; the scene has {there} cells, not all active"
    )


def describe_recording(recording: Recording) -> dict[str, Any]:
    """Return the facts `roi_stream info` tells, in its order."""
    from roi_core.recording import alerts_of

    known, events = recording.attributes, recording.events
    state = "complete"
    if recording.being_written:
        state = "being recorded right now"
    elif not recording.complete:
        state = "INCOMPLETE: the program ended before the file was finished"
    time = recording.time
    elapsed = float(time[-1]) if recording.rows else 0.0
    return {
        "file": str(recording.path),
        "state": state,
        "rows": recording.rows,
        **_part(known),
        "source": known.get("source"),
        "resolution": _resolution(known.get("resolution")),
        "rois": len(recording.shapes),
        "movie": recording.has_movie,
        **({"channels": ", ".join(recording.channel_names)} if recording.channel_names else {}),
        "dff": recording.dff is not None,
        **_found(recording),
        "elapsed_sec": round(elapsed, 6),
        "avg_fps": round((recording.rows - 1) / elapsed, 3) if elapsed > 0 else 0.0,
        "frames_seen": known.get("frames_seen"),
        "frames_dropped": known.get("frames_dropped"),
        "loss_basis": known.get("loss_basis"),
        "accounting": account_of(recording),
        "events": len(events),
        "alerts": alerts_of(events),
        **{name: value for name, value in recording.card.flat().items() if value not in ("", None)},
        "start": known.get("start_iso8601"),
        **({"start_is": known["start_is"]} if "start_is" in known else {}),
        "end": known.get("end_iso8601"),
        "finish_reason": known.get("finish_reason") if recording.complete else None,
        "created_with": known.get("created_with"),
    }


def account_of(recording: Recording) -> dict[str, Any] | None:
    """Return every count of frames, and what does not add up."""
    from roi_core.recording import audit

    account, wrong = recording.account, audit(recording)
    return None if account is None else {**account.flat(), "adds_up": not wrong, "problems": list(wrong)}


def account_lines(recording: Recording) -> list[str]:
    """Return the account in words, a line each, and whether it adds up."""
    from roi_core.recording import audit

    account, wrong = recording.account, audit(recording)
    told = {} if account is None else account.lines()
    lines = [f"  {name:14} {text}" for name, text in told.items()]
    return lines + ([f"  DOES NOT ADD UP: {sentence}" for sentence in wrong] or ["  adds up"])


def _part(known: dict[str, Any]) -> dict[str, Any]:
    """Return which part of a recording in several files this is, if it is not the first."""
    number = known.get("part", 1)
    return {"part": f"{number} of {known.get('first_part')}"} if number != 1 else {}


def _resolution(told: Any) -> str | None:
    """Return width x height, or whatever else the file says."""
    return "x".join(map(str, told)) if isinstance(told, list) else told


def _found(recording: Recording) -> dict[str, Any]:
    """Return what motion correction and cell finding left, if they were on."""
    facts: dict[str, Any] = {}
    shifts, cells = recording.shifts, recording.cells
    if shifts is not None:
        known = shifts[np.isfinite(shifts).all(axis=1)].astype(np.float64)
        spread = known - np.median(known, axis=0) if len(known) else np.zeros((1, 2))
        facts["motion_rms_px"] = round(float(np.sqrt((spread**2).sum(axis=1).mean())), 3)
        facts["motion_max_px"] = round(float(np.abs(known).max(initial=0.0)), 3)
    if cells is not None:
        status = cells.status
        for kind in Status:
            facts[f"cells_{kind.name.lower()}"] = int((status == kind).sum())
    return facts


def _running(session: Session, signals: Signals) -> bool:
    """Wait a moment, pass a signal on, tell whether the session still runs; its failure is told later."""
    if signals.asked:
        session.stop(FinishReason.STOPPED, signals.asked)
    try:
        return not session.wait(POLL)
    except Exception:
        logging.getLogger(__name__).debug("the session failed", exc_info=True)
        return False


def _print_lines(session: Session, period: float, signals: Signals) -> None:
    due = perf_counter() + period
    while _running(session, signals):
        if perf_counter() >= due:
            snapshot = session.snapshot()
            if snapshot.frames_seen:
                say(_line(snapshot))
            due += period


def _show_bar(session: Session, length: int | None, signals: Signals) -> None:
    stream = Quiet(sys.stderr)
    with tqdm(total=length, unit=" frames", file=stream, dynamic_ncols=True) as bar, _above(bar):
        running = True
        while running:
            running = _running(session, signals)
            bar.update(session.snapshot().frames_seen - bar.n)


@contextmanager
def _above(bar: tqdm[NoReturn]) -> Iterator[None]:
    """Let warnings appear above a bar, not in it: tqdm's own way takes no `Quiet` for the terminal."""
    kind = logging.StreamHandler
    ours = [h for h in logging.getLogger("roi_core").handlers if isinstance(h, kind)]
    before = [handler.setStream(_Above(bar, handler.stream)) for handler in ours]
    try:
        yield
    finally:
        for handler, stream in zip(ours, before, strict=True):
            handler.setStream(stream)


class _Above:
    """A stream that takes a bar away while something is written to it."""

    def __init__(self, bar: tqdm[NoReturn], stream: TextIO) -> None:
        self._bar, self._stream = bar, stream

    def write(self, text: str) -> None:
        with self._bar.external_write_mode(file=self._bar.fp):
            self._stream.write(text)

    def flush(self) -> None:
        self._stream.flush()


def _line(snapshot: Snapshot) -> str:
    dropped = "unknown" if snapshot.frames_dropped is None else snapshot.frames_dropped
    seen = snapshot.frames_seen
    now = snapshot.elapsed + snapshot.silence
    return f"[{now:7.3f}s] FPS: {snapshot.fps:.1f} frames={seen} dropped={dropped}"


def _print_end(snapshot: Snapshot) -> None:
    if snapshot.live:
        say(_line(snapshot))
    take = snapshot.recording
    if take is not None:
        reason = ": ".join(filter(None, (snapshot.reason, snapshot.detail)))
        rows = take.safe if take.failed else take.rows
        say(f"{rows} rows in {', '.join(map(str, take.parts))} ({reason})")
    account = snapshot.account
    if snapshot.settings.cnmf.enabled and 2 * account.analysed < account.measured:
        told = account.lines()
        say(
            f"cells were learned from {account.analysed} of {account.measured} frames only; "
            f"only followed in {told['watched']}; not looked for in {told['not analysed']}"
        )
