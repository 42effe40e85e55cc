"""Which drop-down list is open, and how it is closed: Dear PyGui tells neither, and Esc closes none."""

from __future__ import annotations

import time
from typing import Any, Final

import dearpygui.dearpygui as dpg

from roi_stream_gui.panels.base import then

__all__ = ["DropLists"]

RECENT: Final = 0.5
"""s; a press so soon after the mouse was seen on a field is one on the field."""


class DropLists:
    """Watches the fields with a list.

    A field is hovered before it is pressed, and not 'visible' while its list lies open.
    """

    def __init__(self) -> None:
        self._hovered, self._when = 0, 0.0
        self._pressed = 0
        with dpg.item_handler_registry() as registry:
            dpg.add_item_hover_handler(callback=self._hover)
        for item in dpg.get_all_items():
            if str(dpg.get_item_type(item)).endswith("::mvCombo"):
                dpg.bind_item_handler_registry(item, registry)
        with dpg.handler_registry():
            dpg.add_mouse_click_handler(dpg.mvMouseButton_Left, callback=then(self._press))

    @property
    def open(self) -> bool:
        """True while a list lies open."""
        return bool(self._pressed) and not dpg.get_item_state(self._pressed)["visible"]

    def close(self) -> None:
        """Close the list that is open: it goes when its field takes the focus."""
        dpg.focus_item(self._pressed)
        self._pressed = 0

    def _hover(self, _sender: int, item: int, *_: Any) -> None:
        self._hovered, self._when = item, time.monotonic()

    def _press(self) -> None:
        recent = time.monotonic() - self._when < RECENT
        self._pressed, self._hovered = self._hovered if recent else 0, 0
