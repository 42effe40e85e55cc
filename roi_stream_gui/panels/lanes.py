"""The lanes of the traces panel: one line each, ticks for spikes, names at the axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import dearpygui.dearpygui as dpg
import numpy as np

from roi_stream_gui import words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_stream_gui.panels.base import Desk

    Line = NDArray[np.float64]

__all__ = ["LANES", "Lane", "Lanes"]

LANES: Final = 16
"""Traces drawn at most: 64 of them take 80 ms a frame without a graphics card, 16 take 28."""
NAME_LENGTH: Final = 12


class Lane(NamedTuple):
    """What has a trace: a region, or a cell."""

    id: int
    name: str
    colour: tuple[int, int, int]
    is_cell: bool = False


class Lanes:
    """The items of a plot, made once: a line for each lane, one series for all spikes."""

    def __init__(self, desk: Desk, axis: int) -> None:
        self._axis = axis
        self._theme = desk.theme
        self.lines: list[tuple[int, int]] = []
        self._colours: list[tuple[int, int, int] | None] = [None] * LANES
        self._names: tuple[object, ...] | None = None
        for _ in range(LANES):
            line = dpg.add_line_series([0.0], [0.0], parent=axis, show=False)
            theme, colour = desk.theme.line((255, 255, 255))
            dpg.bind_item_theme(line, theme)
            self.lines.append((line, colour))
        self._spikes = dpg.add_line_series([0.0], [0.0], parent=axis, show=False)
        dpg.bind_item_theme(self._spikes, desk.theme.line("spikes", 1.2)[0])

    def show(self, k: int, lane: Lane, times: Line, y: Line) -> None:
        """Draw a lane's line."""
        line, paint = self.lines[k]
        dpg.set_value(line, [times, y])
        dpg.configure_item(line, show=True)
        if self._colours[k] != lane.colour:
            self._colours[k] = lane.colour
            self._theme.paint(paint, lane.colour)

    def show_spikes(self, drawn: list[tuple[Line, Line]]) -> None:
        """Draw the spikes of all lanes."""
        x, y = (
            (np.concatenate(part) for part in zip(*drawn, strict=True))
            if drawn
            else (np.zeros(0), np.zeros(0))
        )
        dpg.configure_item(self._spikes, show=bool(x.size))
        if x.size:
            dpg.set_value(self._spikes, [x, y])

    def name(self, shown: list[Lane]) -> None:
        """Write the names at the axis and hide the lines that are left over."""
        count = len(shown)
        for line, _ in self.lines[count:]:
            dpg.configure_item(line, show=False)
        key = tuple((lane.id, lane.name) for lane in shown)
        if key != self._names:
            self._names = key
            names = tuple((lane.name[:NAME_LENGTH] or "-", count - k - 0.5) for k, lane in enumerate(shown))
            dpg.set_axis_ticks(self._axis, names or ((words.NO_CELLS, 0.5),))
