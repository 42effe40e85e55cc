"""All that the window is made of, built once, each part told where it is: the loop is in `app`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from roi_stream_gui.about import About
from roi_stream_gui.dialogs import AskFile, AskQuit
from roi_stream_gui.keyboard import Keyboard
from roi_stream_gui.keysheet import KeySheet
from roi_stream_gui.layout import Layout
from roi_stream_gui.looks import Looks, open_viewport
from roi_stream_gui.monitor import Monitor
from roi_stream_gui.outside import Grabbed
from roi_stream_gui.panelboard import PanelBoard
from roi_stream_gui.panels.base import Desk, then
from roi_stream_gui.texture import Texture
from roi_stream_gui.theme import Theme
from roi_stream_gui.tour import Tour

if TYPE_CHECKING:
    from collections.abc import Callable

    from roi_stream_gui.controller import Controller
    from roi_stream_gui.memory import Memory
    from roi_stream_gui.view import View

__all__ = ["Parts"]


class Parts:
    """Panels, dialogs and keys in an open viewport; ``leave`` ends the program, after a question."""

    def __init__(self, controller: Controller, memory: Memory, leave: Callable[[], None]) -> None:
        dpg.configure_app(manual_callback_management=True)
        self._do, self._leave = controller, leave
        monitor = Monitor.of() or Monitor()
        open_viewport(memory.place(monitor))
        theme = Theme()
        theme.load_font()
        dpg.bind_theme(theme.base)
        self.desk = Desk(controller, theme, Texture(), quit=self._ask_to_close)
        with dpg.window(no_scrollbar=True, no_scroll_with_mouse=True) as window:
            pass
        self.looks = Looks(self.desk, memory, monitor.scale)
        self.layout = Layout(self.desk, memory)
        self.panels = PanelBoard(self.desk, self.layout.build(int(window)))
        self.desk.open_tab, self.desk.is_open = self.panels.open, self.panels.is_open
        self._build_dialogs(memory)
        self.looks.update(controller.settings.current.display)
        self.panels.reopen(memory.tabs)
        _show(int(window))
        dpg.set_exit_callback(then(self._ask_to_close))

    def update(self, view: View, deadline: float) -> None:
        """Show what there is; after ``deadline``, s of `perf_counter`, panels without their turn wait."""
        self._grabbed.update()
        self.looks.update(view.settings.display, self.layout.window)
        self.looks.follow(self.panels.opened)
        self.layout.update()
        self.desk.texture.tick()
        self.panels.update(view, deadline)
        self.tour.update()

    def _build_dialogs(self, memory: Memory) -> None:
        desk = self.desk
        self._ask_quit = AskQuit(desk, self._leave)
        desk.ask_file = AskFile(desk).ask
        desk.show_keys = KeySheet(desk).toggle
        desk.show_about = About(desk).toggle
        self.tour = Tour(desk, memory)
        desk.show_tour = self.tour.show
        desk.zoom, desk.full_screen = self.looks.zoom, self.looks.full_screen
        Keyboard(desk)
        self._grabbed = Grabbed()

    def _ask_to_close(self) -> None:
        if self._do.recording():
            self._ask_quit.show()
        else:
            self._leave()


def _show(window: int) -> None:
    """Open the viewport with this window in it."""
    dpg.set_primary_window(window, True)
    # The frame behind it has its colour already; to paint it once more takes a rasteriser 7 ms.
    dpg.configure_item(window, no_background=True)
    dpg.setup_dearpygui()
    dpg.show_viewport()
