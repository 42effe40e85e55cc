"""The row above the picture: what is shown, in which colours, which cells are outlined; crop and snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import dearpygui.dearpygui as dpg

from roi_stream_gui import lut, words
from roi_stream_gui.panels.base import then, value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.view import View

__all__ = ["ViewBar"]

CELLS: Final = {"all": "all cells", "accepted": "accepted", "off": "no cells"}
COLOURS: Final = {name: name for name in lut.NAMES}

WIDTHS: Final = (112, 92, 96)
LIGHT: Final = 84
BUTTONS: Final = (34, 78, 46)
"""Widths of combos and buttons, px."""
LEAST: Final = 0.8
"""Part of their width that the combos need."""
GAP: Final = 6


class ViewBar:
    """One row of widgets; two where there is not room for all beside each other."""

    def __init__(self, desk: Desk, pane: int) -> None:
        self._desk, self._do, self._pane = desk, desk.controller, pane
        with dpg.group(horizontal=True) as self._rows:
            with dpg.group(horizontal=True):
                self._choices = {
                    "view": self._combo("view", words.VIEWS, WIDTHS[0]),
                    "colours": self._combo("colours", COLOURS, WIDTHS[1]),
                    "cells": self._combo("cells", CELLS, WIDTHS[2]),
                }
                self._light: int = dpg.add_combo(
                    (), width=LIGHT, show=False, callback=value(self._show_light)
                )
                desk.tip(desk.named("channel", self._light), "channel")
            with dpg.group(horizontal=True):
                self._button("fit", "Fit", lambda: desk.fit())
                self._button("snapshot", "Snapshot", lambda: self._do.picture.keep(self._do))
                self._crop = self._button("crop", "Crop", self._draw_crop)
        self._armed = False
        self._lights: tuple[str, ...] = ()
        self._room: tuple[int, float] = (0, 1.0)

    def show(self, view: View) -> None:
        """Show the settings in force and whether the crop is being drawn."""
        for name, (item, labels) in self._choices.items():
            label = labels[view.settings.get(f"display.{name}")]
            if dpg.get_value(item) != label:
                dpg.set_value(item, label)
        self._follow_lights(view)
        self._make_room()
        armed = self._do.picture.crop.armed
        if armed != self._armed:
            self._armed = armed
            dpg.bind_item_theme(self._crop, self._desk.theme.tool if armed else self._desk.theme.plain)

    def _follow_lights(self, view: View) -> None:
        """Offer the interleaved channels, if there are any."""
        light = view.settings.channels
        if light.names != self._lights:
            self._lights, self._room = light.names, (0, 1.0)
            dpg.configure_item(self._light, items=light.names, show=bool(light.names))
        label = light.shown or (light.names[light.main] if light.names else "")
        if dpg.get_value(self._light) != label:
            dpg.set_value(self._light, label)

    def _show_light(self, name: str) -> None:
        self._do.edit("channels.shown", name)

    def _make_room(self) -> None:
        """Let the combos shrink a little; where that is not enough, the buttons stand below them."""
        room = dpg.get_item_rect_size(self._pane)[0], self._desk.scale
        if room == self._room or room[0] < 1:
            return
        self._room = room
        wide = (*WIDTHS, LIGHT)[: 3 + bool(self._lights)]
        free = room[0] / room[1] - GAP * (len(wide) + 2)
        part = (free - sum(BUTTONS) - GAP * len(BUTTONS)) / sum(wide)
        beside = part >= LEAST
        dpg.configure_item(self._rows, horizontal=beside)
        part = min(part if beside else free / sum(wide), 1.0)
        combos = (*(item for item, _ in self._choices.values()), self._light)
        for item, width in zip(combos, wide, strict=False):
            dpg.configure_item(item, width=self._desk.px(part * width))

    def _combo(self, name: str, labels: Mapping[str, str], width: int) -> tuple[int, Mapping[str, str]]:
        words_of = {label: word for word, label in labels.items()}

        def choose(label: str) -> None:
            self._do.edit(f"display.{name}", words_of[label])

        item: int = dpg.add_combo(
            list(words_of), width=width, callback=value(choose), height_mode=dpg.mvComboHeight_Large
        )
        tip = "outlines" if name == "cells" else name
        self._desk.tip(self._desk.named(tip, item), tip)
        return item, labels

    def _draw_crop(self) -> None:
        self._do.picture.draw(self._do.picture.crop)

    def _button(self, name: str, label: str, action: Callable[[], object]) -> int:
        item: int = dpg.add_button(label=label, callback=then(action))
        return self._desk.tip(self._desk.named(name, item), name)
