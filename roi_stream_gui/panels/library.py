"""The catalogue as a window: a line to search, the recordings that fit, and more on the chosen one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

import dearpygui.dearpygui as dpg

from roi_core.catalogue import State
from roi_stream_gui import words
from roi_stream_gui.library import line
from roi_stream_gui.panels.base import Place, then
from roi_stream_gui.panels.longlist import Column, Line, LongList
from roi_stream_gui.panels.searchfield import search_field

if TYPE_CHECKING:
    from roi_core.catalogue import Entry
    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.view import View

__all__ = ["LibraryWindow"]

WIDTH, HEIGHT, LIST = 780, 470, 312
"""Sizes, px at 100 %."""
COLUMNS: Final = (
    Column("", 16), Column("start", 128), Column("length", 64), Column("subject", 90), Column("cells", 44),
    Column("lost", 60), Column("state", 84), Column("file", 0),
)  # fmt: skip
TONES: Final = {
    State.COMPLETE: "text", State.INCOMPLETE: "warn", State.RECORDING: "good", State.DAMAGED: "bad",
    State.MISSING: "dim",
}  # fmt: skip
MARK: Final = "\u25a0"
LETTERS: Final = 34
"""Letters of a file's name that are shown."""


class LibraryWindow:
    """Made once, shown from the menu."""

    title: ClassVar[str] = "Catalogue"
    place: ClassVar[Place] = Place.FOOT

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._library = desk.controller.library
        self._list = LongList(desk, "library", COLUMNS, self._line, self._choose)
        self._state: tuple[object, ...] = ()

    def build(self, parent: int) -> None:
        """Make the window; nothing of it stands in `parent`."""
        desk, library = self._desk, self._library
        with dpg.window(
            label="Catalogue of recordings", show=False, no_collapse=True, no_resize=True, width=WIDTH,
            height=HEIGHT,
        ) as self._window:  # fmt: skip
            desk.sheets.append(desk.named("library.window", self._window))
            with dpg.group(horizontal=True):
                self._text = search_field(
                    desk, "library.text", words.LIBRARY_HINT, -304, library.look, "library.text"
                )
                open_ = dpg.add_button(label="Open", width=64, callback=then(self._open))
                desk.tip(desk.named("library.open", open_), "library.open")
                dpg.bind_item_theme(open_, desk.theme.primary)
                self._finish = dpg.add_button(
                    label="Finish", width=64, enabled=False, callback=then(library.finish)
                )
                desk.tip(desk.named("library.finish", self._finish), "library.finish")
                scan = dpg.add_button(label="Scan the folder", width=-1, callback=then(library.rescan))
                desk.tip(desk.named("library.scan", scan), "library.scan")
            self._list.build(self._window)
            self._count = desk.text("", "dim")
            self._about = desk.text("", wrap=0)
        dpg.bind_item_theme(self._window, desk.theme.sheet)
        desk.show_library = self._show

    def update(self, _view: View) -> None:
        """Show what is new; nothing while it is put away."""
        if not dpg.is_item_shown(self._window):
            return
        library = self._library
        self._list.resize(self._desk.px(LIST))
        able = library.unfinished and not self._desk.controller.recovery.working
        if dpg.is_item_enabled(self._finish) != able:
            dpg.configure_item(self._finish, enabled=able)
        state = (library.found, library.chosen, library.busy)
        if self._state and all(a is b for a, b in zip(state, self._state, strict=True)):
            self._list.follow()
            return
        self._state = state
        self._list.show(library.found)
        self._desk.say(self._count, _counted(len(library.found), library.busy))
        self._desk.say(self._about, "" if library.chosen is None else about(library.chosen))

    def tell(self) -> dict[str, Any]:
        """Return what tests ask for."""
        return {
            "shown": dpg.is_item_shown(self._window),
            "found": [entry.path for entry in self._library.found],
            "states": [str(entry.state) for entry in self._library.found],
            "chosen": self._library.chosen.path if self._library.chosen else None,
            "busy": self._library.busy,
            "about": dpg.get_value(self._about),
        }

    def _line(self, entry: Entry) -> Line:
        start, *rest, name = line(entry)
        texts = (MARK, start or "?", *rest, words.short(name, LETTERS))
        tone = TONES[entry.state]
        tones = (tone, "text", "text", "text", "text", "warn" if entry.lost else "text", tone, "text")
        return Line(texts, tones, entry is self._library.chosen)

    def _choose(self, number: int) -> None:
        self._library.choose(number)

    def _show(self) -> None:
        """Show it with what is there now, or put it away."""
        shown = not dpg.is_item_shown(self._window)
        dpg.configure_item(self._window, show=shown, pos=self._desk.middle(WIDTH, HEIGHT))
        if shown:
            self._library.refresh()

    def _open(self) -> None:
        if self._library.open():
            dpg.configure_item(self._window, show=False)


def about(entry: Entry) -> str:
    """Return what is known of a recording beyond its line, in a few lines."""
    size = "" if entry.width is None else f"{entry.width}x{entry.height} px"
    rate = "" if entry.rate is None else f"{entry.rate:g} Hz"
    facts = (entry.source, size, rate, entry.indicator, entry.region, entry.experimenter)
    alerts = words.LIBRARY_ALERTS.format(entry.alerts) if entry.alerts else ""
    told = " ".join(entry.text.split())
    return "\n".join(filter(None, (
        entry.path,
        ", ".join(filter(None, (*facts, "movie" if entry.movie else "", alerts))),
        entry.reason if entry.state is not State.COMPLETE or entry.reason != "completed" else "",
        words.short(told, 220),
    )))  # fmt: skip


def _counted(count: int, busy: bool) -> str:
    return words.LIBRARY_BUSY if busy else words.LIBRARY_FOUND.format(words.counted(count, "recording"))
