"""Health at a glance: what the camera gives, what is lost, what a frame costs, what went wrong."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, ClassVar

import dearpygui.dearpygui as dpg

from roi_stream_gui import words
from roi_stream_gui.health import CHIPS
from roi_stream_gui.panels.base import Place, then
from roi_stream_gui.view import Phase

if TYPE_CHECKING:
    from roi_stream_gui.health import Chip
    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.view import View

__all__ = ["Chips", "show_chip"]

PERIOD = 0.25
"""Seconds between two updates: faster figures cannot be read."""


class Chips:
    """One row of coloured figures."""

    title: ClassVar[str] = "Health"
    place: ClassVar[Place] = Place.CHIPS

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._shown: dict[str, Chip] = {}
        self._items: dict[str, tuple[int, int]] = {}
        self._next = 0.0

    def build(self, parent: int) -> None:
        """Make one button per chip; a button can be coloured and explained."""
        with dpg.group(horizontal=True, parent=parent):
            for name in CHIPS:
                item = self._desk.named(f"chip.{name}", dpg.add_button(label="-"))
                with dpg.tooltip(item, delay=0.5, hide_on_activity=True):
                    self._items[name] = item, dpg.add_text(words.TIPS[name], wrap=340)
        dpg.configure_item(self._items["messages"][0], callback=then(self._worst))

    def update(self, view: View) -> None:
        """Show the figures, a few times a second."""
        now = time.monotonic()
        if now < self._next and view.phase is not Phase.FAILED:
            return
        self._next = now + PERIOD
        for name, tell in CHIPS.items():
            chip = tell(view)
            if chip != self._shown.get(name):
                self._shown[name] = chip
                show_chip(self._desk, *self._items[name], chip, words.TIPS[name])

    def tell(self) -> dict[str, list[str]]:
        """Return text, level and tooltip of each chip."""
        return {name: list(chip) for name, chip in self._shown.items()}

    def _worst(self) -> None:
        """Show only the worst kind of message there was; again, show all."""
        messages = self._desk.controller.log
        worst = max(messages.counts(), default=logging.INFO)
        messages.show(logging.INFO if messages.least >= worst else worst)


def show_chip(desk: Desk, item: int, tip: int, chip: Chip, meaning: str) -> None:
    """Write a chip on its button, and what it means or what to do in its tooltip."""
    dpg.configure_item(item, label=chip.text)
    dpg.set_value(tip, chip.tip or meaning)
    dpg.bind_item_theme(item, desk.theme.chips[chip.level])
