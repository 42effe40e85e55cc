"""Where the panels stand: fixed bars, and three panes whose borders can be dragged."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from roi_stream_gui.panels.base import Place

if TYPE_CHECKING:
    from roi_stream_gui.panels.base import Desk

__all__ = ["Layout", "Sizes"]

MENU, BAR, CHIPS, FOOT, LEFT, GAP, SPLIT, EDGE = 27, 38, 32, 66, 120, 5, 5, 6
LEAST_CENTRE, LEAST_RIGHT, LEAST_PICTURE, LEAST_TRACES = 360, 292, 318, 110


@dataclass
class Sizes:
    """What the user has dragged, px; remembered between starts."""

    width: int = 1280
    height: int = 800
    right: int = 312
    bottom: int = 224

    @classmethod
    def remembered(cls) -> Sizes:
        """Return the sizes of last time, or the first ones."""
        try:
            known = json.loads(_memory().read_text(encoding="utf-8"))
            return cls(**{name: int(known[name]) for name in asdict(cls())})
        except (OSError, ValueError, KeyError, TypeError):
            return cls()

    def remember(self) -> None:
        """Keep the sizes for the next start; a home that cannot be written is no reason to complain."""
        try:
            _memory().parent.mkdir(parents=True, exist_ok=True)
            _memory().write_text(json.dumps(asdict(self)), encoding="utf-8")
        except OSError:
            return


class Layout:
    """The frame of the window: one child window per place, sized by hand when something changes."""

    def __init__(self, desk: Desk, sizes: Sizes) -> None:
        self.sizes = sizes
        self._desk = desk
        self._places: dict[Place, int] = {}
        self._shown: tuple[int, ...] = ()

    def build(self, window: int) -> dict[Place, int]:
        """Make the panes inside the primary window; return them by place."""
        dpg.configure_item(window, menubar=True)
        self._places[Place.MENU] = int(dpg.add_menu_bar(parent=window))
        with dpg.group(parent=window):
            self._pane(Place.TOP, no_scrollbar=True, no_scroll_with_mouse=True)
            self._pane(Place.CHIPS, no_scrollbar=True, no_scroll_with_mouse=True)
            with dpg.group(horizontal=True, horizontal_spacing=GAP):
                self._pane(Place.LEFT, no_scrollbar=True)
                self._pane(Place.CENTRE, no_scrollbar=True, no_scroll_with_mouse=True)
                self._upright = self._splitter("split.right")
                self._pane(Place.RIGHT, no_scrollbar=True, no_scroll_with_mouse=True)
            self._level = self._splitter("split.bottom")
            self._pane(Place.BOTTOM, no_scrollbar=True, no_scroll_with_mouse=True)
            self._pane(Place.FOOT)
        tabs = {place: _tab_bar(self._places[place]) for place in (Place.RIGHT, Place.BOTTOM)}
        return {**self._places, **tabs}

    def update(self) -> None:
        """Follow the window's size and the splitters in the hand."""
        sizes = self.sizes
        sizes.width, sizes.height = dpg.get_viewport_client_width(), dpg.get_viewport_client_height()
        mouse = dpg.get_mouse_pos(local=False)
        if dpg.is_item_active(self._upright):
            sizes.right = int(sizes.width - mouse[0] - EDGE - GAP)
        if dpg.is_item_active(self._level):
            sizes.bottom = int(sizes.height - mouse[1] - FOOT - EDGE - 2 * GAP)
        key = (sizes.width, sizes.height, sizes.right, sizes.bottom)
        if key != self._shown and sizes.width > 100 and sizes.height > 100:
            self._shown = key
            self._arrange()

    def _arrange(self) -> None:
        sizes = self.sizes
        width = sizes.width - 2 * EDGE
        most = max(LEAST_RIGHT, width - LEFT - SPLIT - 3 * GAP - LEAST_CENTRE)
        right = min(max(sizes.right, LEAST_RIGHT), most)
        free = sizes.height - MENU - 2 * EDGE - BAR - CHIPS - FOOT - SPLIT - 5 * GAP
        bottom = min(max(sizes.bottom, LEAST_TRACES), max(LEAST_TRACES, free - LEAST_PICTURE))
        middle = free - bottom
        centre = width - LEFT - SPLIT - right - 3 * GAP
        self._size(Place.TOP, width, BAR)
        self._size(Place.CHIPS, width, CHIPS)
        self._size(Place.LEFT, LEFT, middle)
        self._size(Place.CENTRE, centre, middle)
        dpg.configure_item(self._upright, width=SPLIT, height=middle)
        self._size(Place.RIGHT, right, middle)
        dpg.configure_item(self._level, width=width, height=SPLIT)
        self._size(Place.BOTTOM, width, bottom)
        self._size(Place.FOOT, width, FOOT)

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


def _memory() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "roi_stream" / "window.json"
