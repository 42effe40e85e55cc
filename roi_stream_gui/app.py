"""The window and its loop, on one screen; the only owner of the Dear PyGui context.

Everything here runs on the main thread. Callbacks are collected by Dear PyGui and run between frames, each on
its own, so that one that fails costs a message and nothing else; the same holds for a panel. The session has
its own threads and does not notice what happens here.
"""

from __future__ import annotations

import logging
import sys
import time
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from roi_core.calm import DRAWING, SWITCH, starter, step_back
from roi_stream_gui import safe, words
from roi_stream_gui.memory import Memory
from roi_stream_gui.outside import awake, on_signals, outlive_display
from roi_stream_gui.pace import Pace
from roi_stream_gui.parts import Parts
from roi_stream_gui.probe import Probe, answer

if TYPE_CHECKING:
    from roi_stream_gui.controller import Controller
    from roi_stream_gui.view import View

__all__ = ["App"]

log = logging.getLogger(__name__)

FIRST_FRAMES = 3
"""They take long and would cost the camera some."""
ENOUGH = 0.012
"""Seconds after which a frame is drawn as it is: panels without their turn have it in the next one."""


class App:
    """The window."""

    def __init__(self, controller: Controller) -> None:
        self._do = controller
        self._why = ""
        """Why the window is to be closed; '' while it is not."""
        self._memory = Memory.kept()
        self._pace = Pace()
        self._probe: Probe | None = None
        self._view = controller.view()
        self._failed = ""

    def run(self) -> int:
        """Show the window until it is closed; return the exit code."""
        sys.setswitchinterval(SWITCH)
        self._do.log.install()
        on_signals(self._leave)
        self._do.prepare()
        starter()
        step_back(DRAWING)  # and all threads that help to draw, but none that measures or records
        safe.install()
        dpg.create_context()
        try:
            self._parts = parts = Parts(self._do, self._memory, self._leave)
            self._probe = Probe.wanted()
            self._kept = outlive_display(self._do.close)
            for _ in range(FIRST_FRAMES):
                dpg.render_dearpygui_frame()
            parts.tour.first()
            self._do.connect(self._do.source)
            with awake():
                while dpg.is_dearpygui_running() and not self._why:
                    self._turn()
            parts.looks.remember(parts.panels.opened())
        finally:
            self._close()
        return 0

    def _turn(self) -> None:
        """Draw one frame."""
        began = time.perf_counter()
        parts = self._parts
        self._run_callbacks()
        view = self._seen()
        parts.update(view, began + ENOUGH)
        self._pace.hand_over(began)
        dpg.render_dearpygui_frame()
        self._pace.finish(began)
        if self._probe is not None and not parts.panels.behind:
            paces = {"busy": self._pace.busy, "made": self._pace.made}
            self._probe.poll(lambda: answer(parts.desk, parts.panels, view) | paces)
        self._pace.wait(began, view, dpg.get_mouse_pos(local=False))
        self._do.window_rate = self._pace.rate

    def _seen(self) -> View:
        """Return what there is to show; an error there costs a message, not the window in mid-recording."""
        try:
            self._do.tick()
            self._view = self._do.view()
        except Exception as error:
            if str(error) != self._failed:
                self._failed = str(error)
                log.exception("the window could not follow the session: %s", error)
        return self._view

    def _run_callbacks(self) -> None:
        for job in dpg.get_callback_queue() or ():
            if job[0] is None:
                continue
            try:
                job[0](*job[1:])
            except Exception as error:
                log.exception("that did not work: %s", error)

    def _close(self) -> None:
        """Finish the recording first; only then may the context go."""
        self._do.close(self._why)
        self._do.log.remove()
        if self._probe is not None:
            self._probe.close()
        dpg.destroy_context()

    def _leave(self, why: str = words.WINDOW_CLOSED) -> None:
        self._why = self._why or why
