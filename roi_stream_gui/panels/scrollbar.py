"""A scroll bar beside something that is drawn a page at a time, and so has nothing of its own to scroll."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import dearpygui.dearpygui as dpg

if TYPE_CHECKING:
    from roi_stream_gui.panels.base import Desk

__all__ = ["WIDTH", "ScrollBar"]

WIDTH: Final = 13
"""px of the bar."""
SETTLE: Final = 3
"""Drawn frames until a pane has gone where it was sent."""


class ScrollBar:
    """The bar of an empty pane, as tall as all entries would be; built where the next widget goes."""

    def __init__(self, desk: Desk, name: str) -> None:
        self._first = self._settling = 0
        self._seen = 0.0
        self._tall = 1
        with dpg.child_window(border=False, width=WIDTH, show=False) as self._pane:
            dpg.bind_item_theme(desk.named(name, self._pane), desk.theme.flush)
            self._spacer = dpg.add_spacer(height=1)

    def resize(self, height: int) -> None:
        """Be so tall; below 0: leave so many px free beneath."""
        dpg.configure_item(self._pane, height=height)

    def follow(self, first: int, fit: int, count: int) -> int:
        """Show which entries are in sight, `fit` of `count`; return the first, which the hand may move."""
        if dpg.is_item_shown(self._pane) != (count > fit):
            dpg.configure_item(self._pane, show=count > fit)
        if count <= fit:
            return first
        entry = max(dpg.get_item_rect_size(self._pane)[1] / fit, 1.0)
        if self._tall != (tall := round(entry * count)):
            self._tall = tall
            dpg.configure_item(self._spacer, height=tall)
            self._first = -1
        now = float(dpg.get_y_scroll(self._pane))
        if first != self._first:
            self._first, self._settling = first, SETTLE
        if self._settling:
            self._settling -= 1
            dpg.set_y_scroll(self._pane, first * entry)
        elif now != self._seen:
            self._first = round(now / entry)
        self._seen = now
        return self._first
