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


class ViewBar:
    """One row of widgets."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._do = desk, desk.controller
        with dpg.group(horizontal=True):
            self._choices = {
                "view": self._combo("view", words.VIEWS, 112),
                "colours": self._combo("colours", COLOURS, 92),
                "cells": self._combo("cells", CELLS, 96),
            }
            self._button("fit", "Fit", lambda: desk.fit())
            self._crop = self._button("crop", "Crop", self._do.picture.crop.take)
            self._button("snapshot", "Snapshot", lambda: self._do.picture.keep(self._do))
        self._armed = False

    def show(self, view: View) -> None:
        """Show the settings in force and whether the crop is being drawn."""
        for name, (item, labels) in self._choices.items():
            label = labels[view.settings.get(f"display.{name}")]
            if dpg.get_value(item) != label:
                dpg.set_value(item, label)
        armed = self._do.picture.crop.armed
        if armed != self._armed:
            self._armed = armed
            dpg.bind_item_theme(self._crop, self._desk.theme.tool if armed else self._desk.theme.plain)

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
