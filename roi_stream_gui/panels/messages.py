"""The message list: what happened, newest first, worst in colour; by choice only what is bad."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import dearpygui.dearpygui as dpg

from roi_stream_gui import words
from roi_stream_gui.messages import LEVELS
from roi_stream_gui.panels.base import Place, then

if TYPE_CHECKING:
    from roi_stream_gui.messages import Message
    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.view import View

__all__ = ["Messages"]

LINES = 60
FILTER = 92
"""Width of the buttons that choose, px."""
BUTTONS = (FILTER + 4) * len(LEVELS) + 4
"""px at 100 % that they take of the width."""
GAP, EDGE = 1, 4
"""px at 100 % between two lines, and above the first."""
CHIP = {logging.INFO: "idle", logging.WARNING: "warn", logging.ERROR: "bad"}
"""Colour of a button when its kind was said, by level."""


class Messages:
    """One line per message; the list scrolls. At the right, how many there are of each kind."""

    title: ClassVar[str] = "Messages"
    place: ClassVar[Place] = Place.FOOT

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._log = desk.controller.log
        self._news = -1
        self._lines: list[int] = []
        self._chosen: dict[int, int] = {}
        self._shown: tuple[Message, ...] = ()

    def build(self, parent: int) -> None:
        """Make the lines, and beside them the buttons."""
        self._pane = parent
        with dpg.group(horizontal=True, parent=parent):
            with dpg.child_window(width=-BUTTONS, height=-1, border=False) as self._list:
                self._lines = [dpg.add_text("", show=False) for _ in range(LINES)]
            with dpg.group(horizontal=True):
                for level in LEVELS:
                    item = dpg.add_button(width=FILTER, height=17, callback=then(partial(self._show, level)))
                    name = logging.getLevelName(level).lower()
                    self._desk.tip(self._desk.named(f"messages.{name}", item), f"messages.{name}")
                    self._chosen[level] = item
        dpg.bind_item_theme(parent, self._desk.theme.compact)

    def update(self, view: View) -> None:
        """Show the newest messages when there are new ones."""
        self._cut()
        if view.news == self._news:
            return
        self._news = view.news
        wanted = tuple(message for message in view.messages if message.level >= self._log.least)
        newest = self._shown = wanted[::-1][:LINES]
        for line, message in zip(self._lines, newest, strict=False):
            self._desk.say(line, _line(message), _tone(message, first=message is newest[0]))
            dpg.configure_item(line, show=True)
        for line in self._lines[len(newest) :]:
            dpg.configure_item(line, show=False)
        self._count(view.said)

    def tell(self) -> dict[str, Any]:
        """Return the lines shown, how many there were of each kind, and px of the list and between lines."""
        first, second = (dpg.get_item_rect_min(line)[1] for line in self._lines[:2])
        return {
            "lines": [message.text for message in self._shown],
            "least": self._log.least,
            "height": dpg.get_item_rect_size(self._list)[1],
            "step": second - first,
        }

    def _cut(self) -> None:
        """Show whole lines only, as many as the pane is high."""
        scale, text = self._desk.scale, int(dpg.get_item_rect_size(self._lines[0])[1])
        if text:
            line = text + int(GAP * scale)
            height = max((dpg.get_item_height(self._pane) - 2 * int(EDGE * scale)) // line, 1) * line
            if dpg.get_item_height(self._list) != height:
                dpg.configure_item(self._list, height=int(height))

    def _count(self, said: dict[int, int]) -> None:
        """Write on each button how often its kind was said; the chosen one stands out."""
        theme = self._desk.theme
        for level, item in self._chosen.items():
            count = sum(said.values()) if level == logging.INFO else said.get(level, 0)
            dpg.configure_item(item, label=words.KINDS[level].format(count))
            chosen = level == self._log.least
            dpg.bind_item_theme(item, theme.tool if chosen else theme.chips[CHIP[level] if count else "idle"])

    def _show(self, level: int) -> None:
        self._log.show(level)
        dpg.set_y_scroll(self._list, 0.0)


def _line(message: Message) -> str:
    often = f"  (x{message.count})" if message.count > 1 else ""
    return f"{message.when:%H:%M:%S}  {message.text}{often}"


def _tone(message: Message, first: bool) -> str:
    if message.level >= logging.ERROR:
        return "bad"
    if message.level >= logging.WARNING:
        return "warn"
    return "text" if first else "dim"
