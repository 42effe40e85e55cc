"""An upright line in a plot: the moment of the frame that is looked at beside the results of a recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg
import numpy as np

from roi_stream_gui.panels.lanes import put

if TYPE_CHECKING:
    from roi_stream_gui.panels.base import Desk

__all__ = ["Cursor"]


class Cursor:
    """One line, made once."""

    def __init__(self, desk: Desk, axis: int) -> None:
        self.at: float | None = None
        self._drawn: tuple[float | None, float] = None, 0.0
        self._line = int(dpg.add_line_series([0.0], [0.0], parent=axis, show=False))
        dpg.bind_item_theme(self._line, desk.theme.line("text", 1.6)[0])

    def show(self, moment: float | None, top: float = 1.0) -> None:
        """Stand at a moment, s, as high as the plot; None: nowhere."""
        self.at = moment
        if self._drawn != (moment, top):
            self._drawn = moment, top
            put(self._line, [(np.full(2, moment), np.array([0.0, top]))] if moment is not None else [])
