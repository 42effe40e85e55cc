"""The mouse on the picture: what is pressed, dragged, turned there goes to the hand, in image px."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import dearpygui.dearpygui as dpg

from roi_stream_gui.panels.base import then, value
from roi_stream_gui.panels.regionmenu import RegionMenu
from roi_stream_gui.tools import Keys, Tool

if TYPE_CHECKING:
    from collections.abc import Callable

    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.panels.cells import CellOverlay

__all__ = ["Mouse"]

REACH: Final = 9.0
"""Screen px by which the hand may miss a handle."""
DOUBLE: Final = 0.32
"""Seconds in which a second click may follow: so long the menu waits where a double click means something."""
SHIFT = (dpg.mvKey_LShift, dpg.mvKey_RShift)
CTRL = (dpg.mvKey_LControl, dpg.mvKey_RControl)
ALT = (dpg.mvKey_LAlt, dpg.mvKey_RAlt)


class Mouse:
    """Handlers for one plot; `place` tells the mouse in image px and `zoom` screen px per image px.

    Regions lie in the template's frame: they are hit where they are drawn, moved back by the picture's shift.
    """

    def __init__(
        self,
        desk: Desk,
        plot: int,
        cells: CellOverlay,
        place: Callable[[], tuple[float, float]],
        zoom: Callable[[], float],
    ) -> None:
        self._desk = desk
        self._do = desk.controller
        self._plot = plot
        self._cells = cells
        self._place = place
        self._zoom = zoom
        self._menu = RegionMenu(desk)
        self._menu_due = 0.0
        desk.region_menu = self._menu.open
        left, right = dpg.mvMouseButton_Left, dpg.mvMouseButton_Right
        with dpg.handler_registry():
            dpg.add_mouse_click_handler(left, callback=then(self._press))
            dpg.add_mouse_release_handler(left, callback=then(self._release))
            dpg.add_mouse_double_click_handler(left, callback=then(self._double_click))
            dpg.add_mouse_click_handler(right, callback=then(self._press_right))
            dpg.add_mouse_double_click_handler(right, callback=then(self._double_click_right))
            dpg.add_mouse_wheel_handler(callback=value(self._turn))

    @property
    def over(self) -> bool:
        """True while the mouse is over the picture."""
        return bool(dpg.is_item_hovered(self._plot))

    @property
    def holds_wheel(self) -> bool:
        """True while the wheel is the wand's, so that the picture must not zoom."""
        return self._do.hand.tool is Tool.WAND and self._do.hand.busy

    def update(self) -> None:
        """Let the hand follow; open the menu that had to wait. Once per drawn frame."""
        if self._do.picture.pen.busy:
            self._do.picture.pen.move(*self._place())
        elif self._do.hand.busy:
            self._do.hand.move(*self._on_regions(), self._reach())
        if self._menu_due and time.monotonic() > self._menu_due:
            self._menu_due = 0.0
            self._menu.open()

    def _on_regions(self) -> tuple[float, float]:
        """Return the mouse in px of the template, where regions are."""
        (x, y), (dy, dx) = self._place(), self._do.picture.shift
        return x + dx, y + dy

    def _reach(self) -> float:
        return self._desk.px(REACH) / self._zoom()

    def _press(self) -> None:
        if not self.over or self._do.session is None:
            return
        keys = Keys(_held(SHIFT), _held(CTRL), _held(ALT))
        x, y = self._place()
        if self._do.picture.pen.armed:
            self._do.picture.pen.press(x, y)
            return
        cell = self._cells.at(x, y)
        x, y = self._on_regions()
        if self._do.bundle.drop(x, y):
            return
        if self._do.hand.tool is Tool.SELECT and self._do.editor.at(x, y) is None:
            self._do.cells.click(cell, more=keys.ctrl or keys.shift)
        self._do.hand.press(x, y, self._reach(), keys)

    def _release(self) -> None:
        if self._do.picture.pen.busy:
            self._do.picture.pen.release(*self._place())
        elif self._do.hand.busy:
            place = self._on_regions()
            self._do.hand.move(*place, self._reach())
            self._do.hand.release(*place, self._reach())

    def _double_click(self) -> None:
        if not self.over:
            return
        cell = self._cells.at(*self._place())
        x, y = self._on_regions()
        if self._do.hand.double_click(x, y, self._reach()):
            return
        beside = self._do.editor.at(x, y) is None and cell is None
        if self._do.hand.tool is Tool.SELECT and beside:
            self._desk.fit()

    def _turn(self, steps: float) -> None:
        self._do.hand.scroll(steps)

    def _press_right(self) -> None:
        if not self.over:
            return
        if self._do.picture.pen.cancel():
            return
        if self._do.hand.busy:
            self._do.hand.cancel()
            return
        x, y = self._on_regions()
        if self._do.hand.on_corner(x, y, self._reach()):
            self._menu_due = time.monotonic() + DOUBLE
            return
        roi = self._do.editor.at(x, y)
        if roi is not None:
            if roi.id not in self._do.editor.selection:
                self._do.editor.select(roi.id)
            self._menu.open()

    def _double_click_right(self) -> None:
        if self.over:
            self._menu_due = 0.0
            self._do.hand.delete_corner(*self._on_regions(), self._reach())


def _held(keys: tuple[int, ...]) -> bool:
    return any(dpg.is_key_down(key) for key in keys)
