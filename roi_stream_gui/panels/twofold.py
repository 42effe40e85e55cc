"""The cells of two results on the picture: A and B each in its colour, the chosen ones bold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import dearpygui.dearpygui as dpg
import numpy as np

from roi_core.frame import Status

if TYPE_CHECKING:
    from roi_stream_gui.outlines import Outlines, Points
    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.review import Review
    from roi_stream_gui.view import View

__all__ = ["A", "B", "Twofold"]

A: Final = (255, 158, 66)
B: Final = (196, 140, 255)
WEIGHTS: Final = (1.4, 3.0)
STEP: Final = 0.5
"""px of a shift that is followed."""


class Twofold:
    """Four line series in the plot of the picture, made when there is something to draw."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._series: list[int] = []
        self._drawn: tuple[object, ...] = ()

    def update(self, view: View, review: Review) -> None:
        """Draw what is compared where it lies on the frame that is shown, while the tab is open."""
        outcome, frames = review.outcome, view.frames
        shape = outcome.outlines[0].components.shape if outcome is not None else None
        fits = frames is not None and frames.shape == shape
        on = review.on_picture = review.shown and fits and self._desk.is_open("review")
        moving = view.snapshot if view.looked is None else None
        dy, dx = (moving.shift if moving is not None else None) or (0.0, 0.0)
        shift = round(dy / STEP) * STEP, round(dx / STEP) * STEP
        state = (on, review.version, shift)
        if state == self._drawn or (not on and not self._series):
            return
        self._drawn = state
        if not self._series:
            self._series = self._made()
        for series in self._series:
            dpg.configure_item(series, show=on)
        if on and outcome is not None and self._series:
            chosen = outcome.rows[review.chosen] if review.chosen is not None else None
            for k, drawn in enumerate(outcome.outlines):
                cell = chosen[k] if chosen is not None else None
                dy, dx = (0, 0) if k else outcome.found.offset  # both where B is
                self._draw(2 * k, drawn, cell, (shift[0] + dy, shift[1] + dx))

    def _draw(self, first: int, drawn: Outlines, cell: float | None, shift: tuple[float, float]) -> None:
        c = drawn.components
        chosen = c.ids == (-1 if cell is None else cell)
        for series, which in zip(
            self._series[first : first + 2], ((c.status == Status.ACCEPTED) & ~chosen, chosen), strict=True
        ):
            x, y = _closed(drawn.of(which))
            dpg.set_value(series, [x - shift[1], y - shift[0]])

    def _made(self) -> list[int]:
        plot = self._desk.names.get("picture")
        axes = dpg.get_item_children(plot, 1) if plot is not None else None
        if not axes:
            return []
        made = []
        for colour in (A, B):
            for weight in WEIGHTS:
                series = int(dpg.add_line_series([], [], parent=axes[1], show=False))
                dpg.bind_item_theme(series, self._desk.theme.line(colour, weight)[0])
                made.append(series)
        return made


def _closed(points: Points) -> Points:
    """Return the lines; an empty one as a point that is nowhere, which Dear PyGui can draw."""
    x, y = points
    return (x, y) if len(x) else (np.full(1, np.nan), np.full(1, np.nan))
