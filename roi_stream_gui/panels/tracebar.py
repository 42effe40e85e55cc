"""The controls above the traces: how they are drawn, of what, how long, how tall; pages, pause, marks."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import dearpygui.dearpygui as dpg

from roi_stream_gui.markers import GROUPS
from roi_stream_gui.panels.base import then, value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.view import View

__all__ = ["TraceBar"]

MODES: Final = {"stacked": "Stacked", "overlay": "Overlay", "raster": "Raster"}
KINDS: Final = {"raw": "Raw", "dff": "dF/F"}
CELL_KINDS: Final = {"calcium": "Calcium", "raw": "Raw", "dff": "dF/F", "spikes": "Spikes"}
ORDERS: Final = {"id": "by id", "snr": "by SNR", "peak": "by peak"}


class TraceBar:
    """One row of widgets; what they say is settings, so that they remember and can be typed, too."""

    def __init__(self, desk: Desk, scale: Callable[[float], None], page: Callable[[int], None]) -> None:
        self._desk, self._do = desk, desk.controller
        do = self._do
        with dpg.group(horizontal=True, horizontal_spacing=5):
            self._mode = self._choice("mode", MODES, 88, lambda word: do.edit("display.trace_mode", word))
            self._kind = self._choice("kind", KINDS, 68, do.show_traces)
            self._cell = self._choice(
                "cell_kind", CELL_KINDS, 86, lambda word: do.edit("display.cell_kind", word)
            )
            self._seconds = dpg.add_input_double(width=64, step=0, format="%.6g s")
            desk.tip(desk.named("seconds", self._seconds), "seconds")
            desk.after_edit(
                self._seconds, lambda: do.edit("display.trace_window", dpg.get_value(self._seconds))
            )
            self._hold = dpg.add_button(label="Pause", width=60, callback=then(do.pause))
            desk.tip(desk.named("pause", self._hold), "pause")
            self._build_marks()
            with dpg.group(horizontal=True, horizontal_spacing=5) as self._lines:
                self._build_lines(scale, page)
            with dpg.group(show=False) as self._rows:
                self._order = self._choice(
                    "order", ORDERS, 86, lambda word: do.edit("display.raster_order", word)
                )
            self.which = desk.tip(desk.text(tone="dim"), "which")

    def show(self, view: View) -> None:
        """Show the settings."""
        shown = view.settings.display
        for item, new in (
            (self._mode, MODES[shown.trace_mode]), (self._kind, KINDS[shown.trace_kind]),
            (self._cell, CELL_KINDS[shown.cell_kind]), (self._order, ORDERS[shown.raster_order]),
            (self._auto, shown.trace_autoscale), (self._seconds, shown.trace_window),
        ):  # fmt: skip
            if dpg.get_value(item) != new and not dpg.is_item_active(item):
                dpg.set_value(item, new)
        label = "Live" if view.paused else "Pause"
        if dpg.get_item_label(self._hold) != label:
            dpg.configure_item(self._hold, label=label)
            dpg.bind_item_theme(
                self._hold, self._desk.theme.primary if view.paused else self._desk.theme.plain
            )
        raster = shown.trace_mode == "raster"
        if dpg.is_item_shown(self._rows) != raster:
            dpg.configure_item(self._rows, show=raster)
            dpg.configure_item(self._lines, show=not raster)

    def _build_marks(self) -> None:
        desk, marks = self._desk, self._do.timeline.marks
        button = dpg.add_button(label="Marks", width=60, callback=then(self._choose_marks))
        desk.tip(desk.named("marks", button), "marks")
        with dpg.window(popup=True, show=False, no_title_bar=True, autosize=True) as self._menu:
            desk.menus.append(desk.named("marks.popup", self._menu))
            for name, group in GROUPS.items():
                box = dpg.add_checkbox(
                    label=group.title, default_value=True, callback=then(partial(marks.toggle, name))
                )
                desk.named(f"marks.{name}", box)

    def _choose_marks(self) -> None:
        """Open the list of marks below its button."""
        x, y = dpg.get_item_rect_min(self._desk.names["marks"])
        height = dpg.get_item_rect_size(self._desk.names["marks"])[1]
        dpg.configure_item(self._menu, show=True, pos=(int(x), int(y + height + 4)))

    def _build_lines(self, scale: Callable[[float], None], page: Callable[[int], None]) -> None:
        desk, do = self._desk, self._do
        self._auto = dpg.add_checkbox(
            label="Own scale", callback=value(lambda on: do.edit("display.trace_autoscale", on))
        )
        desk.tip(desk.named("autoscale", self._auto), "scale")
        for name, label, factor in (("flatter", "-", 1.25), ("taller", "+", 0.8)):
            button = dpg.add_button(label=label, width=24, callback=then(partial(scale, factor)))
            desk.tip(desk.named(name, button), "scale")
        for name, label, step in (("previous", "<", -1), ("next", ">", 1)):
            button = dpg.add_button(label=label, width=24, callback=then(partial(page, step)))
            desk.tip(desk.named(f"traces.{name}", button), "page")

    def _choice(
        self, name: str, labels: Mapping[str, str], width: int, chosen: Callable[[str], object]
    ) -> int:
        words = {label: word for word, label in labels.items()}
        item: int = dpg.add_combo(
            list(labels.values()), width=width, callback=value(lambda label: chosen(words[label]))
        )
        return self._desk.tip(self._desk.named(name, item), f"trace.{name}")
