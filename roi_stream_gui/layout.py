"""Where the panels stand: fixed bars, and three panes whose borders can be dragged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from roi_stream_gui.panels.base import Place
from roi_stream_gui.theme import SCROLL

if TYPE_CHECKING:
    from roi_stream_gui.memory import Memory
    from roi_stream_gui.panels.base import Desk

__all__ = ["Layout"]

MENU, BAR, CHIPS, STRIP, FOOT, LEFT, GAP, SPLIT, EDGE = 24, 38, 32, 36, 42, 120, 5, 5, 6
LEAST_CENTRE, LEAST_RIGHT, LEAST_PICTURE, LEAST_TRACES, LEAST_FOOT = 470, 292, 284, 110, 28
LOW_TRACES, LOW_PICTURE = 170, 342
"""px at 100 %. Where there is not room for all, the messages give way first, then the picture to its least,
while the traces are lower than `LOW_TRACES`; then the traces, then the picture."""


class Layout:
    """The frame of the window: one child window per place, sized by hand when something changes."""

    def __init__(self, desk: Desk, memory: Memory) -> None:
        self._desk = desk
        self._memory = memory
        self._places: dict[Place, int] = {}
        self._shown: tuple[float, ...] = ()
        self._foot = FOOT

    def build(self, window: int) -> dict[Place, int]:
        """Make the panes inside the primary window; return them by place."""
        dpg.configure_item(window, menubar=True)
        self._places[Place.MENU] = int(dpg.add_menu_bar(parent=window))
        with dpg.group(parent=window):
            self._pane(Place.TOP, no_scrollbar=True, no_scroll_with_mouse=True)
            self._pane(Place.CHIPS, no_scrollbar=True, no_scroll_with_mouse=True)
            with dpg.group(horizontal=True, horizontal_spacing=GAP):
                self._pane(Place.LEFT)
                self._pane(Place.CENTRE, no_scrollbar=True, no_scroll_with_mouse=True)
                self._upright = self._splitter("split.right")
                self._pane(Place.RIGHT, no_scrollbar=True, no_scroll_with_mouse=True)
            self._pane(Place.STRIP, show=False, no_scrollbar=True, no_scroll_with_mouse=True)
            self._level = self._splitter("split.bottom")
            self._pane(Place.BOTTOM, no_scrollbar=True, no_scroll_with_mouse=True)
            self._pane(Place.FOOT)
        tabs = {place: _tab_bar(self._places[place]) for place in (Place.RIGHT, Place.BOTTOM)}
        return {**self._places, **tabs}

    @property
    def window(self) -> tuple[int, int] | None:
        """Width and height of the window, px; None while it is not known, and while it is minimised."""
        width, height = dpg.get_viewport_client_width(), dpg.get_viewport_client_height()
        return (width, height) if width > 100 and height > 100 else None

    def update(self) -> None:
        """Follow the window's size and the splitters in the hand."""
        if self.window is None:
            return
        px, memory, (width, height) = self._desk.px, self._memory, self.window
        mouse, scale = dpg.get_mouse_pos(local=False), self._desk.scale
        if dpg.is_item_active(self._upright):
            memory.right = round((width - mouse[0] - EDGE - GAP) / scale)
        if dpg.is_item_active(self._level):
            memory.bottom = round((height - mouse[1] - self._foot - EDGE - 2 * GAP) / scale)
        strip = bool(dpg.get_item_configuration(self._places[Place.STRIP])["show"])
        scrolls = dpg.get_y_scroll_max(self._places[Place.LEFT]) > 0
        key = (width, height, memory.right, memory.bottom, scale, strip, scrolls)
        if key != self._shown:
            self._shown = key
            left = px(LEFT) + (px(SCROLL) if scrolls else 0)
            self._arrange(width, height, px(STRIP) + self._spaces()[0] if strip else 0, left)

    def _arrange(self, width: int, height: int, strip: int, left: int) -> None:
        px, memory = self._desk.px, self._memory
        bar, chips, split, (gap, edge) = px(BAR), px(CHIPS), px(SPLIT), self._spaces()
        width -= 2 * edge
        beside = left + split + 3 * px(GAP)  # the space in a line is rounded, see `Looks`
        most = max(px(LEAST_RIGHT), width - beside - px(LEAST_CENTRE))
        right = min(max(px(memory.right), px(LEAST_RIGHT)), most)
        free = height - px(MENU) - 2 * edge - bar - chips - split - 5 * gap - strip
        least = px(LEAST_TRACES)
        foot = min(max(free - px(LOW_TRACES) - px(LOW_PICTURE), px(LEAST_FOOT)), px(FOOT))
        free, self._foot = free - foot, foot
        picture = min(max(free - px(LOW_TRACES), px(LEAST_PICTURE)), px(LOW_PICTURE))
        bottom = min(max(px(memory.bottom), least), max(least, free - picture))
        middle = free - bottom
        self._size(Place.TOP, width, bar)
        self._size(Place.CHIPS, width, chips)
        self._size(Place.LEFT, left, middle)
        self._size(Place.CENTRE, width - beside - right, middle)
        dpg.configure_item(self._upright, width=split, height=middle)
        self._size(Place.RIGHT, right, middle)
        self._size(Place.STRIP, width, px(STRIP))
        dpg.configure_item(self._level, width=width, height=split)
        self._size(Place.BOTTOM, width, bottom)
        self._size(Place.FOOT, width, foot)

    def _spaces(self) -> tuple[int, int]:
        """Return px between two lines of panes, and at the edge: what Dear PyGui leaves, it rounds down."""
        return int(GAP * self._desk.scale), int(EDGE * self._desk.scale)

    def _pane(self, place: Place, **options: bool) -> None:
        item = dpg.add_child_window(border=True, **options)
        self._places[place] = self._desk.named(f"pane.{place.value}", item)

    def _splitter(self, name: str) -> int:
        item: int = dpg.add_button(label="")
        dpg.bind_item_theme(item, self._desk.theme.splitter)
        return self._desk.named(name, item)

    def _size(self, place: Place, width: int, height: int) -> None:
        dpg.configure_item(self._places[place], width=width, height=height)


def _tab_bar(parent: int) -> int:
    # Without a width of its own the first tab is drawn as wide as the pane (Dear PyGui 2.3.1).
    with dpg.group(width=200, parent=parent):
        return int(dpg.add_tab_bar())
