"""The message list: what happened, newest first, worst in colour."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, ClassVar

import dearpygui.dearpygui as dpg

from roi_stream_gui.panels.base import Place

if TYPE_CHECKING:
    from roi_stream_gui.messages import Message
    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.view import View

__all__ = ["Messages"]

LINES = 60


class Messages:
    """One line per message; the list scrolls."""

    title: ClassVar[str] = "Messages"
    place: ClassVar[Place] = Place.FOOT

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._news = -1
        self._lines: list[int] = []

    def build(self, parent: int) -> None:
        """Make the lines."""
        with dpg.group(parent=parent):
            self._lines = [dpg.add_text("", show=False) for _ in range(LINES)]
        dpg.bind_item_theme(parent, self._desk.theme.tight)
        self._desk.named("messages", parent)

    def update(self, view: View) -> None:
        """Show the newest messages when there are new ones."""
        if view.news == self._news:
            return
        self._news = view.news
        newest = view.messages[::-1][:LINES]
        for line, message in zip(self._lines, newest, strict=False):
            self._desk.say(line, _line(message), _tone(message, first=message is newest[0]))
            dpg.configure_item(line, show=True)
        for line in self._lines[len(newest) :]:
            dpg.configure_item(line, show=False)


def _line(message: Message) -> str:
    often = f"  (x{message.count})" if message.count > 1 else ""
    return f"{message.when:%H:%M:%S}  {message.text}{often}"


def _tone(message: Message, first: bool) -> str:
    if message.level >= logging.ERROR:
        return "bad"
    if message.level >= logging.WARNING:
        return "warn"
    return "text" if first else "dim"
