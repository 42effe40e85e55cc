"""The names of traces that share an axis, in their colours, in as many columns as the height asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import dearpygui.dearpygui as dpg

from roi_stream_gui.lineup import LANES
from roi_stream_gui.panels.lanes import NAME_LENGTH
from roi_stream_gui.theme import readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roi_stream_gui.lineup import Lane
    from roi_stream_gui.panels.base import Desk

__all__ = ["Legend"]

COLUMN: Final = 104
"""Width of a column, px at 100 %."""
LINE: Final = 17
"""Height of a name, px at 100 %."""


class Legend:
    """A pane right of the plot; the legend of a plot has one column and cuts off what is too much."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._shown: tuple[object, ...] = ()
        self.wide = 0
        """px that it takes beside the plot."""
        with dpg.child_window(width=COLUMN, height=LINE, border=False, show=False, no_scrollbar=True) as pane:
            self._names = [dpg.add_text("", show=False) for _ in range(LANES)]
        self._pane = desk.named("traces.legend", pane)
        dpg.bind_item_theme(pane, desk.theme.flush)

    def shown(self) -> list[int]:
        """Return the texts that are shown."""
        return [item for item in self._names if dpg.get_item_configuration(item)["show"]]

    def hide(self) -> None:
        """Name nothing."""
        self.show((), 0.0)

    def show(self, lanes: Sequence[Lane], height: float) -> None:
        """Name lanes in a pane so many px high."""
        px, back = self._desk.px, self._desk.theme.colour("pane")
        key = (tuple(lanes), height, back, self._desk.scale)
        if key == self._shown:
            return
        self._shown = key
        rows = max(int(height // px(LINE)), 1)
        self.wide = -(-len(lanes) // rows) * px(COLUMN)
        dpg.configure_item(self._pane, show=bool(lanes), width=max(self.wide, 2), height=max(int(height), 2))
        for k, item in enumerate(self._names):
            dpg.configure_item(item, show=k < len(lanes))
            if k < len(lanes):
                place = (px(6) + k // rows * px(COLUMN), k % rows * px(LINE))
                colour = (*readable(lanes[k].colour, back), 255)
                dpg.configure_item(item, pos=place, color=colour)
                dpg.set_value(item, lanes[k].name[:NAME_LENGTH] or "-")
