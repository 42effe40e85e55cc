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
from roi_stream_gui.about import About
from roi_stream_gui.dialogs import AskFile, AskQuit
from roi_stream_gui.keyboard import Keyboard
from roi_stream_gui.keysheet import KeySheet
from roi_stream_gui.layout import Layout
from roi_stream_gui.looks import Looks, open_viewport
from roi_stream_gui.memory import Memory
from roi_stream_gui.monitor import Monitor
from roi_stream_gui.outside import Grabbed, awake, on_signals, outlive_display
from roi_stream_gui.pace import Pace
from roi_stream_gui.panelboard import PanelBoard
from roi_stream_gui.panels.base import Desk, then
from roi_stream_gui.probe import Probe, answer
from roi_stream_gui.texture import Texture
from roi_stream_gui.theme import Theme
from roi_stream_gui.tour import Tour

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
            self._build()
            self._kept = outlive_display(self._do.close)
            for _ in range(FIRST_FRAMES):
                dpg.render_dearpygui_frame()
            self._tour.first()
            self._do.connect(self._do.source)
            with awake():
                while dpg.is_dearpygui_running() and not self._why:
                    self._turn()
            self._looks.remember(self._panels.opened())
        finally:
            self._close()
        return 0

    def _turn(self) -> None:
        """Draw one frame."""
        began = time.perf_counter()
        self._grabbed.update()
        self._run_callbacks()
        view = self._seen()
        self._looks.update(view.settings.display, self._layout.window)
        self._looks.follow(self._panels.opened)
        self._layout.update()
        self._desk.texture.tick()
        self._panels.update(view, began + ENOUGH)
        self._tour.update()
        self._pace.hand_over(began)
        dpg.render_dearpygui_frame()
        self._pace.finish(began)
        if self._probe is not None and not self._panels.behind:
            paces = {"busy": self._pace.busy, "made": self._pace.made}
            self._probe.poll(lambda: answer(self._desk, self._panels, view) | paces)
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

    def _build(self) -> None:
        dpg.configure_app(manual_callback_management=True)
        monitor = Monitor.of() or Monitor()
        open_viewport(self._memory.place(monitor))
        theme = Theme()
        theme.load_font()
        dpg.bind_theme(theme.base)
        self._desk = Desk(self._do, theme, Texture(), quit=self._ask_to_close)
        with dpg.window(no_scrollbar=True, no_scroll_with_mouse=True) as window:
            pass
        self._looks = Looks(self._desk, self._memory, monitor.scale)
        self._layout = Layout(self._desk, self._memory)
        self._panels = PanelBoard(self._desk, self._layout.build(int(window)))
        self._desk.open_tab, self._desk.is_open = self._panels.open, self._panels.is_open
        self._build_dialogs()
        self._looks.update(self._do.settings.current.display)
        self._panels.reopen(self._memory.tabs)
        dpg.set_primary_window(window, True)
        # The frame behind it has its colour already; to paint it once more takes a rasteriser 7 ms.
        dpg.configure_item(window, no_background=True)
        dpg.set_exit_callback(then(self._ask_to_close))
        dpg.setup_dearpygui()
        dpg.show_viewport()
        self._probe = Probe.wanted()

    def _build_dialogs(self) -> None:
        self._ask_quit = AskQuit(self._desk, self._leave)
        self._desk.ask_file = AskFile(self._desk).ask
        self._desk.show_keys = KeySheet(self._desk).toggle
        self._desk.show_about = About(self._desk).toggle
        self._tour = Tour(self._desk, self._memory)
        self._desk.show_tour = self._tour.show
        self._desk.zoom, self._desk.full_screen = self._looks.zoom, self._looks.full_screen
        Keyboard(self._desk)
        self._grabbed = Grabbed()

    def _close(self) -> None:
        """Finish the recording first; only then may the context go."""
        self._do.close(self._why)
        self._do.log.remove()
        if self._probe is not None:
            self._probe.close()
        dpg.destroy_context()

    def _ask_to_close(self) -> None:
        if self._do.recording():
            self._ask_quit.show()
        else:
            self._leave()

    def _leave(self, why: str = words.WINDOW_CLOSED) -> None:
        self._why = self._why or why
