"""The column beside the picture: limits, histogram with colour bar, gamma, marks. Display only."""

from __future__ import annotations

from functools import partial
from math import floor, log10
from typing import TYPE_CHECKING, Final

import dearpygui.dearpygui as dpg

from roi_stream_gui.panels.base import value
from roi_stream_gui.panels.histogram import HistogramPlot

if TYPE_CHECKING:
    from collections.abc import Callable

    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.picture import Picture
    from roi_stream_gui.view import View

__all__ = ["WIDTH", "Controls", "digits"]

WIDTH: Final = 126
BELOW: Final = 136
"""Height of what stands under the histogram, px."""
LINE: Final = 28
"""Height of one line of it."""
ROOMY: Final = 260
"""Height of the pane from which there is room for all."""


class Controls:
    """White on top, black below, the histogram between them; then gamma and marks."""

    def __init__(self, desk: Desk, pane: int) -> None:
        self._desk, self._do, self._pane = desk, desk.controller, pane
        self._format = ""
        self._typed = False
        self._room: tuple[bool, float] = (True, 1.0)
        with dpg.group():
            self._high = self._limit("high")
            self._plot = HistogramPlot(desk, WIDTH, -BELOW)
            self._low = self._limit("low")
            self._gamma = int(dpg.add_drag_float(
                width=WIDTH, speed=0.01, min_value=0.2, max_value=5.0, clamped=True, format="gamma %.2f"
            ))  # fmt: skip
            desk.tip(desk.named("gamma", self._gamma), "gamma")
            desk.after_edit(
                self._gamma, lambda: self._do.edit("display.gamma", round(dpg.get_value(self._gamma), 2))
            )
            self._auto = self._check("auto", "Auto", "auto", self._do.picture.automatic)
            with dpg.group(horizontal=True, horizontal_spacing=5):
                self._red = self._check("saturation", "Full", "red", self._setter("saturation"))
                self._blue = self._check("dark", "Zero", "dark", self._setter("dark"))
            desk.tip(desk.text("display only", "dim"), "display only")

    def show(self, view: View) -> None:
        """Show the settings and the limits in use; a value under the hand is followed at once."""
        shown, picture = view.settings.display, self._do.picture
        for item, new in (
            (self._auto, shown.auto_contrast), (self._red, shown.saturation), (self._blue, shown.dark),
            (self._gamma, shown.gamma),
        ):  # fmt: skip
            if not dpg.is_item_active(item) and dpg.get_value(item) != new:
                dpg.set_value(item, new)
        if picture.canvas is not None:
            self._show_limits(picture)
        self._plot.update(picture, shown.gamma)
        self._make_room()

    def _make_room(self) -> None:
        """Leave gamma out where the histogram would be squeezed: large letters in a small window."""
        roomy = dpg.get_item_rect_size(self._pane)[1] > self._desk.px(ROOMY)
        if (roomy, self._desk.scale) != self._room:
            self._room = roomy, self._desk.scale
            dpg.configure_item(self._gamma, show=roomy)
            self._plot.resize(-self._desk.px(BELOW if roomy else BELOW - LINE))

    def tell(self) -> dict[str, list[float]]:
        """Return where the limits lie in the window, for tests."""
        return self._plot.tell()

    def _show_limits(self, picture: Picture) -> None:
        fine = picture.canvas is not None and picture.canvas.values is not None
        low, high = picture.limits
        form = f"%.{digits(high - low) if fine else 0}f"
        if form != self._format:
            self._format = form
            dpg.configure_item(self._low, format=f"black {form}")
            dpg.configure_item(self._high, format=f"white {form}")
        for item, limit in ((self._low, low), (self._high, high)):
            if dpg.is_item_active(item):
                continue
            new = limit if fine else round(limit)
            if abs(dpg.get_value(item) - new) > 1e-6 * max(abs(new), 1e-3):
                dpg.set_value(item, new)
                dpg.configure_item(item, speed=max(high - low, 1e-6) / 200)
        typed = [dpg.is_item_active(item) for item in (self._low, self._high)]
        if self._typed and not any(typed):
            picture.held = None  # pressed and let go; what was changed is fixed by now
        self._typed = any(typed)
        if self._typed:
            picture.held = (
                dpg.get_value(self._low) if typed[0] else low, dpg.get_value(self._high) if typed[1] else high
            )  # fmt: skip

    def _limit(self, name: str) -> int:
        item = int(dpg.add_drag_float(width=WIDTH, speed=20))
        self._desk.tip(self._desk.named(name, item), "limits")
        self._desk.after_edit(item, partial(self._fix, name))
        return item

    def _fix(self, name: str) -> None:
        """Hold one limit by hand; the other stays where the picture has it."""
        low, high = self._do.picture.limits
        if name == "low":
            low = dpg.get_value(self._low)
        else:
            high = dpg.get_value(self._high)
        self._do.picture.fix(low, high)

    def _check(self, name: str, label: str, tip: str, action: Callable[[bool], object]) -> int:
        item: int = dpg.add_checkbox(label=label, callback=value(action))
        return self._desk.tip(self._desk.named(name, item), tip)

    def _setter(self, name: str) -> Callable[[bool], object]:
        return lambda on: self._do.edit(f"display.{name}", on)


def digits(span: float) -> int:
    """Return how many digits after the point tell values apart whose limits are so far apart."""
    return min(max(2 - floor(log10(max(span, 1e-9))), 0), 6)
