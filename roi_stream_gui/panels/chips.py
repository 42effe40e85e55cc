"""Health at a glance: what the camera gives, what is lost, what a frame costs, what the disk has left."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import dearpygui.dearpygui as dpg
import numpy as np

from roi_core.frame import Status
from roi_stream_gui import words
from roi_stream_gui.panels.base import Place
from roi_stream_gui.view import Phase
from roi_stream_gui.watch import awaited

if TYPE_CHECKING:
    from collections.abc import Callable

    from roi_core.session import Snapshot
    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.view import View

__all__ = ["Chips"]

PERIOD = 0.25
"""Seconds between two updates: faster figures cannot be read."""


class Chip(NamedTuple):
    """A short text, how bad it is (good, warn, bad or idle), and what it means or what to do about it."""

    text: str
    level: str
    tip: str = ""


IDLE = Chip("", "idle")
JUDGED = (Status.ACCEPTED, Status.REJECTED)


class Chips:
    """One row of coloured figures."""

    title: ClassVar[str] = "Health"
    place: ClassVar[Place] = Place.CHIPS

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._shown: dict[str, Chip] = {}
        self._items: dict[str, int] = {}
        self._tips: dict[str, int] = {}
        self._next = 0.0

    def build(self, parent: int) -> None:
        """Make one button per chip; a button can be coloured and explained."""
        with dpg.group(horizontal=True, parent=parent):
            for name in CHIPS:
                item = dpg.add_button(label="-")
                self._items[name] = self._desk.named(f"chip.{name}", item)
                with dpg.tooltip(item, delay=0.5, hide_on_activity=True):
                    self._tips[name] = dpg.add_text(words.TIPS[name], wrap=340)

    def update(self, view: View) -> None:
        """Show the figures, a few times a second."""
        now = time.monotonic()
        if now < self._next and view.phase is not Phase.FAILED:
            return
        self._next = now + PERIOD
        for name, tell in CHIPS.items():
            chip = tell(view)
            if chip != self._shown.get(name):
                self._shown[name] = chip
                dpg.configure_item(self._items[name], label=chip.text)
                dpg.set_value(self._tips[name], chip.tip or words.TIPS[name])
                dpg.bind_item_theme(self._items[name], self._desk.theme.chips[chip.level])


def camera(view: View) -> Chip:
    """Tell whether frames arrive as fast as they should."""
    snapshot = view.snapshot
    if snapshot is None or view.phase is not Phase.RUNNING:
        return Chip(view.phase.value, "bad" if view.phase is Phase.FAILED else "idle")
    if stalled(snapshot):
        return Chip(f"stalled {snapshot.silence:.0f} s", "warn")
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
    if snapshot.frames_dropped is None:
        return Chip("lost: unknown", "idle")
    level = "bad" if snapshot.frames_dropped else "warn" if stalled(snapshot) else "good"
    return Chip(f"lost {snapshot.frames_dropped}", level)


def cost(view: View) -> Chip:
    """Tell what a frame costs, against the time there is for it."""
    snapshot = view.snapshot
    if snapshot is None or not snapshot.frames_seen:
        return Chip("- ms / frame", "idle")
    room = 1e3 / snapshot.rate if snapshot.rate > 0 else float("inf")
    level = "good" if snapshot.step_ms_p99 < 0.7 * room else "warn" if snapshot.step_ms < room else "bad"
    return Chip(f"{snapshot.step_ms:.1f} ms / frame (p99 {snapshot.step_ms_p99:.1f})", level)


def queue(view: View) -> Chip:
    """Tell how far the recorder is behind."""
    take = view.snapshot.recording if view.snapshot else None
    if take is None or not (view.recording or take.closing):
        return Chip("queue -", "idle")
    part = take.queued / max(take.queue, 1)
    return Chip(
        f"queue {take.queued}/{take.queue}", "good" if part < 0.5 else "warn" if part < 0.9 else "bad"
    )


def disk(view: View) -> Chip:
    """Tell how much room there is for recordings, and for how long."""
    take = view.snapshot.recording if view.snapshot else None
    free = take.disk_free if view.recording and take else view.disk_free
    left = free - view.settings.recorder.disk_reserve * 1e6
    if left <= 0:
        return Chip(f"disk {words.size(free)}", "bad")
    if view.recording and take and take.bytes_per_second > 0:
        seconds = left / take.bytes_per_second
        return Chip(f"disk {words.size(free)}, {words.lasting(seconds)}", "warn" if seconds < 600 else "good")
    return Chip(f"disk {words.size(free)}", "good" if left > 1e9 else "warn")


def cells(view: View) -> Chip:
    """Tell how many cells there are, or what they wait for."""
    snapshot = view.snapshot
    if snapshot is None or not view.settings.cnmf.enabled:
        return Chip("cells off", "idle", words.CELLS_OFF)
    if not view.running and snapshot.activity is None:
        return Chip("cells -", "idle")
    if snapshot.stages.get("cnmf") == "given up" and view.running:
        return Chip("cells failed", "bad", words.CELLS_FAILED)
    if awaited(snapshot, view.settings):
        return Chip(
            "compiling cells ..." if view.compiling else "cells starting ...", "warn", words.COMPILING
        )
    if snapshot.activity is None:
        return Chip("cells starting ...", "warn", words.CELLS_STARTING)
    accepted, rejected = (int((snapshot.activity.components.status == s).sum()) for s in JUDGED)
    return Chip(f"{accepted} cells, {rejected} rejected", "good" if accepted else "idle")


def motion(view: View) -> Chip:
    """Tell how far the picture has moved, and whether that is to be believed."""
    snapshot = view.snapshot
    if snapshot is None or not view.settings.motion.enabled:
        return Chip("motion off", "idle", words.MOTION_OFF)
    if snapshot.stages.get("motion") == "given up" and view.running:
        return Chip("motion failed", "bad", words.MOTION_FAILED)
    if snapshot.shift is None:
        return Chip("motion starting ...", "warn" if view.running else "idle", words.COMPILING)
    far = float(np.hypot(*snapshot.shift))
    if snapshot.flag:
        return Chip(f"motion {snapshot.flag} {far:.1f} px", "bad", words.DOUBTS.get(snapshot.flag, ""))
    sure = f"\nNow {snapshot.confidence or 0.0:.2f} of the usual agreement with the template."
    return Chip(f"motion {far:.1f} px", "good", words.TIPS["motion"] + sure)


def window(view: View) -> Chip:
    """Tell how often the window draws."""
    return Chip(f"window {view.window_rate:.0f} fps", "idle")


CHIPS: dict[str, Callable[[View], Chip]] = {
    "fps": camera, "lost": lost, "cost": cost, "queue": queue, "disk": disk,
    "cells": cells, "motion": motion, "window": window,
}  # fmt: skip
