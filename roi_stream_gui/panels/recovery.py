"""A strip on top of the picture when the last session did not end well; it stands in nobody's way."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import dearpygui.dearpygui as dpg

from roi_stream_gui.panels.base import Place, then
from roi_stream_gui.view import Phase

if TYPE_CHECKING:
    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.recovery import Unfinished
    from roi_stream_gui.view import View

__all__ = ["RecoveryNotice"]

WIDTH, HEIGHT, TOP = 640, 78, 152


class RecoveryNotice:
    """One recording at a time: how much is safe, Open, Finish, Dismiss."""

    title: ClassVar[str] = "Recovery"
    place: ClassVar[Place] = Place.FOOT

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._do = desk.controller
        self._shown: Unfinished | None = None

    def build(self, parent: int) -> None:
        """Make the strip, a little window of its own over the others; `parent` holds nothing of it."""
        desk = self._desk
        with dpg.window(
            show=False, no_title_bar=True, no_resize=True, no_move=True, no_scrollbar=True,
            width=WIDTH, height=HEIGHT, no_focus_on_appearing=True,
        ) as self._window:  # fmt: skip
            self._text = desk.text(tone="warn", wrap=WIDTH - 20)
            dpg.bind_item_theme(self._window, desk.theme.notice)
            with dpg.group(horizontal=True):
                self._open = dpg.add_button(
                    label="Open", width=90, callback=then(lambda: self._do.recovery.open(self._do.connect))
                )
                dpg.bind_item_theme(desk.named("recovery.open", self._open), desk.theme.primary)
                desk.tip(self._open, "recovery.open")
                self._finish = dpg.add_button(
                    label="Finish", width=90, callback=then(self._do.recovery.finish_first)
                )
                desk.tip(desk.named("recovery.finish", self._finish), "recovery.finish")
                item = dpg.add_button(label="Dismiss", width=90, callback=then(self._do.recovery.dismiss))
                desk.tip(desk.named("recovery.dismiss", item), "recovery.dismiss")

    def update(self, view: View) -> None:
        """Show the first of what was found; the strip stays in the middle of the window."""
        found = self._do.recovery.found
        first = found[0] if found else None
        if first is not self._shown:
            self._shown = first
            dpg.configure_item(self._window, show=first is not None)
            if first is not None:
                self._desk.say(self._text, first.text)
        if first is not None:
            place = [self._desk.middle(WIDTH, HEIGHT)[0], self._desk.px(TOP)]
            if dpg.get_item_pos(self._window) != place:
                dpg.set_item_pos(self._window, place)
            busy = view.recording or view.phase is Phase.CONNECTING
            working = self._do.recovery.working
            dpg.configure_item(self._open, enabled=not (busy or working))
            dpg.configure_item(self._finish, enabled=not (working or first.why))

    def tell(self) -> dict[str, str]:
        """Return what the strip says; '' when there is none."""
        return {"text": dpg.get_value(self._text) if self._shown is not None else ""}
