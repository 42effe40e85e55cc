"""What pending parameters would do to the cells, dashed on the picture, with a legend in its corner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import dearpygui.dearpygui as dpg

from roi_stream_gui.forecast import Fate, dashed
from roi_stream_gui.theme import CELL, LOST, NEW

if TYPE_CHECKING:
    from roi_stream_gui.forecast import Forecast
    from roi_stream_gui.outlines import Points
    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.view import View

    Box = tuple[float, float, float, float]

__all__ = ["ForesightOverlay"]

COLOURS: Final = {Fate.STAYS: (CELL, 1.4), Fate.LOST: (LOST, 2.2), Fate.NEW: (NEW, 2.2)}
DASH, MOST = 5.0, 5
"""A dash: screen px, and outline points at most, so that a small cell has some."""
SIZE, LINE, EDGE = 14.0, 19.0, 10.0
"""The legend: letters, lines, and how far it is from the corner; screen px."""


class ForesightOverlay:
    """One dashed line series for each fate, and the legend."""

    def __init__(self, desk: Desk, plot: int, axis: int) -> None:
        self._desk = desk
        self._trial = desk.controller.trial
        self._series: dict[Fate, int] = {}
        for fate, (colour, weight) in COLOURS.items():
            item = dpg.add_line_series([0.0], [0.0], parent=axis, show=False)
            dpg.bind_item_theme(item, desk.theme.line(colour, weight)[0])
            self._series[fate] = int(item)
        with dpg.draw_layer(parent=plot, show=False) as self._layer:
            black = (0, 0, 0, 190)
            self._back = dpg.draw_rectangle([0, 0], [1, 1], color=(0, 0, 0, 0), fill=black)
            self._title = dpg.draw_text([0, 0], "PREVIEW", size=1, color=(255, 255, 255, 255))
            self._texts = {
                fate: dpg.draw_text([0, 0], "", size=1, color=(*colour, 255))
                for fate, (colour, _) in COLOURS.items()
            }
        self._dashes: dict[Fate, Points] = {}
        self._drawn: tuple[Any, ...] | None = None
        self._placed: tuple[Any, ...] | None = None

    def update(self, view: View, box: Box, zoom: float, moves: bool = True) -> None:
        """Draw the preview there is; `box` (x0, y0, x1, y1) is in sight, `zoom` screen px to one.

        The dashes follow the shift of a picture that `moves`.
        """
        forecast = self._trial.forecast if self._trial.previewing else None
        if forecast is None or view.snapshot is None or forecast.silent:
            self._clear()
            return
        length = max(1, min(round(DASH / zoom), MOST))
        step = min(max(0.25 / zoom, 1e-3), 1.0)  # a shift that nobody can see is not followed
        shift = (view.snapshot.shift if moves else None) or (0.0, 0.0)
        dy, dx = (round(part / step) * step for part in shift)
        drawn = self._drawn
        if drawn is None or drawn[0] is not forecast or drawn[1] != length:
            self._dashes = {fate: dashed(points, length) for fate, points in forecast.lines.items()}
            drawn = None
        if drawn is None or drawn[2:] != (dy, dx):
            self._draw(dy, dx)
        self._drawn = (forecast, length, dy, dx)
        placed = (forecast.counts, box, zoom, self._desk.scale)
        if self._placed != placed:
            self._placed = placed
            self._write(forecast, box, zoom)

    def _draw(self, dy: float, dx: float) -> None:
        for fate, series in self._series.items():
            x, y = self._dashes[fate]
            dpg.configure_item(series, show=bool(x.size))
            if x.size:
                dpg.set_value(series, [x - dx, y - dy])

    def _write(self, forecast: Forecast, box: Box, zoom: float) -> None:
        """Write the legend into the upper left corner of the view."""
        zoom /= self._desk.scale
        x, y = box[0] + EDGE / zoom, box[1] + EDGE / zoom
        dpg.configure_item(self._layer, show=True)
        dpg.configure_item(
            self._back, pmin=[x - 5 / zoom, y - 4 / zoom], pmax=[x + 92 / zoom, y + 4 * LINE / zoom]
        )
        dpg.configure_item(self._title, pos=[x, y], size=SIZE / zoom)
        for k, (fate, text) in enumerate(self._texts.items()):
            words = f"{forecast.counts[fate]} {fate.value}"
            dpg.configure_item(text, pos=[x, y + (k + 1) * LINE / zoom], text=words, size=SIZE / zoom)

    def _clear(self) -> None:
        if self._drawn is not None:
            self._drawn = self._placed = None
            for item in (*self._series.values(), self._layer):
                dpg.configure_item(item, show=False)
