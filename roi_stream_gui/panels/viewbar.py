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
GAP: Final = 6


class ViewBar:
    """One row of widgets."""

    def __init__(self, desk: Desk, pane: int) -> None:
        self._desk, self._do, self._pane = desk, desk.controller, pane
        with dpg.group(horizontal=True):
            self._choices = {
                "view": self._combo("view", words.VIEWS, WIDTHS[0]),
                "colours": self._combo("colours", COLOURS, WIDTHS[1]),
                "cells": self._combo("cells", CELLS, WIDTHS[2]),
            }
            self._light: int = dpg.add_combo((), width=LIGHT, show=False, callback=value(self._show_light))
            desk.tip(desk.named("channel", self._light), "channel")
            fit = self._button("fit", "Fit", lambda: desk.fit())
            keep = self._button("snapshot", "Snapshot", lambda: self._do.picture.keep(self._do))
            self._crop = self._button("crop", "Crop", self._do.picture.crop.take)
        self._armed = False
        self._lights: tuple[str, ...] = ()
        self._buttons = (fit, keep, self._crop)
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
        """Leave out the buttons that do not fit; the menu and the keys have them too."""
        room = dpg.get_item_rect_size(self._pane)[0], self._desk.scale
        if room == self._room or room[0] < 1:
            return
        self._room = room
        end = sum(self._desk.px(width + GAP) for width in (*WIDTHS, LIGHT)[: 3 + bool(self._lights)])
        for item, width in zip(self._buttons, BUTTONS, strict=True):
            end += self._desk.px(width + GAP)
            dpg.configure_item(item, show=end + GAP <= room[0])

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

    def _button(self, name: str, label: str, action: Callable[[], object]) -> int:
        item: int = dpg.add_button(label=label, callback=then(action))
        return self._desk.tip(self._desk.named(name, item), name)
