"""The controls above the picture: contrast, saturation, which cells are outlined."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import dearpygui.dearpygui as dpg

from roi_stream_gui import display
from roi_stream_gui.panels.base import then, value

if TYPE_CHECKING:
    from roi_core import settings
    from roi_stream_gui.panels.base import Desk

__all__ = ["Controls"]

CELLS: Final = {"all": "all cells", "accepted": "accepted", "off": "no cells"}


class Controls:
    """One row of widgets; ``contrast`` is what the picture is shown with."""

    def __init__(self, desk: Desk, contrast: display.Contrast) -> None:
        self._desk, self._do, self._contrast = desk, desk.controller, contrast
        with dpg.group(horizontal=True):
            self._auto = self._check("auto", "Auto", "auto", "display.auto_contrast")
            self._low = self._limit("low", "black")
            self._high = self._limit("high", "white")
            self._red = self._check("saturation", "Saturation", "red", "display.saturation")
            fit = desk.named("fit", dpg.add_button(label="Fit", callback=then(lambda: desk.fit())))
            desk.tip(fit, "fit")
            self._cells = dpg.add_combo(list(CELLS.values()), width=96, callback=value(self._choose))
            desk.tip(desk.named("outlines", self._cells), "outlines")

    def show(self, shown: settings.Display) -> None:
        """Show the settings and the limits in use."""
        for item, new in (
            (self._auto, shown.auto_contrast), (self._red, shown.saturation),
            (self._cells, CELLS[shown.cells]),
        ):  # fmt: skip
            if dpg.get_value(item) != new:
                dpg.set_value(item, new)
        for item, limit in ((self._low, self._contrast.low), (self._high, self._contrast.high)):
            if not dpg.is_item_active(item) and dpg.get_value(item) != round(limit):
                dpg.set_value(item, round(limit))

    def limits(self, low: float, high: float) -> tuple[float, float]:
        """Return the limits, one under the hand at once; it becomes a setting at release."""
        return _dragged(self._low, low), _dragged(self._high, high)

    def _check(self, name: str, label: str, tip: str, path: str) -> int:
        item: int = dpg.add_checkbox(label=label, callback=value(lambda on: self._do.edit(path, on)))
        return self._desk.tip(self._desk.named(name, item), tip)

    def _choose(self, word: str) -> None:
        self._do.edit("display.cells", next(name for name, label in CELLS.items() if label == word))

    def _limit(self, name: str, label: str) -> int:
        item = dpg.add_drag_int(
            width=96, speed=20, min_value=0, max_value=display.FULL, clamped=True, format=f"{label} %d"
        )
        self._desk.tip(self._desk.named(name, item), "limits")
        self._desk.after_edit(item, lambda: self._set_limit(name, dpg.get_value(item)))
        return int(item)

    def _set_limit(self, name: str, new: int) -> None:
        """Fix one limit by hand; the other stays where the picture has it."""
        other, now = ("high", self._contrast.high) if name == "low" else ("low", self._contrast.low)
        if self._do.settings.current.display.auto_contrast:
            self._do.edit(f"display.{other}", round(now))
            self._do.edit("display.auto_contrast", False)
        self._do.edit(f"display.{name}", new)


def _dragged(item: int, limit: float) -> float:
    return float(dpg.get_value(item)) if dpg.is_item_active(item) else limit
