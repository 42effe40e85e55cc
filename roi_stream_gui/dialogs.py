"""The few windows on top of the window: a file name, and the question before closing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from roi_core.paths import expanded, is_file
from roi_stream_gui import words
from roi_stream_gui.filing import named
from roi_stream_gui.panels.base import then

if TYPE_CHECKING:
    from collections.abc import Callable

    from roi_stream_gui.panels.base import Desk

__all__ = ["AskFile", "AskQuit"]

WIDTH = 544
"""Of the field for a path, px at 100 %."""
QUIT_WIDTH = 440
"""Of the text of the question, px at 100 %; the window is as large as it asks."""


class AskFile:
    """Asks for a path: typed, or picked with Browse. Never modal, so a recording can always be stopped.

    Before a file is replaced it asks once more, and only the button that says so replaces it.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._then: Callable[[str], object] | None = None
        self._what = "open"
        self._sure = ""
        """The file that the button is about to replace; '' while it replaces none."""
        with dpg.window(show=False, no_collapse=True, no_resize=True, autosize=True) as self._window:
            self._path = desk.named("path", dpg.add_input_text(
                width=WIDTH, on_enter=True, callback=then(self._accept)
            ))  # fmt: skip
            self._there = desk.named("path.there", desk.text("", "warn", wrap=WIDTH, show=False))
            with dpg.group(horizontal=True):
                self._ok = desk.named(
                    "path.ok", dpg.add_button(label="OK", width=90, callback=then(self._agree))
                )
                dpg.bind_item_theme(self._ok, desk.theme.primary)
                desk.named("path.browse", dpg.add_button(label="Browse ...", callback=then(self._browse)))
                dpg.add_button(label="Cancel", callback=then(self._close))
        self._browser = dpg.add_file_dialog(
            show=False,
            width=640,
            height=420,
            modal=True,
            callback=self._picked,
            default_path=str(Path.home()),
        )
        dpg.add_file_extension(".*", parent=self._browser)
        desk.covers.append(desk.named("path.browser", int(self._browser)))
        desk.questions += [int(self._browser), int(self._window)]

    def ask(self, what: str, then_do: Callable[[str], object]) -> None:
        """Ask for the path of `what` (a key of `words.FILES`) and call `then_do` with it."""
        title, _, name = words.FILES[what]
        self._what, self._then = what, then_do
        do = self._desk.controller
        start = "" if not name else str(do.taking.proposal(name) if self._saving else do.taking.folder / name)
        dpg.set_value(self._path, start)
        self._doubt("")
        dpg.configure_item(self._window, label=title, show=True, pos=self._desk.middle(WIDTH + 16, 200))
        dpg.focus_item(self._path)

    @property
    def _saving(self) -> bool:
        return self._what.startswith("save")

    def _agree(self) -> None:
        """Replace the file that was asked about, unless another name was given meanwhile."""
        self._accept(self._sure)

    def _accept(self, sure: str = "") -> None:
        path = dpg.get_value(self._path).strip()
        if path and self._saving:
            path = named(path, words.FILES[self._what][2])
            if path != sure and is_file(expanded(path)):
                self._doubt(path)
                return
        self._close()
        if path and self._then is not None:
            self._then(path)

    def _doubt(self, path: str) -> None:
        """Ask whether the file at a path is to be replaced; '': there is nothing to ask."""
        self._sure, theme = path, self._desk.theme
        self._desk.say(self._there, words.REPLACES.format(path))
        dpg.configure_item(self._there, show=bool(path))
        dpg.configure_item(self._ok, label=words.REPLACE if path else words.FILES[self._what][1])
        dpg.bind_item_theme(self._ok, theme.danger if path else theme.primary)

    def _browse(self) -> None:
        dpg.configure_item(self._browser, show=True)

    def _picked(self, _sender: int, chosen: dict[str, object], *_: object) -> None:
        selections = chosen.get("selections")
        if isinstance(selections, dict) and selections:
            dpg.set_value(self._path, next(iter(selections.values())))
        else:
            dpg.set_value(self._path, str(chosen.get("file_path_name", "")))

    def _close(self) -> None:
        dpg.configure_item(self._window, show=False)


class AskQuit:
    """Asks before a recording is ended by closing the window."""

    def __init__(self, desk: Desk, leave: Callable[[], object]) -> None:
        self._desk = desk
        self._leave = leave
        with dpg.window(
            label=words.QUIT_TITLE,
            modal=True,
            show=False,
            no_collapse=True,
            no_resize=True,
            autosize=True,
        ) as self._window:
            desk.named("quit.text", dpg.add_text(words.QUIT_TEXT, wrap=QUIT_WIDTH))
            dpg.add_spacer(height=4)
            with dpg.group(horizontal=True):
                stop = dpg.add_button(label=words.QUIT_STOP, callback=then(leave))
                dpg.bind_item_theme(desk.named("quit.stop", stop), desk.theme.danger)
                keep = dpg.add_button(label=words.QUIT_KEEP, callback=then(self.hide))
                desk.named("quit.keep", keep)
        desk.covers.append(desk.named("quit", int(self._window)))
        desk.questions.append(int(self._window))
        self.shown = False

    def show(self) -> None:
        """Ask; asked a second time (Alt+F4 again), finish the file and leave: nobody need find the mouse."""
        if self.shown and dpg.is_item_shown(self._window):
            self._leave()
            return
        self.shown = True
        dpg.configure_item(self._window, show=True, pos=self._desk.middle(QUIT_WIDTH + 20, 140))

    def hide(self) -> None:
        """Keep recording."""
        self.shown = False
        dpg.configure_item(self._window, show=False)
