"""The window's loop, on one screen; the only owner of the Dear PyGui context.

Everything here runs on the main thread. Callbacks are collected by Dear PyGui and run between frames, each on
its own, so that one that fails costs a message and nothing else; the same holds for a panel. The session has
its own threads and does not notice what happens here.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import dearpygui.dearpygui as dpg

from roi_core.calm import SWITCH
from roi_stream_gui import words
from roi_stream_gui.dialogs import AskFile, AskQuit, KeySheet
from roi_stream_gui.keyboard import Keyboard
from roi_stream_gui.layout import Layout, Sizes
from roi_stream_gui.panels import PANELS, panel_class
from roi_stream_gui.panels.base import Desk, Place, then
from roi_stream_gui.probe import Probe, labels, rectangles, state_of
from roi_stream_gui.shipped import asset
from roi_stream_gui.texture import Texture
from roi_stream_gui.theme import Theme

if TYPE_CHECKING:
    from collections.abc import Callable

    from roi_stream_gui.controller import Controller
    from roi_stream_gui.panels.base import Panel
    from roi_stream_gui.view import View

__all__ = ["App"]

log = logging.getLogger(__name__)

IDLE_RATE = 10.0
"""Draws per second while nothing moves."""
NICE = 5
"""How far the drawing threads step back: with two busy cores this lost 0 instead of 202 of 2000 frames."""
FIRST_FRAMES = 3
WAKE_PERIOD = 0.1
"""s; a minimised window sleeps inside GLFW until an event comes, so one is sent this often."""


class App:
    """The window."""

    def __init__(self, controller: Controller) -> None:
        self._do = controller
        self._leaving = False
        self._panels: dict[str, Panel] = {}
        self._parents: dict[str, int] = {}
        self._frame_times = [0.0] * 20
        self._seen: tuple[object, ...] = ()
        self._quiet_since = 0.0
        self._awake = threading.Event()
        self._sizes = Sizes.remembered()
        self._probe: Probe | None = None

    def run(self) -> int:
        """Show the window until it is closed; return the exit code."""
        sys.setswitchinterval(SWITCH)
        self._do.log.install()
        for name in ("SIGTERM", "SIGINT", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._on_signal)
        self._do.prepare()
        _step_back()
        dpg.create_context()
        try:
            self._build()
            self._outlive_display()
            # The first frames take long and would cost the camera some.
            for _ in range(FIRST_FRAMES):
                dpg.render_dearpygui_frame()
            self._do.connect(self._do.source)
            self._loop()
        finally:
            self._close()
        return 0

    # -- the loop -----------------------------------------------------------------------------------------

    def _loop(self) -> None:
        waker = threading.Thread(target=self._wake, name="waker", daemon=True)
        waker.start()
        try:
            while dpg.is_dearpygui_running() and not self._leaving:
                began = time.perf_counter()
                self._run_callbacks()
                self._do.tick()
                view = self._do.view()
                self._layout.update()
                self._update_panels(view)
                if self._probe is not None:
                    self._probe.poll(partial(self._tell, view))
                dpg.render_dearpygui_frame()
                self._pace(began, view)
        finally:
            self._awake.set()
            waker.join()

    def _run_callbacks(self) -> None:
        for job in dpg.get_callback_queue() or ():
            if job[0] is None:
                continue
            try:
                job[0](*job[1:])
            except Exception as error:
                log.exception("that did not work: %s", error)

    def _update_panels(self, view: View) -> None:
        for word, panel in list(self._panels.items()):
            try:
                panel.update(view)
            except Exception as error:
                self._switch_off(word, error)

    def _switch_off(self, word: str, error: Exception) -> None:
        """Take a failed panel out; the others and the session live on."""
        panel = self._panels.pop(word, None)
        text = words.PANEL_OFF.format(title=panel.title if panel else word, error=error)
        log.error("%s", text, exc_info=error)
        if word in self._parents:
            dpg.add_text(text, parent=self._parents[word], wrap=0, color=(232, 76, 76))

    def _pace(self, began: float, view: View) -> None:
        """Sleep until the next frame is due: sooner when something moves."""
        seen = (view.snapshot.frames.head if view.snapshot else 0, dpg.get_mouse_pos(local=False), view.news)
        if seen != self._seen or view.hand.busy:
            self._seen, self._quiet_since = seen, began
        rate = view.settings.display.rate
        if began - self._quiet_since > 1.0:
            rate = min(rate, IDLE_RATE)
        elif view.hand.busy:
            rate = max(rate, 40.0)
        left = began + 1.0 / rate - time.perf_counter()
        if left > 0:
            time.sleep(left)
        self._frame_times = [*self._frame_times[1:], time.perf_counter()]
        span = self._frame_times[-1] - self._frame_times[0]
        self._do.window_rate = (len(self._frame_times) - 1) / span if span > 0 else 0.0

    def _wake(self) -> None:
        """Keep a minimised window's loop turning; only Linux needs it."""
        try:
            post = ctypes.CDLL(dpg.internal_dpg.__file__).glfwPostEmptyEvent
        except (AttributeError, OSError):
            return
        while not self._awake.wait(WAKE_PERIOD):
            post()

    # -- building and closing -----------------------------------------------------------------------------

    def _build(self) -> None:
        dpg.configure_app(manual_callback_management=True)
        icon = asset("icon.png")
        icons = {"small_icon": str(icon), "large_icon": str(icon)} if icon else {}
        dpg.create_viewport(
            title=words.TITLE, width=self._sizes.width, height=self._sizes.height,
            min_width=940, min_height=640, disable_close=True, clear_color=(16, 18, 22), **icons,
        )  # fmt: skip
        theme = Theme()
        theme.load_font()
        dpg.bind_theme(theme.base)
        self._desk = Desk(self._do, theme, Texture())
        with dpg.window(no_scrollbar=True, no_scroll_with_mouse=True) as window:
            pass
        self._layout = Layout(self._desk, self._sizes)
        self._build_panels(self._layout.build(int(window)))
        self._build_dialogs()
        dpg.set_primary_window(window, True)
        dpg.set_exit_callback(then(self._ask_to_close))
        dpg.setup_dearpygui()
        dpg.show_viewport()
        self._probe = Probe.wanted()

    def _build_panels(self, places: dict[Place, int]) -> None:
        for word in PANELS:
            try:
                self._build_panel(word, places)
            except Exception as error:
                self._switch_off(word, error)

    def _build_panel(self, word: str, places: dict[Place, int]) -> None:
        kind = panel_class(word)
        parent = places[kind.place]
        if kind.place == Place.RIGHT:
            parent = int(dpg.add_tab(label=kind.title, parent=parent))
            self._desk.named(f"tab.{word}", parent)
        self._parents[word] = parent
        self._panels[word] = kind(self._desk)
        self._panels[word].build(parent)

    def _build_dialogs(self) -> None:
        self._ask_quit = AskQuit(self._desk, self._leave)
        self._desk.ask_file = AskFile(self._desk).ask
        Keyboard(self._desk, KeySheet(self._desk).toggle)

    def _close(self) -> None:
        """Finish the recording first; only then may the context go."""
        self._do.close()
        self._do.log.remove()
        self._sizes.remember()
        if self._probe is not None:
            self._probe.close()
        dpg.destroy_context()

    def _outlive_display(self) -> None:
        """Finish the recording when the X server dies: Xlib would end the process on the spot."""

        def lost(_display: int | None) -> int:
            print(words.DISPLAY_LOST, file=sys.stderr, flush=True)
            self._do.close()
            os._exit(1)

        with suppress(OSError):  # no Xlib, no need
            self._on_lost = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(lost)
            ctypes.CDLL("libX11.so.6").XSetIOErrorHandler(self._on_lost)

    def _ask_to_close(self) -> None:
        if self._do.recording():
            self._ask_quit.show()
        else:
            self._leave()

    def _leave(self) -> None:
        self._leaving = True

    def _on_signal(self, *_: Any) -> None:
        self._leaving = True

    def _tell(self, view: View) -> dict[str, Any]:
        """Return what tests ask for."""
        preview: Any = self._panels.get("preview")
        mapping: Callable[[], dict[str, float]] | None = getattr(preview, "mapping", None)
        return {
            "items": rectangles(self._desk.names),
            "image": mapping() if mapping else None,
            "panels": list(self._panels),
            "chips": labels(self._desk.names, "chip."),
            "typing": self._desk.typing(),
            "state": state_of(view, self._do.cells),
        }


def _step_back() -> None:
    """Let the camera's thread go first when there are too few cores (Linux: per thread, inherited).

    Threads that draw are started by this one and step back with it; those that measure are started by the
    controller's helper, which was started before.
    """
    with suppress(AttributeError, OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
