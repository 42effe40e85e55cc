"""The items of the traces' plot: one line each, ticks for spikes, bars that tell the scale, names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import dearpygui.dearpygui as dpg
import numpy as np

from roi_stream_gui import words
from roi_stream_gui.lineup import LANES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from roi_stream_gui.lineup import Colour, Lane
    from roi_stream_gui.panels.base import Desk

    Line = NDArray[np.float64]
    Ticks = tuple[tuple[str, float], ...]

__all__ = ["NAME_LENGTH", "Lanes", "names", "put"]

NAME_LENGTH: Final = 12
NOTHING: Final = ((" ", 0.5),)


class Lanes:
    """Made once: a line for each lane on the left axis, one series each for spikes and bars."""

    def __init__(self, desk: Desk, left: int, right: int) -> None:
        self._left, self._right = left, right
        self._theme = desk.theme
        self.lines: list[tuple[int, int]] = []
        self._colours: list[Colour | None] = [None] * LANES
        self._ticks: dict[int, Ticks] = {}
        for _ in range(LANES):
            line = dpg.add_line_series([0.0], [0.0], parent=left, show=False)
            theme, colour = desk.theme.line((255, 255, 255))
            dpg.bind_item_theme(line, theme)
            self.lines.append((line, colour))
        self._spikes = _series(desk, left, "spikes", 1.2)
        self._bars = _series(desk, right, "text", 2.0)

    def show(self, k: int, lane: Lane, times: Line, y: Line) -> None:
        """Draw a lane's line."""
        line, paint = self.lines[k]
        dpg.set_value(line, [times, y])
        dpg.configure_item(line, show=bool(times.size))
        if self._colours[k] != lane.colour:
            self._colours[k] = lane.colour
            self._theme.paint(paint, lane.colour)

    def hide(self, first: int) -> None:
        """Hide the lines from this one on."""
        for line, _ in self.lines[first:]:
            dpg.configure_item(line, show=False)

    def show_spikes(self, drawn: Sequence[tuple[Line, Line]]) -> None:
        """Draw the spikes of all lanes."""
        put(self._spikes, drawn)

    def show_bars(self, drawn: Sequence[tuple[Line, Line]]) -> None:
        """Draw bars of round values."""
        put(self._bars, drawn)

    def tick(self, left: Ticks, right: Ticks) -> None:
        """Write beside the axes."""
        for axis, ticks in ((self._left, left or NOTHING), (self._right, right or NOTHING)):
            if self._ticks.get(axis) != ticks:
                self._ticks[axis] = ticks
                dpg.set_axis_ticks(axis, ticks)


def names(shown: Sequence[Lane]) -> Ticks:
    """Return the ticks that name lanes, the first on top."""
    found = ((lane.name[:NAME_LENGTH] or "-", len(shown) - k - 0.5) for k, lane in enumerate(shown))
    return tuple(found) or ((words.NO_CELLS, 0.5),)


def put(series: int, drawn: Sequence[tuple[Line, Line]]) -> None:
    """Draw lines as one series; an empty one is hidden."""
    x = np.concatenate([part[0] for part in drawn]) if drawn else np.zeros(0)
    dpg.configure_item(series, show=bool(x.size))
    if x.size:
        dpg.set_value(series, [x, np.concatenate([part[1] for part in drawn])])


def _series(desk: Desk, axis: int, ink: str, weight: float) -> int:
    item = dpg.add_line_series([0.0], [0.0], parent=axis, show=False)
    dpg.bind_item_theme(item, desk.theme.line(ink, weight)[0])
    return int(item)
