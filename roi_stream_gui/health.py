"""The figures of the health chips, from a view: how good or bad each is, and what to do. Knows no toolkit."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from roi_core.forecast import bytes_per_second
from roi_core.frame import Status
from roi_stream_gui import words
from roi_stream_gui.view import Phase, Side
from roi_stream_gui.watch import awaited, progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from roi_core.rois import RoiSet
    from roi_core.session import Snapshot
    from roi_core.settings import Settings
    from roi_stream_gui.view import View

__all__ = ["CHIPS", "Chip", "disk", "growth", "only_times", "stalled"]


class Chip(NamedTuple):
    """A short text, how bad it is (good, warn, bad or idle), and what it means or what to do about it."""

    text: str
    level: str
    tip: str = ""


JUDGED: Final = (Status.ACCEPTED, Status.REJECTED)
MEASURED: Final = 10.0
"""Seconds of a recording after which its own growth is believed more than the forecast."""
SHORT: Final = 600.0
"""Seconds of room on the disk below which it is time to worry."""
LATE: Final = 2.0
"""Seconds beyond the usual that the search for cells may be behind."""
SLUGGISH: Final = 8.0
"""Frames per second below which a window is no fun."""


def camera(view: View) -> Chip:
    """Tell whether frames arrive as fast as they should."""
    snapshot = view.snapshot
    if view.side is Side.RESULTS and view.phase is Phase.FINISHED:
        return Chip(words.RESULTS_CHIP, "good", words.RESULTS_SHOWN)
    if snapshot is None or view.phase is not Phase.RUNNING:
        return Chip(view.phase.value, "bad" if view.phase is Phase.FAILED else "idle")
    if stalled(snapshot):
        return Chip(f"stalled {snapshot.silence:.0f} s", "warn", words.STALLED)
    if view.held:
        return Chip("held", "idle", words.HELD)
    slow = snapshot.frames_seen > snapshot.rate and snapshot.fps < 0.9 * snapshot.rate
    return Chip(f"{snapshot.fps:.1f} / {snapshot.rate:g} fps", "warn" if slow else "good")


def stalled(snapshot: Snapshot) -> bool:
    """Tell whether the camera is silent for longer than it may be."""
    return snapshot.silence > min(snapshot.settings.camera.timeout, max(1.0, 20 / max(snapshot.rate, 1e-3)))


def lost(view: View) -> Chip:
    """Tell how many frames were lost; unknown is said, never shown as 0, and nobody knows in a stall."""
    snapshot = view.snapshot
    if snapshot is None:
        return Chip("lost -", "idle")
    tip = "\n\n".join((words.TIPS["lost"], *_accounts(snapshot)))
    if snapshot.frames_dropped is None:
        return Chip("lost: unknown", "idle", tip)
    level = "bad" if snapshot.frames_dropped else "warn" if stalled(snapshot) else "good"
    return Chip(f"lost {snapshot.frames_dropped}", level, tip)


def _accounts(snapshot: Snapshot) -> Iterator[str]:
    """Tell what became of the frames: of the session, and of the last recording."""
    take = snapshot.recording
    both = [(words.ACCOUNT_OF["session"], snapshot.account)]
    if take is not None:
        both.append((words.ACCOUNT_OF["recording"].format(name=take.path.name), take.account))
    for title, account in both:
        lines = (f"{name}: {text}" for name, text in account.lines().items())
        yield "\n".join((title, *lines))


def queue(view: View) -> Chip:
    """Tell how far the recorder is behind: so much of the ring of frames waits for the disk."""
    take = view.snapshot.recording if view.snapshot else None
    if take is None or not (view.recording or take.closing):
        return waiting(view)
    if take.backlog:
        return Chip(f"{take.backlog} to write", "warn", words.CATCHING_UP.format(frames=take.backlog))
    part = take.queued / max(take.queue, 1)
    return Chip(
        f"ring {100 * part:.0f} %",
        "good" if part < 0.5 else "warn" if part < 0.9 else "bad",
        words.QUEUE.format(queued=take.queued, queue=take.queue),
    )


def waiting(view: View) -> Chip:
    """Tell what is kept for a recording that is still to begin."""
    kept = view.snapshot.kept if view.snapshot else None
    if kept is None or not kept.seconds:
        return Chip("ring -", "idle")
    tip = words.KEPT.format(seconds=kept.seconds, memory=words.size(kept.bytes))
    return Chip(f"kept {kept.seconds:.1f} s", "good", tip)


def cost(view: View) -> Chip:
    """Tell what a frame costs, against the time there is for it, and what each stage costs."""
    snapshot = view.snapshot
    if snapshot is None or not snapshot.frames_seen or view.side is Side.RESULTS:
        return Chip("- ms", "idle")
    room = 1e3 / snapshot.rate if snapshot.rate > 0 else float("inf")
    level = "good" if snapshot.step_ms_p99 < 0.7 * room else "warn" if snapshot.step_ms < room else "bad"
    text = f"{_ms(snapshot.step_ms)} of {room:.0f} ms" if room < 1e3 else f"{_ms(snapshot.step_ms)} ms"
    costs = snapshot.costs.items()
    stages = "\n".join(f"{_ms(ms):>6} ms  {words.COST_OF.get(name, name)}" for name, ms in costs)
    facts = words.COST.format(median=snapshot.step_ms, p99=snapshot.step_ms_p99, room=room)
    return Chip(text, level, f"{facts}\n{stages}")


def _ms(ms: float) -> str:
    return f"{ms:.1f}" if ms < 9.95 else f"{ms:.0f}"


def lag(view: View) -> Chip:
    """Tell how far the search for new cells is behind the camera."""
    snapshot = view.snapshot
    if snapshot is None or snapshot.behind is None or not view.settings.cnmf.enabled:
        return Chip("search -", "idle")
    if not view.settings.cnmf.detect:
        return Chip("search off", "idle")
    seconds = snapshot.behind / snapshot.rate if snapshot.rate > 0 else 0.0
    late = seconds - view.settings.cnmf.detect_period
    level = "good" if late < LATE else "warn" if seconds < view.settings.cnmf.buffer / 2 else "bad"
    text = f"search {seconds:.1f} s late" if late >= LATE else "search in time"
    return Chip(text, level, words.LAG.format(frames=snapshot.behind, seconds=seconds))


def cells(view: View) -> Chip:
    """Tell how many cells there are, or what they wait for."""
    snapshot = view.snapshot
    if snapshot is None or not (view.settings.cnmf.enabled or view.side is Side.RESULTS):
        return Chip("cells off", "idle", words.CELLS_OFF)
    if not view.running and snapshot.activity is None:
        return Chip("cells -", "idle")
    if snapshot.stages.get("cnmf") == "given up" and view.running:
        return Chip("cells failed", "bad", words.CELLS_FAILED)
    if view.running and awaited(snapshot, view.settings):
        part = progress(snapshot, view.settings)
        text = words.COMPILING_CHIP.format(*part) if view.compiling else "starting ..."
        return Chip(text, "warn", _making(view))
    if snapshot.activity is None:
        return Chip("starting ...", "warn", words.CELLS_STARTING)
    accepted, rejected = (int((snapshot.activity.components.status == s).sum()) for s in JUDGED)
    facts = f"{accepted} accepted, {rejected} not.\n{words.TIPS['cells']}"
    return Chip(f"{accepted} cells", "good" if accepted else "idle", facts)


def _making(view: View) -> str:
    """Tell what a stage that is being made waits for."""
    if not view.compiling or view.snapshot is None:
        return words.STAGES_MAKING
    return words.STAGES_COMPILING.format(*progress(view.snapshot, view.settings))


def motion(view: View) -> Chip:
    """Tell how far the picture has moved, and whether that is to be believed."""
    snapshot = view.snapshot
    if snapshot is None or not view.settings.motion.enabled:
        return Chip("motion off", "idle", words.MOTION_OFF)
    if snapshot.stages.get("motion") == "given up" and view.running:
        return Chip("motion failed", "bad", words.MOTION_FAILED)
    if snapshot.shift is None:
        return Chip("motion ...", "warn" if view.running else "idle", _making(view))
    far = float(np.hypot(*snapshot.shift))
    if snapshot.flag:
        return Chip(f"{snapshot.flag} {far:.1f} px", "bad", words.DOUBTS.get(snapshot.flag, ""))
    sure = f"\nNow {snapshot.confidence or 0.0:.2f} of the usual agreement with the template."
    return Chip(f"motion {far:.1f} px", "good", words.TIPS["motion"] + sure)


def window(view: View) -> Chip:
    """Tell how often the window draws."""
    slow = view.running and 1 < view.window_rate < min(SLUGGISH, 0.6 * view.settings.display.rate)
    return Chip(f"gui {view.window_rate:.0f}", "warn" if slow else "idle")


def messages(view: View) -> Chip:
    """Tell how many warnings and errors there were; they stay until the list is cleared."""
    warnings, errors = (view.said.get(level, 0) for level in (logging.WARNING, logging.ERROR))
    if not warnings and not errors:
        return Chip("no warnings", "idle")
    parts = [words.counted(errors, "error")] * bool(errors) + [f"{warnings} warn"] * bool(warnings)
    return Chip(", ".join(parts), "bad" if errors else "warn")


def growth(view: View) -> float:
    """Return bytes per second that a recording takes: as measured, or as it would be."""
    snapshot = view.snapshot
    if snapshot is None:
        return 0.0
    take = snapshot.recording
    if view.recording and take is not None and take.seconds > MEASURED:
        return take.bytes_per_second
    found = 0 if snapshot.activity is None else len(snapshot.activity.ids)
    return bytes_per_second(snapshot.shape, snapshot.rate, view.settings, len(view.rois), found)


def only_times(settings: Settings, rois: RoiSet) -> bool:
    """Tell whether a recording holds neither regions nor cells nor pictures."""
    return not (settings.recorder.movie or settings.cnmf.enabled or len(rois))


def disk(view: View) -> Chip:
    """Tell how much room there is, for how long at the present rate, and whether that is with the movie.

    Amber, too, while nothing but times would be recorded.
    """
    take = view.snapshot.recording if view.snapshot else None
    free = take.disk_free if view.recording and take and take.disk_free else view.disk_free
    if free is None:
        return Chip("disk ...", "idle")
    left, speed = free - view.settings.recorder.disk_reserve * 1e6, growth(view)
    if left <= 0:
        return Chip(f"disk {words.size(free)}", "bad", words.DISK_FULL)
    movie = view.settings.recorder.movie
    said, facts = [words.size(free)], [words.TIPS["disk"], words.MOVIE_KEPT[movie], str(view.folder)]
    if speed <= 0:
        said.append(words.MOVIE_CHIP[movie])
        return Chip(" · ".join(said), "good" if left > 1e9 else "warn", "\n".join(facts))
    seconds = left / speed
    if seconds < words.LONG:
        said.append(words.lasting(seconds))
    facts.append(words.GROWTH.format(minute=words.size(60 * speed), movie=words.MOVIE[movie]))
    facts.append(words.LASTS.format(words.lasting(seconds)))
    wanted = view.length if view.length and not view.recording else 0.0
    empty = view.running and only_times(view.settings, view.rois)
    if empty:
        facts.insert(0, words.ONLY_TIMES_YET)
    level = "bad" if seconds < wanted else "warn" if seconds < SHORT or left < 1e9 or empty else "good"
    said.append(words.MOVIE_CHIP[movie])
    return Chip(" · ".join(said), level, "\n".join(facts))


CHIPS: dict[str, Callable[[View], Chip]] = {
    "fps": camera, "lost": lost, "queue": queue, "cost": cost, "motion": motion, "cells": cells, "lag": lag,
    "window": window, "messages": messages,
}  # fmt: skip
